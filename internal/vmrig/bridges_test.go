package vmrig

import (
	"slices"
	"testing"

	"github.com/menshen/menshen/device/sim"
)

func TestTheBridgeCarriesARepeatedStartAsOneTransfer(t *testing.T) {
	w := sim.NewWorld()
	w.AddI2CThermometer("bus", 0x5A).See(36.6, 22)
	bus, err := w.I2C("bus")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := plugged(t, &tinyUSB{bus: bus})
	const begin = 1
	status := func() byte {
		t.Helper()
		_, reply := p.ask(0xC1, tinyStatus, 0, 0, 1)
		return reply[0]
	}
	p.ask(0x41, tinyTransfer|begin, 0, 0x5A, 1, 0x07)
	failed, word := p.ask(0xC1, tinyTransfer|tinyEnd, 1, 0x5A, 3)
	if want := []byte{0x80, 0x3C}; failed != 0 || status() != tinyAck || !slices.Equal(word[:2], want) {
		t.Errorf("status %d, read % x, want % x", failed, word, want)
	}
	// Nobody is at the next address.
	p.ask(0x41, tinyTransfer|begin, 0, 0x5B, 1, 0x07)
	if failed, _ := p.ask(0xC1, tinyTransfer|tinyEnd, 1, 0x5B, 3); failed != 0 || status() != tinyNak {
		t.Errorf("status %d without a chip", failed)
	}
}

func TestOnlyADrivenLineIsHighAndEveryEdgeIsLogged(t *testing.T) {
	c := &cp2112{}
	var seen []edge
	c.onEdge(func(e edge) { seen = append(seen, e) })
	c.power(true)
	for _, report := range [][]byte{
		{cpSet, 0x03, 0x03},          // nothing drives them yet
		{cpConfig, 0x01, 0xFF, 0, 0}, // line 0 does
		{cpSet, 0x00, 0x02},          // line 1 is an input
		{cpSet, 0x00, 0x01},
		{cpSet, 0xFF, 0x01},
	} {
		if !c.set(report) {
			t.Errorf("report % x is refused", report)
		}
	}
	c.power(false)
	var got []bool
	for _, e := range seen {
		if e.line != 0 {
			t.Errorf("edge %+v", e)
		}
		got = append(got, e.high)
	}
	if !slices.Equal(got, []bool{true, false, true, false}) || !slices.Equal(seen, c.log()) {
		t.Errorf("edges %v, logged %v", seen, c.log())
	}
	for _, bad := range [][]byte{{cpConfig}, {cpSet, 1}, {0x77, 0, 0}} {
		if c.set(bad) {
			t.Errorf("report % x is taken", bad)
		}
	}
}
