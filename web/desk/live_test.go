package desk_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
)

func TestThePageKeepsItselfUpToDate(t *testing.T) {
	page := newTablet(t, web.Chinese).send("GET", "/desk/", nil).Body.String()
	for _, want := range []string{`data-events="/desk/events"`, `src="/assets/live.js"`, `id="lost"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
