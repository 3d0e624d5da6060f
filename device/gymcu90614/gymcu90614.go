// Package gymcu90614 reads serial modules that are an MLX90614 behind a
// microcontroller: GY-MCU90614 (GY-906 serial), GY-614V3 and CJMCU-90614, at
// 9600 or 115200 8N1.
//
// It knows their frames, the sums of these, and that a frame which waited in a
// buffer is not a measurement of now. It does not know the newer 10-byte
// firmware of the GY-MCU90614 (its layout is undocumented; such a module reads
// as corrupt). The "body temperature" that a module makes up by a curve of its
// own is handed on as Body and is never in a sample. It neither opens nor
// closes the port.
package gymcu90614

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
)

const (
	defaultTimeout = 300 * time.Millisecond
	// settle is how long after New a streaming port is only drained: the
	// kernel keeps up to 4 KiB from before, of any age.
	settle = 100 * time.Millisecond
	// readSize takes in one read whatever a tty can hold, so that the newest
	// frame of a read is at most one period of the module old.
	readSize = 4096
	// minField is -70 °C in hundredths. The fields are read as two's
	// complement, so what a part might show above 327.67 °C, of its 380, falls
	// below this limit and is refused too.
	minField = -7000
)

var errHalted = errors.New("halted")

// Mode says who starts a measurement's transfer.
type Mode int

const (
	// Query asks for every frame; automatic output is switched off.
	Query Mode = iota
	// Stream takes the frames that the module sends by itself; nothing is
	// ever written to it.
	Stream
)

// Opts says how the module is read.
type Opts struct {
	// Module is GYMCU90614 unless set.
	Module Module
	// Mode is Query unless set.
	Mode Mode
	// Timeout is the silence after which Sense gives up; 0 means 300 ms.
	Timeout time.Duration
}

// DefaultOpts returns query mode with a time limit of 300 ms.
func DefaultOpts() *Opts {
	return &Opts{Timeout: defaultTimeout}
}

// Dev is one module on a stream that the caller owns.
//
// New starts one goroutine, which alone reads the stream. It ends when the
// stream ends, or at the first Read that returns after Halt; to be rid of it,
// the caller calls Halt and closes the stream, in either order.
type Dev struct {
	rw      io.ReadWriter
	module  Module
	mode    Mode
	timeout time.Duration
	born    time.Time

	newest chan result   // capacity 1: a newer result replaces an unread one
	bytes  atomic.Uint64 // read so far; tells garbage from silence
	body   atomic.Int64  // see Body; 0 K for none

	halt    sync.Once
	halted  chan struct{}
	ended   chan struct{} // closed by the reader after readErr is set
	readErr error
}

// result is what one read of the stream brought at last.
type result struct {
	at    time.Time
	frame frame
	err   error
}

// New prepares the module on rw: in Query mode its automatic output is
// switched off where there is a command for that. Whether it answers, the first
// Sense tells.
func New(rw io.ReadWriter, o *Opts) (*Dev, error) {
	if o.Module < GYMCU90614 || o.Module > CJMCU90614 {
		return nil, fmt.Errorf("gymcu90614: unknown module %d", o.Module)
	}
	if o.Mode != Query && o.Mode != Stream {
		return nil, fmt.Errorf("gymcu90614: unknown mode %d", o.Mode)
	}
	if o.Timeout < 0 {
		return nil, fmt.Errorf("gymcu90614: negative timeout %v", o.Timeout)
	}
	d := &Dev{
		rw: rw, module: o.Module, mode: o.Mode, timeout: o.Timeout, born: time.Now(),
		newest: make(chan result, 1), halted: make(chan struct{}), ended: make(chan struct{}),
	}
	if d.timeout == 0 {
		d.timeout = defaultTimeout
	}
	if quiet := d.module.protocol().quiet; d.mode == Query && quiet != "" {
		if _, err := io.WriteString(rw, quiet); err != nil {
			return nil, fmt.Errorf("gymcu90614: switch automatic output off: %w: %w", device.ErrAbsent, err)
		}
	}
	go d.read()
	return d, nil
}

// String names the part.
func (d *Dev) String() string {
	mode := "query"
	if d.mode == Stream {
		mode = "stream"
	}
	return fmt.Sprintf("%v{%s}", d.module, mode)
}

// Halt ends the use of the stream; it is idempotent and does not close the
// stream.
func (d *Dev) Halt() error {
	d.halt.Do(func() { close(d.halted) })
	return nil
}

// Body returns the body temperature that the module claimed beside the newest
// sample, and false if it claims none. How it comes to it is undocumented: it
// may be written down, and nothing may be decided on it.
func (d *Dev) Body() (physic.Temperature, bool) {
	t := physic.Temperature(d.body.Load())
	return t, t != 0
}

// Sense returns the measurement of the next frame: the answer to a query, or
// what the module sends next by itself. A frame that arrived before the call
// is never used. The errors are device.ErrCorrupt for a wrong sum or for bytes
// that are no frame, device.ErrInvalid for a temperature outside the range, and
// device.ErrAbsent for silence longer than the timeout or an ended stream.
// One goroutine at a time may call it.
func (d *Dev) Sense(ctx context.Context) (device.Sample, error) {
	s, err := d.sense(ctx)
	if err != nil {
		return device.Sample{}, fmt.Errorf("gymcu90614: sense: %w", err)
	}
	return s, nil
}

func (d *Dev) sense(ctx context.Context) (device.Sample, error) {
	if err := ctx.Err(); err != nil {
		return device.Sample{}, err
	}
	start, before := time.Now(), d.bytes.Load()
	if d.mode == Query {
		if _, err := io.WriteString(d.rw, d.module.protocol().query); err != nil {
			return device.Sample{}, fmt.Errorf("query: %w: %w", device.ErrAbsent, err)
		}
	}
	limit := time.NewTimer(d.timeout)
	defer limit.Stop()
	for {
		select {
		case r := <-d.newest:
			if r.at.Before(start) {
				continue
			}
			if r.err != nil {
				return device.Sample{}, r.err
			}
			s, err := sample(r.frame)
			if err == nil && d.module.protocol().body > 0 {
				d.body.Store(int64(temperature(r.frame.body)))
			}
			return s, err
		case <-d.halted:
			return device.Sample{}, fmt.Errorf("%w: %w", device.ErrAbsent, errHalted)
		case <-d.ended:
			return device.Sample{}, fmt.Errorf("%w: %w", device.ErrAbsent, d.readErr)
		case <-ctx.Done():
			return device.Sample{}, ctx.Err()
		case <-limit.C:
			if n := d.bytes.Load() - before; n > 0 {
				return device.Sample{}, fmt.Errorf("%w: no frame in %d bytes", device.ErrCorrupt, n)
			}
			return device.Sample{}, fmt.Errorf("%w: silent for %v", device.ErrAbsent, d.timeout)
		}
	}
}

// sample turns a sound frame into a measurement.
func sample(f frame) (device.Sample, error) {
	for _, field := range []uint16{f.object, f.ambient} {
		if int16(field) < minField {
			return device.Sample{}, fmt.Errorf("%w: field %#04x below -70 °C", device.ErrInvalid, field)
		}
	}
	return device.Sample{Object: temperature(f.object), Ambient: temperature(f.ambient), Raw: f.object}, nil
}

func temperature(field uint16) physic.Temperature {
	return physic.ZeroCelsius + physic.Temperature(int16(field))*10*physic.MilliKelvin
}

// read is the goroutine that owns the reading side of the stream.
func (d *Dev) read() {
	defer close(d.ended)
	dec := decoder{p: d.module.protocol()}
	buf := make([]byte, readSize)
	for {
		n, err := d.rw.Read(buf)
		now := time.Now()
		if d.mode == Query || now.Sub(d.born) >= settle {
			d.bytes.Add(uint64(n))
			d.take(&dec, buf[:n], now)
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

// take decodes what one read brought and publishes the newest frame in it, or
// the fault if there was no sound one.
func (d *Dev) take(dec *decoder, p []byte, now time.Time) {
	var newest *result
	for _, b := range p {
		f, ok, err := dec.push(b)
		if ok || err != nil && (newest == nil || newest.err != nil) {
			newest = &result{at: now, frame: f, err: err}
		}
	}
	if newest == nil {
		return
	}
	select {
	case <-d.newest:
	default:
	}
	d.newest <- *newest // never blocks: this goroutine is the only sender
}

var _ conn.Resource = (*Dev)(nil)
