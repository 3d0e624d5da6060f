package evdev_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/evdev"
	"github.com/menshen/menshen/device/scanner"
	"github.com/menshen/menshen/device/sim"
)

// typed returns what a keyboard in a world sends and what a reader of the
// world's stream makes of it.
func typed(t *testing.T, act func(k *sim.Keyboard)) string {
	t.Helper()
	w := sim.NewWorld()
	k := w.AddKeyboard("scanner")
	s, err := w.Stream("scanner")
	if err != nil {
		t.Fatal(err)
	}
	act(k)
	k.SetTrouble(sim.Trouble{Timeout: 1}) // the end of what was sent
	return drain(t, s)
}

// drain reads until nothing comes any more.
func drain(t *testing.T, r io.Reader) string {
	t.Helper()
	var got []byte
	buf := make([]byte, 7)
	for {
		n, err := r.Read(buf)
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if n == 0 {
			return string(got)
		}
		got = append(got, buf[:n]...)
	}
}

const printable = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

func TestKeysAreReadInTheUSLayout(t *testing.T) {
	for _, text := range []string{printable, `ABCxyz-123_{"id":42}`, "0004340757"} {
		if got := typed(t, func(k *sim.Keyboard) { k.Scan(text) }); got != text+"\r" {
			t.Errorf("got %q, want %q", got, text+"\r")
		}
	}
}

// key is one key as the kernel tells it: its change and the end of the packet.
func key(k *sim.Keyboard, codes ...uint16) {
	for _, c := range codes {
		k.Key(c, 1)
		k.Key(c, 0)
	}
}

func TestEveryKeyHasItsMeaning(t *testing.T) {
	for _, c := range []struct {
		rule string
		act  func(k *sim.Keyboard)
		want string
	}{
		{"Enter, keypad Enter and Tab end a code", func(k *sim.Keyboard) { key(k, 2, 28, 3, 96, 4, 15) }, "1\r2\r3\r"},
		{"the keypad types digits", func(k *sim.Keyboard) { key(k, 71, 72, 73, 75, 76, 77, 79, 80, 81, 82, 83, 55, 74, 78, 98) }, "7894561230.*-+/"},
		{"two codes in one read", func(k *sim.Keyboard) { k.Type("A1\nB2\n") }, "A1\rB2\r"},
		{"a held key is one character", func(k *sim.Keyboard) { k.Key(30, 1); k.Key(30, 2); k.Key(30, 2); k.Key(30, 0) }, "a"},
		{"either Shift counts, and both", func(k *sim.Keyboard) {
			k.Key(54, 1)
			key(k, 30)
			k.Key(42, 1)
			k.Key(54, 0)
			key(k, 30)
			k.Key(42, 0)
			key(k, 30)
		}, "AAa"},
		{"Caps Lock turns letters round, and nothing else", func(k *sim.Keyboard) { key(k, 58); k.Type("aA1!"); key(k, 58); k.Type("a") }, "Aa1!a"},
		{"Ctrl, Alt and Meta type no character", func(k *sim.Keyboard) {
			for _, m := range []uint16{29, 97, 56, 100, 125, 126} {
				k.Key(m, 1)
				key(k, 30)
				k.Key(m, 0)
			}
		}, strings.Repeat("\x18", 6)},
		{"a key without a character spoils the code", func(k *sim.Keyboard) { key(k, 2, 59, 86, 0x2FF, 3) }, "1\x18\x18\x182"},
		{"other events are nothing", func(k *sim.Keyboard) {
			k.Emit(sim.Event(evdev.Layout64, 4, 4, 458756)) // MSC_SCAN
			k.Emit(sim.Event(evdev.Layout64, 17, 1, 1))     // a light
			key(k, 2)
		}, "1"},
		{"lost events spoil the code up to the next packet", func(k *sim.Keyboard) {
			key(k, 2)
			k.Key(42, 1) // its release is lost
			k.Emit(sim.Event(evdev.Layout64, 0, 3, 0))
			k.Emit(sim.Event(evdev.Layout64, 1, 3, 1))
			k.Emit(sim.Event(evdev.Layout64, 0, 0, 0))
			key(k, 4)
		}, "1\x183"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if got := typed(t, c.act); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// events is a text as the bytes of one layout.
func events(l evdev.Layout, codes ...uint16) (b []byte) {
	for _, c := range codes {
		b = append(b, sim.Event(l, 1, c, 1)...)
		b = append(b, sim.Event(l, 1, c, 0)...)
		b = append(b, sim.Event(l, 0, 0, 0)...)
	}
	return b
}

func TestNoOtherLayoutIsRead(t *testing.T) {
	for _, l := range []evdev.Layout{0, 8, 20, 32} {
		if _, err := evdev.NewReader(io.NopCloser(strings.NewReader("")), l); err == nil {
			t.Errorf("%d bytes accepted", l)
		}
	}
	if l := evdev.NativeLayout(); l != evdev.Layout64 && l != evdev.Layout32 {
		t.Errorf("native layout has %d bytes", l)
	}
}

func TestAKeyboardTakesNoCommandsAndIsClosed(t *testing.T) {
	w := sim.NewWorld()
	w.AddKeyboard("scanner")
	s, err := w.Stream("scanner")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Write([]byte("x")); n != 0 || !errors.Is(err, evdev.ErrTakesNothing) {
		t.Errorf("write: %d, %v", n, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

// What lies above is the same as for a serial scanner.
func TestACodeReachesTheScannerAndASpoiltOneDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.NewWorld()
		k := w.AddKeyboard("scanner")
		s, err := w.Stream("scanner")
		if err != nil {
			t.Fatal(err)
		}
		k.Scan("LO 12345") // the end of a code that began before the opening
		d, err := scanner.New(s, scanner.DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		defer d.Halt()
		time.Sleep(time.Second)
		k.Type("12")
		k.Emit(sim.Event(evdev.Layout64, 0, 3, 0))
		k.Type("\n3456\n") // Enter is among the events that were lost
		k.Scan("0004340757")
		if got, err := d.Read(t.Context()); !errors.Is(err, device.ErrInvalid) {
			t.Errorf("got %q, %v", got, err)
		}
		if got, err := d.Read(t.Context()); err != nil || string(got) != "0004340757" {
			t.Errorf("got %q, %v", got, err)
		}
		k.Unplug()
		if got, err := d.Read(t.Context()); !errors.Is(err, device.ErrAbsent) {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestOnlyAnEventDeviceCanBeClaimed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if id, err := evdev.Claim(r.Fd()); err == nil || id != (evdev.ID{}) {
		t.Errorf("got %+v, %v", id, err)
	}
}

// Whatever arrives, cut anywhere: the same text, of characters, CR and Cancel
// only, and at most one for each event.
func FuzzTextDoesNotDependOnTheCuts(f *testing.F) {
	f.Add(events(evdev.Layout64, 2, 42, 28), byte(5), false)
	f.Add(events(evdev.Layout32, 2, 42, 28), byte(1), true)
	f.Add(append(sim.Event(evdev.Layout64, 0, 3, 0), events(evdev.Layout64, 30, 28)...), byte(24), false)
	f.Add(sim.Event(evdev.Layout64, 1, 58, 1)[3:], byte(0), false)
	f.Fuzz(func(t *testing.T, in []byte, cut byte, short bool) {
		l := evdev.Layout64
		if short {
			l = evdev.Layout32
		}
		read := func(r io.Reader) string {
			k, err := evdev.NewReader(io.NopCloser(r), l)
			if err != nil {
				t.Fatal(err)
			}
			return drain(t, k)
		}
		whole := read(bytes.NewReader(in))
		if got := read(&cutter{in, 1 + int(cut)}); got != whole {
			t.Fatalf("got %q, cut %q", whole, got)
		}
		if len(whole) > len(in)/int(l) {
			t.Fatalf("%d characters of %d events", len(whole), len(in)/int(l))
		}
		for _, c := range []byte(whole) {
			if c != '\r' && c != evdev.Cancel && (c < 0x20 || c > 0x7E) {
				t.Fatalf("typed %#02x", c)
			}
		}
	})
}

// cutter reads n bytes at a time.
type cutter struct {
	rest []byte
	n    int
}

func (c *cutter) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest[:min(c.n, len(c.rest))])
	c.rest = c.rest[n:]
	return n, nil
}
