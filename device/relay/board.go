package relay

import (
	"errors"
	"fmt"
	"io"

	"github.com/menshen/menshen/device"
)

// Board is a set of relays that can be written but not read back.
type Board interface {
	// Set drives a channel, from 1. It may be called from any goroutine, also
	// while another call is stuck.
	Set(channel int, on bool) error
	// Close releases the board; it does not promise to move a relay.
	Close() error
}

// lcus is a serial board of the LCUS family (9600 8N1, vendor pages): A0,
// channel, 01 on or 00 off, low byte of the sum; the board does not reply.
type lcus struct {
	rw       io.ReadWriteCloser
	channels int
}

// NewLCUS returns the LCUS board with channels 1..channels, at most 255, behind
// rw, which it owns. Nothing is written yet.
func NewLCUS(rw io.ReadWriteCloser, channels int) Board {
	return &lcus{rw: rw, channels: channels}
}

// Set writes one frame with one Write. It takes no lock: a frame stuck in one
// goroutine must not keep another from writing OFF, and the kernel does not mix
// the bytes of two writes this short.
func (l *lcus) Set(channel int, on bool) error {
	if channel < 1 || channel > min(l.channels, 255) {
		return fmt.Errorf("lcus: channel %d outside 1..%d", channel, l.channels)
	}
	frame := []byte{0xA0, byte(channel), 0x00, 0x00}
	if on {
		frame[2] = 0x01
	}
	frame[3] = frame[0] + frame[1] + frame[2]
	n, err := l.rw.Write(frame)
	if err == nil && n < len(frame) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("lcus: write channel %d: %w", channel, err)
	}
	return nil
}

func (l *lcus) Close() error {
	return l.rw.Close()
}

// lines is a board made of digital lines.
type lines []device.Line

// NewLines returns the board whose channel n is ls[n-1]. It owns the lines,
// which were opened as outputs at rest.
func NewLines(ls []device.Line) Board {
	return lines(ls)
}

func (l lines) Set(channel int, on bool) error {
	if channel < 1 || channel > len(l) {
		return fmt.Errorf("lines: channel %d outside 1..%d", channel, len(l))
	}
	if err := l[channel-1].Set(on); err != nil {
		return fmt.Errorf("lines: set channel %d: %w", channel, err)
	}
	return nil
}

func (l lines) Close() error {
	var errs []error
	for _, line := range l {
		errs = append(errs, line.Close())
	}
	return errors.Join(errs...)
}
