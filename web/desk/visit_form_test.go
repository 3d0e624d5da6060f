package desk

import (
	"errors"
	"net/url"
	"slices"
	"testing"
)

// FuzzVisit: whatever a form says, who gets a card is complete, of the closed
// lists and bounded, or nobody gets one.
func FuzzVisit(f *testing.F) {
	f.Add("")
	f.Add("seen=2")
	f.Add("reason=parent&subject=1&card=7&name=%E5%91%A8%E6%98%8E&phone=13800000001")
	f.Add("reason=delivery&subject=1&card=07&name=&phone=")
	f.Add("reason=parent&subject=1&card=7&name=x&phone=13800000001&leader=4&pin=274916")
	f.Add("reason=x&subject=0&card=-1&version=1&card=2")
	f.Add("card=7&version=1607000000000")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		_, v, err := parseVisit(form)
		if key := slip(""); err != nil && !errors.As(err, &key) && v != (Giving{}) {
			t.Errorf("%v beside %v", v, err)
		}
		if err == nil && v.Card != 0 && (v.Card < 0 || v.Card > maxCard || v.Host == 0 || !slices.Contains(visitReasons(), v.Reason) ||
			v.Reason != delivery && (v.Name == "" || v.Phone == "") || len(v.Name) > maxName || len(v.Phone) > maxPhone ||
			v.Leader != 0 && v.PIN == "" || v.Leader == 0 && v.PIN != "" || len(v.PIN) > maxPIN) {
			t.Errorf("gives %+v", v)
		}
		if b, err := parseReturn(form); err == nil && (b.Card < 1 || b.Card > maxCard) {
			t.Errorf("takes back %+v", b)
		}
		if seen, err := parseSeen(form); err == nil && seen < 0 {
			t.Errorf("saw %d", seen)
		}
	})
}

func TestALeadersApprovalComesWithThePIN(t *testing.T) {
	const form = "reason=parent&subject=1&card=7&name=x&phone=13800000001"
	for rule, tt := range map[string]struct {
		form   string
		leader uint64
		err    error
	}{
		"nobody approves":     {form + "&leader=&pin=", 0, nil},
		"a PIN of nobody":     {form + "&leader=&pin=274916", 0, nil},
		"a leader with a PIN": {form + "&leader=4&pin=274916", 4, nil},
		"a leader without":    {form + "&leader=4", 4, slip("pin-missing")},
		"no roster number":    {form + "&leader=x&pin=274916", 0, errMalformed},
		"nor zero":            {form + "&leader=0&pin=274916", 0, errMalformed},
	} {
		values, err := url.ParseQuery(tt.form)
		if err != nil {
			t.Fatal(err)
		}
		_, v, err := parseVisit(values)
		if err != tt.err || v.Leader != tt.leader || v.Leader == 0 && v.PIN != "" {
			t.Errorf("%s: %+v, %v", rule, v, err)
		}
	}
}
