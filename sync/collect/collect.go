// Package collect is the collector's half of sync: of what gates send it makes
// commits, and of what is committed, and nothing else, signed haves.
//
// It knows who is believed, what continues what is stored, and what is
// answered. It does not know how messages travel, how anything is stored or
// shown, or what an entry means. It remembers no gate from one message to the
// next: what is stored is asked of the store each time, so that a crash, a
// revoked gate and another process at the same store need no rule of their own.
package collect

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"time"

	"github.com/menshen/menshen/sync/wire"
)

// Options say who collects, and where to. Name, Key and Store are required.
type Options struct {
	// Name is the collector's; wire.ValidName accepts it.
	Name string
	// Key signs what the collector has.
	Key ed25519.PrivateKey
	// Store keeps what is collected.
	Store Store
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Observe is told what became of messages, before Handle returns and in the
	// goroutine that called it. nil is nobody.
	Observe func(Event)
	// Log receives faults and what was refused. nil discards.
	Log *slog.Logger
}

// Collector judges what gates send.
type Collector struct {
	name    string
	key     ed25519.PrivateKey
	store   Store
	now     func() time.Time
	observe func(Event)
	log     *slog.Logger
	keep    allowance
}

// Message is what came from the transport; anybody may have sent it.
type Message struct {
	Topic   string
	Payload []byte
}

// Out is a message to publish, not retained.
type Out struct {
	Topic   string
	Payload []byte
}

// New returns a collector for a store.
func New(o Options) *Collector {
	c := &Collector{name: o.Name, key: o.Key, store: o.Store, now: o.Now, observe: o.Observe,
		log: cmp.Or(o.Log, slog.New(slog.DiscardHandler))}
	if c.now == nil {
		c.now = time.Now
	}
	if c.observe == nil {
		c.observe = func(Event) {}
	}
	return c
}

// Announce returns what to publish each time the collector has connected and
// subscribed: every gate answers it with a hello. The error is of a name that
// is none.
func (c *Collector) Announce() (Out, error) {
	b, err := wire.Announce{Collector: c.name}.Encode()
	return Out{Topic: wire.TopicAnnounce, Payload: b}, err
}

// Handle judges one message and returns what to publish: one have, or nothing.
// It is total: no message makes it fail or panic, and only what an admitted
// gate signed as the continuation of its journal becomes part of the record.
// Several goroutines may call it; a gate's messages should come in the order
// in which they were sent, or some must be sent again.
//
// A crash inside Handle loses nothing: the gate was told nothing, and comes
// again.
func (c *Collector) Handle(ctx context.Context, m Message) []Out {
	gate, kind, err := wire.ParseTopic(m.Topic)
	var out []Out
	if err == nil {
		out, err = c.judge(ctx, gate, kind, m.Payload)
	}
	var f fault
	switch {
	case err == nil:
	case !errors.As(err, &f):
		c.refuse(ctx, gate, m.Payload, err)
	case ctx.Err() == nil: // else the collector stops, which is nobody's fault
		c.fail(gate, err)
	}
	return out
}

// taker deals with a payload of one kind from a gate as it is stored.
type taker func(ctx context.Context, g Gate, payload []byte) ([]Out, error)

// judge returns what to publish and, apart from that, why the message is
// refused or, as a fault, could not be dealt with.
func (c *Collector) judge(ctx context.Context, gate string, kind wire.Kind, payload []byte) ([]Out, error) {
	var take taker
	switch kind {
	case wire.KindHello:
		take = c.hello
	case wire.KindBatch:
		take = c.batch
	case wire.KindAlarm:
		take = c.alarm
	case wire.KindStatus:
		take = c.status
	default: // a collector's own word, heard by one that subscribes to all
		return nil, nil
	}
	out, err := c.takeAsStored(ctx, gate, payload, take)
	if errors.Is(err, ErrConflict) { // somebody was faster: see what is stored now
		out, err = c.takeAsStored(ctx, gate, payload, take)
	}
	return out, err
}

func (c *Collector) takeAsStored(ctx context.Context, gate string, payload []byte, take taker) ([]Out, error) {
	g, err := c.store.Gate(ctx, gate)
	if err != nil {
		return nil, blame(err)
	}
	return take(ctx, g, payload)
}

// have returns the acknowledgement of what is stored of a gate's newest
// journal. It is the only place that signs: g must be what the store returned,
// with at most a change that the store has made since.
func (c *Collector) have(g Gate) ([]Out, error) {
	checkpoint := wire.Checkpoint{Origin: g.Name, Epoch: g.Epoch, Head: g.Tree.Head()}
	b, err := wire.Have{Collector: c.name, Checkpoint: checkpoint, Wall: c.now().UnixMilli()}.Sign(c.key)
	if err != nil {
		return nil, fault{err}
	}
	return []Out{{Topic: wire.Topic(g.Name, wire.KindHave), Payload: b}}, nil
}
