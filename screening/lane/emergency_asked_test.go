package lane

import (
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// TestEmergencyPassageIsWhereTheRulesMeasureAtThisLaneAndInItsDirection: what they
// ask at another place, or on the way out, opens no way in.
func TestEmergencyPassageIsWhereTheRulesMeasureAtThisLaneAndInItsDirection(t *testing.T) {
	measuring := func(where ...screening.When) func(*screening.Spec) {
		return func(s *screening.Spec) {
			s.Kind = screening.Attendance
			s.Requirements = []screening.Requirement{{ID: "identity", When: screening.When{Direction: screening.Both}, Ask: screening.Ask{Evidence: screening.Identity}}}
			for i, w := range where {
				s.Requirements = append(s.Requirements, screening.Requirement{
					ID: "temperature-" + string(rune('a'+i)), When: w, Ask: screening.Ask{Evidence: screening.Temperature}, Fail: screening.Recheck,
				})
			}
		}
	}
	door := fitted
	door.Place = screening.Dormitory
	for rule, tt := range map[string]struct {
		cfg    Config
		rules  func(*screening.Spec)
		passes bool
	}{
		"the gate, where they measure":                         {fitted, nil, true},
		"the gate, when they measure on the way out alone":     {fitted, measuring(screening.When{Direction: screening.Out}), false},
		"the gate, when they measure in both directions":       {fitted, measuring(screening.When{Direction: screening.Both}), true},
		"the gate, when they measure in the dormitory alone":   {fitted, measuring(screening.When{Place: screening.Dormitory}), false},
		"the gate, when they measure at this hour":             {fitted, measuring(screening.When{After: 6 * 60, Before: 8 * 60}), true},
		"the gate, when they measure at another hour":          {fitted, measuring(screening.When{After: 12 * 60, Before: 13 * 60}), false},
		"the gate, when nobody is measured":                    {fitted, measuring(), false},
		"the dormitory's door, when they measure at the gate":  {door, nil, false},
		"the dormitory's door, when they measure there":        {door, measuring(screening.When{Place: screening.Dormitory}), true},
		"the dormitory's door, when they measure who goes out": {door, measuring(screening.When{Place: screening.Dormitory, Direction: screening.Out}), false},
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorldUnder(t, tt.cfg, policyOf(t, tt.rules))
			w.do(Emergency{Until: w.now + 15*time.Minute, By: []uint64{leader}})
			if v := w.m.View(); !v.Emergency || v.Passing != tt.passes {
				t.Errorf("the lane shows emergency %v, passing %v", v.Emergency, v.Passing)
			}
			w.come(36_500)
			if tt.passes {
				w.wantReleased(0)
			} else {
				w.wantNobodyReleased()
			}
		})
	}
}
