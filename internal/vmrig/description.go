package vmrig

import (
	"encoding/binary"
	"unicode/utf16"
)

// Descriptors that a host asks every device for (USB 2.0, table 9-5; HID 1.11,
// section 7.1).
const (
	getStatus     = 0
	clearFeature  = 1
	setFeature    = 3
	getDescriptor = 6

	ofDevice    = 1
	ofConfig    = 2
	ofString    = 3
	ofInterface = 4
	ofEndpoint  = 5
	ofHID       = 0x21
	ofReport    = 0x22

	classHID    = 3
	classVendor = 0xFF
)

// description is what a gadget with one interface says of itself.
type description struct {
	vendor, product uint16
	name            string
	// class, subclass and protocol are the interface's.
	class, subclass, protocol byte
	// report describes the reports of a HID device.
	report []byte
	// endpoints are addresses of interrupt endpoints: 0x80 is towards the host.
	endpoints []byte
}

const (
	packetSize = 64 // of every endpoint, the most at full speed
	interval   = 4  // ms between two looks at an interrupt endpoint
)

// standard answers what is asked of every device; not ok is anything else.
func (d description) standard(s setup) (reply []byte, ok bool) {
	switch {
	case s.kind&0x60 != 0: // of a class or a vendor
	case s.request == getDescriptor && s.in():
		reply = d.descriptor(byte(s.value>>8), byte(s.value))
		return reply, reply != nil
	case s.request == getStatus && s.in():
		return []byte{0, 0}, true
	case s.request == clearFeature, s.request == setFeature:
		return nil, true
	}
	return nil, false
}

func (d description) descriptor(kind, index byte) []byte {
	switch {
	case kind == ofDevice:
		b := []byte{18, ofDevice, 0, 2, 0, 0, 0, packetSize}
		b = binary.LittleEndian.AppendUint16(b, d.vendor)
		b = binary.LittleEndian.AppendUint16(b, d.product)
		return append(b, 0, 1, 0, 1, 0, 1) // version 1.0, the name is string 1, one configuration
	case kind == ofConfig:
		return d.configuration()
	case kind == ofString && index == 0:
		return []byte{4, ofString, 0x09, 0x04} // English
	case kind == ofString:
		b := []byte{0, ofString}
		for _, c := range utf16.Encode([]rune(d.name)) {
			b = binary.LittleEndian.AppendUint16(b, c)
		}
		b[0] = byte(len(b))
		return b
	case kind == ofReport:
		return d.report
	}
	return nil
}

// configuration is the only one, with everything below it.
func (d description) configuration() []byte {
	b := []byte{9, ofInterface, 0, 0, byte(len(d.endpoints)), d.class, d.subclass, d.protocol, 0}
	if d.report != nil {
		b = append(b, 9, ofHID, 0x11, 1, 0, 1, ofReport)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(d.report)))
	}
	for _, at := range d.endpoints {
		b = append(b, 7, ofEndpoint, at, 3, packetSize, 0, interval)
	}
	head := binary.LittleEndian.AppendUint16([]byte{9, ofConfig}, uint16(9+len(b)))
	return append(append(head, 1, 1, 0, 0x80, 50), b...) // fed by the bus, 100 mA
}

// The same for the redirection, which knows 32 interfaces and 32 endpoints.

func (d description) redirConnect() []byte {
	b := []byte{redirFull, 0, 0, 0}
	b = binary.LittleEndian.AppendUint16(b, d.vendor)
	b = binary.LittleEndian.AppendUint16(b, d.product)
	return binary.LittleEndian.AppendUint16(b, 0x0100)
}

func (d description) redirInterfaces() []byte {
	b := make([]byte, 4+4*32)
	b[0] = 1 // of them
	b[4+32], b[4+64], b[4+96] = d.class, d.subclass, d.protocol
	return b
}

func (d description) redirEndpoints() []byte {
	const slots = 32
	b := make([]byte, 5*slots) // kinds, intervals, interfaces, packet sizes of 16 bits
	for i := range slots {
		b[i] = 0xFF // none
	}
	use := func(at, kind byte) {
		i := int(at&0x80)>>3 | int(at&0x0F)
		b[i], b[slots+i] = kind, interval
		binary.LittleEndian.PutUint16(b[3*slots+2*i:], packetSize)
	}
	use(0, 0)
	use(0x80, 0)
	for _, at := range d.endpoints {
		use(at, 3)
	}
	return b
}
