package board

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// openPTY returns the far end of a pseudo-terminal and the path of the near one.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	raw, err := far.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	cerr := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err := errors.Join(cerr, err); err != nil {
		t.Fatal(err)
	}
	return far, fmt.Sprintf("/dev/pts/%d", n)
}

// openStream opens the near end as the port "scanner".
func openStream(t *testing.T, path string) io.ReadWriteCloser {
	t.Helper()
	b := newBoard("/", config.Profile{Ports: map[string]config.Port{"scanner": {Path: path, Baud: 115200}}})
	s, err := b.Stream("scanner")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// soon is how long a test waits for what takes milliseconds on a quiet machine.
const soon = 30 * time.Second

// readUntil reads n bytes, or until an error, or no longer than soon.
func readUntil(r io.Reader, n int) ([]byte, error) {
	var got []byte
	buf := make([]byte, 512)
	for end := time.Now().Add(soon); len(got) < n; {
		k, err := r.Read(buf)
		got = append(got, buf[:k]...)
		if err != nil {
			return got, err
		}
		if time.Now().After(end) {
			return got, os.ErrDeadlineExceeded
		}
	}
	return got, nil
}

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestEveryByteTravelsUnchangedBothWays(t *testing.T) {
	far, path := openPTY(t)
	s := openStream(t, path)
	if err := far.SetDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Write(everyByte()); err != nil {
		t.Fatal(err)
	}
	if got, err := readUntil(s, 256); err != nil || !bytes.Equal(got, everyByte()) {
		t.Errorf("in: got % x, %v", got, err)
	}
	if n, err := s.Write(everyByte()); n != 256 || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
	got := make([]byte, 256)
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, everyByte()) {
		t.Errorf("out: got % x, %v", got, err)
	}
}

func TestWhatArrivedBeforeTheOpeningIsThrownAway(t *testing.T) {
	far, path := openPTY(t)
	if _, err := far.WriteString("stale\n"); err != nil {
		t.Fatal(err)
	}
	s := openStream(t, path)
	if _, err := far.WriteString("fresh"); err != nil {
		t.Fatal(err)
	}
	if got, err := readUntil(s, 5); err != nil || string(got) != "fresh" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestUnpluggedPortIsAbsent(t *testing.T) {
	far, path := openPTY(t)
	s := openStream(t, path)
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readUntil(s, 1); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("read: got %v", err)
	}
	if _, err := s.Write([]byte{1}); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("write: got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: got %v", err)
	}
}

// parked waits until n goroutines wait in the runtime's poller for a transfer
// of a stream: there they need no thread and no timer.
func parked(t *testing.T, op string, n int) {
	t.Helper()
	for end := time.Now().Add(soon); time.Now().Before(end); runtime.Gosched() {
		all := make([]byte, 1<<20)
		all = all[:runtime.Stack(all, true)]
		found := 0
		for g := range strings.SplitSeq(string(all), "\n\n") {
			if strings.Contains(g, "[IO wait") && strings.Contains(g, "board.(*stream)."+op+"(") {
				found++
			}
		}
		if found == n {
			return
		}
	}
	t.Fatalf("no %d goroutines wait in a %s", n, op)
}

func TestCloseEndsAPendingTransferAtOnce(t *testing.T) {
	for op, transfer := range map[string]func(io.ReadWriter) error{
		"Read":  func(s io.ReadWriter) error { _, err := s.Read(make([]byte, 1)); return err },
		"Write": func(s io.ReadWriter) error { _, err := s.Write(make([]byte, 1<<20)); return err },
	} {
		t.Run(op, func(t *testing.T) {
			_, path := openPTY(t)
			s := openStream(t, path)
			ended := make(chan error, 1)
			go func() { ended <- transfer(s) }()
			parked(t, op, 1)
			for range 2 { // the second is idempotent
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // the second begins after Close
				if err := <-ended; !errors.Is(err, os.ErrClosed) || errors.Is(err, device.ErrAbsent) {
					t.Errorf("got %v, want closed", err)
				}
				ended <- transfer(s)
			}
		})
	}
}

func TestUnplugEndsAPendingRead(t *testing.T) {
	far, path := openPTY(t)
	s := openStream(t, path)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		ended <- err
	}()
	parked(t, "Read", 1)
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, device.ErrAbsent) {
		t.Errorf("got %v, want absent", err)
	}
}

// Ports that polled every 50 ms would give up the processor dozens of times in
// each window; what the runtime does for itself leaves one of them quiet.
func TestIdlePortsNeverWakeTheProcess(t *testing.T) {
	const ports, window = 8, 250 * time.Millisecond
	var far *os.File
	for range ports {
		end, path := openPTY(t)
		s := openStream(t, path)
		go s.Read(make([]byte, 1))
		far = end
	}
	parked(t, "Read", ports)
	var got []int64
	for range 20 {
		before := switches(t)
		if err := far.SetReadDeadline(time.Now().Add(window)); err != nil {
			t.Fatal(err)
		}
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a port spoke by itself: %v", err)
		}
		n := switches(t) - before
		if n < 2*ports {
			return
		}
		got = append(got, n)
	}
	t.Errorf("gave up the processor %v times in windows of %v", got, window)
}

// switches counts how often a thread of this process went to sleep.
func switches(t *testing.T) int64 {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return int64(u.Nvcsw) // 32 bits on some machines
}

func TestStuckWriteEndsWithinItsLimitAndIsForgotten(t *testing.T) {
	_, path := openPTY(t)
	s := openStream(t, path)
	start := time.Now()
	n, err := s.Write(make([]byte, 1<<20))
	if took := time.Since(start); n >= 1<<20 || !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, device.ErrAbsent) || took < writeLimit {
		t.Fatalf("got %d, %v after %v", n, err, took)
	}
	// Nobody read at the other end: the room is that of the forgotten bytes.
	if n, err := s.Write([]byte("OFF!")); n != 4 || err != nil {
		t.Errorf("after it: got %d, %v", n, err)
	}
}

func TestLaterWritesDoNotPutOffTheEndOfAStuckOne(t *testing.T) {
	_, path := openPTY(t)
	s := openStream(t, path)
	ended := make(chan error, 1)
	start := time.Now()
	go func() {
		_, err := s.Write(make([]byte, 1<<20))
		ended <- err
	}()
	parked(t, "Write", 1)
	more := time.NewTicker(writeLimit / 5)
	defer more.Stop()
	for time.Since(start) < soon {
		select {
		case err := <-ended:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			return
		case <-more.C:
			go s.Write([]byte("OFF!"))
		}
	}
	t.Errorf("still stuck after %v", time.Since(start))
}

func TestWritesOfSeveralGoroutinesNeverMix(t *testing.T) {
	const writers, frames = 8, 50
	far, path := openPTY(t)
	s := openStream(t, path)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range frames {
				if n, err := s.Write(bytes.Repeat([]byte{byte(w)}, 4)); n != 4 || err != nil {
					t.Errorf("write: %d, %v", n, err)
				}
			}
		})
	}
	got := make([]byte, 4*writers*frames)
	if err := far.SetReadDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, got); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	for frame := range slices.Chunk(got, 4) {
		if !bytes.Equal(frame, bytes.Repeat(frame[:1], 4)) {
			t.Fatalf("got frame % x", frame)
		}
	}
}

func TestPortIsSetAsDeclaredForThisProcessAlone(t *testing.T) {
	for _, baud := range []int{1200, 9600, 115200, 921600} {
		t.Run(strconv.Itoa(baud), func(t *testing.T) {
			_, path := openPTY(t)
			b := newBoard("/", config.Profile{Ports: map[string]config.Port{"relay": {Path: path, Baud: baud}}})
			s, err := b.Stream("relay")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			set, alone := settings(t, s)
			if set.Ispeed != uint32(baud) || set.Ospeed != uint32(baud) {
				t.Errorf("rate: got %d in, %d out", set.Ispeed, set.Ospeed)
			}
			const frame = unix.CSIZE | unix.CSTOPB | unix.PARENB | unix.CRTSCTS | unix.CREAD | unix.CLOCAL
			if got := set.Cflag & frame; got != unix.CS8|unix.CREAD|unix.CLOCAL {
				t.Errorf("control flags: got %#o", got)
			}
			if set.Iflag|set.Oflag|set.Lflag != 0 {
				t.Errorf("not raw: %#o %#o %#o", set.Iflag, set.Oflag, set.Lflag)
			}
			if !alone {
				t.Error("others may open the port")
			}
		})
	}
}

// settings asks the kernel how a port is set and whether it is exclusive.
func settings(t *testing.T, s io.ReadWriteCloser) (set *unix.Termios, alone bool) {
	t.Helper()
	raw, err := s.(*stream).tty.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var excl int
	var terr, xerr error
	cerr := raw.Control(func(fd uintptr) {
		set, terr = unix.IoctlGetTermios(int(fd), unix.TCGETS2)
		excl, xerr = unix.IoctlGetInt(int(fd), unix.TIOCGEXCL)
	})
	if err := errors.Join(cerr, terr, xerr); err != nil {
		t.Fatal(err)
	}
	return set, excl != 0
}

func TestWhatIsNoTerminalIsAFault(t *testing.T) {
	b := newBoard("/", config.Profile{Ports: map[string]config.Port{"relay": {Path: "/dev/null", Baud: 9600}}})
	if _, err := b.Stream("relay"); !errors.Is(err, unix.ENOTTY) || errors.Is(err, device.ErrAbsent) {
		t.Errorf("got %v", err)
	}
}
