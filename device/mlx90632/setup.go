package mlx90632

import (
	"fmt"

	"github.com/menshen/menshen/device"
)

// identify learns what part this is.
func (d *Dev) identify(r Range) error {
	version, err := d.word(eeVersion)
	if err != nil {
		return err
	}
	if version&versionMask != versionKnown {
		return fmt.Errorf("%w: EEPROM version %#04x", device.ErrInvalid, version)
	}
	if r == Extended && version&accuracyMask != rangeExtended {
		return fmt.Errorf("%w: version %#04x has no extended range", device.ErrInvalid, version)
	}
	d.medical = version&accuracyMask == accuracyMedical
	return nil
}

// refresh reads how long a measurement takes: the longest of a cycle.
func (d *Dev) refresh(Range) error {
	for _, at := range d.cycle.settings {
		settings, err := d.word(at)
		if err != nil {
			return fmt.Errorf("settings %#04x: %w", at, err)
		}
		d.period = max(d.period, slowest>>(settings>>8&0x7))
	}
	return nil
}

// calibrate reads the constants of the part. In the extended range its
// sensitivity is half of what is stored.
func (d *Dev) calibrate(r Range) error {
	stored := make(map[uint16]int64)
	for _, k := range constants() {
		low, err := d.word(k.at)
		if err != nil {
			return fmt.Errorf("constant %#04x: %w", k.at, err)
		}
		stored[k.at] = int64(int16(low))
		if !k.wide {
			continue
		}
		high, err := d.word(k.at + 1)
		if err != nil {
			return fmt.Errorf("constant %#04x: %w", k.at+1, err)
		}
		stored[k.at] = int64(int32(uint32(high)<<16 | uint32(low)))
	}
	if d.cal = calibrate(stored); !d.cal.usable() {
		return fmt.Errorf("%w: the part is not calibrated", device.ErrInvalid)
	}
	if r == Extended {
		d.cal.fa /= 2
	}
	return nil
}

// start lets the part measure continuously. A part that does so already, as it
// does after power-on, is not disturbed. The type of measurement is changed
// between measurements only, so the part is stopped for that.
func (d *Dev) start(Range) error {
	control, err := d.word(regControl)
	if err != nil {
		return fmt.Errorf("read control: %w", err)
	}
	const chosen = controlMode | controlType
	want := controlRunning | d.cycle.kind
	if control&chosen == want {
		return nil
	}
	rest := control &^ (chosen | controlStarts)
	for _, mode := range []uint16{controlStep, controlRunning} {
		if err := d.write(regControl, rest|d.cycle.kind|mode); err != nil {
			return fmt.Errorf("write control: %w", err)
		}
	}
	if control, err = d.word(regControl); err != nil {
		return fmt.Errorf("read control back: %w", err)
	}
	if control&chosen != want {
		return fmt.Errorf("%w: control reads back %#04x", device.ErrInvalid, control)
	}
	return nil
}

// word reads a register that stands still, twice: a flipped bit on the wires
// shows in no other way.
func (d *Dev) word(at uint16) (uint16, error) {
	first, err := d.register(at)
	if err != nil {
		return 0, err
	}
	second, err := d.register(at)
	if err != nil {
		return 0, err
	}
	if first != second {
		return 0, fmt.Errorf("%w: %#04x, then %#04x", device.ErrCorrupt, first, second)
	}
	return first, nil
}

// register reads a register once.
func (d *Dev) register(at uint16) (uint16, error) {
	var r [2]byte
	if err := d.c.Tx([]byte{byte(at >> 8), byte(at)}, r[:]); err != nil {
		return 0, err
	}
	return uint16(r[0])<<8 | uint16(r[1]), nil
}

func (d *Dev) write(at, v uint16) error {
	return d.c.Tx([]byte{byte(at >> 8), byte(at), byte(v >> 8), byte(v)}, nil)
}
