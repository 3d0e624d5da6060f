package mlx90614

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/sim"
)

// cell is the recording of a write to the EEPROM with its true check code.
func cell(cmd byte, w uint16) i2ctest.IO {
	lsb, msb := byte(w), byte(w>>8)
	return i2ctest.IO{Addr: 0x5A, W: []byte{cmd, lsb, msb, pec(0xB4, cmd, lsb, msb)}}
}

// bubble gives f a strict device on a recording and wants it read to its end.
func bubble(t *testing.T, ops []i2ctest.IO, f func(t *testing.T, d *Dev)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &i2ctest.Playback{Ops: ops, DontPanic: true}
		f(t, newDev(t, b, PECStrict))
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestACellIsErasedBeforeItIsWrittenAndReadBackAfter(t *testing.T) {
	// 0.98 is 0xFAE0 in the data sheet's own table.
	ops := []i2ctest.IO{cell(0x24, 0), cell(0x24, 0xFAE0), sound(0x24, 0xFAE0)}
	bubble(t, ops, func(t *testing.T, d *Dev) {
		began := time.Now()
		if err := d.SetEmissivity(t.Context(), 0.98); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 2*5*time.Millisecond {
			t.Errorf("the cell had %v for both steps", took)
		}
	})
}

func TestANewAddressKeepsTheMakersByte(t *testing.T) {
	ops := []i2ctest.IO{sound(0x2E, 0xBE5A), cell(0x2E, 0), cell(0x2E, 0xBE5B), sound(0x2E, 0xBE5B)}
	bubble(t, ops, func(t *testing.T, d *Dev) {
		if err := d.SetAddress(t.Context(), 0x5B); err != nil {
			t.Error(err)
		}
	})
}

func TestACellThatReadsBackOtherwiseIsInvalid(t *testing.T) {
	ops := []i2ctest.IO{cell(0x24, 0), cell(0x24, 0xFAE0), sound(0x24, 0xFAE1)}
	bubble(t, ops, func(t *testing.T, d *Dev) {
		if err := d.SetEmissivity(t.Context(), 0.98); !errors.Is(err, device.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func TestNothingIsWrittenOutsideTheLimits(t *testing.T) {
	bubble(t, nil, func(t *testing.T, d *Dev) {
		for _, e := range []float64{0, 0.09, 1.01, -1, math.NaN()} {
			if err := d.SetEmissivity(t.Context(), e); err == nil {
				t.Errorf("emissivity %g written", e)
			}
		}
		for _, to := range []uint16{0x00, 0x07, 0x78, 0x15A} {
			if err := d.SetAddress(t.Context(), to); err == nil {
				t.Errorf("address %#x written", to)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.SetEmissivity(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// The last bit of an emissivity is no error flag: 0xFFFF is 1 and the usual.
func TestIdentityEmissivityAndFlagsAreRead(t *testing.T) {
	flags := func(w uint16) []i2ctest.IO {
		lsb, msb := byte(w), byte(w>>8)
		return []i2ctest.IO{
			{Addr: 0x5A, W: []byte{0xF0}},
			{Addr: 0x5A, R: []byte{lsb, msb, pec(0xB4, 0xF0, 0xB5, lsb, msb)}},
		}
	}
	ops := []i2ctest.IO{
		sound(0x3C, 0x1234), sound(0x3D, 0x5678), sound(0x3E, 0x9ABC), sound(0x3F, 0xDEF0),
		sound(0x24, 0xFFFF), sound(0x24, 0x0000),
	}
	for _, w := range []uint16{0x0010, 0x0000, 0x0090, 0x0030} {
		ops = append(ops, flags(w)...)
	}
	bubble(t, ops, func(t *testing.T, d *Dev) {
		if id, err := d.ID(t.Context()); err != nil || id != 0xDEF09ABC56781234 {
			t.Errorf("identity %#x, %v", id, err)
		}
		if e, err := d.Emissivity(t.Context()); err != nil || e != 1 {
			t.Errorf("emissivity %g, %v", e, err)
		}
		if e, err := d.Emissivity(t.Context()); !errors.Is(err, device.ErrInvalid) || e != 0 {
			t.Errorf("erased cell: %g, %v", e, err)
		}
		for _, want := range []Flags{{}, {Starting: true}, {Busy: true}, {Dead: true}} {
			if got, err := d.Flags(t.Context()); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
	})
}

// The frame is the data sheet's: B4 FF E8.
func TestSleepIsTheFrameOfTheDataSheet(t *testing.T) {
	bubble(t, []i2ctest.IO{{Addr: 0x5A, W: []byte{0xFF, 0xE8}}}, func(t *testing.T, d *Dev) {
		if err := d.Sleep(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// everything is all that the driver can do, until the first fault.
func everything(ctx context.Context, b i2c.Bus) error {
	d, err := New(b, DefaultOpts())
	if err != nil {
		return err
	}
	for _, do := range []func() error{
		func() error { _, err := d.ID(ctx); return err },
		func() error { _, err := d.Emissivity(ctx); return err },
		func() error { _, err := d.Flags(ctx); return err },
		func() error { return d.SetEmissivity(ctx, 0.98) },
		func() error { return d.SetAddress(ctx, 0x5B) },
		func() error { _, err := d.Sense(ctx); return err },
		func() error { return d.Sleep(ctx) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func chip(t testing.TB) (*sim.Thermometer, i2c.Bus) {
	t.Helper()
	w := sim.NewWorld()
	chip := w.AddI2CThermometer("thermo", 0x5A)
	bus, err := w.I2C("thermo")
	if err != nil {
		t.Fatal(err)
	}
	return chip, bus
}

func TestEachTransferFailsWithTheFaultOfTheBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := func() i2c.Bus { _, b := chip(t); return b }
		devicetest.EachTransferFails(t, open, func(b i2c.Bus) error { return everything(t.Context(), b) })
	})
}

func TestAFlippedBitOfAnyAnswerIsCorrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b := chip(t)
		count := &devicetest.FlippedBus{Bus: b}
		if err := everything(t.Context(), count); err != nil {
			t.Fatal(err)
		}
		hits := 0
		for at := 1; at <= count.Done; at++ {
			for bit := range 24 {
				_, b := chip(t)
				f := &devicetest.FlippedBus{Bus: b, At: at, Bit: bit}
				err := everything(t.Context(), f)
				if f.Asked == nil {
					continue // the part only took something
				}
				if hits++; !errors.Is(err, device.ErrCorrupt) {
					t.Errorf("transfer %d bit %d: got %v", at, bit, err)
				}
			}
		}
		if hits != 24*(4+1+1+1+2+2) {
			t.Errorf("%d bits flipped", hits)
		}
	})
}

func TestMeasuringNeverWritesTheEEPROM(t *testing.T) {
	part, b := chip(t)
	d := newDev(t, b, PECStrict)
	if _, err := d.Sense(t.Context()); err != nil {
		t.Error(err)
	}
	if n := part.Writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestASleepingPartIsAbsentUntilItsPowerReturns(t *testing.T) {
	part, b := chip(t)
	d := newDev(t, b, PECStrict)
	if err := d.Sleep(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := d.Sense(t.Context()); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	part.Unplug()
	part.Plug()
	if _, err := d.Sense(t.Context()); err != nil {
		t.Error(err)
	}
}

// pin is a data line that notes when it was driven and freed.
type pin struct {
	gpio.PinIO
	low, freed time.Time
	out, in    error
}

func (p *pin) Out(l gpio.Level) error {
	if l == gpio.Low {
		p.low = time.Now()
	}
	return p.out
}

func (p *pin) In(gpio.Pull, gpio.Edge) error { p.freed = time.Now(); return p.in }

func TestWakeHoldsTheDataLineLowAndAlwaysFreesIt(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		rule string
		p    pin
		wait time.Duration // until the context ends
		want error
	}{
		{"held for 33 ms and freed", pin{}, time.Hour, nil},
		{"not driven", pin{out: broken}, time.Hour, broken},
		{"not freed", pin{in: broken}, time.Hour, broken},
		{"the context ends while it is held", pin{}, 10 * time.Millisecond, context.DeadlineExceeded},
		{"the first fault is told", pin{out: broken, in: errors.New("second")}, time.Hour, broken},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.wait)
				defer cancel()
				began := time.Now()
				if err := Wake(ctx, &c.p); !errors.Is(err, c.want) {
					t.Errorf("got %v", err)
				}
				if c.p.freed.IsZero() {
					t.Error("the line is still held")
				}
				if c.want != nil {
					return
				}
				if held := c.p.freed.Sub(c.p.low); held < 33*time.Millisecond {
					t.Errorf("held for %v", held)
				}
				if took := time.Since(began); took < 33*time.Millisecond+250*time.Millisecond {
					t.Errorf("words are awaited after %v", took)
				}
			})
		})
	}
}
