package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

func sample() Message {
	return Message{
		Format: format, Gate: "east", Next: "1.530",
		Open:     []Alarm{{Arrival: "12-3", Number: 7, Since: 1_607_296_740_000, Name: "李一涵", Class: "三(2)班", Recorded: true}},
		Answered: []Alarm{{Arrival: "12-1", Since: 1_607_296_000_000, Drill: true}},
	}
}

func line(t testing.TB, m Message) []byte {
	t.Helper()
	b, err := m.Line()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAMessageArrivesAsItWasSent(t *testing.T) {
	both := NewReader(bytes.NewReader(append(line(t, sample()), line(t, Message{Gate: "west"})...)))
	for _, want := range []Message{sample(), {Format: format, Gate: "west"}} {
		if got, err := both.Next(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := both.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}

func TestTheLongestMessageOfAGateFits(t *testing.T) {
	m := Message{Gate: strings.Repeat("g", 32), Next: strings.Repeat("9", maxCursor)}
	for i := range Most {
		// A byte that is no UTF-8 takes six in JSON, as does a "<".
		a := Alarm{Arrival: fmt.Sprintf("18446744073709551615-%d", i), Number: 65535, Since: 1 << 62, Name: strings.Repeat("<", MaxText), Class: strings.Repeat("\xff", MaxText), Recorded: true, Drill: true}
		m.Open, m.Answered = append(m.Open, a), append(m.Answered, a)
	}
	b := line(t, m)
	if got, err := NewReader(bytes.NewReader(b)).Next(); len(got.Open) != 0 || !errors.Is(err, ErrMessage) {
		t.Errorf("a name of %d bytes that are none: got %d, %v", MaxText, len(got.Open), err)
	}
	for i := range m.Open {
		m.Open[i].Class, m.Answered[i].Class = "", strings.Repeat("<", MaxText)
	}
	b = line(t, m)
	if got, err := NewReader(bytes.NewReader(b)).Next(); err != nil || len(got.Answered) != Most {
		t.Errorf("%d bytes: got %d, %v", len(b), len(got.Answered), err)
	}
}

func TestWhatNoGateWouldSendIsRefused(t *testing.T) {
	good := strings.TrimSpace(string(line(t, sample())))
	for rule, text := range map[string]string{
		"nothing":                      "",
		"no JSON":                      "{",
		"a list":                       "[]",
		"two values":                   good + good,
		"an unknown field":             strings.Replace(good, `{"format"`, `{"more":1,"format"`, 1),
		"another format":               strings.Replace(good, `"format":1`, `"format":2`, 1),
		"no gate":                      strings.Replace(good, `"east"`, `""`, 1),
		"a gate that is a path":        strings.Replace(good, `"east"`, `"../east"`, 1),
		"a place that is a query":      strings.Replace(good, `"1.530"`, `"1&x=2"`, 1),
		"a place that is too long":     strings.Replace(good, `"1.530"`, `"`+strings.Repeat("1", maxCursor+1)+`"`, 1),
		"an arrival that is none":      strings.Replace(good, `"12-3"`, `"12"`, 1),
		"an arrival spelled otherwise": strings.Replace(good, `"12-3"`, `"012-3"`, 1),
		"a number that is too high":    strings.Replace(good, `"number":7`, `"number":70000`, 1),
		"too long a name":              strings.Replace(good, "李一涵", strings.Repeat("x", MaxText+1), 1),
		"too many alarms":              `{"format":1,"gate":"east","next":"","open":[` + strings.TrimSuffix(strings.Repeat(`{"arrival":"1-1","since":0},`, Most+1), ",") + `]}`,
		"a line without an end":        strings.Repeat(" ", maxMessage+1),
	} {
		t.Run(rule, func(t *testing.T) {
			if m, err := NewReader(strings.NewReader(text + "\n")).Next(); !errors.Is(err, ErrMessage) {
				t.Errorf("got %+v, %v", m, err)
			}
		})
	}
}

func TestNoLogHoldsANameOrAPIN(t *testing.T) {
	said := fmt.Sprint(sample().Open[0], SignOn{"7001", "294716"}, Person{Number: "T1", Name: "赵敏"})
	for _, secret := range []string{"李一涵", "7001", "294716", "赵敏"} {
		if strings.Contains(said, secret) {
			t.Errorf("%s says %s", said, secret)
		}
	}
}

// FuzzMessage: whatever a line holds, what is taken is bounded and would be sent
// in the same words.
func FuzzMessage(f *testing.F) {
	f.Add(bytes.TrimSpace(line(f, sample())))
	f.Add([]byte(`{"format":1,"gate":"east","next":""}`))
	f.Add([]byte(`{"format":1,"gate":"east","next":"1.2","open":[{"arrival":"1-1","since":-1,"name":"\u0000\ud800"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if !reflect.DeepEqual(m, Message{}) {
				t.Errorf("something stands beside %v: %+v", err, m)
			}
			return
		}
		if len(m.Open) > Most || len(m.Answered) > Most {
			t.Errorf("%d and %d alarms", len(m.Open), len(m.Answered))
		}
		again, err := Parse(bytes.TrimSpace(line(t, m)))
		if err != nil {
			t.Fatalf("%q is not read again: %v", line(t, m), err)
		}
		if !bytes.Equal(line(t, again), line(t, m)) {
			t.Errorf("got %+v, want %+v", again, m)
		}
	})
}
