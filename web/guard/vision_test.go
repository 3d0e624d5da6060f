package guard_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// TestNoEyeTakesAnyOtherVerdictForAPass looks at the verdicts as those do who
// tell no red from green, and as who sees no hue at all.
func TestNoEyeTakesAnyOtherVerdictForAPass(t *testing.T) {
	b := browser.StartFor(t)
	var signedOff, down atomic.Bool
	s := serve(t, web.Chinese, &signedOff, &down)
	for _, eye := range browser.Eyes() {
		t.Run(eye, func(t *testing.T) {
			if err := b.See(eye); err != nil {
				t.Fatal(err)
			}
			pass, others := verdicts(t, b, s)
			for _, fault := range browser.Alike(pass, others...) {
				t.Error(fault)
			}
		})
	}
}

// verdicts looks at every verdict that a lane can show.
func verdicts(t *testing.T, b *browser.Browser, s served) (pass browser.Face, others []browser.Face) {
	t.Helper()
	var seen []guard.Verdict
	for state, part := range map[string]string{
		"02-pass": "#lane-1", "03-badge": "#lane-1", "05-too-cold": "#lane-2", "07-high": "#lane-1",
		"10-unknown": "#lane-2", "13-cannot": "#lane-1", "01-idle": "#lane-1",
	} {
		lane := states()[state].view.Lanes[part[len(part)-1]-'1']
		seen = append(seen, lane.Verdict)
		s.gate.set(func(v *guard.View) { *v = states()[state].view })
		if err := b.Open(s.url); err != nil {
			t.Fatal(err)
		}
		if err := b.Show(browser.Screen{1280, 800}); err != nil {
			t.Fatal(err)
		}
		if err := b.Await(alive); err != nil {
			t.Fatal(err)
		}
		face, err := b.Face(lane.Verdict.String(), part, ".shape", ".word")
		if err != nil {
			t.Fatal(err)
		}
		if lane.Verdict == guard.Pass {
			pass = face
			continue
		}
		others = append(others, face)
	}
	for v := guard.None; v <= guard.Attended; v++ {
		if !slices.Contains(seen, v) {
			t.Errorf("%v is not looked at", v)
		}
	}
	return pass, others
}
