package board

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"periph.io/x/conn/v3/i2c"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

func TestAdapterIsFoundByNameOrPath(t *testing.T) {
	root := t.TempDir()
	for n, name := range map[string]string{"0": "twin", "1": "bcm2835 (i2c@7e804000)", "13": "CP2112 SMBus Bridge", "7": "twin"} {
		put(t, root, "dev/i2c-"+n, "")
		put(t, root, "sys/class/i2c-dev/i2c-"+n+"/name", name+"\n")
	}
	put(t, root, "dev/ttyS0", "")
	if err := os.Symlink("i2c-13", filepath.Join(root, "dev/menshen-i2c")); err != nil {
		t.Fatal(err)
	}
	b := newBoard(root, config.Profile{})
	for rule, c := range map[string]struct {
		bus  config.Bus
		want int
		err  string
	}{
		"a name finds its number":       {bus: config.Bus{Adapter: "CP2112 SMBus Bridge"}, want: 13},
		"a path is its number":          {bus: config.Bus{Path: "/dev/i2c-1"}, want: 1},
		"a link leads to its number":    {bus: config.Bus{Path: "/dev/menshen-i2c"}, want: 13},
		"part of a name is not enough":  {bus: config.Bus{Adapter: "bcm2835"}, err: "no adapter named"},
		"two of a name are a fault":     {bus: config.Bus{Adapter: "twin"}, err: "set path instead"},
		"another device is no adapter":  {bus: config.Bus{Path: "/dev/ttyS0"}, err: "is not an I2C adapter"},
		"a missing path is not guessed": {bus: config.Bus{Path: "/dev/i2c-2"}, err: "no such file"},
	} {
		t.Run(rule, func(t *testing.T) {
			got, err := b.adapter(c.bus)
			if c.err == "" && (err != nil || got != c.want) {
				t.Errorf("got %d, %v; want %d", got, err, c.want)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}

// silentBus answers every transfer with one error.
type silentBus struct {
	i2c.BusCloser
	err error
}

func (b silentBus) Tx(uint16, []byte, []byte) error { return b.err }

func TestMissingAcknowledgementIsAbsent(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		syscall.ENXIO:     true, // most adapters
		syscall.EREMOTEIO: true, // bcm2835
		syscall.ENODEV:    true, // adapter pulled
		syscall.EIO:       false,
		syscall.ETIMEDOUT: false,
		syscall.EAGAIN:    false, // arbitration lost
	} {
		b := &bus{BusCloser: silentBus{err: fmt.Errorf("sysfs-i2c: %v", errno)}, name: "thermometer-1"}
		err := b.Tx(0x5A, []byte{7}, make([]byte, 3))
		if errors.Is(err, device.ErrAbsent) != want || !strings.HasSuffix(err.Error(), errno.Error()) || !strings.Contains(err.Error(), "thermometer-1") {
			t.Errorf("%v: got %v, want absent %v", errno, err, want)
		}
	}
	sound := &bus{BusCloser: silentBus{}}
	if err := sound.Tx(0x5A, nil, nil); err != nil {
		t.Errorf("got %v for no error", err)
	}
}
