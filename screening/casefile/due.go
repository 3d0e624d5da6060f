package casefile

import (
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// Due is one duty of a case whose trigger was met.
type Due struct {
	Duty
	// Since has the trigger been met; Left is what remains of Within, negative
	// when it has run out.
	Since, Left time.Duration
	// Told says that it was done, By whom and At what time.
	Told bool
	By   []uint64
	At   time.Time
}

// Over reports whether the time has run out and nobody was told.
func (d Due) Over() bool { return !d.Told && d.Left <= 0 }

// Soon reports whether three quarters of the time have passed, not all of it, and
// nobody was told.
func (d Due) Soon() bool { return !d.Told && d.Left > 0 && d.Left <= d.Within/4 }

// Owed returns the duties of the case whose trigger was met, in the order of the
// rules. Elapsed holds, for each of Events, how long ago it was taken on a clock
// that nobody sets. A case that has ended owes nothing: what was never so, and what a
// recheck took back, is told nobody.
func (c Case) Owed(r Rules, elapsed []time.Duration) (list []Due) {
	if c.phase == None || c.phase == Closed || len(elapsed) != len(c.Events) {
		return nil
	}
	for _, d := range r.Duties {
		met, ok := c.met(d.On, r)
		if !ok {
			continue
		}
		due := Due{Duty: d, Since: elapsed[met], Left: d.Within - elapsed[met]}
		if e, told := c.told(d.ID); told {
			due.Told, due.By, due.At = true, e.By, e.At
		}
		list = append(list, due)
	}
	return list
}

// told returns the step by which an addressee was told.
func (c Case) told(id string) (Event, bool) {
	for _, e := range c.now {
		switch {
		case e.Step == Told && e.Reason == id,
			id == Guardian && (e.Step == Called && e.Call == Reached || e.Step == HomeWithGuardian):
			return e, true
		}
	}
	return Event{}, false
}

// met returns which event has met a trigger.
func (c Case) met(t Trigger, r Rules) (event int, ok bool) {
	switch t {
	case AnyCase:
		return 0, true
	case StoodFever:
		return c.stood()
	case SuspectedOrConfirmed:
		return c.suspected(r)
	}
	return 0, false
}

// stood returns which event made it a fever that stood the recheck: the
// measurement by which the rounds were full, or the one of a fever after them. Of
// somebody who left without having been measured, what two instruments at the gate
// said stands.
func (c Case) stood() (event int, ok bool) {
	fever := false
	for i, e := range c.now {
		n := rounds(c.now[:i+1])
		switch {
		case e.Step == Measured:
			if fever = fever || e.fever(); fever && n >= int(c.Rounds) {
				return i, true
			}
		case (e.Step == HomeWithGuardian || e.Step == ToHospital) && (fever || n == 0 && c.highAtGate()):
			return i, true
		}
	}
	return 0, false
}

func (c Case) highAtGate() bool {
	return slices.Contains(c.Found, screening.HighTwice.String()) || slices.Contains(c.Found, screening.HardFeverSeen.String())
}

// suspected returns since which event something that is reported is suspected or
// confirmed without having been ruled out.
func (c Case) suspected(r Rules) (event int, ok bool) {
	for i, e := range c.now {
		switch {
		case e.Step != Suspected && e.Step != Diagnosed:
		case e.Step == Diagnosed && r.Return(e.Reason).Unreported:
			ok = false
		case !ok:
			event, ok = i, true
		}
	}
	return event, ok
}

// Earliest returns from when on somebody may come back by the rules; false while
// nobody has said what is needed to know. Of a return without a wait it is the zero
// time.
func (c Case) Earliest(r Rules) (from, earliest time.Time, ok bool) {
	word, suspected := c.Diagnosis()
	if word == "" || suspected {
		return time.Time{}, time.Time{}, false
	}
	rule := r.Return(word)
	if rule.Wait == 0 {
		return time.Time{}, time.Time{}, true
	}
	if from, ok = c.start(rule.From); !ok {
		return time.Time{}, time.Time{}, false
	}
	return from, from.Add(rule.Wait), true
}

func (c Case) start(s Start) (time.Time, bool) {
	switch s {
	case AfterSymptoms:
		return c.dated(SymptomsEnd)
	case AfterOnset:
		if t, ok := c.dated(Onset); ok {
			return t, true
		}
		return c.Since(), true
	case AfterDiagnosis:
		e, ok := c.last(Diagnosed)
		return e.At, ok
	}
	return time.Time{}, false
}

// dated returns the moment that was said last of its beginning or its end.
func (c Case) dated(what string) (time.Time, bool) {
	for _, e := range slices.Backward(c.now) {
		if e.Step == Dated && e.Reason == what {
			return e.From, true
		}
	}
	return time.Time{}, false
}
