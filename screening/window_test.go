package screening_test

import (
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// Rules 88 and 89: slots in the morning and after noon. Whoever misses one is
// late, not early for the other.
func TestBetweenTwoWindowsAPupilIsLateOrEarlyAsIsNearer(t *testing.T) {
	p := compiled(t, func(s *screening.Spec) {
		s.Requirements = append(s.Requirements, screening.Requirement{ID: "window", Ask: screening.Ask{Evidence: screening.Window}, Fail: screening.Refer})
		s.Windows = []screening.ArrivalWindow{{From: 6*60 + 50, To: 7 * 60}, {From: 13*60 + 10, To: 13*60 + 20}}
	})
	for at, want := range map[screening.Minutes]screening.Reason{
		6*60 + 49:  screening.TooEarly,
		6*60 + 50:  screening.NoReason,
		7*60 + 5:   screening.NoReason, // late
		10*60 + 5:  screening.NoReason, // late by as much as early
		10*60 + 6:  screening.TooEarly,
		13*60 + 9:  screening.TooEarly,
		13*60 + 10: screening.NoReason,
		13*60 + 20: screening.NoReason, // late
	} {
		a := whole(screening.Student)
		a.Now = time.Date(a.Now.Year(), a.Now.Month(), a.Now.Day(), 0, int(at), 0, 0, a.Now.Location())
		d := p.Decide(a)
		if got := d.Outcome == screening.Admit; got != (want == screening.NoReason) || !got && !d.Has(want) {
			t.Errorf("at minute %d: %+v, want %v", at, d, want)
		}
	}
}
