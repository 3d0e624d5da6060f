package vmrig

import (
	"fmt"
	"strings"
)

// keyboard is a scanner that types what it reads (USB HID 1.11, appendix B.1).
type keyboard struct{}

const (
	keyboardVendor  = 0x1EAB // Newland's
	keyboardProduct = 0x8203
	keyboardIn      = 0x81
)

func (keyboard) describe() description {
	return description{
		vendor: keyboardVendor, product: keyboardProduct, name: "Scanner", class: classHID, subclass: 1, protocol: 1,
		report: []byte{
			0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0x05, 0x07, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, // 8 modifiers
			0x95, 0x01, 0x75, 0x08, 0x81, 0x01, // a byte that is kept free
			0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, // 5 lights
			0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xC0, // 6 keys at once
		},
		endpoints: []byte{keyboardIn},
	}
}

func (keyboard) power(bool) {}

// control takes lights, idle rate and protocol, and does nothing about them.
func (keyboard) control(s setup) (reply []byte, ok bool) {
	return make([]byte, s.length), s.kind&0x60 == 0x20
}

// typeDigits types digits and Enter on a keyboard that is plugged in.
func typeDigits(c *cable, text string) error {
	const usages = "1234567890\n" // from 0x1E on
	for _, key := range text + "\n" {
		at := strings.IndexRune(usages, key)
		if at < 0 {
			return fmt.Errorf("type %q: the keyboard has only digits", text)
		}
		press := []byte{0, 0, byte(0x1E + at), 0, 0, 0, 0, 0}
		if err := c.push(keyboardIn, press); err != nil {
			return fmt.Errorf("type: %w", err)
		}
		if err := c.push(keyboardIn, make([]byte, len(press))); err != nil {
			return fmt.Errorf("type: %w", err)
		}
	}
	return nil
}
