package collect_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/wire"
)

func TestAJournalThatPartedIsKeptApart(t *testing.T) {
	for name, tt := range map[string]struct {
		// other is what a card shows that was restored at 8 of 10 entries.
		message func(other *source) collect.Message
		claimed uint64
	}{
		"continues with other entries":     {func(s *source) collect.Message { return s.grow(4, 9).batch(10, 2) }, 12},
		"overlaps with other entries":      {func(s *source) collect.Message { return s.grow(4, 9).batch(6, 6) }, 12},
		"ends where the stored one ends":   {func(s *source) collect.Message { return s.grow(2, 9).batch(8, 2) }, 10},
		"greets where the stored one ends": {func(s *source) collect.Message { return s.grow(2, 9).hello("") }, 10},
		"shows another entry before that":  {func(s *source) collect.Message { return s.grow(1, 9).batch(8, 1) }, 9},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "east")
			east := w.gate("east")
			w.send(east.hello(""))
			w.send(east.batch(0, 10))
			w.events()
			w.want(tt.message(east.restored(8)), 10, "diverged")
			if len(w.store.diverged) != 1 {
				t.Fatalf("%d divergences are kept", len(w.store.diverged))
			}
			d := w.store.diverged[0]
			if d.Gate != "east" || d.Epoch != 1 || d.Held.Size != 10 || d.Claimed.Size != tt.claimed || d.Noticed.IsZero() {
				t.Errorf("kept: %+v", d)
			}
			for _, s := range []collect.Signed{d.Held, d.Claimed} {
				c := wire.Checkpoint{Origin: "east", Epoch: 1, Head: entry.Head{Size: s.Size, Root: s.Root}}
				if err := (wire.SignedCheckpoint{Checkpoint: c, Signature: [64]byte(s.Signature)}).Verify(public("east")); err != nil {
					t.Errorf("size %d: %v", s.Size, err)
				}
			}
			w.want(east.batch(10, 10), 20, "committed") // the true card is back
		})
	}
}

// A shorter journal is no proof, for a hello may be late; the gate, which is
// told a size beyond its own, knows, and shows an entry of its own.
func TestAGateWithAnOldCopyIsToldWhatItSignedBefore(t *testing.T) {
	w := newWorld(t, "east")
	east := w.gate("east")
	w.send(east.hello(""))
	w.send(east.batch(0, 10))
	w.events()
	if got := w.send(east.restored(6).hello("")); got != 10 {
		t.Errorf("the answer is %d, want 10", got)
	}
	if e := w.seen[0]; e.Kind != collect.EventHello || e.Reason == "" || e.Hello.Checkpoint.Size != 6 {
		t.Errorf("got %+v, want a hello that says what is wrong", e)
	}
	if len(w.store.diverged) != 0 {
		t.Error("it is kept as diverged")
	}
	w.events()
	w.want(east.restored(6).batch(2, 4), 10)
	w.want(east.hello(""), 10, "hello")
}

func TestAnEpochBeginsWithAHelloThatSaysWhy(t *testing.T) {
	w := newWorld(t, "east")
	first := w.gate("east")
	second := first.restored(6).rebased(3).grow(4, 9)
	w.truth["east"] = append(w.truth["east"], second)
	w.send(first.hello(""))
	w.send(first.batch(0, 10))
	w.events()
	w.want(second.batch(0, 5), 10)
	w.want(second.hello(""), -1, "refused")
	w.want(second.hello("card replaced"), 0, "hello")
	w.want(second.hello("card replaced"), 0, "hello")
	w.want(second.batch(0, 10), 10, "committed")
	j := w.store.gates["east"].journals
	if len(j) != 2 || len(j[0].leaves) != 10 || j[1].epoch != 3 || j[1].reason != "card replaced" || len(j[1].leaves) != 10 {
		t.Errorf("%d journals are stored", len(j))
	}
	w.want(first.hello(""), 10, "refused") // the old card is back
	w.want(first.batch(10, 5), 10)
	if len(w.store.diverged) != 0 {
		t.Errorf("kept: %+v", w.store.diverged)
	}
}

// Whatever card is in a gate, somebody stands in its isolation room. What a
// newer journal brings to an end is forgotten.
func TestAnAlarmThatNoRecordCanJoinIsShownUntilANewerJournalBegins(t *testing.T) {
	w := newWorld(t, "east")
	east := w.gate("east")
	w.truth["east"] = append(w.truth["east"], east.rebased(2), east.rebased(3))
	w.send(east.hello(""))
	w.send(east.batch(0, 10))
	w.events()
	parted := east.restored(8).grow(4, 9)
	kept := func(n int) {
		t.Helper()
		if len(w.store.alarms) != n {
			t.Errorf("%d alarms are kept, want %d", len(w.store.alarms), n)
		}
	}
	w.want(parted.alarm(7), 10) // of what both have
	w.want(parted.alarm(8), -1, "alarm")
	w.want(parted.alarm(8), -1, "alarm")
	w.want(parted.alarm(11), -1, "alarm")
	kept(2)
	w.want(east.rebased(2).hello("card restored"), 0, "hello")
	kept(0)
	w.want(parted.alarm(8), 0, "alarm") // the old card is back
	w.want(east.alarm(8), 0)            // came long ago
	w.want(east.alarm(12), 0, "alarm")
	kept(2)
	w.want(east.rebased(3).hello("card restored"), 0, "hello")
	kept(0)
}

func TestTwoHellosAtOnceBeginOneEpoch(t *testing.T) {
	w := newWorld(t, "east")
	hello := w.gate("east").hello("")
	done := make(chan []collect.Out)
	for range 4 {
		go func() { done <- w.c.Handle(t.Context(), hello) }()
	}
	for range 4 {
		if got := haveSize(t, <-done); got != 0 {
			t.Errorf("the answer is %d, want 0", got)
		}
	}
	if n := len(w.store.gates["east"].journals); n != 1 {
		t.Errorf("%d journals began", n)
	}
}

// array is a canonical CBOR array.
func array(t testing.TB, elements ...any) []byte {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := mode.Marshal(elements)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// packed is a batch of three entries that the gate itself signed around any
// content.
func (s *source) packed(content []byte) collect.Message {
	root, sum := bytes.Repeat([]byte{7}, 32), sha256.Sum256(content)
	sign := func(statement ...any) []byte { return ed25519.Sign(key(s.name), array(s.t, statement...)) }
	checkpoint := []any{s.name, 1, 3, root, sign("menshen checkpoint v1", s.name, 1, 3, root)}
	b := array(s.t, 1, 3, checkpoint, 0, 3, content, sign("menshen batch v1", s.name, 1, 3, root, 0, 3, sum[:]))
	return s.message(wire.KindBatch, b, nil)
}

func TestAMessageIsRefused(t *testing.T) {
	flipped := func(m collect.Message) collect.Message {
		m.Payload = bytes.Clone(m.Payload)
		m.Payload[len(m.Payload)-1] ^= 1
		return m
	}
	under := func(topic string, m collect.Message) collect.Message { m.Topic = topic; return m }
	foreign := func(s *source) *source { return &source{t: s.t, name: "west", epoch: 1, leaves: s.leaves} }
	up := func(kind wire.Kind) string { return wire.Topic("east", kind) }
	for name, message := range map[string]func(east *source) collect.Message{
		"of a gate that is not admitted":   func(s *source) collect.Message { return foreign(s).hello("") },
		"of a gate that is shut out":       func(s *source) collect.Message { return under(wire.Topic("out", wire.KindHello), s.hello("")) },
		"of another gate":                  func(s *source) collect.Message { return under(up(wire.KindHello), foreign(s).hello("")) },
		"under a topic that is none":       func(s *source) collect.Message { return under("menshen/v1/east/up/#", s.hello("")) },
		"under another topic":              func(s *source) collect.Message { return under(up(wire.KindBatch), s.hello("")) },
		"a hello with another bit":         func(s *source) collect.Message { return flipped(s.hello("")) },
		"a batch with another bit":         func(s *source) collect.Message { return flipped(s.batch(0, 3)) },
		"an alarm with another bit":        func(s *source) collect.Message { return flipped(s.alarm(3)) },
		"a batch ahead of every hello":     func(s *source) collect.Message { return s.batch(0, 3) },
		"a batch that does not unpack":     func(s *source) collect.Message { return s.packed([]byte("x")) },
		"a batch that unpacks without end": func(s *source) collect.Message { return s.packed(zstd.EncodeTo(nil, make([]byte, 64<<20))) },
		"an empty hello":                   func(s *source) collect.Message { return collect.Message{Topic: up(wire.KindHello)} },
		"an empty batch":                   func(s *source) collect.Message { return collect.Message{Topic: up(wire.KindBatch)} },
		"an empty alarm":                   func(s *source) collect.Message { return collect.Message{Topic: up(wire.KindAlarm)} },
		"an empty status":                  func(s *source) collect.Message { return collect.Message{Topic: up(wire.KindStatus)} },
		"longer than any": func(s *source) collect.Message {
			return collect.Message{Topic: up(wire.KindBatch), Payload: make([]byte, wire.MaxPayload+1)}
		},
		"a gate with encodings not read": unreadable,
		"an alarm of no entry":           noEntry,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "east", "out")
			w.store.gates["out"].revoked = true
			w.want(message(w.gate("east")), -1, "refused")
			if len(w.store.refused) != 1 || w.store.refused[0].reason == "" || strings.Contains(w.store.refused[0].reason, "\n") {
				t.Errorf("kept: %q", w.store.refused)
			}
			if len(w.store.gates["east"].journals)+len(w.store.alarms) != 0 {
				t.Error("something was stored of it")
			}
		})
	}
}

func unreadable(s *source) collect.Message {
	b, err := wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: s.at(3)}, Encodings: []byte{200}}.Sign(key(s.name))
	return s.message(wire.KindHello, b, err)
}

func noEntry(s *source) collect.Message {
	b, err := wire.Alarm{Origin: s.name, Epoch: 1, Leaf: []byte("fever")}.Sign(key(s.name))
	return s.message(wire.KindAlarm, b, err)
}

func TestAGateIsShutOutFromTheNextMessageOn(t *testing.T) {
	w := newWorld(t, "east")
	w.send(w.gate("east").hello(""))
	w.send(w.gate("east").batch(0, 5))
	w.store.gates["east"].revoked = true
	w.events()
	for _, m := range []collect.Message{w.gate("east").hello(""), w.gate("east").batch(0, 5), w.gate("east").alarm(9), w.gate("east").status(true)} {
		w.want(m, -1, "refused")
	}
	w.store.gates["east"].revoked = false
	w.store.rival = func() { w.store.gates["east"].revoked = true } // while its batch is being judged
	w.want(w.gate("east").batch(5, 5), -1, "refused")
}

func TestOfAFloodOfRefusalsTenASecondAreWrittenDown(t *testing.T) {
	w := newWorld(t)
	now := time.UnixMilli(1663200000000)
	c := collect.New(collect.Options{Name: district, Key: key(district), Store: w.store, Now: func() time.Time { return now },
		Observe: func(e collect.Event) { w.seen = append(w.seen, e) }})
	for second := range 2 {
		for range 100 {
			c.Handle(t.Context(), collect.Message{Topic: wire.Topic("west", wire.KindHello)})
		}
		if got, want := len(w.store.refused), 10*(second+1); got != want {
			t.Errorf("%d are kept, want %d", got, want)
		}
		now = now.Add(time.Second)
	}
	if got := len(w.events()); got != 200 {
		t.Errorf("%d were counted, want 200", got)
	}
}
