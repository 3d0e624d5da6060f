package sim

import (
	"encoding/binary"
	"sync"
	"time"
)

// The times of a Grow GM67: how long it listens after a byte, and how long it
// takes to wake up by one.
const (
	gm67Awake = time.Second
	gm67Wakes = 50 * time.Millisecond
)

// Opcodes of both sides.
const (
	gm67Set     = 0xC6
	gm67Get     = 0xC7
	gm67Ack     = 0xD0
	gm67Nak     = 0xD1
	gm67Report  = 0xD6
	gm67Trigger = 0xE4
)

// gm67 is the command side of a Grow GM67: parameters of one byte behind frames
// length, opcode, source, status, data, checksum.
type gm67 struct {
	mu     sync.Mutex
	params map[byte]byte
	buf    []byte    // an unfinished frame; at most 255+2 bytes
	last   time.Time // of the newest byte
	up     time.Time // when it listens after having been woken
	scans  int
}

func newGM67() *gm67 {
	return &gm67{params: map[byte]byte{
		0x8A: 0x04, // scans continuously
		0xEC: 0x01, // setup codes are obeyed
		0xEE: 0x00, // codes are sent as they are
	}}
}

func (g *gm67) zone(addr uint16) byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.params[byte(addr)]
}

func (g *gm67) triggers() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.scans
}

// take consumes bytes of the host and returns the replies to the frames that
// they complete.
func (g *gm67) take(b []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if now.Sub(g.last) > gm67Awake {
		g.up = now.Add(gm67Wakes) // whatever the byte is, it is lost
		g.buf = nil
	}
	g.last = now
	if now.Before(g.up) {
		return nil
	}
	var out []byte
	for _, c := range b {
		if len(g.buf) == 0 && c < 4 {
			continue
		}
		if g.buf = append(g.buf, c); len(g.buf) == int(g.buf[0])+2 {
			out = append(out, g.answer(g.buf)...)
			g.buf = nil
		}
	}
	return out
}

func (g *gm67) answer(f []byte) []byte {
	body := f[:len(f)-2]
	if binary.BigEndian.Uint16(f[len(f)-2:]) != complement(body) || body[2] != 0x04 {
		return gm67Frame(gm67Nak, 0x01)
	}
	data := body[4:]
	switch {
	case body[1] == gm67Set && len(data) == 3:
		g.params[data[1]] = data[2]
		return gm67Frame(gm67Ack)
	case body[1] == gm67Get && len(data) == 1:
		return gm67Frame(gm67Report, 0, data[0], g.params[data[0]])
	case body[1] == gm67Trigger && g.params[0x8A] == 0x08:
		g.scans++
		return gm67Frame(gm67Ack)
	case body[1] == gm67Ack:
		return nil
	}
	return gm67Frame(gm67Nak, 0x06)
}

// gm67Frame is a frame of the engine.
func gm67Frame(opcode byte, data ...byte) []byte {
	f := append([]byte{byte(4 + len(data)), opcode, 0x00, 0x00}, data...)
	return binary.BigEndian.AppendUint16(f, complement(f))
}

// complement is the two's complement of the sum of bytes.
func complement(b []byte) (sum uint16) {
	for _, c := range b {
		sum -= uint16(c)
	}
	return sum
}
