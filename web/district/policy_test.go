package district_test

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web/district"
)

func TestThePageSaysWhoHasWhichPolicyAndFromWhen(t *testing.T) {
	s := newSite(t)
	s.signIn("right")
	v := view()
	midnight := time.Date(2020, 12, 8, 0, 0, 0, 0, time.UTC)
	v.Policies = []district.Policy{
		{Number: 12, Zh: "方案", En: "the plan", From: midnight, At: v.Now, Of: 60, Have: 57, Missing: []string{"west", "old"}, Refused: []string{"north"}},
		{Number: 11, At: v.Now, Of: 1, Have: 1},
	}
	v.Gates[1].Documents = district.Documents{Policy: 11, Since: v.Now, Next: 12, From: midnight}
	v.Gates[0].Documents = district.Documents{Since: v.Now}
	s.view.Store(v)
	text := s.get("/district/").Body.String()
	for _, want := range []string{
		"the plan", "from tomorrow 00:00", "57/60 have it", "2 not yet: west, old", "1 refused: north", "1/1 have it",
		"policy 11", "No. 12 from tomorrow 00:00", "built-in rules", "since 07:12",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
