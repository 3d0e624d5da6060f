package mlx90632

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/sim"
)

// read and write are the recordings of one transfer at the factory address.
func read(at, v uint16) i2ctest.IO {
	return i2ctest.IO{Addr: 0x3A, W: []byte{byte(at >> 8), byte(at)}, R: []byte{byte(v >> 8), byte(v)}}
}

func write(at, v uint16) i2ctest.IO {
	return i2ctest.IO{Addr: 0x3A, W: []byte{byte(at >> 8), byte(at), byte(v >> 8), byte(v)}}
}

// opening is what New reads of a medical part that runs: each word twice, the
// constants being Melexis'.
func opening(version, settings1, settings2 uint16) []i2ctest.IO {
	var ops []i2ctest.IO
	for _, c := range []struct{ at, v uint16 }{
		{0x240B, version}, {0x24E1, settings1}, {0x24E2, settings2},
		{0x240C, 0x7F5B}, {0x240D, 0x0058}, {0x240E, 0x0289}, {0x240F, 0x04A1},
		{0x2410, 0x66F8}, {0x2411, 0xFFF9}, {0x2412, 0x1E0F}, {0x2413, 0x0000},
		{0x2424, 0x268F}, {0x2425, 0x004A}, {0x2426, 0xC4EC}, {0x2427, 0x0056},
		{0x2428, 0xC7A1}, {0x2429, 0x0335}, {0x242A, 0x3515}, {0x242B, 0x028E},
		{0x242C, 0xE386}, {0x242D, 0xFF21}, {0x242E, 9728}, {0x242F, 10752},
		{0x2481, 16384}, {0x2482, 0},
		{0x3001, 0x0006},
	} {
		ops = append(ops, read(c.at, c.v), read(c.at, c.v))
	}
	return ops
}

// measuring is what Sense transfers for one measurement, not ready at first.
func measuring(status uint16) []i2ctest.IO {
	return []i2ctest.IO{
		read(0x3FFF, status), write(0x3FFF, status&^1),
		read(0x3FFF, status&^1), read(0x3FFF, status|1), read(0x3FFF, status|1),
	}
}

func twice(at, v uint16) []i2ctest.IO { return []i2ctest.IO{read(at, v), read(at, v)} }

// bubble runs f in virtual time, as the part's period wants it.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestRecordingIsReadToItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ops := opening(0x0105, 0x820D, 0x821D)
		ops = append(ops, measuring(1<<2)...) // after a pause a whole cycle is awaited
		ops = append(ops, measuring(2<<2)...)
		for _, w := range []struct{ at, v uint16 }{
			{0x4005, 19696}, {0x4008, 23030}, {0x4003, 832}, {0x4004, 834}, {0x4006, 835}, {0x4007, 831},
		} {
			ops = append(ops, twice(w.at, w.v)...)
		}
		ops = append(ops, read(0x3FFF, 2<<2))
		b := &i2ctest.Playback{Ops: ops, DontPanic: true}
		d, err := New(b, DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		s, err := d.Sense(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantNear(t, s.Object.Celsius(), 36.405, 0.002)
		wantNear(t, s.Ambient.Celsius(), 24.994, 0.002)
		if s.Raw != 833 {
			t.Errorf("raw word %d", s.Raw)
		}
		if !d.Medical() || d.Period() != 500*time.Millisecond {
			t.Errorf("medical %v, period %v", d.Medical(), d.Period())
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestVersionAndRefreshRateAreReadFromThePart(t *testing.T) {
	for _, c := range []struct {
		version, first, second uint16
		medical                bool
		period                 time.Duration
	}{
		{0x0105, 0x820D, 0x821D, true, 500 * time.Millisecond},
		{0x8105, 0x870D, 0x871D, true, 15625 * time.Microsecond},
		{0x0205, 0x800D, 0x801D, false, 2 * time.Second},
		{0x0505, 0x830D, 0x811D, false, time.Second}, // the slower one counts
	} {
		b := &i2ctest.Playback{Ops: opening(c.version, c.first, c.second), DontPanic: true}
		d, err := New(b, DefaultOpts())
		if err != nil {
			t.Error(err)
			continue
		}
		if d.Medical() != c.medical || d.Period() != c.period {
			t.Errorf("%#04x: medical %v, period %v", c.version, d.Medical(), d.Period())
		}
	}
}

// world returns a chip that sees 36.6 °C, and its bus.
func world(t testing.TB) (*sim.Thermometer, i2c.Bus) {
	t.Helper()
	w := sim.NewWorld()
	chip := w.AddMLX90632("thermo", 0x3A)
	chip.See(36.6, 25.3)
	bus, err := w.I2C("thermo")
	if err != nil {
		t.Fatal(err)
	}
	return chip, bus
}

// use opens the driver and measures once.
func use(ctx context.Context, b i2c.Bus) (device.Sample, error) {
	d, err := New(b, DefaultOpts())
	if err != nil {
		return device.Sample{}, err
	}
	return d.Sense(ctx)
}

func TestEachTransferFailsWithTheFaultOfTheBus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open := func() i2c.Bus { _, b := world(t); return b }
		devicetest.EachTransferFails(t, open, func(b i2c.Bus) error {
			s, err := use(t.Context(), b)
			if err != nil && s != (device.Sample{}) {
				t.Errorf("sample %+v beside %v", s, err)
			}
			return err
		})
	})
}

// There is no check code: a flipped bit of anything that stands still is found
// by reading it again, and one of the status never shows as a temperature.
func TestAFlippedBitIsNeverATemperature(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, b := world(t)
		count := &devicetest.FlippedBus{Bus: b}
		want, err := use(t.Context(), count)
		if err != nil {
			t.Fatal(err)
		}
		status := []byte{regStatus >> 8, regStatus & 0xFF}
		for at := 1; at <= count.Done; at++ {
			for bit := range 16 {
				_, b := world(t)
				f := &devicetest.FlippedBus{Bus: b, At: at, Bit: bit}
				s, err := use(t.Context(), f)
				switch {
				case err != nil && s != (device.Sample{}):
					t.Errorf("transfer %d bit %d: sample %+v beside %v", at, bit, s, err)
				case bytes.Equal(f.Asked, status) && err == nil && s != want:
					t.Errorf("status at transfer %d bit %d: got %+v", at, bit, s)
				case f.Asked != nil && !bytes.Equal(f.Asked, status) && !errors.Is(err, device.ErrCorrupt):
					t.Errorf("transfer %d bit %d: got %+v, %v; want corrupt", at, bit, s, err)
				}
			}
		}
	})
}

func TestNothingInASampleAfterAPauseIsOlderThanTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		chip, b := world(t)
		d, err := New(b, DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		for _, pause := range []time.Duration{0, 1001 * time.Millisecond, time.Minute} {
			chip.See(20, 25.3)
			time.Sleep(pause + 2*time.Second)
			chip.See(37.3, 25.3)
			s, err := d.Sense(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantNear(t, s.Object.Celsius(), 37.3, 0.02)
		}
		// In a row of calls one half is the measurement before.
		chip.See(38.3, 25.3)
		began := time.Now()
		s, err := d.Sense(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantNear(t, s.Object.Celsius(), 37.8, 0.02)
		if took := time.Since(began); took > d.Period() {
			t.Errorf("took %v", took)
		}
	})
}

func TestAPartThatLostItsPowerGivesNoHalfEmptySample(t *testing.T) {
	bubble(t, func(t *testing.T) {
		chip, b := world(t)
		d, err := New(b, DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		chip.Unplug()
		if _, err := d.Sense(t.Context()); !errors.Is(err, device.ErrAbsent) {
			t.Errorf("got %v", err)
		}
		chip.Plug()
		s, err := d.Sense(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantNear(t, s.Object.Celsius(), 36.6, 0.02)
	})
}

// scripted is a part as a map of its registers. The status takes the next
// position each time that it was cleared.
type scripted struct {
	cells     map[uint16]uint16
	positions []int // of the measurements; when they end, none comes
	deaf      bool  // ignores what is written to control
	modes     []uint16
}

func newScripted(version uint16, positions ...int) *scripted {
	s := &scripted{cells: map[uint16]uint16{}, positions: positions}
	for _, op := range opening(version, 0x820D, 0x821D) {
		s.cells[uint16(op.W[0])<<8|uint16(op.W[1])] = uint16(op.R[0])<<8 | uint16(op.R[1])
	}
	return s
}

func (s *scripted) String() string { return "scripted" }

func (s *scripted) SetSpeed(physic.Frequency) error { return nil }

func (s *scripted) Tx(_ uint16, w, r []byte) error {
	at := uint16(w[0])<<8 | uint16(w[1])
	if len(r) == 2 {
		r[0], r[1] = byte(s.cells[at]>>8), byte(s.cells[at])
		return nil
	}
	v := uint16(w[2])<<8 | uint16(w[3])
	switch {
	case at == regStatus && len(s.positions) > 0:
		s.cells[at] = uint16(s.positions[0])<<2 | statusNew
		s.positions = s.positions[1:]
	case at == regControl:
		s.modes = append(s.modes, v)
		if !s.deaf {
			s.cells[at] = v
		}
	default:
		s.cells[at] = v
	}
	return nil
}

func TestAPartThatStandsStillIsStarted(t *testing.T) {
	for _, c := range []struct {
		rule    string
		control uint16
		r       Range
		want    []uint16
	}{
		{"running already", 0x0006, Medical, nil},
		{"sleeping step", 0x0002, Medical, []uint16{0x0004, 0x0006}},
		{"a single measurement was asked for", 0x000C, Medical, []uint16{0x0004, 0x0006}},
		{"extended, other bits kept", 0x8116, Medical, []uint16{0x8004, 0x8006}},
		{"medical", 0x0006, Extended, []uint16{0x0114, 0x0116}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := newScripted(0x0505)
			s.cells[regControl] = c.control
			if _, err := New(s, &Opts{Address: 0x3A, Range: c.r}); err != nil {
				t.Fatal(err)
			}
			if len(s.modes) != len(c.want) || len(c.want) == 2 && (s.modes[0] != c.want[0] || s.modes[1] != c.want[1]) {
				t.Errorf("wrote %#04x, want %#04x", s.modes, c.want)
			}
		})
	}
}

func TestUnusablePartsAreInvalid(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(s *scripted, o *Opts)
	}{
		{"another version", func(s *scripted, _ *Opts) { s.cells[eeVersion] = 0x0104 }},
		{"no calibration", func(s *scripted, _ *Opts) { s.cells[eeFa], s.cells[eeFa+1] = 0, 0 }},
		{"no extended range", func(_ *scripted, o *Opts) { o.Range = Extended }},
		{"does not start", func(s *scripted, _ *Opts) { s.cells[regControl], s.deaf = 0x0002, true }},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s, o := newScripted(0x0105), DefaultOpts()
			c.change(s, o)
			if d, err := New(s, o); !errors.Is(err, device.ErrInvalid) || d != nil {
				t.Errorf("got %v, %v", d, err)
			}
		})
	}
}

func TestAMeasurementThatIsNoneIsInvalid(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(s *scripted)
	}{
		{"none comes", func(s *scripted) { s.positions = nil }},
		{"a position outside the cycle", func(s *scripted) { s.positions = []int{1, 3} }},
		{"empty words", func(s *scripted) { clear(s.cells) }},
		{"an object beyond the range", func(s *scripted) { s.cells[0x4003], s.cells[0x4004] = 32767, 32767 }},
		{"a part beyond the range", func(s *scripted) { s.cells[0x4005] = 32767; s.cells[0x4008] = 15000 }},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newScripted(0x0105, 1, 2)
				d, err := New(s, DefaultOpts())
				if err != nil {
					t.Fatal(err)
				}
				s.cells[0x4005], s.cells[0x4008] = 19696, 23030
				c.change(s)
				if got, err := d.Sense(t.Context()); !errors.Is(err, device.ErrInvalid) || got != (device.Sample{}) {
					t.Errorf("got %+v, %v", got, err)
				}
			})
		})
	}
}

func TestAnExtendedCycleEndsAtItsLastRow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newScripted(0x0505, 18, 19, 17, 18, 19)
		d, err := New(s, &Opts{Address: 0x3A, Range: Extended, Reflected: physic.ZeroCelsius + 25*physic.Kelvin})
		if err != nil {
			t.Fatal(err)
		}
		for at, v := range map[uint16]int16{
			ram(3, 17): 22454, ram(3, 18): 23030,
			ram(1, 17): 10, ram(2, 17): -70, ram(1, 18): -30, ram(2, 18): 100, ram(1, 19): 100, ram(2, 19): 100,
		} {
			s.cells[at] = uint16(v)
		}
		got, err := d.Sense(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantNear(t, got.Object.Celsius(), 55.507, 0.02)
		if got.Raw != 305 || len(s.positions) != 0 {
			t.Errorf("raw %d, left %v", got.Raw, s.positions)
		}
	})
}

func TestAContextThatEndedTouchesNoBus(t *testing.T) {
	b := &i2ctest.Playback{Ops: opening(0x0105, 0x820D, 0x821D), DontPanic: true}
	d, err := New(b, DefaultOpts())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Sense(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestOptsOutsideTheirRangeAreRefused(t *testing.T) {
	for _, o := range []Opts{
		{Address: 0x5A}, {}, {Address: 0x3A, Range: Extended + 1}, {Address: 0x3A, Range: -1},
		{Address: 0x3A, Emissivity: 0.05}, {Address: 0x3B, Emissivity: 1.01}, {Address: 0x3A, Reflected: -1},
	} {
		if _, err := New(&i2ctest.Playback{}, &o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}

func TestHaltIsIdempotentAndStringNamesThePlace(t *testing.T) {
	d, err := New(newScripted(0x0105), &Opts{Address: 0x3B})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Halt(), d.Halt()); err != nil {
		t.Error(err)
	}
	if got := d.String(); got != "MLX90632{scripted(59)}" {
		t.Error(got)
	}
	if Medical.String() != "medical" || Extended.String() != "extended" || Range(7).String() != "Range(7)" {
		t.Error("range names")
	}
}
