package sim

import (
	"math"
	"sync"
)

// Fault is a way in which a thermometer fails. One holds at a time.
type Fault int

// The faults of infrared thermometers as they are met in the field.
const (
	// NoFault: the part shows what it sees.
	NoFault Fault = iota
	// NAK: the part does not answer; a serial one stays silent.
	NAK
	// BadCheck: the PEC or the sum of each answer is wrong.
	BadCheck
	// ErrorFlag: the part says that the measurement failed. On an MLX90614 the
	// object word has bit 15 set, on an MLX90632 the position is impossible; a
	// serial part has no flag and shows -273.15 °C.
	ErrorFlag
	// Frozen: the part repeats what it showed when the fault began.
	Frozen
	// Hot: the object is at 1037 °C, which is what lines that float high look
	// like.
	Hot
	// Zeros: object and ambient are the word 0x0000, under a right check code.
	Zeros
	// Ones: object and ambient are the word 0xFFFF, under a right check code.
	Ones
	// Stuck: the part holds the bus down. Every transfer on that bus fails
	// with syscall.EIO; a serial part stays silent.
	Stuck
)

// cable is how a thermometer hangs on its host: a port or a place on a bus.
type cable interface {
	Plug()
	Unplug()
	SetTrouble(Trouble)
}

// Thermometer is an infrared thermometer: an MLX90614 or MLX90632 on an I2C bus
// or a module on a serial port. Like every part it has Unplug, Plug and
// SetTrouble; an unplugged one on I2C is not acknowledged (the error wraps
// device.ErrAbsent) while its bus stays open.
type Thermometer struct {
	cable

	mu     sync.Mutex
	look   func() (object, ambient float64)
	fault  Fault
	frozen view
	writes int

	hottest float64
}

// view is what a thermometer shows, in hundredths of a degree Celsius.
type view struct{ object, ambient int }

// newThermometer looks at a wall in a room at 20 °C.
func newThermometer(hottest float64) *Thermometer {
	return &Thermometer{look: func() (float64, float64) { return 20, 20 }, hottest: hottest}
}

// Hottest returns the highest object temperature that the part can show, in
// degrees Celsius.
func (t *Thermometer) Hottest() float64 { return t.hottest }

// See puts an object in front of the lens, in degrees Celsius. An MLX90614
// counts in steps of 0.02 K, at odd hundredths of a degree; a value between
// two steps is shown as the higher one: 37.30 as 37.31.
func (t *Thermometer) See(object, ambient float64) {
	t.Look(func() (float64, float64) { return object, ambient })
}

// Look is See for what changes: f is asked at each measurement, possibly from
// several goroutines at once. A real part flickers by a step or two; one that
// was told to See does not.
func (t *Thermometer) Look(f func() (object, ambient float64)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look = f
}

// Fail begins a fault, or ends it with NoFault.
func (t *Thermometer) Fail(f Fault) {
	now := t.live()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault, t.frozen = f, now
}

// Writes counts the EEPROM writes that the part took. Writing loses the
// factory calibration, so a gate that is sound leaves it at 0.
func (t *Thermometer) Writes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writes
}

func (t *Thermometer) wrote() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes++
}

// measure returns what the part shows and the fault that is left to the chip
// to act out.
func (t *Thermometer) measure() (view, Fault) {
	v := t.live()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault == Frozen {
		v = t.frozen
	}
	return v, t.fault
}

// live asks what is in view, without the lock: the function is a stranger's.
func (t *Thermometer) live() view {
	t.mu.Lock()
	look := t.look
	t.mu.Unlock()
	object, ambient := look()
	return view{hundredths(object), hundredths(ambient)}
}

func hundredths(celsius float64) int { return int(math.Round(celsius * 100)) }
