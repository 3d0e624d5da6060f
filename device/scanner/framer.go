package scanner

import (
	"errors"
	"fmt"
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
	kind    Kind
	silence time.Duration
	maxLen  int

	phase phase
	last  time.Time // of the newest byte, or of the opening
	code  []byte
	reply []byte // what may yet turn out to be a reply
	found []item
}

func newFramer(o Opts, now time.Time) *framer {
	return &framer{kind: o.Kind, silence: o.Silence, maxLen: o.MaxLen, last: now}
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
	broken := f.reply
	f.reply = nil
	for _, b := range broken {
		f.text(b)
	}
	f.end()
}

// put takes one byte and keeps the engine's replies, which may stand anywhere
// on the line, away from the code. No code contains their first byte.
func (f *framer) put(b byte) {
	if f.kind != GM65 || len(f.reply) == 0 && b != replyHead[0] {
		f.text(b)
		return
	}
	f.reply = append(f.reply, b)
	data, more, err := parseReply(f.reply)
	if more {
		return
	}
	p := f.reply
	f.reply = nil
	if err == nil {
		f.found = append(f.found, item{reply: data})
		return
	}
	// Not a reply: the first byte is text, and one may begin in the others.
	f.text(p[0])
	for _, b := range p[1:] {
		f.put(b)
	}
}

// text takes one byte of a code.
func (f *framer) text(b byte) {
	switch {
	case b == '\r', b == '\n':
		f.end()
	case f.phase != collecting:
	case b < 0x20, b == 0x7F:
		f.refuse(fmt.Errorf("%w: control byte %#02x in a code", device.ErrInvalid, b))
	case len(f.code) == f.maxLen:
		f.refuse(fmt.Errorf("%w: code longer than %d bytes", device.ErrInvalid, f.maxLen))
	default:
		f.code = append(f.code, b)
	}
}

func (f *framer) refuse(err error) {
	f.found = append(f.found, item{err: err})
	f.code = nil
	f.phase = discarding
}

// end closes the code under way; an empty one, as between CR and LF, is none.
func (f *framer) end() {
	if len(f.code) > 0 {
		f.found = append(f.found, item{code: f.code})
		f.code = nil // the reader of the code owns it now
	}
	f.phase = collecting
}

// The engine's language, "7E 00" family (GM60, GM65, GM812, GM861 manuals). A
// command is 7E 00, type, length, address, data, CRC; a reply 02 00 00, length,
// data, CRC. The CRC is CRC-16/XMODEM, big-endian, over all after the first two
// bytes.
const (
	commandHead = "\x7E\x00"
	replyHead   = "\x02\x00\x00"

	typeRead  = 0x07
	typeWrite = 0x08
)

var errNoReply = errors.New("not a reply")

// command returns the frame that writes data to a zone, or, with typeRead,
// that reads data[0] bytes from it on.
func command(kind byte, zone uint16, data ...byte) []byte {
	p := append([]byte(commandHead), kind, byte(len(data)), byte(zone>>8), byte(zone))
	p = append(p, data...)
	sum := crc16(p[len(commandHead):])
	return append(p, byte(sum>>8), byte(sum))
}

// parseReply looks at the beginning of what may be a reply: it is one, and
// data are its data; or more bytes are needed to tell; or it is none.
func parseReply(p []byte) (data []byte, more bool, err error) {
	const fixed = len(replyHead) + 1 // head and length
	k := min(len(p), len(replyHead))
	if string(p[:k]) != replyHead[:k] {
		return nil, false, errNoReply
	}
	if len(p) < fixed || len(p) < fixed+int(p[fixed-1])+2 {
		return nil, true, nil
	}
	end := len(p) - 2
	if crc16(p[2:end]) != uint16(p[end])<<8|uint16(p[end+1]) {
		return nil, false, errNoReply
	}
	return p[fixed:end], false, nil
}

// crc16 is CRC-16/XMODEM: polynomial 0x1021, initial value 0, not reflected.
func crc16(p []byte) uint16 {
	var crc uint16
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
