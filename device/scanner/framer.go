package scanner

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/device"
)

// openSilence ends the opening as a terminator does: what is sent after such a
// pause is the beginning of a code, not the rest of one.
const openSilence = 200 * time.Millisecond

// item is one thing that the framer found: a code, a code that cannot be used,
// or an engine's reply to a command. Exactly one field is set.
type item struct {
	code  []byte
	err   error
	reply []byte // the data bytes of the reply
}

type phase int

const (
	opening    phase = iota // discarding a line that may have lost its beginning
	collecting              // a code, perhaps still empty
	discarding              // the rest of a code that was refused
)

// framer turns bytes and the times of their arrival into items. It is pure,
// and holds at most maxLen bytes of a code and one reply.
type framer struct {
	engine  engine // nil where nothing on the line is a reply
	binary  bool
	silence time.Duration
	maxLen  int

	phase phase
	last  time.Time // of the newest byte, or of the opening
	code  []byte
	reply []byte // what may yet turn out to be a reply
	found []item
}

func newFramer(o Opts, now time.Time) *framer {
	return &framer{engine: o.Kind.engine(), binary: o.Binary, silence: o.Silence, maxLen: o.MaxLen, last: now}
}

// feed takes the bytes of one read, which arrived at now.
func (f *framer) feed(p []byte, now time.Time) []item {
	f.rest(now)
	f.last = now
	for _, b := range p {
		f.put(b)
	}
	return f.take()
}

// tick tells that nothing arrived until now.
func (f *framer) tick(now time.Time) []item {
	f.rest(now)
	return f.take()
}

// due returns when tick would change anything; false if never.
func (f *framer) due() (time.Time, bool) {
	switch {
	case f.phase == opening:
		return f.last.Add(max(openSilence, f.silence)), true
	case f.phase == discarding, len(f.code) > 0, len(f.reply) > 0:
		return f.last.Add(f.silence), true
	}
	return time.Time{}, false
}

func (f *framer) take() []item {
	out := f.found
	f.found = nil
	return out
}

// rest ends whatever is under way if the line was silent for long enough.
func (f *framer) rest(now time.Time) {
	at, ok := f.due()
	if !ok || now.Before(at) {
		return
	}
	broken := withoutEnds(f.reply)
	f.reply = nil
	for _, b := range broken {
		f.text(b)
	}
	f.end()
}

// put takes one byte and keeps the engine's replies, which may stand anywhere
// on the line, away from the code. No code contains their first byte.
func (f *framer) put(b byte) {
	if f.engine == nil || len(f.reply) == 0 && !f.engine.begins(b) {
		f.text(b)
		return
	}
	f.reply = append(f.reply, b)
	data, more, err := f.engine.parse(f.reply)
	if more {
		return
	}
	p := f.reply
	f.reply = nil
	if err == nil {
		f.found = append(f.found, item{reply: data})
		return
	}
	if errors.Is(err, errDisturbed) {
		p = withoutEnds(p)
	}
	// Not a reply: the first byte is text, and one may begin in the others.
	f.text(p[0])
	for _, b := range p[1:] {
		f.put(b)
	}
}

// withoutEnds takes the line ends out of a reply that was disturbed: they end
// nothing, and what stood behind them would be read as a code.
func withoutEnds(reply []byte) []byte {
	return slices.DeleteFunc(reply, func(b byte) bool { return b == '\r' || b == '\n' })
}

// text takes one byte of a code.
func (f *framer) text(b byte) {
	switch {
	case !f.binary && (b == '\r' || b == '\n'):
		f.end()
	case f.phase != collecting:
	case !f.binary && (b < 0x20 || b == 0x7F):
		f.refuse(fmt.Errorf("%w: control byte %#02x in a code", device.ErrInvalid, b))
	case len(f.code) == f.maxLen+f.tail():
		f.refuse(tooLong(f.maxLen))
	default:
		f.code = append(f.code, b)
	}
}

func tooLong(most int) error {
	return fmt.Errorf("%w: code longer than %d bytes", device.ErrInvalid, most)
}

func (f *framer) refuse(err error) {
	f.found = append(f.found, item{err: err})
	f.code = nil
	f.phase = discarding
}

// tail is how many bytes of terminator stand behind a code before it ends.
func (f *framer) tail() int {
	if f.binary {
		return len("\r\n")
	}
	return 0
}

// end closes the code under way; an empty one, as between CR and LF, is none.
func (f *framer) end() {
	if f.binary {
		f.code = bytes.TrimSuffix(f.code, []byte{'\n'})
		f.code = bytes.TrimSuffix(f.code, []byte{'\r'})
		if len(f.code) > f.maxLen {
			f.refuse(tooLong(f.maxLen))
		}
	}
	if len(f.code) > 0 {
		f.found = append(f.found, item{code: f.code})
		f.code = nil // the reader of the code owns it now
	}
	f.phase = collecting
}
