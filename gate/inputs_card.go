package gate

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/config"
)

// This file makes one number of what readers of chip cards print: EM4100 and
// Mifare cards have no text, and each make of reader prints the same card in its
// own way.

// badgeOfCard returns the badge of a card whose number a reader prints in a form:
// 16 decimal digits, the chip's own number with zeros before it, whichever reader
// it was. What is not in that form is handed on as it is: a reader may read
// printed badges too.
func badgeOfCard(form string, text []byte) []byte {
	number, ok := cardNumber(form, string(text))
	if !ok {
		return text
	}
	return fmt.Appendf(nil, "%016d", number)
}

func cardNumber(form, text string) (uint32, bool) {
	switch form {
	case config.CardDecimal:
		return decimalCard(text)
	case config.CardDecimal24:
		n, ok := decimalCard(text)
		return n & 0xFF_FFFF, ok
	case config.CardWiegand:
		return wiegandCard(text)
	case config.CardHex, config.CardHexReversed:
		return hexCard(text, form == config.CardHexReversed)
	}
	return 0, false
}

// decimalCard reads ten digits: the low 32 bits of an EM4100 card, or the number
// of a Mifare card.
func decimalCard(text string) (uint32, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err == nil && len(text) == 10
}

// wiegandCard reads "066,15381": the facility's 8 bits and the card's 16.
func wiegandCard(text string) (uint32, bool) {
	facility, card, _ := strings.Cut(text, ",")
	f, err := strconv.ParseUint(facility, 10, 8)
	n, wrong := strconv.ParseUint(card, 10, 16)
	return uint32(f<<16 | n), err == nil && wrong == nil && len(facility) == 3 && len(card) == 5
}

// hexCard reads the four bytes of a Mifare card's number, the last one first
// where reversed says so.
func hexCard(text string, reversed bool) (n uint32, ok bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 4 {
		return 0, false
	}
	if reversed {
		slices.Reverse(raw)
	}
	for _, b := range raw {
		n = n<<8 | uint32(b)
	}
	return n, true
}
