package vmrig

import (
	"errors"
	"sync"

	"periph.io/x/conn/v3/i2c"

	"github.com/menshen/menshen/device"
)

// tinyUSB is an i2c-tiny-usb bridge in front of a bus, as the kernel's driver of
// that name speaks to it (drivers/i2c/busses/i2c-tiny-usb.c).
type tinyUSB struct {
	bus i2c.Bus

	mu sync.Mutex
	// held is a write that goes on with a repeated start.
	held []byte
	nak  bool
}

const (
	tinyFunctions = 1
	tinyDelay     = 2
	tinyStatus    = 3
	tinyTransfer  = 4 // and the two bits below, to 7
	tinyEnd       = 2

	tinyAck = 1
	tinyNak = 2
	// tinyCan is I2C_FUNC_I2C and every transfer of SMBus made of it.
	tinyCan = 0x0EFF0009
)

func (t *tinyUSB) describe() description {
	return description{vendor: 0x0403, product: 0xC631, name: "i2c-tiny-usb", class: classVendor}
}

func (t *tinyUSB) power(bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held, t.nak = nil, false
}

func (t *tinyUSB) control(s setup) (reply []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case s.kind&0x60 != 0x40: // not the vendor's
		return nil, false
	case s.request == tinyFunctions:
		return []byte{tinyCan & 0xFF, tinyCan >> 8 & 0xFF, tinyCan >> 16 & 0xFF, tinyCan >> 24}, true
	case s.request == tinyDelay:
		return nil, true
	case s.request == tinyStatus && t.nak:
		return []byte{tinyNak}, true
	case s.request == tinyStatus:
		return []byte{tinyAck}, true
	case s.request&^3 == tinyTransfer:
		return t.transfer(s)
	}
	return nil, false
}

// transfer carries one message. What is written before a repeated start waits
// for the read that follows it: the bus takes both at once. An address that
// does not answer is found out then.
func (t *tinyUSB) transfer(s setup) (reply []byte, ok bool) {
	t.nak = false
	if !s.in() && s.request&tinyEnd == 0 {
		t.held = append(t.held, s.data...)
		return nil, true
	}
	w := append(t.held, s.data...)
	t.held = nil
	if s.in() {
		reply = make([]byte, s.length)
	}
	err := t.bus.Tx(s.index, w, reply)
	t.nak = errors.Is(err, device.ErrAbsent)
	return reply, err == nil || t.nak // anything else disturbs the bridge itself
}
