// Package scanner reads barcode scanners that send text over a serial port:
// desktop scanners that end a line with CR, LF or both (USB-CDC or RS-232), and
// GM65-class engines (UART 9600 8N1), which answer commands on the same line.
//
// It knows where a code begins and ends, which bytes are the engine's own, and
// how to keep a printed setup code from changing the engine. It does not know
// what a code means, in which encoding its text is, or whose it is; it logs
// nothing, because a code can name a person. It neither opens nor closes the
// port.
package scanner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"periph.io/x/conn/v3"

	"github.com/menshen/menshen/device"
)

// Kind says what is at the other end.
type Kind int

const (
	// Line is any scanner that only sends codes.
	Line Kind = iota
	// GM65 is an engine of the "7E 00" family, whose setup codes are switched
	// off by New.
	GM65
)

// String returns the kind as a board profile spells it.
func (k Kind) String() string {
	switch k {
	case Line:
		return "line"
	case GM65:
		return "gm65"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

const (
	defaultSilence = 80 * time.Millisecond
	defaultMaxLen  = 2048

	// queueLen bounds the codes that wait for a Read.
	queueLen = 8

	// replyWait is longer than the 400 ms after which an engine gives up a
	// half-received command, so that a second attempt meets an idle engine.
	replyWait = 500 * time.Millisecond
	attempts  = 2

	// zoneSetup: bit 0 lets printed setup codes change the engine, bit 1 has
	// it send what they say.
	zoneSetup    = 0x0003
	setupEnabled = 0x01
)

var errHalted = errors.New("halted")

// Opts says how a scanner is read.
type Opts struct {
	// Kind is Line unless set.
	Kind Kind
	// Silence ends a code that has no terminator; 0 means 80 ms.
	Silence time.Duration
	// MaxLen bounds a code in bytes; 0 means 2048.
	MaxLen int
}

// DefaultOpts returns a Line scanner, 80 ms and 2048 bytes.
func DefaultOpts() *Opts {
	return &Opts{Silence: defaultSilence, MaxLen: defaultMaxLen}
}

// Dev is one scanner on a stream that the caller owns.
//
// New starts two goroutines: one alone reads the stream, the other frames what
// it read. Both end when the stream ends, or after Halt as soon as a pending
// Read of the stream returns; to be rid of them the caller calls Halt and
// closes the stream, in either order.
type Dev struct {
	rw         io.ReadWriter
	opts       Opts
	configured error

	chunks  chan chunk // closed by pump after readErr is set
	readErr error
	framer  *framer       // owned by New, then by the goroutine frame
	codes   chan item     // what Read returns; when full the oldest is dropped
	ended   chan struct{} // closed by frame after endErr is set
	endErr  error
	halt    sync.Once
	halted  chan struct{}
}

// chunk is what one read of the stream brought, and when.
type chunk struct {
	bytes []byte
	at    time.Time
}

// New starts to read the scanner on rw. Whatever it sends until the first
// terminator or 200 ms of silence is discarded: a line that lost its beginning
// must not become a badge number.
//
// For a GM65 it then switches setup codes off and reads that back, which takes
// up to 2 s if the engine is mute; Configured tells how it went.
func New(rw io.ReadWriter, o *Opts) (*Dev, error) {
	opts := *o
	if opts.Silence == 0 {
		opts.Silence = defaultSilence
	}
	if opts.MaxLen == 0 {
		opts.MaxLen = defaultMaxLen
	}
	if opts.Kind != Line && opts.Kind != GM65 || opts.Silence < 0 || opts.MaxLen < 0 {
		return nil, fmt.Errorf("scanner: option out of range: kind %v, silence %v, max length %d", opts.Kind, opts.Silence, opts.MaxLen)
	}
	d := &Dev{
		rw: rw, opts: opts, framer: newFramer(opts, time.Now()),
		chunks: make(chan chunk), codes: make(chan item, queueLen),
		ended: make(chan struct{}), halted: make(chan struct{}),
	}
	go d.pump()
	if opts.Kind == GM65 {
		d.configured = d.configure()
	}
	go d.frame()
	return d, nil
}

// String names the scanner's kind.
func (d *Dev) String() string {
	return fmt.Sprintf("scanner{%v}", d.opts.Kind)
}

// Configured returns nil once setup codes are known to be off, and always for
// Line. Otherwise codes are read all the same, but a printed code may still
// change the engine; an error that wraps device.ErrAbsent means that the
// engine did not answer.
func (d *Dev) Configured() error {
	return d.configured
}

// Halt ends the use of the stream; it is idempotent and does not close the
// stream.
func (d *Dev) Halt() error {
	d.halt.Do(func() { close(d.halted) })
	return nil
}

// Read returns the next code, byte by byte as the scanner sent it, without its
// terminator; it is never empty and has no control bytes. device.ErrInvalid
// stands for one code that was too long or had control bytes; the next Read
// goes on. device.ErrAbsent means that the stream ended. Codes that nobody
// reads wait, the newest 8 of them. It may be called from any goroutine.
func (d *Dev) Read(ctx context.Context) ([]byte, error) {
	it, err := d.next(ctx)
	if err == nil {
		err = it.err
	}
	if err != nil {
		return nil, fmt.Errorf("scanner: read code: %w", err)
	}
	return it.code, nil
}

func (d *Dev) next(ctx context.Context) (item, error) {
	select {
	case it := <-d.codes:
		return it, nil
	case <-ctx.Done():
		return item{}, ctx.Err()
	case <-d.ended:
	}
	select {
	case it := <-d.codes: // sent before the end
		return it, nil
	default:
		return item{}, d.endErr
	}
}

// pump is the goroutine that owns the reading side of the stream.
func (d *Dev) pump() {
	defer close(d.chunks)
	buf := make([]byte, 4096)
	for {
		n, err := d.rw.Read(buf)
		if n > 0 {
			select {
			case d.chunks <- chunk{bytes.Clone(buf[:n]), time.Now()}:
			case <-d.halted:
			}
		}
		if err != nil {
			d.readErr = err
			return
		}
		select {
		case <-d.halted:
			d.readErr = errHalted
			return
		default:
		}
	}
}

// frame is the goroutine that turns chunks into codes. It waits for no reader,
// so that bytes are always taken, and timed, as they arrive. A code that the
// end of the stream cut off is lost.
func (d *Dev) frame() {
	defer close(d.ended)
	for d.endErr == nil {
		_, d.endErr = d.turn(nil)
	}
}

// turn waits for the next bytes, for silence, or for limit; it publishes codes
// and returns replies.
func (d *Dev) turn(limit <-chan time.Time) (replies [][]byte, err error) {
	var silence <-chan time.Time
	if at, ok := d.framer.due(); ok {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		silence = t.C
	}
	select {
	case c, ok := <-d.chunks:
		return d.feed(c, ok)
	case <-silence:
		// Bytes that came in time count before the silence.
		select {
		case c, ok := <-d.chunks:
			return d.feed(c, ok)
		default:
			return d.publish(d.framer.tick(time.Now())), nil
		}
	case <-d.halted:
		return nil, fmt.Errorf("%w: %w", device.ErrAbsent, errHalted)
	case <-limit:
		return nil, fmt.Errorf("%w: no reply within %v", device.ErrAbsent, replyWait)
	}
}

func (d *Dev) feed(c chunk, ok bool) ([][]byte, error) {
	if !ok {
		return nil, fmt.Errorf("%w: %w", device.ErrAbsent, d.readErr)
	}
	return d.publish(d.framer.feed(c.bytes, c.at)), nil
}

// publish queues codes and faults for Read and returns the replies.
func (d *Dev) publish(items []item) (replies [][]byte) {
	for _, it := range items {
		if it.reply != nil {
			replies = append(replies, it.reply)
			continue
		}
		select {
		case d.codes <- it:
		default:
			select {
			case <-d.codes:
			default:
			}
			d.codes <- it // never blocks: this is the only sender
		}
	}
	return replies
}

// configure switches setup codes off. It is not saved to the engine's flash,
// which wears; every New does it again.
func (d *Dev) configure() error {
	var err error
	for range attempts {
		if err = d.disableSetup(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("scanner: switch setup codes off: %w", err)
}

func (d *Dev) disableSetup() error {
	if _, err := d.exchange(command(typeWrite, zoneSetup, 0), 1); err != nil {
		return fmt.Errorf("write zone %#04x: %w", zoneSetup, err)
	}
	// Two bytes are read because one byte 00 is what a late acknowledgement of
	// the write looks like.
	data, err := d.exchange(command(typeRead, zoneSetup, 2), 2)
	if err != nil {
		return fmt.Errorf("read zone %#04x: %w", zoneSetup, err)
	}
	if data[0]&setupEnabled != 0 {
		return fmt.Errorf("%w: zone %#04x reads back %#02x", device.ErrInvalid, zoneSetup, data[0])
	}
	return nil
}

// exchange sends a command and returns the reply that has n data bytes.
func (d *Dev) exchange(cmd []byte, n int) ([]byte, error) {
	if _, err := d.rw.Write(cmd); err != nil {
		return nil, fmt.Errorf("%w: %w", device.ErrAbsent, err)
	}
	limit := time.NewTimer(replyWait)
	defer limit.Stop()
	for {
		replies, err := d.turn(limit.C)
		if err != nil {
			return nil, err
		}
		for _, r := range replies {
			if len(r) == n {
				return r, nil
			}
		}
	}
}

var _ conn.Resource = (*Dev)(nil)
