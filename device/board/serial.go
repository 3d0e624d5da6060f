package board

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/device"
)

// writeLimit is how long one Write may wait for room in the kernel's buffer. A
// frame needs none of it: waiting at all means that the adapter takes nothing.
const writeLimit = time.Second

// Stream opens the serial port or keyboard of [port.NAME]: a keyboard as a
// stream of what it types, a port at its rate, 8N1, both for this process
// alone. What arrived before is thrown away; a code whose first half
// was thrown away with it is the framer's to notice.
//
// A Read waits for the first byte without a time limit and costs nothing while
// it waits. A Write gives up after 1 s with os.ErrDeadlineExceeded; Writes of
// several goroutines follow one another and never mix their bytes. Close ends
// both at once, with os.ErrClosed; an unplugged port ends them with
// device.ErrAbsent.
func (b *Board) Stream(name string) (io.ReadWriteCloser, error) {
	declared, ok := b.profile.Ports[name]
	if !ok {
		return nil, b.undeclared("port", name)
	}
	if declared.Keyboard() {
		return b.openKeyboard(name, declared.Path)
	}
	tty, err := openTTY(filepath.Join(b.root, declared.Path), declared.Baud)
	if err != nil {
		return nil, fmt.Errorf("open port %q: %w", name, absent(err))
	}
	b.log.Debug("port opened", "port", name, "baud", declared.Baud)
	return &stream{tty: tty, name: name}, nil
}

// openTTY opens a terminal. Non-blocking, so that it waits for no carrier and
// the runtime's poller takes it.
func openTTY(path string, baud int) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	// Set up before os.File owns it, whose Fd would make it blocking.
	err = setTTY(fd, uint32(baud))
	tty := os.NewFile(uintptr(fd), path)
	if err != nil {
		return nil, errors.Join(err, tty.Close())
	}
	return tty, nil
}

// setTTY takes a terminal for this process alone and makes it a plain wire:
// raw, 8N1, no flow control, no modem lines waited for. Only whether DTR falls
// at the last close stays as it was. See termios(3) and ioctl_tty(2).
func setTTY(fd int, baud uint32) error {
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fmt.Errorf("take for this process alone: %w", err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("get terminal settings: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&unix.HUPCL | unix.CS8 | unix.CREAD | unix.CLOCAL | unix.BOTHER
	t.Ispeed, t.Ospeed = baud, baud
	// One byte is enough to read; none is EAGAIN, so that 0 means hung up.
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS2, t); err != nil {
		return fmt.Errorf("set terminal to %d baud: %w", baud, err)
	}
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("discard input: %w", err)
	}
	return nil
}

// stream is an open port. Its file keeps the descriptor's number from being
// reused while a transfer is under way.
type stream struct {
	tty  *os.File
	name string

	// writing holds the turn to write: the file has one deadline, and a later
	// Write must not put off the end of one that is stuck.
	writing sync.Mutex
}

// Read reads what has arrived, waiting for the first byte.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.tty.Read(p)
	if err == io.EOF {
		// What a terminal answers after it was hung up.
		err = fmt.Errorf("%w: hung up", device.ErrAbsent)
	}
	return n, s.fault("read", err)
}

// Write hands all of p to the kernel.
func (s *stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	// Every terminal takes a deadline; that it was closed, Write says better.
	_ = s.tty.SetWriteDeadline(time.Now().Add(writeLimit))
	n, err := s.tty.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.Join(err, s.discard())
	}
	return n, s.fault("write", err)
}

// discard forgets what an adapter that takes nothing has not taken: a relay's
// ON must not follow late, and the kernel would hold Close for it up to 30 s.
func (s *stream) discard() error {
	raw, err := s.tty.SyscallConn()
	if err != nil {
		return err
	}
	var flushed error
	err = raw.Control(func(fd uintptr) {
		flushed = unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCOFLUSH)
	})
	return errors.Join(err, flushed)
}

// Close ends the reads and writes under way and releases the port once what
// was written is sent. It is idempotent.
func (s *stream) Close() error {
	err := s.tty.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return s.fault("close", err)
}

// fault names operation and port.
func (s *stream) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s port %q: %w", op, s.name, absent(err))
}
