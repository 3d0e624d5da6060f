package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening/lane"
)

func everOn(r *sim.RelayBoard) bool {
	for _, e := range r.Frames() {
		if e.On {
			return true
		}
	}
	return false
}

func TestAReleaseWithoutAReceiptMovesNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, relay := build(t, dir, stillClock)
		stop := run(t, g)
		var got error
		g.lanes[0].barrier.release(journal.Receipt{}, func(err error) { got = err })
		<-time.After(time.Second)
		if !errors.Is(got, errNoReceipt) || everOn(relay) {
			t.Errorf("got %v, frames %v", got, relay.Frames())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestRestMayBeAskedForTwiceAndForbidsEveryOn(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, relay := build(t, dir, stillClock)
		stop := run(t, g)
		g.owners["board"].Pulse(1, 3*time.Second, func(error) {})
		<-time.After(100 * time.Millisecond)
		if !relay.On(1) {
			t.Fatal("the pulse did not begin")
		}
		for range 2 {
			if err := g.Rest(); err != nil {
				t.Error(err)
			}
			if relay.On(1) {
				t.Error("the barrier does not rest")
			}
		}
		g.owners["board"].Pulse(1, time.Second, func(error) {})
		g.owners["board"].Signal(3, true)
		<-time.After(100 * time.Millisecond)
		if relay.On(1) || relay.On(3) {
			t.Error("something went on after rest")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAliveFailsWhenALaneHangs: a watchdog that is fed by a gate whose lane
// does not turn would guard nothing.
func TestAliveFailsWhenALaneHangs(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	stop := run(t, g)
	hung := g.lanes[1]
	hung.mu.Lock()
	hung.send(lane.Answer{Token: 1}) // its reply needs the lock
	// Lane 1 answers sooner or later; lane 2 never does.
	for wait := 300 * time.Millisecond; ; wait *= 4 {
		limit, cancel := context.WithTimeout(t.Context(), wait)
		err := g.Alive(limit)
		cancel()
		if err != nil && strings.Contains(err.Error(), "lane 2") {
			break
		}
		if err == nil || wait > 10*time.Second {
			t.Errorf("got %v", err)
			break
		}
	}
	hung.mu.Unlock()
	if err := g.Alive(t.Context()); err != nil {
		t.Errorf("a lane that turns again: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestAPanicRestsTheBarriersFirst starts this test again as a process that
// panics with a barrier open, and reads from a file what its relays did.
func TestAPanicRestsTheBarriersFirst(t *testing.T) {
	if where := os.Getenv("MENSHEN_TEST_PANIC"); where != "" {
		panicIn(t, where, os.Getenv("MENSHEN_TEST_DIR"))
		return
	}
	for _, where := range []string{"lane", "thermometer", "relay", "journal"} {
		t.Run(where, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAPanicRestsTheBarriersFirst$")
			cmd.Env = append(os.Environ(), "MENSHEN_TEST_PANIC="+where, "MENSHEN_TEST_DIR="+dir)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "planted") {
				t.Fatalf("the process ended with %v:\n%s", err, out)
			}
			text, err := os.ReadFile(filepath.Join(dir, "events"))
			if err != nil {
				t.Fatal(err)
			}
			var panicked, off time.Duration
			last := ""
			for line := range strings.Lines(string(text)) {
				what, at, _ := strings.Cut(strings.TrimSpace(line), " ")
				ns, err := strconv.ParseInt(at, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				switch last = what; what {
				case "panic":
					panicked = time.Duration(ns)
				case "off":
					off = time.Duration(ns)
				}
			}
			t.Logf("OFF %v after the panic", off-panicked)
			if last != "off" || panicked == 0 || off < panicked {
				t.Errorf("panic at %v, OFF at %v, %q last:\n%s", panicked, off, last, text)
			}
		})
	}
}

// panicIn runs a gate, opens a barrier for 3 s and panics in one of its
// goroutines.
func panicIn(t *testing.T, where, dir string) {
	events, err := os.Create(filepath.Join(dir, "events"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	say := func(what string) { fmt.Fprintln(events, what, time.Since(began).Nanoseconds()) }
	var armed atomic.Bool
	plant := func(here string) {
		if here == where && armed.CompareAndSwap(true, false) {
			say("panic")
			panic("planted")
		}
	}
	g, relay := build(t, dir, func() entry.Stamp {
		plant("lane")
		return stillClock()
	})
	relay.Subscribe(func(e sim.Edge) {
		if e.Channel == 1 {
			say(map[bool]string{true: "on", false: "off"}[e.On])
		}
		if e.Channel == 2 {
			plant("relay")
		}
	})
	thermometer := g.o.Opener.(*sim.World).AddSerialThermometer("spare")
	thermometer.Look(func() (float64, float64) { plant("thermometer"); return 20, 20 })
	t1 := *g.lanes[0].cfg.Thermometer
	t1.Port = "spare"
	g.lanes[0].cfg.Thermometer = &t1
	run(t, g)
	on := make(chan struct{})
	relay.Subscribe(func(e sim.Edge) {
		if e.Channel == 1 && e.On {
			close(on)
		}
	})
	g.owners["board"].Pulse(1, 3*time.Second, func(error) {})
	<-on
	armed.Store(true)
	switch where {
	case "lane":
		g.lanes[0].send(scanned{[]byte("0000000000000001")})
	case "thermometer":
		g.lanes[0].gauge.set(true)
	case "relay":
		g.owners["board"].Signal(2, true)
	case "journal":
		g.recorder.submit(numbered(1), false, func(journal.Receipt, error) { plant(where) })
	}
	<-time.After(20 * time.Second)
	t.Error("nothing panicked")
}
