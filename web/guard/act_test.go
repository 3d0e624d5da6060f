package guard

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/menshen/menshen/web"
)

func TestTypedTemperature(t *testing.T) {
	const format, bounds = slip("temperature-format"), slip("temperature-range")
	tests := map[string]struct {
		typed string
		want  int32
		slip  error
	}{
		"three digits are tenths":         {"369", 36_900, nil},
		"the point may be typed":          {"36.9", 36_900, nil},
		"spaces around are forgiven":      {" 369 ", 36_900, nil},
		"lowest":                          {"300", 30_000, nil},
		"below the lowest":                {"299", 0, bounds},
		"highest":                         {"43.0", 43_000, nil},
		"above the highest":               {"431", 0, bounds},
		"two decimals are not rounded":    {"36.95", 0, format},
		"two digits are not completed":    {"37", 0, format},
		"four digits are not cut":         {"3695", 0, format},
		"a comma is not a point":          {"36,9", 0, format},
		"a sign is no digit":              {"+37", 0, format},
		"a sign before the point neither": {"+3.7", 0, format},
		"nothing":                         {"", 0, format},
		"words":                           {"abc", 0, format},
		"an underscore is no digit":       {"3_9", 0, format},
		"only a point":                    {"...", 0, format},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			got, err := web.ParseTemperature(tt.typed)
			if got != tt.want || err != tt.slip {
				t.Errorf("got %d, %v, want %d, %v", got, err, tt.want, tt.slip)
			}
		})
	}
}

// form returns a form that is complete for the kind, with fields changed.
func form(kind string, change ...string) url.Values {
	f := url.Values{"arrival": {"3-12"}, "version": {"4"}, "kind": {kind}}
	switch kind {
	case KindColour:
		f.Set("colour", "green")
	case KindType:
		f.Set("value", "369")
		f.Set("instrument", "ear")
	case KindSilence:
		f.Set("version", "0")
	case KindLook:
		f.Set("row", "tests")
		f.Set("order", "yes")
	case KindNote:
		f.Set("note", NoteMask)
	case KindOverride:
		f.Set("reason", "identity-checked")
		f.Set("pin", "1234")
	}
	for i := 0; i < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

func kinds() []string {
	return []string{KindColour, KindType, KindTurnAway, KindOverride, KindAside, KindAcknowledge, KindSilence, KindLook, KindNote}
}

func TestEveryKindOfActIsRead(t *testing.T) {
	want := map[string]Act{
		KindColour:      {Colour: "green"},
		KindType:        {Value: 36_900, Instrument: "ear"},
		KindOverride:    {Reason: "identity-checked", PIN: "1234"},
		KindTurnAway:    {},
		KindAside:       {},
		KindAcknowledge: {},
		KindSilence:     {},
		KindLook:        {Row: "tests", InOrder: true},
		KindNote:        {Note: NoteMask},
	}
	for _, kind := range kinds() {
		w := want[kind]
		w.Arrival, w.Version, w.Kind = "3-12", 4, kind
		if kind == KindSilence {
			w.Version = 0
		}
		if got, err := parseAct(form(kind)); err != nil || got != w {
			t.Errorf("%s: got %+v, %v, want %+v", kind, got, err, w)
		}
	}
}

func TestAnActWithoutArrivalOrVersionIsMalformed(t *testing.T) {
	for _, kind := range kinds() {
		for _, field := range []string{"arrival", "version", "kind"} {
			for _, value := range []string{"", "x", "-1", "3-", "-", "99999999999999999999"} {
				if _, err := parseAct(form(kind, field, value)); err != errMalformed {
					t.Errorf("%s with %s=%q: got %v, want errMalformed", kind, field, value, err)
				}
			}
		}
	}
}

func TestAnAlarmHasNoVersionButZero(t *testing.T) {
	if a, err := parseAct(form(KindSilence, "version", "1")); err != errMalformed {
		t.Errorf("got %v, %v, want errMalformed", a, err)
	}
}

func TestAFieldThatStandsTwiceIsMalformed(t *testing.T) {
	f := form(KindColour)
	f.Add("colour", "red")
	if _, err := parseAct(f); err != errMalformed {
		t.Errorf("got %v, want errMalformed", err)
	}
}

func TestWhatAPersonLeavesOutIsSaid(t *testing.T) {
	tests := map[string]struct {
		form url.Values
		want error
	}{
		"a colour outside the list":      {form(KindColour, "colour", "blue"), errMalformed},
		"no instrument":                  {form(KindType, "instrument", ""), slip("instrument-missing")},
		"no temperature":                 {form(KindType, "value", ""), slip("temperature-format")},
		"no reason":                      {form(KindOverride, "reason", ""), slip("reason-missing")},
		"a reason outside the list":      {form(KindOverride, "reason", "late"), slip("reason-missing")},
		"no PIN, although signed on":     {form(KindOverride, "pin", ""), slip("pin-missing")},
		"a PIN longer than any PIN":      {form(KindOverride, "pin", string(make([]byte, 33))), slip("pin-missing")},
		"fields of another kind: unread": {form(KindAside, "colour", "green", "pin", "1"), nil},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			a, err := parseAct(tt.form)
			if err != tt.want || a.Kind == KindAside && (a.Colour != "" || a.PIN != "") {
				t.Errorf("got %v, %v, want %v", a, err, tt.want)
			}
		})
	}
}

func FuzzParseAct(f *testing.F) {
	for _, kind := range kinds() {
		f.Add(form(kind).Encode())
	}
	f.Add("arrival=1-1&version=1&kind=type&value=36.95&instrument=ear")
	f.Add("arrival=1-1&arrival=2-2&version=1&kind=aside")
	f.Fuzz(func(t *testing.T, body string) {
		values, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		a, err := parseAct(values)
		if err != nil {
			var s slip
			if a != (Act{}) || err != errMalformed && !errors.As(err, &s) {
				t.Fatalf("got %+v beside %v", a, err)
			}
			return
		}
		if !slices.Contains(kinds(), a.Kind) || len(a.PIN) > maxPIN || !web.IsArrival(a.Arrival) {
			t.Fatalf("accepted %+v", a)
		}
		if a.Kind == KindType && (a.Value < web.LeastTyped || a.Value > web.MostTyped || a.Value%100 != 0) {
			t.Fatalf("accepted temperature %d", a.Value)
		}
		if a.Kind == KindLook && !IsRow(a.Row) || a.Kind == KindNote && a.Note == "" {
			t.Fatalf("accepted %+v", a)
		}
		again, err := parseAct(encode(a))
		if err != nil || again != a {
			t.Fatalf("round trip: %+v became %+v, %v", a, again, err)
		}
	})
}

func encode(a Act) url.Values {
	return url.Values{
		"arrival": {a.Arrival}, "version": {strconv.FormatUint(a.Version, 10)}, "kind": {a.Kind}, "colour": {a.Colour},
		"row": {a.Row}, "order": {map[bool]string{true: "yes", false: "no"}[a.InOrder]}, "note": {a.Note},
		"value": {strconv.Itoa(int(a.Value) / 100)}, "instrument": {a.Instrument}, "reason": {a.Reason}, "pin": {a.PIN},
	}
}
