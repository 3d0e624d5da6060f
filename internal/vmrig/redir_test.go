package vmrig

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
)

// peer is the machine's end of a cable.
type peer struct {
	t *testing.T
	net.Conn
}

// plugged plugs a gadget into a machine that says hello.
func plugged(t *testing.T, g gadget) (*peer, *cable) {
	t.Helper()
	here, there := net.Pipe()
	p := &peer{t, here}
	t.Cleanup(func() { here.Close() })
	c := plug(there, g)
	if hello, err := readPacket(here, false); err != nil || hello.kind != redirHello {
		t.Fatalf("%+v, %v", hello, err)
	}
	p.send(redirHello, append(make([]byte, 64), redirWide, 0, 0, 0))
	for _, kind := range []uint32{redirInterfaces, redirEndpoints, redirConnect} {
		if got := p.hear(); got.kind != kind {
			t.Fatalf("packet %d, want %d", got.kind, kind)
		}
	}
	return p, c
}

func (p *peer) send(kind uint32, body []byte) {
	p.t.Helper()
	head := binary.LittleEndian.AppendUint32(nil, kind)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(body)))
	head = append(head, 7, 0, 0, 0)
	if kind != redirHello {
		head = append(head, 0, 0, 0, 0)
	}
	if _, err := p.Write(append(head, body...)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) hear() packet {
	p.t.Helper()
	got, err := readPacket(p, true)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

// ask makes a control request and returns status and data.
func (p *peer) ask(kind, request byte, value, index uint16, length int, data ...byte) (status byte, reply []byte) {
	p.t.Helper()
	// A request has anything where the status stands.
	body := []byte{kind & 0x80, request, kind, 0x5C}
	for _, v := range []uint16{value, index, uint16(length)} {
		body = binary.LittleEndian.AppendUint16(body, v)
	}
	p.send(redirControl, append(body, data...))
	got := p.hear()
	if got.kind != redirControl || got.id != 7 || len(got.body) < 10 {
		p.t.Fatalf("answered %+v", got)
	}
	return got.body[3], got.body[10:]
}

func TestAGadgetDescribesItselfToItsHost(t *testing.T) {
	for name, g := range map[string]gadget{"bridge": &tinyUSB{}, "lines": &cp2112{}, "keyboard": keyboard{}} {
		t.Run(name, func(t *testing.T) {
			p, _ := plugged(t, g)
			d := g.describe()
			status, device := p.ask(0x80, getDescriptor, ofDevice<<8, 0, 64)
			if status != 0 || len(device) != 18 || binary.LittleEndian.Uint16(device[8:]) != d.vendor {
				t.Errorf("device %d % x", status, device)
			}
			status, config := p.ask(0x80, getDescriptor, ofConfig<<8, 0, 255)
			if status != 0 || len(config) < 18 || int(binary.LittleEndian.Uint16(config[2:])) != len(config) {
				t.Errorf("configuration %d % x", status, config)
			}
			if _, head := p.ask(0x80, getDescriptor, ofConfig<<8, 0, 9); !bytes.Equal(head, config[:9]) {
				t.Errorf("the first 9 bytes are % x", head)
			}
			if status, _ := p.ask(0x80, getDescriptor, 0x77<<8, 0, 9); status != redirStall {
				t.Errorf("what it does not have has status %d", status)
			}
		})
	}
}

func TestAPulledGadgetHasNoPower(t *testing.T) {
	lines := &cp2112{}
	p, c := plugged(t, lines)
	p.ask(0x21, hidSetReport, 0x0302, 0, 5, cpConfig, 0xFF, 0xFF, 0, 0)
	p.ask(0x21, hidSetReport, 0x0304, 0, 3, cpSet, 0x01, 0x01)
	if !lines.high(0) || !lines.taken() {
		t.Fatal("line 0 is not driven high")
	}
	c.pull()
	if lines.high(0) || lines.taken() {
		t.Error("without power a line is high")
	}
	if err := c.push(keyboardIn, []byte{1}); err == nil {
		t.Error("a pulled cable carries")
	}
}

func TestAKeyTypedBeforeTheMachineKnowsTheKeyboardIsLost(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	c := plug(there, keyboard{})
	if _, err := here.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	// The rest of the hello waits for a reader: a key must not wait behind it.
	if err := typeDigits(c, "1"); err != nil {
		t.Fatal(err)
	}
	here.Close()
	<-c.gone
}

func TestABadgeIsTypedDigitByDigitAndEnds(t *testing.T) {
	p, c := plugged(t, keyboard{})
	p.ask(0x21, 0x0A, 0, 0, 0) // answered once it is known
	typed := make(chan error, 1)
	go func() { typed <- typeDigits(c, "90") }()
	var keys []byte
	for range 6 {
		got := p.hear()
		if got.kind != redirInterrupt || got.body[0] != keyboardIn || len(got.body) != 12 {
			t.Fatalf("typed %+v", got)
		}
		keys = append(keys, got.body[6])
	}
	if err := <-typed; err != nil || !bytes.Equal(keys, []byte{0x26, 0, 0x27, 0, 0x28, 0}) {
		t.Errorf("keys % x, %v", keys, err)
	}
	if err := typeDigits(c, "x"); err == nil {
		t.Error("a letter is typed")
	}
}

// FuzzPackets: whatever a host sends, a gadget's answer is bounded and is of the
// packet that was sent.
func FuzzPackets(f *testing.F) {
	f.Add([]byte{100, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x80, 6, 0x80, 0, 0, 1, 0, 0, 64, 0})
	f.Add([]byte{100, 0, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0x21, 0, 4, 3, 0, 0, 3, 0, 4, 1, 1})
	f.Add([]byte{103, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPacket(bytes.NewReader(b), true)
		if err != nil {
			return
		}
		if len(p.body) > len(b) {
			t.Fatalf("%d bytes of %d", len(p.body), len(b))
		}
		for _, g := range []gadget{&cp2112{powered: true}, keyboard{}} {
			reply, ok, err := answer(g, p)
			if err == nil && ok && (reply.id != p.id || len(reply.body) > redirMost+10) {
				t.Fatalf("answer %d of %d bytes to %d", reply.id, len(reply.body), p.id)
			}
		}
	})
}
