package sim

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/menshen/menshen/device"
)

// Registers of the MLX90632 (data sheet 3901090632).
const (
	mlx32Version = 0x240B
	mlx32Control = 0x3001
	mlx32Status  = 0x3FFF
	mlx32RAM     = 0x4000

	mlx32Running  = 0x3 << 1  // continuous measurement
	mlx32Kind     = 0x1F << 4 // 0 is medical
	mlx32New      = 1
	mlx32Period   = 500 * time.Millisecond // refresh code 2
	mlx32Flip     = 0x80                   // in the high byte of a word
	mlx32Ambient1 = mlx32RAM + 5
	mlx32Ambient2 = mlx32RAM + 8
	// mlx32Old is the ambient's reference word, which hardly moves.
	mlx32Old = 23030
)

// mlx32 is the register model of a medical MLX90632 with the constants of the
// maker's own tests (mlx90632-library, test/TestDSP.c).
type mlx32 struct {
	place
	cells  map[uint16]uint16 // all registers but the status
	on     time.Time         // power-on
	seen   int64             // measurements that were done when the host last looked
	unread bool              // the bit new_data
	turns  int               // answers so far
}

// AddMLX90632 adds a medical MLX90632 to the bus of that name; its address is
// 0x3A or 0x3B. Each 500 ms it measures anew into one of two rows of results by
// turns; a sample is the mean of both. Of the faults, it does not act out a
// check code, which it does not have: BadCheck flips the top bit of every other
// answer instead. ErrorFlag is a position outside the cycle.
func (w *World) AddMLX90632(name string, addr uint16) *Thermometer {
	c := &mlx32{cells: map[uint16]uint16{mlx32Version: 0x0105, mlx32Control: mlx32Running}}
	c.eye = newThermometer(100)
	for at, v := range map[uint16]int32{
		0x240C: 0x00587F5B, 0x240E: 0x04A10289, 0x2410: -0x00069908, 0x2412: 0x1E0F,
		0x2424: 4859535, 0x2426: 5686508, 0x2428: 53855361, 0x242A: 42874149, 0x242C: -14556410,
	} {
		c.cells[at], c.cells[at+1] = uint16(v), uint16(v>>16)
	}
	for at, v := range map[uint16]uint16{
		0x242E: 9728, 0x242F: 10752, 0x2481: 16384, 0x2482: 0,
		0x24E1: 0x820D, 0x24E2: 0x821D,
	} {
		c.cells[at] = v
	}
	c.on = time.Now()
	c.eye.cable = c
	w.addChip(name, addr, c)
	return c.eye
}

// Plug powers the chip up again: it starts to measure with empty results.
func (c *mlx32) Plug() {
	c.place.Plug()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on, c.seen, c.unread = time.Now(), 0, false
	c.cells[mlx32Control] = mlx32Running
	for at := uint16(mlx32RAM); at < mlx32RAM+16; at++ {
		delete(c.cells, at)
	}
}

func (c *mlx32) transfer(w, r []byte) error {
	c.wait()
	v, fault := c.eye.measure()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unplugged || fault == NAK {
		return device.ErrAbsent
	}
	c.measure(v, fault)
	switch {
	case len(w) == 2:
		return c.read(binary.BigEndian.Uint16(w), fault, r)
	case len(w) == 4 && len(r) == 0:
		c.write(binary.BigEndian.Uint16(w), binary.BigEndian.Uint16(w[2:]))
		return nil
	}
	return device.ErrAbsent
}

// measure takes the measurements that were due since the last look.
func (c *mlx32) measure(v view, fault Fault) {
	if c.cells[mlx32Control]&(mlx32Running|mlx32Kind) != mlx32Running {
		return
	}
	done := int64(time.Since(c.on) / mlx32Period)
	for n := max(c.seen+1, done-1); n <= done; n++ {
		c.row(c.position(n), v, fault)
		c.unread = true
	}
	c.seen = done
}

// position is the row that a measurement, counted from 1, goes to.
func (c *mlx32) position(n int64) uint16 { return uint16(2 - n%2) }

// row writes what is seen into one row of results.
func (c *mlx32) row(at uint16, v view, fault Fault) {
	ambient, object := mlx32Words(float64(v.object)/100, float64(v.ambient)/100)
	switch fault {
	case Hot:
		object = math.MaxInt16
	case Zeros:
		ambient, object = 0, 0
	case Ones:
		ambient, object = -1, -1
	}
	old := int16(mlx32Old)
	if fault == Zeros || fault == Ones {
		old = ambient
	}
	c.cells[mlx32RAM+3*at], c.cells[mlx32RAM+3*at+1] = uint16(object), uint16(object)
	c.cells[mlx32Ambient1], c.cells[mlx32Ambient2] = uint16(ambient), uint16(old)
}

// read answers with one word, high byte first.
func (c *mlx32) read(at uint16, fault Fault, r []byte) error {
	word := c.cells[at]
	if at == mlx32Status {
		word = c.position(c.seen) << 2
		if fault == ErrorFlag {
			word = 31 << 2
		}
		if c.unread {
			word |= mlx32New
		}
	}
	says := binary.BigEndian.AppendUint16(nil, word)
	if c.turns++; fault == BadCheck && c.turns%2 == 0 {
		says[0] ^= mlx32Flip
	}
	return c.answer(says, r)
}

// write takes a register. The EEPROM is locked, and a sound gate leaves it so.
func (c *mlx32) write(at, v uint16) {
	switch {
	case at == mlx32Status:
		c.unread = c.unread && v&mlx32New != 0
	case at == mlx32Control:
		c.cells[at] = v
	case at >= 0x2400 && at < 0x2500:
		c.eye.wrote()
	}
}

// mlx32Words is the maker's formula solved for the words that a part shows, for
// a black body and the constants of AddMLX90632.
func mlx32Words(object, ambient float64) (an, s int16) {
	const pR, pG, pT, pO = 0x00587F5B / 256.0, 0x04A10289 / 1048576.0, -0x00069908 / 17592186044416.0, 0x1E0F / 256.0
	// ambient = pO + d/pG + pT*d*d, where pT is small.
	d := (ambient - pO) * pG
	for range 4 {
		d = (ambient - pO - pT*d*d) * pG
	}
	x := (d + pR) * mlx32Old / (1<<19 - (d+pR)*9728/1024)
	an = int16(math.Round(12 * x))

	x = float64(an) / 12
	part := (x/(mlx32Old+9728/1024.0*x)*(1<<19)-5686508/256.0)/(4859535/65536.0) + 25
	alpha := math.Ldexp(53855361, -46) * (1 + math.Ldexp(-14556410, -36)*(object-25) + math.Ldexp(42874149, -36)*(part-25))
	signal := alpha * (math.Pow(object+273.15, 4) - math.Pow(part+273.15, 4))
	s = int16(math.Round(12 * signal * (mlx32Old + 10752/1024.0*x) / (1 << 19)))
	return an, s
}
