package guard

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// errMalformed says that a form is not one that our page could have sent.
var errMalformed = errors.New("malformed act")

// slip is what a person can mistype or leave out; it is a key of the words
// behind "said.".
type slip string

// Error returns the key.
func (s slip) Error() string { return "slip: " + string(s) }

// The range of a typed temperature, in thousandths of a degree Celsius, and
// the longest PIN in bytes. Outside the range it is a slip of the finger.
const (
	minTyped, maxTyped = 30_000, 43_000
	maxPIN             = 32
)

// parseAct returns the act of a posted form, errMalformed, or a slip. Every
// field may stand once; what does not belong to the kind is left out.
func parseAct(form url.Values) (Act, error) {
	for _, values := range form {
		if len(values) != 1 {
			return Act{}, errMalformed
		}
	}
	version, err := strconv.ParseUint(form.Get("version"), 10, 64)
	if err != nil || !isArrival(form.Get("arrival")) {
		return Act{}, errMalformed
	}
	a := Act{Arrival: form.Get("arrival"), Version: version, Kind: form.Get("kind")}
	switch a.Kind {
	case KindColour:
		a.Colour = form.Get("colour")
		if !slices.Contains(colours(), a.Colour) {
			return Act{}, errMalformed
		}
	case KindType:
		return a.withTemperature(form)
	case KindOverride:
		return a.withReason(form)
	case KindTurnAway, KindAside, KindAcknowledge:
	case KindSilence:
		// An alarm has no versions. It is answered or it is gone.
		if a.Version != 0 {
			return Act{}, errMalformed
		}
	default:
		return Act{}, errMalformed
	}
	return a, nil
}

func (a Act) withTemperature(form url.Values) (Act, error) {
	value, err := parseTemperature(form.Get("value"))
	if err != nil {
		return Act{}, err
	}
	a.Value, a.Instrument = value, form.Get("instrument")
	if !slices.Contains(instruments(), a.Instrument) {
		return Act{}, slip("instrument-missing")
	}
	return a, nil
}

func (a Act) withReason(form url.Values) (Act, error) {
	a.Reason, a.PIN = form.Get("reason"), form.Get("pin")
	if !slices.Contains(overrides(), a.Reason) {
		return Act{}, slip("reason-missing")
	}
	if a.PIN == "" || len(a.PIN) > maxPIN {
		return Act{}, slip("pin-missing")
	}
	return a, nil
}

// isArrival reports whether s is "boot-counter", both decimal.
func isArrival(s string) bool {
	boot, counter, ok := strings.Cut(s, "-")
	if !ok {
		return false
	}
	_, err1 := strconv.ParseUint(boot, 10, 64)
	_, err2 := strconv.ParseUint(counter, 10, 64)
	return err1 == nil && err2 == nil
}

// parseTemperature reads what a person types from a clinical thermometer:
// three digits, "369", or with the point, "36.9", for 36.9 °C. Nothing is
// guessed from more or fewer digits.
func parseTemperature(s string) (int32, error) {
	digits := strings.TrimSpace(s)
	if len(digits) == 4 && digits[2] == '.' {
		digits = digits[:2] + digits[3:]
	}
	tenths, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || len(digits) != 3 {
		return 0, slip("temperature-format")
	}
	value := int32(tenths) * 100
	if value < minTyped || value > maxTyped {
		return 0, slip("temperature-range")
	}
	return value, nil
}

// The closed lists, in the order of their buttons.
func colours() []string     { return []string{"green", "yellow", "red"} }
func instruments() []string { return []string{"ear", "axilla", "mercury", "hand"} }
func overrides() []string {
	return []string{"identity-checked", "parent-confirmed", "leader-approved", "device-fault"}
}

// Colours, Instruments and Overrides are what the page offers.
func (screen) Colours() []string     { return colours() }
func (screen) Instruments() []string { return instruments() }
func (screen) Overrides() []string   { return overrides() }
