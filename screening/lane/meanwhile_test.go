package lane

import (
	"testing"

	"github.com/menshen/menshen/screening"
)

func TestWhoIsSeenElsewhereMeanwhileIsStoppedAndNobodyElse(t *testing.T) {
	once := func(s *screening.Spec) {
		s.Requirements = append(s.Requirements, screening.Requirement{ID: "once", Ask: screening.Ask{Evidence: screening.Once}, Fail: screening.Refer})
	}
	for rule, tt := range map[string]struct {
		before, after []Event // the measurement
		stopped       bool
	}{
		"while the measurement runs":    {before: []Event{badge(1), SeenMeanwhile{1, screening.AgainElsewhere}}, stopped: true},
		"inside already":                {before: []Event{badge(1), SeenMeanwhile{1, screening.AgainInside}}, stopped: true},
		"somebody else":                 {before: []Event{badge(1), SeenMeanwhile{2, screening.AgainElsewhere}}},
		"nobody":                        {before: []Event{badge(1), SeenMeanwhile{0, screening.AgainElsewhere}}},
		"before the badge was scanned":  {before: []Event{SeenMeanwhile{1, screening.AgainElsewhere}, badge(1)}},
		"a word that takes nothing in":  {before: []Event{badge(1), SeenMeanwhile{1, screening.AgainElsewhere}, SeenMeanwhile{1, screening.NotAgain}}, stopped: true},
		"after the decision it is late": {before: []Event{badge(1)}, after: []Event{SeenMeanwhile{1, screening.AgainElsewhere}}},
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorldUnder(t, fitted, policyOf(t, once))
			for _, ev := range tt.before {
				w.do(ev)
			}
			w.face(36_500)
			for _, ev := range tt.after {
				w.do(ev)
			}
			if tt.stopped {
				w.wantPhase(Held)
				w.wantNobodyReleased()
				return
			}
			w.wantReleased(1)
		})
	}
}
