package board

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/evdev"
)

// openKeyboard opens the scanner or card reader that types, for this process
// alone, as a stream of what it types. One that another program holds is not
// opened at all: its codes would be typed on the console too.
func (b *Board) openKeyboard(name, path string) (io.ReadWriteCloser, error) {
	node := filepath.Join(b.root, path)
	if what, ok := strings.CutPrefix(path, config.HIDPrefix); ok {
		found, err := b.keyboardNamed(what)
		if err != nil {
			return nil, fmt.Errorf("open keyboard %q: %w", name, absent(err))
		}
		node = filepath.Join(b.root, "dev/input", found)
	}
	events, id, err := b.claimNode(node)
	if err != nil {
		return nil, fmt.Errorf("open keyboard %q: %w", name, absent(err))
	}
	if what, ok := strings.CutPrefix(path, config.HIDPrefix); ok && !matches(what, id) {
		// The node was given to another device since it was looked up.
		return nil, errors.Join(fmt.Errorf("open keyboard %q: %w: its node is %q now", name, device.ErrAbsent, id.Name), events.Close())
	}
	r, err := evdev.NewReader(&keyboard{events: events, name: name}, evdev.NativeLayout())
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	b.log.Debug("keyboard opened", "port", name, "device", id.Name, "node", node)
	return r, nil
}

// claimNode opens an event device and claims it.
func (b *Board) claimNode(node string) (*os.File, evdev.ID, error) {
	fd, err := unix.Open(node, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, evdev.ID{}, &os.PathError{Op: "open", Path: node, Err: err}
	}
	// Claimed before os.File owns it, whose Fd would make it blocking.
	id, err := b.claim(uintptr(fd))
	events := os.NewFile(uintptr(fd), node)
	if err != nil {
		return nil, evdev.ID{}, errors.Join(err, events.Close())
	}
	return events, id, nil
}

// matches reports whether a device is the one that "hid:" names.
func matches(what string, id evdev.ID) bool {
	return what == id.Name || strings.EqualFold(what, fmt.Sprintf("%04x:%04x", id.Vendor, id.Product))
}

// keyboardNamed finds the event node of the keyboard with these numbers or that
// name. A device has other nodes too, for its buttons and lights; two of one
// make cannot be told apart.
func (b *Board) keyboardNamed(what string) (string, error) {
	class := filepath.Join(b.root, "sys/class/input")
	entries, err := os.ReadDir(class)
	if err != nil {
		return "", err
	}
	found := ""
	for _, e := range entries {
		at := filepath.Join(class, e.Name(), "device")
		if !strings.HasPrefix(e.Name(), "event") || !matches(what, identity(at)) || !types(at) {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("%s and %s are both %s: set a path of /dev/input/by-path instead", found, e.Name(), what)
		}
		found = e.Name()
	}
	if found == "" {
		return "", fmt.Errorf("%w: no keyboard is %s", device.ErrAbsent, what)
	}
	return found, nil
}

// identity reads what a device is; one that is just being unplugged is nothing.
func identity(at string) evdev.ID {
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(at, name))
		return strings.TrimSpace(string(b))
	}
	number := func(name string) uint16 {
		n, _ := strconv.ParseUint(text(name), 16, 16)
		return uint16(n)
	}
	return evdev.ID{Vendor: number("id/vendor"), Product: number("id/product"), Name: text("name")}
}

// types reports whether a device has the key 1: the kernel writes its keys as
// hexadecimal words, the last of which has the first ones.
func types(at string) bool {
	b, err := os.ReadFile(filepath.Join(at, "capabilities/key"))
	words := strings.Fields(string(b))
	if err != nil || len(words) == 0 {
		return false
	}
	const keyOne = 1 << 2
	last, err := strconv.ParseUint(words[len(words)-1], 16, 64)
	return err == nil && last&keyOne != 0
}

// keyboard names the device in the faults of its events.
type keyboard struct {
	events *os.File
	name   string
}

// Read reads events, waiting for the first.
func (k *keyboard) Read(p []byte) (int, error) {
	n, err := k.events.Read(p)
	if err == io.EOF {
		err = fmt.Errorf("%w: no more events", device.ErrAbsent)
	}
	if err != nil {
		err = fmt.Errorf("read keyboard %q: %w", k.name, absent(err))
	}
	return n, err
}

// Close ends a pending read and frees the device. It is idempotent.
func (k *keyboard) Close() error {
	if err := k.events.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close keyboard %q: %w", k.name, err)
	}
	return nil
}
