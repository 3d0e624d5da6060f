package devicetest

import (
	"io"
	"sync"
	"time"

	"github.com/menshen/menshen/device"
)

// loss says what becomes of a write that fails.
type loss int

const (
	unsent   loss = iota // nothing of it arrives
	arrived              // all of it arrives, and the writer is not told so
	half                 // of a frame half; of a line nothing
	pastLast             // one more than the last
)

func (l loss) String() string { return [...]string{"unsent", "arrived", "half"}[l] }

// outputs opens what a board is made of, counts the writes to all of it, and
// fails some.
type outputs struct {
	device.Opener
	loss   loss
	at     int           // the number of the write that fails, from 1; 0 for none
	lasts  time.Duration // how long the writes behind it fail too
	mu     sync.Mutex
	writes int
	hit    time.Time // of the first that failed; zero before
}

// fails counts one write and says whether it is to fail.
func (o *outputs) fails() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	if o.writes == o.at {
		o.hit = time.Now()
		return true
	}
	return !o.hit.IsZero() && time.Since(o.hit) < o.lasts
}

func (o *outputs) count() (writes int, hit time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes, o.hit
}

// Stream opens a port whose writes may fail.
func (o *outputs) Stream(name string) (io.ReadWriteCloser, error) {
	s, err := o.Opener.Stream(name)
	if err != nil {
		return nil, err
	}
	return &port{s, o}, nil
}

// Line opens a line whose driving may fail.
func (o *outputs) Line(name string, opts device.LineOpts) (device.Line, error) {
	l, err := o.Opener.Line(name, opts)
	if err != nil {
		return nil, err
	}
	return &line{l, o}, nil
}

type port struct {
	io.ReadWriteCloser
	of *outputs
}

// Write is the port's, or fails.
func (p *port) Write(b []byte) (int, error) {
	if !p.of.fails() {
		return p.ReadWriteCloser.Write(b)
	}
	sent := map[loss]int{arrived: len(b), half: len(b) / 2}[p.of.loss]
	if sent > 0 {
		_, _ = p.ReadWriteCloser.Write(b[:sent]) // the fault is told either way
	}
	return 0, ErrInjected
}

type line struct {
	device.Line
	of *outputs
}

// Set is the line's, or fails.
func (l *line) Set(on bool) error {
	if !l.of.fails() {
		return l.Line.Set(on)
	}
	if l.of.loss == arrived {
		_ = l.Line.Set(on) // the fault is told either way
	}
	return ErrInjected
}
