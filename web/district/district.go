// Package district knows the page of a collector: how each of its gates is,
// what came of them today, which alarms are announced, and what was refused or
// contradicts itself.
//
// It decides nothing and changes nothing but who is signed in: what is shown
// is the collector's View. It knows no store, no gate's key and no person's
// name, and runs nothing while no page is open.
package district

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/menshen/menshen/web"
)

//go:embed templates assets
var files embed.FS

// maxStreams bounds the pages that are kept up to date at the same time.
const maxStreams = 64

// Options is what the page is made of.
type Options struct {
	// Collector is shown.
	Collector Collector
	// Sessions knows who is signed in. It is given the token as the PIN, and
	// the word "token" as the badge.
	Sessions *web.Sessions
	// Language is spoken until a browser chooses another.
	Language web.Language
	// Log takes what a person at the page can do nothing about.
	Log *slog.Logger
}

type page struct {
	collector Collector
	site      *web.Site
	log       *slog.Logger
	whole     *template.Template
	fragment  *template.Template
	signIn    *template.Template
	streams   chan struct{} // one place per open stream
}

// New returns the handler of the page, with signing in, language, assets and
// /healthz. It stands behind web.Protect.
func New(o Options) http.Handler {
	whole := web.Layout(files, "templates/district.html", "templates/fragment.html")
	p := &page{
		collector: o.Collector, site: web.NewSite(o.Sessions, o.Language, o.Log), log: o.Log.With("component", "web/district"),
		whole: whole, fragment: whole.Lookup("fragment"), signIn: web.Layout(files, "templates/sign-in.html"),
		streams: make(chan struct{}, maxStreams),
	}
	mux := p.site.NewMux(web.AtDistrict())
	p.site.MountBasics(mux)
	mux.Handle("GET /assets/district.css", web.Asset(files, "assets/district.css"))
	mux.Handle("GET /assets/screen.css", web.Screen(0))
	mux.HandleFunc("GET /sign-on", func(w http.ResponseWriter, r *http.Request) { p.showSignIn(w, r, http.StatusOK, "") })
	mux.HandleFunc("POST /sign-on", p.postSignIn)
	mux.Handle("GET /{$}", http.RedirectHandler("/district/", http.StatusSeeOther))
	mux.HandleFunc("GET /district/{$}", p.show)
	mux.HandleFunc("GET /district/events", p.events)
	return mux
}

// screen is what the templates see.
type screen struct {
	web.Page
	View View
}

// signedIn reports whether r has a session whose token still stands.
func (p *page) signedIn(r *http.Request) bool {
	who, ok := p.site.Sessions.Who(r)
	return ok && p.collector.Stands(r.Context(), who)
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	if !p.signedIn(r) {
		http.Redirect(w, r, "/sign-on", http.StatusSeeOther)
		return
	}
	view, err := p.collector.View(r.Context())
	if err != nil {
		p.log.Error("view", "err", err)
		p.site.Refuse(w, r, http.StatusInternalServerError, "said.failed")
		return
	}
	p.site.Show(w, http.StatusOK, p.whole, screen{p.site.Page(r, "district.title"), view})
}

// errSignedOut ends the stream of a page whose session or token has ended.
var errSignedOut = errors.New("signed out")

// events keeps one page up to date for as long as it is signed in.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	if !p.signedIn(r) {
		p.site.Refuse(w, r, http.StatusUnauthorized, "district.sign-in")
		return
	}
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		p.site.Refuse(w, r, http.StatusServiceUnavailable, "refused.streams")
		return
	}
	ticks := p.collector.Watch(r.Context()) // before the first view: no change falls between
	err := web.Live(w, r, ticks, func(out io.Writer) error { return p.render(out, r) })
	if err != nil && !errors.Is(err, errSignedOut) {
		p.log.Warn("stream ended", "err", err)
	}
}

func (p *page) render(out io.Writer, r *http.Request) error {
	if !p.signedIn(r) {
		return errSignedOut
	}
	view, err := p.collector.View(r.Context())
	if err != nil {
		return err
	}
	var b bytes.Buffer // half a fragment is never sent
	if err := p.fragment.Execute(&b, screen{p.site.Page(r, "district.title"), view}); err != nil {
		return err
	}
	_, err = b.WriteTo(out)
	return err
}

// postSignIn takes a token, once: from then on the browser has a cookie that
// is worth nothing elsewhere and ends by itself.
func (p *page) postSignIn(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	err := p.site.Sessions.SignOn(w, r, "token", form.Get("token"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/district/", http.StatusSeeOther)
	case errors.Is(err, web.ErrPIN):
		p.showSignIn(w, r, http.StatusForbidden, "district.not-token")
	case errors.Is(err, web.ErrFull):
		p.showSignIn(w, r, http.StatusConflict, "district.full")
	default:
		p.log.Error("sign in", "err", err)
		p.showSignIn(w, r, http.StatusServiceUnavailable, "said.failed")
	}
}

func (p *page) showSignIn(w http.ResponseWriter, r *http.Request, status int, said string) {
	p.site.Show(w, status, p.signIn, struct {
		web.Page
		Said string
	}{p.site.Page(r, "district.sign-in"), said})
}

// When returns the time of day, and the day too if it is not today's.
func (s screen) When(t time.Time) string {
	t = t.In(s.View.Now.Location())
	if t.Format(time.DateOnly) == s.View.Now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return s.Language.Moment(t)
}

// Count sums today's outcomes over all gates.
func (s screen) Count() Counts {
	var sum Counts
	for _, g := range s.View.Gates {
		sum.Admit += g.Today.Admit
		sum.Recheck += g.Today.Recheck
		sum.Refer += g.Today.Refer
		sum.Refuse += g.Today.Refuse
		sum.Isolate += g.Today.Isolate
	}
	return sum
}

// InSession, Attention and Admitted count gates.
func (s screen) InSession() int {
	return s.gates(func(g Gate) bool { return g.State == Up || g.State == Behind || g.State == Quiet || g.State == Idle })
}

// Attention counts the gates that somebody must see to.
func (s screen) Attention() int { return s.gates(func(g Gate) bool { return g.Urgent }) }

// Admitted counts the gates from which something is taken.
func (s screen) Admitted() int { return s.gates(func(g Gate) bool { return g.State != Revoked }) }

func (s screen) gates(is func(Gate) bool) (n int) {
	for _, g := range s.View.Gates {
		if is(g) {
			n++
		}
	}
	return n
}
