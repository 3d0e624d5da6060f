package mlx90614

import (
	"context"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/gpio"

	"github.com/menshen/menshen/device"
)

// Commands beside those of the RAM, and the bits of the flags (data sheet,
// "Commands" and "Read flags").
const (
	cmdEmissivity = 0x24
	cmdAddress    = 0x2E
	cmdID         = 0x3C // the first of four
	cmdFlags      = 0xF0
	cmdSleep      = 0xFF

	flagBusy  = 0x80
	flagDead  = 0x20
	flagReady = 0x10
)

const (
	// cellWait is how long a cell takes to be erased or written: 5 ms by the
	// application note, with room to spare.
	cellWait = 20 * time.Millisecond
	// wakeHold is how long SDA is held low to wake the part, at least 33 ms.
	wakeHold = 35 * time.Millisecond
	// firstData is when the first valid words come after power-on or wake-up.
	firstData = 250 * time.Millisecond
)

// Flags are what the part says of itself.
type Flags struct {
	// Busy: a cell of the EEPROM is being written.
	Busy bool
	// Dead: a cell of the EEPROM has two wrong bits; the part is unusable.
	Dead bool
	// Starting: power-on is less than 250 ms ago; the words are not valid yet.
	Starting bool
}

// Flags reads the flags. Unlike a word they are read without a repeated start.
func (d *Dev) Flags(ctx context.Context) (Flags, error) {
	var r [3]byte
	err := ctx.Err()
	if err == nil {
		err = d.c.Tx([]byte{cmdFlags}, nil)
	}
	if err == nil {
		err = d.c.Tx(nil, r[:])
	}
	var w uint16
	if err == nil {
		w, err = d.check(cmdFlags, r)
	}
	if err != nil {
		return Flags{}, fmt.Errorf("mlx90614: read flags: %w", err)
	}
	return Flags{Busy: w&flagBusy != 0, Dead: w&flagDead != 0, Starting: w&flagReady == 0}, nil
}

// ID returns the number that the maker gave this one part.
func (d *Dev) ID(ctx context.Context) (uint64, error) {
	var id uint64
	for cell := range byte(4) {
		w, err := d.read(ctx, cmdID+cell)
		if err != nil {
			return 0, fmt.Errorf("mlx90614: read identity: %w", err)
		}
		id |= uint64(w) << (16 * cell)
	}
	return id, nil
}

// Emissivity returns what the part takes the emissivity of its object to be,
// above 0 to 1; it is 1 as parts leave the factory.
func (d *Dev) Emissivity(ctx context.Context) (float64, error) {
	w, err := d.read(ctx, cmdEmissivity)
	if err == nil && w == 0 {
		err = fmt.Errorf("%w: the cell is erased", device.ErrInvalid)
	}
	if err != nil {
		return 0, fmt.Errorf("mlx90614: read emissivity: %w", err)
	}
	return float64(w) / math.MaxUint16, nil
}

// SetEmissivity writes the emissivity, 0.1 to 1, and reads it back; the part
// uses it after its next power-on. A medical part is no longer calibrated then.
// A fault leaves the cell in doubt: SetEmissivity has to be called again.
func (d *Dev) SetEmissivity(ctx context.Context, e float64) error {
	if !(e >= 0.1 && e <= 1) {
		return fmt.Errorf("mlx90614: emissivity %g outside 0.1..1", e)
	}
	if err := d.writeCell(ctx, cmdEmissivity, uint16(math.Round(e*math.MaxUint16))); err != nil {
		return fmt.Errorf("mlx90614: write emissivity: %w", err)
	}
	return nil
}

// SetAddress gives the part another address, 0x08 to 0x77; it answers there
// after its next power-on, and here until then. The other byte of the cell
// belongs to the maker and is kept.
func (d *Dev) SetAddress(ctx context.Context, to uint16) error {
	if to < 0x08 || to > 0x77 {
		return fmt.Errorf("mlx90614: address %#x outside 0x08..0x77", to)
	}
	w, err := d.read(ctx, cmdAddress)
	if err == nil {
		err = d.writeCell(ctx, cmdAddress, w&0xFF00|to)
	}
	if err != nil {
		return fmt.Errorf("mlx90614: write address: %w", err)
	}
	return nil
}

// writeCell erases a cell of the EEPROM, without which nothing can be written
// into it, writes it, and reads it back.
func (d *Dev) writeCell(ctx context.Context, cmd byte, v uint16) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// From here on nothing interrupts: an erased cell is worse than an old one.
	ctx = context.WithoutCancel(ctx)
	for _, w := range []uint16{0, v} {
		if err := d.write(ctx, cmd, byte(w), byte(w>>8)); err != nil {
			return err
		}
		time.Sleep(cellWait)
	}
	got, err := d.read(ctx, cmd)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if got != v {
		return fmt.Errorf("%w: cell reads back %#04x, want %#04x", device.ErrInvalid, got, v)
	}
	return nil
}

// write sends a command with its data and its PEC. The part does not
// acknowledge a wrong PEC.
func (d *Dev) write(ctx context.Context, cmd byte, data ...byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	frame := append([]byte{byte(d.c.Addr << 1), cmd}, data...)
	return d.c.Tx(append(frame[1:], pec(frame...)), nil)
}

// Sleep puts a 3 V part (xBx, xDx) into its sleep of some 2 µA; a 5 V part has
// none. It answers nothing until Wake or a power-on.
func (d *Dev) Sleep(ctx context.Context) error {
	if err := d.write(ctx, cmdSleep); err != nil {
		return fmt.Errorf("mlx90614: sleep: %w", err)
	}
	return nil
}

// Wake ends the sleep of every part on the bus: it holds the data line low,
// frees it, and waits for the first valid words, 285 ms in all. The caller
// takes the pin from the bus before and gives it back after.
func Wake(ctx context.Context, sda gpio.PinIO) error {
	err := sda.Out(gpio.Low)
	if err == nil {
		err = wait(ctx, wakeHold)
	}
	// The line is freed in any case: held low, it silences the whole bus.
	if free := sda.In(gpio.PullNoChange, gpio.NoEdge); err == nil {
		err = free
	}
	if err == nil {
		err = wait(ctx, firstData)
	}
	if err != nil {
		return fmt.Errorf("mlx90614: wake: %w", err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
