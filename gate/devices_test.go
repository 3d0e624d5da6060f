package gate

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
)

func TestEveryKindOfThermometerIsOpenedAndRead(t *testing.T) {
	for _, c := range []struct {
		cfg config.Thermometer
		add func(w *sim.World) *sim.Thermometer
	}{
		{config.Thermometer{Kind: config.ThermometerMLX90614, Bus: "spare", Address: 0x5A, PEC: config.PECStrict},
			func(w *sim.World) *sim.Thermometer { return w.AddI2CThermometer("spare", 0x5A) }},
		{config.Thermometer{Kind: config.ThermometerMLX90632, Bus: "spare", Address: 0x3B, Emissivity: 1},
			func(w *sim.World) *sim.Thermometer { return w.AddMLX90632("spare", 0x3B) }},
		{config.Thermometer{Kind: config.ThermometerGYMCU90614, Port: "spare", Mode: config.ModeQuery},
			func(w *sim.World) *sim.Thermometer { return w.AddSerialThermometer("spare") }},
		{config.Thermometer{Kind: config.ThermometerGY614V3, Port: "spare", Mode: config.ModeQuery},
			func(w *sim.World) *sim.Thermometer { return w.AddGY614V3("spare") }},
		{config.Thermometer{Kind: config.ThermometerCJMCU90614, Port: "spare", Mode: config.ModeQuery},
			func(w *sim.World) *sim.Thermometer { return w.AddCJMCU90614("spare") }},
		{config.Thermometer{Kind: config.ThermometerCJMCU90614, Port: "spare", Mode: config.ModeStream},
			func(w *sim.World) *sim.Thermometer { return w.AddCJMCU90614("spare") }},
	} {
		t.Run(c.cfg.Kind+" "+c.cfg.Mode, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				g, _ := build(t, dir, stillClock)
				c.add(g.o.Opener.(*sim.World)).See(36.6, 25)
				g.lanes[0].cfg.Thermometer = &c.cfg
				dev, shut, err := g.lanes[0].openThermometer()
				if err != nil {
					t.Fatal(err)
				}
				defer shut()
				defer dev.Halt()
				s, err := dev.Sense(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := s.Object.Celsius(); math.Abs(got-36.6) > 0.02 {
					t.Errorf("got %.2f °C", got)
				}
			})
		})
	}
}

// A scanner that scans when it is asked is asked at once, after every code,
// and again when none comes.
func TestEveryKindOfScannerIsReadAndAskedToScan(t *testing.T) {
	for _, c := range []struct {
		rule string
		cfg  config.Scanner
		add  func(w *sim.World) (scan func(string), triggers func() int)
		want int // scans asked for, in all
	}{
		{"a desktop scanner", config.Scanner{Kind: config.ScannerLine}, desktop, 0},
		{"a desktop scanner with trigger bytes", config.Scanner{Kind: config.ScannerLine, Trigger: []byte{0x16, 0x54, 0x0D}}, desktop, 5},
		{"a keyboard", config.Scanner{Kind: config.ScannerLine}, func(w *sim.World) (func(string), func() int) {
			return w.AddKeyboard("spare").Scan, func() int { return 0 }
		}, 0},
		{"an engine as it is set", config.Scanner{Kind: config.ScannerGM65, Mode: config.ScannerAsSet}, gm65, 0},
		{"an engine by command", config.Scanner{Kind: config.ScannerGM65, Mode: config.ScannerCommand}, gm65, 5},
		{"the other engine by command", config.Scanner{Kind: config.ScannerGM67, Mode: config.ScannerCommand}, gm67, 5},
		{"the other engine by its sensor", config.Scanner{Kind: config.ScannerGM67, Mode: config.ScannerSensor}, gm67, 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				g, _ := build(t, dir, stillClock)
				scan, triggers := c.add(g.o.Opener.(*sim.World))
				c.cfg.Port = "spare"
				l := g.lanes[0]
				l.cfg.Scanner = &c.cfg
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- l.scan(ctx) }()
				time.Sleep(2900 * time.Millisecond) // open, and past the rest of a line
				for _, code := range []string{"A1", "B2"} {
					scan(code)
					if got := <-l.events; string(got.(scanned).text) != code {
						t.Errorf("got %v, want %s", got, code)
					}
				}
				time.Sleep(2*triggerAgain + 500*time.Millisecond)
				synctest.Wait()
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if got := triggers(); got != c.want {
					t.Errorf("asked for %d scans, want %d", got, c.want)
				}
			})
		})
	}
}

func gm65(w *sim.World) (func(string), func() int) {
	s := w.AddGM65("spare")
	return s.Scan, s.Triggers
}

func gm67(w *sim.World) (func(string), func() int) {
	s := w.AddGM67("spare")
	return s.Scan, s.Triggers
}

// desktop counts what it is told.
func desktop(w *sim.World) (func(string), func() int) {
	s := w.AddScanner("spare")
	return s.Scan, s.Triggers
}
