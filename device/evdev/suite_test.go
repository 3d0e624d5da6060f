package evdev_test

import (
	"io"
	"strings"
	"testing"

	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/evdev"
	"github.com/menshen/menshen/device/scanner"
	"github.com/menshen/menshen/device/sim"
)

// A keyboard under the scanner's driver owes what any scanner does; its wire
// carries events.
func TestKeepsWhatEveryScannerOwes(t *testing.T) {
	for name, l := range map[string]evdev.Layout{"64-bit": evdev.Layout64, "32-bit": evdev.Layout32} {
		t.Run(name, func(t *testing.T) {
			devicetest.Scanner(t, devicetest.ScannerKind{
				Add: (*sim.World).AddScanner,
				New: func(port io.ReadWriteCloser) (devicetest.CodeReader, error) {
					k, err := evdev.NewReader(port, l)
					if err != nil {
						return nil, err
					}
					return scanner.New(k, scanner.DefaultOpts())
				},
				Wire: func(text string) []byte { return strokes(l, text) },
				Lost: append(sim.Event(l, 0, 3, 0), sim.Event(l, 0, 0, 0)...),
				Step: int(l),
			})
		})
	}
}

// strokes is a text as events, from the release of the Enter before it to the
// press of its own, which is the end of a code.
func strokes(l evdev.Layout, text string) []byte {
	const enter, shift = 28, 42
	wire := append(sim.Event(l, 1, enter, 0), sim.Event(l, 0, 0, 0)...)
	for _, c := range strings.ToLower(text) {
		code := uint16(strings.IndexRune("  1234567890-   qwertyuiop    asdfghjkl     zxcvbnm", c))
		upper := !strings.ContainsRune(text, c)
		if upper {
			wire = append(wire, sim.Event(l, 1, shift, 1)...)
		}
		wire = append(wire, events(l, code)...)
		if upper {
			wire = append(wire, sim.Event(l, 1, shift, 0)...)
		}
	}
	return append(wire, sim.Event(l, 1, enter, 1)...)
}
