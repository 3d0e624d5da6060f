package guard

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/menshen/menshen/web"
)

// errMalformed says that a form is not one that our page could have sent.
var errMalformed = errors.New("malformed act")

type slip = web.Slip

// maxPIN is the longest PIN in bytes.
const maxPIN = 32

// maxRow is the longest name of a row in bytes.
const maxRow = 40

// parseAct returns the act of a posted form, errMalformed, or a slip. Every
// field may stand once; what does not belong to the kind is left out.
func parseAct(form url.Values) (Act, error) {
	version, err := strconv.ParseUint(form.Get("version"), 10, 64)
	if err != nil || !web.Once(form) || !web.IsArrival(form.Get("arrival")) {
		return Act{}, errMalformed
	}
	a := Act{Arrival: form.Get("arrival"), Version: version, Kind: form.Get("kind")}
	switch a.Kind {
	case KindColour:
		a.Colour = form.Get("colour")
		if !slices.Contains(colours(), a.Colour) {
			return Act{}, errMalformed
		}
	case KindLook:
		a.Row, a.InOrder = form.Get("row"), form.Get("order") == "yes"
		if !IsRow(a.Row) || !a.InOrder && form.Get("order") != "no" {
			return Act{}, errMalformed
		}
	case KindNote:
		if a.Note = form.Get("note"); a.Note != NoteMask && a.Note != NoteSymptoms {
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
	value, err := web.ParseTemperature(form.Get("value"))
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

// The closed lists, in the order of their buttons.
func colours() []string     { return []string{"green", Printed, "yellow", "red", PopUp} }
func instruments() []string { return []string{"ear", "axilla", "mercury", "hand"} }
func overrides() []string {
	return []string{"identity-checked", "parent-confirmed", "leader-approved", "device-fault"}
}

// IsRow reports whether a policy can have a row of that name.
func IsRow(s string) bool {
	return s != "" && len(s) <= maxRow && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Instruments and Overrides are what the page offers.
func (screen) Instruments() []string { return instruments() }
func (screen) Overrides() []string   { return overrides() }
