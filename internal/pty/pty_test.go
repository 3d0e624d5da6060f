//go:build linux

package pty_test

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/pty"
)

func open(t *testing.T) *pty.Pair {
	t.Helper()
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// program opens the port as the product does.
func program(t *testing.T, p *pty.Pair) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.Path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestEveryByteCrossesUnchanged(t *testing.T) {
	p := open(t)
	f := program(t, p)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, way := range []struct {
		rule     string
		from, to *os.File
	}{
		{"from the chip to the program", p.Master, f},
		{"from the program to the chip", f, p.Master},
	} {
		t.Run(way.rule, func(t *testing.T) {
			if _, err := way.from.Write(all); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(all))
			if _, err := io.ReadFull(way.to, got); err != nil {
				t.Fatal(err)
			}
			if string(got) != string(all) {
				t.Fatalf("got % x", got)
			}
		})
	}
}

func TestMasterWaitsForAProgramAndHonoursItsDeadline(t *testing.T) {
	p := open(t)
	if err := p.Master.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Master.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read: %v", err)
	}
}

func TestMasterSeesTheProgramHangUpOnceReleased(t *testing.T) {
	p := open(t)
	f := program(t, p)
	for range 2 {
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Master.Read(make([]byte, 1)); !errors.Is(err, syscall.EIO) {
		t.Fatalf("read: %v", err)
	}
}

func TestUnplugEndsTheProgramsPendingRead(t *testing.T) {
	p := open(t)
	f := program(t, p)
	ended := make(chan error, 1)
	go func() {
		_, err := f.Read(make([]byte, 1))
		ended <- err
	}()
	if err := p.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EIO) {
		t.Fatalf("read: %v", err)
	}
	if _, err := f.Write([]byte{0}); !errors.Is(err, syscall.EIO) {
		t.Fatalf("write: %v", err)
	}
}

func TestClosingMasterEndsItsPendingRead(t *testing.T) {
	p := open(t)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Master.Read(make([]byte, 1))
		ended <- err
	}()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Fatalf("read: %v", err)
	}
}

func TestEveryCloseIsIdempotent(t *testing.T) {
	p := open(t)
	for _, end := range []func() error{p.Unplug, p.Unplug, p.Release, p.Close, p.Close} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
}
