package mlx90614

import (
	"errors"
	"testing"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/menshen/menshen/device"
)

func TestOfTwoZonesTheWarmerIsSeen(t *testing.T) {
	for rule, tt := range map[string]struct{ first, second uint16 }{
		"a tall forehead fills the first":   {0x3C80, 0x3AD2},
		"a small forehead fills the second": {0x3AD2, 0x3C80},
	} {
		t.Run(rule, func(t *testing.T) {
			b := &i2ctest.Playback{Ops: []i2ctest.IO{sound(0x07, tt.first), sound(0x08, tt.second), sound(0x06, 0x3AD2)}, DontPanic: true}
			d, err := New(b, &Opts{Address: 0x5A, Dual: true})
			if err != nil {
				t.Fatal(err)
			}
			s, err := d.Sense(t.Context())
			if want := (device.Sample{Object: milliC(36610), Ambient: milliC(28010), Raw: 0x3C80}); err != nil || s != want {
				t.Errorf("got %+v, %v; want %+v", s, err, want)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A part with one zone shows 0 there, which is no temperature.
func TestAZoneThatCannotBeReadIsNoSample(t *testing.T) {
	unplugged := errors.New("remote I/O error")
	for rule, b := range map[string]*bus{
		"the part has one zone": {Playback: i2ctest.Playback{Ops: []i2ctest.IO{sound(0x07, 0x3C80), sound(0x08, 0)}, DontPanic: true}},
		"its error flag is set": {Playback: i2ctest.Playback{Ops: []i2ctest.IO{sound(0x07, 0x3C80), sound(0x08, 0xBC80)}, DontPanic: true}},
		"the transfer fails":    {Playback: i2ctest.Playback{Ops: []i2ctest.IO{sound(0x07, 0x3C80)}, DontPanic: true}, failAt: 1, err: unplugged},
	} {
		t.Run(rule, func(t *testing.T) {
			d, err := New(b, &Opts{Address: 0x5A, Dual: true})
			if err != nil {
				t.Fatal(err)
			}
			if s, err := d.Sense(t.Context()); s != (device.Sample{}) || !errors.Is(err, device.ErrInvalid) && !errors.Is(err, unplugged) {
				t.Errorf("got %+v, %v", s, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
