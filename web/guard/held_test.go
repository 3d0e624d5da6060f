package guard_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// TestTheMenuNamesWhoIsHeldAndWhy to whoever is signed on, and to nobody else.
func TestTheMenuNamesWhoIsHeldAndWhy(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) {
		v.Held = []guard.Held{{Name: "李*涵", Reason: "return"}, {Name: "周*", Reason: "case"}}
	})
	const want = "李*涵 应返校查验 · 周* 个案未结"
	if page := r.get("/guard/", true).Body.String(); !strings.Contains(page, want) {
		t.Errorf("the page does not say %q", want)
	}
	if page := r.get("/guard/", false).Body.String(); strings.Contains(page, "应返校查验") {
		t.Error("it is said where nobody is signed on")
	}
}
