package gate

import (
	"testing"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

func known(t *testing.T, key string) {
	t.Helper()
	if !web.Known(key) {
		t.Errorf("the pages have no words for %q", key)
	}
}

// TestThePagesKnowEveryWordThatTheGateSays goes through every state in which
// a lane can be shown.
func TestThePagesKnowEveryWordThatTheGateSays(t *testing.T) {
	for phase := lane.Attended; phase <= lane.Held; phase++ {
		known(t, "phase."+phase.String())
		for end := lane.End(0); end <= lane.Orphan; end++ {
			for outcome := range screening.Outcome(5) {
				for reason := screening.NoPolicy; reason.String() != "unknown"; reason++ {
					for bits := range 1 << 6 {
						v := lane.View{
							Phase: phase, End: end, Shown: bits&1 != 0, StepBack: bits&2 != 0, NeedsTemperature: bits&4 != 0,
							NeedsIdentity: bits&8 != 0, Try: bits >> 4 & 1, Decision: screening.Decision{}.Stop("row", reason, outcome),
						}
						if bits&32 != 0 {
							v.Faults = lane.JournalFails
						}
						if _, word := verdict(v); word != "" && !web.Known("word."+word) {
							t.Fatalf("the pages have no words for %q", word)
						}
					}
				}
			}
		}
	}
}

func TestThePagesKnowEveryReasonAndFault(t *testing.T) {
	for reason := screening.NoPolicy; reason.String() != "unknown"; reason++ {
		for _, key := range reasonKeys(screening.Decision{}.Stop("row", reason, screening.Refer)) {
			known(t, "reason."+key)
		}
	}
	every := lane.JournalFails | lane.BarrierOpen | lane.BarrierLost | lane.ScannerLost | lane.ThermometerLost | lane.PresenceLost | lane.FireReleased
	keys := faultKeys(every)
	if len(keys) != 7 {
		t.Errorf("seven faults are shown as %d: %v", len(keys), keys)
	}
	for _, key := range keys {
		known(t, "fault."+key)
	}
}

func TestThePagesKnowEveryProblem(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	g.o.Banner = "a banner"
	g.recorder.lost = 1
	problems := g.problems(guard.View{})
	if len(problems) < 5 {
		t.Errorf("only %d problems are told", len(problems))
	}
	for _, p := range problems {
		known(t, "problem."+p.Key)
	}
	known(t, "problem.insecure-web")
	for _, key := range []string{"not-arrived", "nobody-arrived", "room-silent", "room-go", "room-leader"} {
		known(t, "problem."+key)
	}
	for _, key := range []string{"fire", "fire-contact-lost", "opened-alone", "isolation-alarm-lost", "isolation-button-lost"} {
		known(t, "problem."+key)
	}
	for _, key := range []string{"button-lost", "open-lost", "counter-lost", "beacon-lost"} {
		known(t, "fault."+key)
	}
	known(t, "hold.case")
	known(t, "problem.sound-lost")
}
