package board

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/sysfs"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// I2C opens the adapter of [bus.NAME]. periph's registry is not used: it fills
// itself once, so that an adapter that comes later would never be found.
//
// The caller closes the bus when its device is absent: the kernel holds back
// all hot-plug of a hub while the node of an adapter that was pulled is open.
func (b *Board) I2C(name string) (i2c.BusCloser, error) {
	declared, ok := b.profile.Buses[name]
	if !ok {
		return nil, b.undeclared("bus", name)
	}
	n, err := b.adapter(declared)
	if err != nil {
		return nil, fmt.Errorf("open bus %q: %w", name, absent(err))
	}
	open, err := sysfs.NewI2C(n)
	if err != nil {
		return nil, fmt.Errorf("open bus %q: %w", name, nak(err))
	}
	b.log.Debug("bus opened", "bus", name, "adapter", n)
	return &bus{BusCloser: open, name: name}, nil
}

// adapter finds the number of an adapter, whose node is there.
func (b *Board) adapter(declared config.Bus) (int, error) {
	node := filepath.Join(b.root, declared.Path)
	if declared.Adapter != "" {
		found, err := b.adapterNamed(declared.Adapter)
		if err != nil {
			return 0, err
		}
		node = filepath.Join(b.root, "dev", found)
	}
	// A rule of udev may have given the node another name.
	node, err := filepath.EvalSymlinks(node)
	if err != nil {
		return 0, err
	}
	number, ok := strings.CutPrefix(filepath.Base(node), "i2c-")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return 0, fmt.Errorf("%s is not an I2C adapter", node)
	}
	return n, nil
}

// adapterNamed finds the node of the adapter with a name; two of one name
// cannot be told apart.
func (b *Board) adapterNamed(name string) (string, error) {
	class := filepath.Join(b.root, "sys/class/i2c-dev")
	entries, err := os.ReadDir(class)
	if err != nil {
		return "", err
	}
	found := ""
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(class, e.Name(), "name"))
		if err != nil || strings.TrimSpace(string(text)) != name {
			continue // one that is just being unplugged is not the one
		}
		if found != "" {
			return "", fmt.Errorf("adapters %s and %s are both named %q: set path instead", found, e.Name(), name)
		}
		found = e.Name()
	}
	if found == "" {
		return "", fmt.Errorf("%w: no adapter named %q", device.ErrAbsent, name)
	}
	return found, nil
}

// bus marks the errors of an adapter that mean: nobody answers.
type bus struct {
	i2c.BusCloser
	name string
}

// Tx wraps device.ErrAbsent if no device acknowledges or the adapter is gone.
func (b *bus) Tx(addr uint16, w, r []byte) error {
	if err := b.BusCloser.Tx(addr, w, r); err != nil {
		return fmt.Errorf("bus %q: %w", b.name, nak(err))
	}
	return nil
}

// String names the bus as the profile does.
func (b *bus) String() string { return b.name }

// nak marks what periph returns for a missing acknowledgement. periph keeps
// only the text of the kernel's error, so the text is what can be compared.
// ENXIO is what most adapters say, EREMOTEIO the Raspberry Pi's, ENODEV one
// that was pulled. EIO is left alone: it is a disturbed bus as well.
func nak(err error) error {
	for _, errno := range []syscall.Errno{syscall.ENXIO, syscall.EREMOTEIO, syscall.ENODEV, syscall.ENOENT} {
		if strings.HasSuffix(err.Error(), errno.Error()) {
			return fmt.Errorf("%w: %w", device.ErrAbsent, err)
		}
	}
	return err
}
