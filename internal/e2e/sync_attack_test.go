package e2e_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// rogueName is a gate's that is let in and lies.
	rogueName = "rogue"
	// ghostName is one that has a password at the broker and is no gate.
	ghostName = "ghost"
	// genuine is how many entries the rogue sends in good faith.
	genuine = 2
)

// siege is a collector with an honest gate and a rogue one.
type siege struct {
	d *e2e.District
	b *e2e.Bench
	g *e2e.Gate
	m *e2e.Mosquitto // nil where the collector brings its own broker

	options mqtt.Options // the rogue's
	session *mqtt.Session
	key     ed25519.PrivateKey
	first   []byte // the rogue's only honest batch
	leaves  [][]byte
	honest  uint64 // how many entries of the honest gate are stored
}

func besiege(t *testing.T, s e2e.DistrictSetup) *siege {
	t.Helper()
	d := e2e.NewDistrict(t, s)
	b := prepared(t, e2e.Setup{}, 1, 50, d)
	x := &siege{d: d, b: b, g: b.Run(), m: s.Mosquitto, key: newKey(t)}
	d.AwaitWhole(b, e2e.Soon)
	x.options = d.Admit(rogueName, wire.FormatPublicKey(x.key.Public().(ed25519.PublicKey)))
	x.options.Subscribe = []string{wire.FilterDown(rogueName)}
	x.join(t)
	for counter := range uint32(genuine + 1) {
		body, err := entry.Encode(entry.Arrival{Counter: counter + 1, End: entry.EndDecided, Outcome: e2e.Admit})
		must(t, err)
		leaf, err := entry.Entry{Kind: entry.KindArrival, Wall: time.Now().UnixMilli(), Body: body}.Marshal()
		must(t, err)
		x.leaves = append(x.leaves, leaf)
	}
	hello, err := wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: x.checkpoint(0)}, Encodings: []byte{wire.EncodingEntries}}.Sign(x.key)
	must(t, err)
	x.say(t, wire.Topic(rogueName, wire.KindHello), hello)
	x.hearHave(t, 0)
	x.first, err = wire.SignBatch(x.key, x.checkpoint(genuine), x.leaves[:genuine])
	must(t, err)
	x.say(t, wire.Topic(rogueName, wire.KindBatch), x.first)
	x.hearHave(t, genuine)
	x.honest = d.Size(e2e.GateName)
	return x
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return key
}

// join connects the rogue, as often as it takes: the embedded broker holds off
// for a second whoever comes back while it still has the session before.
func (x *siege) join(t *testing.T) {
	t.Helper()
	if x.session != nil {
		x.session.Close()
	}
	e2e.Await(t, e2e.Soon, "the rogue has a session", func() bool {
		s, err := mqtt.Dial(t.Context(), x.options)
		if err == nil {
			x.session = s
			t.Cleanup(s.Close)
		}
		return err == nil
	})
}

// checkpoint is of the rogue's journal at a size.
func (x *siege) checkpoint(size int) wire.Checkpoint {
	var tree entry.Tree
	for _, leaf := range x.leaves[:size] {
		tree.Append(leaf)
	}
	return wire.Checkpoint{Origin: rogueName, Epoch: 1, Head: tree.Head()}
}

func (x *siege) say(t *testing.T, topic string, payload []byte) {
	t.Helper()
	must(t, x.session.Publish(t.Context(), topic, payload, false))
}

// batch says on the rogue's own topic.
func (x *siege) batch(t *testing.T, payload []byte) {
	t.Helper()
	x.say(t, wire.Topic(rogueName, wire.KindBatch), payload)
}

// hearHave waits for the collector's word that it has so much of the rogue.
func (x *siege) hearHave(t *testing.T, size uint64) {
	t.Helper()
	late := time.After(e2e.Soon)
	for {
		select {
		case m := <-x.session.Messages():
			u, err := wire.ParseHave(m.Payload)
			must(t, err)
			h, err := u.Verify(x.collectorKey(t), rogueName)
			must(t, err)
			if h.Size == size {
				return
			}
		case <-x.session.Done():
			t.Fatalf("the session ended: %v", x.session.Err())
		case <-late:
			t.Fatalf("no have of size %d", size)
		}
	}
}

func (x *siege) collectorKey(t *testing.T) ed25519.PublicKey {
	t.Helper()
	key, err := wire.ParsePublicKey(x.d.Tool("key"))
	must(t, err)
	return key
}

// passed waits until everything that the rogue has said so far was judged.
func (x *siege) passed(t *testing.T) {
	t.Helper()
	x.batch(t, x.first)
	x.hearHave(t, genuine)
}

// refused waits until a message of a gate was refused for a reason.
func (x *siege) refused(t *testing.T, gate, reason string) {
	t.Helper()
	e2e.Await(t, e2e.Soon, gate+" is refused: "+reason, func() bool {
		all, err := x.d.Record().Refusals(t.Context())
		for _, r := range all {
			if r.Gate == gate && strings.Contains(r.Reason, reason) {
				return true
			}
		}
		if err != nil {
			t.Error(err)
		}
		return false
	})
}

// unharmed fails the test if anything of an attack has reached the record or
// the honest gate.
func (x *siege) unharmed(t *testing.T) {
	t.Helper()
	if n := x.d.Size(e2e.GateName); n != x.honest {
		t.Errorf("%d entries of the honest gate, want %d", n, x.honest)
	}
	if n := x.d.Size(rogueName); n != genuine {
		t.Errorf("%d entries of the rogue, want %d", n, genuine)
	}
	all, err := x.d.Record().Refusals(t.Context())
	must(t, err)
	for _, r := range all {
		if r.Gate == e2e.GateName {
			t.Errorf("the honest gate is blamed: %s", r.Reason)
		}
	}
	if !x.d.Alive() || !x.g.Alive() || strings.Contains(x.g.Said(), "no session") {
		t.Error("collector or gate ended, or the gate lost its session")
	}
}

// forge signs a batch whose content may be anything.
func forge(t *testing.T, key ed25519.PrivateKey, c wire.Checkpoint, first uint64, content []byte) []byte {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	must(t, err)
	sum, signed, n := sha256.Sum256(content), c.Sign(key), c.Size-first
	statement, err := mode.Marshal([]any{"menshen batch v1", c.Origin, c.Epoch, c.Size, c.Root[:], first, n, sum[:]})
	must(t, err)
	message, err := mode.Marshal([]any{1, wire.KindBatch, []any{c.Origin, c.Epoch, c.Size, c.Root[:], signed.Signature[:]},
		first, n, content, ed25519.Sign(key, statement)})
	must(t, err)
	return message
}

// pack makes zstd of so many bytes of nothing.
func pack(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	must(t, err)
	_, err = io.CopyN(w, zeros{}, size)
	must(t, errors.Join(err, w.Close()))
	return b.Bytes()
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// greet connects the rogue without the client, under a client id of its
// choice. code is the broker's answer.
func (x *siege) greet(t *testing.T, id string) (conn net.Conn, code byte, err error) {
	t.Helper()
	text := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	// MQTT 3.1.1 §3.1: clean session, name and password, 30 s.
	body := append(text(nil, "MQTT"), 4, 0xC2, 0, 30)
	body = text(text(text(body, id), rogueName), x.options.Password)
	addr := x.d.Broker
	if x.options.TLS != nil {
		conn, err = tls.Dial("tcp", addr, x.options.TLS)
	} else {
		conn, err = net.Dial("tcp", addr)
	}
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(e2e.Soon)))
	_, err = conn.Write(append(binary.AppendUvarint([]byte{0x10}, uint64(len(body))), body...))
	must(t, err)
	var answer [4]byte
	_, err = io.ReadFull(conn, answer[:])
	return conn, answer[3], err
}

func (x *siege) anotherGatesTopic(t *testing.T) {
	status, err := wire.Status{}.Encode()
	must(t, err)
	x.say(t, wire.Topic(e2e.GateName, wire.KindStatus), status)
	x.say(t, wire.Topic(e2e.GateName, wire.KindBatch), x.first)
	x.passed(t)
}

func (x *siege) anothersClientID(t *testing.T) {
	// One broker refuses that, the other knows it under its own name and ends
	// its own earlier session.
	if conn, code, err := x.greet(t, e2e.GateName); err == nil && code == 0 {
		conn.Close()
		<-x.session.Done()
		x.join(t)
	}
	x.passed(t)
}

func (x *siege) nobodysGate(t *testing.T) {
	o := x.options
	o.Name, o.Subscribe = ghostName, nil
	if x.m != nil {
		o = x.m.Options(ghostName)
	}
	s, err := mqtt.Dial(t.Context(), o)
	if x.m == nil {
		if !errors.Is(err, uplink.ErrRefused) {
			t.Errorf("a gate that nobody knows got %v", err)
		}
		return
	}
	must(t, err)
	defer s.Close()
	must(t, s.Publish(t.Context(), wire.Topic(ghostName, wire.KindBatch), x.first, false))
	x.refused(t, ghostName, "not admitted")
}

func (x *siege) wrongSignature(t *testing.T) {
	b, err := wire.SignBatch(newKey(t), x.checkpoint(genuine+1), x.leaves[genuine:])
	must(t, err)
	x.batch(t, b)
	x.refused(t, rogueName, "signature does not verify")
}

func (x *siege) alteredEntry(t *testing.T) {
	before := len(x.refusals(t))
	b, err := wire.SignBatch(x.key, x.checkpoint(genuine+1), x.leaves[genuine:])
	must(t, err)
	const tail = 2 + ed25519.SignatureSize // the signature and its head
	b[len(b)-tail-5] ^= 1                  // in the content
	x.batch(t, b)
	e2e.Await(t, e2e.Soon, "it is refused", func() bool { return len(x.refusals(t)) > before })
}

func (x *siege) refusals(t *testing.T) []string {
	t.Helper()
	all, err := x.d.Record().Refusals(t.Context())
	must(t, err)
	var reasons []string
	for _, r := range all {
		reasons = append(reasons, r.Gate+": "+r.Reason)
	}
	return reasons
}

func (x *siege) anotherJournal(t *testing.T) {
	c := x.checkpoint(genuine + 1)
	c.Root[0] ^= 1
	b, err := wire.SignBatch(x.key, c, x.leaves[genuine:])
	must(t, err)
	x.batch(t, b)
	e2e.Await(t, e2e.Soon, "both checkpoints are kept", func() bool {
		all, err := x.d.Record().Divergences(t.Context())
		return err == nil && len(all) == 1 && all[0].Gate == rogueName && all[0].Claimed.Root == c.Root
	})
	x.hearHave(t, genuine)
}

func (x *siege) forgedHave(t *testing.T) {
	have, err := wire.Have{Collector: x.d.Name, Checkpoint: wire.Checkpoint{Origin: e2e.GateName, Epoch: 1,
		Head: entry.Head{Size: 1 << 20, Root: [32]byte{1}}}, Wall: time.Now().UnixMilli()}.Sign(x.key)
	must(t, err)
	topic := wire.Topic(e2e.GateName, wire.KindHave)
	x.say(t, topic, have)
	x.passed(t)
	if x.m == nil {
		return
	}
	// A broker that is in other hands brings it to the gate, which believes it
	// as little.
	s, err := mqtt.Dial(t.Context(), x.m.Options(e2e.WitnessName))
	must(t, err)
	defer s.Close()
	must(t, s.Publish(t.Context(), topic, have, false))
	e2e.Await(t, e2e.Soon, "the gate has read it", func() bool { return strings.Contains(x.g.Said(), "message not believed") })
	if strings.Contains(x.g.Said(), "phase=diverged") {
		t.Error("the gate believed it")
	}
}

func (x *siege) oldBatch(t *testing.T) {
	before := len(x.refusals(t))
	for range 3 {
		x.passed(t)
	}
	if after := x.refusals(t); len(after) != before {
		t.Errorf("what was true once is refused: %v", after)
	}
}

// longestMessage is what a stranger says that it will send.
const longestMessage = 100 << 20

func (x *siege) hugeMessage(t *testing.T) {
	var conn net.Conn
	e2e.Await(t, e2e.Soon, "the rogue is let in", func() bool { // see join
		var code byte
		var err error
		conn, code, err = x.greet(t, rogueName)
		return err == nil && code == 0
	})
	topic := wire.Topic(rogueName, wire.KindBatch)
	head := binary.AppendUvarint([]byte{0x30}, longestMessage)
	head = append(binary.BigEndian.AppendUint16(head, uint16(len(topic))), topic...)
	_, err := conn.Write(head)
	must(t, err)
	if _, err = io.CopyN(conn, zeros{}, longestMessage); err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the session goes on: %v", err)
	}
	<-x.session.Done() // one name, one session
	x.join(t)
	x.passed(t)
}

func (x *siege) zipBomb(t *testing.T) {
	c := x.checkpoint(genuine + 1)
	x.batch(t, forge(t, x.key, c, genuine, pack(t, 32*wire.MaxContent)))
	x.refused(t, rogueName, "content: ")
}

func (x *siege) noCBOR(t *testing.T) {
	for _, b := range [][]byte{nil, {0x9f}, {0xff}, bytes.Repeat([]byte{0x81}, 1<<20), []byte("hello")} {
		x.batch(t, b)
	}
	x.refused(t, rogueName, "parse batch: ")
}

// maxMemory is how much memory a collector may ever have used, in bytes.
const maxMemory = 256 << 20

func TestAttacksReachNothing(t *testing.T) {
	attacks := map[string]func(*siege, *testing.T){
		"on another gate's topic":         (*siege).anotherGatesTopic,
		"under another gate's client id":  (*siege).anothersClientID,
		"by a gate that nobody let in":    (*siege).nobodysGate,
		"with a wrong signature":          (*siege).wrongSignature,
		"with an entry that was altered":  (*siege).alteredEntry,
		"with another journal":            (*siege).anotherJournal,
		"with a forged have":              (*siege).forgedHave,
		"with an old batch":               (*siege).oldBatch,
		"with 100 MB":                     (*siege).hugeMessage,
		"with a batch that is a zip bomb": (*siege).zipBomb,
		"with what is no CBOR":            (*siege).noCBOR,
	}
	eachBroker(t, func(t *testing.T, s e2e.DistrictSetup) {
		x := besiege(t, s)
		for rule, attack := range attacks {
			t.Run(rule, func(t *testing.T) {
				x.join(t)
				attack(x, t)
				x.unharmed(t)
			})
		}
		x.b.Lane(1).Admit(1)
		asRecorded(t, x.b, x.d.AwaitWhole(x.b, e2e.Soon))
		page := x.d.Page("office")
		for _, shown := range []string{rogueName + "</b>", "signature does not verify", "parse batch: ", "content: "} {
			if !strings.Contains(page, shown) {
				t.Errorf("the page does not show %q", shown)
			}
		}
		if peak := x.d.Peak(); peak > maxMemory {
			t.Errorf("the collector has used %d bytes of memory", peak)
		} else {
			t.Logf("the collector has used %d MiB of memory at most", peak>>20)
		}
	})
}
