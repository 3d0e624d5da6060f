package sim

import (
	"encoding/binary"
	"sync"
	"time"
)

// gymcuPeriod is the time between two frames of a module that sends by
// itself.
const gymcuPeriod = 100 * time.Millisecond

// irModule is an MLX90614 behind a small controller on a serial port.
type irModule struct {
	irMake
	port *port
	eye  *Thermometer

	mu        sync.Mutex
	buf       []byte // an unfinished command
	auto      bool   // sends by itself after power-up
	streaming bool
	timer     *time.Timer // runs while the host listens; nil before and after
}

// irMake is what the makes of modules differ in.
type irMake struct {
	command int // length of each of the host's commands
	// obey acts on a sound command and says whether it asks for one frame; ok
	// is false for one that is not sound.
	obey func(m *irModule, c []byte) (query, ok bool)
	// frame is object and ambient as the module sends them, without the sum.
	frame func(object, ambient uint16) []byte
	// summed is the index of the first byte that the sum counts.
	summed int
}

// AddSerialThermometer adds a GY-MCU90614 that sends a frame each 100 ms until
// it is queried or told to stop: 5A 5A 45 04 ToH ToL TaH TaL SUM. Its commands
// are A5 cmd sum.
func (w *World) AddSerialThermometer(name string) *Thermometer {
	return w.addModule(name, true, irMake{
		command: 3,
		obey: func(m *irModule, c []byte) (query, ok bool) {
			if c[0] != 0xA5 || len(c) == 3 && c[2] != 0xA5+c[1] {
				return false, false
			}
			return len(c) == 3 && m.gymcu(c[1]), true
		},
		frame: func(object, ambient uint16) []byte {
			return fields([]byte{0x5A, 0x5A, 0x45, 0x04}, object, ambient)
		},
	})
}

// AddGY614V3 adds a GY-614V3, which answers each query: A4 03 07 07 E ToH ToL
// TaH TaL BoH BoL SUM. The body that it claims is 37 °C, whatever it sees.
func (w *World) AddGY614V3(name string) *Thermometer {
	query := []byte{0xA4, 0x03, 0x07, 0x07, 0xB5}
	return w.addModule(name, false, irMake{
		command: len(query),
		obey: func(_ *irModule, c []byte) (bool, bool) {
			return len(c) == len(query), string(c) == string(query[:len(c)])
		},
		frame: func(object, ambient uint16) []byte {
			return fields([]byte{0xA4, 0x03, 0x07, 0x07, 97}, object, ambient, 3700)
		},
	})
}

// AddCJMCU90614 adds a CJMCU-90614 that sends a frame each 100 ms until it is
// queried: 66 66 mode 04 ToH ToL TaH TaL SUM, where the sum is that of the
// fields. Its commands are 66 66 cmd 56.
func (w *World) AddCJMCU90614(name string) *Thermometer {
	return w.addModule(name, true, irMake{
		command: 4,
		obey: func(m *irModule, c []byte) (query, ok bool) {
			if c[0] != 0x66 || len(c) > 1 && c[1] != 0x66 || len(c) == 4 && c[3] != 0x56 {
				return false, false
			}
			if len(c) == 4 {
				m.streaming = c[2] == 0x01
			}
			return len(c) == 4 && c[2] == 0x02, true
		},
		frame: func(object, ambient uint16) []byte {
			return fields([]byte{0x66, 0x66, 0x01, 0x04}, object, ambient)
		},
		summed: 4,
	})
}

func (w *World) addModule(name string, auto bool, make irMake) *Thermometer {
	m := &irModule{irMake: make, eye: newThermometer(327.67), auto: auto, streaming: auto}
	m.port = &port{name: name, receive: m.take, opened: m.listen}
	m.eye.cable = m
	w.addPort(m.port)
	return m.eye
}

// fields appends 16-bit fields, high byte first.
func fields(f []byte, words ...uint16) []byte {
	for _, w := range words {
		f = binary.BigEndian.AppendUint16(f, w)
	}
	return f
}

// Unplug pulls the cable, which is also the module's power.
func (m *irModule) Unplug() { m.port.Unplug() }

// Plug powers the module up again: it sends by itself unless it was told to
// stop for good.
func (m *irModule) Plug() {
	m.mu.Lock()
	m.streaming, m.buf = m.auto, nil
	m.mu.Unlock()
	m.port.Plug()
}

// SetTrouble replaces what is wrong with the cable.
func (m *irModule) SetTrouble(t Trouble) { m.port.SetTrouble(t) }

// listen starts the clock of the frames with the first listener.
func (m *irModule) listen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.timer == nil {
		m.timer = time.AfterFunc(gymcuPeriod, m.tick)
	}
}

// tick ends the clock once nobody listens, so that an idle world is still.
func (m *irModule) tick() {
	m.mu.Lock()
	if !m.port.listening() {
		m.timer = nil
		m.mu.Unlock()
		return
	}
	m.timer.Reset(gymcuPeriod)
	streaming := m.streaming
	m.mu.Unlock()
	if streaming {
		m.show()
	}
}

// take consumes bytes of the host.
func (m *irModule) take(b []byte) {
	for _, c := range b {
		if m.step(c) {
			m.show()
		}
	}
}

// step says whether the byte completes a query.
func (m *irModule) step(c byte) (query bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buf = append(m.buf, c)
	query, ok := m.obey(m, m.buf)
	if !ok || len(m.buf) == m.command {
		m.buf = nil
	}
	return query
}

// gymcu obeys a command of the GY-MCU90614. The caller holds the lock.
func (m *irModule) gymcu(cmd byte) (query bool) {
	switch cmd {
	case 0x15: // one frame, then wait for the next query
		m.streaming = false
		return true
	case 0x45: // send continuously
		m.streaming = true
	case 0x51: // send by itself, also after power-up
		m.auto, m.streaming = true, true
	case 0x52: // wait for queries, also after power-up
		m.auto, m.streaming = false, false
	}
	return false
}

// show sends one frame, or what the fault makes of it.
func (m *irModule) show() {
	v, fault := m.eye.measure()
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
	f := m.frame(object, ambient)
	var sum byte
	for _, c := range f[m.summed:] {
		sum += c
	}
	if fault == BadCheck {
		sum ^= 0xFF
	}
	m.port.send(append(f, sum))
}

// centi is the controller's arithmetic on a word of its chip. It overflows
// beyond 327.67 °C.
func centi(word uint16) uint16 { return word*2 - 27315 }
