package uplink_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

const (
	gate     = "gate-0001"
	district = "district"
	// latency is what a sound message takes.
	latency = 10 * time.Millisecond
)

// TestMain packs something before any bubble exists: the packer makes its
// channels on first use, and they must belong to no test.
func TestMain(m *testing.M) {
	if _, err := wire.SignBatch(key(1), wire.Checkpoint{Origin: gate, Epoch: 1, Head: entry.Head{Size: 1}}, [][]byte{{1}}); err != nil {
		panic(err)
	}
	m.Run()
}

func key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func public(b byte) ed25519.PublicKey { return key(b).Public().(ed25519.PublicKey) }

// journal is a source in memory. It keeps a tree at every 500th entry.
type journal struct {
	mu     sync.Mutex
	epoch  uint32
	leaves [][]byte
	trees  []entry.Tree
	last   entry.Tree
	read   int // leaves that were given out

	noHeads, noLeaves error
}

func newJournal(t testing.TB, n int) *journal {
	j := &journal{epoch: 1, trees: []entry.Tree{{}}}
	j.grow(t, n)
	return j
}

func (j *journal) grow(t testing.TB, n int) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for range n {
		j.add(t, entry.Heartbeat{Size: j.last.Size()})
	}
}

func (j *journal) add(t testing.TB, value any) {
	t.Helper()
	body, err := entry.Encode(value)
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := entry.KindOf(value)
	leaf, err := entry.Entry{Kind: kind, Mono: int64(j.last.Size()), Wall: 1663200000000, Body: body}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	j.leaves = append(j.leaves, leaf)
	j.last.Append(leaf)
	if j.last.Size()%500 == 0 {
		j.trees = append(j.trees, j.last)
	}
}

func (j *journal) Epoch() uint32 { return j.epoch }

func (j *journal) Head() entry.Head {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last.Head()
}

func (j *journal) tree(size uint64) entry.Tree {
	tree := j.trees[size/500]
	for _, leaf := range j.leaves[tree.Size():size] {
		tree.Append(leaf)
	}
	return tree
}

func (j *journal) HeadAt(_ context.Context, size uint64) (entry.Head, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.noHeads != nil {
		return entry.Head{}, j.noHeads
	}
	tree := j.tree(size)
	return tree.Head(), nil
}

func (j *journal) Leaves(_ context.Context, from uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for ; ; from++ {
			j.mu.Lock()
			fault, more := j.noLeaves, from < uint64(len(j.leaves))
			var leaf []byte
			if more && fault == nil {
				leaf = j.leaves[from]
				j.read++
			}
			j.mu.Unlock()
			if fault != nil {
				yield(nil, fault)
				return
			}
			if !more || !yield(leaf, nil) {
				return
			}
		}
	}
}

// collector is the other half, as honest and as simple as can be: its rows are
// what it has committed.
type collector struct {
	mu     sync.Mutex
	epoch  uint32
	tree   entry.Tree
	rows   [][]byte
	alarms map[uint64][]time.Time
	batch  int // batches that came
	hellos []time.Time
	online []bool
	mute   bool // stores nothing and says nothing
	takes  func(wire.Batch) bool
	key    ed25519.PrivateKey
	log    []wire.Kind  // what came, in order
	proofs []wire.Batch // what a gate sends that has diverged
	doubts bool         // the gate is told what its journal contradicts
}

// handle commits what continues the rows, and returns the have that answers.
func (c *collector) handle(t testing.TB, kind wire.Kind, payload []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, kind)
	var err error
	switch kind {
	case wire.KindHello:
		err = c.hello(payload)
	case wire.KindBatch:
		err = c.commit(payload)
	case wire.KindAlarm:
		u, parseErr := wire.ParseAlarm(payload)
		a, verifyErr := u.Verify(public(1), gate)
		err = errors.Join(parseErr, verifyErr)
		c.alarms[a.Seq] = append(c.alarms[a.Seq], time.Now())
	case wire.KindStatus:
		var s wire.Status
		s, err = wire.ParseStatus(payload)
		c.online = append(c.online, s.Online)
	}
	if err != nil {
		t.Errorf("%v: %v", kind, err)
	}
	if c.mute || kind != wire.KindHello && kind != wire.KindBatch {
		return nil
	}
	return c.have(t)
}

func (c *collector) have(t testing.TB) []byte {
	h := wire.Have{Collector: district, Checkpoint: wire.Checkpoint{Origin: gate, Epoch: c.epoch, Head: c.tree.Head()}, Wall: time.Now().UnixMilli()}
	b, err := h.Sign(c.key)
	if err != nil {
		t.Error(err)
	}
	return b
}

func (c *collector) hello(payload []byte) error {
	c.hellos = append(c.hellos, time.Now())
	u, err := wire.ParseHello(payload)
	if err != nil {
		return err
	}
	h, err := u.Verify(public(1), gate)
	if err == nil && h.Checkpoint.Epoch > c.epoch && h.Reason != "" {
		c.epoch, c.tree, c.rows = h.Checkpoint.Epoch, entry.Tree{}, nil
	}
	return err
}

func (c *collector) commit(payload []byte) error {
	c.batch++
	u, err := wire.ParseBatch(payload)
	if err != nil {
		return err
	}
	b, err := u.Verify(public(1), gate)
	if err != nil || c.mute || b.Checkpoint.Epoch != c.epoch || c.takes != nil && !c.takes(b) {
		return err
	}
	size := c.tree.Size()
	if c.doubts {
		c.proofs = append(c.proofs, b)
		return nil
	}
	if b.First > size || b.Checkpoint.Size <= size {
		return nil
	}
	fresh, tree := b.Leaves[size-b.First:], c.tree
	for _, leaf := range fresh {
		tree.Append(leaf)
	}
	if tree.Head() != b.Checkpoint.Head {
		return errors.New("an honest gate's batch does not continue the rows")
	}
	c.tree, c.rows = tree, append(c.rows, fresh...)
	return nil
}

// restore makes the collector what it was at a smaller size.
func (c *collector) restore(j *journal, size uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tree, c.rows = j.tree(size), c.rows[:size]
}

// set changes the collector under its lock.
func (c *collector) set(f func(*collector)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
}

// look reads something of the collector under its lock.
func look[T any](c *collector, f func(*collector) T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f(c)
}

// broker is a transport that does to the nth message of a kind, from 0, what
// fate says: when each copy of it arrives.
type broker struct {
	w       *world
	mu      sync.Mutex
	fate    func(kind wire.Kind, nth int) []time.Duration
	refuse  error // what Connect returns
	away    bool  // Connect is not answered
	stuck   bool  // Publish is not answered
	tries   []time.Time
	count   map[wire.Kind]int
	order   time.Duration
	session *session
	will    uplink.Message
	bound   uint64 // the greatest size that the gate was told of
}

type session struct {
	b        *broker
	messages chan uplink.Message
	done     chan struct{}
	once     sync.Once
}

func (b *broker) set(f func(*broker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

func (b *broker) Connect(ctx context.Context, will uplink.Message) (uplink.Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries = append(b.tries, time.Now())
	if b.away {
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
		return nil, ctx.Err()
	}
	if b.refuse != nil {
		return nil, b.refuse
	}
	b.will = will
	b.session = &session{b: b, messages: make(chan uplink.Message, 64), done: make(chan struct{})}
	return b.session, nil
}

// cut ends the session as a network does.
func (b *broker) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session != nil {
		b.session.Close()
	}
}

func (s *session) Messages() <-chan uplink.Message { return s.messages }
func (s *session) Done() <-chan struct{}           { return s.done }
func (s *session) Close()                          { s.once.Do(func() { close(s.done) }) }

func (s *session) Publish(ctx context.Context, topic string, payload []byte, retain bool) error {
	origin, kind, err := wire.ParseTopic(topic)
	if err != nil || origin != gate || retain != (kind == wire.KindStatus) {
		s.b.w.t.Errorf("published to %q, retained %v: %v", topic, retain, err)
	}
	s.b.mu.Lock()
	stuck, bound := s.b.stuck, s.b.bound
	s.b.mu.Unlock()
	if stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	if u, err := wire.ParseBatch(payload); kind == wire.KindBatch && err == nil {
		if b, err := u.Verify(public(1), gate); err != nil || b.Checkpoint.Size > bound+4*500 || len(b.Leaves) > 500 || len(payload) > 400<<10 {
			s.b.w.t.Errorf("batch of %d up to %d, while %d are acknowledged: %v", len(b.Leaves), b.Checkpoint.Size, bound, err)
		}
	}
	s.b.route(s, kind, func() {
		if have := s.b.w.col.handle(s.b.w.t, kind, payload); have != nil {
			s.b.down(s, wire.KindHave, have)
		}
	})
	return nil
}

// down brings a message to the gate, if it is still there.
func (b *broker) down(s *session, kind wire.Kind, payload []byte) {
	b.route(s, kind, func() {
		if u, err := wire.ParseHave(payload); err == nil {
			if h, err := u.Verify(public(2), gate); err == nil {
				b.mu.Lock()
				b.bound = max(b.bound, h.Size)
				b.mu.Unlock()
			}
		}
		select {
		case s.messages <- uplink.Message{Topic: wire.Topic(gate, kind), Payload: payload}:
		default:
		}
	})
}

// tell brings a message down in the present session.
func (b *broker) tell(kind wire.Kind, payload []byte) {
	b.mu.Lock()
	s := b.session
	b.mu.Unlock()
	b.down(s, kind, payload)
}

func (b *broker) route(s *session, kind wire.Kind, deliver func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fates := []time.Duration{latency}
	if b.fate != nil {
		fates = b.fate(kind, b.count[kind])
	}
	b.count[kind]++
	for _, d := range fates {
		b.order += time.Nanosecond // no two messages arrive at the same moment
		time.AfterFunc(d+b.order, func() {
			select {
			case <-s.done:
			default:
				deliver()
			}
		})
	}
}

// world is a gate, a network and a collector inside a synctest bubble.
type world struct {
	t      testing.TB
	src    *journal
	col    *collector
	net    *broker
	o      uplink.Options
	up     *uplink.Uplink
	stop   context.CancelFunc
	proofs map[string][]byte
}

// newWorld puts a journal of n entries before an empty collector. The uplink is
// started by start.
func newWorld(t testing.TB, n int) *world {
	w := &world{t: t, src: newJournal(t, n), proofs: map[string][]byte{},
		col: &collector{epoch: 1, alarms: map[uint64][]time.Time{}, key: key(2)}}
	w.net = &broker{w: w, count: map[wire.Kind]int{}}
	began := time.Now()
	w.o = uplink.Options{Gate: gate, Key: key(1), Collector: uplink.Collector{Name: district, Key: public(2)},
		Source: w.src, Transport: w.net, Program: "1.0.0",
		Now: func() entry.Stamp {
			return entry.Stamp{Mono: time.Since(began), Wall: time.Now(), Clock: entry.ClockSynced}
		},
		KeepEvidence: func(name string, data []byte) error { w.proofs[name] = data; return nil }}
	return w
}

func (w *world) start() {
	w.t.Helper()
	up, err := uplink.New(w.o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.up = up
	w.run()
}

// run runs the uplink until end.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.up.Run(ctx); close(done) }()
	w.stop = func() { cancel(); <-done }
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// append commits n entries at the gate.
func (w *world) append(n int) {
	w.src.grow(w.t, n)
	w.up.Grew()
}

// size is how much the collector has.
func (w *world) size() uint64 {
	return look(w.col, func(c *collector) uint64 { return c.tree.Size() })
}

// wantAll waits until every entry has arrived and the gate knows it.
func (w *world) wantAll(within time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end) && w.up.State().Acked != w.src.Head().Size; {
		w.pass(max(latency, within/1000))
	}
	s := w.up.State()
	if s.Acked != s.Size || s.Phase != uplink.Streaming || s.Cause != uplink.CauseNone {
		w.t.Fatalf("after %v: %+v, the collector has %d", within, s, w.size())
	}
	same := look(w.col, func(c *collector) bool {
		ok := len(c.rows) == len(w.src.leaves)
		for i := range c.rows {
			ok = ok && bytes.Equal(c.rows[i], w.src.leaves[i])
		}
		return ok
	})
	if !same {
		w.t.Fatal("the collector's rows are not the journal's entries")
	}
}

func (w *world) wantState(p uplink.Phase, c uplink.Cause) {
	w.t.Helper()
	if s := w.up.State(); s.Phase != p || s.Cause != c {
		w.t.Fatalf("%v %q, want %v %q", s.Phase, s.Cause, p, c)
	}
}
