package feed

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func word() Word {
	return Word{
		Format: format, Gate: "east", Begins: true, More: true, Here: []PersonKey{KeyOf("P1")},
		Passed: []Passage{{Who: KeyOf("P1"), At: 1_607_296_740_000}, {Who: KeyOf("P2"), Out: true, At: 1_607_296_740_000}, {Who: KeyOf("P3")}},
		Ill:    []Illness{{Who: KeyOf("P1"), At: 1_607_296_740_000, Signs: []string{"fever", "covid-19"}}, {Who: KeyOf("P2"), At: 1}},
	}
}

func wordLine(t testing.TB, w Word) []byte {
	t.Helper()
	b, err := w.Line()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAWordArrivesAsItWasSent(t *testing.T) {
	in := NewReader(bytes.NewReader(append(wordLine(t, word()), wordLine(t, Word{Gate: "west"})...)))
	for _, want := range []Word{word(), {Format: format, Gate: "west"}} {
		if got, err := in.NextWord(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestAPersonHasOneKeyAtEveryGateAndNoNameTravels(t *testing.T) {
	if KeyOf("P1") != "48b0d08a2ac2f4244d2346bb8dedd0ea" || KeyOf("P1") == KeyOf("P2") {
		t.Errorf("key %q", string(KeyOf("P1")))
	}
	if said := fmt.Sprint(word().Passed, word().Here, word().Ill); strings.Contains(said, string(KeyOf("P1"))) {
		t.Errorf("printed: %s", said)
	}
}

func TestTheLongestWordOfAGateFits(t *testing.T) {
	w := Word{Gate: strings.Repeat("g", 32)}
	signs := strings.Split(strings.TrimSuffix(strings.Repeat(strings.Repeat("s", 32)+",", MostSigns), ","), ",")
	for i := range Most {
		key := KeyOf(fmt.Sprint(i))
		w.Here = append(w.Here, key)
		w.Passed = append(w.Passed, Passage{key, true, -1 << 63})
		w.Ill = append(w.Ill, Illness{key, -1 << 63, signs})
	}
	if got, err := NewReader(bytes.NewReader(wordLine(t, w))).NextWord(); err != nil || len(got.Ill) != Most {
		t.Errorf("got %d, %v", len(got.Ill), err)
	}
}

func TestAWordThatNoGateWouldSendIsRefused(t *testing.T) {
	good := strings.TrimSpace(string(wordLine(t, word())))
	key := string(KeyOf("P1"))
	many := func(list, one string) string {
		return `{"format":1,"gate":"east","` + list + `":[` + strings.TrimSuffix(strings.Repeat(one+",", Most+1), ",") + `]}`
	}
	for rule, text := range map[string]string{
		"nothing":                   "",
		"two values":                good + good,
		"an unknown field":          strings.Replace(good, `{"format"`, `{"name":"x","format"`, 1),
		"another format":            strings.Replace(good, `"format":1`, `"format":2`, 1),
		"no gate":                   strings.Replace(good, `"east"`, `""`, 1),
		"a name in place of a key":  strings.Replace(good, key, "李一涵", 1),
		"a passage of nobody":       strings.Replace(good, `"passed":[{"who":"`+key, `"passed":[{"who":"`, 1),
		"an illness of nobody":      strings.Replace(good, `"ill":[{"who":"`+key, `"ill":[{"who":"`, 1),
		"a sign that is a sentence": strings.Replace(good, `"fever"`, `"very ill"`, 1),
		"too many signs":            strings.Replace(good, `"fever"`, strings.Repeat(`"fever",`, MostSigns)+`"fever"`, 1),
		"too many who stand there":  many("here", `"`+key+`"`),
		"too many passages":         many("passed", `{"who":"`+key+`"}`),
		"too many illnesses":        many("ill", `{"who":"`+key+`","at":1}`),
		"a line without an end":     strings.Repeat(" ", maxMessage+1),
	} {
		t.Run(rule, func(t *testing.T) {
			if w, err := NewReader(strings.NewReader(text + "\n")).NextWord(); !errors.Is(err, ErrMessage) {
				t.Errorf("got %+v, %v", w, err)
			}
		})
	}
}

// FuzzWord: whatever a line holds, what is taken is bounded and would be sent in
// the same words.
func FuzzWord(f *testing.F) {
	f.Add(bytes.TrimSpace(wordLine(f, word())))
	f.Add([]byte(`{"format":1,"gate":"east"}`))
	f.Add([]byte(`{"format":1,"gate":"east","here":["` + string(KeyOf("P1")) + `"],"ill":[{"who":"","at":1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := ParseWord(b)
		if err != nil {
			if !reflect.DeepEqual(w, Word{}) {
				t.Errorf("something stands beside %v: %+v", err, w)
			}
			return
		}
		if len(w.Here) > Most || len(w.Passed) > Most || len(w.Ill) > Most {
			t.Errorf("%d, %d and %d facts", len(w.Here), len(w.Passed), len(w.Ill))
		}
		again, err := ParseWord(bytes.TrimSpace(wordLine(t, w)))
		if err != nil {
			t.Fatalf("%q is not read again: %v", wordLine(t, w), err)
		}
		if !bytes.Equal(wordLine(t, again), wordLine(t, w)) {
			t.Errorf("%q became %q", wordLine(t, w), wordLine(t, again))
		}
	})
}
