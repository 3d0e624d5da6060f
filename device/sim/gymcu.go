package sim

import (
	"encoding/binary"
	"sync"
	"time"
)

// gymcuPeriod is the time between two frames of a module that sends by
// itself.
const gymcuPeriod = 100 * time.Millisecond

// gymcu is a GY-MCU90614: an MLX90614 behind a small controller that sends
// frames 5A 5A 45 04 ToH ToL TaH TaL SUM and takes commands A5 cmd sum.
type gymcu struct {
	port *port
	eye  *Thermometer

	mu        sync.Mutex
	buf       []byte // an unfinished command; at most 3 bytes
	auto      bool   // sends by itself after power-up
	streaming bool
	timer     *time.Timer // runs while the host listens; nil before and after
}

// AddSerialThermometer adds a GY-MCU90614 that sends a frame each 100 ms until
// it is queried or told to stop.
func (w *World) AddSerialThermometer(name string) *Thermometer {
	g := &gymcu{eye: newThermometer(), auto: true, streaming: true}
	g.port = &port{name: name, receive: g.take, opened: g.listen}
	g.eye.cable = g
	w.addPort(g.port)
	return g.eye
}

// Unplug pulls the cable, which is also the module's power.
func (g *gymcu) Unplug() { g.port.Unplug() }

// Plug powers the module up again: it sends by itself unless it was told to
// stop for good.
func (g *gymcu) Plug() {
	g.mu.Lock()
	g.streaming, g.buf = g.auto, nil
	g.mu.Unlock()
	g.port.Plug()
}

// SetTrouble replaces what is wrong with the cable.
func (g *gymcu) SetTrouble(t Trouble) { g.port.SetTrouble(t) }

// listen starts the clock of the frames with the first listener.
func (g *gymcu) listen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer == nil {
		g.timer = time.AfterFunc(gymcuPeriod, g.tick)
	}
}

// tick ends the clock once nobody listens, so that an idle world is still.
func (g *gymcu) tick() {
	g.mu.Lock()
	if !g.port.listening() {
		g.timer = nil
		g.mu.Unlock()
		return
	}
	g.timer.Reset(gymcuPeriod)
	streaming := g.streaming
	g.mu.Unlock()
	if streaming {
		g.show()
	}
}

// take consumes bytes of the host.
func (g *gymcu) take(b []byte) {
	for _, c := range b {
		if g.step(c) {
			g.show()
		}
	}
}

// step says whether the byte completes a query.
func (g *gymcu) step(c byte) (query bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.buf = append(g.buf, c)
	if g.buf[0] != 0xA5 {
		g.buf = g.buf[:0]
	}
	if len(g.buf) < 3 {
		return false
	}
	cmd, sum := g.buf[1], g.buf[2]
	g.buf = g.buf[:0]
	if sum != 0xA5+cmd {
		return false
	}
	switch cmd {
	case 0x15: // one frame, then wait for the next query
		g.streaming = false
		return true
	case 0x45: // send continuously
		g.streaming = true
	case 0x51: // send by itself, also after power-up
		g.auto, g.streaming = true, true
	case 0x52: // wait for queries, also after power-up
		g.auto, g.streaming = false, false
	}
	return false
}

// show sends one frame, or what the fault makes of it.
func (g *gymcu) show() {
	v, fault := g.eye.measure()
	if fault == NAK || fault == Stuck {
		return
	}
	object, ambient := uint16(v.object), uint16(v.ambient)
	switch fault {
	case ErrorFlag:
		object = centi(0)
	case Hot:
		object = centi(mlxHot)
	case Zeros:
		object, ambient = 0, 0
	case Ones:
		object, ambient = 0xFFFF, 0xFFFF
	}
	f := []byte{0x5A, 0x5A, 0x45, 0x04}
	f = binary.BigEndian.AppendUint16(f, object)
	f = binary.BigEndian.AppendUint16(f, ambient)
	var sum byte
	for _, c := range f {
		sum += c
	}
	if fault == BadCheck {
		sum ^= 0xFF
	}
	g.port.send(append(f, sum))
}

// centi is the controller's arithmetic on a word of its chip. It overflows
// beyond 327.67 °C.
func centi(word uint16) uint16 { return word*2 - 27315 }
