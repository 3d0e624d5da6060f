package isolation

import (
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/menshen/menshen/web"
)

// errMalformed says that a form is not one that our page could have sent.
var errMalformed = errors.New("malformed form")

type slip = web.Slip

const (
	maxPIN   = 32  // bytes
	maxClass = 200 // bytes, as a roster's
	maxDuty  = 32  // bytes, as an entry's word
)

// The closed lists, in the order of their buttons.
func calls() []string { return []string{"reached", "no-answer", "busy"} }
func instruments() []string {
	return []string{"axilla", "ear", "mercury"}
}
func relations() []string { return []string{"mother", "father", "grandparent", "other"} }
func reasons() []string   { return []string{"wrong-badge", "wrong-child", "by-mistake"} }
func symptoms() []string {
	return []string{"fever", "cough", "sore-throat", "vomiting", "diarrhoea", "rash", "weakness", "headache", "injury", "other"}
}

// parseCase returns which case a form is about, at which version.
func parseCase(form url.Values) (s Step, err error) {
	number, err1 := strconv.ParseUint(form.Get("number"), 10, 16)
	version, err2 := strconv.ParseUint(form.Get("version"), 10, 16)
	if err1 != nil || err2 != nil || !web.Once(form) {
		return Step{}, errMalformed
	}
	return Step{Number: int(number), Version: int(version)}, nil
}

// parseStep returns a step that is complete with one form.
func parseStep(form url.Values) (Step, error) {
	s, err := parseCase(form)
	if err != nil {
		return Step{}, err
	}
	switch s.Kind = form.Get("kind"); s.Kind {
	case StepEscorted, StepArrived, StepBack, StepHospital, StepReturned:
	case StepTold:
		if s.Reason = form.Get("duty"); s.Reason == "" || len(s.Reason) > maxDuty {
			return Step{}, errMalformed
		}
	case StepMeasured:
		if s.Instrument = form.Get("instrument"); s.Instrument == "" {
			s.Instrument = instruments()[0]
		}
		if !slices.Contains(instruments(), s.Instrument) {
			return Step{}, errMalformed
		}
		s.Value, err = web.ParseTemperature(form.Get("value"))
	case StepCalled:
		s.Call = form.Get("call")
		guardian, numberErr := strconv.ParseUint(form.Get("guardian"), 10, 8)
		s.Guardian = uint8(guardian)
		if numberErr != nil || guardian < 1 || guardian > 2 || !slices.Contains(calls(), s.Call) {
			return Step{}, errMalformed
		}
	default:
		return Step{}, errMalformed
	}
	return s, err
}

// parseNotThis returns as much as was chosen; it is complete with the reason.
func parseNotThis(form url.Values) (Step, error) {
	s, err := parseCase(form)
	s.Kind, s.Reason = StepNotThis, form.Get("reason")
	if err != nil || s.Reason != "" && !slices.Contains(reasons(), s.Reason) {
		return Step{}, errMalformed
	}
	return s, nil
}

// parseHome returns as much of a hand-over as was typed and chosen. It is
// complete with the relation, which is the button that ends the form. Vouched
// says that a leader stands in for the digits.
func parseHome(form url.Values) (h HandOver, vouched bool, err error) {
	h = HandOver{Relation: form.Get("relation"), Digits: form.Get("digits"), PIN: form.Get("pin")}
	vouched = form.Has("vouched") || form.Has("leader")
	if form.Has("leader") {
		h.Leader, err = strconv.ParseUint(form.Get("leader"), 10, 64)
		if err != nil || h.Leader == 0 {
			return HandOver{}, false, errMalformed
		}
	}
	switch {
	case !web.Once(form), h.Relation != "" && !slices.Contains(relations(), h.Relation), len(h.PIN) > maxPIN:
		return HandOver{}, false, errMalformed
	case h.Relation == "":
	case h.Leader != 0 && h.PIN == "":
		err = slip("pin-missing")
	case h.Leader == 0 && !digits(h.Digits, 4):
		err = slip("digits-format")
	}
	return h, vouched, err
}

func digits(s string, n int) bool {
	return len(s) == n && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' })
}

// parseTime reads four digits, "0721" for 07:21.
func parseTime(s string) (hour, minute int, err error) {
	n, err := strconv.ParseUint(s, 10, 16)
	hour, minute = int(n/100), int(n%100)
	if err != nil || !digits(s, 4) || hour > 23 || minute > 59 {
		return 0, 0, slip("time-format")
	}
	return hour, minute, nil
}

// search is how far somebody has come who looks for a person: a class, and then
// a person of it.
type search struct {
	Class    string
	HasClass bool // the class of staff is empty
	Subject  uint64
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
