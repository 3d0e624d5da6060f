package scanner

import (
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/device"
)

// gm67 is the language of the family whose frames begin with their length
// (GM72 user manual, chapter 9 "Serial Port Instruction"; the same for GM67 and
// GM69). A frame is length, opcode, source (04 host, 00 engine), status, data,
// checksum; the length counts all before the checksum, which is the two's
// complement of their sum, big-endian. Settings are parameters of one byte;
// they are kept over a loss of power, so that none is written that is right
// already.
type gm67 struct{}

const (
	fromHost = 0x04
	keep     = 0x08 // status: the setting outlives the power

	opSet     = 0xC6 // a parameter, from either side
	opGet     = 0xC7
	opAck     = 0xD0
	opNak     = 0xD1
	opReport  = 0xD6 // a parameter, from the engine
	opTrigger = 0xE4

	paramMode   = 0x8A
	paramSetup  = 0xEC // whether printed setup codes are obeyed
	paramFormat = 0xEE // 0: codes as they are, 1: in packets

	// The frames of an engine that this package reads are 4 to 8 bytes long,
	// so that none begins with CR, LF or a byte of a text.
	shortest, longest = 4, 8

	// wakeWait is how long an engine that sleeps takes to listen after a 00.
	wakeWait = 50 * time.Millisecond
)

func (gm67) begins(b byte) bool { return b >= shortest && b <= longest }

func (gm67) parse(p []byte) (data []byte, more bool, err error) {
	if len(p) > 1 && !slices.Contains([]byte{opSet, opAck, opNak, opReport}, p[1]) {
		return nil, false, errNoReply
	}
	if len(p) < int(p[0])+2 {
		return nil, true, nil
	}
	end := len(p) - 2
	if checksum(p[:end]) != uint16(p[end])<<8|uint16(p[end+1]) {
		return nil, false, errDisturbed
	}
	return p[1:end], false, nil
}

func (g gm67) configure(d *Dev, m Mode) error {
	modes := map[Mode]byte{Continuous: 0x04, Command: 0x08, Sensor: 0x09}
	for _, s := range []struct {
		what         string
		param, value byte
		leave        bool
	}{
		{"switch setup codes off", paramSetup, 0, false},
		{"send codes as they are", paramFormat, 0, false},
		{"set mode", paramMode, modes[m], m == AsSet},
	} {
		if s.leave {
			continue
		}
		if err := g.set(d, s.param, s.value); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

// set changes a parameter unless it is right, and reads it back.
func (g gm67) set(d *Dev, param, value byte) error {
	now, err := g.get(d, param)
	if err != nil || now == value {
		return err
	}
	answer := func(r []byte) bool { return r[0] == opAck || r[0] == opNak }
	r, err := g.ask(d, frame(opSet, keep, 0, param, value), answer)
	if err != nil {
		return fmt.Errorf("write parameter %#02x: %w", param, err)
	}
	if r[0] == opNak {
		return fmt.Errorf("%w: parameter %#02x refused: % x", device.ErrInvalid, param, r)
	}
	if now, err = g.get(d, param); err != nil {
		return err
	}
	if now != value {
		return fmt.Errorf("%w: parameter %#02x reads back %#02x", device.ErrInvalid, param, now)
	}
	return nil
}

// get reads a parameter. The report is acknowledged, or it would come again.
func (g gm67) get(d *Dev, param byte) (byte, error) {
	// Number and value stand last; what stands before them differs.
	answer := func(r []byte) bool {
		n := len(r)
		return r[0] == opNak || (r[0] == opReport || r[0] == opSet) && n >= 5 && r[n-2] == param
	}
	r, err := g.ask(d, frame(opGet, 0, param), answer)
	if err == nil && r[0] == opNak {
		err = fmt.Errorf("%w: refused: % x", device.ErrInvalid, r)
	}
	if err == nil {
		err = d.send(frame(opAck, 0))
	}
	if err != nil {
		return 0, fmt.Errorf("read parameter %#02x: %w", param, err)
	}
	return r[len(r)-1], nil
}

// ask wakes the engine and exchanges.
func (g gm67) ask(d *Dev, cmd []byte, answers func([]byte) bool) ([]byte, error) {
	if err := g.wake(d); err != nil {
		return nil, err
	}
	return d.exchange(cmd, answers)
}

func (gm67) wake(d *Dev) error {
	if err := d.send([]byte{0}); err != nil {
		return err
	}
	time.Sleep(wakeWait)
	return nil
}

func (g gm67) trigger(d *Dev) error {
	if err := g.wake(d); err != nil {
		return err
	}
	return d.send(frame(opTrigger, 0))
}

// frame returns a frame of the host.
func frame(opcode, status byte, data ...byte) []byte {
	p := append([]byte{byte(4 + len(data)), opcode, fromHost, status}, data...)
	sum := checksum(p)
	return append(p, byte(sum>>8), byte(sum))
}

func checksum(p []byte) uint16 {
	var sum uint16
	for _, b := range p {
		sum -= uint16(b)
	}
	return sum
}
