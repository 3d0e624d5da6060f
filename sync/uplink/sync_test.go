package uplink_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

func TestEveryEntryArrivesHoweverAMessageFails(t *testing.T) {
	lost := []time.Duration(nil)
	fates := map[string][]time.Duration{
		"lost":       lost,
		"doubled":    {latency, latency},
		"delayed":    {3 * time.Second},
		"overtaken":  {latency + time.Millisecond},
		"come again": {latency, 700 * time.Millisecond, 5 * time.Second},
	}
	kinds := map[string]wire.Kind{
		"hello":                             wire.KindHello,
		"batch, which is not stored":        wire.KindBatch,
		"have, stored but not acknowledged": wire.KindHave,
	}
	for what, kind := range kinds {
		for how, fate := range fates {
			for _, broken := range [][]int{{0}, {1, 2}, {3, 4, 5, 6}} {
				t.Run(fmt.Sprintf("%s/%s/%v", what, how, broken), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, 2600)
						w.net.fate = func(k wire.Kind, nth int) []time.Duration {
							if k == kind && slices.Contains(broken, nth) {
								return fate
							}
							return []time.Duration{latency}
						}
						w.start()
						defer w.stop()
						w.wantAll(20 * time.Second)
						for range 3 {
							w.append(1)
							w.wantAll(20 * time.Second)
						}
					})
				})
			}
		}
	}
}

func TestEveryEntryArrivesOverABadLine(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3100)
				r, line := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
				w.net.fate = func(wire.Kind, int) []time.Duration {
					arrivals := make([]time.Duration, line.IntN(3)) // a third is lost, a third doubled
					for i := range arrivals {
						arrivals[i] = time.Duration(line.Int64N(int64(2 * time.Second)))
					}
					return arrivals
				}
				w.start()
				defer w.stop()
				for range 20 {
					w.pass(time.Duration(r.Int64N(int64(5 * time.Second))))
					w.append(r.IntN(300))
					if r.IntN(4) == 0 {
						w.net.cut()
					}
				}
				w.wantAll(2 * time.Hour)
			})
		})
	}
}

func TestASlowLineIsNotFilledTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20_000)
		var free time.Time // the line carries one batch in 1.5 s
		w.net.fate = func(k wire.Kind, _ int) []time.Duration {
			if k == wire.KindHave {
				return []time.Duration{500 * time.Millisecond}
			}
			if now := time.Now(); free.Before(now) {
				free = now
			}
			if k == wire.KindBatch {
				free = free.Add(1500 * time.Millisecond)
			}
			return []time.Duration{time.Until(free)}
		}
		w.start()
		defer w.stop()
		w.wantAll(2 * time.Minute)
		if n := look(w.col, func(c *collector) int { return c.batch }); n != 40 {
			t.Errorf("20,000 entries came in %d batches, want 40", n)
		}
	})
}

func TestNoMoreThanTheWindowIsReadOrSentWhateverTheBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10_000)
		w.net.fate = func(k wire.Kind, nth int) []time.Duration {
			if k == wire.KindHave && nth > 0 {
				return nil
			}
			return []time.Duration{latency}
		}
		w.start()
		defer w.stop()
		for range 60 {
			w.append(100)
			w.pass(10 * time.Second)
		}
		if w.src.read != 2000 || w.size() != 2000 {
			t.Errorf("%d entries read, %d stored; want 2000", w.src.read, w.size())
		}
		if n := look(w.col, func(c *collector) int { return len(c.hellos) }); n < 10 || n > 25 {
			t.Errorf("%d hellos in 10 minutes of silence", n)
		}
		w.net.set(func(b *broker) { b.fate = nil })
		w.wantAll(2 * time.Minute)
		if w.src.read != 16_000 {
			t.Errorf("%d entries read for 16000", w.src.read)
		}
	})
}

func TestALoneEntryGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		for range 5 {
			w.pass(time.Minute)
			w.append(1)
			w.wantAll(3 * latency)
		}
	})
}

func TestFewEntriesWaitASecondAtMostWhileOthersAreOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.net.set(func(b *broker) {
			b.fate = func(k wire.Kind, _ int) []time.Duration {
				if k == wire.KindHave {
					return []time.Duration{time.Minute}
				}
				return []time.Duration{latency}
			}
		})
		w.append(1)
		w.pass(2 * latency)
		w.append(20)
		w.pass(900 * time.Millisecond)
		if w.size() != 11 {
			t.Fatalf("%d stored, want the lone one only", w.size()-10)
		}
		w.pass(150 * time.Millisecond)
		if w.size() != 31 {
			t.Errorf("%d stored a second later, want 21", w.size()-10)
		}
	})
}

func TestHugeEntriesGoInSmallBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		noise := rand.NewChaCha8([32]byte{1})
		for i := range uint32(100) {
			text := make([]byte, 60_000) // of the sort that does not pack
			if _, err := noise.Read(text); err != nil {
				t.Fatal(err)
			}
			w.src.add(t, entry.Policy{Number: i, Text: text})
		}
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		if n := look(w.col, func(c *collector) int { return c.batch }); n < 20 {
			t.Errorf("6 MB came in %d batches", n)
		}
	})
}

func TestWhatIsLostAfterALongSilenceIsRepairedAsQuicklyAsEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.col.set(func(c *collector) { c.mute = true })
		w.append(1)
		w.pass(time.Hour)
		w.col.set(func(c *collector) { c.mute = false })
		w.wantAll(2 * time.Minute)
		lost := true
		w.net.set(func(b *broker) {
			b.fate = func(k wire.Kind, _ int) []time.Duration {
				if k == wire.KindBatch && lost {
					lost = false
					return nil
				}
				return []time.Duration{latency}
			}
		})
		w.append(1)
		w.wantAll(1500 * time.Millisecond)
	})
}

func TestARestoredCollectorIsSentWhatItLost(t *testing.T) {
	for name, announced := range map[string]bool{"and says that it is back": true, "and says nothing": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3000)
				w.start()
				defer w.stop()
				w.wantAll(time.Minute)
				w.col.restore(w.src, 1200)
				if announced {
					w.announce(district)
					w.pass(time.Second + 10*latency) // until then the gate believes what it was told before
				} else {
					w.append(1) // does not continue what it has
				}
				w.wantAll(5 * time.Second)
			})
		})
	}
}

func (w *world) announce(name string) {
	w.t.Helper()
	b, err := wire.Announce{Collector: name}.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	w.net.tell(wire.KindAnnounce, b)
}

func TestACollectorThatComesBackIsGreetedWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		hellos := func() int { return look(w.col, func(c *collector) int { return len(c.hellos) }) }
		w.announce("another")
		w.pass(2 * time.Second)
		if hellos() != 1 {
			t.Error("greeted another collector")
		}
		for range 50 {
			w.announce(district)
		}
		w.pass(time.Second + 2*latency)
		if n := hellos(); n != 2 {
			t.Errorf("%d hellos in answer to 50 announcements at once, want 1", n-1)
		}
	})
}

func TestAnnouncementsWithoutEndBringOneHelloEachWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.o.Random = func() float64 { return 0.999 }
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		for range 200 {
			w.announce(district)
			w.pass(50 * time.Millisecond)
		}
		if n := look(w.col, func(c *collector) int { return len(c.hellos) }) - 1; n < 8 || n > 10 {
			t.Errorf("%d hellos in 10 s of announcements, want one in a second", n)
		}
	})
}

func TestALateHaveTakesNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4000)
		w.net.fate = func(k wire.Kind, nth int) []time.Duration {
			if k == wire.KindHave && nth%2 == 1 {
				return []time.Duration{latency + 200*time.Millisecond}
			}
			return []time.Duration{latency}
		}
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.pass(time.Second)
		if n := look(w.col, func(c *collector) int { return c.batch }); n != 8 {
			t.Errorf("4,000 entries came in %d batches, want 8", n)
		}
		w.wantAll(0)
	})
}

func TestACollectorThatStoresNothingIsAskedEverLessAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3000)
		w.col.takes = func(b wire.Batch) bool { return b.First != 1000 }
		w.start()
		defer w.stop()
		w.pass(time.Minute)
		w.wantState(uplink.Streaming, uplink.CauseStuck)
		before := look(w.col, func(c *collector) int { return c.batch })
		w.pass(20 * time.Minute)
		if n := look(w.col, func(c *collector) int { return c.batch }) - before; n > 4*30 {
			t.Errorf("%d batches in 20 minutes in which none was stored", n)
		}
		w.col.set(func(c *collector) { c.takes = nil })
		w.wantAll(2 * time.Minute)
	})
}

func TestANewEpochBeginsBesideTheOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 700)
		w.start()
		w.wantAll(time.Minute)
		w.stop()
		w.src = newJournal(t, 300)
		w.src.epoch = 2
		w.o.Source, w.o.Reason = w.src, "card replaced"
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
	})
}

func TestTheCursorIsAHintForTheScreenOnly(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		shown uint64
	}{
		"too small":          {"1 10\n", 10},
		"too great":          {"1 2000\n", 0},
		"true":               {"1 600\n", 600},
		"greater than true":  {"1 900\n", 900},
		"of another journal": {"7 10\n", 0},
		"torn":               {"1", 0},
		"none":               {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cursor")
			if c.text != "" {
				if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 600)
				w.start()
				w.wantAll(time.Minute)
				w.stop()

				w.src.grow(t, 400)
				w.o.CursorPath = path
				w.net.away = true
				w.start()
				w.pass(time.Second)
				if s := w.up.State(); s.Acked != c.shown || !s.Heard.IsZero() {
					t.Errorf("%d are shown as acknowledged, want %d", s.Acked, c.shown)
				}
				w.net.set(func(b *broker) { b.away = false })
				w.wantAll(2 * time.Minute)
				w.stop()
				if text, err := os.ReadFile(path); err != nil || string(text) != "1 1000\n" {
					t.Errorf("%q is left behind, %v", text, err)
				}
			})
		})
	}
}
