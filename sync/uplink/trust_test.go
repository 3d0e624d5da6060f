package uplink_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// signHave signs what f makes of the have that the collector could send.
func (w *world) signHave(by byte, f func(*wire.Have)) []byte {
	w.t.Helper()
	h := wire.Have{Collector: district, Wall: time.Now().UnixMilli(),
		Checkpoint: wire.Checkpoint{Origin: gate, Epoch: w.src.epoch, Head: w.src.Head()}}
	f(&h)
	b, err := h.Sign(key(by))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func TestAHaveThatTheCollectorDidNotSignMovesNothing(t *testing.T) {
	for name, forge := range map[string]func(w *world) []byte{
		"another key":      func(w *world) []byte { return w.signHave(9, func(*wire.Have) {}) },
		"the gate's key":   func(w *world) []byte { return w.signHave(1, func(*wire.Have) {}) },
		"of another gate":  func(w *world) []byte { return w.signHave(2, func(h *wire.Have) { h.Origin = "gate-0002" }) },
		"of another name":  func(w *world) []byte { return w.signHave(2, func(h *wire.Have) { h.Collector = "school" }) },
		"of an old epoch":  func(w *world) []byte { return w.signHave(2, func(h *wire.Have) { h.Epoch = 1; h.Size = 1 << 40 }) },
		"changed":          func(w *world) []byte { b := w.signHave(2, func(*wire.Have) {}); b[40] ^= 1; return b },
		"another message":  func(*world) []byte { b, _ := wire.Status{}.Encode(); return b },
		"nothing":          func(*world) []byte { return nil },
		"a megabyte of it": func(*world) []byte { return make([]byte, 1<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1000)
				w.src.epoch, w.col.epoch = 2, 2
				w.col.takes = func(wire.Batch) bool { return false }
				w.start()
				defer w.stop()
				w.pass(time.Second / 2)
				before := w.up.State()
				w.net.tell(wire.KindHave, forge(w))
				w.pass(2 * latency)
				if s := w.up.State(); s != before || s.Acked != 0 {
					t.Errorf("got %+v, before it was %+v", s, before)
				}
				w.col.set(func(c *collector) { c.takes = nil })
				w.wantAll(10 * time.Second)
			})
		})
	}
}

func TestASignedContradictionStopsSyncAndIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		say   func(*wire.Have)
		cause uplink.Cause
		ours  uint64 // the size at which the gate's word is kept
	}{
		"the root differs at the gate's size":  {func(h *wire.Have) { h.Root[0] ^= 1 }, uplink.CauseRoot, 1000},
		"the root differs at a smaller size":   {func(h *wire.Have) { h.Size = 700 }, uplink.CauseRoot, 700},
		"the collector has more than the gate": {func(h *wire.Have) { h.Size++ }, uplink.CauseAhead, 1000},
		"the collector has a newer epoch":      {func(h *wire.Have) { h.Epoch++ }, uplink.CauseEpoch, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1000)
				var documents int
				w.o.Down = func(wire.Down) error { documents++; return nil }
				w.start()
				w.wantAll(time.Minute)
				have := w.signHave(2, c.say)
				w.net.tell(wire.KindHave, have)
				w.pass(2 * latency)
				w.wantState(uplink.Diverged, c.cause)
				w.wantProof(have, c.ours)

				w.col.set(func(c *collector) { c.log, c.doubts = nil, true })
				w.append(1500)
				w.net.cut()
				w.pass(time.Minute)
				w.net.tell(wire.KindHave, w.signHave(2, func(*wire.Have) {})) // no later word takes it back
				w.pass(time.Minute)
				w.wantState(uplink.Diverged, c.cause)
				for _, b := range look(w.col, func(c *collector) []wire.Batch { return c.proofs }) {
					if len(b.Leaves) != 1 {
						t.Errorf("a batch of %d entries was sent", len(b.Leaves))
					}
				}
				w.col.set(func(c *collector) { c.doubts = false })
				w.net.tell(wire.KindPolicy, w.signDown(2, wire.Down{Kind: wire.KindPolicy, Number: 1, Scope: gate}))
				w.pass(2 * latency)
				if documents != 1 {
					t.Error("a document was not taken")
				}
				w.stop()
				w.run()
				defer w.stop()
				w.wantAll(time.Minute)
			})
		})
	}
}

func TestAGateThatHasDivergedProvesItToTheCollector(t *testing.T) {
	const boot = 900
	for name, c := range map[string]struct {
		say func(*wire.Have)
		seq uint64 // the entry that is sent
	}{
		"the collector has more":                     {func(h *wire.Have) { h.Size += 5 }, boot},
		"the collector has another entry":            {func(h *wire.Have) { h.Root[0] ^= 1 }, boot},
		"the collector ends before the process did":  {func(h *wire.Have) { h.Size = 700 }, 700},
		"the collector ends where the process began": {func(h *wire.Have) { h.Size = boot }, boot},
		"the collector has a newer epoch":            {func(h *wire.Have) { h.Epoch++ }, boot},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1000)
				w.o.Boot = boot
				w.start()
				defer w.stop()
				w.wantAll(time.Minute)
				w.col.set(func(c *collector) { c.doubts, c.hellos = true, nil })
				sent := func() (seqs []uint64) {
					w.col.set(func(c *collector) {
						for _, b := range c.proofs {
							seqs = append(seqs, b.First)
							if tree := w.src.tree(b.First + 1); len(b.Leaves) != 1 || b.Checkpoint.Head != tree.Head() {
								t.Errorf("%d entries under %+v", len(b.Leaves), b.Checkpoint)
							}
						}
						c.proofs = nil
					})
					return seqs
				}
				want := func(when string, n int) {
					t.Helper()
					if got := sent(); !slices.Equal(got, slices.Repeat([]uint64{c.seq}, n)) {
						t.Errorf("%s: entries %d were sent, want %d times %d", when, got, n, c.seq)
					}
				}
				w.net.tell(wire.KindHave, w.signHave(2, c.say))
				w.pass(3 * latency)
				want("at once", 1)
				w.pass(150 * time.Second)
				want("in 150 s", 2)
				w.announce(district)
				w.pass(2 * time.Second)
				want("after an announce", 1)
				w.net.cut()
				w.pass(10 * time.Second)
				want("in a new session", 1)
				if n := look(w.col, func(c *collector) int { return len(c.hellos) }); n != 2 {
					t.Errorf("%d hellos, want 2", n)
				}
			})
		})
	}
}

// A have that was long on its way may be the first to be contradicted; only
// the highest epoch says where the next journal must begin.
func TestTheHighestEpochThatACollectorNamesIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1000)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		say := func(f func(*wire.Have)) []byte {
			have := w.signHave(2, f)
			w.net.tell(wire.KindHave, have)
			w.pass(2 * latency)
			return have
		}
		w.col.set(func(c *collector) { c.doubts = true })
		say(func(h *wire.Have) { h.Size++ })
		newest := say(func(h *wire.Have) { h.Epoch, h.Size = 4, 7 })
		w.wantState(uplink.Diverged, uplink.CauseEpoch)
		say(func(h *wire.Have) { h.Epoch, h.Size = 3, 9 })
		if kept := w.proofs["diverged-district-4-7"+uplink.EvidenceTheirs]; !bytes.Equal(kept, newest) || len(w.proofs) != 4 {
			t.Errorf("%d proofs are kept, of epoch 4 %x", len(w.proofs), kept)
		}
	})
}

// wantProof reads what was kept as a stranger would.
func (w *world) wantProof(have []byte, size uint64) {
	w.t.Helper()
	var theirs, ours []byte
	for name, data := range w.proofs {
		if strings.HasSuffix(name, "-theirs.cbor") {
			theirs = data
		} else {
			ours = data
		}
	}
	var c wire.SignedCheckpoint
	if err := cbor.Unmarshal(ours, &c); err != nil {
		w.t.Fatal(err)
	}
	tree := w.src.tree(size)
	if err := c.Verify(public(1)); err != nil || c.Head != tree.Head() {
		w.t.Errorf("the gate's word is %+v, %v", c, err)
	}
	if len(w.proofs) != 2 || !bytes.Equal(theirs, have) {
		w.t.Errorf("%d proofs, the collector's word is %x", len(w.proofs), theirs)
	}
}

func (w *world) signDown(by byte, d wire.Down) []byte {
	w.t.Helper()
	b, err := d.Sign(key(by))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func TestDocumentsAreTakenOnceAndInRisingOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		var got []wire.Down
		var fault error
		w.o.Down = func(d wire.Down) error { got = append(got, d); return fault }
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		policy := wire.Down{Kind: wire.KindPolicy, Number: 5, Scope: wire.ScopeAll, Body: []byte("a")}
		give := func(name string, by byte, d wire.Down, taken bool) {
			t.Helper()
			before := len(got)
			w.net.tell(d.Kind, w.signDown(by, d))
			w.pass(2 * latency)
			if (len(got) > before) != taken {
				t.Errorf("%s: taken is %v", name, !taken)
			}
		}
		give("new", 2, policy, true)
		give("retained, again", 2, policy, false)
		w.net.cut()
		w.pass(time.Second)
		give("retained, in the next session", 2, policy, false)
		policy.Number = 4
		give("older", 2, policy, false)
		policy.Number = 6
		give("another's signature", 9, policy, false)
		give("of another sort", 2, wire.Down{Kind: wire.KindRoster, Number: 1, Scope: gate}, true)
		give("for another gate", 2, wire.Down{Kind: wire.KindHold, Number: 1, Scope: "gate-0002"}, false)
		fault = errors.New("disk full")
		give("newer", 2, policy, true)
		give("again, because it was not taken", 2, policy, true)
	})
}

func TestAnAlarmGoesAheadOfABacklogAndIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100_000)
		w.net.fate = func(k wire.Kind, _ int) []time.Duration {
			if k == wire.KindBatch {
				return nil
			}
			return []time.Duration{latency}
		}
		w.start()
		defer w.stop()
		w.pass(5 * time.Second)
		w.append(1)
		raised := time.Now()
		if err := w.up.Alarm(100_000, w.src.leaves[100_000]); err != nil {
			t.Fatal(err)
		}
		w.pass(35 * time.Second)
		told := look(w.col, func(c *collector) []time.Time { return c.alarms[100_000] })
		if len(told) != 4 || told[0].Sub(raised) > 2*latency {
			t.Fatalf("announced at %v, raised at %v", told, raised)
		}
		for _, d := range gaps(told) {
			if d.Round(time.Second) != 10*time.Second {
				t.Errorf("repeated after %v", d)
			}
		}
		w.net.cut() // and who comes anew is told at once
		w.pass(time.Second)
		if n := look(w.col, func(c *collector) int { return len(c.alarms[100_000]) }); n != 5 {
			t.Error("not announced in a new session")
		}
		w.net.set(func(b *broker) { b.fate = nil })
		w.wantAll(2 * time.Minute)
		last := look(w.col, func(c *collector) int { return len(c.alarms[100_000]) })
		w.pass(time.Hour)
		if n := look(w.col, func(c *collector) int { return len(c.alarms[100_000]) }); n != last {
			t.Error("repeated after its entry had arrived")
		}
	})
}

// No have can ever end it, so that it costs less than other alarms; and it is
// heard in the very session in which it is raised.
func TestAGateThatHasDivergedStillAnnouncesAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1000)
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		w.col.set(func(c *collector) { c.doubts = true })
		w.net.tell(wire.KindHave, w.signHave(2, func(h *wire.Have) { h.Size += 500 }))
		w.pass(2 * latency)
		w.append(1)
		raised := time.Now()
		if err := w.up.Alarm(1000, w.src.leaves[1000]); err != nil {
			t.Fatal(err)
		}
		w.pass(150 * time.Second)
		told := look(w.col, func(c *collector) []time.Time { return c.alarms[1000] })
		if len(told) != 3 || told[0].Sub(raised) > 2*latency {
			t.Fatalf("announced at %v, raised at %v", told, raised)
		}
		for _, d := range gaps(told) {
			if d.Round(time.Second) != time.Minute {
				t.Errorf("repeated after %v", d)
			}
		}
		w.net.cut()
		w.pass(time.Second)
		if n := look(w.col, func(c *collector) int { return len(c.alarms[1000]) }); n != 4 {
			t.Error("not announced in a new session")
		}
	})
}

func TestAnAlarmOvertakesABacklogThatFlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20_000)
		w.start()
		defer w.stop()
		w.pass(5 * latency)
		if err := w.up.Alarm(19_999, w.src.leaves[19_999]); err != nil {
			t.Fatal(err)
		}
		w.wantAll(time.Minute)
		log := look(w.col, func(c *collector) []wire.Kind { return c.log })
		batches := 0
		for _, k := range log {
			if k == wire.KindAlarm {
				break
			}
			if k == wire.KindBatch {
				batches++
			}
		}
		if batches > 16 {
			t.Errorf("%d batches came before the alarm", batches)
		}
	})
}

func TestOnlySoManyAlarmsWaitAndTheNewestAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1000)
		w.net.away = true
		w.start()
		defer w.stop()
		for i, leaf := range w.src.leaves {
			if err := w.up.Alarm(uint64(i), leaf); err != nil {
				t.Fatal(err)
			}
		}
		w.net.set(func(b *broker) { b.away = false })
		w.wantAll(time.Minute)
		for i := range uint64(1000) {
			if n := look(w.col, func(c *collector) int { return len(c.alarms[i]) }); (n == 1) != (i >= 936) {
				t.Errorf("alarm %d was announced %d times", i, n)
			}
		}
		if err := w.up.Alarm(999, w.src.leaves[999]); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if n := look(w.col, func(c *collector) int { return len(c.alarms[999]) }); n != 1 {
			t.Error("announced although its entry is there")
		}
		if err := w.up.Alarm(0, make([]byte, entry.MaxSize+1)); err == nil {
			t.Error("announced what is no entry")
		}
	})
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	good := newWorld(t, 0).o
	for name, spoil := range map[string]func(*uplink.Options){
		"gate without a name":           func(o *uplink.Options) { o.Gate = "" },
		"collector with a space":        func(o *uplink.Options) { o.Collector.Name = "the district" },
		"gate without a key":            func(o *uplink.Options) { o.Key = nil },
		"collector with half of a key":  func(o *uplink.Options) { o.Collector.Key = o.Collector.Key[:16] },
		"collector with a private key":  func(o *uplink.Options) { o.Collector.Key = ed25519.PublicKey(key(2)) },
		"gate with the public key only": func(o *uplink.Options) { o.Key = ed25519.PrivateKey(public(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			spoil(&o)
			if _, err := uplink.New(o); err == nil {
				t.Error("taken")
			}
		})
	}
}
