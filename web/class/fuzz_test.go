package class

import (
	"net/url"
	"slices"
	"testing"

	"github.com/menshen/menshen/web"
)

// FuzzCheck: whatever a form holds, what is taken from it is bounded and of the
// closed lists.
func FuzzCheck(f *testing.F) {
	f.Add("check=noon&group=1&version=9&absent-4=1&found-5-cough=1&temperature-5=375&instrument=ear")
	f.Add("check=noon&group=1&version=9&temperature-5=37.5&instrument=axilla&absent-5=1")
	f.Add("check=noon&group=1&version=9&found-4-=1&-=&found-=&absent-4-x=1")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		c, done, err := parse(form)
		if err != nil && done || done && (c.Check == "" || c.Group == "" || len(c.Exceptions) > maxPeople) {
			t.Fatalf("%+v, %v, %v", c, done, err)
		}
		last := uint64(0)
		for _, x := range c.Exceptions {
			if x.Subject <= last || !x.Absent && len(x.Found) == 0 && x.Value == 0 {
				t.Errorf("%+v", x)
			}
			last = x.Subject
			for _, s := range x.Found {
				if !slices.Contains(web.Symptoms(), s) {
					t.Errorf("%q", s)
				}
			}
			if x.Value != 0 && (x.Value < web.LeastTyped || x.Value > web.MostTyped || !slices.Contains(web.Instruments(), x.Instrument)) {
				t.Errorf("%+v", x)
			}
		}
	})
}
