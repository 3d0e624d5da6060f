package guard

import (
	"errors"
	"io"
	"net/http"

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
	err := web.Live(w, r, ticks, func(out io.Writer) error {
		if p.site.Place(r) == web.PlaceAny {
			return errUnpaired
		}
		return p.fragment.Execute(out, p.screen(r))
	})
	if err != nil && !errors.Is(err, errUnpaired) {
		p.log.Warn("stream ended", "err", err)
	}
}
