package sim

import (
	"encoding/binary"
	"sync"
	"time"
)

const (
	// gm65Ack answers every write: the reply 02 00, type 00, one byte 00.
	gm65Ack = "\x02\x00\x00\x01\x00\x33\x31"
	// gm65Gap is the pause inside a frame after which the engine forgets it.
	gm65Gap = 400 * time.Millisecond
	// gm65Unchecked stands in place of a CRC that shall not be verified.
	gm65Unchecked = 0xABCD
)

// Frame types of the host.
const (
	gm65Read  = 0x07
	gm65Write = 0x08
	gm65Save  = 0x09
)

// gm65 is the command side of a Grow GM65: a bank of one-byte zones behind
// frames 7E 00 | type | len | addr(2) | data | crc(2).
type gm65 struct {
	mu    sync.Mutex
	zones map[uint16]byte
	buf   []byte // an unfinished frame; at most 4+2+255+2 bytes
	last  time.Time
	scans int
}

func newGM65() *gm65 {
	return &gm65{zones: map[uint16]byte{
		0x0003: 0x01,               // setup codes are obeyed
		0x000A: 0x3E,               // the value in the maker's example
		0x002A: 0x39, 0x002B: 0x01, // 9600 baud
	}}
}

func (g *gm65) zone(addr uint16) byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.zones[addr]
}

func (g *gm65) triggers() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.scans
}

// take consumes bytes of the host and returns the replies to the frames that
// they complete. A frame with a wrong CRC gets none.
func (g *gm65) take(b []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if now.Sub(g.last) > gm65Gap {
		g.buf = g.buf[:0]
	}
	g.last = now
	var out []byte
	for _, c := range b {
		g.buf = append(g.buf, c)
		out = append(out, g.step()...)
	}
	return out
}

// step looks at the buffer after one more byte.
func (g *gm65) step() []byte {
	f := g.buf
	if f[0] != 0x7E || len(f) > 1 && f[1] != 0x00 {
		g.resync()
		return nil
	}
	if len(f) < 4 || len(f) < 8+int(f[3]) {
		return nil
	}
	body, sum := f[2:len(f)-2], binary.BigEndian.Uint16(f[len(f)-2:])
	g.buf = g.buf[:0]
	if sum != gm65Unchecked && sum != crcXModem(body) {
		return nil
	}
	return g.answer(body[0], binary.BigEndian.Uint16(body[2:4]), body[4:])
}

// resync keeps the byte that just came if a frame can begin with it.
func (g *gm65) resync() {
	c := g.buf[len(g.buf)-1]
	g.buf = g.buf[:0]
	if c == 0x7E {
		g.buf = append(g.buf, c)
	}
}

func (g *gm65) answer(kind byte, addr uint16, data []byte) []byte {
	switch {
	case kind == gm65Read && len(data) == 1:
		reply := []byte{0x00, data[0]}
		for i := range uint16(data[0]) {
			reply = append(reply, g.zones[addr+i])
		}
		reply = binary.BigEndian.AppendUint16(reply, crcXModem(reply))
		return append([]byte{0x02, 0x00}, reply...)
	case kind == gm65Write:
		for i, v := range data {
			g.zones[addr+uint16(i)] = v
		}
		if addr == 0x0002 && len(data) == 1 && data[0]&1 != 0 {
			g.scans++
		}
		return []byte(gm65Ack)
	case kind == gm65Save:
		return []byte(gm65Ack)
	default:
		return nil
	}
}

// crcXModem is CRC-16/XMODEM: polynomial 0x1021, initial value 0.
func crcXModem(b []byte) uint16 {
	var crc uint16
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
