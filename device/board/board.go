// Package board opens the real hardware that a board profile names: I2C
// adapters, serial ports, keyboards and GPIO lines of a Linux machine.
//
// It knows device nodes, how the kernel names and numbers them, and which of
// its errors mean that nothing is there. It does not know what hangs on a bus,
// what a line switches, or who uses it: drivers sit above, against the
// interfaces of package device. Everything is looked up anew at each opening,
// because numbers move when a cable is pulled.
package board

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"syscall"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/evdev"
)

// Board opens what one profile names. It implements device.Opener, holds
// nothing open itself and may be used from any goroutine.
type Board struct {
	profile config.Profile
	log     *slog.Logger
	// root is where /dev and /sys are found: / but in tests.
	root string
	// claim takes a keyboard: evdev.Claim but in tests.
	claim func(fd uintptr) (evdev.ID, error)
}

var _ device.Opener = (*Board)(nil)

// New returns the board that a profile describes. It opens nothing.
func New(p config.Profile, log *slog.Logger) *Board {
	return &Board{profile: p, log: log.With("component", "board"), root: "/", claim: evdev.Claim}
}

// String names the profile.
func (b *Board) String() string { return "board " + b.profile.Name }

// undeclared is the fault of a name that stands in no profile. It is no
// ErrAbsent: plugging something in does not mend it.
func (b *Board) undeclared(kind, name string) error {
	return fmt.Errorf("open %s %q: not in profile %s", kind, name, b.profile.Name)
}

// gone reports whether an error of the kernel says that a device is not, or no
// longer, there. EIO is what a terminal answers after it was hung up.
func gone(err error) bool {
	for _, errno := range []error{fs.ErrNotExist, syscall.ENXIO, syscall.ENODEV, syscall.EIO, syscall.ESHUTDOWN} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// absent marks an error with device.ErrAbsent if it says that nothing is there.
func absent(err error) error {
	if err == nil || !gone(err) {
		return err
	}
	return fmt.Errorf("%w: %w", device.ErrAbsent, err)
}
