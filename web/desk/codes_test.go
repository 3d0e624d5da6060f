package desk_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
)

func TestWhereNoRowLooksAtACodeNobodyIsHeldForOne(t *testing.T) {
	for _, without := range []bool{false, true} {
		b := newTablet(t, web.Chinese)
		b.gate.view.NoCodes = without
		b.send("POST", "/desk/hold", url.Values{"subject": {"7"}})
		for _, word := range []string{"yellow-code", "red-code", "pop-up"} {
			if strings.Contains(b.page, `value="`+word+`"`) == without {
				t.Errorf("without codes %v: %s", without, word)
			}
		}
		if !strings.Contains(b.page, `value="vomiting"`) {
			t.Error("the other reasons are gone too")
		}
	}
}
