package lane

import (
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

func TestWrongPersonIsNotReleased(t *testing.T) {
	for name, c := range map[string]struct {
		cfg Config
		do  func(w *world)
	}{
		"A scans and leaves, B's forehead comes": {watched, func(w *world) {
			w.present(true)
			w.scan(1)
			w.present(false)
			w.present(true)
			w.face(36_500)
		}},
		"A scans from outside and B comes late": {watched, func(w *world) {
			w.scan(1)
			w.pass(PresenceGrace)
			w.present(true)
			w.face(36_500)
		}},
		"A scans from outside and the lens sees somebody whom the presence does not": {watched, func(w *world) {
			w.scan(1)
			w.face(36_500)
		}},
		"B is measured first, leaves, then A scans": {watched, func(w *world) {
			w.present(true)
			w.face(36_500)
			w.present(false)
			w.scan(1)
			w.pass(PresenceGrace)
		}},
		"B is measured first, then A scans": {fitted, func(w *world) {
			w.look(36_500)
			w.look(36_500)
			w.scan(1)
			w.face(36_500)
		}},
		"A is measured in part, then B with a step of more than 1 °C": {fitted, func(w *world) {
			w.scan(1)
			w.look(35_200)
			w.look(35_200)
			w.look(36_300)
			w.face(36_300)
		}},
		"A is measured in part, the window ends, B scans beside A": {fitted, func(w *world) {
			w.scan(1)
			w.look(36_000)
			w.look(36_900)
			w.pass(WindowEnds)
			w.scan(2)
			w.face(36_500)
		}},
		"A is measured in part, B scans beside A": {fitted, func(w *world) {
			w.scan(1)
			w.look(36_500)
			w.scan(2)
			w.face(36_500)
		}},
		"two badges in one presence": {watched, func(w *world) {
			w.present(true)
			w.scan(1)
			w.scan(2)
			w.face(36_500)
		}},
		"the forehead just judged does not serve the next badge": {fitted, func(w *world) {
			w.scan(1)
			w.face(37_400)
			w.press(Answer{Act: TurnedAway})
			w.scan(2)
			w.face(36_500)
		}},
		"whoever came into view during a stop has to step back": {fitted, func(w *world) {
			w.scan(1)
			w.face(37_400)
			w.empty()
			w.look(36_500)
			w.press(Answer{Act: Aside, Ticket: 3})
			w.scan(2)
			w.face(36_500)
		}},
		"B stands in the lane while A's recheck is answered as an aside": {watched, func(w *world) {
			w.present(true)
			w.scan(1)
			w.face(37_400)
			w.present(false)
			w.present(true)
			w.look(36_500)
			w.press(Answer{Act: Aside, Ticket: 3})
			w.pass(2 * time.Second)
		}},
		"a held child tries this lane": {fitted, func(w *world) {
			s := badge(1)
			s.Held = true
			w.do(s)
			w.face(36_500)
		}},
		"a high sample before a glitch of the lens": {fitted, func(w *world) {
			w.scan(1)
			w.look(37_800)
			w.do(Sample{Fault: true})
			w.empty()
			w.face(36_500)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.cfg)
			c.do(w)
			w.pass(10 * time.Second)
			w.wantNobodyReleased()
		})
	}
}

func TestScanAndMeasurementInEitherOrderWithinOnePresence(t *testing.T) {
	t.Run("scan first", func(t *testing.T) {
		w := newWorld(t, watched)
		w.present(true)
		w.scan(1)
		w.face(36_500)
		w.wantReleased(1)
	})
	t.Run("measured first", func(t *testing.T) {
		w := newWorld(t, watched)
		w.present(true)
		w.face(36_500)
		w.scan(1)
		w.wantReleased(1)
	})
	t.Run("badge a moment before the presence", func(t *testing.T) {
		w := newWorld(t, watched)
		w.scan(1)
		w.pass(PresenceGrace - time.Millisecond)
		w.present(true)
		w.face(36_500)
		w.wantReleased(1)
	})
	t.Run("who was named at the desk has the whole window to walk up", func(t *testing.T) {
		w := newWorld(t, watched)
		w.do(Scan{Subject: screening.Subject{ID: 1, Role: screening.Student}, Named: true})
		w.pass(WindowEnds - time.Second)
		w.present(true)
		w.face(36_500)
		w.wantReleased(1)
	})
	t.Run("and no longer", func(t *testing.T) {
		w := newWorld(t, watched)
		w.do(Scan{Subject: screening.Subject{ID: 1, Role: screening.Student}, Named: true})
		w.pass(WindowEnds)
		w.present(true)
		w.face(36_500)
		w.wantNobodyReleased()
	})
}

func TestEmptyViewMakesTheNextForeheadCount(t *testing.T) {
	w := newWorld(t, fitted)
	w.look(36_500) // B came before A's badge
	w.scan(1)
	w.face(36_500)
	if !w.m.View().StepBack {
		t.Error("nobody is asked to step back")
	}
	w.empty()
	w.face(36_500)
	w.wantReleased(1)
}

func TestComingCloserIsOneBody(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.look(31_000)
	w.look(33_000)
	w.face(36_500)
	w.wantReleased(1)
}

func TestABadgeThatIsPassedOverWhileAnotherWaitsHasItsEntry(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(36_500)
	w.wantPhase(Releasing)
	for _, id := range []uint64{2, 3, 3} { // the pulse of the first is still on
		w.scan(id)
	}
	if r := w.last(); r.End != Incomplete || r.Subject.ID != 2 || r.Hold() != KeepHold {
		t.Fatalf("%+v", r)
	}
	n := len(w.records)
	w.pass(time.Second)
	w.wantPhase(Gathering)
	w.empty()
	w.face(36_500)
	w.wantReleased(3)
	if len(w.records) != n+1 {
		t.Errorf("%d records after the passing over, want 1", len(w.records)-n)
	}
}

func TestNewBadgeEndsTheOpenArrivalAtOnce(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.scan(2)
	if r := w.last(); r.End != Incomplete || r.Subject.ID != 1 || r.Hold() != KeepHold {
		t.Fatalf("%+v", r)
	}
	w.face(36_500)
	w.wantReleased(2)
}

func TestHighSampleIsNeverLost(t *testing.T) {
	for name, c := range map[string]struct {
		cfg   Config
		leave func(w *world)
	}{
		"the view empties":          {fitted, func(w *world) { w.empty() }},
		"the presence falls":        {watched, func(w *world) { w.present(false) }},
		"another badge comes":       {fitted, func(w *world) { w.scan(2) }},
		"the window ends":           {fitted, func(w *world) { w.pass(WindowEnds) }},
		"the next sample is a jump": {fitted, func(w *world) { w.look(36_000) }},
		"the thermometer vanishes":  {fitted, func(w *world) { w.do(DeviceLost{RoleThermometer}) }},
		"the presence input goes":   {watched, func(w *world) { w.do(DeviceLost{RolePresence}) }},
		"a glitch, then nobody":     {fitted, func(w *world) { w.do(Sample{Fault: true}); w.empty() }},
		"a hold is placed":          {fitted, func(w *world) { w.do(HoldPlaced{1}) }},
		"the forehead cools slowly": {fitted, func(w *world) {
			for _, o := range []screening.MilliC{36_900, 36_200, 35_500, 34_900, 34_800, 34_700} {
				w.look(o)
			}
		}},
		"the ambient turns out to be too cold": {fitted, func(w *world) {
			for _, o := range []screening.MilliC{37_500, 37_500} {
				w.pass(100 * time.Millisecond)
				w.do(Sample{Sample: screening.Sample{Object: o, Ambient: 1_000, At: w.now}})
			}
		}},
		"it turns out to be too hot": {fitted, func(w *world) { w.look(60_000) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.cfg)
			w.present(c.cfg.Presence)
			w.scan(1)
			w.look(37_600)
			c.leave(w)
			w.wantStopped(screening.HighOnce)
			if w.m.View().Allowed.Override {
				t.Error("it may be overridden")
			}
			w.wantNobodyReleased()
		})
	}
	t.Run("a badge with a carried reading comes after it", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.do(Scan{Opaque: true, Digest: []byte{9}})
		w.look(37_600)
		w.do(Sample{Fault: true})
		r := screening.Typed("ear", screening.Ear, 36_400, 35_000)
		s := badge(1)
		s.Carried = &r
		w.do(s)
		w.wantStopped(screening.HighOnce)
	})
	t.Run("a jump upwards is high too", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.scan(1)
		w.look(36_500)
		w.look(37_600)
		w.wantStopped(screening.HighOnce)
	})
}

func TestWhatIsNoLivingSkinIsNoFever(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.look(60_000) // a cup of tea
	w.empty()
	w.face(36_500)
	w.wantReleased(1)
}

func TestOrphanHighReadingIsAnEntryAndKeepsTheLane(t *testing.T) {
	w := newWorld(t, watched)
	w.present(true)
	w.face(37_400)
	w.wantStopped(screening.HighOnce)
	if r := w.last(); r.End != Orphan || r.Subject.ID != 0 || r.Reading == nil {
		t.Errorf("%+v", r)
	}
	w.scan(1)
	w.pass(time.Minute)
	w.wantPhase(Held)
	w.press(Answer{Act: Acknowledge})
	w.wantPhase(Idle)
	w.wantNobodyReleased()
}

func TestOrphanOnAnExitThatOnlyWarnsIsAStopToo(t *testing.T) {
	cfg := watched
	cfg.Direction = screening.Out
	w := newWorldUnder(t, cfg, policyOf(t, func(s *screening.Spec) {
		s.Requirements = append(s.Requirements, screening.Requirement{ID: "out", When: screening.When{Direction: screening.Out}, Ask: screening.Ask{Evidence: screening.Temperature}, Fail: screening.Refer, Warn: true})
	}))
	w.present(true)
	w.face(37_400)
	w.wantStopped(screening.HighOnce)
}

func TestOrphanNormalReadingIsNothing(t *testing.T) {
	w := newWorld(t, watched)
	w.present(true)
	w.face(36_500)
	w.face(36_500)
	w.present(false)
	w.wantPhase(Idle)
	if len(w.records) > 0 {
		t.Errorf("%+v", w.records)
	}
}

func TestHotBodyAtAnOpenBarrierShutsIt(t *testing.T) {
	for name, cfg := range map[string]Config{"by an empty view": fitted, "by a presence": watched} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cfg)
			w.present(cfg.Presence)
			w.scan(1)
			w.face(36_500)
			w.wantPhase(Releasing)
			if cfg.Presence {
				w.present(false)
				w.present(true)
			} else {
				w.empty()
			}
			if !has(w.look(37_400), isA[Shut]) {
				t.Error("the barrier stays open")
			}
		})
	}
}

func TestThermometerRunsOnlyWhenAskedFor(t *testing.T) {
	attendance := policyOf(t, func(s *screening.Spec) { s.Kind, s.Requirements = screening.Attendance, s.Requirements[:1] })
	for name, cfg := range map[string]Config{"without presence": fitted, "with presence": watched} {
		t.Run(name, func(t *testing.T) {
			w := newWorldUnder(t, cfg, attendance)
			w.present(cfg.Presence)
			measured := has(w.out, isA[Measure])
			w.face(37_400)
			w.scan(1)
			w.wantReleased(1)
			if measured || w.m.measure || w.last().Reading != nil {
				t.Error("a temperature is taken that no row asks for")
			}
		})
	}
}
