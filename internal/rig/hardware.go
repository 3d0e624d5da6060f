package rig

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
)

// Hardware is what a board profile names, made of software. It outlives the
// gate that is run on it, as relays and sensors do.
type Hardware struct {
	World *sim.World
	Lanes []*Lane
	// Room is the button in the isolation room, and Fire the fire contact; nil where
	// none is fitted.
	Room, Fire *sim.Line

	parts  map[string]part
	boards map[string]*sim.RelayBoard
	lines  map[string][]*sim.Line // of the relay groups made of pins
}

// part is anything with a plug.
type part interface {
	Plug()
	Unplug()
}

// Lane is the hardware of one lane.
type Lane struct {
	Number      int
	Scanner     *sim.Scanner
	Thermometer *sim.Thermometer
	// The inputs are nil where none is fitted.
	Presence, Button, Next, Open, Counter *sim.Line
	Config                                config.Lane

	mu              sync.Mutex
	random          *rand.Rand
	object, ambient float64
	exact           bool
	looks           int
}

// See puts something before the lens. What is warm flickers, as skin and every
// real sensor do.
func (l *Lane) See(object, ambient float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.object, l.ambient, l.exact = object, ambient, false
}

// Show is See for a value that matters to the hundredth: among any three
// samples the highest is the object's own.
func (l *Lane) Show(object, ambient float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.object, l.ambient, l.exact = object, ambient, true
}

// Empty leaves nothing but the wall behind, and the ambient given.
func (l *Lane) Empty(ambient float64) { l.See(ambient-1, ambient) }

func (l *Lane) look() (object, ambient float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.looks++; l.exact {
		return l.object - 0.01*float64(l.looks%3), l.ambient
	}
	around := func() float64 { return 0.04 * (l.random.Float64() - 0.5) }
	return l.object + around(), l.ambient + around()
}

// NewHardware makes what a profile names. The seed drives the flicker of what
// the thermometers see.
func NewHardware(board config.Profile, seed uint64) *Hardware {
	h := &Hardware{World: sim.NewWorld(), parts: map[string]part{}, boards: map[string]*sim.RelayBoard{}, lines: map[string][]*sim.Line{}}
	for name, r := range board.Relays {
		if r.Kind == config.RelayLCUS {
			h.boards[name] = h.World.AddRelayBoard(r.Port, r.Channels)
			h.parts[r.Port] = h.boards[name]
			continue
		}
		for _, pin := range r.Pins {
			h.lines[name] = append(h.lines[name], h.line(pin))
		}
	}
	for _, c := range board.Lanes {
		h.Lanes = append(h.Lanes, h.lane(c, seed))
	}
	h.Room, h.Fire = h.input(board.Isolation.Button), h.input(board.Fire)
	return h
}

func (h *Hardware) lane(c config.Lane, seed uint64) *Lane {
	l := &Lane{Number: c.Number, Config: c, object: 20, ambient: 21, random: rand.New(rand.NewPCG(seed, uint64(c.Number)))}
	if s := c.Scanner; s != nil {
		add := h.World.AddScanner
		switch s.Kind {
		case config.ScannerGM65:
			add = h.World.AddGM65
		case config.ScannerGM67:
			add = h.World.AddGM67
		}
		l.Scanner = add(s.Port)
		h.parts[s.Port] = l.Scanner
	}
	if t := c.Thermometer; t != nil {
		switch t.Kind {
		case config.ThermometerMLX90614:
			l.Thermometer = h.World.AddI2CThermometer(t.Bus, t.Address)
		case config.ThermometerMLX90632:
			l.Thermometer = h.World.AddMLX90632(t.Bus, t.Address)
		case config.ThermometerGY614V3:
			l.Thermometer = h.World.AddGY614V3(t.Port)
		case config.ThermometerCJMCU90614:
			l.Thermometer = h.World.AddCJMCU90614(t.Port)
		default:
			l.Thermometer = h.World.AddSerialThermometer(t.Port)
		}
		h.parts[fmt.Sprintf("thermometer-%d", c.Number)] = l.Thermometer
		l.Thermometer.Look(l.look)
	}
	l.Presence, l.Button = h.input(c.Presence), h.input(c.Button)
	l.Next, l.Open, l.Counter = h.input(c.Next), h.input(c.Open), h.input(c.Counter)
	return l
}

// input is nil for one that is not fitted.
func (h *Hardware) input(in *config.Input) *sim.Line {
	if in == nil {
		return nil
	}
	return h.line(in.Pin)
}

func (h *Hardware) line(pin string) *sim.Line {
	l := h.World.AddLine(pin)
	h.parts[pin] = l
	return l
}

// Lane returns the lane with a number, nil when there is none.
func (h *Hardware) Lane(number int) *Lane {
	for _, l := range h.Lanes {
		if l.Number == number {
			return l
		}
	}
	return nil
}

// On says whether a channel is on; a channel that is not fitted never is.
func (h *Hardware) On(c config.Channel) bool {
	if b := h.boards[c.Relay]; b != nil {
		return b.On(c.Number)
	}
	if lines := h.lines[c.Relay]; c.Number >= 1 && c.Number <= len(lines) {
		return lines[c.Number-1].On()
	}
	return false
}

// Watch calls f after each change of a channel, in the goroutine that caused
// it.
func (h *Hardware) Watch(c config.Channel, f func(on bool)) {
	if b := h.boards[c.Relay]; b != nil {
		b.Subscribe(func(e sim.Edge) {
			if e.Channel == c.Number {
				f(e.On)
			}
		})
		return
	}
	h.lines[c.Relay][c.Number-1].Subscribe(func(e sim.Edge) { f(e.On) })
}
