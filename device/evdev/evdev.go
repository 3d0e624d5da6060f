// Package evdev reads scanners and card readers that are keyboards to the
// computer: from the kernel's input events (Documentation/input/input.rst,
// include/uapi/linux/input.h) to the text that was typed.
//
// It knows the layout of an event on 64-bit and 32-bit systems, the keys of the
// US layout, which scanners have as they leave the factory, and how a device is
// taken for this process alone. It does not know where a device is found, nor
// where one code ends and the next begins: Enter and Tab come out as CR, and
// package scanner reads the rest as from any line.
package evdev

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// Layout is the size of one event in bytes.
type Layout int

// The two layouts differ in the size of the time at the beginning.
const (
	Layout64 Layout = 24
	Layout32 Layout = 16
)

// NativeLayout returns what the kernel gives to this process. A 32-bit process
// gets the short one from a 64-bit kernel too.
func NativeLayout() Layout {
	if bits.UintSize == 64 {
		return Layout64
	}
	return Layout32
}

// Event types, codes and values (include/uapi/linux/input-event-codes.h).
const (
	typeSyn = 0
	typeKey = 1

	synReport  = 0
	synDropped = 3

	keyCapsLock   = 58
	keyLeftShift  = 42
	keyRightShift = 54

	released = 0
	pressed  = 1 // 2 is the repetition of a key that is held
)

// Cancel stands in the text where something was typed that is no character, or
// was lost. It is a control byte: a code that holds one must not be used.
const Cancel = 0x18

// ErrTakesNothing is the fault of every Write: a keyboard takes no commands.
var ErrTakesNothing = errors.New("a keyboard takes no commands")

// Reader turns the events of one keyboard into text. One goroutine at a time
// may read it.
type Reader struct {
	events io.ReadCloser
	dec    decoder
	buf    [64 * Layout64]byte
	text   []byte // typed and not yet read; at most one byte an event of buf
}

// NewReader returns a reader of the events of a keyboard. Who gives it away
// need not close events any more.
func NewReader(events io.ReadCloser, l Layout) (*Reader, error) {
	if l != Layout64 && l != Layout32 {
		return nil, fmt.Errorf("evdev: no layout has events of %d bytes", l)
	}
	return &Reader{events: events, dec: decoder{size: int(l)}}, nil
}

// Read returns what was typed, at least one byte, as soon as it is typed. Like
// the stream below it may return (0, nil); its errors are those of that stream.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.text) == 0 {
		n, err := r.events.Read(r.buf[:])
		r.text = r.dec.feed(r.text[:0], r.buf[:n])
		if len(r.text) == 0 && (err != nil || n == 0) {
			return 0, err
		}
		// An error beside text comes again with the next Read.
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// Write returns ErrTakesNothing.
func (r *Reader) Write([]byte) (int, error) { return 0, ErrTakesNothing }

// Close closes the stream of events.
func (r *Reader) Close() error { return r.events.Close() }

var _ io.ReadWriteCloser = (*Reader)(nil)

// decoder is the keyboard's state. It is pure and holds less than one event.
type decoder struct {
	size int
	part [Layout64]byte // of an event that a read has cut
	n    int
	held map[uint16]bool // keys that change others
	caps bool            // Caps Lock is on
	lost bool            // events were lost and the next packet has not begun
}

// feed appends what the bytes type to text.
func (d *decoder) feed(text, p []byte) []byte {
	for len(p) > 0 {
		k := copy(d.part[d.n:d.size], p)
		p = p[k:]
		if d.n += k; d.n < d.size {
			break
		}
		d.n = 0
		e := d.part[d.size-8 : d.size] // behind the time
		text = d.event(text, binary.NativeEndian.Uint16(e), binary.NativeEndian.Uint16(e[2:]), int32(binary.NativeEndian.Uint32(e[4:])))
	}
	return text
}

// event takes one event.
func (d *decoder) event(text []byte, kind, code uint16, value int32) []byte {
	switch {
	case kind == typeSyn && code == synDropped:
		// Keys were lost, and what follows up to the next packet is of the
		// past. Which keys are held nobody knows now.
		d.lost, d.held = true, nil
		return append(text, Cancel)
	case kind == typeSyn && code == synReport:
		d.lost = false
		return text
	case kind != typeKey, d.lost:
		return text
	}
	if modifies(code) {
		if d.held == nil {
			d.held = make(map[uint16]bool)
		}
		d.held[code] = value != released
		return text
	}
	switch {
	case value != pressed:
		return text
	case code == keyCapsLock:
		d.caps = !d.caps
		return text
	}
	return append(text, d.key(code))
}

// key returns the character of a key that is pressed, or Cancel.
func (d *decoder) key(code uint16) byte {
	shift := false
	for k, down := range d.held {
		switch {
		case !down:
		case k == keyLeftShift, k == keyRightShift:
			shift = true
		default:
			return Cancel // with Ctrl, Alt or Meta it is a command
		}
	}
	plain, shifted := character(code)
	if letter := plain >= 'a' && plain <= 'z'; letter && d.caps {
		shift = !shift
	}
	if shift {
		return shifted
	}
	return plain
}
