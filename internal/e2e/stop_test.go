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
	// A signal that comes while one waits to be delivered is lost: repeat it
	// until the process has gone.
	ended := e2e.Poll(e2e.Soon, func() bool {
		g.Signal(syscall.SIGTERM)
		return !g.Alive()
	})
	if !ended {
		t.Fatal("gated goes on after the second signal")
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
			if open := f.At.Sub(on); open > time.Second {
				t.Errorf("the barrier was free for %v of its pulse of 3 s", open)
			}
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
