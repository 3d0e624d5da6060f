package guard

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/menshen/menshen/web"
)

// errUnpaired ends the stream of a browser whose pairing was taken away.
var errUnpaired = errors.New("browser is no longer paired")

// events keeps one page up to date until the browser leaves or the gate stops.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		p.site.Refuse(w, r, http.StatusServiceUnavailable, "refused.streams")
		return
	}
	ticks := p.gate.Watch(r.Context()) // before the first view: no change falls between
	var drawn screen
	err := web.Live(w, r, ticks, func(out io.Writer) error {
		if p.site.Place(r) == web.PlaceAny {
			return errUnpaired
		}
		now := p.screen(r)
		if now.like(drawn) {
			return web.ErrSame
		}
		drawn = now
		return p.fragment.Execute(out, now)
	})
	if err != nil && !errors.Is(err, errUnpaired) {
		p.log.Warn("stream ended", "err", err)
	}
}

// like reports whether a screen is drawn as another was: nothing is different
// but the time, which ends waits, and when all will be in. Both stand on the page
// to the minute.
func (s screen) like(drawn screen) bool {
	v, was := &s.View, drawn.View
	ends := func(t time.Time) bool { return t.After(was.Now) != t.After(v.Now) }
	if minute(v.Now) != minute(was.Now) || minute(v.DoneAt) != minute(was.DoneAt) ||
		slices.ContainsFunc(v.Asides, func(a Aside) bool { return ends(a.Due) }) ||
		slices.ContainsFunc(v.Questions, func(q Question) bool { return ends(q.Date) }) {
		return false
	}
	v.Now, v.DoneAt = was.Now, was.DoneAt
	return reflect.DeepEqual(s, drawn)
}
