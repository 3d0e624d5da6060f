package vmrig

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/menshen/menshen/device/sim"
	"periph.io/x/conn/v3/i2c"
)

// hardware is everything that hangs on a gate. It outlives the lives of the
// machine: the sensors, the chip with its log, the scanners.
type hardware struct {
	bus   i2c.BusCloser
	lens  [lanes + 1]*lens // by lane, from 1
	lines *cp2112

	i2c, gpio, keys *cable   // of the machine that is on
	serial          net.Conn // of the scanner at lane 2
}

// lanes is how many lanes the guest's profile has.
const lanes = 2

func newHardware() (*hardware, error) {
	w := sim.NewWorld()
	h := &hardware{lines: &cp2112{}}
	h.lens[1] = newLens(w.AddI2CThermometer("bus", 0x5A))
	h.lens[2] = newLens(w.AddMLX90632("bus", 0x3A))
	var err error
	h.bus, err = w.I2C("bus")
	return h, err
}

// plug connects everything to a machine.
func (h *hardware) plug(m *machine) error {
	return errors.Join(h.plugI2C(m), h.plugGPIO(m), h.plugKeys(m), h.plugSerial(m))
}

func (h *hardware) plugI2C(m *machine) error {
	return plugInto(m, i2cSocket, &tinyUSB{bus: h.bus}, &h.i2c)
}

func (h *hardware) plugGPIO(m *machine) error { return plugInto(m, gpioSocket, h.lines, &h.gpio) }

func (h *hardware) plugKeys(m *machine) error { return plugInto(m, keysSocket, keyboard{}, &h.keys) }

func plugInto(m *machine, socket string, g gadget, at **cable) error {
	conn, err := m.dial(socket)
	if err == nil {
		*at = plug(conn, g)
	}
	return err
}

// plugSerial connects the serial scanner, which is QEMU's own.
func (h *hardware) plugSerial(m *machine) (err error) {
	h.serial, err = m.dial(scanSocket)
	return err
}

// off waits until everything has noticed that the machine is gone.
func (h *hardware) off() {
	for _, c := range []*cable{h.i2c, h.gpio, h.keys} {
		if c != nil {
			c.pull()
		}
	}
	if h.serial != nil {
		h.serial.Close()
	}
}

// scan shows a badge to the scanner of a lane.
func (h *hardware) scan(lane int, badge string) error {
	if lane == 1 {
		return typeDigits(h.keys, badge)
	}
	_, err := h.serial.Write([]byte(badge + "\r"))
	return err
}

// lens is a thermometer that knows whether it was looked through.
type lens struct {
	mu     sync.Mutex
	object float64
	looks  int
	last   time.Time
}

// The temperatures that are shown, in degrees Celsius.
const (
	emptyView = 20.0
	forehead  = 36.5
	fever     = 38.0
	roomAir   = 22.0
	// flicker is what a real part shows of its own noise: one that stands still
	// is not believed.
	flicker = 0.02
)

func newLens(t *sim.Thermometer) *lens {
	l := &lens{object: emptyView}
	t.Look(func() (object, ambient float64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.looks++
		l.last = time.Now()
		return l.object + flicker*float64(l.looks%3-1), roomAir
	})
	return l
}

// show puts something before the lens.
func (l *lens) show(object float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.object, l.looks, l.last = object, 0, time.Now()
}

// looked is how often the part was asked since.
func (l *lens) looked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.looks
}

// idle is for how long nobody has looked.
func (l *lens) idle() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.last)
}
