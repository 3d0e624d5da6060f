package board

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/menshen/menshen/device"
)

// lineProbe is how often a waiting input is read although no edge came. The
// GPIO library never tells that a chip was pulled: its watcher passes over the
// fault and goes round without a pause until the line is closed, so this bounds
// how long it burns a processor. It also finds a level whose edge was lost.
const lineProbe = 10 * time.Second

// lineRequest is what a line asks of the kernel, in logical levels.
type lineRequest interface {
	Value() (int, error)
	SetValue(int) error
	Close() error
}

// line is one requested line.
type line struct {
	name   string
	output bool
	req    lineRequest
	// edges holds the newest edge that Wait has not seen.
	edges chan bool
	// last is the level that Wait returned last; only Wait uses it.
	last bool

	mu     sync.Mutex
	closed bool
	// done ends the Waits when the line is closed.
	done chan struct{}
}

// newLine returns a line whose request is still to be put in, because the
// request needs the line's edge.
func newLine(name string, output bool) *line {
	return &line{name: name, output: output, edges: make(chan bool, 1), done: make(chan struct{})}
}

// edge takes an edge from the library's goroutine, which nothing may hold up:
// an edge that nobody fetched gives way to the newer one.
func (l *line) edge(on bool) {
	select {
	case <-l.edges:
	default:
	}
	select {
	case l.edges <- on:
	default:
	}
}

// Set drives an output.
func (l *line) Set(on bool) error {
	value := 0
	if on {
		value = 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.shut("set")
	}
	if err := l.req.SetValue(value); err != nil {
		return l.fault("set", err)
	}
	return nil
}

// Get reads the level.
func (l *line) Get() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, l.shut("get")
	}
	value, err := l.req.Value()
	if err != nil {
		return false, l.fault("get", err)
	}
	return value != 0, nil
}

// Wait returns the next level of an input; one goroutine at a time calls it.
// A pulse that begins and ends between two calls may go unseen.
func (l *line) Wait(ctx context.Context) (bool, error) {
	probe := time.NewTicker(lineProbe)
	defer probe.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-l.done:
			return false, l.shut("wait")
		case on := <-l.edges:
			l.last = on
			return on, nil
		case <-probe.C:
			on, err := l.Get()
			if err != nil {
				return false, err
			}
			if on != l.last {
				l.last = on
				return on, nil
			}
		}
	}
}

// Close puts an output to rest and releases the line. What level the chip
// keeps from then on is its driver's affair: rest must hold by wiring.
func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	var rest error
	if l.output {
		rest = l.req.SetValue(0)
	}
	if err := errors.Join(rest, l.req.Close()); err != nil {
		return l.fault("close", err)
	}
	return nil
}

// shut is the fault of using a line after Close: to whoever still waits, the
// line is gone.
func (l *line) shut(op string) error {
	return l.fault(op, fmt.Errorf("%w: %w", device.ErrAbsent, os.ErrClosed))
}

// fault names operation and line.
func (l *line) fault(op string, err error) error {
	return fmt.Errorf("%s pin %q: %w", op, l.name, absent(err))
}
