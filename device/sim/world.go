// Package sim is a gate's hardware made of software. It offers chips, boards
// and lines behind [device.Opener], so that the product's own drivers run on
// top of it and nothing in them has to know.
//
// It knows what travels on a bus: frames, register words, check codes, and
// the ways in which they go wrong. It knows no lane and no scenario, no driver
// but the one that a board too puts around a keyboard, and it cannot tell
// whether what it was told to show is a fever.
//
// No part runs a goroutine of its own and no lock is held while anything
// waits, so a [World] made inside a testing/synctest bubble keeps that
// bubble's time; anywhere else it keeps the real one.
package sim

import (
	"fmt"
	"io"
	"sync"

	"github.com/menshen/menshen/device"
	"periph.io/x/conn/v3/i2c"
)

// World is everything that is plugged into one gate. Its methods may be
// called from any goroutine. Adding a second part under a taken name or
// address panics: a scenario that does so means something else than it says.
type World struct {
	mu    sync.Mutex
	ports map[string]*port
	buses map[string]*bus
	lines map[string]*Line
}

// NewWorld returns a gate with nothing plugged in.
func NewWorld() *World {
	return &World{
		ports: make(map[string]*port),
		buses: make(map[string]*bus),
		lines: make(map[string]*Line),
	}
}

// I2C opens a bus. A bus exists once a chip was added to it and may be open
// several times; an unplugged chip leaves it open and does not answer.
func (w *World) I2C(name string) (i2c.BusCloser, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.buses[name]
	if !ok {
		return nil, fmt.Errorf("open i2c bus %s: %w", name, device.ErrAbsent)
	}
	return &busHandle{bus: b}, nil
}

// Stream opens a serial port. A port is open once at a time, as under
// TIOCEXCL: a second open fails with syscall.EBUSY.
func (w *World) Stream(name string) (io.ReadWriteCloser, error) {
	w.mu.Lock()
	p, ok := w.ports[name]
	w.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("open port %s: %w", name, device.ErrAbsent)
	}
	return p.connect()
}

// Line opens a digital line. A line is open once at a time: a second open
// fails with syscall.EBUSY.
func (w *World) Line(name string, o device.LineOpts) (device.Line, error) {
	w.mu.Lock()
	l, ok := w.lines[name]
	w.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("open line %s: %w", name, device.ErrAbsent)
	}
	return l.connect(o)
}

func (w *World) addPort(p *port) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, taken := w.ports[p.name]; taken {
		panic("sim: port " + p.name + " added twice")
	}
	w.ports[p.name] = p
}

func (w *World) addLine(l *Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, taken := w.lines[l.name]; taken {
		panic("sim: line " + l.name + " added twice")
	}
	w.lines[l.name] = l
}

func (w *World) addChip(name string, addr uint16, c chip) {
	w.mu.Lock()
	b, ok := w.buses[name]
	if !ok {
		b = &bus{name: name, chips: make(map[uint16]chip)}
		w.buses[name] = b
	}
	w.mu.Unlock()
	b.add(addr, c)
}

var _ device.Opener = (*World)(nil)
