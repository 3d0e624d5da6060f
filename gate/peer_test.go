package gate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

func testKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

// peer is a broker with an honest collector behind it, in memory.
type peer struct {
	t    *testing.T
	name string
	key  ed25519.PrivateKey

	mu       sync.Mutex
	away     error // what Connect returns
	stuck    bool  // Publish is never answered
	gate     ed25519.PublicKey
	epoch    uint32
	tree     entry.Tree
	rows     [][]byte
	kinds    []wire.Kind // what came, in order
	alarms   map[uint64][]byte
	messages chan uplink.Message
}

func newPeer(t *testing.T, name string) *peer {
	return &peer{t: t, name: name, key: testKey(2), epoch: 1, alarms: map[uint64][]byte{}}
}

// collector is the peer as a gate is told of it.
func (p *peer) collector() Collector {
	return Collector{Name: p.name, Key: p.key.Public().(ed25519.PublicKey), Transport: p}
}

func (p *peer) set(f func(*peer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *peer) Connect(context.Context, uplink.Message) (uplink.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil {
		return nil, p.away
	}
	p.messages = make(chan uplink.Message, 64)
	return &peerSession{p: p, messages: p.messages, done: make(chan struct{})}, nil
}

// send hands a signed document to the gate that is connected.
func (p *peer) send(d wire.Down) {
	p.t.Helper()
	b, err := d.Sign(p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages <- uplink.Message{Topic: wire.Topic(d.Scope, d.Kind), Payload: b}
}

type peerSession struct {
	p        *peer
	messages chan uplink.Message
	done     chan struct{}
	once     sync.Once
}

func (s *peerSession) Messages() <-chan uplink.Message { return s.messages }
func (s *peerSession) Done() <-chan struct{}           { return s.done }
func (s *peerSession) Close()                          { s.once.Do(func() { close(s.done) }) }

func (s *peerSession) Publish(ctx context.Context, topic string, payload []byte, _ bool) error {
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stuck {
		p.mu.Unlock()
		<-ctx.Done()
		p.mu.Lock()
		return ctx.Err()
	}
	gate, kind, err := wire.ParseTopic(topic)
	if err != nil || gate != "test" {
		p.t.Errorf("published to %q: %v", topic, err)
	}
	p.kinds = append(p.kinds, kind)
	switch kind {
	case wire.KindAlarm:
		p.alarm(payload)
	case wire.KindBatch:
		p.batch(payload)
	case wire.KindHello:
		p.hello(payload)
	default:
		return nil
	}
	have, err := wire.Have{Collector: p.name, Wall: time.Now().UnixMilli(),
		Checkpoint: wire.Checkpoint{Origin: gate, Epoch: p.epoch, Head: p.tree.Head()}}.Sign(p.key)
	if err != nil {
		p.t.Error(err)
	}
	s.messages <- uplink.Message{Topic: wire.Topic(gate, wire.KindHave), Payload: have}
	return nil
}

// hello begins the journal that a gate says it has begun.
func (p *peer) hello(payload []byte) {
	u, err := wire.ParseHello(payload)
	if err != nil {
		p.t.Error(err)
		return
	}
	h, err := u.Verify(p.gate, "test")
	if err != nil {
		p.t.Error(err)
	}
	if h.Checkpoint.Epoch > p.epoch && h.Reason != "" {
		p.epoch, p.tree, p.rows = h.Checkpoint.Epoch, entry.Tree{}, nil
	}
}

func (p *peer) alarm(payload []byte) {
	u, err := wire.ParseAlarm(payload)
	if err != nil {
		p.t.Error(err)
		return
	}
	a, err := u.Verify(p.gate, "test")
	if err != nil {
		p.t.Error(err)
	}
	p.alarms[a.Seq] = a.Leaf
}

func (p *peer) batch(payload []byte) {
	u, err := wire.ParseBatch(payload)
	if err != nil {
		p.t.Error(err)
		return
	}
	b, err := u.Verify(p.gate, "test")
	if err != nil {
		p.t.Error(err)
		return
	}
	size := p.tree.Size()
	if b.Checkpoint.Epoch != p.epoch || b.First > size || b.Checkpoint.Size <= size {
		return
	}
	for _, leaf := range b.Leaves[size-b.First:] {
		p.tree.Append(leaf)
		p.rows = append(p.rows, leaf)
	}
	if p.tree.Head() != b.Checkpoint.Head {
		p.t.Error("the rows are not what the gate signed")
	}
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// joined makes a gate that knows these peers, and tells them its key.
func joined(t *testing.T, dir string, peers ...*peer) *Gate {
	t.Helper()
	g, _ := build(t, dir, NewClock().Now)
	key, err := MakeIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		p.set(func(p *peer) { p.gate = key.Public().(ed25519.PublicKey) })
		g.o.Collectors = append(g.o.Collectors, p.collector())
	}
	return g
}

// isolate lets an alarm be raised and its entry stored.
func isolate(g *Gate, counter uint32) entry.ArrivalID {
	rec := stopped(screening.Isolate, screening.RedCode)
	rec.Arrival = counter
	id := entry.ArrivalID{Boot: g.journal.Boot(), Counter: counter}
	g.alarms.raise(id, rec.Subject.ID, g.o.Now().Wall)
	g.recorder.recordAt(id.Boot, 1, rec, g.o.Now())
	return id
}

// problemKeys lists what the page would say.
func problemKeys(g *Gate) (keys []string) {
	for _, p := range g.View().Problems {
		keys = append(keys, p.Key)
	}
	return keys
}

func says(g *Gate, key string) bool { return slices.Contains(problemKeys(g), key) }
