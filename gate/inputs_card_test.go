package gate

import (
	"bytes"
	"testing"

	"github.com/menshen/menshen/config"
)

// One EM4100 card, whose low 32 bits are 0x00423C15, and one whose next byte is
// not zero; a Mifare card of the bytes 04 A1 B2 C3.
const (
	em4100Badge = "0000000004340757"
	mifareBadge = "0000000077705923"
)

func TestOneCardIsOneBadgeAtEveryReader(t *testing.T) {
	for rule, c := range map[string]struct{ form, text, want string }{
		"ten digits":                                {config.CardDecimal, "0004340757", em4100Badge},
		"facility and number":                       {config.CardWiegand, "066,15381", em4100Badge},
		"ten digits beside readers of 24 bits":      {config.CardDecimal24, "0004340757", em4100Badge},
		"a longer number beside readers of 24 bits": {config.CardDecimal24, "0021117973", em4100Badge},
		"ten digits of a Mifare card":               {config.CardDecimal, "0077705923", mifareBadge},
		"its bytes":                                 {config.CardHex, "04A1B2C3", mifareBadge},
		"its bytes, in small letters":               {config.CardHex, "04a1b2c3", mifareBadge},
		"its bytes, the last one first":             {config.CardHexReversed, "C3B2A104", mifareBadge},
	} {
		if got := string(badgeOfCard(c.form, []byte(c.text))); got != c.want {
			t.Errorf("%s: got %s, want %s", rule, got, c.want)
		}
	}
}

func TestWhatIsNoCardNumberIsHandedOnAsItIs(t *testing.T) {
	for rule, c := range map[string]struct{ form, text string }{
		"a printed badge":            {config.CardDecimal, "2026000000000001"},
		"nine digits":                {config.CardDecimal, "004340757"},
		"more than 32 bits":          {config.CardDecimal, "4294967296"},
		"a sign":                     {config.CardDecimal, "+004340757"},
		"a facility of more bits":    {config.CardWiegand, "256,15381"},
		"a number of more bits":      {config.CardWiegand, "066,65536"},
		"without its zeros":          {config.CardWiegand, "66,15381"},
		"seven bytes":                {config.CardHex, "04A1B2C3D4E5F6"},
		"no bytes":                   {config.CardHex, "04A1B2CG"},
		"a reader that was not told": {config.CardText, "0004340757"},
	} {
		if got := string(badgeOfCard(c.form, []byte(c.text))); got != c.text {
			t.Errorf("%s: got %s", rule, got)
		}
	}
}

// FuzzBadgeOfCard: whatever a reader prints becomes a badge or stays what it is.
func FuzzBadgeOfCard(f *testing.F) {
	f.Add([]byte("0004340757"))
	f.Add([]byte("066,15381"))
	f.Add([]byte("04A1B2C3"))
	f.Add([]byte{0xFF, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, form := range []string{config.CardText, config.CardDecimal, config.CardDecimal24, config.CardWiegand, config.CardHex, config.CardHexReversed} {
			got := badgeOfCard(form, text)
			if !bytes.Equal(got, text) && !isBadge(got) {
				t.Errorf("%s: %q becomes %q", form, text, got)
			}
		}
	})
}
