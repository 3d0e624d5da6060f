//go:build linux

// Package pty makes pseudo-terminals: serial ports whose other end is this
// process, for programs that insist on opening a device by its path.
//
// It knows the kernel's side of a pair and nothing of what is said over it.
package pty

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Pair is one pseudo-terminal.
type Pair struct {
	// Master is the chip's end: non-blocking, so deadlines work and closing
	// it ends a pending Read.
	Master *os.File
	// Path is the port that the program under test opens. It is raw: no echo,
	// no line editing, no translation of CR.
	Path string

	unplug func() error
	let    func() error
}

// Open makes a pair and holds the port's end open as well, so that Master can
// wait for a program that has not come yet; without a holder its Read fails
// with EIO at once.
func Open() (*Pair, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	// The descriptor is asked before os.File owns it: File.Fd would make it
	// blocking and deadlines void.
	path, err := unlock(fd)
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	if err != nil {
		return nil, errors.Join(err, master.Close())
	}
	slave, err := openRaw(path)
	if err != nil {
		return nil, errors.Join(err, master.Close())
	}
	return &Pair{
		Master: master,
		Path:   path,
		unplug: sync.OnceValue(master.Close),
		let:    sync.OnceValue(slave.Close),
	}, nil
}

func unlock(master int) (path string, err error) {
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return "", fmt.Errorf("unlock pseudo-terminal: %w", err)
	}
	n, err := unix.IoctlGetUint32(master, unix.TIOCGPTN)
	if err != nil {
		return "", fmt.Errorf("number of pseudo-terminal: %w", err)
	}
	return "/dev/pts/" + strconv.FormatUint(uint64(n), 10), nil
}

func openRaw(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	err = setRaw(fd)
	f := os.NewFile(uintptr(fd), path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set %s raw: %w", path, err), f.Close())
	}
	return f, nil
}

// setRaw is cfmakeraw(3).
func setRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// Release lets go of the port's end. From then on Master sees the program
// hang up: its Read fails with EIO while nobody has the port open. It is
// idempotent.
func (p *Pair) Release() error { return p.let() }

// Unplug closes Master. The program's Read ends as on a pulled USB adapter
// (end of file or EIO), its writes fail with EIO, and Path is gone as soon as
// nobody holds it. It is idempotent.
func (p *Pair) Unplug() error { return p.unplug() }

// Close releases both ends. It is idempotent.
func (p *Pair) Close() error { return errors.Join(p.unplug(), p.let()) }
