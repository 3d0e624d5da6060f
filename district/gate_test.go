package district

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"iter"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// fakeGate is a gate without lanes: a real journal and a real uplink over the
// collector's own broker.
type fakeGate struct {
	*journal.Journal
	t        *testing.T
	name     string
	key      ed25519.PrivateKey
	password string
	uplink   *uplink.Uplink
	mute     atomic.Bool // batches are lost on their way
	// documents are what came down and was not looked at.
	documents chan wire.Down
}

const fakePassword = "a password that is long"

func newGate(t *testing.T, name string) *fakeGate {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	g := &fakeGate{t: t, name: name, key: key, password: fakePassword, documents: make(chan wire.Down, 64)}
	g.Journal, err = journal.Open(t.Context(), journal.Options{Path: filepath.Join(t.TempDir(), "journal.db"), Now: now})
	must(t, err)
	t.Cleanup(func() { g.Close() })
	return g
}

func now() entry.Stamp {
	return entry.Stamp{Mono: time.Since(began), Wall: time.Now(), Clock: entry.ClockSynced}
}

var began = time.Now()

func (g *fakeGate) public() ed25519.PublicKey { return g.key.Public().(ed25519.PublicKey) }

// arrive appends an arrival and returns its place and bytes.
func (g *fakeGate) arrive(outcome uint8) (seq uint64, leaf []byte) {
	g.t.Helper()
	receipt, err := g.Append(g.t.Context(), journal.Draft{Kind: entry.KindArrival, Stamp: now(), Lane: 1,
		Body: entry.Arrival{End: entry.EndDecided, Outcome: outcome, Subject: 17}})
	must(g.t, err)
	for row, err := range g.Rows(g.t.Context(), receipt.Seq()) {
		must(g.t, err)
		return row.Seq, row.Bytes
	}
	g.t.Fatal("no row")
	return 0, nil
}

// record appends an entry, and has it sent if the uplink runs.
func (g *fakeGate) record(body any) {
	g.t.Helper()
	kind, _ := entry.KindOf(body)
	_, err := g.Append(g.t.Context(), journal.Draft{Kind: kind, Stamp: now(), Body: body})
	must(g.t, err)
	if g.uplink != nil {
		g.uplink.Grew()
	}
}

// next returns the next document of a kind; others that come before are lost.
func (g *fakeGate) next(kind wire.Kind) wire.Down {
	g.t.Helper()
	limit := time.After(2 * time.Minute) // an order may be repeated only after 30 s
	for {
		select {
		case d := <-g.documents:
			if d.Kind == kind {
				return d
			}
		case <-limit:
			g.t.Fatalf("no %v came to %s", kind, g.name)
		}
	}
}

// stream runs the uplink until the test or stop ends it.
func (g *fakeGate) stream(addr string, collector ed25519.PublicKey) (stop func()) {
	g.t.Helper()
	var err error
	g.uplink, err = uplink.New(uplink.Options{Gate: g.name, Key: g.key, Collector: uplink.Collector{Name: "yucai", Key: collector},
		Source: g, Transport: gateTransport{g, addr}, Now: now, Boot: g.Boot(),
		Down: func(d wire.Down) error {
			g.documents <- d
			return nil
		}})
	must(g.t, err)
	ctx, cancel := context.WithCancel(g.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.uplink.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	g.t.Cleanup(stop)
	return stop
}

// Leaves implements uplink.Source.
func (g *fakeGate) Leaves(ctx context.Context, from uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for row, err := range g.Rows(ctx, from) {
			if !yield(row.Bytes, err) {
				return
			}
		}
	}
}

// gateTransport connects a fakeGate as a gate does.
type gateTransport struct {
	gate *fakeGate
	addr string
}

func (tr gateTransport) Connect(ctx context.Context, will uplink.Message) (uplink.Session, error) {
	s, err := mqtt.Dial(ctx, mqtt.Options{URL: "mqtt://" + tr.addr, Name: tr.gate.name, Password: tr.gate.password, Will: mqtt.Message(will),
		Subscribe: []string{wire.FilterDown(tr.gate.name), wire.TopicAnnounce}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	out := &gateSession{Session: s, gate: tr.gate, messages: make(chan uplink.Message)}
	go out.pass()
	return out, nil
}

type gateSession struct {
	*mqtt.Session
	gate     *fakeGate
	messages chan uplink.Message
}

func (s *gateSession) pass() {
	for {
		select {
		case <-s.Done():
			return
		case m := <-s.Session.Messages():
			select {
			case <-s.Done():
				return
			case s.messages <- uplink.Message(m):
			}
		}
	}
}

func (s *gateSession) Messages() <-chan uplink.Message { return s.messages }

func (s *gateSession) Publish(ctx context.Context, topic string, payload []byte, retain bool) error {
	if s.gate.mute.Load() && topic == wire.Topic(s.gate.name, wire.KindBatch) {
		return nil
	}
	return s.Session.Publish(ctx, topic, payload, retain)
}
