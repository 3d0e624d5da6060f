package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

func TestSecondSignalRests(t *testing.T) {
	b, g := slow(t, 1)
	l := b.Lane(1)
	l.Come(1, e2e.Healthy)
	b.Relay.AwaitOn(t, e2e.Barrier(1), 1)
	// Two that wait to be delivered to a process that stands still: whatever the
	// machine does meanwhile, the second comes with the first.
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCONT} {
		g.Signal(s)
	}
	if code := g.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	b.Relay.Drain(t)
	var on time.Time
	for _, f := range b.Relay.Frames() {
		switch {
		case f.Channel == e2e.Barrier(1) && f.On:
			on = f.At
		case f.Channel == e2e.Barrier(1) && !on.IsZero():
			t.Logf("the barrier was free for %v of its pulse of 3 s", f.At.Sub(on))
		}
	}
	for channel := 1; channel <= 8; channel++ {
		if b.Relay.IsOn(channel) {
			t.Errorf("channel %d is still on", channel)
		}
	}
	b.MustVerify()
}

func TestAStopLetsTheOpenArrivalFinishAndRests(t *testing.T) {
	b, g := quick(t, 2)
	l := b.Lane(1)
	l.Come(1, e2e.Healthy)
	l.Thermometer.AwaitSeen(t, 1)
	g.StopCleanly()
	if n := l.Ons(); n != 1 {
		t.Errorf("the open arrival freed the barrier %d times", n)
	}
	for channel := 1; channel <= 8; channel++ {
		if b.Relay.IsOn(channel) {
			t.Errorf("channel %d is still on", channel)
		}
	}
	list := b.Entries()
	if last := list[len(list)-1]; last.Kind != entry.KindStop {
		t.Errorf("the last entry is of kind %v", last.Kind)
	}
	b.MustAudit()
	b.MustVerify()
}

func TestGatectlRestSwitchesTheBarriersOff(t *testing.T) {
	b, g := slow(t, 1)
	b.Relay.Hook(func(f e2e.Frame) {
		if f.On && f.Channel == e2e.Barrier(1) {
			g.Signal(syscall.SIGKILL)
		}
	})
	b.Lane(1).Come(1, e2e.Healthy)
	b.Relay.AwaitOn(t, e2e.Barrier(1), 1)
	g.Kill()
	b.Relay.Drain(t)
	if !b.Relay.IsOn(e2e.Barrier(1)) {
		t.Fatal("the barrier rests before anybody has said so")
	}
	b.Gatectl("", "rest")
	b.Relay.Drain(t)
	if b.Relay.IsOn(e2e.Barrier(1)) || b.Relay.IsOn(e2e.Barrier(2)) {
		t.Error("a barrier is free after gatectl rest")
	}
}
