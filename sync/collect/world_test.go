package collect_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/wire"
)

const district = "district"

// key is a private key that belongs to a name.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) ed25519.PublicKey { return key(name).Public().(ed25519.PublicKey) }

// source is the journal of a gate, which signs with its own key.
type source struct {
	t      testing.TB
	name   string
	epoch  uint32
	leaves [][]byte
}

// grow appends n entries, which differ from those of any other mark.
func (s *source) grow(n int, mark int64) *source {
	s.t.Helper()
	for range n {
		body, err := entry.Encode(entry.Heartbeat{Size: uint64(len(s.leaves))})
		if err != nil {
			s.t.Fatal(err)
		}
		leaf, err := entry.Entry{Kind: entry.KindHeartbeat, Mono: int64(len(s.leaves)), Wall: mark, Clock: entry.ClockRTC, Body: body}.Marshal()
		if err != nil {
			s.t.Fatal(err)
		}
		s.leaves = append(s.leaves, leaf)
	}
	return s
}

// restored is the journal as an older copy of the card has it.
func (s *source) restored(size int) *source {
	return &source{t: s.t, name: s.name, epoch: s.epoch, leaves: slices.Clone(s.leaves[:size])}
}

// rebased is the same journal in a later epoch.
func (s *source) rebased(epoch uint32) *source {
	return &source{t: s.t, name: s.name, epoch: epoch, leaves: s.leaves}
}

// at is the checkpoint at a size.
func (s *source) at(size int) wire.Checkpoint {
	var tree entry.Tree
	for _, leaf := range s.leaves[:size] {
		tree.Append(leaf)
	}
	return wire.Checkpoint{Origin: s.name, Epoch: s.epoch, Head: tree.Head()}
}

func (s *source) message(kind wire.Kind, payload []byte, err error) collect.Message {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return collect.Message{Topic: wire.Topic(s.name, kind), Payload: payload}
}

func (s *source) hello(reason string) collect.Message {
	b, err := wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: s.at(len(s.leaves))}, Program: "1.0.0",
		Encodings: []byte{wire.EncodingEntries}, Reason: reason}.Sign(key(s.name))
	return s.message(wire.KindHello, b, err)
}

func (s *source) batch(first, n int) collect.Message {
	b, err := wire.SignBatch(key(s.name), s.at(first+n), s.leaves[first:first+n])
	return s.message(wire.KindBatch, b, err)
}

func (s *source) alarm(seq int) collect.Message {
	b, err := wire.Alarm{Origin: s.name, Epoch: s.epoch, Seq: uint64(seq), Leaf: s.leaves[seq]}.Sign(key(s.name))
	return s.message(wire.KindAlarm, b, err)
}

func (s *source) status(online bool) collect.Message {
	b, err := wire.Status{Online: online, Program: "1.0.0"}.Encode()
	return s.message(wire.KindStatus, b, err)
}

// world is a collector, its store, and the gates whose journals are true.
type world struct {
	t     testing.TB
	store *memory
	c     *collect.Collector
	truth map[string][]*source
	mu    sync.Mutex
	seen  []collect.Event
}

// newWorld admits gates, each with a journal of 20 entries.
func newWorld(t testing.TB, gates ...string) *world {
	w := &world{t: t, store: newMemory(), truth: make(map[string][]*source)}
	for _, name := range gates {
		w.store.gates[name] = &stored{key: public(name)}
		w.truth[name] = []*source{(&source{t: t, name: name, epoch: 1}).grow(20, 0)}
	}
	w.c = w.over(w.store)
	return w
}

// over is the world's collector over another store.
func (w *world) over(s collect.Store) *collect.Collector {
	return collect.New(collect.Options{Name: district, Key: key(district), Store: s,
		Now: func() time.Time { return time.UnixMilli(1663200000000) },
		Observe: func(e collect.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, e)
		}})
}

// gate is a gate's first journal.
func (w *world) gate(name string) *source { return w.truth[name][0] }

// send hands over one message, checks the world after it, and returns the size
// in the have that came back, -1 for none.
func (w *world) send(m collect.Message) (size int) {
	w.t.Helper()
	out := w.c.Handle(w.t.Context(), m)
	if err := w.check(out); err != nil {
		w.t.Fatalf("after a message to %s: %v", m.Topic, err)
	}
	return haveSize(w.t, out)
}

// events returns the kinds of event since the last call.
func (w *world) events() (kinds []string) {
	for _, e := range w.seen {
		kinds = append(kinds, e.Kind.String())
	}
	w.seen = nil
	return kinds
}

// check says what is wrong with the world: it holds no row that is not its
// gate's, in its place, the edge is that of the rows, and what was just
// promised is stored at this moment.
func (w *world) check(out []collect.Out) error {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	for name, g := range w.store.gates {
		for _, j := range g.journals {
			if err := w.checkJournal(name, j); err != nil {
				return fmt.Errorf("gate %s, epoch %d: %w", name, j.epoch, err)
			}
		}
	}
	if len(out) > 1 {
		return fmt.Errorf("%d messages came out of one", len(out))
	}
	for _, o := range out {
		if err := w.checkHave(o); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) checkJournal(name string, j *rows) error {
	i := slices.IndexFunc(w.truth[name], func(s *source) bool { return s.epoch == j.epoch })
	if i < 0 {
		return fmt.Errorf("nobody began it")
	}
	if !prefix(j.leaves, w.truth[name][i].leaves) {
		return fmt.Errorf("the %d rows are not the beginning of the gate's journal", len(j.leaves))
	}
	var tree entry.Tree
	for _, leaf := range j.leaves {
		tree.Append(leaf)
	}
	if tree.Head() != j.tree.Head() {
		return fmt.Errorf("the edge is of size %d, %d rows are there, and the roots differ", j.tree.Size(), len(j.leaves))
	}
	return nil
}

func (w *world) checkHave(o collect.Out) error {
	h, err := readHave(o)
	if err != nil {
		return err
	}
	j := w.store.gates[h.Origin].newest()
	if h.Collector != district || h.Epoch != j.epoch || h.Head != j.tree.Head() {
		return fmt.Errorf("%s promises epoch %d, size %d; epoch %d, size %d is stored", h.Collector, h.Epoch, h.Size, j.epoch, j.tree.Size())
	}
	return nil
}

// readHave reads as the gate does to which it was sent.
func readHave(o collect.Out) (wire.Have, error) {
	gate, kind, err := wire.ParseTopic(o.Topic)
	if err != nil || kind != wire.KindHave {
		return wire.Have{}, fmt.Errorf("a message goes to %s", o.Topic)
	}
	u, err := wire.ParseHave(o.Payload)
	if err != nil {
		return wire.Have{}, err
	}
	return u.Verify(public(district), gate)
}

func haveSize(t testing.TB, out []collect.Out) int {
	t.Helper()
	if len(out) == 0 {
		return -1
	}
	h, err := readHave(out[0])
	if err != nil {
		t.Fatal(err)
	}
	return int(h.Size)
}
