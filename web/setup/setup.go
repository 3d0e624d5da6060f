// Package setup knows the page by which somebody with a phone and no terminal
// installs a gate: what is plugged in and what is wrong with the machine, with a
// button for whatever a program can do about it, what the devices send, the mark
// on the floor, and the acceptance of the gate where it stands.
//
// It decides nothing and keeps nothing, and it moves no output. Until the gate was
// accepted nobody need be signed on, because nobody is on the roster of a new
// gate: who stands at its own screen, or was paired there, installs it. From then
// on only a leader changes anything here.
package setup

import (
	"context"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/skip2/go-qrcode"

	"github.com/menshen/menshen/web"
)

//go:embed templates assets
var files embed.FS

// maxStreams bounds the pages that are kept up to date at the same time: as many
// as may watch the devices.
const maxStreams = 4

// Options is what the page is made of.
type Options struct {
	Machine  Machine
	Process  Process
	Acceptor Acceptor
	// Rest serves all other pages of the gate.
	Rest     http.Handler
	Drill    func() (minutes int)
	Sessions *web.Sessions
	// Pairing knows the browsers of other machines; nil where there are none.
	Pairing  *web.Pairing
	Language web.Language
	// Hosts are the names by which browsers may ask for the page.
	Hosts []string
	// ScreenMM is the visible width of the gate's own screen in millimetres.
	ScreenMM int
	Log      *slog.Logger
}

type page struct {
	machine  Machine
	process  Process
	acceptor Acceptor
	site     *web.Site
	log      *slog.Logger
	// Both are parsed when they are asked for first: on most days nobody installs.
	whole, mark func() *template.Template
	streams     chan struct{} // one place per open stream
}

// New returns the handler of the page and, behind it, of all else that the gate
// serves.
func New(o Options) http.Handler {
	p := &page{
		machine: o.Machine, process: o.Process, acceptor: o.Acceptor, site: web.NewSite(o.Sessions, o.Language, o.Log), log: o.Log.With("component", "web/setup"),
		whole: sync.OnceValue(func() *template.Template {
			return web.Layout(files, "templates/setup.html", "templates/accept.html")
		}),
		mark:    sync.OnceValue(func() *template.Template { return web.Layout(files, "templates/mark.html") }),
		streams: make(chan struct{}, maxStreams),
	}
	p.site.Pairing, p.site.Drill = o.Pairing, o.Drill
	mux := p.site.NewMux(web.AtGate())
	mux.Handle("GET /assets/setup.css", web.Asset(files, "assets/setup.css"))
	mux.HandleFunc("GET /setup/{$}", p.show)
	mux.HandleFunc("GET /setup/events", p.events)
	mux.HandleFunc("GET /setup/mark", p.showMark)
	mux.HandleFunc("POST /setup/scan", p.changing(p.scan))
	mux.HandleFunc("POST /setup/write", p.changing(p.write))
	mux.HandleFunc("POST /setup/mend", p.changing(p.mend))
	mux.HandleFunc("POST /setup/restart", p.changing(p.restart))
	mux.HandleFunc("POST /setup/accept", p.changing(p.accept))
	mux.HandleFunc("POST /setup/phone", p.changing(p.phone))
	ours := web.Protect(mux, o.Hosts)
	all := http.NewServeMux()
	all.Handle("/", o.Rest)
	all.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if p.site.Place(r) == web.PlaceAny|web.PlaceSetup {
			http.Redirect(w, r, "/setup/", http.StatusSeeOther)
			return
		}
		o.Rest.ServeHTTP(w, r)
	})
	for _, path := range []string{"/setup/", "/assets/setup.css"} {
		all.Handle(path, ours)
	}
	return all
}

// screen is what the page shows.
type screen struct {
	web.Page
	View   View
	Accept Acceptance
	// Live are the newest lines of what the devices sent.
	Live []string
	// May says that this browser may change something.
	May bool
	// Here says that it is the gate's own screen, and CanPhone that a phone may be
	// paired from it.
	Here, CanPhone bool
	// Phone is the address to which QR leads a phone, and empty while no code
	// stands.
	Phone string
	QR    template.URL
	// Said is the key of the answer to the last press, or empty, and Done what it
	// did, in the gate's own words.
	Said, Done string
}

// In is a text in the page's language.
func (s screen) In(t Text) string {
	if s.Language == web.English {
		return t.English
	}
	return t.Chinese
}

// Passed says that the gate was accepted.
func (s screen) Passed() bool { return s.Accept.Last != nil && s.Accept.Last.Passed }

// Wrong are the checks that somebody has to do something about, the faults first.
func (s screen) Wrong() (list []Check) {
	for _, mark := range []string{"✗", "!"} {
		for _, c := range s.View.Checks {
			if c.Mark == mark {
				list = append(list, c)
			}
		}
	}
	return list
}

// Good is how many checks need nothing.
func (s screen) Good() int { return len(s.View.Checks) - len(s.Wrong()) }

// Centimetres writes a distance as a rule has it.
func (o Optic) Centimetres() string {
	return strconv.FormatFloat(float64(o.Millimetres)/10, 'f', -1, 64)
}

// may reports whether the browser that sent r may change something.
func (p *page) may(r *http.Request, a Acceptance) bool {
	if a.Last == nil || !a.Last.Passed {
		return true
	}
	who, ok := p.site.Sessions.Who(r)
	return ok && who.Duties.Any(web.DutyLeader)
}

// state is what stands on the whole page and in its fragment.
func (p *page) state(r *http.Request) (screen, error) {
	s := screen{Page: p.site.Page(r, "page.setup")}
	var err error
	if s.Accept, err = p.acceptor.Accepting(r.Context()); err != nil {
		return s, err
	}
	s.May = p.may(r, s.Accept)
	return s, nil
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	s, err := p.state(r)
	if err != nil {
		p.log.Error("acceptance not read", "err", err)
		s.Said = "said.failed"
	}
	s.View = p.machine.View(r.Context())
	s.Here = p.site.Place(r)&web.PlaceGuard != 0
	s.CanPhone = s.Here && p.site.Pairing != nil && p.process.Address() != ""
	if s.CanPhone {
		s.Phone, s.QR = p.code()
	}
	// The answer travels in the address as a key. Only our own keys are shown.
	if key := "said." + r.URL.Query().Get("said"); web.Known(key) {
		s.Said = key
	}
	p.site.Show(w, http.StatusOK, p.whole(), s)
}

// code returns where a phone is led while a code of this page stands.
func (p *page) code() (address string, qr template.URL) {
	digits, place, ok := p.site.Pairing.Code()
	if !ok || place != web.PlaceSetup {
		return "", ""
	}
	address = "http://" + p.process.Address() + "/pair?code=" + digits
	png, err := qrcode.Encode(address, qrcode.Medium, 384)
	if err != nil {
		p.log.Error("QR code not drawn", "err", err)
		return address, ""
	}
	return address, template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
}

// events keeps the part that moves up to date until the browser leaves.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		p.site.Refuse(w, r, http.StatusServiceUnavailable, "refused.streams")
		return
	}
	ticks, newest := p.process.Live(r.Context())
	err := web.Live(w, r, ticks, func(out io.Writer) error {
		s, err := p.state(r)
		if err != nil {
			return err
		}
		s.Live = newest()
		return p.whole().ExecuteTemplate(out, "fragment", s)
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		p.log.Warn("stream ended", "err", err)
	}
}

// showMark is the page that is printed and laid on the floor.
func (p *page) showMark(w http.ResponseWriter, r *http.Request) {
	letter := r.URL.Query().Get("part")
	for _, o := range p.machine.View(r.Context()).Optics {
		if o.Letter == letter {
			p.site.Show(w, http.StatusOK, p.mark(), struct {
				web.Page
				Optic Optic
			}{p.site.Page(r, "setup.mark"), o})
			return
		}
	}
	p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
}

// changing hands a form to f where the browser may change something, and leads
// back to the page with what came of it.
func (p *page) changing(f func(*http.Request, url.Values) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		form, ok := p.site.Form(w, r)
		if !ok {
			return
		}
		s, err := p.state(r)
		switch {
		case err == nil && !s.May:
			p.site.Refuse(w, r, http.StatusForbidden, "refused.accepted")
			return
		case !web.Once(form):
			p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
			return
		case err == nil:
			err = f(r, form)
		}
		http.Redirect(w, r, "/setup/?said="+url.QueryEscape(p.said(err)), http.StatusSeeOther)
	}
}

// said returns the key of what a person is told. What is no answer to a person is
// logged here, where the error ends.
func (p *page) said(err error) string {
	for known, key := range map[error]string{
		ErrStale: "stale", ErrNotSeen: "not-seen", ErrNames: "two-names", ErrReadOnly: "read-only", ErrFaulty: "would-be-faulty", ErrNoHelper: "no-helper",
	} {
		if errors.Is(err, known) {
			return key
		}
	}
	var d done
	if errors.As(err, &d) {
		return string(d)
	}
	if err != nil {
		p.log.Error("setup", "err", err)
		return "failed"
	}
	return "done"
}

// done is the key of what a press did, where that is more than that it was done.
type done string

func (d done) Error() string { return "done: " + string(d) }

func (p *page) scan(r *http.Request, _ url.Values) error {
	if err := p.machine.Scan(r.Context()); err != nil {
		return err
	}
	return done("scanned")
}

func (p *page) write(r *http.Request, form url.Values) error {
	if form.Get("thing") == "before" {
		if err := p.machine.Restore(r.Context()); err != nil {
			return err
		}
		return done("restored")
	}
	number, err := strconv.Atoi(form.Get("thing"))
	if err != nil {
		return ErrStale
	}
	if err := p.machine.Write(r.Context(), number); err != nil {
		return err
	}
	return done("written")
}

func (p *page) mend(r *http.Request, form url.Values) error {
	said, err := p.machine.Mend(r.Context(), form.Get("fix"), form.Get("undo") == "yes")
	if err != nil {
		return err
	}
	p.log.Info("board mended", "fix", form.Get("fix"), "said", said)
	return done("mended")
}

func (p *page) restart(*http.Request, url.Values) error {
	if !p.process.Restart() {
		return ErrNoHelper
	}
	return done("restarting")
}

// accept begins an acceptance by two names, or says one word of its step.
func (p *page) accept(r *http.Request, form url.Values) error {
	if step := form.Get("step"); step != "" {
		return p.acceptor.SayAcceptance(r.Context(), step, form.Get("word"))
	}
	return p.acceptor.BeginAcceptance(r.Context(), strings.TrimSpace(form.Get("installer")), strings.TrimSpace(form.Get("witness")))
}

// phone shows a code by which one phone is paired, at the gate's own screen only:
// a code that always stood there could be used by whoever passes.
func (p *page) phone(*http.Request, url.Values) error {
	if p.site.Pairing == nil {
		return ErrStale
	}
	p.site.Pairing.Begin(web.PlaceSetup)
	return done("phone")
}
