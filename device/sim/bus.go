package sim

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/menshen/menshen/device"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// bus is an I2C bus. Handles of the host share it.
type bus struct {
	name  string
	mu    sync.Mutex
	chips map[uint16]chip
}

// chip is what sits at one address of a bus.
type chip interface {
	// transfer is one transfer addressed to the chip.
	transfer(w, r []byte) error
	// stuck says whether the chip holds the whole bus down.
	stuck() bool
}

func (b *bus) add(addr uint16, c chip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.chips[addr]; taken {
		panic(fmt.Sprintf("sim: bus %s has two chips at %#04x", b.name, addr))
	}
	b.chips[addr] = c
}

// at returns the chip at an address, or nil; stuck says that some chip holds
// the whole bus down.
func (b *bus) at(addr uint16) (at chip, stuck bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.chips {
		stuck = stuck || c.stuck()
	}
	return b.chips[addr], stuck
}

// busHandle is the host's end of a bus.
type busHandle struct {
	bus    *bus
	mu     sync.Mutex
	closed bool
}

func (h *busHandle) String() string { return h.bus.name }

// SetSpeed accepts what the slowest chip, the MLX90614, can follow: up to
// 100 kHz.
func (h *busHandle) SetSpeed(f physic.Frequency) error {
	if f <= 0 || f > 100*physic.KiloHertz {
		return fmt.Errorf("set speed of i2c bus %s to %s: beyond 100 kHz", h.bus.name, f)
	}
	return nil
}

// Tx is one transfer: a write, a read, or both with a repeated start.
func (h *busHandle) Tx(addr uint16, w, r []byte) error {
	if err := h.transfer(addr, w, r); err != nil {
		clear(r)
		return fmt.Errorf("transfer to %#04x on i2c bus %s: %w", addr, h.bus.name, err)
	}
	return nil
}

func (h *busHandle) transfer(addr uint16, w, r []byte) error {
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed {
		return os.ErrClosed
	}
	c, stuck := h.bus.at(addr)
	switch {
	case stuck:
		return syscall.EIO
	case c == nil:
		return device.ErrAbsent
	}
	return c.transfer(w, r)
}

// Close releases the bus. It is idempotent.
func (h *busHandle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

var _ i2c.BusCloser = (*busHandle)(nil)

// place is where a thermometer sits on its bus: its wires.
type place struct {
	eye *Thermometer

	mu        sync.Mutex // also of the chip's registers
	unplugged bool
	trouble   Trouble
	up        wire
}

// Unplug makes the chip unseen on its bus.
func (p *place) Unplug() { p.plugged(false) }

// Plug brings it back.
func (p *place) Plug() { p.plugged(true) }

func (p *place) plugged(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unplugged = !yes
}

// SetTrouble replaces what is wrong with the wires of this chip.
func (p *place) SetTrouble(t Trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble, p.up = t, wire{}
}

func (p *place) stuck() bool {
	p.mu.Lock()
	unplugged := p.unplugged
	p.mu.Unlock()
	p.eye.mu.Lock()
	defer p.eye.mu.Unlock()
	return !unplugged && p.eye.fault == Stuck
}

// wait takes the time that a transfer takes.
func (p *place) wait() {
	p.mu.Lock()
	delay := p.trouble.Delay
	p.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
}

// answer fills r with what the chip says and, beyond, the ones of an idle bus.
// The caller holds the lock.
func (p *place) answer(says, r []byte) error {
	for len(says) < len(r) {
		says = append(says, 0xFF)
	}
	says = p.up.carry(p.trouble, says[:len(r)])
	if len(says) < len(r) {
		return device.ErrAbsent
	}
	copy(r, says)
	return nil
}
