package sim_test

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

func TestAPendingReadEnds(t *testing.T) {
	for _, c := range []struct {
		rule string
		end  func(*sim.Scanner, io.Closer)
		want error
	}{
		{"with end of file when the cable is pulled", func(s *sim.Scanner, _ io.Closer) { s.Unplug() }, io.EOF},
		{"as closed when the host closes the port", func(_ *sim.Scanner, h io.Closer) { h.Close() }, os.ErrClosed},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				scanner := w.AddScanner("scanner")
				s := stream(t, w, "scanner")
				ended := make(chan error)
				go func() {
					_, err := s.Read(make([]byte, 1))
					ended <- err
				}()
				synctest.Wait()
				c.end(scanner, s)
				if err := <-ended; !errors.Is(err, c.want) {
					t.Fatalf("read: %v, want %v", err, c.want)
				}
			})
		})
	}
}

func TestAnUnpluggedPortIsAbsentUntilItIsPluggedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		scanner := w.AddScanner("scanner")
		old := stream(t, w, "scanner")
		scanner.Unplug()
		if _, err := w.Stream("scanner"); !errors.Is(err, device.ErrAbsent) {
			t.Fatalf("open: %v", err)
		}
		scanner.Plug()
		if _, err := old.Write([]byte{0}); !errors.Is(err, syscall.EIO) {
			t.Fatalf("write to the old handle: %v", err)
		}
		s := stream(t, w, "scanner")
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		scanner.Scan("A")
		expect(t, s, []byte("A\r"))
	})
}

func TestAPortIsOpenOnceAtATime(t *testing.T) {
	w := sim.NewWorld()
	w.AddScanner("scanner")
	s := stream(t, w, "scanner")
	if _, err := w.Stream("scanner"); !errors.Is(err, syscall.EBUSY) {
		t.Fatalf("second open: %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stream(t, w, "scanner")
}

func TestWhatIsSaidToAClosedPortIsLost(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddScanner("scanner")
	scanner.Scan("before")
	s := stream(t, w, "scanner")
	scanner.Scan("after")
	expect(t, s, []byte("after\r"))
}

func TestAPortHoldsABoundedAmount(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddScanner("scanner")
	s := stream(t, w, "scanner")
	for range 70 {
		scanner.Emit(make([]byte, 1000))
	}
	scanner.SetTrouble(sim.Trouble{Timeout: time.Millisecond})
	total := 0
	for b := make([]byte, 4096); ; {
		n, err := s.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	if total != 64<<10 {
		t.Fatalf("held %d bytes", total)
	}
	scanner.Scan("room again")
	expect(t, s, []byte("room again\r"))
}

func TestDelayedBytesKeepTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		scanner := w.AddScanner("scanner")
		s := stream(t, w, "scanner")
		start := time.Now()
		scanner.SetTrouble(sim.Trouble{Delay: time.Second})
		scanner.Emit([]byte("first "))
		scanner.SetTrouble(sim.Trouble{})
		scanner.Emit([]byte("second"))
		expect(t, s, []byte("first second"))
		if d := time.Since(start); d != time.Second {
			t.Fatalf("took %s", d)
		}
	})
}

func TestCorruptAndDropCountBytes(t *testing.T) {
	for _, c := range []struct {
		rule    string
		trouble sim.Trouble
		want    string
	}{
		{"each third byte is lost", sim.Trouble{Drop: 3}, "ABDEGH"},
		{"each fourth byte has one bit flipped", sim.Trouble{Corrupt: 4}, "ABCFEFGL\r"},
		{"a sound cable changes nothing", sim.Trouble{}, "ABCDEFGH\r"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := sim.NewWorld()
			scanner := w.AddScanner("scanner")
			s := stream(t, w, "scanner")
			for range 2 { // a new trouble counts anew
				scanner.SetTrouble(c.trouble)
				scanner.Scan("ABCDEFGH")
				expect(t, s, []byte(c.want))
			}
		})
	}
	t.Run("on the way to the chip as well", func(t *testing.T) {
		w := sim.NewWorld()
		board := w.AddRelayBoard("relay", 1)
		board.SetTrouble(sim.Trouble{Corrupt: 4})
		write(t, stream(t, w, "relay"), []byte{0xA0, 1, 1, 0xA2})
		if len(board.Frames()) != 0 || board.Rejected() == 0 {
			t.Fatalf("frames %v, rejected %d", board.Frames(), board.Rejected())
		}
	})
}

func TestSplitBoundsOneRead(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddScanner("scanner")
	s := stream(t, w, "scanner")
	scanner.SetTrouble(sim.Trouble{Split: 2})
	scanner.Scan("ABCD")
	if n, err := s.Read(make([]byte, 10)); n != 2 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	expect(t, s, []byte("CD\r"))
}

func TestOneReadTakesWhatSeveralSendsLeft(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddScanner("scanner")
	s := stream(t, w, "scanner")
	scanner.Scan("A")
	scanner.Scan("B")
	b := make([]byte, 10)
	if n, err := s.Read(b); string(b[:n]) != "A\rB\r" || err != nil {
		t.Fatalf("read %q, %v", b[:n], err)
	}
}

func TestAReadThatTimesOutReturnsNothingAndNoError(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		scanner := w.AddScanner("scanner")
		s := stream(t, w, "scanner")
		scanner.SetTrouble(sim.Trouble{Timeout: 50 * time.Millisecond})
		start := time.Now()
		if n, err := s.Read(make([]byte, 1)); n != 0 || err != nil {
			t.Fatalf("read %d, %v", n, err)
		}
		if d := time.Since(start); d != 50*time.Millisecond {
			t.Fatalf("took %s", d)
		}
	})
}

func TestAWriteBlocks(t *testing.T) {
	on := []byte{0xA0, 1, 1, 0xA2}
	for _, c := range []struct {
		rule    string
		trouble sim.Trouble
		end     func(*sim.RelayBoard, io.Closer)
		want    error
	}{
		{"as long as the cable takes", sim.Trouble{Delay: time.Minute}, func(*sim.RelayBoard, io.Closer) {}, nil},
		{"on a stalled cable until it moves", sim.Trouble{Stall: true}, func(b *sim.RelayBoard, _ io.Closer) { b.SetTrouble(sim.Trouble{}) }, nil},
		{"on a stalled cable until it is pulled", sim.Trouble{Stall: true}, func(b *sim.RelayBoard, _ io.Closer) { b.Unplug() }, syscall.EIO},
		{"on a stalled cable until it is closed", sim.Trouble{Stall: true}, func(_ *sim.RelayBoard, h io.Closer) { h.Close() }, os.ErrClosed},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				board := w.AddRelayBoard("relay", 4)
				board.SetTrouble(c.trouble)
				s := stream(t, w, "relay")
				ended := make(chan error, 1)
				go func() {
					_, err := s.Write(on)
					ended <- err
				}()
				synctest.Wait()
				if len(ended) > 0 || board.On(1) {
					t.Fatal("did not block")
				}
				c.end(board, s)
				if err := <-ended; !errors.Is(err, c.want) {
					t.Fatalf("write: %v, want %v", err, c.want)
				}
				if board.On(1) != (c.want == nil) {
					t.Fatalf("relay is %t", board.On(1))
				}
			})
		})
	}
}
