package vmrig

import (
	"slices"
	"sync"
	"time"
)

// edge is a change of one line, at the moment at which the chip made it.
type edge struct {
	at time.Time
	// line is 0 to 7.
	line int
	high bool
}

// cp2112 is the GPIO half of a CP2112 bridge (Silicon Labs AN495), the way the
// kernel's hid-cp2112 uses it. Each line has a resistor to ground: one that
// nobody drives, or that has no power, is low.
type cp2112 struct {
	mu      sync.Mutex
	powered bool
	driven  byte // lines that are outputs
	latch   byte // what outputs are at
	levels  byte // what is seen at the pins
	edges   []edge
	hook    func(edge)
}

// Reports of AN495, section 4, each with its number as the first byte.
const (
	cpConfig  = 0x02 // direction, push-pull, special function, clock divider
	cpGet     = 0x03
	cpSet     = 0x04 // values, mask
	cpVersion = 0x05
	cpSMBus   = 0x06
	cpLock    = 0x20

	hidGetReport = 1
	hidSetReport = 9
)

// cp2112Lines is how many lines the chip has.
const cp2112Lines = 8

func (c *cp2112) describe() description {
	return description{
		vendor: 0x10C4, product: 0xEA90, name: "CP2112", class: classHID,
		// A vendor's own feature report of 63 bytes: the driver asks for reports by
		// their numbers and reads nothing out of this.
		report:    []byte{0x06, 0x00, 0xFF, 0x09, 0x01, 0xA1, 0x01, 0x09, 0x01, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, 0x3F, 0xB1, 0x02, 0xC0},
		endpoints: []byte{0x81, 0x01},
	}
}

// power begins and ends with every line as an input.
func (c *cp2112) power(on bool) {
	c.change(func() { c.powered, c.driven, c.latch = on, 0, 0 })
}

func (c *cp2112) control(s setup) (reply []byte, ok bool) {
	switch {
	case s.kind == 0x21 && s.request == hidSetReport && len(s.data) > 0:
		return nil, c.set(s.data)
	case s.kind == 0xA1 && s.request == hidGetReport:
		reply = c.get(byte(s.value))
		return reply, reply != nil
	case s.kind == 0x21: // idle rate, protocol
		return nil, true
	}
	return nil, false
}

func (c *cp2112) set(report []byte) (ok bool) {
	switch {
	case report[0] == cpConfig && len(report) == 5:
		c.change(func() { c.driven = report[1] })
	case report[0] == cpSet && len(report) == 3:
		c.change(func() { c.latch = c.latch&^report[2] | report[1]&report[2] })
	default:
		return report[0] == cpSMBus
	}
	return true
}

func (c *cp2112) get(report byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch report {
	case cpConfig:
		return []byte{report, c.driven, c.driven, 0, 0}
	case cpGet:
		return []byte{report, c.levels}
	case cpVersion:
		return []byte{report, 0x0C, 0x03}
	case cpSMBus:
		return []byte{report, 0, 1, 0x86, 0xA0, 2, 0, 0, 0, 0, 0, 0, 0, 0}
	case cpLock:
		return []byte{report, 0xFF}
	}
	return nil
}

// change does something to the chip and notes what it does to the lines. The
// hook runs before the host of the chip hears that it is done.
func (c *cp2112) change(act func()) {
	c.mu.Lock()
	act()
	levels := byte(0)
	if c.powered {
		levels = c.driven & c.latch
	}
	var made []edge
	for line := range cp2112Lines {
		if bit := byte(1) << line; (levels^c.levels)&bit != 0 {
			made = append(made, edge{at: time.Now(), line: line, high: levels&bit != 0})
		}
	}
	c.levels = levels
	c.edges = append(c.edges, made...)
	hook := c.hook
	c.mu.Unlock()
	for _, e := range made {
		if hook != nil {
			hook(e)
		}
	}
}

// onEdge calls f at each edge from now on; nil ends that.
func (c *cp2112) onEdge(f func(edge)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hook = f
}

// log returns every edge so far.
func (c *cp2112) log() []edge {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.edges)
}

// rises is how often a line has risen.
func (c *cp2112) rises(line int) (n int) {
	for _, e := range c.log() {
		if e.line == line && e.high {
			n++
		}
	}
	return n
}

// high reports whether a line is high now.
func (c *cp2112) high(line int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.levels>>line&1 != 0
}

// taken reports whether somebody drives every line.
func (c *cp2112) taken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.powered && c.driven == 0xFF
}
