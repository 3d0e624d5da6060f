// Package isolation knows the pages of the isolation room: who is on the way,
// who is there and since when, what comes next for each of them, who is to be told
// of it until when, and how each leaves again: to class, home with somebody who may
// take the child, or to hospital; and then how those who are away come back.
//
// It does not decide anything: a step only becomes true when the gate says so.
// It knows no journal and no roster file, and holds no state of its own: how far
// somebody has come stands in the form, never in the address. Full names and
// phones are shown, because the nurse must call the right child's parents; the
// browser stands in the room, and somebody is signed on who has it for a duty.
package isolation

import (
	"embed"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/menshen/menshen/web"
)

//go:embed templates assets
var files embed.FS

// maxStreams bounds the pages that are kept up to date at the same time.
const maxStreams = 8

// Options is what the pages are made of.
type Options struct {
	// Room, Cases, Desk and People are shown and acted upon.
	Room   Room
	Cases  Cases
	Desk   Desk
	People People
	// Drill returns for how many minutes a drill goes on; nil where there are none.
	Drill func() (minutes int)
	// Rest serves every route of the gate that is not the isolation room's.
	Rest http.Handler
	// Sessions, Pairing, Language, Hosts and Log are as package guard has them.
	Sessions *web.Sessions
	Pairing  *web.Pairing
	Language web.Language
	Hosts    []string
	Log      *slog.Logger
}

type page struct {
	room    Room
	cases   Cases
	desk    Desk
	people  People
	site    *web.Site
	log     *slog.Logger
	whole   *template.Template
	live    *template.Template
	one     *template.Template
	pick    *template.Template
	home    *template.Template
	paper   *template.Template
	again   *template.Template
	streams chan struct{} // one place per open stream
}

// New returns the handler of the isolation room's pages and, behind it, of all
// else that the gate serves.
func New(o Options) http.Handler {
	p := &page{
		room: o.Room, cases: o.Cases, desk: o.Desk, people: o.People, site: web.NewSite(o.Sessions, o.Language, o.Log), log: o.Log.With("component", "web/isolation"),
		streams: make(chan struct{}, maxStreams),
	}
	p.site.Pairing, p.site.Drill = o.Pairing, o.Drill
	mux := p.site.NewMux(web.AtGate())
	mux.Handle("GET /assets/isolation.css", web.Asset(files, "assets/isolation.css"))
	mux.HandleFunc("GET /isolation/{$}", p.show)
	mux.HandleFunc("GET /isolation/events", p.events)
	mux.HandleFunc("GET /isolation/case", p.showCase)
	mux.HandleFunc("POST /isolation/step", p.step)
	mux.HandleFunc("POST /isolation/not-this", p.notThis)
	mux.HandleFunc("POST /isolation/home", p.handOver)
	mux.HandleFunc("POST /desk/home", p.handOverAtDesk)
	mux.HandleFunc("POST /isolation/who", p.identify)
	mux.HandleFunc("POST /isolation/diagnosis", p.diagnose)
	mux.HandleFunc("POST /isolation/place", p.place)
	mux.HandleFunc("POST /isolation/return", p.clear)
	mux.HandleFunc("POST /desk/return", p.clearAtDesk)
	mux.HandleFunc("POST /isolation/correct", p.correct)
	mux.HandleFunc("POST /isolation/open", p.open)
	mux.HandleFunc("POST /isolation/paper", p.enter)
	mux.HandleFunc("POST /isolation/answer", p.answerAlarm)
	mux.HandleFunc("POST /isolation/mute", p.mute)
	ours := web.First(p.parse, web.Protect(mux, o.Hosts))
	all := http.NewServeMux()
	all.Handle("/", o.Rest)
	all.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if p.site.Place(r) == web.PlaceAny|web.PlaceRoom {
			http.Redirect(w, r, "/isolation/", http.StatusSeeOther)
			return
		}
		o.Rest.ServeHTTP(w, r)
	})
	for _, path := range []string{"/isolation/", "/desk/home", "/desk/return", "/assets/isolation.css"} {
		all.Handle(path, ours)
	}
	return all
}

// parse makes the pages out of their files.
func (p *page) parse() {
	p.whole = layout("room.html", "fragment.html", "watch.html")
	p.live = p.whole.Lookup("fragment")
	p.one, p.pick, p.home = layout("case.html"), layout("pick.html"), layout("home.html")
	p.paper, p.again = layout("paper.html"), layout("correct.html")
}

func layout(names ...string) *template.Template {
	paths := []string{"templates/parts.html"}
	for _, name := range names {
		paths = append(paths, "templates/"+name)
	}
	return web.Layout(files, paths...)
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	s := p.screen(r)
	if key := "said." + r.URL.Query().Get("said"); web.Known(key) { // only our own keys are shown
		s.Said = key
	}
	p.site.Show(w, http.StatusOK, p.whole, s)
}

// errEnded ends the stream of a browser whose session or pairing has ended.
var errEnded = errors.New("nobody is signed on at the browser")

// events keeps one page up to date until the browser leaves or its session ends.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		p.site.Refuse(w, r, http.StatusServiceUnavailable, "refused.streams")
		return
	}
	ticks := p.room.Watch(r.Context()) // before the first view: no change falls between
	err := web.Live(w, r, ticks, func(out io.Writer) error {
		who, ok := p.site.Sessions.Who(r)
		if !ok || !who.Duties.Any(web.DutyNurse) || p.site.Place(r)&web.PlaceRoom == 0 {
			return errEnded
		}
		return p.live.Execute(out, p.screen(r))
	})
	if err != nil && !errors.Is(err, errEnded) {
		p.log.Warn("stream ended", "err", err)
	}
}

// showCase shows one case with all that may be done. It stands still: whoever
// types about one person must not find another there.
func (p *page) showCase(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	number, err := strconv.Atoi(q.Get("number"))
	said := ""
	if key := "said." + q.Get("said"); web.Known(key) {
		said = key
	}
	if err != nil {
		number = 0
	}
	p.answerCase(w, r, number, said, q.Has("phones"))
}

func (p *page) answerCase(w http.ResponseWriter, r *http.Request, number int, said string, phones bool) {
	v := p.room.View()
	for _, c := range v.all() {
		if c.Number == number {
			p.site.Show(w, http.StatusOK, p.one, casePage{p.site.Page(r, "page.room"), c, v.Now, said, phones || !c.Called()})
			return
		}
	}
	p.back(w, r, "stale")
}

// find returns the case that a form is about, as it stands now.
func (p *page) find(s Step) (Case, bool) {
	for _, c := range p.room.View().all() {
		if c.Number == s.Number && c.Version == s.Version {
			return c, true
		}
	}
	return Case{}, false
}

// all returns the cases in the room, and then those of who is away.
func (v View) all() []Case { return slices.Concat(v.Cases, v.Returns) }

// step takes one press that is complete in itself.
func (p *page) step(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, err := parseStep(form)
	if key := slip(""); errors.As(err, &key) {
		p.answerCase(w, r, s.Number, "said."+string(key), false)
		return
	}
	if err != nil {
		p.malformed(w, r)
		return
	}
	if s.Kind == StepHospital && form.Get("sure") != "yes" { // it lies beside other buttons, and ends the case
		p.askAgain(w, r, s, form)
		return
	}
	p.take(w, r, s)
}

// take hands a step to the gate and says what came of it: on the case's own page
// while it is open, or in the room.
func (p *page) take(w http.ResponseWriter, r *http.Request, s Step) {
	s.By, _ = p.site.Sessions.Who(r) // the row lets nobody in who is not signed on
	if err := p.cases.Step(r.Context(), s); err != nil {
		p.toCase(w, r, s.Number, p.answer(err))
		return
	}
	switch s.Kind {
	case StepMeasured, StepCalled, StepIdentified, StepTold, StepSuspected, StepDiagnosed, StepDated, StepPlaced, StepCorrected:
		p.toCase(w, r, s.Number, "")
	default:
		p.back(w, r, "case-"+s.Kind)
	}
}

// answerAlarm says that the room has heard of an alarm.
func (p *page) answerAlarm(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	by, _ := p.site.Sessions.Who(r)
	said := ""
	if err := p.room.Answer(r.Context(), form.Get("arrival"), by); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}

func (p *page) mute(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.site.Form(w, r); !ok {
		return
	}
	by, _ := p.site.Sessions.Who(r)
	said := "muted"
	if err := p.room.Mute(r.Context(), by); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}

func (p *page) malformed(w http.ResponseWriter, r *http.Request) {
	p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
}

// back leads to the room, which says what came of a press.
func (p *page) back(w http.ResponseWriter, r *http.Request, said string) {
	to := "/isolation/"
	if atDesk(r) {
		to = "/desk/"
	}
	if said != "" {
		to += "?said=" + url.QueryEscape(said)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// toCase leads to the page of one case.
func (p *page) toCase(w http.ResponseWriter, r *http.Request, number int, said string) {
	if atDesk(r) {
		p.back(w, r, said)
		return
	}
	to := "/isolation/case?number=" + strconv.Itoa(number)
	if said != "" {
		to += "&said=" + url.QueryEscape(said)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// answer returns the key of what the person at the page is told. What is no
// answer to a person is logged here, where the error ends.
func (p *page) answer(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{ErrStale, "stale"}, {ErrNotAllowed, "not-allowed"}, {ErrOpen, "case-open"}, {ErrNotStored, "failed"}, {ErrDigits, "digits"},
		{ErrEarly, "too-early"}, {ErrProof, "proof"}, {ErrTime, "time-future"}, {ErrClock, "clock-paper"}, {web.ErrPIN, "pin"}, {web.ErrLocked, "locked"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	p.log.Error("case", "err", err)
	return "failed"
}
