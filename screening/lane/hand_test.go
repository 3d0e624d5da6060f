package lane

import (
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// guardOnDuty answers for what is opened by hand.
const guardOnDuty = 900

// lastSignal is what the lamps show after a step.
func lastSignal(effects []Effect) (p Pattern) {
	for _, e := range effects {
		if s, ok := e.(Signal); ok {
			p = s.Pattern
		}
	}
	return p
}

func byHand() OpenByHand { return OpenByHand{By: []uint64{guardOnDuty}} }

func TestOpeningByHandRecordsAnOverrideWhoseReasonIsOwedAndThenReleases(t *testing.T) {
	for rule, prepare := range map[string]func(*world){
		"nobody has shown a badge":       func(*world) {},
		"a badge waits for the forehead": func(w *world) { w.scan(1) },
		"an unknown badge is stopped":    func(w *world) { w.do(Scan{Digest: []byte{7}}) },
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, fitted)
			prepare(w)
			w.slow = true
			w.do(byHand())
			w.wantNobodyReleased()
			w.wantPhase(Recording)
			if r := w.last(); !r.Admits || r.Act != Overridden || r.Reason != ReasonOwed || len(r.By) != 1 || r.By[0] != guardOnDuty {
				t.Errorf("recorded %+v", r)
			}
			own := w.records[len(w.records)-2]
			if own.Arrival != w.last().Arrival || own.Act != NoAct || own.Admits || own.Reason != "" || own.Decision.Outcome != screening.Refer {
				t.Errorf("what it overrides is recorded as %+v", own)
			}
			w.slow = false
			w.follow()
			if len(w.freed) != 1 || w.freed[0] != w.last().Arrival {
				t.Errorf("released %v, want %d", w.freed, w.last().Arrival)
			}
		})
	}
}

func TestOpeningByHandOpensNothingThatNoOverrideOpens(t *testing.T) {
	for rule, prepare := range map[string]func(*world){
		"a fever that was measured": func(w *world) { w.scan(1); w.face(38_600) },
		"a high sample while a badge waits": func(w *world) {
			w.scan(1)
			w.look(38_000)
		},
		"somebody hot before the lens":  func(w *world) { w.look(38_000) },
		"a hold":                        func(w *world) { s := badge(1); s.Held = true; w.do(s) },
		"an open case":                  func(w *world) { s := badge(1); s.Case = screening.CaseOpen; w.do(s) },
		"a journal that does not store": func(w *world) { w.do(DeviceLost{RoleJournal}) },
		"a barrier that is gone":        func(w *world) { w.do(DeviceLost{RoleBarrier}) },
		"a fire":                        func(w *world) { w.do(Fire{On: true}) },
		"a lane that stops":             func(w *world) { w.do(Stop{}) },
		"an admission that is recorded": func(w *world) { w.slow = true; w.scan(1); w.face(36_500) },
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, watched)
			w.m.policy = policyOf(t, nil)
			w.present(true)
			prepare(w)
			w.do(byHand())
			for _, r := range w.records {
				if r.Reason == ReasonOwed {
					t.Errorf("opened: %+v", r)
				}
			}
		})
	}
	t.Run("nobody on duty", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.do(OpenByHand{})
		w.wantPhase(Idle)
		if len(w.records) > 0 {
			t.Errorf("recorded %+v", w.records)
		}
	})
}

func TestNextEndsAnArrivalThatWaitsAndNoStop(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(Next{})
	w.wantPhase(Idle)
	w.scan(1)
	w.do(Next{})
	w.wantPhase(Idle)
	if r := w.last(); r.End != Incomplete || r.Subject.ID != 1 {
		t.Errorf("recorded %+v", r)
	}
	w.scan(2)
	w.look(38_000)
	w.do(Next{})
	w.wantPhase(Held) // a high sample is a stop, however short it was
	w.do(Next{})
	w.wantPhase(Held)
}

func TestABadgeThatHasPassedIsNotLetInAgain(t *testing.T) {
	for rule, passed := range map[string]bool{"nobody counted a passage": false, "the turnstile has counted it": true} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, fitted)
			w.admit(1)
			if passed {
				w.do(Passed{})
			}
			w.scan(1)
			if passed {
				w.wantStopped(screening.AlreadyIn)
			} else if len(w.freed) != 2 {
				t.Errorf("released %d times", len(w.freed))
			}
		})
	}
}

func TestFireTakesTheLaneOutOfServiceAndBack(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	out := w.do(Fire{On: true})
	w.wantPhase(Attended)
	if r := w.last(); r.End != Incomplete {
		t.Errorf("whoever was being served is recorded as %+v", r)
	}
	if last := lastSignal(out); last != Dark {
		t.Errorf("the lamps are left at %v", last)
	}
	before := len(w.records)
	w.scan(2)
	w.wantPhase(Attended)
	if len(w.records) != before || w.m.View().Faults != FireReleased {
		t.Errorf("a badge was taken in a fire: %+v", w.records[before:])
	}
	w.do(Fire{})
	w.wantPhase(Idle)
	w.admit(2)
}

func TestAFireEndsNoStopAndHidesNoFault(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(38_600)
	w.wantPhase(Held)
	w.do(Fire{On: true})
	w.wantPhase(Held)
	if out := w.do(Fire{}); !has(out, isSignal(Halt)) {
		t.Errorf("the stop is not shown again: %+v", out)
	}
	w.press(Answer{Act: Aside, Ticket: 1})
	w.do(DeviceLost{RoleBarrier})
	w.do(Fire{On: true})
	if out := w.do(Fire{}); !has(out, isSignal(Attend)) {
		t.Errorf("the lane that is out of service is dark: %+v", out)
	}
	w.wantPhase(Attended)
}

func TestAnAdmissionThatMeetsAFireIsWithheld(t *testing.T) {
	w := newWorld(t, fitted)
	w.slow = true
	w.scan(1)
	w.face(36_500)
	w.do(Fire{On: true})
	w.slow = false
	w.follow()
	w.wantNobodyReleased()
	w.pass(time.Minute)
	w.do(Fire{})
	w.wantStopped(screening.LaneAttended)
}
