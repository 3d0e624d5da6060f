// Package device holds the words that every driver shares: what a sample of a
// thermometer is, which errors a caller may branch on, and the seam through
// which buses, ports and lines are opened.
//
// It knows no chip, no board and no policy: it cannot tell a fever from a
// wall, and it never decides.
package device

import (
	"context"
	"errors"
	"io"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// Faults on which a caller branches. Drivers wrap them with the operation and
// the object.
var (
	// ErrCorrupt: bytes arrived but their check code, header or length is
	// wrong. The next transfer may be sound.
	ErrCorrupt = errors.New("corrupt transfer")
	// ErrInvalid: the transfer was sound and its content says that it cannot
	// be used: an error flag, a value outside the part's range, a code that is
	// too long.
	ErrInvalid = errors.New("invalid value")
	// ErrAbsent: nothing answers: no acknowledgement, no such port, a stream
	// that ended.
	ErrAbsent = errors.New("device absent")
)

// Sample is one sound measurement of an infrared thermometer. It exists only
// where no error does: a driver returns the zero Sample beside every error.
type Sample struct {
	// Object is what the lens sees, at the emissivity set in the part.
	Object physic.Temperature
	// Ambient is the temperature of the part itself.
	Ambient physic.Temperature
	// Raw is the object word or field as it was transferred, kept so that a
	// passage can be evaluated again.
	Raw uint16
}

// LineOpts says how a line is used. Chip, offset, polarity and bias stand in
// the board profile under the line's name.
type LineOpts struct {
	// Output drives the line; it is opened at its logical rest (off) without
	// a pulse. Otherwise the line is an input with edge detection.
	Output bool
}

// Line is one digital line in logical terms: on means active, whatever the
// polarity of the wiring.
type Line interface {
	// Set drives an output. It may be called from any goroutine.
	Set(on bool) error
	// Get reads the level without changing the direction of the line.
	Get() (bool, error)
	// Wait blocks until an input changes and returns the new level; it ends
	// with the context's error or with ErrAbsent when the line is gone.
	Wait(ctx context.Context) (bool, error)
	// Close returns an output to rest and releases the line. It is idempotent.
	Close() error
}

// Opener opens what a board profile names; package board opens real hardware,
// package sim a scenario's. The gate re-opens through it after every pull.
type Opener interface {
	I2C(name string) (i2c.BusCloser, error)
	// Stream opens a serial port. Close unblocks a pending Read. A Read may
	// return (0, nil) when a time limit of the port has passed.
	Stream(name string) (io.ReadWriteCloser, error)
	Line(name string, o LineOpts) (Line, error)
}
