package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/menshen/menshen/device"
)

// lineEvents is how many edges of an input wait for the host; the kernel
// keeps as many for a line and then forgets the oldest.
const lineEvents = 16

// Line is one digital line. A scenario drives it if the host uses it as an
// input, and reads its edges if the host uses it as an output. An output
// keeps its level when it is unplugged.
type Line struct {
	outputs

	name      string
	mu        sync.Mutex
	unplugged bool
	level     bool        // of the input
	open      *lineHandle // nil while the host has the line closed
}

// AddLine adds a line that is off.
func (w *World) AddLine(name string) *Line {
	l := &Line{name: name}
	w.addLine(l)
	return l
}

// Drive sets the level of an input.
func (l *Line) Drive(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.level == on {
		return
	}
	l.level = on
	if l.open == nil || l.open.output {
		return
	}
	if len(l.open.events) == lineEvents {
		select {
		case <-l.open.events:
		default: // the host took one meanwhile
		}
	}
	l.open.events <- on // has room: only Drive sends, under the lock
}

// On is the level that the host drives.
func (l *Line) On() bool { return l.state(0) }

// Unplug takes the line away with its chip: open handles fail with
// device.ErrAbsent, and so does opening until Plug.
func (l *Line) Unplug() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unplugged = true
	if l.open != nil {
		l.open.finish(device.ErrAbsent)
	}
}

// Plug brings it back. The host has to open the line again.
func (l *Line) Plug() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unplugged = false
}

func (l *Line) connect(o device.LineOpts) (device.Line, error) {
	h, err := l.claim(o)
	if err != nil {
		return nil, fmt.Errorf("open line %s: %w", l.name, err)
	}
	if o.Output {
		if err := h.Set(false); err != nil {
			return nil, fmt.Errorf("open line %s: %w", l.name, err)
		}
	}
	return h, nil
}

func (l *Line) claim(o device.LineOpts) (*lineHandle, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unplugged {
		return nil, device.ErrAbsent
	}
	if l.open != nil {
		return nil, syscall.EBUSY
	}
	l.open = &lineHandle{
		line:   l,
		output: o.Output,
		events: make(chan bool, lineEvents),
		gone:   make(chan struct{}),
	}
	return l.open, nil
}

// lineHandle is the host's end of an open line.
type lineHandle struct {
	line   *Line
	output bool
	events chan bool
	gone   chan struct{} // closed when end is set
	end    error         // guarded by line.mu; nil while open
}

// errDirection is a use that the opened direction does not allow; the kernel
// says EPERM.
var errDirection = errors.New("line is open in the other direction")

func (h *lineHandle) Set(on bool) error {
	tell, err := h.drive(on)
	if err != nil {
		return fmt.Errorf("set line %s: %w", h.line.name, err)
	}
	tell()
	return nil
}

func (h *lineHandle) drive(on bool) (tell func(), err error) {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	if err := h.usable(true); err != nil {
		return nil, err
	}
	return h.line.record(0, on), nil
}

func (h *lineHandle) Get() (bool, error) {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	if err := h.usable(h.output); err != nil {
		return false, fmt.Errorf("get line %s: %w", h.line.name, err)
	}
	if h.output {
		return h.line.On(), nil
	}
	return h.line.level, nil
}

func (h *lineHandle) Wait(ctx context.Context) (bool, error) {
	on, err := h.next(ctx)
	if err != nil {
		return false, fmt.Errorf("wait for line %s: %w", h.line.name, err)
	}
	return on, nil
}

func (h *lineHandle) next(ctx context.Context) (bool, error) {
	if h.output {
		return false, errDirection
	}
	select {
	case on := <-h.events:
		return on, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-h.gone:
		h.line.mu.Lock()
		defer h.line.mu.Unlock()
		return false, h.end
	}
}

// Close writes rest to an output that is still there.
func (h *lineHandle) Close() error {
	h.rest()()
	return nil
}

func (h *lineHandle) rest() (tell func()) {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	tell = func() {}
	if h.end == nil && h.output {
		tell = h.line.record(0, false)
	}
	h.finish(os.ErrClosed)
	return tell
}

// usable says why the handle cannot be used as an output or as an input. The
// caller holds the lock.
func (h *lineHandle) usable(output bool) error {
	if h.end != nil {
		return h.end
	}
	if h.output != output {
		return errDirection
	}
	return nil
}

// finish ends the handle unless it has ended. The caller holds the lock.
func (h *lineHandle) finish(why error) {
	if h.end != nil {
		return
	}
	h.end = why
	h.line.open = nil
	close(h.gone)
}

var _ device.Line = (*lineHandle)(nil)
