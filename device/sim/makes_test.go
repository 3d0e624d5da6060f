package sim_test

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/evdev"
	"github.com/menshen/menshen/device/sim"
	"periph.io/x/conn/v3/i2c"
)

// register reads a register of an MLX90632.
func register(t *testing.T, b i2c.Bus, at uint16) int {
	t.Helper()
	got := make([]byte, 2)
	if err := b.Tx(0x3A, []byte{byte(at >> 8), byte(at)}, got); err != nil {
		t.Fatal(err)
	}
	return int(got[0])<<8 | int(got[1])
}

// The pairs of words and temperatures were computed by others from the same
// constants.
func TestMLX90632ShowsTheMakersWords(t *testing.T) {
	for _, c := range []struct{ object, words float64 }{
		{33.856, 623}, {35.816, 784}, {36.405, 833}, {37.087, 890}, {37.776, 948}, {38.755, 1031},
	} {
		bubble(t, func(t *testing.T, w *sim.World) {
			w.AddMLX90632("thermo", 0x3A).See(c.object, 24.994)
			b := openBus(t, w)
			time.Sleep(time.Second)
			if got := register(t, b, 0x4005); got < 19695 || got > 19697 {
				t.Errorf("ambient word %d", got)
			}
			if got := register(t, b, 0x4008); got != 23030 {
				t.Errorf("reference word %d", got)
			}
			for _, at := range []uint16{0x4003, 0x4004, 0x4006, 0x4007} {
				if got := float64(register(t, b, at)); got < c.words-1 || got > c.words+1 {
					t.Errorf("object word %#04x is %g, want %g", at, got, c.words)
				}
			}
		})
	}
}

func TestMLX90632MeasuresIntoTwoRowsByTurns(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		th := w.AddMLX90632("thermo", 0x3A)
		b := openBus(t, w)
		if got := register(t, b, 0x3FFF) & 1; got != 0 {
			t.Error("done before the first measurement")
		}
		for n := range 4 {
			th.See(30+float64(n), 25)
			time.Sleep(500 * time.Millisecond)
			row := 1 + n%2
			if got := register(t, b, 0x3FFF); got != row<<2|1 {
				t.Errorf("measurement %d: status %#04x", n, got)
			}
			newer, older := register(t, b, uint16(0x4000+3*row)), register(t, b, uint16(0x4000+3*(3-row)))
			if newer <= older {
				t.Errorf("measurement %d: row %d is not the newer", n, row)
			}
			if err := b.Tx(0x3A, []byte{0x3F, 0xFF, 0, 0}, nil); err != nil {
				t.Fatal(err)
			}
			if got := register(t, b, 0x3FFF); got != row<<2 {
				t.Errorf("cleared: status %#04x", got)
			}
		}
		if err := b.Tx(0x3A, []byte{0x24, 0xE1, 0, 0}, nil); err != nil || th.Writes() != 1 || register(t, b, 0x24E1) == 0 {
			t.Errorf("EEPROM: %v, %d writes", err, th.Writes())
		}
	})
}

func TestMLX90632Faults(t *testing.T) {
	for _, c := range []struct {
		rule  string
		fault sim.Fault
		check func(t *testing.T, b i2c.Bus)
	}{
		{"does not acknowledge", sim.NAK, func(t *testing.T, b i2c.Bus) {
			if err := b.Tx(0x3A, []byte{0x3F, 0xFF}, make([]byte, 2)); !errors.Is(err, device.ErrAbsent) {
				t.Errorf("got %v", err)
			}
		}},
		{"holds the bus down", sim.Stuck, func(t *testing.T, b i2c.Bus) {
			if err := b.Tx(0x3A, []byte{0x3F, 0xFF}, make([]byte, 2)); !errors.Is(err, syscall.EIO) {
				t.Errorf("got %v", err)
			}
		}},
		{"every other answer has a flipped bit", sim.BadCheck, func(t *testing.T, b i2c.Bus) {
			if x, y := register(t, b, 0x240C), register(t, b, 0x240C); x^y != 0x8000 {
				t.Errorf("got %#04x and %#04x", x, y)
			}
		}},
		{"a position outside the cycle", sim.ErrorFlag, func(t *testing.T, b i2c.Bus) {
			if got := register(t, b, 0x3FFF) >> 2 & 0x1F; got <= 2 {
				t.Errorf("position %d", got)
			}
		}},
		{"the hottest word", sim.Hot, func(t *testing.T, b i2c.Bus) {
			if got := register(t, b, 0x4003); got != 0x7FFF {
				t.Errorf("got %#04x", got)
			}
		}},
		{"ones", sim.Ones, func(t *testing.T, b i2c.Bus) {
			if got := register(t, b, 0x4005); got != 0xFFFF {
				t.Errorf("got %#04x", got)
			}
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				w.AddMLX90632("thermo", 0x3A).Fail(c.fault)
				time.Sleep(time.Second)
				c.check(t, openBus(t, w))
			})
		})
	}
}

func TestGM67AnswersWhenItIsAwake(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		g := w.AddGM67("scanner")
		s := stream(t, w, "scanner")
		off := bytes(t, "07 C6 04 08 00 EC 00 FE 3B")
		write(t, s, off) // lost: it only wakes it
		time.Sleep(2 * time.Second)
		write(t, s, []byte{0})
		write(t, s, off) // lost: too early
		time.Sleep(50 * time.Millisecond)
		write(t, s, off) // the first to be answered
		expect(t, s, bytes(t, "04 D0 00 00 FF 2C"))
		if g.Zone(0xEC) != 0 {
			t.Error("setup codes are obeyed")
		}
		write(t, s, bytes(t, "05 C7 04 00 EC FE 44"))
		expect(t, s, bytes(t, "07 D6 00 00 00 EC 00 FE 37"))
		write(t, s, bytes(t, "04 E4 04 00 FF 14")) // scans by itself, so refuses
		expect(t, s, bytes(t, "05 D1 00 00 06 FF 24"))
		write(t, s, bytes(t, "04 E4 04 00 FF 15")) // a wrong checksum
		expect(t, s, bytes(t, "05 D1 00 00 01 FF 29"))
		if g.Triggers() != 0 {
			t.Errorf("%d scans", g.Triggers())
		}
	})
}

func TestOtherModulesAnswerTheirQueries(t *testing.T) {
	for _, c := range []struct {
		rule         string
		add          func(*sim.World, string) *sim.Thermometer
		query, frame string
	}{
		{"GY-614V3", (*sim.World).AddGY614V3, "A4 03 07 07 B5", "A4 03 07 07 61 0E 4C 09 E3 0E 74 DE"},
		{"CJMCU-90614", (*sim.World).AddCJMCU90614, "66 66 02 56", "66 66 01 04 0E 4C 09 E3 46"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				c.add(w, "thermo").See(36.60, 25.31)
				s := stream(t, w, "thermo")
				write(t, s, bytes(t, "00 FF"))
				write(t, s, bytes(t, c.query))
				expect(t, s, bytes(t, c.frame))
				expectSilence(t, s)
			})
		})
	}
}

func TestAKeyboardIsOpenedAsWhatItTypes(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		k := w.AddKeyboard("scanner")
		s := stream(t, w, "scanner")
		k.Scan(`ABCxyz-123_{"id":42}`)
		expect(t, s, []byte("ABCxyz-123_{\"id\":42}\r"))
		k.Unplug()
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v", err)
		}
		if got := len(sim.Event(evdev.Layout32, 1, 2, 1)); got != 16 {
			t.Errorf("%d bytes", got)
		}
		defer func() {
			if recover() == nil {
				t.Error("typed what no key types")
			}
		}()
		k.Scan("学")
	})
}
