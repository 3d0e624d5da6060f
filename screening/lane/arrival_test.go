package lane

import (
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

func TestLaneWaitsForNoMoreThanThePolicyAsks(t *testing.T) {
	t.Run("badge and temperature", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.scan(1)
		w.wantPhase(Gathering)
		w.face(36_500)
		w.wantReleased(1)
	})
	t.Run("badge only", func(t *testing.T) {
		w := newWorldUnder(t, fitted, policyOf(t, func(s *screening.Spec) {
			s.Kind, s.Requirements = screening.Attendance, s.Requirements[:1]
		}))
		w.scan(1)
		w.wantReleased(1)
	})
	t.Run("a green is asked of staff only, and of a person", func(t *testing.T) {
		w := newWorld(t, fitted)
		s := badge(1)
		s.Subject.Role = screening.Staff
		w.do(s)
		w.face(36_500)
		w.wantStopped(screening.NoGreen)
		w.press(Answer{Act: ColourSeen, Colour: screening.Green})
		w.wantReleased(1)
	})
	t.Run("a phone's code, then the badge, is one person", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.do(Scan{Opaque: true, Digest: []byte{9}})
		w.scan(1)
		w.face(36_500)
		w.wantReleased(1)
		if d := w.last().Code.Digest; len(d) != 1 || d[0] != 9 {
			t.Errorf("digest %v", d)
		}
	})
	t.Run("an unknown badge stops at once", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.do(Scan{Digest: []byte{1, 2}})
		w.wantStopped(screening.NoIdentity)
		if w.last().Badge == nil {
			t.Error("the entry does not say which badge")
		}
	})
}

func TestLoneScanIsPromptedAtThreeSecondsAndEndsQuietlyAtEight(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.pass(PromptAfter - 1)
	if w.m.View().Prompted {
		t.Error("prompted early")
	}
	w.pass(1)
	if !w.m.View().Prompted {
		t.Error("not prompted")
	}
	w.pass(WindowEnds - PromptAfter - 1)
	w.wantPhase(Gathering)
	w.out = nil
	w.pass(1)
	w.wantPhase(Idle)
	if has(w.out, isSignal(Halt)) || !has(w.out, isSignal(Again)) {
		t.Error("the end is not quiet")
	}
	if r := w.last(); r.End != Incomplete || r.Hold() != KeepHold {
		t.Errorf("%+v", r)
	}
}

func TestReadingOnlyIsPromptedForABadge(t *testing.T) {
	w := newWorld(t, watched)
	w.present(true)
	w.face(36_500)
	w.pass(PromptAfter)
	if v := w.m.View(); !v.Prompted || !v.NeedsIdentity {
		t.Errorf("%+v", v)
	}
}

func TestThreeColdTriesThenAPersonTypes(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	for try := 1; try < Tries; try++ {
		w.face(34_000)
		w.wantPhase(Gathering)
		if w.m.View().Try != try || !has(w.out, isSignal(Again)) {
			t.Fatalf("try %d: %+v", try, w.m.View())
		}
		w.empty()
	}
	w.face(34_000)
	w.wantStopped(screening.TooCold)
	w.press(typed(36_500))
	w.wantReleased(1)
}

func TestAColdForeheadHeldStillIsOneTry(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	for range 5 {
		w.face(34_000)
		w.wantPhase(Gathering)
	}
	if try := w.m.View().Try; try != 1 {
		t.Errorf("try %d", try)
	}
	w.face(36_500) // closer, or another place on the skin
	w.wantReleased(1)
}

func TestAColdForeheadThatStaysUntilTheWindowEndsIsAPersonsTurn(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(34_000)
	for range 20 {
		w.face(34_000)
		w.pass(time.Second / 2)
		if w.m.Phase() == Held {
			break
		}
	}
	w.wantStopped(screening.TooCold)
}

func TestComingCloserBetweenTwoSamplesEndsNothing(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(34_000)
	w.pass(w.m.cfg.Instrument.Period / 10) // sooner than the part's own period
	w.do(Sample{Sample: screening.Sample{Object: 36_500, Ambient: 20_000, At: w.now}})
	w.face(36_500)
	w.wantReleased(1)
}

func TestSteppingBackFromAColdTryEndsNothing(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(34_000)
	w.face(31_500)
	w.wantPhase(Gathering)
	w.empty()
	w.face(36_500)
	w.wantReleased(1)
}

func TestThermometerLostMeansTyped(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		lose func(w *world)
	}{
		"before the scan":      {fitted, func(w *world) { w.do(DeviceLost{RoleThermometer}); w.scan(1) }},
		"after the scan":       {fitted, func(w *world) { w.scan(1); w.do(DeviceLost{RoleThermometer}) }},
		"never fitted":         {Config{Number: 1, Barrier: true, Pulse: time.Second}, func(w *world) { w.scan(1) }},
		"the presence is lost": {watched, func(w *world) { w.do(DeviceLost{RolePresence}); w.scan(1) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.cfg)
			c.lose(w)
			w.wantStopped(screening.NoTemperature)
			w.press(typed(36_500))
			w.wantReleased(1)
		})
	}
}

func TestSameBadgeWithinThirtySecondsIsLetInOnceMore(t *testing.T) {
	w := newWorld(t, fitted)
	w.admit(1)
	w.scan(1)
	w.wantReleased(1)
	if r := w.last(); r.End != Repeat || len(w.freed) != 2 {
		t.Fatalf("%d releases, %+v", len(w.freed), r)
	}
	w.pass(2 * time.Second)
	w.scan(1)
	w.wantStopped(screening.AlreadyIn)
	w.press(Answer{Act: Overridden, Reason: "stuck"})
	if len(w.freed) != 3 {
		t.Error("the guard cannot let the person in")
	}
}

func TestRepeatNeedsANewMeasurement(t *testing.T) {
	for name, c := range map[string]struct {
		cfg    Config
		before func(w *world) Scan
	}{
		"after 30 s":           {fitted, func(w *world) Scan { w.pass(RepeatWithin); return badge(1) }},
		"after somebody else":  {fitted, func(w *world) Scan { w.admit(2); return badge(1) }},
		"when the code is red": {fitted, func(*world) Scan { s := badge(1); s.Code.Colour = screening.Red; return s }},
		"when held":            {fitted, func(*world) Scan { s := badge(1); s.Held = true; return s }},
		"when somebody hot stands there": {watched, func(w *world) Scan {
			w.present(true)
			w.look(37_600)
			return badge(1)
		}},
		"when there is no policy": {fitted, func(w *world) Scan { w.do(PolicyChanged{}); return badge(1) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.cfg)
			w.present(c.cfg.Presence)
			w.admit(1)
			w.present(false)
			s := c.before(w)
			n := len(w.freed)
			w.do(s)
			if len(w.freed) != n || w.last().End == Repeat {
				t.Error("let in once more")
			}
		})
	}
}

func TestCarriedReadingServesInsteadOfANewMeasurement(t *testing.T) {
	w := newWorld(t, watched)
	r := screening.Typed("ear", screening.Ear, 36_400, 35_000)
	s := badge(1)
	s.Carried = &r
	w.present(true)
	w.look(37_400)
	w.do(s)
	w.wantReleased(1)
}

func TestScanDuringAReleaseWaitsForItsEnd(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(36_500)
	w.wantPhase(Releasing)
	w.scan(2)
	w.pass(time.Second)
	w.wantPhase(Gathering)
	w.empty()
	w.face(36_500)
	w.wantReleased(2)
}

func TestParkedScanIsForgottenAfterFiveSeconds(t *testing.T) {
	slow := fitted
	slow.Pulse = ParkedFor + time.Second
	w := newWorld(t, slow)
	w.scan(1)
	w.face(36_500)
	w.scan(2)
	w.pass(slow.Pulse)
	w.wantPhase(Idle)
}

func TestPolicyIsTakenBetweenTwoArrivals(t *testing.T) {
	w := newWorld(t, fitted)
	strict := policyOf(t, func(s *screening.Spec) { s.Number, s.Threshold, s.WristThreshold = 12, 36_400, 36_400 })
	w.scan(1)
	w.do(PolicyChanged{strict})
	if w.m.Policy().Number() != 0 {
		t.Error("taken within an arrival")
	}
	w.face(36_500)
	w.wantReleased(1)
	w.pass(time.Second)
	if w.m.Policy().Number() != 12 {
		t.Error("not taken when idle")
	}
}

func TestStopLetsTheOpenArrivalFinishAndBeginsNoOther(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.do(Stop{})
	w.face(36_500)
	w.wantReleased(1)
	w.scan(2)
	w.pass(time.Second)
	w.scan(3)
	w.wantPhase(Idle)
	if !w.m.Resting() || len(w.records) != 1 {
		t.Errorf("%d records", len(w.records))
	}
}

func TestLanesNeverShareAnArrivalsNumber(t *testing.T) {
	seen := map[uint32]bool{}
	for n := range 16 {
		cfg := lampOnly
		cfg.Number = uint8(n + 1)
		w := newWorld(t, cfg)
		for range 3 {
			w.do(Scan{Digest: []byte{1}})
			if id := w.m.View().Arrival; seen[id] || id == 0 {
				t.Fatalf("lane %d: arrival %d", n+1, id)
			} else {
				seen[id] = true
			}
			w.press(Answer{Act: TurnedAway})
		}
	}
}

func TestLampOfTheOneBeforeGoesDarkWhileTheNextIsServed(t *testing.T) {
	w := newWorld(t, lampOnly)
	w.scan(1)
	w.face(36_500)
	w.wantReleased(1)
	w.scan(2)
	w.pass(ShowPass)
	if !has(w.out, isSignal(Dark)) {
		t.Error("green while the next is being served")
	}
	w.wantPhase(Gathering)
}
