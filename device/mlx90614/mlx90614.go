// Package mlx90614 reads the Melexis MLX90614 family of infrared thermometers
// over SMBus (data sheet 3901090614, application note 390119061402). The
// medical parts (Dxx) are accurate to ±0.2 °C for objects of 36..38 °C in
// thermal equilibrium, the standard parts to ±0.5 °C.
//
// It knows the RAM words of object and ambient, their packet error code (PEC)
// and their error flag, the flags, the identity, sleep, and two cells of the
// EEPROM: emissivity and address. Those are written by SetEmissivity and
// SetAddress only, which nothing that measures calls: a changed emissivity
// breaks the factory calibration of medical parts. It corrects nothing and
// decides nothing; the first valid words come about 250 ms after power-on, and
// who waits for that is the caller.
package mlx90614

import (
	"context"
	"fmt"
	"sync/atomic"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
)

// RAM read commands (data sheet, table of RAM addresses).
const (
	cmdAmbient = 0x06 // Ta
	cmdObject  = 0x07 // Tobj1
	cmdObject2 = 0x08 // Tobj2, which only parts with two zones have
)

// The words that the linearised output can hold; bit 15 is an error flag.
const (
	minWord   = 0x27AD // -70.01 °C
	maxWord   = 0x7FFF // +382.19 °C
	errorFlag = 0x8000
)

// kelvinPerWord is the weight of one count, 0.02 K, in exact integers.
const kelvinPerWord = 20 * physic.MilliKelvin

// PEC says what a wrong packet error code does to a transfer. Some adapters
// and clones are said not to deliver a valid one, hence the choice.
type PEC int

const (
	// PECStrict refuses the transfer with device.ErrCorrupt.
	PECStrict PEC = iota
	// PECLog accepts the word and counts it; the caller reports every rise of
	// Mismatches.
	PECLog
	// PECOff accepts the word and counts it, and nobody need look.
	PECOff
)

// String returns the mode as a board profile spells it.
func (p PEC) String() string {
	switch p {
	case PECStrict:
		return "strict"
	case PECLog:
		return "log"
	case PECOff:
		return "off"
	}
	return fmt.Sprintf("PEC(%d)", int(p))
}

// Opts says where the part is and how strictly it is read.
type Opts struct {
	// Address is the 7-bit bus address, 0x01..0x7F. Every part also answers
	// on 0x00, which is refused here: two sensors on one bus would collide.
	Address uint16
	// PEC is PECStrict unless set.
	PEC PEC
	// Dual says that the part has two zones (xBx parts), each with a lens axis of its
	// own. What it sees is the warmer of both: a small and a tall forehead each fill
	// one, and what fills the other is colder.
	Dual bool
}

// DefaultOpts returns the factory address 0x5A with strict PEC.
func DefaultOpts() *Opts {
	return &Opts{Address: 0x5A}
}

// Dev is one thermometer on a bus that the caller owns. Its methods may be
// called from any goroutine if the bus allows it.
type Dev struct {
	c          i2c.Dev
	pec        PEC
	dual       bool
	mismatches atomic.Uint64
}

// New returns the thermometer at o.Address without touching the bus; whether
// it is there, the first Sense tells. The bus must run at 100 kHz or less.
func New(b i2c.Bus, o *Opts) (*Dev, error) {
	if o.Address < 0x01 || o.Address > 0x7F {
		return nil, fmt.Errorf("mlx90614: address %#x outside 0x01..0x7f", o.Address)
	}
	if o.PEC < PECStrict || o.PEC > PECOff {
		return nil, fmt.Errorf("mlx90614: unknown mode %v", o.PEC)
	}
	return &Dev{c: i2c.Dev{Bus: b, Addr: o.Address}, pec: o.PEC, dual: o.Dual}, nil
}

// String names the part and its place.
func (d *Dev) String() string {
	return fmt.Sprintf("MLX90614{%v}", &d.c)
}

// Halt implements conn.Resource. The part measures by itself and is left so.
func (d *Dev) Halt() error {
	return nil
}

// Mismatches returns how many transfers had a wrong packet error code since
// New, in every mode.
func (d *Dev) Mismatches() uint64 {
	return d.mismatches.Load()
}

// Sense reads the object word, of a part with two zones both and takes the
// warmer, then the ambient word. A wrong PEC gives
// device.ErrCorrupt (PECStrict only), an error flag or a word outside the
// part's range device.ErrInvalid; what the bus reports, such as
// device.ErrAbsent for a missing acknowledgement, stays in the chain.
func (d *Dev) Sense(ctx context.Context) (device.Sample, error) {
	object, err := d.word(ctx, cmdObject)
	if err != nil {
		return device.Sample{}, fmt.Errorf("mlx90614: read object: %w", err)
	}
	if d.dual {
		second, err := d.word(ctx, cmdObject2)
		if err != nil {
			return device.Sample{}, fmt.Errorf("mlx90614: read object of the second zone: %w", err)
		}
		object = max(object, second)
	}
	ambient, err := d.word(ctx, cmdAmbient)
	if err != nil {
		return device.Sample{}, fmt.Errorf("mlx90614: read ambient: %w", err)
	}
	return device.Sample{
		Object:  physic.Temperature(object) * kelvinPerWord,
		Ambient: physic.Temperature(ambient) * kelvinPerWord,
		Raw:     object,
	}, nil
}

// word reads one temperature word and checks it.
func (d *Dev) word(ctx context.Context, cmd byte) (uint16, error) {
	w, err := d.read(ctx, cmd)
	if err != nil {
		return 0, err
	}
	if w&errorFlag != 0 {
		return 0, fmt.Errorf("%w: error flag in word %#04x", device.ErrInvalid, w)
	}
	if w < minWord {
		return 0, fmt.Errorf("%w: word %#04x outside %#04x..%#04x", device.ErrInvalid, w, minWord, maxWord)
	}
	return w, nil
}

// read reads one word of RAM or EEPROM; the context is looked at before the
// transfer, which itself cannot be interrupted.
func (d *Dev) read(ctx context.Context, cmd byte) (uint16, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var r [3]byte
	if err := d.c.Tx([]byte{cmd}, r[:]); err != nil {
		return 0, err
	}
	return d.check(cmd, r)
}

// check verifies an answer of LSB, MSB and PEC and returns its word.
func (d *Dev) check(cmd byte, r [3]byte) (uint16, error) {
	addr := byte(d.c.Addr << 1)
	if want := pec(addr, cmd, addr|1, r[0], r[1]); r[2] != want {
		d.mismatches.Add(1)
		if d.pec == PECStrict {
			return 0, fmt.Errorf("%w: pec %#02x, want %#02x", device.ErrCorrupt, r[2], want)
		}
	}
	return uint16(r[1])<<8 | uint16(r[0]), nil
}

// pec is the SMBus packet error code: CRC-8, polynomial 0x07, initial value 0,
// over every byte on the wire, addresses included.
func pec(p ...byte) byte {
	var crc byte
	for _, b := range p {
		crc ^= b
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x07
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

var _ conn.Resource = (*Dev)(nil)
