package sim_test

import (
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

// bubble runs a test on its own clock.
func bubble(t *testing.T, f func(t *testing.T, w *sim.World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, sim.NewWorld()) })
}

func stream(t *testing.T, w *sim.World, name string) io.ReadWriteCloser {
	t.Helper()
	s, err := w.Stream(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, w io.Writer, b []byte) {
	t.Helper()
	if n, err := w.Write(b); err != nil || n != len(b) {
		t.Fatalf("write: %d, %v", n, err)
	}
}

// bytes reads "7E 00" as it stands in data sheets.
func bytes(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expect reads exactly the bytes wanted.
func expect(t *testing.T, r io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(r, got)
	if err != nil || string(got) != string(want) {
		t.Fatalf("read % x, %v; want % x", got[:n], err, want)
	}
}

// expectSilence says that nothing comes within a virtual second.
func expectSilence(t *testing.T, s io.ReadCloser) {
	t.Helper()
	got := make(chan string, 1)
	go func() {
		b := make([]byte, 256)
		n, _ := s.Read(b)
		got <- string(b[:n])
	}()
	select {
	case b := <-got:
		t.Fatalf("read % x, want silence", b)
	case <-time.After(time.Second):
	}
	s.Close()
	<-got
}

func TestWhatNobodyAddedIsAbsent(t *testing.T) {
	w := sim.NewWorld()
	_, err1 := w.Stream("scanner")
	_, err2 := w.I2C("thermo")
	_, err3 := w.Line("lamp", device.LineOpts{})
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, device.ErrAbsent) {
			t.Errorf("got %v", err)
		}
	}
}

func TestATakenNamePanics(t *testing.T) {
	for rule, add := range map[string]func(w *sim.World){
		"port":    func(w *sim.World) { w.AddScanner("a") },
		"line":    func(w *sim.World) { w.AddLine("a") },
		"address": func(w *sim.World) { w.AddI2CThermometer("a", 0x5A) },
	} {
		t.Run(rule, func(t *testing.T) {
			w := sim.NewWorld()
			add(w)
			defer func() {
				if recover() == nil {
					t.Error("added twice")
				}
			}()
			add(w)
		})
	}
}

// The rest of the tests live in bubbles; this one says that real time does too.
func TestAWorldWorksInRealTime(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddScanner("scanner")
	scanner.SetTrouble(sim.Trouble{Delay: 2 * time.Millisecond})
	s := stream(t, w, "scanner")
	scanner.Scan("HELLO 12345")
	expect(t, s, []byte("HELLO 12345\r"))
	got := make(chan error)
	go func() {
		_, err := s.Read(make([]byte, 1))
		got <- err
	}()
	scanner.Unplug()
	if err := <-got; err != io.EOF {
		t.Fatal(err)
	}
}

// TestEverythingMayHappenAtOnce is for the race detector, and for deadlocks:
// in a bubble both are certain to be seen.
func TestEverythingMayHappenAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		scanner, board := w.AddGM65("scanner"), w.AddRelayBoard("relay", 2)
		serial, chip := w.AddSerialThermometer("serial"), w.AddI2CThermometer("thermo", 0x5A)
		line := w.AddLine("line")
		board.Subscribe(func(e sim.Edge) { board.On(e.Channel) })

		var all sync.WaitGroup
		repeat := func(f func()) {
			all.Go(func() {
				for range 50 {
					f()
					<-time.After(time.Millisecond)
				}
			})
		}
		use := func(name, bytes string) func() {
			return func() {
				s, err := w.Stream(name)
				if err != nil {
					return
				}
				all.Go(func() { s.Read(make([]byte, 64)) })
				s.Write([]byte(bytes))
				<-time.After(time.Millisecond)
				s.Close()
			}
		}
		repeat(use("scanner", "\x7E\x00\x07\x01\x00\x0A\x01\xEE\x8A"))
		repeat(use("relay", "\xA0\x01\x01\xA2\xA0\x01\x00\xA1"))
		repeat(use("serial", "\xA5\x15\xBA"))
		repeat(func() { scanner.Scan("A"); scanner.Zone(3) })
		repeat(func() {
			scanner.Unplug()
			scanner.Plug()
			board.Unplug()
			board.Plug()
			serial.Unplug()
			serial.Plug()
		})
		repeat(func() { scanner.SetTrouble(sim.Trouble{Delay: time.Millisecond}); chip.SetTrouble(sim.Trouble{}) })
		repeat(func() { serial.See(36, 20); chip.Fail(sim.Frozen); board.Frames(); board.Rejected() })
		repeat(func() { chip.Unplug(); chip.Plug(); line.Drive(true); line.Drive(false) })
		repeat(func() { line.Unplug(); line.Plug() })
		repeat(func() {
			if b, err := w.I2C("thermo"); err == nil {
				b.Tx(0x5A, []byte{0x07}, make([]byte, 3))
				b.Close()
			}
		})
		repeat(func() {
			if l, err := w.Line("line", device.LineOpts{Output: true}); err == nil {
				l.Set(true)
				l.Close()
			}
		})
		all.Wait()
	})
}
