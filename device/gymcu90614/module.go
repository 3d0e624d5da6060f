package gymcu90614

import "fmt"

// Module is one of the makes.
type Module int

const (
	// GYMCU90614 sends 9 bytes: 5A 5A 45 04, object, ambient, and the low byte
	// of the sum of them all.
	GYMCU90614 Module = iota
	// GY614V3 sends 12 bytes: A4 03 07 07, emissivity in hundredths, object,
	// ambient, body, and the sum of them all. It answers each query, and sends by
	// itself only if it was set up so.
	GY614V3
	// CJMCU90614 sends 9 bytes: 66 66, mode, 04, object, ambient, and the sum of
	// the four bytes before it, not of the head.
	CJMCU90614
)

// String returns the name that is printed on the module.
func (m Module) String() string {
	switch m {
	case GYMCU90614:
		return "GY-MCU90614"
	case GY614V3:
		return "GY-614V3"
	case CJMCU90614:
		return "CJMCU-90614"
	}
	return fmt.Sprintf("Module(%d)", int(m))
}

// protocol is what the makes differ in. Fields are 16 bits, high byte first, in
// hundredths of a degree Celsius.
type protocol struct {
	heads  []string // the beginnings of a frame, of one length
	length int      // of a frame, sum included
	summed int      // index of the first byte that the sum counts
	object int      // index of the object; the ambient follows it
	body   int      // index of the body temperature that it claims; 0: none
	quiet  string   // ends the frames that it sends by itself; may be empty
	query  string   // asks for one frame
}

func (m Module) protocol() protocol {
	switch m {
	case GY614V3:
		return protocol{heads: []string{"\xA4\x03\x07\x07"}, length: 12, object: 5, body: 9, query: "\xA4\x03\x07\x07\xB5"}
	case CJMCU90614:
		return protocol{heads: []string{"\x66\x66\x01\x04", "\x66\x66\x02\x04"}, length: 9, summed: 4, object: 4, query: "\x66\x66\x02\x56"}
	}
	return protocol{heads: []string{"\x5A\x5A\x45\x04"}, length: 9, object: 4, quiet: "\xA5\x52\xF7", query: "\xA5\x15\xBA"}
}
