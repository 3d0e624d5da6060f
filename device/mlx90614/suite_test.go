package mlx90614_test

import (
	"testing"

	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/mlx90614"
	"github.com/menshen/menshen/device/sim"
)

func TestKeepsWhatEveryThermometerOwes(t *testing.T) {
	devicetest.Thermometer(t, func(t testing.TB) (devicetest.Sensor, *sim.Thermometer) {
		w := sim.NewWorld()
		chip := w.AddI2CThermometer("thermo", 0x5A)
		bus, err := w.I2C("thermo")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = bus.Close() })
		d, err := mlx90614.New(bus, mlx90614.DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		return d, chip
	})
}
