package sim_test

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

func openBus(t *testing.T, w *sim.World) i2c.BusCloser {
	t.Helper()
	b, err := w.I2C("thermo")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMLX90614AnswersWithTheDataSheetsFrames(t *testing.T) {
	for _, c := range []struct {
		object float64
		want   string // LSB MSB PEC
	}{
		{28.01, "D2 3A 30"},
		{35.99, "61 3C 52"},
		{36.49, "7A 3C 92"},
		{36.60, "80 3C 04"},
		{36.99, "93 3C 6C"},
		{37.29, "A2 3C 80"},
		{37.49, "AC 3C 56"},
		{37.99, "C5 3C 1E"},
		{41.99, "8D 3D EA"},
		{-70.01, "AD 27 02"},
		{382.19, "FF 7F AB"},
	} {
		t.Run(c.want, func(t *testing.T) {
			w := sim.NewWorld()
			w.AddI2CThermometer("thermo", 0x5A).See(c.object, 25)
			got := make([]byte, 3)
			if err := openBus(t, w).Tx(0x5A, []byte{0x07}, got); err != nil {
				t.Fatal(err)
			}
			if string(got) != string(bytes(t, c.want)) {
				t.Fatalf("got % x", got)
			}
		})
	}
}

func TestAValueBetweenTwoStepsIsShownAsTheHigherOne(t *testing.T) {
	w := sim.NewWorld()
	w.AddI2CThermometer("thermo", 0x5A).See(37.30, 25)
	if got := readWord(t, w, 0x07); got != (27315+3731)/2 {
		t.Fatalf("got %#04x", got)
	}
}

func readWord(t *testing.T, w *sim.World, cmd byte) int {
	t.Helper()
	b := make([]byte, 3)
	if err := openBus(t, w).Tx(0x5A, []byte{cmd}, b); err != nil {
		t.Fatal(err)
	}
	return int(b[0]) | int(b[1])<<8
}

func TestMLX90614Faults(t *testing.T) {
	const (
		object  = (27315 + 3661) / 2
		ambient = (27315 + 2501) / 2
	)
	for _, c := range []struct {
		rule            string
		fault           sim.Fault
		object, ambient int
	}{
		{"none shows what is seen", sim.NoFault, object, ambient},
		{"the error flag is bit 15 of the object", sim.ErrorFlag, object | 0x8000, ambient},
		{"frozen keeps what was shown when it began", sim.Frozen, (27315 + 2001) / 2, (27315 + 2001) / 2},
		{"hot is 1037 °C", sim.Hot, (27315 + 103701) / 2, ambient},
		{"zeros", sim.Zeros, 0, 0},
		{"ones", sim.Ones, 0xFFFF, 0xFFFF},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := sim.NewWorld()
			th := w.AddI2CThermometer("thermo", 0x5A)
			th.See(20, 20)
			th.Fail(c.fault)
			th.See(36.61, 25.01)
			if o, a := readWord(t, w, 0x07), readWord(t, w, 0x06); o != c.object || a != c.ambient {
				t.Fatalf("object %#04x, ambient %#04x; want %#04x, %#04x", o, a, c.object, c.ambient)
			}
		})
	}
	t.Run("a bad check byte is nothing but that", func(t *testing.T) {
		w := sim.NewWorld()
		th := w.AddI2CThermometer("thermo", 0x5A)
		th.See(36.61, 25)
		th.Fail(sim.BadCheck)
		got := make([]byte, 3)
		if err := openBus(t, w).Tx(0x5A, []byte{0x07}, got); err != nil {
			t.Fatal(err)
		}
		if got[0] != 0x80 || got[1] != 0x3C || got[2] == 0x04 {
			t.Fatalf("got % x", got)
		}
	})
}

func TestABusTransferFails(t *testing.T) {
	for _, c := range []struct {
		rule  string
		cause func(*sim.Thermometer)
		want  error
	}{
		{"as absent at an address without a chip", nil, device.ErrAbsent},
		{"as absent when the chip is unplugged", (*sim.Thermometer).Unplug, device.ErrAbsent},
		{"as absent when the chip does not acknowledge", func(th *sim.Thermometer) { th.Fail(sim.NAK) }, device.ErrAbsent},
		{"as absent when a byte is lost", func(th *sim.Thermometer) { th.SetTrouble(sim.Trouble{Drop: 3}) }, device.ErrAbsent},
		{"with EIO when the bus is stuck", func(th *sim.Thermometer) { th.Fail(sim.Stuck) }, syscall.EIO},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := sim.NewWorld()
			th := w.AddI2CThermometer("thermo", 0x5A)
			b, addr := openBus(t, w), uint16(0x5A)
			if c.cause == nil {
				addr = 0x5B
			} else {
				c.cause(th)
			}
			got := []byte{1, 2, 3}
			if err := b.Tx(addr, []byte{0x07}, got); !errors.Is(err, c.want) {
				t.Fatalf("got %v", err)
			}
			if string(got) != "\x00\x00\x00" {
				t.Fatalf("left % x beside the error", got)
			}
			th.Fail(sim.NoFault)
			th.SetTrouble(sim.Trouble{})
			th.Plug()
			if err := b.Tx(0x5A, []byte{0x07}, got); err != nil {
				t.Fatalf("after the repair: %v", err)
			}
		})
	}
	t.Run("for every chip on a stuck bus", func(t *testing.T) {
		w := sim.NewWorld()
		w.AddI2CThermometer("thermo", 0x5A)
		other := w.AddI2CThermometer("thermo", 0x5B)
		other.Fail(sim.Stuck)
		if err := openBus(t, w).Tx(0x5A, []byte{0x07}, make([]byte, 3)); !errors.Is(err, syscall.EIO) {
			t.Fatalf("got %v", err)
		}
		other.Unplug()
		if err := openBus(t, w).Tx(0x5A, []byte{0x07}, make([]byte, 3)); err != nil {
			t.Fatalf("after the culprit was unplugged: %v", err)
		}
	})
	t.Run("as closed on a closed handle", func(t *testing.T) {
		w := sim.NewWorld()
		w.AddI2CThermometer("thermo", 0x5A)
		b := openBus(t, w)
		b.Close()
		if err := b.Tx(0x5A, []byte{0x07}, make([]byte, 3)); !errors.Is(err, os.ErrClosed) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestASlowChipTakesItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		w.AddI2CThermometer("thermo", 0x5A).SetTrouble(sim.Trouble{Delay: time.Second})
		start := time.Now()
		readWord(t, w, 0x07)
		if d := time.Since(start); d != time.Second {
			t.Fatalf("took %s", d)
		}
	})
}

func TestTheChipCannotFollowMoreThan100kHz(t *testing.T) {
	w := sim.NewWorld()
	w.AddI2CThermometer("thermo", 0x5A)
	b := openBus(t, w)
	if err := b.SetSpeed(100 * physic.KiloHertz); err != nil {
		t.Error(err)
	}
	if err := b.SetSpeed(400 * physic.KiloHertz); err == nil {
		t.Error("took 400 kHz")
	}
}

func TestEEPROMWritesAreCounted(t *testing.T) {
	w := sim.NewWorld()
	th := w.AddI2CThermometer("thermo", 0x5A)
	b := openBus(t, w)
	if err := b.Tx(0x5A, bytes(t, "22 07 C8 48"), nil); err != nil {
		t.Fatal(err)
	}
	if got := readWord(t, w, 0x22); got != 0xC807 {
		t.Errorf("cell holds %#04x", got)
	}
	if err := b.Tx(0x5A, bytes(t, "22 07 C8 49"), nil); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("wrong PEC: %v", err)
	}
	if n := th.Writes(); n != 1 {
		t.Errorf("counted %d", n)
	}
}

func TestSerialModuleAnswersAQueryOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		w.AddSerialThermometer("thermo").See(36.60, 25.31)
		s := stream(t, w, "thermo")
		write(t, s, bytes(t, "A5 52 F7"))
		write(t, s, bytes(t, "00 A5 15 BB A5 15")) // noise, a wrong sum, half a query
		write(t, s, bytes(t, "BA"))
		expect(t, s, bytes(t, "5A 5A 45 04 0E 4C 09 E3 43"))
		expectSilence(t, s)
	})
}

func TestSerialModuleSendsEach100ms(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		w.AddSerialThermometer("thermo").See(36.60, 25.31)
		s := stream(t, w, "thermo")
		start := time.Now()
		for range 3 {
			expect(t, s, bytes(t, "5A 5A 45 04 0E 4C 09 E3 43"))
		}
		if d := time.Since(start); d != 300*time.Millisecond {
			t.Fatalf("three frames took %s", d)
		}
	})
}

func TestSerialModuleRemembersOverAPullWhetherToSendByItself(t *testing.T) {
	for _, c := range []struct {
		rule, command string
		sends         bool
	}{
		{"told to stop for good", "A5 52 F7", false},
		{"told to start for good", "A5 51 F6", true},
		{"merely queried", "A5 15 BA", true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				th := w.AddSerialThermometer("thermo")
				write(t, stream(t, w, "thermo"), bytes(t, c.command))
				th.Unplug()
				th.Plug()
				s := stream(t, w, "thermo")
				if c.sends {
					expect(t, s, bytes(t, "5A 5A 45 04"))
				} else {
					expectSilence(t, s)
				}
			})
		})
	}
}

func TestSerialModuleFaults(t *testing.T) {
	for _, c := range []struct {
		rule  string
		fault sim.Fault
		want  string // empty: silence
	}{
		{"does not answer", sim.NAK, ""},
		{"is stuck", sim.Stuck, ""},
		{"sends a wrong sum", sim.BadCheck, "5A 5A 45 04 0E 4C 09 E3 BC"},
		{"has no flag and shows absolute zero", sim.ErrorFlag, "5A 5A 45 04 95 4D 09 E3 CB"},
		{"is at 1037 °C, beyond its own arithmetic", sim.Hot, "5A 5A 45 04 95 15 09 E3 93"},
		{"sends zeros", sim.Zeros, "5A 5A 45 04 00 00 00 00 FD"},
		{"sends ones", sim.Ones, "5A 5A 45 04 FF FF FF FF F9"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				th := w.AddSerialThermometer("thermo")
				th.See(36.60, 25.31)
				th.Fail(c.fault)
				s := stream(t, w, "thermo")
				write(t, s, bytes(t, "A5 52 F7 A5 15 BA"))
				if c.want != "" {
					expect(t, s, bytes(t, c.want))
				}
				expectSilence(t, s)
			})
		})
	}
}

func TestASerialThermometerIsAbsentWhileUnplugged(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		th := w.AddSerialThermometer("thermo")
		s := stream(t, w, "thermo")
		th.Unplug()
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Fatalf("read: %v", err)
		}
		if _, err := w.Stream("thermo"); !errors.Is(err, device.ErrAbsent) {
			t.Fatalf("open: %v", err)
		}
	})
}

func TestLookIsAskedAtEachMeasurement(t *testing.T) {
	w := sim.NewWorld()
	n := 0.0
	w.AddI2CThermometer("thermo", 0x5A).Look(func() (float64, float64) {
		n++
		return 30 + n, 20
	})
	if a, b := readWord(t, w, 0x07), readWord(t, w, 0x07); b-a != 50 {
		t.Fatalf("%d then %d", a, b)
	}
}
