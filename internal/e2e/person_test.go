package e2e_test

import (
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// quick is a gate at which an arrival takes a fifth of a second.
func quick(t *testing.T, pupils int) (*e2e.Bench, *e2e.Gate) {
	t.Helper()
	return open(t, pupils, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
}

// slow is a gate whose barriers stay free for as long as any may.
func slow(t *testing.T, pupils int) (*e2e.Bench, *e2e.Gate) {
	t.Helper()
	return open(t, pupils, e2e.Setup{Pulse: 3 * time.Second, Period: 50 * time.Millisecond})
}

func open(t *testing.T, pupils int, s e2e.Setup) (*e2e.Bench, *e2e.Gate) {
	t.Helper()
	b := e2e.NewBench(t, s)
	g := b.Run()
	b.Enrol(pupils)
	return b, g
}

// noOns ends the gate and fails the test if a barrier was freed more often than
// before.
func noOns(t *testing.T, b *e2e.Bench, g *e2e.Gate, lanes ...int) {
	t.Helper()
	g.StopCleanly()
	for n := 1; n <= e2e.Lanes; n++ {
		if got := b.Lane(n).Ons(); got != lanes[n-1] {
			t.Errorf("barrier %d was freed %d times, want %d", n, got, lanes[n-1])
		}
	}
	b.MustAudit()
	b.MustVerify()
}

func TestWhoLeavesAfterScanningIsNotAdmittedByTheNextForehead(t *testing.T) {
	b, g := quick(t, 2)
	l := b.Lane(1)
	l.Enter(1, e2e.Empty) // and walks on
	l.Admit(2)
	noOns(t, b, g, 1, 0)
	for _, e := range b.Entries() {
		if e.Arrival == nil {
			continue
		}
		switch a := e.Arrival; e2e.Pupil(a.Subject) {
		case 1:
			if a.End != entry.EndIncomplete || a.Outcome == e2e.Admit || a.Reading != nil {
				t.Errorf("who left has the entry %+v", a)
			}
		case 2:
			if a.End != entry.EndDecided || a.Outcome != e2e.Admit {
				t.Errorf("who was measured has the entry %+v", a)
			}
		}
	}
}

func TestWhoIsOnHoldIsStoppedAtTheOtherLane(t *testing.T) {
	b, g := quick(t, 1)
	p := g.SignOn()
	b.Lane(1).HoldAt(p, 1, e2e.Fever, e2e.Recheck)
	b.Lane(2).Come(1, e2e.Healthy)
	b.Relay.AwaitState(t, e2e.Red(2), true)
	b.AwaitEntry("stopped by the hold", 1, e2e.Of(e2e.Subject(1), e2e.Refer))
	noOns(t, b, g, 0, 0)
}

func TestAnAnswerAtTheDeskFreesNobodyWhoStandsInTheLane(t *testing.T) {
	b, g := quick(t, 2)
	p := g.SignOn()
	l := b.Lane(1)
	l.HoldAt(p, 1, e2e.Fever, e2e.Recheck)
	l.Scanner.Scan(t, e2e.Badge(2))
	p.AwaitVerdict(1, "wait")
	aside := p.Look().Asides[0]
	p.MustAct(aside.Target, "type", "value", "366", "instrument", "ear")
	b.AwaitEntry("the aside is admitted at the desk", 1, func(e e2e.Entry) bool {
		return e.Answer != nil && e.Answer.Subject == e2e.Subject(1) && e.Answer.Outcome == e2e.Admit && e.Answer.Ticket != 0
	})
	if n := l.Ons(); n != 0 {
		t.Fatalf("the barrier was freed %d times with another pupil in the lane", n)
	}
	// Whoever stands there goes in by what was measured of him, and the other
	// with the badge, at any lane, without a new measurement.
	l.Admit(2)
	b.Scanners[2].Scan(t, e2e.Badge(1))
	b.Relay.AwaitOn(t, e2e.Barrier(2), 1)
	noOns(t, b, g, 1, 1)
	for n, lane := range map[int]int{2: 1, 1: 2} {
		found := b.Find(e2e.Of(e2e.Subject(n), e2e.Admit))
		if len(found) != 1 || found[0].Lane != lane {
			t.Errorf("pupil %d has the admissions %+v, want one at lane %d", n, found, lane)
		}
	}
}

func TestAHeldBadgeShutsTheBarrierThatIsStillOpenBeforeAnythingElse(t *testing.T) {
	const held, tries = 1, 3
	b, g := slow(t, held+tries)
	p := g.SignOn()
	b.Lane(2).HoldAt(p, held, e2e.Fever, e2e.Recheck)
	for n := 1; ; n++ {
		if n > tries {
			t.Fatal("the barrier was shut by the end of its pulse and not by the badge")
		}
		// On a machine that stands still meanwhile the pulse ends first.
		if shutByBadge(t, b, held+n, held) < 3*time.Second {
			noOns(t, b, g, n, 0)
			return
		}
		if err := p.SetAside(1); err != nil {
			t.Fatal(err)
		}
	}
}

// shutByBadge lets a pupil in at lane 1 and shows the badge of one on hold at
// the open barrier, which must be the first thing to move. It returns how long
// the barrier was open.
func shutByBadge(t *testing.T, b *e2e.Bench, pupil, held int) time.Duration {
	t.Helper()
	l := b.Lane(1)
	l.Thermometer.Show(e2e.Empty)
	l.Come(pupil, e2e.Healthy)
	b.Relay.AwaitState(t, e2e.Green(1), true) // follows the barrier's ON
	seen := len(b.Relay.Frames())
	l.Scanner.Scan(t, e2e.Badge(held))
	b.Relay.AwaitState(t, e2e.Red(1), true)
	frames := b.Relay.Frames()
	if len(frames) <= seen {
		t.Fatalf("after the badge there is no frame: %v", frames)
	}
	off := frames[seen]
	if off.Channel != e2e.Barrier(1) || off.On {
		t.Errorf("after the badge the first frame is %+v", off)
	}
	var on time.Time
	for _, f := range frames[:seen] {
		if f.Channel == e2e.Barrier(1) && f.On {
			on = f.At
		}
	}
	return off.At.Sub(on)
}

func TestOneBodyServesOneBadge(t *testing.T) {
	b, g := quick(t, 2)
	l := b.Lane(1)
	l.Come(1, e2e.Healthy)
	b.Relay.AwaitOn(t, e2e.Barrier(1), 1)
	b.Relay.AwaitState(t, e2e.Barrier(1), false)
	// Pupil 1 stands there still while pupil 2 reaches over with the badge.
	l.Scanner.Scan(t, e2e.Badge(2))
	l.Thermometer.Show(e2e.Healthy)
	l.Thermometer.AwaitSeen(t, 10)
	if n := l.Ons(); n != 1 {
		t.Errorf("one body opened the barrier %d times", n)
	}
	l.Thermometer.Clear()
	l.Thermometer.Show(e2e.Healthy) // now pupil 2
	b.Relay.AwaitOn(t, e2e.Barrier(1), 2)
	noOns(t, b, g, 2, 0)
}
