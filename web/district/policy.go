package district

import (
	"time"

	"github.com/menshen/menshen/web"
)

// Ahead is how a moment to come is shown.
func (s screen) Ahead(t time.Time) string {
	return s.Language.Ahead(t.In(s.View.Now.Location()), s.View.Now)
}

// Called is what a policy is called.
func (s screen) Called(p Policy) string {
	if s.Language == web.English {
		return p.En
	}
	return p.Zh
}
