package mqtt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

func TestAGatesSessionGreetsByItsNameWithNothingKeptAndItsWill(t *testing.T) {
	greeted := make(chan *packets.ConnectPacket, 1)
	asked := make(chan *packets.SubscribePacket, 1)
	o := options(serve(t, func(s script) error {
		c, err := s.connect(packets.Accepted)
		if err != nil {
			return err
		}
		greeted <- c
		p, err := expect[*packets.SubscribePacket](s)
		if err != nil {
			return err
		}
		asked <- p // before the answer: who is answered has asked
		if err := s.grant(p, 1); err != nil {
			return err
		}
		return s.drain()
	}))
	will := mqtt.Message{Topic: "menshen/v1/east/up/status", Payload: []byte("gone")}
	o.Subscribe = nil
	session, err := mqtt.Transport{Options: o}.Connect(t.Context(), will)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()

	c := <-greeted
	if c.ProtocolVersion != 4 || c.ClientIdentifier != "east" || c.Username != "east" || string(c.Password) != "secret" {
		t.Errorf("greeted as %v", c)
	}
	if !c.CleanSession || c.Keepalive != 30 {
		t.Errorf("clean session %v, keep alive %d s; want true, 30", c.CleanSession, c.Keepalive)
	}
	if !c.WillFlag || !c.WillRetain || c.WillQos != 1 || c.WillTopic != will.Topic || string(c.WillMessage) != "gone" {
		t.Errorf("will is %v", c)
	}
	select {
	case p := <-asked:
		slices.Sort(p.Topics)
		if want := []string{"menshen/v1/-/collector", "menshen/v1/east/down/+"}; !slices.Equal(p.Topics, want) || !slices.Equal(p.Qoss, []byte{1, 1}) {
			t.Errorf("subscribed to %v with %v", p.Topics, p.Qoss)
		}
	default:
		t.Error("Connect returned before the subscriptions were in force")
	}
}

func TestWhatAPersonMustSeeToIsErrRefused(t *testing.T) {
	for code, want := range map[byte]bool{
		packets.ErrRefusedIDRejected:            true,
		packets.ErrRefusedBadUsernameOrPassword: true,
		packets.ErrRefusedNotAuthorised:         true,
		packets.ErrRefusedServerUnavailable:     false,
	} {
		t.Run(packets.ConnackReturnCodes[code], func(t *testing.T) {
			url := serve(t, func(s script) error {
				_, err := s.connect(code)
				return err
			})
			if s, err := (mqtt.Transport{Options: options(url)}).Connect(t.Context(), mqtt.Message{}); s != nil || err == nil || errors.Is(err, uplink.ErrRefused) != want {
				t.Errorf("got %v, ErrRefused wanted: %v", err, want)
			}
		})
	}
	t.Run("subscription", func(t *testing.T) {
		url := serve(t, func(s script) error {
			if _, err := s.connect(packets.Accepted); err != nil {
				return err
			}
			if _, err := s.subscribe(0x80); err != nil {
				return err
			}
			return s.drain()
		})
		if _, err := mqtt.Dial(t.Context(), options(url)); !errors.Is(err, uplink.ErrRefused) {
			t.Errorf("got %v, want ErrRefused", err)
		}
	})
}

func TestDialEndsWithItsContextWhereverItStands(t *testing.T) {
	for name, answer := range map[string]func(script) error{
		"before the greeting is answered": func(s script) error {
			_, err := expect[*packets.ConnectPacket](s)
			return err
		},
		"before the subscription is answered": func(s script) error {
			if _, err := s.connect(packets.Accepted); err != nil {
				return err
			}
			_, err := expect[*packets.SubscribePacket](s)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			url := serve(t, func(s script) error {
				if err := answer(s); err != nil {
					return err
				}
				cancel()
				return s.drain()
			})
			if _, err := mqtt.Dial(ctx, options(url)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		})
	}
}

func TestPublishWaitsForNoAnswerUntilSixteenAreOwed(t *testing.T) {
	s := dial(t, options(serve(t, func(s script) error {
		if err := s.accept(); err != nil {
			return err
		}
		return s.drain() // and never acknowledges
	})))
	for range 16 {
		if err := s.Publish(t.Context(), "menshen/v1/east/up/hello", []byte("hello"), false); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Publish(ctx, "menshen/v1/east/up/hello", []byte("hello"), false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the seventeenth: got %v, want %v", err, context.DeadlineExceeded)
	}
	s.Close()
	if err := s.Publish(t.Context(), "menshen/v1/east/up/hello", nil, false); err == nil {
		t.Error("published on a session that was closed")
	}
}

// Whoever reads the packets finds what a broker is asked for: nothing where the
// protocol repeats, one answer where it does not.
func TestOnlyWhatIsSaidOnceAsksForTheBrokersCare(t *testing.T) {
	want := map[wire.Kind]byte{wire.KindHello: 1, wire.KindBatch: 0, wire.KindAlarm: 1, wire.KindStatus: 1, wire.KindHave: 0, wire.KindHold: 1}
	got := make(chan map[string]byte, 1)
	s := dial(t, options(serve(t, func(s script) error {
		if err := s.accept(); err != nil {
			return err
		}
		heard := map[string]byte{}
		for range want {
			p, err := expect[*packets.PublishPacket](s)
			if err != nil {
				return err
			}
			heard[p.TopicName] = p.Qos
		}
		got <- heard
		return s.drain()
	})))
	for kind := range want {
		if err := s.Publish(t.Context(), wire.Topic("east", kind), []byte("said"), false); err != nil {
			t.Fatal(err)
		}
	}
	heard := <-got
	for kind, quality := range want {
		if q, ok := heard[wire.Topic("east", kind)]; !ok || q != quality {
			t.Errorf("%v: quality %d, %v, want %d", kind, q, ok, quality)
		}
	}
}

func TestPublishRefusesWhatNoPeerWouldRead(t *testing.T) {
	s := dial(t, options(serve(t, func(s script) error {
		if err := s.accept(); err != nil {
			return err
		}
		return s.drain()
	})))
	if err := s.Publish(t.Context(), "menshen/v1/east/up/batch", make([]byte, wire.MaxPayload+1), false); err == nil {
		t.Error("published more than wire.MaxPayload")
	}
}

func TestCloseSendsWhatWasPublishedThenSaysGoodbye(t *testing.T) {
	parted := make(chan error, 1)
	s := dial(t, options(serve(t, func(s script) error {
		if err := s.accept(); err != nil {
			return err
		}
		p, err := expect[*packets.PublishPacket](s)
		if err == nil && (string(p.Payload) != "offline" || !p.Retain || p.Qos != 1) {
			err = fmt.Errorf("got %v", p)
		}
		if err == nil {
			_, err = expect[*packets.DisconnectPacket](s)
		}
		parted <- err
		return nil
	})))
	if err := s.Publish(t.Context(), "menshen/v1/east/up/status", []byte("offline"), true); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	if err := <-parted; err != nil {
		t.Error(err)
	}
	if err := ended(t, s); err == nil {
		t.Error("a closed session has no cause")
	}
}

func TestMessagesKeepTheirOrder(t *testing.T) {
	const n = 500
	s := dial(t, options(serve(t, func(s script) error {
		if err := s.accept(); err != nil {
			return err
		}
		for i := range n {
			if err := s.send(i, "menshen/v1/east/down/have", fmt.Append(nil, i)); err != nil {
				return err
			}
			if _, err := expect[*packets.PubackPacket](s); err != nil {
				return err
			}
		}
		return s.drain()
	})))
	for i := range n {
		if m := take(t, s); string(m.Payload) != fmt.Sprint(i) || m.Topic != "menshen/v1/east/down/have" {
			t.Fatalf("got %v at place %d", m, i)
		}
	}
}

// flood sends n messages of a size while nobody takes them, and reads until
// the client has acknowledged them all and published one of its own.
func flood(s script, n, size int) error {
	sent := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < n && err == nil; i++ {
			err = s.send(i, "menshen/v1/east/down/roster", make([]byte, size))
		}
		sent <- err
	}()
	acknowledged, published := 0, 0
	for acknowledged < n || published < 1 {
		p, err := packets.ReadPacket(s.conn)
		if err != nil {
			return fmt.Errorf("after %d of %d: %w", acknowledged, n, err)
		}
		switch p.(type) {
		case *packets.PubackPacket:
			acknowledged++
		case *packets.PublishPacket:
			published++
		}
	}
	return <-sent
}

func TestAFloodBlocksNothingAndIsBounded(t *testing.T) {
	for _, c := range []struct {
		name         string
		n, size, max int
	}{
		// One more than are queued is already on its way to the receiver.
		{"many small ones", 5000, 8, 1024 + 1},
		{"few large ones", 30, 1 << 20, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			over, room := make(chan struct{}), make(chan struct{})
			s := dial(t, options(serve(t, func(s script) error {
				if err := s.accept(); err != nil {
					return err
				}
				if err := flood(s, c.n, c.size); err != nil {
					return err
				}
				close(over)
				<-room
				if err := s.send(c.n, "menshen/v1/east/down/hold", nil); err != nil {
					return err
				}
				return s.drain()
			})))
			if err := s.Publish(t.Context(), "menshen/v1/east/up/alarm", []byte("now"), false); err != nil {
				t.Fatal(err)
			}
			<-over
			got := 3
			for range got {
				take(t, s)
			}
			close(room)
			for take(t, s).Topic != "menshen/v1/east/down/hold" {
				got++
			}
			if got > c.max || got < c.max-1 {
				t.Errorf("%d of %d messages were kept, want %d", got, c.n, c.max)
			}
		})
	}
}

func TestASessionEndsWithItsConnection(t *testing.T) {
	for name, last := range map[string][]byte{
		"the broker goes":                                nil,
		"a packet is longer than any message":            {0x30, 0x81, 0x80, 0x80, 0x03},
		"a packet's length has no end":                   {0x30, 0xff, 0xff, 0xff, 0xff},
		"a suback says more than was asked":              {0x90, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00},
		"the broker speaks as a client does":             {0x10, 0x00},
		"the broker asks for a quality that is not used": {0x62, 0x02, 0x00, 0x01},
	} {
		t.Run(name, func(t *testing.T) {
			ready := make(chan struct{})
			s := dial(t, options(serve(t, func(s script) error {
				if err := s.accept(); err != nil {
					return err
				}
				<-ready
				if last == nil {
					return nil
				}
				if _, err := s.conn.Write(last); err != nil {
					return err
				}
				s.drain() // may be reset, as the client leaves bytes unread
				return nil
			})))
			close(ready)
			err := ended(t, s)
			if err == nil || (last == nil) != errors.Is(err, io.EOF) {
				t.Errorf("the cause is %v", err)
			}
			if err := s.Publish(t.Context(), "menshen/v1/east/up/hello", nil, false); err == nil {
				t.Error("published on a session that ended")
			}
		})
	}
}

func TestAPasswordTravelsOpenlyOnlyWithinThisMachineOrByPermission(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that what is permitted fails before it dials
	for url, permitted := range map[string]bool{
		"mqtt://127.0.0.1:1":   true,
		"mqtt://localhost":     true,
		"mqtt://[::1]:1":       true,
		"mqtts://district.cn":  true,
		"mqtt://192.0.2.1":     false,
		"mqtt://district.cn":   false,
		"mqtt://localhost.cn":  false,
		"mqtt://127.0.0.1.cn":  false,
		"tcp://127.0.0.1":      false,
		"ws://127.0.0.1":       false,
		"127.0.0.1:1883":       false,
		"mqtts://":             false,
		"mqtts://a:b@host":     false,
		"mqtts://host/path":    false,
		"mqtts://host:port":    false,
		"mqtts://secret\x00@h": false,
	} {
		_, err := mqtt.Dial(ctx, options(url))
		if errors.Is(err, context.Canceled) != permitted {
			t.Errorf("%s: got %v, permitted should be %v", url, err, permitted)
		}
	}
	o := options("mqtt://192.0.2.1")
	o.Insecure = true
	if _, err := mqtt.Dial(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("with permission: got %v", err)
	}
}

func TestNoErrorShowsAPassword(t *testing.T) {
	for _, url := range []string{"mqtts://east:secret@host", "mqtts://east:secret\x00@host", "://east:secret@host"} {
		if _, err := mqtt.Dial(t.Context(), options(url)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	}
}
