package gate

import (
	"testing"

	"github.com/menshen/menshen/web/guard"
)

func TestALaneWithoutItsScannerNamesOneThatTakesPeople(t *testing.T) {
	out := []string{"thermometer-lost", "scanner-lost"}
	in := func(n int, faults ...string) guard.Lane {
		return guard.Lane{Number: n, Direction: "in", Faults: faults}
	}
	tests := map[string]struct {
		lanes []guard.Lane
		want  int // of the last lane
	}{
		"the other lane works":            {[]guard.Lane{in(1), in(2, out...)}, 1},
		"the first of several":            {[]guard.Lane{in(4), in(3), in(2, out...)}, 4},
		"only exits work":                 {[]guard.Lane{{Number: 1, Direction: "out"}, in(2, out...)}, 0},
		"the other has none either":       {[]guard.Lane{in(1, out...), in(2, out...)}, 0},
		"the other is out of order":       {[]guard.Lane{{Number: 1, Direction: "in", Verdict: guard.Attended}, in(2, out...)}, 0},
		"there is no other":               {[]guard.Lane{in(2, out...)}, 0},
		"a lane that works names no lane": {[]guard.Lane{in(1), in(2, "presence-lost")}, 0},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			useInstead(tt.lanes)
			if got := tt.lanes[len(tt.lanes)-1].UseLane; got != tt.want {
				t.Errorf("got lane %d, want %d", got, tt.want)
			}
		})
	}
}
