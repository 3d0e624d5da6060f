package gymcu90614_test

import (
	"testing"

	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/gymcu90614"
	"github.com/menshen/menshen/device/sim"
)

func TestKeepsWhatEveryThermometerOwes(t *testing.T) {
	for name, mode := range map[string]gymcu90614.Mode{"query": gymcu90614.Query, "stream": gymcu90614.Stream} {
		t.Run(name, func(t *testing.T) {
			devicetest.Thermometer(t, func(t testing.TB) (devicetest.Sensor, *sim.Thermometer) {
				w := sim.NewWorld()
				chip := w.AddSerialThermometer("thermo")
				port, err := w.Stream("thermo")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = port.Close() })
				d, err := gymcu90614.New(port, &gymcu90614.Opts{Mode: mode})
				if err != nil {
					t.Fatal(err)
				}
				return d, chip
			})
		})
	}
}
