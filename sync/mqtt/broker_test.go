package mqtt_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/menshen/menshen/sync/mqtt"
)

// patience is what a test waits for something that must come.
const patience = 20 * time.Second

// script is the broker's side of one connection, as a test wants it.
type script struct {
	conn net.Conn
}

// connect reads the greeting and answers it.
func (s script) connect(code byte) (*packets.ConnectPacket, error) {
	c, err := expect[*packets.ConnectPacket](s)
	if err != nil {
		return nil, err
	}
	answer := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
	answer.ReturnCode = code
	return c, answer.Write(s.conn)
}

// subscribe reads a subscription and answers each filter of it with a code.
func (s script) subscribe(code byte) (*packets.SubscribePacket, error) {
	p, err := expect[*packets.SubscribePacket](s)
	if err != nil {
		return nil, err
	}
	return p, s.grant(p, code)
}

func (s script) grant(p *packets.SubscribePacket, code byte) error {
	answer := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	answer.MessageID = p.MessageID
	for range p.Topics {
		answer.ReturnCodes = append(answer.ReturnCodes, code)
	}
	return answer.Write(s.conn)
}

// accept does both in favour of the client.
func (s script) accept() error {
	if _, err := s.connect(packets.Accepted); err != nil {
		return err
	}
	_, err := s.subscribe(1)
	return err
}

// send publishes to the client.
func (s script) send(n int, topic string, payload []byte) error {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, uint16(n%65_535+1), topic, payload
	return p.Write(s.conn)
}

// drain reads until the client is gone.
func (s script) drain() error {
	_, err := io.Copy(io.Discard, s.conn)
	return err
}

// expect reads the next packet, which must be a T.
func expect[T packets.ControlPacket](s script) (T, error) {
	var none T
	p, err := packets.ReadPacket(s.conn)
	if err != nil {
		return none, err
	}
	if t, ok := p.(T); ok {
		return t, nil
	}
	return none, fmt.Errorf("got a %T, want a %T", p, none)
}

// serve runs a script for the one connection to a listener of its own and
// returns that listener's URL. A script that fails fails the test.
func serve(t *testing.T, run func(script) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- nil // nobody came
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		done <- run(script{conn})
	}()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("the broker's side: %v", err)
		}
	})
	return "mqtt://" + l.Addr().String()
}

func options(url string) mqtt.Options {
	return mqtt.Options{
		URL: url, Name: "east", Password: "secret",
		Subscribe: []string{"menshen/v1/east/down/+", "menshen/v1/-/collector"},
		Log:       slog.New(slog.DiscardHandler),
	}
}

func dial(t *testing.T, o mqtt.Options) *mqtt.Session {
	t.Helper()
	s, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// take returns the next message.
func take(t *testing.T, s *mqtt.Session) mqtt.Message {
	t.Helper()
	select {
	case m := <-s.Messages():
		return m
	case <-s.Done():
		t.Fatalf("the session ended: %v", s.Err())
	case <-time.After(patience):
		t.Fatal("no message came")
	}
	return mqtt.Message{}
}

// ended waits for the end of a session and returns its cause.
func ended(t *testing.T, s *mqtt.Session) error {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the session did not end")
	}
	return s.Err()
}
