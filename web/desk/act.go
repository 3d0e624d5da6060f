package desk

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// errMalformed says that a form is not one that our page could have sent.
var errMalformed = errors.New("malformed form")

type slip = web.Slip

// letters are those by which names are found.
const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

const (
	badgeDigits = 16
	maxLetters  = 40
	maxPIN      = 32  // bytes
	maxClass    = 200 // bytes, as a roster's
)

// The closed lists, in the order of their buttons.
func colours() []string     { return []string{"green", guard.Printed, "yellow", "red", guard.PopUp} }
func instruments() []string { return web.Instruments() }
func ends() []Until         { return []Until{Today, Tomorrow, Lifted} }
func reasons() []string {
	return []string{"yellow-code", "red-code", "pop-up", "family-abnormal", "fever-at-home", "vomiting", "other"}
}

// parseAct returns what somebody does about a person who was set aside.
func parseAct(form url.Values) (guard.Act, error) {
	version, err := strconv.ParseUint(form.Get("version"), 10, 64)
	a := guard.Act{Arrival: form.Get("arrival"), Version: version, Kind: form.Get("kind")}
	if err != nil || !web.Once(form) || !web.IsArrival(a.Arrival) {
		return guard.Act{}, errMalformed
	}
	switch a.Kind {
	case guard.KindTurnAway, guard.KindAcknowledge:
	case guard.KindColour:
		if a.Colour = form.Get("colour"); !slices.Contains(colours(), a.Colour) {
			return guard.Act{}, errMalformed
		}
	case guard.KindLook:
		a.Row, a.InOrder = form.Get("row"), form.Get("order") == "yes"
		if !guard.IsRow(a.Row) || !a.InOrder && form.Get("order") != "no" {
			return guard.Act{}, errMalformed
		}
	case guard.KindType:
		if a.Instrument = form.Get("instrument"); !slices.Contains(instruments(), a.Instrument) {
			return guard.Act{}, slip("instrument-missing")
		}
		if a.Value, err = web.ParseTemperature(form.Get("value")); err != nil {
			return guard.Act{}, err
		}
	default:
		return guard.Act{}, errMalformed
	}
	return a, nil
}

// search is how far somebody has come who looks for a person: a class, and then
// a person of it.
type search struct {
	Class    string
	HasClass bool // the class of staff is empty
	Subject  uint64
	// ByLetter asks for the first letter of a name in a large class. Letters were
	// chosen or typed, small; empty before.
	ByLetter bool
	Letters  string
	// Keep goes on in the form from step to step.
	Keep []field
}

func parseSearch(form url.Values) (s search, err error) {
	s.Class, s.HasClass = form.Get("class"), form.Has("class")
	if !web.Once(form) || len(s.Class) > maxClass {
		return search{}, errMalformed
	}
	if form.Has("subject") {
		if s.Subject, err = strconv.ParseUint(form.Get("subject"), 10, 64); err != nil || s.Subject == 0 {
			return search{}, errMalformed
		}
	}
	return s, nil
}

// parseByLetter returns the same of somebody who looks by the letters of a name,
// and keeps fields for the next step; a slip where what was typed is no letters.
func parseByLetter(form url.Values, keep ...field) (search, error) {
	s, err := parseSearch(form)
	s.Letters = strings.ToLower(strings.ReplaceAll(form.Get("letters"), " ", ""))
	s.ByLetter, s.Keep = true, keep
	other := func(r rune) bool { return !strings.ContainsRune(letters, r) }
	switch {
	case err != nil || len(s.Letters) > maxLetters || s.Letters != "" && !s.HasClass:
		return search{}, errMalformed
	case strings.ContainsFunc(s.Letters, other):
		return s, slip("letters-format")
	}
	return s, nil
}

// parseHold returns as much of a hold as was chosen; it is complete with Until.
func parseHold(form url.Values) (search, Placing, error) {
	s, err := parseSearch(form)
	p := Placing{Subject: s.Subject, Reason: form.Get("reason"), Until: Until(form.Get("until"))}
	switch {
	case err != nil:
		return search{}, Placing{}, err
	case p.Reason != "" && (p.Subject == 0 || !slices.Contains(reasons(), p.Reason)),
		p.Until != "" && (p.Reason == "" || !slices.Contains(ends(), p.Until)):
		return search{}, Placing{}, errMalformed
	}
	return s, p, nil
}

// parseBinding returns who is to have a badge, and which, once it was typed.
func parseBinding(form url.Values) (search, Binding, error) {
	s, err := parseSearch(form)
	b := Binding{Subject: s.Subject, Badge: strings.TrimSpace(form.Get("badge"))}
	switch {
	case err != nil:
		return search{}, Binding{}, err
	case form.Has("badge") && b.Subject == 0:
		return search{}, Binding{}, errMalformed
	case form.Has("badge") && !isBadge(b.Badge):
		return s, Binding{Subject: s.Subject}, slip("badge-format")
	}
	return s, b, nil
}

func isBadge(s string) bool {
	return len(s) == badgeDigits && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// parseLifting returns whose hold is to be lifted, and the PIN, once it was typed.
func parseLifting(form url.Values) (Lifting, error) {
	s, err := parseSearch(form)
	version, versionErr := strconv.ParseInt(form.Get("version"), 10, 64)
	l := Lifting{Subject: s.Subject, Version: version, PIN: form.Get("pin")}
	if err != nil || versionErr != nil || l.Subject == 0 || len(l.PIN) > maxPIN {
		return Lifting{}, errMalformed
	}
	return l, nil
}
