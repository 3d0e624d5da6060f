package board

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// newBoard is a board whose /dev and /sys are below root.
func newBoard(root string, p config.Profile) *Board {
	b := New(p, slog.New(slog.DiscardHandler))
	b.root = root
	return b
}

// put writes a file below root with the directories above it.
func put(t *testing.T, root, name, content string) {
	t.Helper()
	name = filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUndeclaredNameIsNotAbsent(t *testing.T) {
	b := newBoard(t.TempDir(), config.Profile{Name: "bench"})
	for kind, open := range map[string]func() error{
		"bus":  func() error { _, err := b.I2C("x"); return err },
		"port": func() error { _, err := b.Stream("x"); return err },
		"pin":  func() error { _, err := b.Line("x", device.LineOpts{}); return err },
	} {
		t.Run(kind, func(t *testing.T) {
			err := open()
			if want := `open ` + kind + ` "x": not in profile bench`; err == nil || err.Error() != want || errors.Is(err, device.ErrAbsent) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestWhatIsNotPluggedInIsAbsent(t *testing.T) {
	root := t.TempDir()
	put(t, root, "dev/null", "")
	put(t, root, "sys/class/i2c-dev/i2c-0/name", "smbus\n")
	b := newBoard(root, config.Profile{
		Ports: map[string]config.Port{"scanner": {Path: "/dev/menshen-scanner", Baud: 9600}},
		Buses: map[string]config.Bus{"path": {Path: "/dev/i2c-1"}, "adapter": {Adapter: "bcm2835"}, "no-node": {Adapter: "smbus"}},
		Pins:  map[string]config.Pin{"barrier": {Chips: []string{"pinctrl-rp1"}, Line: 17}},
	})
	for what, open := range map[string]func() error{
		"port":                   func() error { _, err := b.Stream("scanner"); return err },
		"bus by path":            func() error { _, err := b.I2C("path"); return err },
		"bus by adapter":         func() error { _, err := b.I2C("adapter"); return err },
		"adapter without a node": func() error { _, err := b.I2C("no-node"); return err },
		"chip":                   func() error { _, err := b.Line("barrier", device.LineOpts{Output: true}); return err },
	} {
		t.Run(what, func(t *testing.T) {
			if err := open(); !errors.Is(err, device.ErrAbsent) {
				t.Errorf("got %v, want absent", err)
			}
		})
	}
}

func TestOnlyVanishedHardwareIsAbsent(t *testing.T) {
	for _, err := range []error{fs.ErrNotExist, syscall.ENOENT, syscall.ENXIO, syscall.ENODEV, syscall.EIO, &fs.PathError{Op: "read", Err: syscall.EIO}} {
		if got := absent(err); !errors.Is(got, device.ErrAbsent) || !errors.Is(got, err) {
			t.Errorf("%v: got %v, want absent and itself", err, got)
		}
	}
	for _, err := range []error{syscall.EACCES, syscall.EBUSY, syscall.EINVAL, io.ErrShortWrite} {
		if got := absent(err); got != err {
			t.Errorf("%v: got %v, want it unchanged", err, got)
		}
	}
	if got := absent(nil); got != nil {
		t.Errorf("got %v for no error", got)
	}
}
