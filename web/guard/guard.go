// Package guard knows the page that stands at a gate: what each lane says of
// the person in front of it, who was set aside, which alarms are open, and the
// few acts that a guard may take.
//
// It does not decide anything: what is shown and which acts are offered is the
// gate's View, and an act only becomes true when the gate says so. It knows no
// policy, no journal and no device. It holds no state of its own, and runs
// nothing while no page is open.
package guard

import (
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/menshen/menshen/web"
)

//go:embed templates assets
var files embed.FS

// maxStreams bounds the pages that are kept up to date at the same time.
const maxStreams = 64

// Options is what the page is made of.
type Options struct {
	// Gate is shown and acted upon.
	Gate Gate
	// Offers are taken here; nil where scans offer nothing.
	Offers Offers
	// Questions are answered here; nil where nothing is asked.
	Questions Questions
	// Orders takes policy orders; nil where no lane scans any.
	Orders Orders
	// Reasons takes why lanes were opened by their buttons; nil where there are none.
	Reasons Reasons
	// Badges takes badge numbers that are typed; nil where none are.
	Badges Badges
	// Sessions knows who is signed on.
	Sessions *web.Sessions
	// Pairing knows the browsers of other machines; nil where there are none.
	Pairing *web.Pairing
	// Language is spoken until a browser chooses another.
	Language web.Language
	// Hosts are the names by which browsers may ask for the page, besides
	// the loopback's and the gate's own address.
	Hosts []string
	// ScreenMM is the visible width of the gate's screen in millimetres, 0
	// where nobody has measured it.
	ScreenMM int
	// Metrics answers GET /metrics; nil where there are none.
	Metrics http.Handler
	// Drill returns for how many minutes a drill goes on; nil where there are none.
	Drill func() (minutes int)
	// Log takes what a person at the page can do nothing about.
	Log *slog.Logger
}

type page struct {
	gate      Gate
	offers    Offers
	questions Questions
	orders    Orders
	reasons   Reasons
	badges    Badges
	site      *web.Site
	log       *slog.Logger
	whole     *template.Template
	fragment  *template.Template
	sheets    func() map[string]*template.Template
	streams   chan struct{} // one place per open stream
}

// New returns the handler of the guard's page, with everything the page needs
// to be served alone: signing on, language, assets and /healthz.
func New(o Options) http.Handler {
	whole := web.Layout(files, "templates/guard.html", "templates/fragment.html", "templates/duty.html", "templates/questions.html", "templates/shapes.html")
	p := &page{
		gate:      o.Gate,
		offers:    o.Offers,
		questions: o.Questions,
		orders:    o.Orders,
		reasons:   o.Reasons,
		badges:    o.Badges,
		site:      web.NewSite(o.Sessions, o.Language, o.Log),
		log:       o.Log.With("component", "web/guard"),
		whole:     whole,
		fragment:  whole.Lookup("fragment"),
		sheets:    sync.OnceValue(sheets),
		streams:   make(chan struct{}, maxStreams),
	}
	p.site.Pairing, p.site.Drill = o.Pairing, o.Drill
	mux := p.site.NewMux(web.AtGate())
	p.site.Mount(mux)
	mux.Handle("GET /assets/screen.css", web.Screen(o.ScreenMM))
	mux.Handle("GET /assets/guard.css", web.Asset(files, "assets/guard.css"))
	mux.Handle("GET /assets/guard.js", web.Asset(files, "assets/guard.js"))
	mux.Handle("GET /{$}", http.RedirectHandler("/guard/", http.StatusSeeOther))
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	mux.HandleFunc("GET /guard/{$}", p.show)
	mux.HandleFunc("GET /guard/events", p.events)
	mux.HandleFunc("POST /guard/act", p.act)
	mux.HandleFunc("POST /guard/clock", p.clock)
	mux.HandleFunc("GET /guard/set-clock", p.showClock)
	mux.HandleFunc("POST /guard/set-clock", p.setClock)
	mux.HandleFunc("GET /guard/emergency", p.showEmergency)
	mux.HandleFunc("POST /guard/emergency", p.emergency)
	mux.HandleFunc("POST /guard/answer", p.accept)
	mux.HandleFunc("GET /guard/order", p.showOrder)
	mux.HandleFunc("GET /guard/rules", p.showRules)
	mux.HandleFunc("POST /guard/order", p.takeOrder)
	mux.HandleFunc("GET /guard/badge", p.showBadge)
	mux.HandleFunc("POST /guard/badge", p.typeBadge)
	mux.HandleFunc("GET /guard/reason", p.showReason)
	mux.HandleFunc("POST /guard/reason", p.giveReason)
	mux.HandleFunc("POST /guard/sign-on", p.signOn)
	mux.HandleFunc("GET /guard/pair", p.askPlace)
	mux.HandleFunc("POST /guard/pair", p.pair)
	return web.Protect(mux, o.Hosts)
}

// sheets are the pages behind the guard's own, by their names. They are made when
// somebody first opens one of them.
func sheets() map[string]*template.Template {
	return map[string]*template.Template{
		"clock": web.LayoutWithPad(files, "templates/clock.html"), "emergency": web.Layout(files, "templates/emergency.html"), "emergency-pin": web.LayoutWithPad(files, "templates/emergency-pin.html"),
		"order": web.LayoutWithPad(files, "templates/order.html"), "rules": web.Layout(files, "templates/rules.html"), "pair": web.Layout(files, "templates/pair.html"),
		"badge":  web.LayoutWithPad(files, "templates/badge.html"),
		"reason": web.Layout(files, "templates/reason.html"), "reason-pin": web.LayoutWithPad(files, "templates/reason-pin.html"),
	}
}

// pageTitle is the key of what the page is called.
const pageTitle = "page.title"

// screen returns what may be seen by whoever sent r, as of now.
func (p *page) screen(r *http.Request) screen {
	common := p.site.Page(r, pageTitle)
	s := screen{Page: common, View: visible(p.gate.View(), common.SignedOn)}
	p.addDuty(r, &s.View)
	return s
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	s := p.screen(r)
	// The answer travels in the address as a key, so that a page that was
	// reloaded does not press again. Only our own keys are shown.
	if key := "said." + r.URL.Query().Get("said"); web.Known(key) {
		s.Said = key
	}
	p.site.Show(w, http.StatusOK, p.whole, s)
}

// act hands one press to the gate. A press without a session, an arrival or a
// version is refused: nobody answers for it, or nobody knows what was seen
// when it was pressed.
func (p *page) act(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.pressed(w, r)
	if !ok {
		return
	}
	a, err := parseAct(form)
	if errors.Is(err, errMalformed) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	if err == nil {
		a.By = who
		err = p.gate.Do(r.Context(), a)
	}
	p.back(w, r, err)
}

// clock hands on that somebody found the gate's clock right. What counts is
// the time that stood on the page; another one was looked at by nobody.
func (p *page) clock(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.pressed(w, r)
	if !ok {
		return
	}
	err := ErrStale
	now := p.gate.View().Now
	// A minute may have ended between the look and the press.
	if shown := form.Get("shown"); shown == minute(now) || shown == minute(now.Add(-time.Minute)) {
		err = p.gate.ConfirmClock(r.Context(), who)
	}
	p.back(w, r, err)
}

func minute(t time.Time) string { return t.Format("2006-01-02T15:04") }

// pressed returns who pressed and the form, or refuses the request itself.
func (p *page) pressed(w http.ResponseWriter, r *http.Request) (web.Person, url.Values, bool) {
	who, ok := p.site.Sessions.Who(r)
	if !ok {
		p.site.Refuse(w, r, http.StatusUnauthorized, "refused.sign-on")
		return web.Person{}, nil, false
	}
	form, ok := p.site.Form(w, r)
	return who, form, ok
}

// back leads to the page, which says why when a press was not taken.
func (p *page) back(w http.ResponseWriter, r *http.Request, err error) {
	target := "/guard/"
	if err != nil {
		target += "?said=" + url.QueryEscape(p.answer(err))
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// answer returns the key of what the person at the page is told. What is no
// answer to a person is logged here, where the error ends.
func (p *page) answer(err error) string {
	var slip slip
	switch {
	case errors.As(err, &slip):
		return string(slip)
	case errors.Is(err, ErrStale):
		return "stale"
	case errors.Is(err, ErrNotAllowed):
		return "not-allowed"
	case errors.Is(err, ErrBusy):
		return "busy"
	case errors.Is(err, ErrNoBadge):
		return "no-badge"
	case errors.Is(err, ErrEarly):
		return "clock-early"
	case errors.Is(err, ErrFar):
		return "clock-far"
	case errors.Is(err, web.ErrFull):
		return "full"
	case errors.Is(err, web.ErrPIN):
		return "pin"
	case errors.Is(err, web.ErrLocked):
		return "locked"
	default:
		p.log.Error("act", "err", err)
		return "failed"
	}
}
