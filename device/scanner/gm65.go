package scanner

import (
	"fmt"

	"github.com/menshen/menshen/device"
)

// gm65 is the language of the "7E 00" family (GM65 user manual, "Serial port
// instruction"; the same for GM60, GM812 and GM861). A command is 7E 00, type,
// length, address, data, CRC; a reply 02 00 00, length, data, CRC. The CRC is
// CRC-16/XMODEM, big-endian, over all after the first two bytes. Settings are
// bytes at addresses that the manual calls zones; they are not saved to the
// flash, which wears.
type gm65 struct{}

const (
	commandHead = "\x7E\x00"
	replyHead   = "\x02\x00\x00"

	typeRead  = 0x07
	typeWrite = 0x08

	// zoneMode: bits 0 and 1 say what lets the engine scan.
	zoneMode = 0x0000
	modeBits = 0x03
	// zoneTrigger: bit 0 starts a scan in command mode.
	zoneTrigger = 0x0002
	// zoneSetup: bit 0 lets printed setup codes change the engine, bit 1 has
	// it send what they say.
	zoneSetup = 0x0003
	setupBits = 0x03
)

func (gm65) begins(b byte) bool { return b == replyHead[0] }

func (gm65) parse(p []byte) (data []byte, more bool, err error) {
	const fixed = len(replyHead) + 1 // head and length
	k := min(len(p), len(replyHead))
	if string(p[:k]) != replyHead[:k] {
		return nil, false, errNoReply
	}
	if len(p) < fixed || len(p) < fixed+int(p[fixed-1])+2 {
		return nil, true, nil
	}
	end := len(p) - 2
	if crc16(p[2:end]) != uint16(p[end])<<8|uint16(p[end+1]) {
		return nil, false, errDisturbed
	}
	return p[fixed:end], false, nil
}

func (g gm65) configure(d *Dev, m Mode) error {
	if err := g.set(d, zoneSetup, setupBits, 0); err != nil {
		return fmt.Errorf("switch setup codes off: %w", err)
	}
	modes := map[Mode]byte{Command: 1, Continuous: 2, Sensor: 3}
	if m == AsSet {
		return nil
	}
	if err := g.set(d, zoneMode, modeBits, modes[m]); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	return nil
}

// set changes some bits of a zone unless they are right, and reads them back.
func (g gm65) set(d *Dev, zone uint16, bits, value byte) error {
	now, err := g.get(d, zone)
	if err != nil || now&bits == value {
		return err
	}
	ack := func(r []byte) bool { return len(r) == 1 }
	if _, err := d.exchange(command(typeWrite, zone, now&^bits|value), ack); err != nil {
		return fmt.Errorf("write zone %#04x: %w", zone, err)
	}
	if now, err = g.get(d, zone); err != nil {
		return err
	}
	if now&bits != value {
		return fmt.Errorf("%w: zone %#04x reads back %#02x", device.ErrInvalid, zone, now)
	}
	return nil
}

// get reads a zone and the next: two bytes, because one byte 00 is what a late
// acknowledgement of a write looks like.
func (gm65) get(d *Dev, zone uint16) (byte, error) {
	r, err := d.exchange(command(typeRead, zone, 2), func(r []byte) bool { return len(r) == 2 })
	if err != nil {
		return 0, fmt.Errorf("read zone %#04x: %w", zone, err)
	}
	return r[0], nil
}

func (gm65) trigger(d *Dev) error { return d.send(command(typeWrite, zoneTrigger, 1)) }

// command returns the frame that writes data to a zone, or, with typeRead,
// that reads data[0] bytes from it on.
func command(kind byte, zone uint16, data ...byte) []byte {
	p := append([]byte(commandHead), kind, byte(len(data)), byte(zone>>8), byte(zone))
	p = append(p, data...)
	sum := crc16(p[len(commandHead):])
	return append(p, byte(sum>>8), byte(sum))
}

// crc16 is CRC-16/XMODEM: polynomial 0x1021, initial value 0, not reflected.
func crc16(p []byte) uint16 {
	var crc uint16
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
