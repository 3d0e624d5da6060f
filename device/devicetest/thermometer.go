// Package devicetest holds what every driver of a kind owes, as suites that a
// driver's own test runs against a simulated chip, and the bus, port or line
// that fails at a chosen transfer.
//
// It knows the contract in package device and no driver: what is particular
// to one chip, its frames and registers, is for that chip's tests.
package devicetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

const (
	// step is the resolution of the coarsest chip, in degrees Celsius.
	step = 0.02
	// patience is how long a measurement may take, also of a silent chip: two
	// periods of the slowest one, and a little.
	patience = 1200 * time.Millisecond
	// prompt is how long a driver may go on after its context ended.
	prompt = 50 * time.Millisecond
	// tries is how many measurements a repaired chip may still spoil: what
	// was on the wire has to pass.
	tries = 3
)

// Sensor is a driver of an infrared thermometer.
type Sensor interface {
	Sense(ctx context.Context) (device.Sample, error)
	Halt() error
}

// Open starts the driver on a chip of its own. It is called in a
// testing/synctest bubble; what it starts has to end in t.Cleanup.
type Open func(t testing.TB) (Sensor, *sim.Thermometer)

// rule is one thing that a driver owes. It returns what the driver did
// instead.
type rule struct {
	name  string
	check func(d Sensor, chip *sim.Thermometer) error
}

// Thermometer runs the suite: one sub-test, bubble and chip for each rule.
func Thermometer(t *testing.T, open Open) {
	t.Helper()
	for _, r := range thermometerRules() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := r.check(open(t)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func thermometerRules() []rule {
	rules := []rule{
		{"a sample is what the chip sees", samplesAreTrue},
		{"halt is idempotent", haltIsIdempotent},
		{"a context that has ended ends a measurement", endedContext},
		{"the end of the context ends a wait", cancelledWait},
		{"an unplugged chip is absent", unplugged},
	}
	for _, f := range []struct {
		name  string
		fault sim.Fault
		want  error // nil: the driver may find it sound or not
	}{
		{"a wrong check code is corrupt", sim.BadCheck, device.ErrCorrupt},
		{"a chip that does not answer is absent", sim.NAK, device.ErrAbsent},
		{"a measurement that the chip calls failed is invalid", sim.ErrorFlag, device.ErrInvalid},
		{"a value outside the chip's range is invalid", sim.Hot, device.ErrInvalid},
		{"words of zeros leave no value beside an error", sim.Zeros, nil},
		{"words of ones leave no value beside an error", sim.Ones, nil},
	} {
		rules = append(rules, rule{f.name, func(d Sensor, chip *sim.Thermometer) error {
			return faulty(d, chip, f.fault, f.want)
		}})
	}
	return rules
}

// sense measures once and holds what is owed by every measurement: no value
// beside an error, and an end within reason.
func sense(ctx context.Context, d Sensor) (device.Sample, error, error) {
	start := time.Now()
	s, err := d.Sense(ctx)
	switch took := time.Since(start); {
	case took > patience:
		return s, err, fmt.Errorf("measurement took %s", took)
	case err != nil && s != device.Sample{}:
		return s, err, fmt.Errorf("sample %+v beside error %q", s, err)
	}
	return s, err, nil
}

// sound measures until the chip's view arrives, at most tries times.
func sound(d Sensor, object, ambient float64) error {
	var last error
	for range tries {
		s, err, broken := sense(context.Background(), d)
		switch {
		case broken != nil:
			return broken
		case err != nil:
			last = err
		case near(s.Object.Celsius(), object) && near(s.Ambient.Celsius(), ambient):
			return nil
		default:
			last = fmt.Errorf("sample %s in %s, want %.2f in %.2f °C", s.Object, s.Ambient, object, ambient)
		}
	}
	return fmt.Errorf("no true sample in %d measurements: %w", tries, last)
}

func near(a, b float64) bool { return math.Abs(a-b) <= step }

func samplesAreTrue(d Sensor, chip *sim.Thermometer) error {
	for _, object := range []float64{36.6, 37.3, 41.99, -12.34, min(300, chip.Hottest()-1)} {
		chip.See(object, 25.3)
		if err := sound(d, object, 25.3); err != nil {
			return err
		}
	}
	return nil
}

func haltIsIdempotent(d Sensor, _ *sim.Thermometer) error {
	for range 3 {
		if err := d.Halt(); err != nil {
			return fmt.Errorf("halt: %w", err)
		}
	}
	return nil
}

func endedContext(d Sensor, _ *sim.Thermometer) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err, broken := sense(ctx, d); broken != nil {
		return broken
	} else if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("got %v, want the context's error", err)
	}
	return nil
}

func cancelledWait(d Sensor, chip *sim.Thermometer) error {
	const wait = 20 * time.Millisecond
	chip.Fail(sim.NAK)
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	start := time.Now()
	_, err, broken := sense(ctx, d)
	switch late := time.Since(start) - wait; {
	case broken != nil:
		return broken
	case err == nil:
		return errors.New("a sample from a chip that is silent")
	case late > prompt:
		return fmt.Errorf("went on for %s after its context ended", late)
	}
	return nil
}

func unplugged(d Sensor, chip *sim.Thermometer) error {
	chip.Unplug()
	for range tries {
		if _, err, broken := sense(context.Background(), d); broken != nil {
			return broken
		} else if !errors.Is(err, device.ErrAbsent) {
			return fmt.Errorf("got %v, want absent", err)
		}
	}
	return nil
}

// faulty breaks the chip, measures, and repairs it. It does not measure before,
// so that no older frame is on the way.
func faulty(d Sensor, chip *sim.Thermometer, fault sim.Fault, want error) error {
	chip.See(36.6, 25.3)
	chip.Fail(fault)
	_, err, broken := sense(context.Background(), d)
	switch {
	case broken != nil:
		return broken
	case want != nil && !errors.Is(err, want):
		return fmt.Errorf("got %v, want %q", err, want)
	}
	chip.Fail(sim.NoFault)
	if err := sound(d, 36.6, 25.3); err != nil {
		return fmt.Errorf("after the repair: %w", err)
	}
	return nil
}
