package gymcu90614

import (
	"fmt"

	"github.com/menshen/menshen/device"
)

// longest is the length of the longest frame.
const longest = 12

// frame holds the fields of one frame as they were transferred.
type frame struct {
	object, ambient uint16
	body            uint16 // 0 where the module claims none
}

// decoder finds frames in a byte stream that may begin anywhere and carry
// noise. It is pure and holds less than one frame.
type decoder struct {
	p   protocol
	buf [longest]byte
	n   int
}

// push takes one byte. It reports true when that byte completed a frame, and
// device.ErrCorrupt when it completed one whose sum is wrong. Bytes that cannot
// belong to a frame are dropped without a word: a stream may begin mid-frame.
func (d *decoder) push(b byte) (frame, bool, error) {
	d.buf[d.n] = b
	d.n++
	d.resync()
	if d.n < d.p.length {
		return frame{}, false, nil
	}
	if want := sum(d.buf[d.p.summed : d.p.length-1]); b != want {
		// A frame that lost bytes has swallowed the head of the next one.
		d.drop()
		d.resync()
		return frame{}, false, fmt.Errorf("%w: sum %#02x, want %#02x", device.ErrCorrupt, b, want)
	}
	d.n = 0
	f := frame{object: d.field(d.p.object), ambient: d.field(d.p.object + 2)}
	if d.p.body > 0 {
		f.body = d.field(d.p.body)
	}
	return f, true, nil
}

func (d *decoder) field(at int) uint16 { return uint16(d.buf[at])<<8 | uint16(d.buf[at+1]) }

// resync drops bytes until the rest can begin a frame.
func (d *decoder) resync() {
	for !d.begins() {
		d.drop()
	}
}

// begins reports whether what is held can be the beginning of a frame.
func (d *decoder) begins() bool {
	for _, head := range d.p.heads {
		if k := min(d.n, len(head)); string(d.buf[:k]) == head[:k] {
			return true
		}
	}
	return false
}

// drop removes the oldest byte.
func (d *decoder) drop() {
	copy(d.buf[:], d.buf[1:d.n])
	d.n--
}

func sum(p []byte) byte {
	var s byte
	for _, b := range p {
		s += b
	}
	return s
}
