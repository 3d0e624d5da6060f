package devicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// driver is a small sound thermometer; each field plants one violation.
type driver struct {
	bus i2c.Bus

	blind    bool // verifies nothing about a frame
	unranged bool // takes any word
	leaky    bool // returns the last sample beside an error
	deaf     bool // ignores its context
	vague    bool // calls a missing chip invalid
	twice    bool // cannot be halted twice

	wait time.Duration // for a silent chip, whatever the context says

	last   device.Sample
	halted bool
}

func (d *driver) Sense(ctx context.Context) (device.Sample, error) {
	s, err := d.sense(ctx)
	if err != nil {
		if d.leaky {
			return d.last, err
		}
		return device.Sample{}, err
	}
	d.last = s
	return s, nil
}

func (d *driver) sense(ctx context.Context) (device.Sample, error) {
	if err := ctx.Err(); err != nil && !d.deaf {
		return device.Sample{}, err
	}
	object, err := d.word(0x07)
	if err != nil {
		return device.Sample{}, err
	}
	ambient, err := d.word(0x06)
	if err != nil {
		return device.Sample{}, err
	}
	return device.Sample{Object: kelvin(object), Ambient: kelvin(ambient), Raw: object}, nil
}

func (d *driver) word(cmd byte) (uint16, error) {
	b := make([]byte, 3)
	if err := d.bus.Tx(0x5A, []byte{cmd}, b); err != nil {
		<-time.After(d.wait)
		if d.vague {
			return 0, device.ErrInvalid
		}
		return 0, err
	}
	if crc8(0xB4, cmd, 0xB5, b[0], b[1]) != b[2] && !d.blind {
		return 0, device.ErrCorrupt
	}
	w := uint16(b[0]) | uint16(b[1])<<8
	if (w < 0x27AD || w > 0x7FFF) && !d.unranged {
		return 0, device.ErrInvalid
	}
	return w, nil
}

func crc8(b ...byte) (crc byte) {
	for _, c := range b {
		crc ^= c
		for range 8 {
			crc = crc<<1 ^ crc>>7*0x07
		}
	}
	return crc
}

func kelvin(w uint16) physic.Temperature {
	return physic.Temperature(w) * 20 * physic.MilliKelvin
}

func (d *driver) Halt() error {
	if d.halted && d.twice {
		return errors.New("already halted")
	}
	d.halted = true
	return nil
}

func open(t testing.TB, planted driver) (Sensor, *sim.Thermometer) {
	t.Helper()
	w := sim.NewWorld()
	chip := w.AddI2CThermometer("thermo", 0x5A)
	chip.See(36.6, 25.3)
	bus, err := w.I2C("thermo")
	if err != nil {
		t.Fatal(err)
	}
	planted.bus = bus
	if _, err := planted.Sense(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &planted, chip
}

func TestASoundDriverPasses(t *testing.T) {
	Thermometer(t, func(t testing.TB) (Sensor, *sim.Thermometer) { return open(t, driver{}) })
}

func TestEveryPlantedViolationIsCaught(t *testing.T) {
	for _, c := range []struct {
		rule    string
		planted driver
		caught  []string // at least by these
	}{
		{"check code not verified", driver{blind: true}, []string{"a wrong check code is corrupt"}},
		{"range not verified", driver{unranged: true}, []string{
			"a measurement that the chip calls failed is invalid",
			"a value outside the chip's range is invalid",
		}},
		{"a value beside an error", driver{leaky: true}, []string{
			"a wrong check code is corrupt",
			"words of zeros leave no value beside an error",
			"words of ones leave no value beside an error",
			"an unplugged chip is absent",
		}},
		{"context ignored", driver{deaf: true}, []string{"a context that has ended ends a measurement"}},
		{"wait without a bound", driver{wait: time.Minute}, []string{
			"the end of the context ends a wait",
			"a chip that does not answer is absent",
		}},
		{"wait that outlives its context", driver{wait: 300 * time.Millisecond}, []string{
			"the end of the context ends a wait",
		}},
		{"absence not told", driver{vague: true}, []string{
			"an unplugged chip is absent",
			"a chip that does not answer is absent",
		}},
		{"halt that fails the second time", driver{twice: true}, []string{"halt is idempotent"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var caught []string
			for _, r := range thermometerRules() {
				synctest.Test(t, func(t *testing.T) {
					if r.check(open(t, c.planted)) != nil {
						caught = append(caught, r.name)
					}
				})
			}
			for _, want := range c.caught {
				if !slices.Contains(caught, want) {
					t.Errorf("not caught by %q", want)
				}
			}
		})
	}
}

// verdict is a testing.TB that keeps what it is told.
type verdict struct {
	testing.TB
	errs []string
}

func (v *verdict) Helper()                        {}
func (v *verdict) Error(args ...any)              { v.errs = append(v.errs, fmt.Sprint(args...)) }
func (v *verdict) Errorf(format string, a ...any) { v.errs = append(v.errs, fmt.Sprintf(format, a...)) }

func TestEachTransferFailsCatches(t *testing.T) {
	newBus := func() i2c.Bus {
		w := sim.NewWorld()
		w.AddI2CThermometer("thermo", 0x5A)
		b, err := w.I2C("thermo")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	use := func(b i2c.Bus) error {
		_, err := (&driver{bus: b}).Sense(t.Context())
		return err
	}
	for _, c := range []struct {
		rule string
		use  func(b i2c.Bus) error
		want int // complaints
	}{
		{"nothing in a sound driver", use, 0},
		{"a fault that is swallowed, at each transfer", func(b i2c.Bus) error { _ = use(b); return nil }, 2},
		{"a fault that is replaced, at each transfer", func(b i2c.Bus) error {
			if use(b) != nil {
				return device.ErrInvalid
			}
			return nil
		}, 2},
		{"a driver that fails without a fault", func(i2c.Bus) error { return device.ErrInvalid }, 1},
		{"a driver that transfers nothing", func(i2c.Bus) error { return nil }, 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			v := &verdict{}
			EachTransferFails(v, newBus, c.use)
			if len(v.errs) != c.want {
				t.Errorf("complaints: %q", v.errs)
			}
		})
	}
}
