package mlx90614

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
)

// read is the recording of one word read at the factory address.
func read(cmd, lsb, msb, check byte) i2ctest.IO {
	return i2ctest.IO{Addr: 0x5A, W: []byte{cmd}, R: []byte{lsb, msb, check}}
}

// sound is the recording of one word read with its true check code.
func sound(cmd byte, w uint16) i2ctest.IO {
	lsb, msb := byte(w), byte(w>>8)
	return read(cmd, lsb, msb, pec(0xB4, cmd, 0xB5, lsb, msb))
}

// bus plays a recording back and fails transfer number failAt, from 0, with
// err before it reaches the recording.
type bus struct {
	i2ctest.Playback
	failAt, count int
	err           error
}

func (b *bus) Tx(addr uint16, w, r []byte) error {
	n := b.count
	b.count++
	if b.err != nil && n == b.failAt {
		return b.err
	}
	return b.Playback.Tx(addr, w, r)
}

func newDev(t *testing.T, b i2c.Bus, mode PEC) *Dev {
	t.Helper()
	o := DefaultOpts()
	o.PEC = mode
	d, err := New(b, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func milliC(c int64) physic.Temperature {
	return physic.ZeroCelsius + physic.Temperature(c)*physic.MilliKelvin
}

// The data sheet's and application note's words with their check codes. The
// part counts 0.02 K from 0 K, so a word for 36.60 °C is exact only to 10 mK.
func TestSenseReadsDataSheetWords(t *testing.T) {
	for _, c := range []struct {
		name string
		op   i2ctest.IO
		want physic.Temperature
	}{
		{"28.01 °C of the data sheet", read(0x07, 0xD2, 0x3A, 0x30), milliC(28010)},
		{"36.00 °C", read(0x07, 0x61, 0x3C, 0x52), milliC(36000 - 10)},
		{"36.50 °C", read(0x07, 0x7A, 0x3C, 0x92), milliC(36500 - 10)},
		{"36.60 °C", read(0x07, 0x80, 0x3C, 0x04), milliC(36600 + 10)},
		{"37.00 °C", read(0x07, 0x93, 0x3C, 0x6C), milliC(37000 - 10)},
		{"37.30 °C", read(0x07, 0xA2, 0x3C, 0x80), milliC(37300 - 10)},
		{"37.50 °C", read(0x07, 0xAC, 0x3C, 0x56), milliC(37500 - 10)},
		{"38.00 °C", read(0x07, 0xC5, 0x3C, 0x1E), milliC(38000 - 10)},
		{"42.00 °C", read(0x07, 0x8D, 0x3D, 0xEA), milliC(42000 - 10)},
		{"lower limit", read(0x07, 0xAD, 0x27, 0x02), milliC(-70010)},
		{"upper limit", read(0x07, 0xFF, 0x7F, 0xAB), milliC(382190)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &i2ctest.Playback{Ops: []i2ctest.IO{c.op, sound(0x06, 0x3AD2)}, DontPanic: true}
			s, err := newDev(t, b, PECStrict).Sense(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			raw := uint16(c.op.R[1])<<8 | uint16(c.op.R[0])
			if want := (device.Sample{Object: c.want, Ambient: milliC(28010), Raw: raw}); s != want {
				t.Errorf("got %+v, want %+v", s, want)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPECOfWritesMatchesApplicationNote(t *testing.T) {
	for _, c := range []struct {
		frame []byte
		want  byte
	}{
		{[]byte{0xB4, 0x22, 0x07, 0xC8}, 0x48},
		{[]byte{0x00, 0x2E, 0x00, 0x00}, 0x6F},
		{[]byte{0x00, 0x2E, 0x5A, 0x00}, 0xE1},
		{[]byte{0xB4, 0xFF}, 0xE8},
	} {
		if got := pec(c.frame...); got != c.want {
			t.Errorf("pec(% x) = %#02x, want %#02x", c.frame, got, c.want)
		}
	}
}

func TestEveryFailedTransferIsKept(t *testing.T) {
	bad := errors.New("remote I/O error")
	for _, fault := range []error{bad, fmt.Errorf("no acknowledgement: %w", device.ErrAbsent)} {
		for step := range 2 {
			ops := []i2ctest.IO{sound(0x07, 0x3C80), sound(0x06, 0x3AD2)}[:step]
			b := &bus{Playback: i2ctest.Playback{Ops: ops, DontPanic: true}, failAt: step, err: fault}
			s, err := newDev(t, b, PECStrict).Sense(t.Context())
			if !errors.Is(err, fault) || s != (device.Sample{}) {
				t.Errorf("transfer %d: got %+v, %v; want only %v", step, s, err, fault)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Every single flipped bit of either frame must be refused.
func TestFlippedBitIsCorrupt(t *testing.T) {
	for step := range 2 {
		for bit := range 24 {
			ops := []i2ctest.IO{sound(0x07, 0x3C80), sound(0x06, 0x3AD2)}[:step+1]
			ops[step].R[bit/8] ^= 1 << (bit % 8)
			b := &i2ctest.Playback{Ops: ops, DontPanic: true}
			d := newDev(t, b, PECStrict)
			if s, err := d.Sense(t.Context()); !errors.Is(err, device.ErrCorrupt) || s != (device.Sample{}) {
				t.Errorf("transfer %d bit %d: got %+v, %v; want corrupt", step, bit, s, err)
			}
			if d.Mismatches() != 1 {
				t.Errorf("transfer %d bit %d: %d mismatches", step, bit, d.Mismatches())
			}
		}
	}
}

func TestUnusableWordIsInvalid(t *testing.T) {
	for _, w := range []uint16{0x0000, 0x27AC, 0x8000, 0xBC80, 0xFFFF} {
		for step := range 2 {
			ops := []i2ctest.IO{sound(0x07, 0x3C80), sound(0x06, 0x3AD2)}[:step+1]
			ops[step] = sound([]byte{0x07, 0x06}[step], w)
			b := &i2ctest.Playback{Ops: ops, DontPanic: true}
			if s, err := newDev(t, b, PECStrict).Sense(t.Context()); !errors.Is(err, device.ErrInvalid) || s != (device.Sample{}) {
				t.Errorf("transfer %d word %#04x: got %+v, %v; want invalid", step, w, s, err)
			}
		}
	}
}

func TestLenientModesAcceptAndCountMismatches(t *testing.T) {
	for _, mode := range []PEC{PECLog, PECOff} {
		b := &i2ctest.Playback{Ops: []i2ctest.IO{read(0x07, 0x80, 0x3C, 0x00), sound(0x06, 0x3AD2)}, DontPanic: true}
		d := newDev(t, b, mode)
		s, err := d.Sense(t.Context())
		if err != nil || s.Raw != 0x3C80 || d.Mismatches() != 1 {
			t.Errorf("%v: got %+v, %v, %d mismatches", mode, s, err, d.Mismatches())
		}
	}
}

func TestLenientModesStillRefuseTheErrorFlag(t *testing.T) {
	b := &i2ctest.Playback{Ops: []i2ctest.IO{read(0x07, 0x80, 0xBC, 0x00)}, DontPanic: true}
	if _, err := newDev(t, b, PECOff).Sense(t.Context()); !errors.Is(err, device.ErrInvalid) {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestEndedContextTouchesNoBus(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := &i2ctest.Playback{DontPanic: true}
	if _, err := newDev(t, b, PECStrict).Sense(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOptsOutsideTheirRangeAreRefused(t *testing.T) {
	for _, o := range []Opts{{Address: 0}, {Address: 0x80}, {Address: 0x5A, PEC: PECOff + 1}, {Address: 0x5A, PEC: -1}} {
		if _, err := New(&i2ctest.Playback{}, &o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}

func TestHaltIsIdempotentAndStringNamesThePlace(t *testing.T) {
	d := newDev(t, &i2ctest.Playback{DontPanic: true}, PECStrict)
	if err := errors.Join(d.Halt(), d.Halt()); err != nil {
		t.Error(err)
	}
	if got := d.String(); got != "MLX90614{playback(90)}" {
		t.Error(got)
	}
}
