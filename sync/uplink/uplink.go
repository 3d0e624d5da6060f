// Package uplink is the gate's half of sync: it brings one gate's journal to
// one collector, and documents of that collector to the gate. A gate runs one
// Uplink for each of its collectors.
//
// It knows when to connect, what to send, how far a collector's signed word
// reaches, and when that word contradicts the journal. It does not know how
// entries are stored, how bytes travel, or what an entry or a document means.
// It keeps no queue: the journal is the queue, what is on its way can be made
// again, and nothing that the gate needs ever waits for it.
package uplink

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// How long a connection may take and how the next one is tried.
const (
	// connectWithin bounds one attempt to open a session.
	connectWithin = 30 * time.Second
	// publishWithin bounds one message. The largest usual batch takes as long
	// over 64 kbit/s.
	publishWithin = time.Minute
	// leaveWithin bounds the farewell of a gate that stops.
	leaveWithin = time.Second
	// shortestPause and longestPause lie between two sessions. They double from
	// one failure to the next, with jitter, until a collector has answered.
	shortestPause = 250 * time.Millisecond
	longestPause  = 5 * time.Second
)

// ErrRefused is wrapped by a Transport whose broker refused the gate by name
// or password: a person must see to it.
var ErrRefused = errors.New("refused by the broker")

var (
	errEnded   = errors.New("session ended")
	errJournal = errors.New("journal cannot be read")
)

// Source is the journal that is sent. Its methods may be called from any
// goroutine.
type Source interface {
	// Epoch says which journal of the gate it is, from 1.
	Epoch() uint32
	// Head returns size and root of what is committed, without I/O.
	Head() entry.Head
	// HeadAt returns the head as it was after the first size entries.
	HeadAt(ctx context.Context, size uint64) (entry.Head, error)
	// Leaves yields the committed entries from a sequence number on, in order
	// and as they were hashed. Each belongs to the caller.
	Leaves(ctx context.Context, from uint64) iter.Seq2[[]byte, error]
}

// Transport opens sessions at the broker.
type Transport interface {
	// Connect returns a session in which wire.FilterDown of the gate and
	// wire.TopicAnnounce are subscribed. The broker publishes will, retained,
	// when the session ends without Close. The context bounds the connecting,
	// not the session.
	Connect(ctx context.Context, will Message) (Session, error)
}

// Session is one connection. That something was published says nothing about
// who has it.
type Session interface {
	// Publish hands a message over in order, waiting no longer than ctx; a
	// session in which it fails is given up.
	Publish(ctx context.Context, topic string, payload []byte, retain bool) error
	// Messages brings what is received. What cannot wait there may be dropped.
	Messages() <-chan Message
	// Done is closed when the session has ended.
	Done() <-chan struct{}
	// Close ends the session in good order.
	Close()
}

// Message is what came from a broker, and anybody may have sent it.
type Message struct {
	Topic   string
	Payload []byte
}

// Collector is whom the uplink believes.
type Collector struct {
	// Name is as wire.ValidName accepts it.
	Name string
	// Key is the collector's, as wire.ParsePublicKey returned it.
	Key ed25519.PublicKey
}

// Options say what is sent to whom.
type Options struct {
	// Gate is the gate's name, and Key what it signs with.
	Gate string
	Key  ed25519.PrivateKey
	// Collector, Source, Transport and Now are required. Mono of Now must never
	// step.
	Collector Collector
	Source    Source
	Transport Transport
	Now       func() entry.Stamp
	// Boot is the sequence number of the process's boot entry, Program the
	// program's version, Reason why the newest epoch was begun, empty for the
	// first: all three for the hello.
	Boot            uint64
	Program, Reason string
	// CursorPath is a file that remembers across restarts, for the screen only,
	// how much was acknowledged. Empty for none.
	CursorPath string
	// Down is given every document that the collector has signed for this gate
	// and whose number is above the last one taken since New; numbers must rise
	// across restarts too, which only its receiver can say. An error says: not
	// now, bring it again with the next session. A document that is refused for
	// good is taken. It must not block. nil ignores documents.
	Down func(wire.Down) error
	// KeepEvidence stores what proves a contradiction: the collector's have as
	// it came, in a name that ends in EvidenceTheirs, and the gate's own signed
	// checkpoint as a CBOR array. nil keeps nothing.
	KeepEvidence func(name string, data []byte) error
	// Changed is called when State has changed, except for its Size. It must
	// not block. May be nil.
	Changed func()
	// Random returns numbers in [0,1) for jitter; nil is rand.Float64.
	Random func() float64
	// Log receives each change of state; nil discards.
	Log *slog.Logger
}

// Uplink sends one journal to one collector. Its methods may be called from
// any goroutine and never block.
type Uplink struct {
	o    Options
	log  *slog.Logger
	wake chan struct{} // something grew, or an alarm is due

	// Of Run's goroutine alone.
	taken   map[document]uint64 // the number of the last document of each sort
	saved   time.Duration       // when the cursor was last written
	against wire.Have           // what the journal contradicts, if it has diverged

	mu      sync.Mutex
	state   State
	notices []notice
}

// New checks the options. Nothing is opened before Run.
func New(o Options) (*Uplink, error) {
	switch {
	case !wire.ValidName(o.Gate) || !wire.ValidName(o.Collector.Name):
		return nil, fmt.Errorf("new uplink: %q or %q is no name", o.Gate, o.Collector.Name)
	case len(o.Key) != ed25519.PrivateKeySize || len(o.Collector.Key) != ed25519.PublicKeySize:
		return nil, errors.New("new uplink: a key has the wrong length")
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Uplink{o: o, log: o.Log.With("component", "uplink", "collector", o.Collector.Name),
		wake: make(chan struct{}, 1), taken: map[document]uint64{}}, nil
}

// Grew says that the source has more entries. It is called after the commit.
func (u *Uplink) Grew() {
	select {
	case u.wake <- struct{}{}:
	default: // one is on its way, and will look at everything
	}
}

// Run connects, sends and connects again until the context ends; nothing else
// ends it. An Uplink runs once at a time. To run it again is how a person's
// word that a contradiction is settled takes effect.
func (u *Uplink) Run(ctx context.Context) {
	acked := u.loadCursor()
	u.against = wire.Have{}
	u.change(func(s *State) { *s = State{Phase: Connecting, Acked: acked} })
	defer u.change(func(s *State) { s.Phase, s.Cause = Off, CauseNone })
	pause := shortestPause
	for {
		answered, err := u.visit(ctx)
		u.saveCursor()
		if ctx.Err() != nil {
			return
		}
		u.lost(err)
		pause = min(2*pause, longestPause)
		if answered && !errors.Is(err, errJournal) {
			pause = shortestPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(shortestPause + u.part(pause-shortestPause)):
		}
	}
}

// visit holds one session from its beginning to its end, and says whether the
// collector answered in it.
func (u *Uplink) visit(ctx context.Context) (answered bool, err error) {
	will, err := u.status(false)
	if err != nil {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	session, err := u.o.Transport.Connect(within, Message{wire.Topic(u.o.Gate, wire.KindStatus), will})
	if err != nil {
		return false, err
	}
	defer session.Close()
	l := newLink(u, session)
	err = l.run(ctx)
	if ctx.Err() != nil {
		l.leave(ctx)
	}
	return l.begun, err
}

// status returns the message that says whether the gate is connected.
func (u *Uplink) status(online bool) ([]byte, error) {
	return wire.Status{Online: online, Boot: u.o.Boot, Program: u.o.Program, Wall: u.o.Now().Wall.UnixMilli()}.Encode()
}

// checkpoint says that h is of this gate's journal.
func (u *Uplink) checkpoint(h entry.Head) wire.Checkpoint {
	return wire.Checkpoint{Origin: u.o.Gate, Epoch: u.o.Source.Epoch(), Head: h}
}

// now is the moment against which all deadlines stand.
func (u *Uplink) now() time.Duration { return u.o.Now().Mono }

// part returns a random part of d.
func (u *Uplink) part(d time.Duration) time.Duration {
	return time.Duration(u.o.Random() * float64(d))
}
