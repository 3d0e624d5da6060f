package scanner

import (
	"io"
	"testing"

	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/sim"
)

func TestKeepsWhatEveryScannerOwes(t *testing.T) {
	for name, c := range map[string]struct {
		add     func(*sim.World, string) *sim.Scanner
		o       Opts
		inForce func(*sim.Scanner) bool
	}{
		"line":           {add: (*sim.World).AddScanner},
		"line triggered": {add: (*sim.World).AddScanner, o: Opts{Trigger: []byte{0x16, 0x54, 0x0D}}},
		"gm65": {(*sim.World).AddGM65, Opts{Kind: GM65, Mode: Command}, func(s *sim.Scanner) bool {
			return s.Zone(zoneSetup)&setupBits == 0 && s.Zone(zoneMode)&modeBits == 1
		}},
		"gm67": {(*sim.World).AddGM67, Opts{Kind: GM67, Mode: Command}, func(s *sim.Scanner) bool {
			return s.Zone(paramSetup) == 0 && s.Zone(paramFormat) == 0 && s.Zone(paramMode) == 0x08
		}},
	} {
		t.Run(name, func(t *testing.T) {
			devicetest.Scanner(t, devicetest.ScannerKind{
				Add:     c.add,
				New:     func(port io.ReadWriteCloser) (devicetest.CodeReader, error) { return New(port, &c.o) },
				Wire:    func(text string) []byte { return []byte(text + "\r") },
				Lost:    []byte{0}, // what a terminal reads in place of a byte whose framing was wrong
				Step:    1,
				InForce: c.inForce,
			})
		})
	}
}
