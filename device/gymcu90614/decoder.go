package gymcu90614

import (
	"fmt"

	"github.com/menshen/menshen/device"
)

// A frame: 5A 5A, type 45, payload length 04, object and ambient big-endian in
// hundredths of a degree Celsius, and the low byte of the sum of the rest.
const (
	frameLen = 9
	header   = "\x5A\x5A\x45\x04"
)

// frame holds the two fields of one frame as they were transferred.
type frame struct {
	object, ambient uint16
}

// decoder finds frames in a byte stream that may begin anywhere and carry
// noise. It is pure and holds less than one frame.
type decoder struct {
	buf [frameLen]byte
	n   int
}

// push takes one byte. It reports true when that byte completed a frame, and
// device.ErrCorrupt when it completed one whose sum is wrong. Bytes that cannot
// belong to a frame are dropped without a word: a stream may begin mid-frame.
func (d *decoder) push(b byte) (frame, bool, error) {
	d.buf[d.n] = b
	d.n++
	d.resync()
	if d.n < frameLen {
		return frame{}, false, nil
	}
	if want := sum(d.buf[:frameLen-1]); b != want {
		// A frame that lost bytes has swallowed the head of the next one.
		d.drop()
		d.resync()
		return frame{}, false, fmt.Errorf("%w: sum %#02x, want %#02x", device.ErrCorrupt, b, want)
	}
	d.n = 0
	return frame{
		object:  uint16(d.buf[4])<<8 | uint16(d.buf[5]),
		ambient: uint16(d.buf[6])<<8 | uint16(d.buf[7]),
	}, true, nil
}

// resync drops bytes until the rest can begin a frame.
func (d *decoder) resync() {
	for {
		k := min(d.n, len(header))
		if string(d.buf[:k]) == header[:k] {
			return
		}
		d.drop()
	}
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
