package desk

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

func TestOnlyWhatThePageOffersIsTakenForAnAct(t *testing.T) {
	for rule, tt := range map[string]struct {
		form string
		want guard.Act
		err  error
	}{
		"a colour":                 {"arrival=3-9&version=2&kind=colour&colour=green", guard.Act{Arrival: "3-9", Version: 2, Kind: "colour", Colour: "green"}, nil},
		"a temperature":            {"arrival=3-9&version=2&kind=type&value=369&instrument=ear", guard.Act{Arrival: "3-9", Version: 2, Kind: "type", Value: 36900, Instrument: "ear"}, nil},
		"a look":                   {"arrival=3-9&version=2&kind=look&row=tests&order=no", guard.Act{Arrival: "3-9", Version: 2, Kind: "look", Row: "tests"}, nil},
		"a look that says nothing": {"arrival=3-9&version=2&kind=look&row=tests", guard.Act{}, errMalformed},
		"a look at no row":         {"arrival=3-9&version=2&kind=look&row=&order=yes", guard.Act{}, errMalformed},
		"turned away":              {"arrival=3-9&version=2&kind=turn-away", guard.Act{Arrival: "3-9", Version: 2, Kind: "turn-away"}, nil},
		"an override is not here":  {"arrival=3-9&version=2&kind=override", guard.Act{}, errMalformed},
		"no version":               {"arrival=3-9&kind=turn-away", guard.Act{}, errMalformed},
		"no arrival":               {"version=2&kind=turn-away", guard.Act{}, errMalformed},
		"a field twice":            {"arrival=3-9&version=2&kind=turn-away&version=3", guard.Act{}, errMalformed},
		"another colour":           {"arrival=3-9&version=2&kind=colour&colour=blue", guard.Act{}, errMalformed},
		"two digits are not three": {"arrival=3-9&version=2&kind=type&value=36&instrument=ear", guard.Act{}, slip("temperature-format")},
		"a slip of the finger":     {"arrival=3-9&version=2&kind=type&value=269&instrument=ear", guard.Act{}, slip("temperature-range")},
		"no instrument":            {"arrival=3-9&version=2&kind=type&value=369", guard.Act{}, slip("instrument-missing")},
	} {
		t.Run(rule, func(t *testing.T) {
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parseAct(form); got != tt.want || err != tt.err {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// FuzzForms: whatever a form says, what is taken from it is complete and of the
// closed lists, or nothing is.
func FuzzForms(f *testing.F) {
	f.Add("arrival=3-9&version=2&kind=type&value=369&instrument=ear")
	f.Add("arrival=3-9&version=2&kind=look&row=tests&order=yes")
	f.Add("subject=7&reason=yellow-code&until=today")
	f.Add("class=&subject=7&badge=1000000000000001")
	f.Add("subject=7&version=1607000000000&pin=274916")
	f.Add("lane=1&class=&letters=lyh")
	f.Add("lane=1&arrival=3-9&found-cough=1&found-other=1&then=case")
	f.Add("subject=0&reason=x&until=&badge=%00&badge=1")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if a, err := parseAct(form); err == nil && a.Kind == guard.KindType && (a.Value < web.LeastTyped || a.Value > web.MostTyped || !slices.Contains(instruments(), a.Instrument)) {
			t.Errorf("typed %+v", a)
		}
		if _, p, err := parseHold(form); err == nil && p.Until != "" && (p.Subject == 0 || !slices.Contains(reasons(), p.Reason) || p.Until.Days() < 0) {
			t.Errorf("placed %+v", p)
		}
		if _, b, err := parseBinding(form); err == nil && b.Badge != "" && (b.Subject == 0 || !isBadge(b.Badge)) {
			t.Errorf("bound %+v", b)
		}
		if s, n, err := parseNaming(form); err == nil && (n.Lane < 1 || strings.Trim(s.Letters, letters) != "" || len(s.Letters) > maxLetters) {
			t.Errorf("named %+v by %+v", n, s)
		}
		if i, done, err := parseIllness(form); done && (err != nil || i.Lane < 1 || !web.IsArrival(i.Arrival) || len(i.Found) == 0 || len(i.Found) > len(symptoms())) {
			t.Errorf("looks ill: %+v", i)
		}
		if l, err := parseLifting(form); err == nil && (l.Subject == 0 || len(l.PIN) > maxPIN) {
			t.Errorf("lifted %+v", l)
		}
	})
}
