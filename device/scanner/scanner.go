// Package scanner reads barcode scanners that send text over a serial port:
// desktop scanners that end a line with CR, LF or both (USB-CDC, RS-232 or what
// a keyboard types), and two families of engines (UART 9600 8N1), which answer
// commands on the same line.
//
// It knows where a code begins and ends, which bytes are the engine's own, how
// a scan is asked for, and how to keep a printed setup code from changing the
// engine. It does not know what a code means, in which encoding its text is, or
// whose it is; it logs nothing, because a code can name a person. It neither
// opens nor closes the port.
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
	// GM65 is an engine of the "7E 00" family: GM60, GM65, GM812, GM861.
	GM65
	// GM67 is an engine of the family whose frames begin with their length:
	// GM67, GM69, GM72.
	GM67
)

// String returns the kind as a board profile spells it.
func (k Kind) String() string {
	switch k {
	case Line:
		return "line"
	case GM65:
		return "gm65"
	case GM67:
		return "gm67"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// engine returns the family's language; nil for Line.
func (k Kind) engine() engine {
	switch k {
	case GM65:
		return gm65{}
	case GM67:
		return gm67{}
	}
	return nil
}

// engine is the language of a family. Its replies stand anywhere on the line
// and begin with a byte that no text contains.
type engine interface {
	// begins reports whether a reply can begin with b.
	begins(b byte) bool
	// parse looks at the beginning of what may be a reply: it is one, and data
	// say what; or more bytes are needed to tell; or it is none, errNoReply or
	// errDisturbed.
	parse(p []byte) (data []byte, more bool, err error)
	// configure switches setup codes off, sets the mode, and reads both back.
	configure(d *Dev, m Mode) error
	// trigger asks for one scan.
	trigger(d *Dev) error
}

var (
	// errNoReply: what looked like a reply is none.
	errNoReply = errors.New("not a reply")
	// errDisturbed: a reply as a whole, but for its check code.
	errDisturbed = errors.New("reply with a wrong check code")
)

// Mode says what lets an engine scan.
type Mode int

const (
	// AsSet leaves the engine as it was set before.
	AsSet Mode = iota
	// Continuous scans always.
	Continuous
	// Sensor scans when something comes before the engine.
	Sensor
	// Command scans once after each Trigger.
	Command
)

const (
	defaultSilence = 80 * time.Millisecond
	defaultMaxLen  = 2048

	// queueLen bounds the codes that wait for a Read.
	queueLen = 8

	// replyWait is longer than the 400 ms after which an engine gives up a
	// half-received command, so that a second attempt meets an idle engine.
	replyWait = 500 * time.Millisecond
	attempts  = 2
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
	// Binary takes every byte into the code, control bytes too. Only silence
	// ends a code then, and one CR, LF or CR LF at its end is taken off: two
	// scans within the silence are one code. An engine's reply that comes late
	// cannot be told from a code, so Binary does not go with Command.
	Binary bool
	// Mode is for an engine; a Line scanner has AsSet.
	Mode Mode
	// Trigger is what asks a Line scanner for one scan, such as 16 54 0D for a
	// Honeywell in serial trigger mode; empty if it scans by itself.
	Trigger []byte
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
// For an engine it then switches setup codes off, sets the mode and reads both
// back, which takes up to 2 s if the engine is mute; Configured tells how it
// went.
func New(rw io.ReadWriter, o *Opts) (*Dev, error) {
	opts := *o
	if opts.Silence == 0 {
		opts.Silence = defaultSilence
	}
	if opts.MaxLen == 0 {
		opts.MaxLen = defaultMaxLen
	}
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("scanner: %w", err)
	}
	d := &Dev{
		rw: rw, opts: opts, framer: newFramer(opts, time.Now()),
		chunks: make(chan chunk), codes: make(chan item, queueLen),
		ended: make(chan struct{}), halted: make(chan struct{}),
	}
	go d.pump()
	if d.framer.engine != nil {
		d.configured = d.configure()
	}
	if opts.Binary {
		d.framer.engine = nil // from now on every byte is a code's
	}
	go d.frame()
	return d, nil
}

// check reports options that are out of range or contradict each other.
func (o *Opts) check() error {
	switch {
	case o.Kind < Line || o.Kind > GM67 || o.Silence < 0 || o.MaxLen < 0 || o.Mode < AsSet || o.Mode > Command:
		return fmt.Errorf("option out of range: kind %v, silence %v, max length %d, mode %d", o.Kind, o.Silence, o.MaxLen, o.Mode)
	case o.Kind == Line && o.Mode != AsSet, o.Kind != Line && len(o.Trigger) > 0:
		return fmt.Errorf("kind %v has no such trigger or mode", o.Kind)
	case o.Binary && o.Mode == Command:
		return errors.New("binary codes hide the acknowledgements of commands")
	}
	return nil
}

// String names the scanner's kind.
func (d *Dev) String() string {
	return fmt.Sprintf("scanner{%v}", d.opts.Kind)
}

// Configured returns nil once setup codes are known to be off and the mode is
// known to be set, and always for Line. Otherwise codes are read all the same, but a printed code may still
// change the engine; an error that wraps device.ErrAbsent means that the
// engine did not answer.
func (d *Dev) Configured() error {
	return d.configured
}

// Trigger asks for one scan: of a Line scanner with Opts.Trigger, of an engine
// in the mode Command. Any other scans by itself, and nothing is sent. An error
// wraps device.ErrAbsent. One goroutine at a time may call it.
func (d *Dev) Trigger() error {
	var err error
	switch {
	case d.opts.Mode == Command:
		err = d.opts.Kind.engine().trigger(d)
	case len(d.opts.Trigger) > 0:
		err = d.send(d.opts.Trigger)
	}
	if err != nil {
		return fmt.Errorf("scanner: trigger: %w", err)
	}
	return nil
}

// Halt ends the use of the stream; it is idempotent and does not close the
// stream.
func (d *Dev) Halt() error {
	d.halt.Do(func() { close(d.halted) })
	return nil
}

// Read returns the next code, byte by byte as the scanner sent it, without its
// terminator; it is never empty and, unless Opts.Binary, has no control bytes.
// device.ErrInvalid stands for one code that was too long or had control bytes;
// the next Read goes on. device.ErrAbsent means that the stream ended. Codes that nobody
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

// configure makes the settings. Every New does it again: they may not survive
// the engine's loss of power.
func (d *Dev) configure() error {
	var err error
	for range attempts {
		if err = d.framer.engine.configure(d, d.opts.Mode); err == nil {
			return nil
		}
	}
	return fmt.Errorf("scanner: configure %v: %w", d.opts.Kind, err)
}

// send writes to the scanner.
func (d *Dev) send(b []byte) error {
	if _, err := d.rw.Write(b); err != nil {
		return fmt.Errorf("%w: %w", device.ErrAbsent, err)
	}
	return nil
}

// exchange sends a command and returns the first reply that is an answer to it:
// late ones to earlier commands may come before.
func (d *Dev) exchange(cmd []byte, answers func(reply []byte) bool) ([]byte, error) {
	if err := d.send(cmd); err != nil {
		return nil, err
	}
	limit := time.NewTimer(replyWait)
	defer limit.Stop()
	for {
		replies, err := d.turn(limit.C)
		if err != nil {
			return nil, err
		}
		for _, r := range replies {
			if answers(r) {
				return r, nil
			}
		}
	}
}

var _ conn.Resource = (*Dev)(nil)
