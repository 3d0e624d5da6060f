package gymcu90614_test

import (
	"testing"

	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/gymcu90614"
	"github.com/menshen/menshen/device/sim"
)

func TestKeepsWhatEveryThermometerOwes(t *testing.T) {
	for name, c := range map[string]struct {
		o   gymcu90614.Opts
		add func(*sim.World, string) *sim.Thermometer
	}{
		"query":             {gymcu90614.Opts{}, (*sim.World).AddSerialThermometer},
		"stream":            {gymcu90614.Opts{Mode: gymcu90614.Stream}, (*sim.World).AddSerialThermometer},
		"GY-614V3":          {gymcu90614.Opts{Module: gymcu90614.GY614V3}, (*sim.World).AddGY614V3},
		"CJMCU-90614":       {gymcu90614.Opts{Module: gymcu90614.CJMCU90614}, (*sim.World).AddCJMCU90614},
		"CJMCU-90614stream": {gymcu90614.Opts{Module: gymcu90614.CJMCU90614, Mode: gymcu90614.Stream}, (*sim.World).AddCJMCU90614},
	} {
		t.Run(name, func(t *testing.T) {
			devicetest.Thermometer(t, func(t testing.TB) (devicetest.Sensor, *sim.Thermometer) {
				w := sim.NewWorld()
				chip := c.add(w, "thermo")
				port, err := w.Stream("thermo")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = port.Close() })
				d, err := gymcu90614.New(port, &c.o)
				if err != nil {
					t.Fatal(err)
				}
				return d, chip
			})
		})
	}
}
