package lane

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

func TestAfterAColdForeheadTheWristIsMeasured(t *testing.T) {
	for rule, cfg := range map[string]Config{"with a presence input": watched, "without": fitted} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, cfg)
			w.present(true)
			w.empty()
			w.scan(1)
			if w.m.View().Wrist {
				t.Error("the wrist is asked for first")
			}
			w.face(34_000)
			if v := w.m.View(); !v.Wrist || v.Try != 1 {
				t.Errorf("after a cold forehead %+v", v)
			}
			w.empty()
			w.face(36_600)
			w.wantReleased(1)
			if r := w.last().Reading; r.Site != screening.Wrist || r.Peak != 36_600 {
				t.Errorf("recorded %+v", r)
			}
		})
	}
}

func TestTheWristIsHighFromItsOwnThreshold(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(34_000)
	w.empty()
	w.face(36_700)
	w.wantStopped(screening.HighOnce)
	if r := w.last().Reading; r.Site != screening.Wrist {
		t.Errorf("recorded %+v", r)
	}
	w.press(typed(36_500))
	w.wantReleased(1)
	w.pass(time.Second)
	w.empty()
	w.scan(2)
	w.face(36_700)
	w.wantReleased(2) // a forehead
}

func TestAHighForeheadIsNotAskedForItsWrist(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(37_300)
	w.wantStopped(screening.HighOnce)
	if w.m.View().Wrist {
		t.Error("it is asked for")
	}
}

func TestAWristThatWasSeenHighForAMomentStops(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.face(34_000)
	w.empty()
	w.look(36_900)
	w.empty()
	w.wantStopped(screening.HighOnce)
}

func TestAWristThatIsColdIsAPersonsTurn(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	for range Tries {
		w.face(34_000)
		w.empty()
	}
	w.wantStopped(screening.TooCold)
	if r := w.last().Reading; r.Site != screening.Wrist || r.Quality != screening.Cold {
		t.Errorf("recorded %+v", r)
	}
}

func TestWhereThePolicyKnowsNoWristTheForeheadIsTriedAgain(t *testing.T) {
	w := newWorldUnder(t, fitted, policyOf(t, func(s *screening.Spec) { s.WristThreshold, s.WristLow = 0, 0 }))
	w.scan(1)
	w.face(34_000)
	if w.m.View().Wrist {
		t.Error("the wrist is asked for")
	}
	w.empty()
	w.face(36_700)
	w.wantReleased(1)
	if r := w.last().Reading; r.Site != screening.Forehead {
		t.Errorf("recorded %+v", r)
	}
}

// tryOnce lets somebody come whose first try ends as object says, and who is let
// in at the second.
func (w *world) tryOnce(id uint64, object screening.MilliC) {
	w.scan(id)
	w.face(object)
	if w.m.Phase() == Gathering {
		w.empty()
		w.face(36_000)
	}
	w.wantReleased(id)
	w.pass(time.Second)
	w.empty()
	w.pass(RepeatWithin)
}

func TestALaneOffersWristsAfterFiveColdForeheadsInTwenty(t *testing.T) {
	for rule, tt := range map[string]struct {
		cold []int // which of the arrivals
		want bool
	}{
		"five of twenty":               {[]int{0, 1, 2, 3, 19}, true},
		"four":                         {[]int{0, 5, 10, 19}, false},
		"the first is 21 arrivals ago": {[]int{0, 20, 19, 18, 17}, false},
		"the last five":                {[]int{16, 17, 18, 19, 20}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, fitted)
			for n := range 1 + slices.Max(tt.cold) {
				object := screening.MilliC(36_500)
				if slices.Contains(tt.cold, n) {
					object = 34_000
				}
				w.tryOnce(uint64(n+1), object)
			}
			if got := w.m.View().OffersWrist; got != tt.want {
				t.Errorf("offered %v", got)
			}
		})
	}
}

func TestALaneOffersWristsInColdAir(t *testing.T) {
	for air, want := range map[screening.MilliC]bool{10_000: false, 9_999: true, -5_000: true} {
		w := newWorld(t, fitted)
		w.pass(time.Second)
		w.do(Sample{Sample: screening.Sample{Object: 36_500, Ambient: air, At: w.now}})
		if got := w.m.View().OffersWrist; got != want {
			t.Errorf("at %v: %v", air, got)
		}
	}
	none := newWorldUnder(t, fitted, policyOf(t, func(s *screening.Spec) { s.WristThreshold, s.WristLow = 0, 0 }))
	none.pass(time.Second)
	none.do(Sample{Sample: screening.Sample{Object: 36_500, Ambient: 0, At: none.now}})
	if none.m.View().OffersWrist {
		t.Error("offered where the policy knows no wrist")
	}
}

func TestALaneBeginsWithWristsUntilItsTimeIsOver(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.do(WristFirst{For: time.Hour})
	if v := w.m.View(); v.Wrist || !v.WristFirst || v.OffersWrist {
		t.Errorf("whoever is served is asked for another place: %+v", v)
	}
	w.face(36_800)
	w.wantReleased(1) // a forehead
	w.pass(time.Second)
	w.empty()
	w.scan(2)
	if !w.m.View().Wrist {
		t.Error("the next is asked for the forehead")
	}
	w.face(36_800)
	w.wantStopped(screening.HighOnce)
	if r := w.last().Reading; r.Site != screening.Wrist {
		t.Errorf("recorded %+v", r)
	}
	w.press(typed(36_500))
	w.pass(time.Hour)
	w.empty()
	w.scan(3)
	if v := w.m.View(); v.Wrist || v.WristFirst {
		t.Errorf("it does not end: %+v", v)
	}
}
