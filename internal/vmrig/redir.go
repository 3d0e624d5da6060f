package vmrig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Packets of the USB redirection protocol (usbredir, usb-redirection-protocol
// 0.7), as the side that has the device sees them.
const (
	redirHello           = 0
	redirConnect         = 1
	redirInterfaces      = 4
	redirEndpoints       = 5
	redirSetConfig       = 6
	redirGetConfig       = 7
	redirConfigStatus    = 8
	redirSetAlt          = 9
	redirGetAlt          = 10
	redirAltStatus       = 11
	redirStartInterrupt  = 15
	redirStopInterrupt   = 16
	redirInterruptStatus = 17
	redirControl         = 100
	redirInterrupt       = 103
)

// Capabilities: the version of a device at its connection, packet sizes of
// endpoints, identifiers of 64 bits, lengths of 32 bits.
const redirCaps = 1<<1 | 1<<4 | 1<<5 | 1<<6

const (
	redirWide  = 1 << 5 // of redirCaps: without it every header is shorter
	redirStall = 4      // a status; 0 is success
	redirFull  = 1      // a speed: 12 Mbit/s
	// redirMost bounds a packet: nothing here transfers more than a few bytes.
	redirMost = 1 << 16
)

// A gadget is what hangs at the end of a USB cable.
type gadget interface {
	// describe says what it is; it never changes.
	describe() description
	// power is told when the cable is plugged and pulled. Whatever the gadget
	// held is gone then.
	power(on bool)
	// control answers a request that is not one of every device. A read returns
	// what is sent, not ok is a stall.
	control(s setup) (reply []byte, ok bool)
}

// setup is a control request with the bytes that came with it.
type setup struct {
	kind, request        byte
	value, index, length uint16
	data                 []byte
}

// in reports whether the host wants to be sent something.
func (s setup) in() bool { return s.kind&0x80 != 0 }

// packet is one packet of the protocol, without its header.
type packet struct {
	kind uint32
	id   uint64
	body []byte
}

// cable is a gadget that is plugged into a machine.
type cable struct {
	g    gadget
	conn net.Conn
	gone chan struct{} // closed once the gadget has no power any more

	known atomic.Bool // the machine was told what is plugged in
	mu    sync.Mutex  // of what is written
}

// plug connects a gadget to a socket that a machine listens at, until it is
// pulled or the machine is gone.
func plug(conn net.Conn, g gadget) *cable {
	c := &cable{g: g, conn: conn, gone: make(chan struct{})}
	g.power(true)
	go func() {
		defer close(c.gone)
		_ = c.serve() // the machine went, or the cable was pulled
		c.conn.Close()
		g.power(false)
	}()
	return c
}

// pull takes the gadget off the machine and waits until it has no power.
func (c *cable) pull() {
	c.conn.Close() // ends a write that nobody reads
	<-c.gone
}

// serve answers until the connection ends.
func (c *cable) serve() error {
	hello := make([]byte, 64, 68)
	copy(hello, "menshen")
	if err := c.write(packet{kind: redirHello, body: binary.LittleEndian.AppendUint32(hello, redirCaps)}); err != nil {
		return err
	}
	p, err := readPacket(c.conn, false)
	if err != nil {
		return err
	}
	if p.kind != redirHello || len(p.body) < 68 || binary.LittleEndian.Uint32(p.body[64:])&redirWide == 0 {
		return fmt.Errorf("packet %d of %d bytes is no hello with wide identifiers", p.kind, len(p.body))
	}
	if err := c.introduce(); err != nil {
		return err
	}
	c.known.Store(true)
	for {
		p, err := readPacket(c.conn, true)
		if err != nil {
			return err
		}
		reply, ok, err := answer(c.g, p)
		if err != nil {
			return err
		}
		if ok {
			if err := c.write(reply); err != nil {
				return err
			}
		}
	}
}

// introduce tells what is plugged in.
func (c *cable) introduce() error {
	d := c.g.describe()
	return errors.Join(
		c.write(packet{kind: redirInterfaces, body: d.redirInterfaces()}),
		c.write(packet{kind: redirEndpoints, body: d.redirEndpoints()}),
		c.write(packet{kind: redirConnect, body: d.redirConnect()}),
	)
}

// push sends what an interrupt endpoint has to say. A machine that does not know
// yet what is plugged in hears nothing of it.
func (c *cable) push(endpoint byte, data []byte) error {
	if !c.known.Load() {
		return nil
	}
	body := binary.LittleEndian.AppendUint16([]byte{endpoint, 0}, uint16(len(data)))
	return c.write(packet{kind: redirInterrupt, body: append(body, data...)})
}

func (c *cable) write(p packet) error {
	head := binary.LittleEndian.AppendUint32(nil, p.kind)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(p.body)))
	if p.kind == redirHello {
		head = binary.LittleEndian.AppendUint32(head, uint32(p.id))
	} else {
		head = binary.LittleEndian.AppendUint64(head, p.id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.conn.Write(append(head, p.body...))
	return err
}

// readPacket reads one packet; wide says that its identifier has 64 bits.
func readPacket(r io.Reader, wide bool) (packet, error) {
	head := make([]byte, 12, 16)
	if wide {
		head = head[:16]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return packet{}, err
	}
	p := packet{kind: binary.LittleEndian.Uint32(head), id: uint64(binary.LittleEndian.Uint32(head[8:]))}
	if wide {
		p.id = binary.LittleEndian.Uint64(head[8:])
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n > redirMost {
		return packet{}, fmt.Errorf("packet %d says that it has %d bytes", p.kind, n)
	}
	p.body = make([]byte, n)
	_, err := io.ReadFull(r, p.body)
	return p, err
}

// answer returns what a gadget sends back; not ok is nothing. What has to do
// with filters, resets and cancelled transfers needs no answer: nothing here
// waits.
func answer(g gadget, p packet) (reply packet, ok bool, err error) {
	reply.id = p.id
	need := map[uint32]int{redirSetConfig: 1, redirSetAlt: 2, redirGetAlt: 1, redirStartInterrupt: 1, redirStopInterrupt: 1, redirControl: 10, redirInterrupt: 4}
	if len(p.body) < need[p.kind] {
		return reply, false, fmt.Errorf("packet %d has only %d bytes", p.kind, len(p.body))
	}
	switch p.kind {
	case redirSetConfig, redirGetConfig:
		reply.kind, reply.body = redirConfigStatus, []byte{0, 1}
	case redirSetAlt, redirGetAlt:
		reply.kind, reply.body = redirAltStatus, []byte{0, p.body[0], 0}
	case redirStartInterrupt, redirStopInterrupt:
		reply.kind, reply.body = redirInterruptStatus, []byte{0, p.body[0]}
	case redirInterrupt: // a report of the host's: taken
		reply.kind, reply.body = redirInterrupt, []byte{p.body[0], 0, p.body[2], p.body[3]}
	case redirControl:
		reply.kind, reply.body = redirControl, answerControl(g, p.body)
	default:
		return reply, false, nil
	}
	return reply, true, nil
}

// answerControl answers a control packet: endpoint, request, kind, status,
// value, index, length, and data in either direction.
func answerControl(g gadget, body []byte) []byte {
	s := setup{
		request: body[1], kind: body[2],
		value: binary.LittleEndian.Uint16(body[4:]), index: binary.LittleEndian.Uint16(body[6:]),
		length: binary.LittleEndian.Uint16(body[8:]), data: body[10:],
	}
	data, ok := g.describe().standard(s)
	if !ok {
		data, ok = g.control(s)
	}
	reply := append([]byte{}, body[:10]...)
	reply[3] = 0 // a request has anything there
	if !ok {
		reply[3], data = redirStall, nil
	}
	if s.in() {
		data = data[:min(len(data), int(s.length))]
		binary.LittleEndian.PutUint16(reply[8:], uint16(len(data)))
		return append(reply, data...)
	}
	return reply
}
