package policy_test

import (
	"crypto/ed25519"
	"encoding/base32"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// anOrder is one for the longest preset name and as many rows as an order takes.
func anOrder(t testing.TB) (policy.Order, policy.Document) {
	name := strings.Repeat("x", 40)
	body := strings.Replace(least, `"least"`, `"`+name+`"`, 1)
	o := policy.Order{Preset: name, Number: 12, ValidFrom: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Threshold: 37_200, Boundary: screening.Exceeds}
	for i := range 8 {
		body += "[[row]]\nid = \"row-" + string(rune('a'+i)) + "\"\nask = \"mask\"\nfail = \"refer\"\nmode = \"" + []string{"warn", "enforce"}[i%2] + "\"\n"
		o.Rows = append(o.Rows, policy.RowMode{Index: uint8(2 + i), Warn: i%2 == 1})
	}
	d := parse(t, body)
	o.Edition = d.Edition()
	return o, d
}

func encode(t testing.TB, o policy.Order, key ed25519.PrivateKey) string {
	t.Helper()
	text, err := o.Encode(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheLongestOrderFitsAQRCodeOfVersion10(t *testing.T) {
	o, _ := anOrder(t)
	q, err := qrcode.New(encode(t, o, keyOf('a')), qrcode.Medium)
	if err != nil || q.VersionNumber > 10 {
		t.Errorf("version %d, %v", q.VersionNumber, err)
	}
}

func TestAnOrderIsReadAsItWasWritten(t *testing.T) {
	o, _ := anOrder(t)
	for _, o := range []policy.Order{o, {Preset: "default", Number: 1}} {
		got, err := policy.ParseOrder(encode(t, o, keyOf('a')), public(keyOf('b'), keyOf('a')))
		if err != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("got %+v, %v, want %+v", got, err, o)
		}
	}
}

func TestAnOrderBecomesThePolicyThatItsFileSays(t *testing.T) {
	o, preset := anOrder(t)
	d, body, err := o.Apply(preset)
	if err != nil {
		t.Fatal(err)
	}
	if again := parse(t, string(body)); !reflect.DeepEqual(again, d) {
		t.Errorf("the file says %+v, the policy is %+v", again, d)
	}
	if d.Spec.Number != 12 || !d.ValidFrom.Equal(o.ValidFrom) || d.Spec.Threshold != 37_200 || d.Spec.Boundary != screening.Exceeds {
		t.Errorf("got %+v", d.Spec)
	}
	for i, row := range d.Spec.Requirements[2:] {
		if row.Warn != (i%2 == 1) {
			t.Errorf("row %s warns: %v", row.ID, row.Warn)
		}
	}
	if preset.Spec.Number != 0 || preset.Spec.Requirements[2].Warn != true {
		t.Error("the preset itself was changed")
	}
}

func TestTheWristFollowsAStricterForehead(t *testing.T) {
	preset := parse(t, full)
	o := policy.Order{Preset: "full", Edition: preset.Edition(), Number: 13, Threshold: 36_500}
	o.ValidFrom = preset.ValidFrom
	d, _, err := o.Apply(preset)
	if err != nil || d.Spec.WristThreshold != 36_500 {
		t.Errorf("%v, %v", d.Spec.WristThreshold, err)
	}
}

func TestAnOrderIsRefused(t *testing.T) {
	o, preset := anOrder(t)
	text := encode(t, o, keyOf('a'))
	trusted := public(keyOf('a'))
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"by another key":         {encode(t, o, keyOf('b')), policy.ErrUntrusted},
		"a badge":                {"1234567890123456", policy.ErrOrder},
		"nothing behind its say": {policy.OrderPrefix, policy.ErrOrder},
		"another version":        {strings.Replace(text, "MSPO1", "MSPO2", 1), policy.ErrOrder},
		"small letters":          {policy.OrderPrefix + strings.ToLower(text[6:]), policy.ErrOrder},
		"a line break in it":     {text[:50] + "\n" + text[50:], policy.ErrOrder},
		"longer than any":        {text + strings.Repeat("A", 1000), policy.ErrOrder},
		"cut off":                {text[:len(text)-8], policy.ErrOrder},
		"one letter changed":     {text[:len(text)-20] + string(text[len(text)-20]^1) + text[len(text)-19:], policy.ErrUntrusted},
	} {
		if got, err := policy.ParseOrder(c.text, trusted); err == nil || name != "one letter changed" && !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	preset.Spec.Requirements[1].Warn = true
	if _, _, err := o.Apply(preset); !errors.Is(err, policy.ErrEdition) {
		t.Errorf("another edition: %v", err)
	}
	for name, change := range map[string]func(*policy.Order){
		"no number":             func(o *policy.Order) { o.Number = 0 },
		"a threshold of 45":     func(o *policy.Order) { o.Threshold = 45_000 },
		"a time within seconds": func(o *policy.Order) { o.ValidFrom = o.ValidFrom.Add(1) },
		"a time in 2106":        func(o *policy.Order) { o.ValidFrom = o.ValidFrom.AddDate(80, 0, 0) },
		"rows that do not rise": func(o *policy.Order) { o.Rows = append([]policy.RowMode{{Index: 9}}, o.Rows[1:]...) },
		"nine rows":             func(o *policy.Order) { o.Rows = append(o.Rows, policy.RowMode{Index: 20}) },
		"no preset":             func(o *policy.Order) { o.Preset = "" },
	} {
		wrong, _ := anOrder(t)
		change(&wrong)
		if _, err := wrong.Encode(keyOf('a')); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

// signedOrder is the text of an order with any payload, signed by a.
func signedOrder(payload []byte) string {
	signature := ed25519.Sign(keyOf('a'), append([]byte("menshen policy order\x00"), payload...))
	return policy.OrderPrefix + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append(payload, signature...))
}

// payloadOf is what was signed.
func payloadOf(t testing.TB, text string) []byte {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimPrefix(text, policy.OrderPrefix))
	if err != nil {
		t.Fatal(err)
	}
	return b[:len(b)-ed25519.SignatureSize]
}

// FuzzParseOrder: what nobody trusted has signed is refused; what somebody has is
// written again as the same text, and never becomes a policy that Compile refuses.
func FuzzParseOrder(f *testing.F) {
	o, preset := anOrder(f)
	for _, o := range []policy.Order{o, {Preset: "default", Number: 1}, {Preset: o.Preset, Edition: o.Edition, Number: 1, Rows: []policy.RowMode{{Warn: true}}}} {
		text := encode(f, o, keyOf('b'))
		f.Add(text, payloadOf(f, text))
	}
	f.Fuzz(func(t *testing.T, text string, payload []byte) {
		if o, err := policy.ParseOrder(text, public(keyOf('a'))); err == nil {
			t.Fatalf("nobody has signed %+v", o)
		}
		signed := signedOrder(slices.Clone(payload))
		o, err := policy.ParseOrder(signed, public(keyOf('a')))
		if err != nil {
			return
		}
		if again := encode(t, o, keyOf('a')); again != signed {
			t.Fatalf("read %q, written %q", signed, again)
		}
		o.Preset, o.Edition = preset.Spec.Name, preset.Edition()
		if d, _, err := o.Apply(preset); err == nil {
			if _, err := screening.Compile(d.Spec); err != nil {
				t.Fatal(err)
			}
		}
	})
}
