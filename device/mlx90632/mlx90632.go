// Package mlx90632 reads the Melexis MLX90632 infrared thermometer over I2C
// (data sheet 3901090632). The medical parts (Dxx) are accurate to ±0.2 °C for
// objects of 35..42 °C, the others to ±1 °C. The field of view is 50° wide, so
// that a forehead fills it within a few centimetres only.
//
// It knows the calibration constants of the EEPROM, the modes of measurement,
// the raw words and the whole computation of both temperatures, in float64. The
// bus has no check code: every word is read twice, and two answers that differ
// are device.ErrCorrupt. It never writes the EEPROM, and so changes neither the
// calibration nor the refresh rate. It corrects nothing and decides nothing.
package mlx90632

import (
	"context"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
)

const (
	// pollEvery is how often the part is asked whether a measurement is done.
	pollEvery = 10 * time.Millisecond
	// slowest is the longest refresh period; each step of the code halves it.
	slowest = 2 * time.Second
)

// The air in which a part is calibrated, in degrees Celsius.
const minAmbient, maxAmbient = -20, 85

// Range is what a measurement consists of.
type Range int

const (
	// Medical measures objects of -20..100 °C in cycles of two measurements.
	Medical Range = iota
	// Extended measures objects of -20..200 °C in cycles of three, on parts
	// that can.
	Extended
)

// String returns the name that the data sheet uses.
func (r Range) String() string {
	switch r {
	case Medical:
		return "medical"
	case Extended:
		return "extended"
	}
	return fmt.Sprintf("Range(%d)", int(r))
}

// Opts says where the part is and what it looks at.
type Opts struct {
	// Address is 0x3A, or 0x3B where the pin ADDR is high.
	Address uint16
	// Range is Medical unless set.
	Range Range
	// Emissivity of the object is 0.1..1; 0 means 1, a black body. Skin has
	// 0.98 and is shown 0.2 °C too cold at 1.
	Emissivity float64
	// Reflected is the temperature of what the object reflects; 0 means that
	// the surroundings are as warm as the part.
	Reflected physic.Temperature
}

// DefaultOpts returns address 0x3A and a black body in the medical range.
func DefaultOpts() *Opts {
	return &Opts{Address: 0x3A, Emissivity: 1}
}

// Dev is one thermometer on a bus that the caller owns. One goroutine at a time
// may use it.
type Dev struct {
	c       i2c.Dev
	cycle   cycle
	optics  optics
	medical bool
	period  time.Duration
	cal     calibration
	last    time.Time // of the newest sample; zero before the first
}

// cycle is what the two ranges differ in. Its measurements go to rows of three
// words that follow one another.
type cycle struct {
	settings []uint16 // EEPROM addresses of the measurements' settings
	kind     uint16   // the measurement type in the control register
	first    int      // row of the first measurement
	ends     int      // a cycle is whole at this row and those beyond
	hottest  float64  // in degrees Celsius
	// object combines the first two words of every row.
	object func(w []float64) float64
}

func (r Range) cycle() cycle {
	if r == Extended {
		return cycle{[]uint16{eeExtended1, eeExtended2, eeExtended3}, controlExtended, 17, 19, 200,
			func(w []float64) float64 { return (w[0]-w[1]-w[2]+w[3])/2 + w[4] + w[5] }}
	}
	// Two rows take turns in being the newer one, and either is the end.
	return cycle{[]uint16{eeMedical1, eeMedical2}, 0, 1, 1, 100,
		func(w []float64) float64 { return (w[0] + w[1] + w[2] + w[3]) / 4 }}
}

// New reads the calibration constants and lets the part measure continuously
// in the range asked for. device.ErrInvalid means that the part is none that
// this package knows, is not calibrated, or cannot measure in that range.
func New(b i2c.Bus, o *Opts) (*Dev, error) {
	emissivity := o.Emissivity
	if emissivity == 0 {
		emissivity = 1
	}
	if o.Address&^1 != 0x3A || o.Range != Medical && o.Range != Extended ||
		!(emissivity >= 0.1 && emissivity <= 1) || o.Reflected < 0 {
		return nil, fmt.Errorf("mlx90632: option out of range: %+v", *o)
	}
	d := &Dev{
		c:      i2c.Dev{Bus: b, Addr: o.Address},
		cycle:  o.Range.cycle(),
		optics: optics{emissivity: emissivity, reflected: math.NaN()},
	}
	if o.Reflected > 0 {
		d.optics.reflected = o.Reflected.Celsius()
	}
	for _, step := range []struct {
		name string
		do   func(Range) error
	}{
		{"read version", d.identify},
		{"read refresh rate", d.refresh},
		{"read calibration", d.calibrate},
		{"start measuring", d.start},
	} {
		if err := step.do(o.Range); err != nil {
			return nil, fmt.Errorf("mlx90632: %s: %w", step.name, err)
		}
	}
	return d, nil
}

// String names the part and its place.
func (d *Dev) String() string {
	return fmt.Sprintf("MLX90632{%v}", &d.c)
}

// Halt implements conn.Resource. The part goes on measuring by itself.
func (d *Dev) Halt() error {
	return nil
}

// Medical reports whether the part is calibrated to ±0.2 °C at the body's
// temperatures; any other is no evidence about a fever.
func (d *Dev) Medical() bool { return d.medical }

// Period returns how long one measurement takes, 16 ms to 2 s; it is 500 ms as
// parts leave the factory.
func (d *Dev) Period() time.Duration { return d.period }

// Sense waits for the next measurement and returns it; after a pause, for a
// whole cycle, so that nothing in the sample is older than the measurement that
// was under way at the call. In a row of calls the older half of a sample is
// that of the one before. It takes one period, or two or three after a pause,
// and at most twice that.
//
// The errors are device.ErrCorrupt for words that differ when they are read
// again, device.ErrInvalid for a part that does not measure or shows what lies
// outside its range; what the bus reports, such as device.ErrAbsent for a
// missing acknowledgement, stays in the chain.
func (d *Dev) Sense(ctx context.Context) (device.Sample, error) {
	s, err := d.sense(ctx)
	if err != nil {
		return device.Sample{}, fmt.Errorf("mlx90632: sense: %w", err)
	}
	d.last = time.Now()
	return s, nil
}

func (d *Dev) sense(ctx context.Context) (device.Sample, error) {
	row, err := d.cycleEnd(ctx)
	if err != nil {
		return device.Sample{}, err
	}
	r, err := d.results(ctx)
	if err != nil {
		return device.Sample{}, err
	}
	status, err := d.register(regStatus)
	if err != nil {
		return device.Sample{}, fmt.Errorf("read status: %w", err)
	}
	if position(status) != row {
		return device.Sample{}, fmt.Errorf("%w: position %d, then %d", device.ErrCorrupt, row, position(status))
	}
	return d.sample(r)
}

// cycleEnd waits until the results of whole measurements are there, and returns
// the row of the newest.
func (d *Dev) cycleEnd(ctx context.Context) (row int, err error) {
	rows := len(d.cycle.settings)
	need := 1
	if time.Since(d.last) > 2*d.period {
		need = rows
	}
	for n := 1; n < 2*rows+need; n++ {
		if row, err = d.next(ctx); err != nil {
			return 0, err
		}
		if row < d.cycle.first || row >= d.cycle.first+rows {
			return 0, fmt.Errorf("%w: position %d of a cycle of %d", device.ErrInvalid, row, rows)
		}
		if row >= d.cycle.ends && n >= need {
			return row, nil
		}
	}
	return 0, fmt.Errorf("%w: no end of the cycle, last at position %d", device.ErrInvalid, row)
}

// next waits for one measurement and returns its row.
func (d *Dev) next(ctx context.Context) (row int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	status, err := d.register(regStatus)
	if err != nil {
		return 0, fmt.Errorf("read status: %w", err)
	}
	if err := d.write(regStatus, status&^statusNew); err != nil {
		return 0, fmt.Errorf("clear status: %w", err)
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for began := time.Now(); time.Since(began) <= 2*d.period; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-poll.C:
		}
		if status, err = d.register(regStatus); err != nil {
			return 0, fmt.Errorf("read status: %w", err)
		}
		if status&statusNew == 0 {
			continue
		}
		again, err := d.register(regStatus)
		if err != nil {
			return 0, fmt.Errorf("read status again: %w", err)
		}
		if again != status {
			return 0, fmt.Errorf("%w: status %#04x, then %#04x", device.ErrCorrupt, status, again)
		}
		return position(status), nil
	}
	return 0, fmt.Errorf("%w: no measurement within %v", device.ErrInvalid, 2*d.period)
}

func position(status uint16) int { return int(status & statusPosition >> 2) }

// results reads the words of a cycle.
func (d *Dev) results(ctx context.Context) (raw, error) {
	first := d.cycle.first
	// The newer ambient word is always that of the first row.
	at := []uint16{ram(3, first), ram(3, first+1)}
	for row := range len(d.cycle.settings) {
		at = append(at, ram(1, first+row), ram(2, first+row))
	}
	w := make([]float64, len(at))
	for i := range at {
		if err := ctx.Err(); err != nil {
			return raw{}, err
		}
		v, err := d.word(at[i])
		if err != nil {
			return raw{}, fmt.Errorf("read result %#04x: %w", at[i], err)
		}
		w[i] = float64(int16(v))
	}
	r := raw{ambientNew: w[0], ambientOld: w[1], object: d.cycle.object(w[2:])}
	if r.object < math.MinInt16 || r.object > math.MaxInt16 {
		return raw{}, fmt.Errorf("%w: object word %g beyond 16 bits", device.ErrInvalid, r.object)
	}
	return r, nil
}

// sample computes the temperatures.
func (d *Dev) sample(r raw) (device.Sample, error) {
	ambient, object := d.cal.ambient(r), d.cal.object(r, d.optics)
	// Written so that not-a-number is outside.
	if !(ambient >= minAmbient && ambient <= maxAmbient) {
		return device.Sample{}, fmt.Errorf("%w: part at %.2f °C", device.ErrInvalid, ambient)
	}
	if !(object >= -20 && object <= d.cycle.hottest) {
		return device.Sample{}, fmt.Errorf("%w: object at %.2f °C outside -20..%g", device.ErrInvalid, object, d.cycle.hottest)
	}
	return device.Sample{
		Object:  temperature(object),
		Ambient: temperature(ambient),
		Raw:     uint16(int16(math.Round(r.object))),
	}, nil
}

func temperature(celsius float64) physic.Temperature {
	return physic.ZeroCelsius + physic.Temperature(math.Round(celsius*float64(physic.Kelvin)))
}

var _ conn.Resource = (*Dev)(nil)
