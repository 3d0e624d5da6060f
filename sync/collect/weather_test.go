package collect_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/wire"
)

// weather is everything that a network, a disk, a stranger and an honest gate
// can bring about.
type weather struct {
	*world
	*rand.Rand
	gates []string
	sent  []collect.Message
}

// honest is a true message of a gate, of whatever part of its journal.
func (w *weather) honest(s *source) collect.Message {
	switch w.IntN(8) {
	case 0:
		return s.hello("")
	case 1:
		return s.alarm(w.IntN(len(s.leaves)))
	case 2:
		return s.status(w.IntN(2) == 0)
	}
	first := w.IntN(len(s.leaves))
	return s.batch(first, 1+w.IntN(len(s.leaves)-first))
}

// next is a message that may be old, spoilt, misdirected or of a journal that
// parted from the true one.
func (w *weather) next() collect.Message {
	s := w.gate(w.gates[w.IntN(len(w.gates))])
	if w.IntN(4) == 0 {
		s.grow(1+w.IntN(5), 0)
	}
	m := w.honest(s)
	switch w.IntN(8) {
	case 0:
		m = w.sent[w.IntN(len(w.sent))]
	case 1:
		m.Payload = bytes.Clone(m.Payload)
		m.Payload[w.IntN(len(m.Payload))] ^= 1 << w.IntN(8)
	case 2:
		m.Payload = m.Payload[:w.IntN(len(m.Payload))]
	case 3:
		m.Topic = wire.Topic(w.gates[w.IntN(len(w.gates))], wire.Kind(1+w.IntN(9)))
	case 4:
		if have := len(w.store.gates[s.name].newest().leaves); have > 0 {
			m = w.honest(s.restored(w.IntN(have)).grow(1+w.IntN(30), 9))
		}
	}
	w.sent = append(w.sent, m)
	return m
}

// The world is checked after every message: see world.check.
func TestWhateverHappensTheRecordIsTheBeginningOfEachJournalAndInTheEndAllOfIt(t *testing.T) {
	for seed := range uint64(10) {
		gates := []string{"east", "north", "west"}
		w := &weather{world: newWorld(t, gates...), Rand: rand.New(rand.NewPCG(seed, 1)), gates: gates}
		w.sent = []collect.Message{w.gate("east").hello("")}
		promised := make(map[string]int)
		for range 150 {
			clear(w.store.before)
			clear(w.store.after)
			switch w.IntN(10) {
			case 0:
				w.store.before["Commit"] = errors.New("disk full")
			case 1:
				w.store.after["Commit"] = errors.New("connection lost")
			}
			m := w.next()
			if size := w.send(m); size >= 0 {
				gate, _, _ := wire.ParseTopic(m.Topic)
				if size < promised[gate] {
					t.Fatalf("seed %d: %s was promised %d, and now %d", seed, gate, promised[gate], size)
				}
				promised[gate] = size
			}
		}
		clear(w.store.before)
		clear(w.store.after)
		for _, name := range gates {
			w.send(w.gate(name).hello(""))
			all := len(w.gate(name).grow(1, 0).leaves)
			if got := w.send(w.gate(name).batch(promised[name], all-promised[name])); got != all {
				t.Fatalf("seed %d: %d of %d entries of %s are stored in the end", seed, got, all, name)
			}
		}
	}
}

func FuzzHandle(f *testing.F) {
	east := newWorld(f, "east").gate("east")
	for _, m := range []collect.Message{east.hello(""), east.hello("card replaced"), east.batch(0, 20), east.batch(3, 5),
		east.alarm(7), east.status(true), {Topic: wire.TopicAnnounce}, {Topic: "menshen/v1/west/up/batch"}, {}} {
		f.Add(m.Topic, m.Payload)
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		w := newWorld(t, "east")
		for _, m := range []collect.Message{w.gate("east").hello(""), w.gate("east").batch(0, 4)} {
			w.send(m)
		}
		before := len(w.seen)
		w.send(collect.Message{Topic: topic, Payload: payload}) // which checks the world
		if n := len(w.seen) - before; n > 1 {
			t.Errorf("one message made %d events", n)
		}
		if got := w.send(w.gate("east").batch(0, 20)); got != 20 {
			t.Errorf("afterwards, %d of 20 entries are stored", got)
		}
	})
}
