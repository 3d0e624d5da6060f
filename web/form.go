package web

import (
	"net/url"
	"strconv"
	"strings"
)

// Slip is what a person can mistype or leave out on a page; it is a key of the
// words behind "said.".
type Slip string

// Error returns the key.
func (s Slip) Error() string { return "slip: " + string(s) }

// The range of a temperature that a person reads off a clinical thermometer, in
// thousandths of a degree Celsius. Outside of it is a slip of the finger.
const (
	LeastTyped int32 = 30_000
	MostTyped  int32 = 43_000
)

// ParseTemperature reads what a person types from a clinical thermometer: three
// digits, "369", or with the point, "36.9", for 36.9 °C. Nothing is guessed from
// more or fewer digits. The error is a [Slip].
func ParseTemperature(s string) (milli int32, err error) {
	digits := strings.TrimSpace(s)
	if len(digits) == 4 && digits[2] == '.' {
		digits = digits[:2] + digits[3:]
	}
	tenths, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || len(digits) != 3 {
		return 0, Slip("temperature-format")
	}
	value := int32(tenths) * 100
	if value < LeastTyped || value > MostTyped {
		return 0, Slip("temperature-range")
	}
	return value, nil
}

// Symptoms are what may be said of somebody who looks or feels ill, as words behind
// "symptom.", in the order of their buttons.
func Symptoms() []string {
	return []string{"cough", "vomiting", "diarrhoea", "rash", "weakness", "sore-throat", "fever", "other"}
}

// Instruments are what somebody reads a temperature off, as words behind
// "instrument.", in the order of their buttons.
func Instruments() []string { return []string{"ear", "axilla", "mercury", "hand"} }

// Once reports whether every field of a form stands once, as in every form that
// our pages send.
func Once(form url.Values) bool {
	for _, values := range form {
		if len(values) != 1 {
			return false
		}
	}
	return true
}

// IsArrival reports whether s is the name of an arrival: "boot-counter", both
// decimal.
func IsArrival(s string) bool {
	boot, counter, _ := strings.Cut(s, "-")
	_, err1 := strconv.ParseUint(boot, 10, 64)
	_, err2 := strconv.ParseUint(counter, 10, 32)
	return err1 == nil && err2 == nil
}
