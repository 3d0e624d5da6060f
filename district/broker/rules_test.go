package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// TestEveryBrokerKeepsTheRules holds the broker in this package and a real
// mosquitto with the shipped configuration to the same rules.
func TestEveryBrokerKeepsTheRules(t *testing.T) {
	rules := map[string]func(*testing.T, *running){
		"messages go up and down":                               messagesGoUpAndDown,
		"a gate hears what is for it and nothing else":          aGateHearsOnlyItsOwn,
		"a gate speaks about itself and nothing else":           aGateSpeaksOnlyForItself,
		"a gate's name cannot be taken over":                    aNameCannotBeTakenOver,
		"no one connects without a name and its password":       noOneConnectsUnknown,
		"the will is spoken for a gate that is lost":            theWillIsSpoken,
		"a gate that says goodbye leaves no will":               goodbyeLeavesNoWill,
		"a will about another gate is not spoken":               aWillAboutAnotherIsNot,
		"status waits for a collector that comes later":         statusIsRetained,
		"the longest message passes":                            theLongestMessagePasses,
		"a longer one ends its session and no other":            aLongerMessageEndsItsSession,
		"a broker that dies ends every session, and comes back": aBrokerDiesAndComesBack,
		"a receiver that is behind blocks nobody":               aReceiverBehindBlocksNobody,
	}
	for kind, start := range map[string]func(*testing.T) *running{"embedded": embedded, "mosquitto": mosquitto} {
		t.Run(kind, func(t *testing.T) {
			for rule, check := range rules {
				t.Run(rule, func(t *testing.T) { check(t, start(t)) })
			}
		})
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

func say(t *testing.T, s *mqtt.Session, topic, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Publish(ctx, topic, []byte(text), false); err != nil {
		t.Fatal(err)
	}
}

// hear wants the next message to be this one.
func hear(t *testing.T, s *mqtt.Session, topic, text string) {
	t.Helper()
	if m := next(t, s); m.Topic != topic || string(m.Payload) != text {
		t.Fatalf("heard %.40q on %s, want %.40q on %s", m.Payload, m.Topic, text, topic)
	}
}

func next(t *testing.T, s *mqtt.Session) mqtt.Message {
	t.Helper()
	select {
	case m := <-s.Messages():
		return m
	case <-s.Done():
		t.Fatalf("the session ended: %v", s.Err())
	case <-time.After(patience):
		t.Fatal("nothing was heard")
	}
	return mqtt.Message{}
}

// latecomer is a session that was told a retained message when it began. A
// broker may retain a message only after it has told those who were there, so
// one that comes in between hears nothing, or the message before: then the next
// one is tried.
func latecomer(t *testing.T, o mqtt.Options, topic, text string) *mqtt.Session {
	t.Helper()
	for late := time.After(patience); ; {
		s := dial(t, o)
		select {
		case m := <-s.Messages():
			if m.Topic == topic && string(m.Payload) == text {
				return s
			}
		case <-time.After(patience / 30):
		case <-late:
			t.Fatalf("nobody who comes later is told %q", text)
		}
		s.Close()
	}
}

func ended(t *testing.T, s *mqtt.Session) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the session goes on")
	}
}

func messagesGoUpAndDown(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	o := r.gate("east")
	o.Subscribe = []string{wire.FilterDown("east"), wire.TopicAnnounce}
	east := dial(t, o)
	say(t, east, "menshen/v1/east/up/hello", "here")
	hear(t, collector, "menshen/v1/east/up/hello", "here")
	say(t, collector, "menshen/v1/east/down/have", "stored")
	hear(t, east, "menshen/v1/east/down/have", "stored")
	say(t, collector, "menshen/v1/-/collector", "me")
	hear(t, east, "menshen/v1/-/collector", "me")
}

func aGateHearsOnlyItsOwn(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	east := dial(t, r.gate("east"))
	for _, filter := range []string{"menshen/v1/east/down/#", "menshen/v1/east/up/#", "menshen/v1/+/down/have", "menshen/#", "#", "$MQTT/sub/#", "$SYS/#"} {
		o := r.gate("west")
		o.Subscribe = append(o.Subscribe, filter)
		west, err := mqtt.Dial(t.Context(), o)
		if errors.Is(err, uplink.ErrRefused) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		// Some brokers grant it and then bring nothing.
		say(t, collector, "menshen/v1/east/down/have", "for east")
		hear(t, east, "menshen/v1/east/down/have", "for east")
		say(t, east, "menshen/v1/east/up/hello", "from east")
		hear(t, collector, "menshen/v1/east/up/hello", "from east")
		say(t, collector, "menshen/v1/west/down/have", "for west")
		hear(t, west, "menshen/v1/west/down/have", "for west")
		west.Close()
	}
}

func aGateSpeaksOnlyForItself(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf("menshen/v1/#"))
	west := dial(t, r.gate("west"))
	for _, topic := range []string{
		"menshen/v1/east/up/hello", "menshen/v1/east/up/status", "menshen/v1/east/down/have", "menshen/v1/west/down/policy",
		"menshen/v1/-/collector", "menshen/v1/west/up/more", "menshen/v1/west",
	} {
		say(t, west, topic, "forged")
	}
	for _, k := range []wire.Kind{wire.KindHello, wire.KindBatch, wire.KindAlarm, wire.KindStatus} {
		say(t, west, wire.Topic("west", k), "true")
	}
	var heard []string // in no order: batches may overtake the rest
	for !slices.Contains(heard, "menshen/v1/west/up/status") || !slices.Contains(heard, "menshen/v1/west/up/batch") {
		if m := next(t, collector); !slices.Contains(heard, m.Topic) {
			heard = append(heard, m.Topic)
		}
	}
	slices.Sort(heard)
	if want := []string{"menshen/v1/west/up/alarm", "menshen/v1/west/up/batch", "menshen/v1/west/up/hello", "menshen/v1/west/up/status"}; !slices.Equal(heard, want) {
		t.Errorf("heard on %v, want %v", heard, want)
	}
}

func aNameCannotBeTakenOver(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	east := dial(t, r.gate("east"))
	// West is who it says, and asks to be called east.
	raw, code, err := greet(t, r, greeting{id: "east", user: "west", password: passwords()["west"]})
	if err == nil && code == 0 {
		// Let in under its own name, then: let it have its say, so that the
		// broker is done with it.
		raw.Write(publishPacket("menshen/v1/west/up/hello", []byte("let in")))
		hear(t, collector, "menshen/v1/west/up/hello", "let in")
	}
	say(t, east, "menshen/v1/east/up/hello", "still here")
	hear(t, collector, "menshen/v1/east/up/hello", "still here")
	say(t, collector, "menshen/v1/east/down/have", "still heard")
	hear(t, east, "menshen/v1/east/down/have", "still heard")
	if err := east.Err(); err != nil {
		t.Errorf("east's session ended: %v", err)
	}
}

func noOneConnectsUnknown(t *testing.T, r *running) {
	for name, g := range map[string]greeting{
		"anonymous":        {id: "east"},
		"without password": {id: "east", user: "east"},
		"wrong password":   {id: "east", user: "east", password: "west's own"},
		"unknown name":     {id: "north", user: "north", password: "east's own"},
		"a wildcard":       {id: "+", user: "+", password: "east's own"},
		"another wildcard": {id: "*", user: "*", password: "east's own"},
	} {
		if _, code, err := greet(t, r, g); err == nil && code == 0 {
			t.Errorf("%s: let in", name)
		}
	}
	for _, o := range []mqtt.Options{r.gate("east"), r.gate("north"), r.collectorOf(wire.FilterUp)} {
		o.Password = "guess"
		if _, err := mqtt.Dial(t.Context(), o); !errors.Is(err, uplink.ErrRefused) {
			t.Errorf("%s: got %v, want ErrRefused", o.Name, err)
		}
	}
	dial(t, r.gate("east")) // or every refusal above would mean nothing
}

// lose connects a gate with a will and lets the connection end without goodbye.
func lose(t *testing.T, r *running, name string, will mqtt.Message) {
	t.Helper()
	raw, code, err := greet(t, r, greeting{id: name, user: name, password: passwords()[name], will: will})
	if err != nil || code != 0 {
		t.Fatalf("%s is not let in: code %d, %v", name, code, err)
	}
	raw.Close()
}

func theWillIsSpoken(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	lose(t, r, "east", mqtt.Message{Topic: "menshen/v1/east/up/status", Payload: []byte("lost")})
	hear(t, collector, "menshen/v1/east/up/status", "lost")
	collector.Close()
	latecomer(t, r.collectorOf(wire.FilterUp), "menshen/v1/east/up/status", "lost") // it is retained
}

func goodbyeLeavesNoWill(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	o := r.gate("east")
	o.Will = mqtt.Message{Topic: "menshen/v1/east/up/status", Payload: []byte("lost")}
	east := dial(t, o)
	say(t, east, "menshen/v1/east/up/status", "goodbye")
	east.Close()
	hear(t, collector, "menshen/v1/east/up/status", "goodbye")
	// The same client's next session begins when the broker is done with this.
	say(t, dial(t, r.gate("east")), "menshen/v1/east/up/hello", "again")
	hear(t, collector, "menshen/v1/east/up/hello", "again")
}

func aWillAboutAnotherIsNot(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf("menshen/v1/#"))
	lose(t, r, "west", mqtt.Message{Topic: "menshen/v1/east/up/status", Payload: []byte("forged")})
	lose(t, r, "west", mqtt.Message{Topic: "menshen/v1/west/up/status", Payload: []byte("lost")})
	hear(t, collector, "menshen/v1/west/up/status", "lost")
	collector.Close()
	later := latecomer(t, r.collectorOf("menshen/v1/#"), "menshen/v1/west/up/status", "lost")
	say(t, dial(t, r.gate("east")), "menshen/v1/east/up/hello", "over")
	hear(t, later, "menshen/v1/east/up/hello", "over") // nothing was retained beside it
}

func statusIsRetained(t *testing.T, r *running) {
	east := dial(t, r.gate("east"))
	for _, text := range []string{"first", "second"} {
		if err := east.Publish(t.Context(), "menshen/v1/east/up/status", []byte(text), true); err != nil {
			t.Fatal(err)
		}
	}
	latecomer(t, r.collectorOf(wire.FilterUp), "menshen/v1/east/up/status", "second")
}

func theLongestMessagePasses(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	east := dial(t, r.gate("east"))
	for _, size := range []int{1 << 20, wire.MaxPayload} {
		text := string(bytes.Repeat([]byte("entries!"), size/8))
		say(t, east, "menshen/v1/east/up/batch", text)
		hear(t, collector, "menshen/v1/east/up/batch", text)
		say(t, collector, "menshen/v1/east/down/roster", text)
		hear(t, east, "menshen/v1/east/down/roster", text)
	}
}

func aLongerMessageEndsItsSession(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	east := dial(t, r.gate("east"))
	raw, code, err := greet(t, r, greeting{id: "west", user: "west", password: passwords()["west"]})
	if err != nil || code != 0 {
		t.Fatalf("west is not let in: code %d, %v", code, err)
	}
	raw.Write(publishPacket("menshen/v1/west/up/batch", make([]byte, wire.MaxPayload+8<<10))) // may fail half-way
	if _, err := io.Copy(io.Discard, raw); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the session goes on")
	}
	say(t, east, "menshen/v1/east/up/hello", "still here")
	hear(t, collector, "menshen/v1/east/up/hello", "still here")
}

func aBrokerDiesAndComesBack(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	east := dial(t, r.gate("east"))
	r.restart(t)
	ended(t, east)
	ended(t, collector)
	collector = dial(t, r.collectorOf(wire.FilterUp))
	east = dial(t, r.gate("east"))
	say(t, east, "menshen/v1/east/up/hello", "again")
	hear(t, collector, "menshen/v1/east/up/hello", "again")
}

func aReceiverBehindBlocksNobody(t *testing.T, r *running) {
	collector := dial(t, r.collectorOf(wire.FilterUp))
	east := dial(t, r.gate("east"))
	for i := range 3000 {
		say(t, east, "menshen/v1/east/up/batch", fmt.Sprint(i))
	}
	// Nobody has taken one yet.
	say(t, collector, "menshen/v1/east/down/have", "alive")
	hear(t, east, "menshen/v1/east/down/have", "alive")
	hear(t, collector, "menshen/v1/east/up/batch", "0")
}

// greeting is a CONNECT packet (MQTT 3.1.1 §3.1) as a client of ours would not
// send it.
type greeting struct {
	id, user, password string
	will               mqtt.Message
}

// greet sends a greeting and returns the broker's answer. The connection ends
// with the test.
func greet(t *testing.T, r *running, g greeting) (conn *tls.Conn, code byte, err error) {
	t.Helper()
	conn, err = tls.Dial("tcp", r.addr, r.trust)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(g.packet()); err != nil {
		return conn, 0, err
	}
	var answer [4]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return conn, 0, err
	}
	return conn, answer[3], nil
}

func (g greeting) packet() []byte {
	body := append(text("MQTT"), 4, 0x02, 0, 30) // 3.1.1, clean session, 30 s
	body = append(body, text(g.id)...)
	if g.will.Topic != "" {
		body[7] |= 0x04 | 0x08 | 0x20 // will, at least once, retained
		body = append(body, text(g.will.Topic)...)
		body = append(body, text(string(g.will.Payload))...)
	}
	if g.user != "" {
		body[7] |= 0x80
		body = append(body, text(g.user)...)
	}
	if g.password != "" {
		body[7] |= 0x40
		body = append(body, text(g.password)...)
	}
	return packet(0x10, body)
}

// publishPacket is a PUBLISH packet (§3.3) that asks for no answer.
func publishPacket(topic string, payload []byte) []byte {
	return packet(0x30, append(text(topic), payload...))
}

// text is a string as packets hold it (§1.5.3).
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// packet puts the fixed header (§2.2) before a body. Its length is written as
// protocol buffers write theirs.
func packet(kind byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)
}
