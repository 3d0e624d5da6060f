package syncsim

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// privateKey is the key of whoever has a name.
func privateKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicKey(name string) ed25519.PublicKey {
	return privateKey(name).Public().(ed25519.PublicKey)
}

// The directions of a message.
const (
	upward   = 0
	downward = 1
)

// message is one that was sent, for who replays it.
type message struct {
	topic   string
	payload []byte
}

// link is the way between a gate and a collector, with the collector's broker
// on it, and the gate's transport.
type link struct {
	w     *world
	id    int
	gate  *gate
	col   *collector
	up    *uplink.Uplink // of the gate's present process
	slots [3]*slots      // of each direction, and of sessions

	mu      sync.Mutex
	session *session
	tries   int
	cut     bool
	storm   bool
	sent    [2]int
	past    [2][]message
	rougher time.Duration // when it was last anything but calm
}

func newLink(w *world, g *gate, c *collector) *link {
	l := &link{w: w, id: len(w.links), gate: g, col: c}
	for i := range l.slots {
		l.slots[i] = newSlots(8*l.id + i)
	}
	return l
}

// session implements uplink.Session.
type session struct {
	l        *link
	messages chan uplink.Message
	done     chan struct{}
	once     sync.Once
}

// Messages implements uplink.Session.
func (s *session) Messages() <-chan uplink.Message { return s.messages }

// Done implements uplink.Session.
func (s *session) Done() <-chan struct{} { return s.done }

// Close implements uplink.Session.
func (s *session) Close() { s.once.Do(func() { close(s.done) }) }

func (s *session) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

var errNoWay = errors.New("no way to the broker")

// Connect implements uplink.Transport.
func (l *link) Connect(ctx context.Context, _ uplink.Message) (uplink.Session, error) {
	l.mu.Lock()
	l.tries++
	d := between(l.w.dice("connect", l.id, l.tries), 10*time.Millisecond, time.Second)
	l.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(l.slots[2].in(d)):
	}
	up := l.col.brokerUp()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut || !up {
		return nil, errNoWay
	}
	l.session = &session{l: l, messages: make(chan uplink.Message, 64), done: make(chan struct{})}
	l.rougher = l.w.now()
	return l.session, nil
}

// Publish implements uplink.Session: it succeeds whatever becomes of the
// message.
func (s *session) Publish(_ context.Context, topic string, payload []byte, _ bool) error {
	if s.ended() {
		return errNoWay
	}
	l := s.l
	l.send(upward, message{topic, payload})
	if _, kind, _ := wire.ParseTopic(topic); kind == wire.KindBatch && l.w.plant == CursorOnPuback {
		time.AfterFunc(l.slots[upward].in(time.Millisecond), func() { s.take(l.believed(payload)) })
	}
	return nil
}

// believed is what a gate that took the broker's word would act on.
func (l *link) believed(batch []byte) message {
	u, err := wire.ParseBatch(batch)
	b, verifyErr := u.Verify(publicKey(l.gate.name), l.gate.name)
	have, signErr := wire.Have{Collector: l.col.name, Checkpoint: b.Checkpoint.Checkpoint, Wall: 1}.Sign(l.col.key)
	if err := errors.Join(err, verifyErr, signErr); err != nil {
		l.w.fail("a batch of an honest gate: %w", err)
	}
	return message{wire.Topic(l.gate.name, wire.KindHave), have}
}

// take brings a message to the gate. What finds no room is dropped.
func (s *session) take(m message) {
	if s.ended() {
		return
	}
	select {
	case s.messages <- uplink.Message{Topic: m.topic, Payload: m.payload}:
	default:
	}
}

// send puts a message on its way, once, several times or not at all.
func (l *link) send(direction int, m message) {
	l.mu.Lock()
	nth := l.sent[direction]
	l.sent[direction]++
	l.past[direction] = append(l.past[direction], m)
	cut, storm, s := l.cut, l.storm, l.session
	l.mu.Unlock()
	l.w.note("message", 2*l.id+direction, m.payload)
	if cut {
		return
	}
	r := l.w.dice("fate", l.id, direction, nth)
	copies, slowest := 1, 40*time.Millisecond
	if storm {
		slowest = 4 * time.Second
		switch r.IntN(6) {
		case 0:
			copies = 0
		case 1:
			copies = 2
		}
	}
	for range copies {
		l.deliver(direction, m, s, between(r, 5*time.Millisecond, slowest))
	}
}

// deliver brings a message to the other end, if broker and session are those
// of now.
func (l *link) deliver(direction int, m message, s *session, d time.Duration) {
	life := l.col.brokerLife()
	time.AfterFunc(l.slots[direction].in(d), func() {
		l.mu.Lock()
		cut := l.cut
		l.mu.Unlock()
		switch {
		case cut || life != l.col.brokerLife():
		case direction == upward:
			l.col.receive(collect.Message{Topic: m.topic, Payload: m.payload})
		case s != nil:
			s.take(m)
		}
	})
}

// sever ends the session as a broker or a power cut does.
func (l *link) sever() {
	l.rough()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != nil {
		l.session.Close()
	}
}

// setCut breaks or mends the way. A session may outlive a short gap.
func (l *link) setCut(cut bool) {
	l.rough()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	s := l.session
	if s == nil || !cut {
		return
	}
	d := between(l.w.dice("keepalive", l.id, l.sent[upward]), 5*time.Second, 40*time.Second)
	time.AfterFunc(l.slots[2].in(d), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cut {
			s.Close()
		}
	})
}

func (l *link) setStorm(storm bool) {
	l.rough()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.storm = storm
}

// keep stores evidence on the gate's card, as far as the next journal needs it.
func (l *link) keep(name string, evidence []byte) error {
	if !strings.HasSuffix(name, uplink.EvidenceTheirs) {
		return nil
	}
	u, err := wire.ParseHave(evidence)
	h, verifyErr := u.Verify(publicKey(l.col.name), l.gate.name)
	if err := errors.Join(err, verifyErr); err != nil {
		l.w.fail("%s keeps as evidence what %s has not signed: %w", l.gate.name, l.col.name, err)
	}
	l.gate.card.set(func(c *card) { c.named = max(c.named, h.Epoch) })
	return nil
}

// rough notes that the way was disturbed until now.
func (l *link) rough() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rougher = l.w.now()
}

// calmSince returns since when nothing has been in the way of a message; not
// ok while something is.
func (l *link) calmSince() (since time.Duration, ok bool) {
	well := l.col.well() && l.gate.alive
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rougher, well && !l.cut && !l.storm
}
