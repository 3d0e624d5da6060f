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

// lookEvery is how long an open page may miss what changed of itself, such as an
// offer that lapsed. Whatever the gate says has changed it has at once, and the
// minute and the end of a wait it knows: to look at the gate each second would be
// a good part of what a page costs on a quiet day.
const lookEvery = 15 * time.Second

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
	var (
		drawn   screen
		changes uint64 // that the last look has seen
		looked  time.Time
		clock   time.Time // the gate's, then
	)
	err := web.Live(w, r, ticks, func(out io.Writer) error {
		if p.site.Place(r) == web.PlaceAny {
			return errUnpaired
		}
		n := p.gate.Changes() // before the view: no change falls between
		since := time.Since(looked)
		if n == changes && since < lookEvery && !drawn.ages(clock.Add(since)) && p.site.Page(r, pageTitle) == drawn.Page {
			return web.ErrSame
		}
		changes, looked = n, time.Now()
		now := p.screen(r)
		clock = now.View.Now
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
	v, was := &s.View, &drawn.View
	if drawn.ages(v.Now) || minute(v.DoneAt) != minute(was.DoneAt) {
		return false
	}
	v.Now, v.DoneAt = was.Now, was.DoneAt
	return reflect.DeepEqual(s, drawn)
}

// ages reports whether a screen is drawn otherwise at another time.
func (s screen) ages(at time.Time) bool {
	ends := func(t time.Time) bool { return t.After(s.View.Now) != t.After(at) }
	return minute(at) != minute(s.View.Now) ||
		slices.ContainsFunc(s.View.Asides, func(a Aside) bool { return ends(a.Due) }) ||
		slices.ContainsFunc(s.View.Questions, func(q Question) bool { return ends(q.Date) })
}
