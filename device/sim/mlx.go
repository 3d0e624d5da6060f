package sim

import (
	"encoding/binary"

	"github.com/menshen/menshen/device"
)

// Command bytes and words of the MLX90614 (data sheet 3901090614).
const (
	mlxAmbient   = 0x06
	mlxObject    = 0x07
	mlxObject2   = 0x08 // reads 0 on a part with one zone
	mlxEEPROM    = 0x20 // 32 cells
	mlxFlags     = 0xF0
	mlxSleep     = 0xFF
	mlxReady     = 0x0010 // the INIT bit of the flags: start-up is over
	mlxErrorFlag = 0x8000
	mlxHot       = 0xFFE4 // 1037.01 °C
)

// mlx is the register model of an MLX90614.
type mlx struct {
	place
	addr   uint16
	eeprom [32]uint16
	asleep bool
	asked  bool // for the flags, which come with the next read
}

// AddI2CThermometer adds an MLX90614 of one zone to the bus of that name. Its
// factory address is 0x5A. It answers one address only, not the general 0x00.
func (w *World) AddI2CThermometer(name string, addr uint16) *Thermometer {
	c := &mlx{place: place{eye: newThermometer(382.19)}, addr: addr}
	c.eeprom[0x04] = 0xFFFF // emissivity
	c.eeprom[0x05] = 0x9FB4 // configuration: 7.23 Hz
	c.eeprom[0x0E] = 0xBE00 | addr
	c.eeprom[0x1C], c.eeprom[0x1D], c.eeprom[0x1E], c.eeprom[0x1F] = 0x1234, 0x5678, 0x9ABC, 0xDEF0
	c.eye.cable = c
	w.addChip(name, addr, c)
	return c.eye
}

// Plug powers the chip up again, which also wakes it.
func (c *mlx) Plug() {
	c.place.Plug()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asleep = false
}

func (c *mlx) transfer(w, r []byte) error {
	c.wait()
	v, fault := c.eye.measure()
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = false
	switch {
	case c.unplugged, c.asleep, fault == NAK:
		return device.ErrAbsent
	case len(w) > 1:
		return c.write(w, r)
	case len(r) == 0:
		c.asked = len(w) == 1 && w[0] == mlxFlags
		return nil
	case len(w) == 1:
		return c.read(w[0], v, fault, r)
	case asked:
		return c.read(mlxFlags, v, fault, r)
	}
	return device.ErrAbsent // the chip has nothing to say unasked
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
	return c.answer(append(frame[3:], sum), r)
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

// write takes cmd, LSB, MSB, PEC into the EEPROM, where only an erased cell
// takes every value, and cmd, PEC for the sleep; anything else is not
// acknowledged.
func (c *mlx) write(w, r []byte) error {
	last := len(w) - 1
	if len(r) != 0 || pec(append([]byte{byte(c.addr << 1)}, w[:last]...)) != w[last] {
		return device.ErrAbsent
	}
	cell := int(w[0]) - mlxEEPROM
	switch {
	case len(w) == 2 && w[0] == mlxSleep:
		c.asleep = true
		return nil
	case len(w) != 4 || cell < 0 || cell >= len(c.eeprom):
		return device.ErrAbsent
	}
	if v := binary.LittleEndian.Uint16(w[1:3]); v == 0 {
		c.eeprom[cell] = 0
	} else {
		c.eeprom[cell] |= v
	}
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
