package gymcu90614

import "testing"

func TestAModuleIsRecognizedByOneWholeFrame(t *testing.T) {
	for rule, c := range map[string]struct {
		heard  string
		module Module
		ok     bool
	}{
		"a whole frame":                {heard: "\x5A\x5A\x45\x04\x0E\x4C\x09\xE3\x43", module: GYMCU90614, ok: true},
		"behind half of another":       {heard: "\x09\xE3\x43\x5A\x5A\x45\x04\x0E\x4C\x09\xE3\x43\x5A", module: GYMCU90614, ok: true},
		"of another make":              {heard: "\x66\x66\x01\x04\x0E\x4C\x09\xE3\x46", module: CJMCU90614, ok: true},
		"with a wrong sum it is noise": {heard: "\x5A\x5A\x45\x04\x0E\x4C\x09\xE3\x44"},
		"a code is none":               {heard: "2026000000000001\r"},
		"silence is none":              {},
	} {
		t.Run(rule, func(t *testing.T) {
			if m, ok := Recognize([]byte(c.heard)); m != c.module || ok != c.ok {
				t.Errorf("got %v, %v", m, ok)
			}
		})
	}
}
