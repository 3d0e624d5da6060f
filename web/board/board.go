// Package board knows the page of an isolation room's board: who was sent to
// the room by which gate and not answered yet, what came and went while a gate
// could not be heard, and which gates are lost.
//
// It decides nothing and keeps nothing. The page is for the board's own screen:
// browsers of other machines see none of it. Full names are shown to whoever is
// signed on and has the room for a duty; a case is worked at the gate's pages.
package board

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/menshen/menshen/web"
)

//go:embed templates assets
var files embed.FS

// maxStreams bounds the pages that are kept up to date at the same time.
const maxStreams = 8

// Board is what the page shows and what is done on it. All methods are called
// from many goroutines and wait for no gate.
type Board interface {
	// View returns the present state.
	View() View
	// Watch ticks whenever the view may have changed, until ctx ends.
	Watch(ctx context.Context) <-chan struct{}
	// Answer says that the room has heard of an alarm, or has read of one that it
	// missed; false where there is none.
	Answer(gate, arrival string, by web.Person) bool
	// HeardOfLoss says that somebody knows that a gate is lost; false where it is
	// not.
	HeardOfLoss(gate string) bool
}

// View is the board at one moment.
type View struct {
	School, Name string
	// Now is the board's clock.
	Now time.Time
	// LastGood says that the board runs on its last good configuration.
	LastGood bool
	// Dark says that beacon or buzzer cannot be reached.
	Dark bool
	// Gates in the order of the configuration.
	Gates []Gate
	// Alarms of all gates, each gate's in the order in which they came.
	Alarms []Alarm
}

// Gate is one gate that the board follows.
type Gate struct {
	Name string
	// Here says that the gate is heard; before it was heard for the first time it
	// is neither here nor lost for some seconds.
	Here bool
	// Lost says that nothing is heard of it, Since when, and Heard that somebody
	// here knows.
	Lost  bool
	Since time.Time
	Heard bool
	// Phone is whom to call then, or empty.
	Phone string
}

// Alarm is one arrival that a gate has sent to the room.
type Alarm struct {
	Gate, Arrival string
	// Number is the case's, on the person's sticker; 0 where it is not known.
	Number int
	// Name and Class are empty where nobody knows who it is.
	Name, Class string
	Since       time.Time
	// Recorded says that the alarm is durable at the gate.
	Recorded bool
	// Drill says that it belongs to a drill.
	Drill bool
	// Missed says that it was answered at the gate before it was heard here.
	Missed bool
	// Answered says that it was answered here and the gate does not know yet.
	Answered bool
}

// Options is what the page is made of.
type Options struct {
	Board    Board
	Sessions *web.Sessions
	Language web.Language
	// ScreenMM is the visible width of the screen in millimetres, 0 where nobody
	// has measured it.
	ScreenMM int
	Log      *slog.Logger
}

type page struct {
	board   Board
	site    *web.Site
	log     *slog.Logger
	whole   *template.Template
	live    *template.Template
	streams chan struct{} // one place per open stream
}

// New returns the handler of all that a board serves.
func New(o Options) http.Handler {
	p := &page{
		board: o.Board, site: web.NewSite(o.Sessions, o.Language, o.Log), log: o.Log.With("component", "web/board"),
		whole: web.Layout(files, "templates/board.html", "templates/fragment.html"), streams: make(chan struct{}, maxStreams),
	}
	p.live = p.whole.Lookup("fragment")
	mux := p.site.NewMux(web.AtBoard())
	p.site.Mount(mux)
	mux.Handle("GET /assets/screen.css", web.Screen(o.ScreenMM))
	mux.Handle("GET /assets/board.css", web.Asset(files, "assets/board.css"))
	mux.Handle("GET /{$}", http.RedirectHandler("/board/", http.StatusSeeOther))
	mux.HandleFunc("GET /board/{$}", p.show)
	mux.HandleFunc("GET /board/events", p.events)
	mux.HandleFunc("POST /board/answer", p.answer)
	mux.HandleFunc("POST /board/lost", p.lost)
	return web.Protect(mux, nil)
}

// screen is what the page shows.
type screen struct {
	web.Page
	View View
	// May says that who is signed on has the room for a duty.
	May bool
	// Said is the key of the answer to the last press, or empty.
	Said string
	// Open, Owed and Missed are the view's alarms: unanswered, answered here and
	// not known to the gate, and answered there unheard.
	Open, Owed, Missed []Alarm
}

// screen returns what may be seen by whoever sent r, as of now.
func (p *page) screen(r *http.Request) screen {
	who, _ := p.site.Sessions.Who(r)
	s := screen{Page: p.site.Page(r, "page.board"), View: p.board.View(), May: who.Duties.Any(web.DutyNurse)}
	for _, a := range s.View.Alarms {
		if !s.May {
			a.Name = web.Mask(a.Name)
		}
		if a.Name == "" {
			a.Name = s.T("desk.unknown")
		}
		switch {
		case a.Missed:
			s.Missed = append(s.Missed, a)
		case a.Answered:
			s.Owed = append(s.Owed, a)
		default:
			s.Open = append(s.Open, a)
		}
	}
	return s
}

// Ago is for how many whole minutes an alarm has been standing.
func (s screen) Ago(a Alarm) int { return max(0, int(s.View.Now.Sub(a.Since).Minutes())) }

// Clock is a time of day, with the date where that is not today's.
func (s screen) Clock(t time.Time) string {
	t = t.In(s.View.Now.Location())
	if y, m, d := t.Date(); y == s.View.Now.Year() && m == s.View.Now.Month() && d == s.View.Now.Day() {
		return t.Format("15:04")
	}
	return s.Language.Moment(t)
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	s := p.screen(r)
	if key := "said." + r.URL.Query().Get("said"); web.Known(key) { // only our own keys are shown
		s.Said = key
	}
	p.site.Show(w, http.StatusOK, p.whole, s)
}

// events keeps one page up to date until the browser leaves.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		p.site.Refuse(w, r, http.StatusServiceUnavailable, "refused.streams")
		return
	}
	ticks := p.board.Watch(r.Context()) // before the first view: no change falls between
	err := web.Live(w, r, ticks, func(out io.Writer) error { return p.live.Execute(out, p.screen(r)) })
	if err != nil && !errors.Is(err, context.Canceled) {
		p.log.Warn("stream ended", "err", err)
	}
}

// answer says that the room has heard of an alarm.
func (p *page) answer(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	if !web.IsArrival(form.Get("arrival")) || !web.Once(form) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	by, _ := p.site.Sessions.Who(r) // the row lets nobody in who is not signed on
	p.back(w, r, p.board.Answer(form.Get("gate"), form.Get("arrival"), by))
}

// lost says that somebody knows that a gate is lost. Nobody need be signed on:
// who signs on is known by the gate that is lost.
func (p *page) lost(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if ok {
		p.back(w, r, p.board.HeardOfLoss(form.Get("gate")))
	}
}

// back leads to the page, which says so where there was nothing to do.
func (p *page) back(w http.ResponseWriter, r *http.Request, done bool) {
	to := "/board/"
	if !done {
		to += "?said=" + url.QueryEscape("stale")
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
