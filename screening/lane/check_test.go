package lane

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// trace is one step as seen from outside.
type trace struct {
	at            time.Duration
	ev            Event
	out           []Effect
	before, after Phase
	// current and next are the open arrival before and after, 0 for none.
	current, next         uint32
	policy, judged        screening.Policy // in force before and after
	version, versionAfter uint64
	// counts says that the sample belongs to the open arrival.
	counts bool
}

// checker holds what no lane may ever do. It knows nothing of the machine but
// its events, effects and phases.
type checker struct {
	barrier  bool
	rested   bool   // OFF was confirmed for the newest order
	order    uint64 // the newest order
	decided  map[uint32]time.Duration
	spoiled  map[uint32]string // why an admission that is being recorded is void
	hot      map[uint32]bool   // a high sample of that arrival counted
	released map[uint32]bool
	appended map[uint32]bool
	subject  map[uint32]uint64
	timers   [TimerKinds]Timer
	faults   map[Role]bool
	looks    int // admissions by a look
	byHand   int // openings by hand
	fire     bool
	emergency
}

func newChecker(cfg Config) checker {
	return checker{
		barrier: cfg.Barrier, decided: map[uint32]time.Duration{}, spoiled: map[uint32]string{}, hot: map[uint32]bool{},
		released: map[uint32]bool{}, appended: map[uint32]bool{}, subject: map[uint32]uint64{}, faults: map[Role]bool{},
		emergency: emergency{presence: cfg.Presence},
	}
}

// step checks one step and remembers what later ones are judged by.
func (c *checker) step(s trace) error {
	if err := c.stale(s); err != nil {
		return err
	}
	c.happened(s)
	shut := false
	for i, e := range s.out {
		var err error
		switch e := e.(type) {
		case Release:
			err = c.release(s, e)
			c.rested, c.order = !c.barrier, e.Order
		case Shut:
			shut, c.rested, c.order = true, false, e.Order
		case Signal:
			if e.Pattern == Halt && c.barrier && !shut {
				err = fmt.Errorf("effect %d shows stop before the barrier was shut", i)
			}
		case Append:
			err = c.append(s, e.Record)
		case SetTimer:
			c.timers[e.Timer.Kind()] = e.Timer
		}
		if err != nil {
			return fmt.Errorf("at %v, %T in %v: %w", s.at, s.ev, s.before, err)
		}
	}
	if s.after == Idle && c.barrier && !c.rested {
		return fmt.Errorf("at %v: idle before OFF was confirmed", s.at)
	}
	if s.current != 0 && s.next != s.current && !c.appended[s.current] {
		return fmt.Errorf("at %v: arrival %d left no entry", s.at, s.current)
	}
	return nil
}

// stale: a deadline that a newer one of its kind replaced does nothing.
func (c *checker) stale(s trace) error {
	d, ok := s.ev.(Deadline)
	if ok && d.Timer != c.timers[d.Timer.Kind()] && (len(s.out) > 0 || s.before != s.after || s.version != s.versionAfter) {
		return fmt.Errorf("at %v: a replaced timer acted", s.at)
	}
	return nil
}

// happened takes from the event what speaks against an admission.
func (c *checker) happened(s trace) {
	c.emergency.happened(s)
	switch ev := s.ev.(type) {
	case Sample:
		fresh := !ev.Fault && s.at-ev.At <= screening.SampleAge && ev.At <= s.at
		high := fresh && s.policy.High(ev.Object) && ev.Object >= screening.EmptyBelow && ev.Object <= screening.BodyAbove
		if high && s.before == Recording {
			c.spoiled[s.current] = "somebody hot came into view"
		}
		if high && s.counts {
			c.hot[s.current] = true
		}
	case HoldPlaced:
		if s.before == Recording && ev.Subject != 0 && c.subject[s.current] == ev.Subject {
			c.spoiled[s.current] = "a hold was placed"
		}
	case DeviceLost:
		c.faults[ev.Role] = true
	case DeviceBack:
		c.faults[ev.Role] = false
		if ev.Role == RoleBarrier {
			c.rested = true
			c.order = 0 // no earlier order is answered any more
		}
	case AppendFailed:
		c.faults[RoleJournal] = true
	case Fire:
		c.fire = ev.On
	case Rested:
		if c.order != 0 && ev.Order == c.order {
			c.rested = ev.Err == nil
		}
	}
}

func (c *checker) release(s trace, e Release) error {
	r, ok := s.ev.(Recorded)
	decided, known := c.decided[e.Arrival]
	switch {
	case !ok || !r.Admits:
		return fmt.Errorf("released without a recorded admission")
	case r.Arrival != e.Arrival || r.Seq != e.Seq:
		return fmt.Errorf("arrival %d released by the record of %d", e.Arrival, r.Arrival)
	case s.before != Recording || s.current != e.Arrival:
		return fmt.Errorf("arrival %d released, which is not the one that is being recorded", e.Arrival)
	case !known || s.at-decided > RecordWithin:
		return fmt.Errorf("arrival %d released %v after its decision", e.Arrival, s.at-decided)
	case c.spoiled[e.Arrival] != "":
		return fmt.Errorf("arrival %d released although %s", e.Arrival, c.spoiled[e.Arrival])
	case c.faults[RoleBarrier] || c.faults[RoleJournal] || c.fire:
		return fmt.Errorf("arrival %d released by a lane with a fault", e.Arrival)
	case c.released[e.Arrival]:
		return fmt.Errorf("arrival %d released twice", e.Arrival)
	case c.barrier && !c.rested:
		return fmt.Errorf("arrival %d released before the barrier rested", e.Arrival)
	}
	c.released[e.Arrival] = true
	return nil
}

func (c *checker) append(s trace, r Record) error {
	c.appended[r.Arrival] = true
	high := r.Decision.Has(screening.HighOnce) || r.Decision.Has(screening.HighTwice) || r.Decision.Has(screening.HardFeverSeen)
	if r.Act == Typed && !high {
		delete(c.hot, r.Arrival) // another instrument answered it
	}
	if !r.Admits {
		return nil
	}
	c.decided[r.Arrival], c.subject[r.Arrival] = s.at, r.Subject.ID
	delete(c.spoiled, r.Arrival)
	in := r.Direction == screening.In
	if r.Reason == ReasonEmergency {
		if err := c.emergency.admits(s, r); err != nil {
			return err
		}
	}
	if r.Reason == ReasonOwed {
		if err := c.opens(s, r); err != nil {
			return err
		}
	}
	c.judged = true
	if r.Act == Looked {
		c.looks++
	}
	switch {
	case r.Act == Noted:
		return fmt.Errorf("arrival %d is to be let in by a note", r.Arrival)
	case r.Act == Looked && !looked(s.judged, r.Reason):
		return fmt.Errorf("arrival %d is to be let in by a look that nobody may take: %q", r.Arrival, r.Reason)
	case r.Decision.Outcome != screening.Admit:
		return fmt.Errorf("arrival %d is to be let in with %v", r.Arrival, r.Decision.Outcome)
	case in && c.hot[r.Arrival]:
		return fmt.Errorf("arrival %d is to be let in although a sample was high", r.Arrival)
	case in && r.Act != Overridden && r.Subject.ID == 0:
		return fmt.Errorf("arrival %d is to be let in without a name", r.Arrival)
	case in && r.Act != Overridden && r.End == Decided && s.judged.Needs(screening.Arrival{Subject: r.Subject, Direction: r.Direction}).Temperature &&
		(r.Reading == nil || r.Reading.Quality != screening.Valid || s.judged.HighAt(r.Reading.Site, r.Reading.Peak)):
		return fmt.Errorf("arrival %d is to be let in with the reading %+v", r.Arrival, r.Reading)
	}
	return nil
}

// opens judges one opening by hand.
func (c *checker) opens(s trace, r Record) error {
	c.byHand++
	switch ev, ok := s.ev.(OpenByHand); {
	case !ok || r.Act != Overridden:
		return fmt.Errorf("arrival %d is to be let in by hand without a press", r.Arrival)
	case len(ev.By) == 0:
		return fmt.Errorf("arrival %d is to be let in by hand although nobody answers for it", r.Arrival)
	case r.Decision.Lasting():
		return fmt.Errorf("arrival %d is to be let in by hand although something stands against it: %v", r.Arrival, r.Decision.Rows())
	}
	return nil
}

// looked reports whether a reason is that of a good look at a row of the policy
// that a person can look at.
func looked(p screening.Policy, reason string) bool {
	saw, ok := ParseLooked(reason)
	row, known := p.Row(saw.Row)
	return ok && saw.InOrder && known && row.Lookable()
}

// sound is a faultless admission, ready to be spoiled.
func sound() (checker, []trace) {
	c := newChecker(fitted)
	c.rested = true
	normal := screening.Reading{Value: 36_500, Peak: 36_500, Quality: screening.Valid}
	admission := Record{
		Arrival: 16, End: Decided, Subject: screening.Subject{ID: 1, Role: screening.Student},
		Decision: screening.Decision{Outcome: screening.Admit}, Reading: &normal, Admits: true,
	}
	return c, []trace{
		{at: time.Second, ev: Sample{}, out: []Effect{Append{admission}}, before: Gathering, after: Recording, current: 16, next: 16},
		{at: 2 * time.Second, ev: Sample{Fault: true}, before: Recording, after: Recording, current: 16, next: 16},
		{at: 3 * time.Second, ev: Recorded{Arrival: 16, Admits: true, Seq: 5}, out: []Effect{Release{16, 5, 1}}, before: Recording, after: Releasing, current: 16, next: 16},
		{at: 4 * time.Second, ev: Rested{Order: 1}, before: Releasing, after: Idle, current: 16},
	}
}

func TestCheckerCatchesEveryPlantedViolation(t *testing.T) {
	hot := Sample{Sample: screening.Sample{Object: 38_000, At: 2 * time.Second}}
	policy := policyOf(t, nil)
	for want, plant := range map[string]func(*checker, []trace){
		"":                            func(*checker, []trace) {},
		"without a recorded":          func(_ *checker, s []trace) { s[2].ev = Deadline{} },
		"by the record of 32":         func(_ *checker, s []trace) { s[2].ev = Recorded{Arrival: 32, Admits: true, Seq: 5} },
		"by the record of 16":         func(_ *checker, s []trace) { s[2].ev = Recorded{Arrival: 16, Admits: true, Seq: 6} },
		"not the one that":            func(_ *checker, s []trace) { s[2].before = Held },
		"after its decision":          func(_ *checker, s []trace) { s[2].at++ },
		"somebody hot":                func(_ *checker, s []trace) { s[1].ev = hot },
		"a hold was placed":           func(_ *checker, s []trace) { s[1].ev = HoldPlaced{Subject: 1} },
		"with a fault":                func(_ *checker, s []trace) { s[1].ev = AppendFailed{} },
		"released twice":              func(_ *checker, s []trace) { s[2].out = append(s[2].out, s[2].out[0]) },
		"before the barrier rested":   func(c *checker, _ []trace) { c.rested = false },
		"before the barrier was shut": func(_ *checker, s []trace) { s[1].out = []Effect{Signal{Halt}, Shut{1}} },
		"idle before OFF":             func(_ *checker, s []trace) { s[3].ev = Rested{Order: 2} },
		"left no entry":               func(_ *checker, s []trace) { s[0].current = 32 },
		"a replaced timer":            func(_ *checker, s []trace) { s[0].ev = Deadline{Timer{timerShow, 9}} },
		"although a sample was high": func(_ *checker, s []trace) {
			s[0].counts, s[0].policy = true, policy
			s[0].ev = Sample{Sample: screening.Sample{Object: 38_000, At: time.Second}}
		},
		"without a name": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Subject.ID = 0
			s[0].out[0] = a
		},
		"with the reading": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Reading, s[0].judged = nil, policy
			s[0].out[0] = a
		},
		"by hand without": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Act, a.Record.Reason = Overridden, ReasonOwed
			s[0].out[0] = a
		},
		"although nobody": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Act, a.Record.Reason = Overridden, ReasonOwed
			s[0].out[0], s[0].ev = a, OpenByHand{}
		},
		"although something": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Act, a.Record.Reason = Overridden, ReasonOwed
			a.Record.Decision = a.Record.Decision.Stop("bound/hold", screening.OnHold, screening.Refer)
			s[0].out[0], s[0].ev = a, OpenByHand{By: []uint64{900}}
		},
		"by a lane with a fault": func(_ *checker, s []trace) { s[1].ev = Fire{On: true} },
		"by a note": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Act = Noted
			s[0].out[0] = a
		},
		"by a look that": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Act, a.Record.Reason = Looked, "temperature:in-order"
			s[0].out[0], s[0].judged = a, policy
		},
		"let in with refer": func(_ *checker, s []trace) {
			a := s[0].out[0].(Append)
			a.Record.Decision = screening.Decision{}
			s[0].out[0] = a
		},
	} {
		t.Run(want, func(t *testing.T) {
			c, steps := sound()
			steps[1].policy = policy
			plant(&c, steps)
			var err error
			for _, s := range steps {
				if err = c.step(s); err != nil {
					break
				}
			}
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
