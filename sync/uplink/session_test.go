package uplink_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// gaps returns what lies between the moments.
func gaps(at []time.Time) (d []time.Duration) {
	for i := 1; i < len(at); i++ {
		d = append(d, at[i].Sub(at[i-1]))
	}
	return d
}

func TestReconnectingSlowsDownToFiveSecondsAndNeverStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.net.refuse = errors.New("no route to host")
		w.start()
		defer w.stop()
		w.pass(10 * time.Minute)
		w.wantState(uplink.Connecting, uplink.CauseUnreachable)
		d := gaps(w.net.tries)
		for i, limit := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
			if d[i] > limit {
				t.Errorf("pause %d is %v, longer than %v", i, d[i], limit)
			}
		}
		low, high := slices.Min(d), slices.Max(d)
		if low < 250*time.Millisecond || high > 5*time.Second || high < 3*time.Second {
			t.Errorf("pauses of %v to %v, want 0.25 s to 5 s", low, high)
		}
		slices.Sort(d)
		if len(slices.Compact(d)) < 50 {
			t.Error("pauses without jitter")
		}
	})
}

func TestOnlyASignedHaveMakesReconnectingQuickAgain(t *testing.T) {
	for name, answers := range map[string]bool{"it answers": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 10)
				w.col.mute = !answers
				w.o.Random = func() float64 { return 0.99 }
				w.start()
				defer w.stop()
				for range 8 {
					w.pass(6 * time.Second)
					w.net.cut()
				}
				w.pass(6 * time.Second)
				tries := len(w.net.tries)
				w.net.cut()
				w.pass(400 * time.Millisecond)
				if again := len(w.net.tries) > tries; again != answers {
					t.Errorf("connected again within 0.4 s: %v", again)
				}
			})
		})
	}
}

func TestAGateThatIsRefusedSaysSoAndTriesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.net.refuse = fmt.Errorf("connect: %w", uplink.ErrRefused)
		w.start()
		defer w.stop()
		w.pass(time.Minute)
		w.wantState(uplink.Refused, uplink.CauseRefused)
		w.net.set(func(b *broker) { b.refuse = nil })
		w.wantAll(6 * time.Second)
	})
}

func TestThirtySecondsWithoutAHaveAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*collector)
		cause uplink.Cause
	}{
		"nobody answers":            {func(c *collector) { c.mute = true }, uplink.CauseSilent},
		"somebody else answers":     {func(c *collector) { c.key = key(9) }, uplink.CauseKey},
		"it answers of another day": {func(c *collector) { c.epoch = 0; c.mute = true }, uplink.CauseSilent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 10)
				w.col.set(c.spoil)
				w.start()
				defer w.stop()
				w.pass(29 * time.Second)
				w.wantState(uplink.Connecting, uplink.CauseNone)
				w.pass(2 * time.Second)
				w.wantState(uplink.Silent, c.cause)
				if w.src.read > 0 {
					t.Error("entries were sent to a collector that has not said where to begin")
				}
				w.col.set(func(col *collector) { col.mute, col.key, col.epoch = false, key(2), 1 })
				w.wantAll(time.Minute)
			})
		})
	}
}

func TestACollectorThatFallsSilentIsShownAndGoneOnWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.col.set(func(c *collector) { c.mute = true })
		w.pass(time.Hour)
		w.wantState(uplink.Streaming, uplink.CauseNone) // nobody had anything to say
		w.append(1)
		w.pass(33 * time.Second)
		w.wantState(uplink.Silent, uplink.CauseSilent)
		w.col.set(func(c *collector) { c.mute = false })
		w.wantAll(2 * time.Minute)
	})
}

func TestAStuckSessionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.net.set(func(b *broker) { b.stuck = true })
		w.append(1)
		w.pass(59 * time.Second)
		w.net.set(func(b *broker) { b.stuck = false })
		w.wantAll(3 * time.Second)
		if len(w.net.tries) != 2 {
			t.Errorf("%d connections, want a second one", len(w.net.tries))
		}
	})
}

func TestTheCollectorSeesWhetherTheGateIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		w.wantAll(time.Minute)
		will, err := wire.ParseStatus(w.net.will.Payload)
		if err != nil || will.Online || w.net.will.Topic != "menshen/v1/gate-0001/up/status" {
			t.Errorf("will is %+v to %s, %v", will, w.net.will.Topic, err)
		}
		var last []byte
		w.net.fate = func(k wire.Kind, _ int) []time.Duration { // nothing can be late any more
			last = append(last, byte(k))
			return nil
		}
		w.stop()
		if !slices.Equal(last, []byte{byte(wire.KindStatus)}) {
			t.Errorf("on leaving, kinds %v were published", last)
		}
		if log := look(w.col, func(c *collector) []wire.Kind { return c.log }); !slices.Equal(log[:2], []wire.Kind{wire.KindStatus, wire.KindHello}) {
			t.Errorf("a session begins with %v", log[:2])
		}
		if s := w.up.State(); s.Phase != uplink.Off || s.Acked != 10 {
			t.Errorf("afterwards: %+v", s)
		}
	})
}

func TestAJournalThatCannotBeReadIsSaidAndTriedAgainSlowly(t *testing.T) {
	for name, spoil := range map[string]func(*journal, error){
		"its hashes":  func(j *journal, err error) { j.noHeads = err },
		"its entries": func(j *journal, err error) { j.noLeaves = err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1000)
				spoil(w.src, errors.New("input/output error"))
				w.start()
				defer w.stop()
				w.pass(10 * time.Minute)
				w.wantState(uplink.Connecting, uplink.CauseJournal)
				if n := len(w.net.tries); n < 100 || n > 400 {
					t.Errorf("tried %d times in 10 minutes", n)
				}
				w.src.mu.Lock()
				spoil(w.src, nil)
				w.src.mu.Unlock()
				w.wantAll(10 * time.Second)
			})
		})
	}
}

func TestABrokerMayBeAwayForThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.net.set(func(b *broker) { b.away = true })
		w.net.cut()
		w.pass(time.Minute)
		goroutines := runtime.NumGoroutine()
		for range 30 {
			w.append(300)
			if err := w.up.Alarm(w.src.Head().Size-1, w.src.leaves[len(w.src.leaves)-1]); err != nil {
				t.Fatal(err)
			}
			w.pass(24 * time.Hour)
		}
		w.wantState(uplink.Connecting, uplink.CauseUnreachable)
		if n := runtime.NumGoroutine(); n > goroutines+10 { // tens of thousands of sessions were tried
			t.Errorf("%d goroutines, %d thirty days ago", n, goroutines)
		}
		if w.src.read != 100 {
			t.Errorf("%d entries were read for nobody", w.src.read-100)
		}
		w.net.set(func(b *broker) { b.away = false })
		w.wantAll(time.Minute)
		if n := look(w.col, func(c *collector) int { return len(c.alarms) }); n != 30 {
			t.Errorf("%d alarms announced, want 30", n)
		}
	})
}

func TestTheScreenHearsOfEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		var seen []uplink.State
		w.o.Changed = func() { seen = append(seen, w.up.State()) }
		w.start()
		w.wantAll(time.Minute)
		w.stop()
		var phases []uplink.Phase
		for _, s := range seen {
			phases = append(phases, s.Phase)
		}
		want := []uplink.Phase{uplink.Connecting, uplink.Streaming, uplink.Streaming, uplink.Off}
		if !slices.Equal(phases, want) {
			t.Errorf("got %v, want %v", phases, want)
		}
	})
}
