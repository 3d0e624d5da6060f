package sim

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/menshen/menshen/device"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// Command bytes and words of the MLX90614 (data sheet 3901090614).
const (
	mlxAmbient   = 0x06
	mlxObject    = 0x07
	mlxObject2   = 0x08 // reads 0 on a part with one zone
	mlxEEPROM    = 0x20 // 32 cells
	mlxFlags     = 0xF0
	mlxReady     = 0x0010 // the INIT bit of the flags: start-up is over
	mlxErrorFlag = 0x8000
	mlxHot       = 0xFFE4 // 1037.01 °C
)

// bus is an I2C bus. Handles of the host share it.
type bus struct {
	name  string
	mu    sync.Mutex
	chips map[uint16]*mlx
}

func (b *bus) add(c *mlx) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.chips[c.addr]; taken {
		panic(fmt.Sprintf("sim: bus %s has two chips at %#04x", b.name, c.addr))
	}
	b.chips[c.addr] = c
}

// at returns the chip at an address, or nil; stuck says that some chip holds
// the whole bus down.
func (b *bus) at(addr uint16) (chip *mlx, stuck bool) {
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

// SetSpeed accepts what the MLX90614 can follow: up to 100 kHz.
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
	chip, stuck := h.bus.at(addr)
	switch {
	case stuck:
		return syscall.EIO
	case chip == nil:
		return device.ErrAbsent
	}
	return chip.transfer(w, r)
}

// Close releases the bus. It is idempotent.
func (h *busHandle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

var _ i2c.BusCloser = (*busHandle)(nil)

// mlx is the register model of an MLX90614.
type mlx struct {
	addr uint16
	eye  *Thermometer

	mu        sync.Mutex
	unplugged bool
	trouble   Trouble
	up        wire
	eeprom    [32]uint16
}

// AddI2CThermometer adds an MLX90614 of one zone to the bus of that name. Its
// factory address is 0x5A. It answers one address only, not the general 0x00.
func (w *World) AddI2CThermometer(name string, addr uint16) *Thermometer {
	c := &mlx{addr: addr, eye: newThermometer()}
	c.eeprom[0x04] = 0xFFFF // emissivity
	c.eeprom[0x05] = 0x9FB4 // configuration: 7.23 Hz
	c.eeprom[0x0E] = addr
	c.eye.cable = c
	w.addChip(name, c)
	return c.eye
}

// Unplug makes the chip unseen on its bus.
func (c *mlx) Unplug() { c.plugged(false) }

// Plug brings it back.
func (c *mlx) Plug() { c.plugged(true) }

func (c *mlx) plugged(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unplugged = !yes
}

// SetTrouble replaces what is wrong with the wires of this chip.
func (c *mlx) SetTrouble(t Trouble) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble, c.up = t, wire{}
}

func (c *mlx) stuck() bool {
	c.mu.Lock()
	unplugged := c.unplugged
	c.mu.Unlock()
	c.eye.mu.Lock()
	defer c.eye.mu.Unlock()
	return !unplugged && c.eye.fault == Stuck
}

func (c *mlx) transfer(w, r []byte) error {
	c.mu.Lock()
	delay := c.trouble.Delay
	c.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	v, fault := c.eye.measure()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unplugged || fault == NAK {
		return device.ErrAbsent
	}
	if len(w) > 1 {
		return c.write(w, r)
	}
	if len(r) == 0 {
		return nil
	}
	if len(w) == 0 {
		return device.ErrAbsent // the chip has nothing to say unasked
	}
	return c.read(w[0], v, fault, r)
}

// read fills r with LSB, MSB, PEC and, beyond, the ones of an idle bus.
func (c *mlx) read(cmd byte, v view, fault Fault, r []byte) error {
	word, ok := c.word(cmd, v, fault)
	if !ok {
		return device.ErrAbsent
	}
	frame := binary.LittleEndian.AppendUint16([]byte{byte(c.addr << 1), cmd, byte(c.addr<<1 | 1)}, word)
	sum := pec(frame)
	if fault == BadCheck {
		sum ^= 0xFF
	}
	answer := append(frame[3:], sum)
	for len(answer) < len(r) {
		answer = append(answer, 0xFF)
	}
	answer = answer[:len(r)]
	if answer = c.up.carry(c.trouble, answer); len(answer) < len(r) {
		return device.ErrAbsent
	}
	copy(r, answer)
	return nil
}

func (c *mlx) word(cmd byte, v view, fault Fault) (uint16, bool) {
	switch {
	case cmd == mlxFlags:
		return mlxReady, true
	case cmd >= mlxEEPROM && cmd < mlxEEPROM+32:
		return c.eeprom[cmd-mlxEEPROM], true
	case cmd == mlxObject2:
		return 0, true
	case cmd != mlxAmbient && cmd != mlxObject:
		return 0, false
	case fault == Zeros:
		return 0, true
	case fault == Ones:
		return 0xFFFF, true
	case cmd == mlxAmbient:
		return mlxWord(v.ambient), true
	case fault == ErrorFlag:
		return mlxWord(v.object) | mlxErrorFlag, true
	case fault == Hot:
		return mlxHot, true
	}
	return mlxWord(v.object), true
}

// write takes cmd, LSB, MSB, PEC into the EEPROM; anything else is not
// acknowledged.
func (c *mlx) write(w, r []byte) error {
	cell := int(w[0]) - mlxEEPROM
	sound := len(w) == 4 && len(r) == 0 && pec(append([]byte{byte(c.addr << 1)}, w[:3]...)) == w[3]
	if !sound || cell < 0 || cell >= len(c.eeprom) {
		return device.ErrAbsent
	}
	c.eeprom[cell] = binary.LittleEndian.Uint16(w[1:3])
	c.eye.wrote()
	return nil
}

// mlxWord is a temperature in steps of 0.02 K above absolute zero, half a
// step rounded up, at most what 16 bits hold.
func mlxWord(hundredths int) uint16 {
	return uint16(min(max((hundredths+27315+1)/2, 0), 0xFFFF))
}

// pec is the SMBus packet error code: CRC-8, polynomial 0x07, initial value 0.
func pec(b []byte) byte {
	var crc byte
	for _, c := range b {
		crc ^= c
		for range 8 {
			carry := crc&0x80 != 0
			crc <<= 1
			if carry {
				crc ^= 0x07
			}
		}
	}
	return crc
}
