package mlx90632_test

import (
	"testing"

	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/mlx90632"
	"github.com/menshen/menshen/device/sim"
)

func TestKeepsWhatEveryThermometerOwes(t *testing.T) {
	devicetest.Thermometer(t, func(t testing.TB) (devicetest.Sensor, *sim.Thermometer) {
		w := sim.NewWorld()
		chip := w.AddMLX90632("thermo", 0x3A)
		bus, err := w.I2C("thermo")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = bus.Close() })
		d, err := mlx90632.New(bus, mlx90632.DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		return d, chip
	})
}
