package lane

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// walk throws anything that can happen at a lane, in any order.
type walk struct {
	*world
	pick     func(n int) int
	policies []screening.Policy
	answered []order // barrier answers that may come once more
	fired    []Timer // timers that may come once more
}

var walkConfigs = []Config{
	fitted, watched, lampOnly,
	{Number: 2, Thermometer: true, Presence: true, Instrument: lens},
	{Number: 3, Barrier: true, Pulse: 3 * time.Second},
	{Number: 4, Thermometer: true, Barrier: true, Presence: true, Direction: screening.Out, Pulse: time.Second, Instrument: lens},
}

func newWalk(t testing.TB, cfg Config, pick func(int) int) *walk {
	attendance := func(s *screening.Spec) { s.Kind, s.Requirements = screening.Attendance, s.Requirements[:1] }
	exits := func(s *screening.Spec) {
		s.Requirements = append(s.Requirements, screening.Requirement{ID: "out", When: screening.When{Direction: screening.Out}, Ask: screening.Ask{Evidence: screening.Temperature}, Fail: screening.Refer, Warn: true})
	}
	w := &walk{world: newWorld(t, cfg), pick: pick}
	w.policies = []screening.Policy{policyOf(t, nil), policyOf(t, attendance), policyOf(t, exits), {}, policyOf(t, strict)}
	w.slow, w.jammed = true, true
	return w
}

// strict asks for every sort of evidence that a lane is told of.
func strict(s *screening.Spec) {
	s.Requirements = append(s.Requirements, []screening.Requirement{
		{ID: "tests", Ask: screening.Ask{Evidence: screening.Tests, Count: 1, Within: 48 * time.Hour}, Fail: screening.Refer},
		{ID: "pass", Ask: screening.Ask{Evidence: screening.Document, Name: "pass"}, Or: []screening.Ask{{Evidence: screening.PositiveGreen, Paper: true}}, Fail: screening.Refuse},
		{ID: "mask", Ask: screening.Ask{Evidence: screening.Mask}, Fail: screening.Refer},
		{ID: "ill", Ask: screening.Ask{Evidence: screening.Symptoms}, Fail: screening.Isolate},
		{ID: "once", Ask: screening.Ask{Evidence: screening.Once}, Fail: screening.Refer},
	}...)
}

func (w *walk) turn() {
	ev := w.next()
	if ev == nil {
		return
	}
	w.step(ev)
	w.bounded()
}

// next makes the next event; nil when time, journal or barrier was served.
func (w *walk) next() Event {
	switch w.pick(20) {
	case 0, 1:
		return w.anyScan()
	case 2, 3, 4, 5, 6:
		return w.anySample()
	case 7:
		return Presence{w.pick(2) == 0}
	case 8, 9:
		w.later()
	case 10, 11, 12:
		w.journal()
	case 13, 14:
		w.relay()
	case 15, 16:
		return w.anyAnswer()
	case 17:
		switch w.pick(13) {
		case 0, 1:
			return HoldPlaced{uint64(w.pick(4))}
		case 2, 3:
			return Emergency{Until: w.now + time.Duration(w.pick(60))*10*time.Second, By: []uint64{leader}}
		case 4:
			return Emergency{}
		case 5, 6:
			w.somebody()
			return nil
		case 7:
			if w.pick(2) == 0 {
				return WristFirst{For: time.Duration(w.pick(3)) * time.Minute}
			}
		case 8:
			return OpenByHand{By: []uint64{900}[:w.pick(2)]}
		case 9:
			return Next{}
		case 10:
			return Passed{}
		case 12:
			return SeenMeanwhile{uint64(w.pick(4)), screening.Again(w.pick(3))}
		case 11:
			return Fire{On: w.pick(3) == 0}
		}
		return PolicyChanged{w.policies[w.pick(12)%8%len(w.policies)]}
	case 18:
		if r := Role(w.pick(6)); w.pick(4) == 0 {
			return DeviceLost{r}
		}
		return DeviceBack{Role(w.pick(6))}
	case 19:
		if len(w.fired) > 0 {
			return Deadline{w.fired[w.pick(len(w.fired))]}
		}
	}
	return nil
}

// somebody comes before the lens and stays long enough.
func (w *walk) somebody() {
	w.step(Presence{false})
	w.step(Presence{true})
	for _, object := range []screening.MilliC{22_000, 36_500, 36_400, 36_500} {
		w.now += 120 * time.Millisecond
		w.step(Sample{Sample: screening.Sample{Object: object, Ambient: 20_000, At: w.now}})
	}
}

func (w *walk) anyScan() Event {
	s := badge(uint64(w.pick(4)))
	s.Subject.Role = []screening.Role{screening.Student, screening.Student, screening.Staff}[w.pick(3)]
	switch w.pick(12) {
	case 0:
		s = Scan{Opaque: true, Digest: []byte{9}}
	case 1:
		s.Held, s.Recheckable, s.HighBy = true, w.pick(2) == 0, "lens"
	case 2:
		r := screening.Typed("ear", screening.Ear, 36_400, 35_000)
		s.Carried = &r
	case 3:
		s.Code = screening.Code{Colour: screening.Red, How: screening.FromRoster}
	case 4, 5:
		s.Code = screening.Code{Colour: screening.Green, How: screening.SeenByName}
	case 6:
		s.Case, s.Again = screening.CaseState(w.pick(4)), screening.Again(w.pick(4))
	case 7, 8:
		s.Proofs = []screening.Proof{{Of: screening.Tests, At: morning, Bad: w.pick(4) == 0}, {Of: screening.Document, Name: "pass", At: morning}}[:1+w.pick(2)]
	}
	if s.Subject.ID == 0 {
		s.Subject = screening.Subject{}
	}
	return s
}

func (w *walk) anySample() Event {
	objects := []screening.MilliC{36_500, 36_600, 36_500, 36_400, 36_500, 36_600, 22_000, 22_000, 34_000, 37_400, 38_700, 60_000}
	w.now += time.Duration(w.pick(3)) * 60 * time.Millisecond
	s := Sample{Sample: screening.Sample{Object: objects[w.pick(len(objects))], Ambient: 20_000, At: w.now}}
	switch w.pick(24) {
	case 0:
		s.Fault = true
	case 1:
		s.At -= time.Second
	case 2:
		s.Ambient = 50_000
	}
	return s
}

func (w *walk) anyAnswer() Event {
	v := w.m.View()
	a := Answer{
		Arrival: v.Arrival, Version: v.Version, Act: Act(w.pick(8)), Colour: screening.Colour(w.pick(6)), Printed: w.pick(8) == 0, By: []uint64{900},
		Reading: screening.Typed([]string{"ear", "lens", ""}[w.pick(3)], screening.Ear, 36_000+screening.MilliC(w.pick(30)*100), 35_000),
	}
	switch w.pick(8) {
	case 0:
		a.Act, a.Of = Noted, screening.Evidence(w.pick(20))
	case 1, 2, 3:
		a.Act, a.Row, a.InOrder = Looked, []string{"tests", "pass", "mask", "temperature", "ill", "colour"}[w.pick(6)], w.pick(4) > 0
	}
	if l := v.Looks; len(l) > 0 && w.pick(4) > 0 {
		a.Act, a.Row, a.InOrder = Looked, l[0].ID, w.pick(8) > 0
	}
	if w.pick(8) == 0 {
		a.Version--
	}
	return a
}

// later moves the clock, less or more, and fires what is due.
func (w *walk) later() {
	d := []time.Duration{0, 20, 300, 1_000, 2_100, 4_000, 9_000}[w.pick(7)] * time.Millisecond
	for _, t := range w.timers {
		if t != nil {
			w.fired = append(w.fired, t.timer)
		}
	}
	w.fired = w.fired[max(0, len(w.fired)-16):]
	w.pass(d)
}

func (w *walk) journal() {
	switch {
	case len(w.appends) == 0:
	case w.pick(12) == 0:
		w.appendFails()
	default:
		w.recorded()
	}
}

func (w *walk) relay() {
	switch {
	case len(w.answered) > 0 && w.pick(6) == 0:
		w.step(Rested{Order: w.answered[w.pick(len(w.answered))].number})
	case len(w.orders) == 0:
	case w.pick(10) == 0:
		w.rest(errBroken)
	default:
		w.answered = append(w.answered, w.orders[0])
		w.answered = w.answered[max(0, len(w.answered)-4):]
		w.rest(nil)
	}
}

// bounded: whatever strangers do, a lane keeps three samples and one window's
// readings. Only what a person types adds more.
func (w *walk) bounded() {
	if n := len(w.m.body.samples); n > screening.SamplesPerReading {
		w.fail(fmt.Errorf("%d samples are kept", n))
	}
	if a := w.m.cur; a != nil && w.m.phase == Gathering && len(a.readings) > Tries {
		w.fail(fmt.Errorf("%d readings are kept", len(a.readings)))
	}
}

// settles brings every device back, empties the view, answers every stop, and
// wants the lane idle within 15 s: no state is one that a lane cannot leave.
func (w *walk) settles() {
	w.slow, w.jammed = false, false
	start := w.now
	for r := RoleScanner; r <= RoleJournal; r++ {
		w.do(DeviceBack{r})
	}
	w.do(Fire{})
	w.do(Presence{false})
	w.follow()
	for w.now-start < 15*time.Second && w.m.phase != Idle {
		if w.m.phase == Held {
			w.press(Answer{Act: TurnedAway})
		}
		w.empty()
	}
	if w.m.phase != Idle {
		w.fail(fmt.Errorf("still %v after 15 s, faults %b", w.m.phase, w.m.faults))
	}
	w.slow, w.jammed = true, true
}

func TestRandomWalkKeepsEveryPromise(t *testing.T) {
	const turns = 200_000
	for i, cfg := range walkConfigs {
		t.Run(fmt.Sprint("lane ", i), func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			w := newWalk(t, cfg, rand.New(rand.NewPCG(seed, uint64(i))).IntN)
			for n := 1; n <= turns/len(walkConfigs); n++ {
				w.turn()
				if n%100 == 0 {
					w.settles()
				}
			}
			t.Logf("%d arrivals, %d released, %d of them by emergency passage, %d admissions by a look", w.m.count, len(w.freed), w.check.excused, w.check.looks)
			if cfg.Thermometer && len(w.freed) == 0 {
				t.Error("nobody was released: the walk shows nothing")
			}
			if w.check.byHand == 0 {
				t.Error("nothing was opened by hand: the walk shows nothing of it")
			}
			if cfg.Thermometer && cfg.Direction == screening.In && w.check.excused == 0 {
				t.Error("nobody was let in by emergency passage: the walk shows nothing of it")
			}
		})
	}
}

func FuzzStep(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{0, 0, 1, 0, 5, 2, 2, 0, 5, 2, 2, 0, 5, 2, 2, 0, 5, 10, 3, 13, 4})
	f.Add([]byte{1, 7, 0, 2, 2, 9, 5, 2, 2, 9, 5, 2, 2, 9, 5, 15, 0, 2, 0, 10, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 0 || len(raw) > 4096 {
			return
		}
		rest := raw[1:]
		w := newWalk(t, walkConfigs[int(raw[0])%len(walkConfigs)], func(n int) int {
			if len(rest) == 0 {
				return 0
			}
			v := int(rest[0]) % n
			rest = rest[1:]
			return v
		})
		for len(rest) > 0 {
			w.turn()
		}
		w.settles()
	})
}
