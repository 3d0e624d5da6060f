package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// maxFlight is how many messages may wait for the broker's answer. More
	// gain nothing; each is held in memory until then.
	maxFlight = 16
	// maxQueued and maxQueuedBytes bound what has come and was not taken.
	maxQueued      = 1024
	maxQueuedBytes = 4 * wire.MaxPayload
	// farewell is how long Close waits to say so, in milliseconds.
	farewell = 250
)

// errClosed is why a session ended that Close ended.
var errClosed = errors.New("session closed")

// Session is one connection to a broker. Its methods may be called from
// several goroutines.
type Session struct {
	client paho.Client
	link   *link
	log    *slog.Logger

	// life ends with the session; its cause is the first fault.
	life context.Context
	end  context.CancelCauseFunc

	flight   chan struct{} // a token for each message that waits for its answer
	queue    chan Message
	queued   atomic.Int64 // bytes in queue
	behind   atomic.Bool  // something was dropped, and said so
	messages chan Message
}

func newSession(conn net.Conn, subscriptions int, log *slog.Logger) *Session {
	s := &Session{
		log:      log,
		flight:   make(chan struct{}, maxFlight),
		queue:    make(chan Message, maxQueued),
		messages: make(chan Message),
	}
	s.life, s.end = context.WithCancelCause(context.Background())
	s.link = &link{Conn: conn, guard: guard{subscriptions: subscriptions}, lost: s.fail}
	return s
}

// begin connects and subscribes.
func (s *Session) begin(ctx context.Context, filters []string) error {
	stop := context.AfterFunc(ctx, func() { s.fail(context.Cause(ctx)) })
	defer stop()
	connect := s.client.Connect()
	if err := s.await(connect); err != nil {
		return refusal(connect, err)
	}
	if err := s.subscribe(filters); err != nil {
		return err
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return nil
}

// await waits for the answer to one request, or for the end of the session:
// by itself a token may wait for ever.
func (s *Session) await(t paho.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-s.life.Done():
		return s.Err()
	}
}

// refusal makes uplink.ErrRefused of the answers that a person must see to. A
// session that ended before there was an answer has none: the client would
// still be writing where it is read.
func refusal(t paho.Token, err error) error {
	select {
	case <-t.Done():
	default:
		return err
	}
	if c, ok := t.(*paho.ConnectToken); ok {
		switch c.ReturnCode() {
		case packets.ErrRefusedIDRejected, packets.ErrRefusedBadUsernameOrPassword, packets.ErrRefusedNotAuthorised:
			return fmt.Errorf("%w: %w", uplink.ErrRefused, err)
		}
	}
	return err
}

func (s *Session) subscribe(filters []string) error {
	if len(filters) == 0 {
		return nil
	}
	want := make(map[string]byte)
	for _, f := range filters {
		want[f] = atLeastOnce
	}
	t := s.client.SubscribeMultiple(want, nil)
	if err := s.await(t); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	granted := t.(*paho.SubscribeToken).Result()
	for _, f := range filters {
		if quality, ok := granted[f]; !ok || quality != atLeastOnce {
			return fmt.Errorf("subscribe to %s: %w", f, uplink.ErrRefused)
		}
	}
	return nil
}

// Publish hands a message to the connection and returns; that the broker has
// it, let alone anyone else, is not said. It waits while 16 messages are not
// written, or without the answer that the broker owes, until ctx ends or the session does. The
// payload must not be changed afterwards. Messages from one goroutine
// that ask for one quality of service arrive in order as long as none fails;
// batches and haves may overtake the rest.
func (s *Session) Publish(ctx context.Context, topic string, payload []byte, retain bool) error {
	if err := s.publish(ctx, topic, payload, retain); err != nil {
		return fmt.Errorf("publish on %s: %w", topic, err)
	}
	return nil
}

func (s *Session) publish(ctx context.Context, topic string, payload []byte, retain bool) error {
	if len(payload) > wire.MaxPayload {
		return fmt.Errorf("%d bytes are more than %d", len(payload), wire.MaxPayload)
	}
	select {
	case s.flight <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.life.Done():
		return s.Err()
	}
	handed := make(chan struct{})
	go func() {
		defer func() { <-s.flight }()
		t := s.client.Publish(topic, qualityOf(topic), retain, payload) // waits while an earlier one is being written
		close(handed)
		s.await(t) // what it says means nothing: see the package comment
	}()
	select {
	case <-handed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.life.Done():
		return s.Err()
	}
}

// qualityOf returns with which quality of service a message goes to the broker.
func qualityOf(topic string) byte {
	switch _, kind, err := wire.ParseTopic(topic); {
	case err == nil && (kind == wire.KindBatch || kind == wire.KindHave):
		return atMostOnce
	}
	return atLeastOnce
}

// receive takes a message from the client, whose only reader waits for it:
// what does not fit is dropped, and the protocol repeats it.
func (s *Session) receive(m Message) {
	size := int64(len(m.Topic) + len(m.Payload))
	if s.queued.Add(size) <= maxQueuedBytes {
		select {
		case s.queue <- m:
			return
		default:
		}
	}
	s.queued.Add(-size)
	if s.behind.CompareAndSwap(false, true) {
		s.log.Warn("messages dropped: they come faster than they are taken", "topic", m.Topic)
	}
}

// pass brings what has come to whoever takes it.
func (s *Session) pass() {
	for {
		select {
		case m := <-s.queue:
			s.queued.Add(-int64(len(m.Topic) + len(m.Payload)))
			select {
			case s.messages <- m:
			case <-s.life.Done():
				return
			}
		case <-s.life.Done():
			return
		}
	}
}

// Messages brings what is received, in order. At most 1,024 messages and
// 16 MiB wait to be taken; what comes beyond is dropped. It is never closed:
// Done says when nothing more will come.
func (s *Session) Messages() <-chan Message { return s.messages }

// Done is closed when the session has ended. It does not come back.
func (s *Session) Done() <-chan struct{} { return s.life.Done() }

// Err says why the session ended, nil while it has not.
func (s *Session) Err() error { return context.Cause(s.life) }

// Close ends the session in good order: what was published before goes out
// first, and the will is not spoken. It takes 0.3 s at most, and may be
// called again.
func (s *Session) Close() {
	s.end(errClosed)
	s.client.Disconnect(farewell)
	s.link.Close()
}

// fail ends the session at once, for the reason that comes first.
func (s *Session) fail(err error) {
	s.end(err)
	s.link.Close()
}
