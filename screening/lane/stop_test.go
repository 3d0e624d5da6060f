package lane

import (
	"errors"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// stopped is a lane that stopped subject 1 at 37.4 °C.
func stopped(t testing.TB) *world {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(37_400)
	w.wantStopped(screening.HighOnce)
	return w
}

func TestStopFollowsTheDecisionWhetherOrNotItIsRecorded(t *testing.T) {
	w := newWorld(t, fitted)
	w.slow = true
	w.scan(1)
	w.face(38_600)
	if !has(w.out, isA[Shut]) || !has(w.out, isSignal(Halt)) || !has(w.out, isA[Alarm]) || !has(w.out, isA[Append]) {
		t.Fatalf("%+v", w.out)
	}
	w.appendFails()
	w.wantPhase(Held)
	if w.m.View().Recorded {
		t.Error("shown as recorded")
	}
	w.recorded()
	if !w.m.View().Recorded {
		t.Error("not shown as recorded")
	}
}

func TestBarrierStillOpenFromTheOneBeforeIsShutBeforeTheStopIsShown(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(36_500)
	w.wantPhase(Releasing)
	s := badge(2)
	s.Held = true
	if w.do(s); !has(w.out, isA[Shut]) {
		t.Fatal("the barrier stays open for somebody held")
	}
	w.wantStopped(screening.OnHold) // the checker saw Shut before Halt
	if len(w.freed) != 1 {
		t.Errorf("released %v", w.freed)
	}
}

func TestStopStaysUntilItIsAnswered(t *testing.T) {
	w := stopped(t)
	w.empty()
	w.scan(1)
	w.scan(2)
	w.pass(time.Hour)
	w.wantStopped(screening.HighOnce)
}

func TestAsideFreesTheLaneWithinTheSameStep(t *testing.T) {
	w := stopped(t)
	out := w.press(Answer{Act: Aside, Ticket: 3})
	w.wantPhase(Idle)
	for _, e := range out {
		if a, ok := e.(SetAside); ok {
			if a.Ticket != 3 || a.Arrival.Subject.ID != 1 || len(a.Arrival.Readings) != 1 || a.Record.Hold() != PlaceHold {
				t.Errorf("%+v", a)
			}
			w.empty()
			w.scan(2)
			w.face(36_500)
			w.wantReleased(2)
			return
		}
	}
	t.Errorf("nothing was set aside: %+v", out)
}

func TestAnotherInstrumentAnswersAStop(t *testing.T) {
	t.Run("normal admits", func(t *testing.T) {
		w := stopped(t)
		w.press(typed(36_500))
		w.wantReleased(1)
		if w.last().Act != Typed || len(w.last().By) != 1 || w.last().Hold() != LiftHold {
			t.Errorf("%+v", w.last())
		}
	})
	t.Run("high isolates and alarms once", func(t *testing.T) {
		w := stopped(t)
		if out := w.press(typed(37_400)); !has(out, isA[Alarm]) {
			t.Error("no alarm")
		}
		w.wantStopped(screening.HighTwice)
		w.wantNobodyReleased()
	})
	t.Run("the same instrument does not", func(t *testing.T) {
		w := stopped(t)
		a := typed(36_500)
		a.Reading.Instrument = lens.Name
		w.press(a)
		w.wantStopped(screening.HighOnce)
	})
}

func TestRecheckEndsAHoldThatARecheckMayEnd(t *testing.T) {
	held := func(t *testing.T) *world {
		w := newWorld(t, fitted)
		s := badge(1)
		s.Held, s.Recheckable, s.HighBy = true, true, "lens"
		w.do(s)
		w.wantStopped(screening.OnHold)
		return w
	}
	t.Run("normal admits", func(t *testing.T) {
		w := held(t)
		w.press(typed(36_500))
		w.wantReleased(1)
	})
	t.Run("high, then normal, does not", func(t *testing.T) {
		w := held(t)
		w.press(typed(37_400))
		a := typed(36_500)
		a.Reading.Instrument = "gun"
		w.press(a)
		w.wantStopped(screening.OnHold)
		w.wantNobodyReleased()
	})
	t.Run("a hold placed meanwhile stays", func(t *testing.T) {
		w := held(t)
		w.do(HoldPlaced{1})
		w.press(typed(36_500))
		w.wantStopped(screening.OnHold)
		w.wantNobodyReleased()
	})
}

func TestAnswerToSomethingElseIsStale(t *testing.T) {
	for name, spoil := range map[string]func(a *Answer){
		"an older version": func(a *Answer) { a.Version-- },
		"another arrival":  func(a *Answer) { a.Arrival += 16 },
	} {
		t.Run(name, func(t *testing.T) {
			w := stopped(t)
			v := w.m.View()
			a := typed(36_500)
			a.Arrival, a.Version, a.By = v.Arrival, v.Version, []uint64{900}
			spoil(&a)
			w.do(a)
			if len(w.replies) != 1 || !errors.Is(w.replies[0], ErrStale) {
				t.Errorf("%v", w.replies)
			}
			w.wantPhase(Held)
		})
	}
	t.Run("no stop at all", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.press(typed(36_500))
		if !errors.Is(w.replies[0], ErrStale) {
			t.Errorf("%v", w.replies)
		}
	})
}

func TestWhoeverPassesByDoesNotMakeAnAnswerStale(t *testing.T) {
	w := newWorld(t, watched)
	w.present(true)
	w.scan(1)
	w.face(37_400)
	v := w.m.View()
	w.present(false)
	w.present(true)
	w.present(false)
	w.do(Answer{Act: Aside, Arrival: v.Arrival, Version: v.Version, By: []uint64{900}})
	w.wantPhase(Idle)
}

func TestOverrideIsNeverForFeverRedOrHold(t *testing.T) {
	for name, stop := range map[string]func(w *world){
		"high": func(w *world) { w.scan(1); w.face(37_400) },
		"38.5": func(w *world) { w.scan(1); w.face(38_500) },
		"red":  func(w *world) { s := badge(1); s.Code.Colour = screening.Red; w.do(s); w.face(36_500) },
		"hold": func(w *world) { s := badge(1); s.Held = true; w.do(s) },
		"a hold placed while no temperature is there": func(w *world) {
			w.do(DeviceLost{RoleThermometer})
			w.scan(1)
			w.do(HoldPlaced{1})
		},
		"a lane with a fault": func(w *world) { w.do(DeviceLost{RoleJournal}); w.scan(1); w.do(DeviceLost{RoleThermometer}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fitted)
			stop(w)
			w.wantPhase(Held)
			w.press(Answer{Act: Overridden, Reason: "please"})
			if !errors.Is(w.replies[0], ErrNotAllowed) {
				t.Errorf("%v", w.replies)
			}
			w.wantPhase(Held)
			w.wantNobodyReleased()
		})
	}
	t.Run("a missing temperature may be overridden by name and reason", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.do(DeviceLost{RoleThermometer})
		w.scan(1)
		w.press(Answer{Act: Overridden, Reason: "known to me", By: []uint64{7}})
		w.wantReleased(1)
		if r := w.last(); r.Reason != "known to me" || r.By[0] != 7 || len(r.Decision.Failures) == 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestRefusedAnswerLeavesNoName(t *testing.T) {
	w := stopped(t)
	w.press(Answer{Act: Overridden, By: []uint64{7}})
	w.do(Answer{Act: TurnedAway, Arrival: w.m.View().Arrival, Version: w.m.View().Version})
	if !errors.Is(w.replies[1], ErrNotAllowed) || w.m.cur.by != nil {
		t.Errorf("%v %v", w.replies, w.m.cur.by)
	}
}

func TestWhatARecordMeansForTheSubject(t *testing.T) {
	stop := func(why screening.Reason) screening.Decision {
		return screening.Decision{Outcome: screening.Admit}.Stop("row", why, screening.Refer)
	}
	someone := screening.Subject{ID: 1}
	for name, c := range map[string]struct {
		r    Record
		want Hold
	}{
		"an open stop holds":                          {Record{Subject: someone, Decision: stop(screening.NoGreen)}, PlaceHold},
		"an admission lifts":                          {Record{Subject: someone, Decision: screening.Decision{Outcome: screening.Admit}}, LiftHold},
		"turned away without a lasting reason lifts":  {Record{Subject: someone, Decision: stop(screening.NoGreen), Act: TurnedAway}, LiftHold},
		"turned away with fever holds":                {Record{Subject: someone, Decision: stop(screening.HighOnce), Act: TurnedAway}, PlaceHold},
		"set aside holds":                             {Record{Subject: someone, Decision: stop(screening.NoGreen), Act: Aside}, PlaceHold},
		"an unfinished arrival changes nothing":       {Record{Subject: someone, End: Incomplete}, KeepHold},
		"a record that came too late changes nothing": {Record{Subject: someone, Decision: stop(screening.LaneAttended), Act: Withheld}, KeepHold},
		"withheld because somebody hot came, holds":   {Record{Subject: someone, Decision: stop(screening.HighOnce), Act: Withheld}, PlaceHold},
		"a stop for a standing hold is no other hold": {Record{Subject: someone, Decision: stop(screening.OnHold).Stop("row", screening.NoTemperature, screening.Refer)}, KeepHold},
		"nor is one that is set aside":                {Record{Subject: someone, Decision: stop(screening.OnHold), Act: Aside}, KeepHold},
		"turned away, the hold that stands is kept":   {Record{Subject: someone, Decision: stop(screening.OnHold), Act: TurnedAway}, KeepHold},
		"a fever of somebody on hold holds by itself": {Record{Subject: someone, Decision: stop(screening.OnHold).Stop("row", screening.HighOnce, screening.Recheck)}, PlaceHold},
		"withheld for a hold that came, holds":        {Record{Subject: someone, Decision: stop(screening.OnHold), Act: Withheld}, PlaceHold},
		"nobody known cannot be held":                 {Record{Decision: stop(screening.HighOnce), End: Orphan}, KeepHold},
	} {
		if got := c.r.Hold(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestHoldPlacedStopsTheSubjectWhereverItStands(t *testing.T) {
	t.Run("gathering", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.scan(1)
		w.do(HoldPlaced{1})
		w.wantStopped(screening.OnHold)
	})
	t.Run("recording", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.slow = true
		w.scan(1)
		w.face(36_500)
		w.do(HoldPlaced{1})
		w.recorded()
		w.wantStopped(screening.OnHold)
		w.wantNobodyReleased()
	})
	t.Run("releasing", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.scan(1)
		w.face(36_500)
		if !has(w.do(HoldPlaced{1}), isA[Shut]) {
			t.Error("the barrier stays open")
		}
	})
	t.Run("somebody else is not stopped", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.scan(1)
		w.do(HoldPlaced{2})
		w.face(36_500)
		w.wantReleased(1)
	})
}
