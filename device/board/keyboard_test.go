package board

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/evdev"
	"github.com/menshen/menshen/device/sim"
)

// aKeyboard is what /sys/class/input shows of the keys of a scanner, and
// aButton of its volume keys.
const (
	aKeyboard = "10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
	aButton   = "1f 0 0 0"
)

// plug makes the event node n with its entries in /sys, and returns the end at
// which it types.
func plug(t *testing.T, root string, n int, id evdev.ID, keys string) *os.File {
	t.Helper()
	at := fmt.Sprintf("sys/class/input/event%d/device/", n)
	put(t, root, at+"id/vendor", fmt.Sprintf("%04x\n", id.Vendor))
	put(t, root, at+"id/product", fmt.Sprintf("%04x\n", id.Product))
	put(t, root, at+"name", id.Name+"\n")
	put(t, root, at+"capabilities/key", keys+"\n")
	node := filepath.Join(root, fmt.Sprintf("dev/input/event%d", n))
	if err := os.MkdirAll(filepath.Dir(node), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(node, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(node, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

var newland = evdev.ID{Vendor: 0x1EAB, Product: 0x8203, Name: "Newland Auto-ID NLS-FM430"}

// withPath is a board whose port "scanner" has a path, and which takes any
// device for id.
func withPath(root, path string, id evdev.ID) *Board {
	b := newBoard(root, config.Profile{Ports: map[string]config.Port{"scanner": {Path: path}}})
	b.claim = func(uintptr) (evdev.ID, error) { return id, nil }
	return b
}

func TestAKeyboardIsFoundAndRead(t *testing.T) {
	root := t.TempDir()
	plug(t, root, 2, evdev.ID{Vendor: 0x046D, Product: 0xC31C, Name: "Logitech"}, aKeyboard)
	plug(t, root, 3, newland, aButton) // the same device's other node
	scanner := plug(t, root, 11, newland, aKeyboard)
	if err := os.MkdirAll(filepath.Join(root, "dev/input/by-path"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../event11", filepath.Join(root, "dev/input/by-path/scanner")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"hid:1eab:8203", "hid:1EAB:8203", "hid:" + newland.Name, "/dev/input/by-path/scanner"} {
		t.Run(path, func(t *testing.T) {
			s, err := withPath(root, path, newland).Stream("scanner")
			if err != nil {
				t.Fatal(err)
			}
			l := evdev.NativeLayout()
			if _, err := scanner.Write(append(sim.Event(l, 1, 2, 1), sim.Event(l, 1, 28, 1)...)); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 2)
			for n := 0; n < len(got); {
				k, err := s.Read(got[n:])
				if err != nil {
					t.Fatal(err)
				}
				n += k
			}
			if string(got) != "1\r" {
				t.Errorf("got %q", got)
			}
			if err := errors.Join(s.Close(), s.Close()); err != nil {
				t.Error(err)
			}
			if _, err := s.Read(got); !errors.Is(err, os.ErrClosed) {
				t.Errorf("read after close: %v", err)
			}
		})
	}
}

func TestAKeyboardThatIsNotSurelyTheOneIsNotOpened(t *testing.T) {
	other := evdev.ID{Vendor: 0x046D, Product: 0xC31C, Name: "Logitech"}
	for _, c := range []struct {
		rule    string
		plugged []evdev.ID
		claimed evdev.ID
		claim   error
		want    string
		absent  bool
	}{
		{"not plugged in", []evdev.ID{other}, other, nil, "no keyboard is 1eab:8203", true},
		{"two of one make", []evdev.ID{newland, newland}, newland, nil, "set a path of /dev/input/by-path instead", false},
		{"held by another program", []evdev.ID{newland}, newland, syscall.EBUSY, "device or resource busy", false},
		{"pulled while it is opened", []evdev.ID{newland}, newland, syscall.ENODEV, "no such device", true},
		{"another one meanwhile", []evdev.ID{newland}, other, nil, `its node is "Logitech" now`, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			root := t.TempDir()
			for n, id := range c.plugged {
				plug(t, root, n, id, aKeyboard)
			}
			b := withPath(root, "hid:1eab:8203", c.claimed)
			if c.claim != nil {
				b.claim = func(uintptr) (evdev.ID, error) { return evdev.ID{}, c.claim }
			}
			_, err := b.Stream("scanner")
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, device.ErrAbsent) != c.absent {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAMissingNodeAndAnEndOfEventsAreAbsence(t *testing.T) {
	root := t.TempDir()
	b := withPath(root, "/dev/input/event5", newland)
	if _, err := b.Stream("scanner"); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	w := plug(t, root, 5, newland, aKeyboard)
	s, err := b.Stream("scanner")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("got %v", err)
	}
}

// No test machine need have an event device: the true claim refuses what is
// none, so nothing is ever read that is not held alone.
func TestWhatCannotBeClaimedIsNotRead(t *testing.T) {
	root := t.TempDir()
	plug(t, root, 0, newland, aKeyboard)
	b := newBoard(root, config.Profile{Ports: map[string]config.Port{"scanner": {Path: "/dev/input/event0"}}})
	if _, err := b.Stream("scanner"); err == nil || !strings.Contains(err.Error(), "take for this process alone") {
		t.Errorf("got %v", err)
	}
}
