package desk_test

import (
	"regexp"
	"testing"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

// TestWhoOwesAProofOfReturnIsCheckedAndNotLifted: the PIN of a person lifts other
// holds, and no missing proof.
func TestWhoOwesAProofOfReturnIsCheckedAndNotLifted(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.gate.holds = []desk.Hold{{Subject: 9, Name: "周明", Class: "2班", Reason: "return", Return: 12, Stored: true}}
	b.home()
	b.says("应返校查验")
	form := regexp.MustCompile(`(?s)<form method="post" action="/desk/return"><input type="hidden" name="number" value="12"><button>(.*?)</button>`)
	if m := form.FindStringSubmatch(b.page); m == nil || m[1] != "返校查验" {
		t.Errorf("no way to check the return:\n%s", b.page)
	}
	if regexp.MustCompile(`action="/desk/lift"`).MatchString(b.page) {
		t.Error("it is lifted without the proof")
	}
}
