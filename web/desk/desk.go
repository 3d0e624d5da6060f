// Package desk knows the page of the second person at a gate, a tablet beside
// the lanes: who was set aside and what may still be done about it, who is held
// and why, holding somebody by name, a badge in place of a lost one, who stands
// at a lane without a badge or looks ill, which own act of the last minute may be
// taken back, who visits with which card, who is ill at home, and what a leader is told and may begin.
//
// It does not decide anything: an act only becomes true when the gate says so.
// It knows no policy, no journal and no roster file, and it holds no state of its
// own: how far somebody has come who looks for a person stands in the form, never
// in the address.
package desk

import (
	"embed"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

//go:embed templates assets
var files embed.FS

// maxStreams bounds the pages that are kept up to date at the same time.
const maxStreams = 8

// Options is what the page is made of.
type Options struct {
	// Gate, Holds, People, Lanes, Undos and Visits are shown and acted upon.
	Gate   Gate
	Holds  Holds
	People People
	Lanes  Lanes
	Undos  Undos
	Visits Visits
	// Drills and Watchers are for a leader; nil where there are none.
	Drills   Drills
	Watchers Watchers
	// Sick is for desk and nurse; nil where there is none.
	Sick Sick
	// Reports are for desk and leader; nil where there are none.
	Reports Reports
	// Checks are for the desk; nil where there are none.
	Checks Checks
	// Thermometers are for whoever is signed on; nil where there are none.
	Thermometers Thermometers
	// Rest serves every route of the gate that is not the desk's.
	Rest http.Handler
	// Sessions, Pairing, Language, Hosts and Log are as package guard has them.
	Sessions *web.Sessions
	Pairing  *web.Pairing
	Language web.Language
	Hosts    []string
	Log      *slog.Logger
}

type page struct {
	gate     Gate
	holds    Holds
	people   People
	lanes    Lanes
	undos    Undos
	visits   Visits
	drills   Drills
	watch    Watchers
	sick     Sick
	reports  Reports
	checks   Checks
	lenses   Thermometers
	medians  *template.Template
	site     *web.Site
	log      *slog.Logger
	whole    *template.Template
	live     *template.Template
	aside    *template.Template
	pick     *template.Template
	badge    *template.Template
	lift     *template.Template
	ill      *template.Template
	visitor  *template.Template
	drilling *template.Template
	absent   *template.Template
	streams  chan struct{} // one place per open stream
}

// New returns the handler of the desk's page and, behind it, of all else that
// the gate serves.
func New(o Options) http.Handler {
	p := &page{
		gate: o.Gate, holds: o.Holds, people: o.People, lanes: o.Lanes, undos: o.Undos, visits: o.Visits, drills: o.Drills, watch: o.Watchers, sick: o.Sick, reports: o.Reports, checks: o.Checks, lenses: o.Thermometers, site: web.NewSite(o.Sessions, o.Language, o.Log), log: o.Log.With("component", "web/desk"),
		streams: make(chan struct{}, maxStreams),
	}
	p.site.Pairing = o.Pairing
	if o.Drills != nil {
		p.site.Drill = o.Drills.Drill
	}
	mux := p.site.NewMux(web.AtGate())
	mux.Handle("GET /assets/desk.css", web.Asset(files, "assets/desk.css"))
	mux.HandleFunc("GET /desk/{$}", p.show)
	mux.HandleFunc("GET /desk/events", p.events)
	mux.HandleFunc("GET /desk/aside", p.showAside)
	mux.HandleFunc("GET /desk/thermometers", p.showThermometers)
	mux.HandleFunc("POST /desk/act", p.act)
	mux.HandleFunc("POST /desk/hold", p.hold)
	mux.HandleFunc("POST /desk/lift", p.liftHold)
	mux.HandleFunc("POST /desk/badge", p.bindBadge)
	mux.HandleFunc("POST /desk/visit", p.visit)
	mux.HandleFunc("POST /desk/visit/out", p.visitOver)
	mux.HandleFunc("POST /desk/goods", p.goods)
	mux.HandleFunc("POST /desk/named", p.name)
	mux.HandleFunc("POST /desk/ill", p.looksIll)
	mux.HandleFunc("POST /desk/sick", p.sickAtHome)
	mux.HandleFunc("POST /desk/report", p.report)
	mux.HandleFunc("POST /desk/undo", p.undo)
	mux.HandleFunc("POST /desk/drill", p.drill)
	mux.HandleFunc("POST /desk/drill/end", p.endDrill)
	ours := web.First(p.parse, web.Protect(mux, o.Hosts))
	all := http.NewServeMux()
	all.Handle("/", o.Rest)
	all.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if p.site.Place(r) == web.PlaceAny|web.PlaceDesk {
			http.Redirect(w, r, "/desk/", http.StatusSeeOther)
			return
		}
		o.Rest.ServeHTTP(w, r)
	})
	for _, path := range []string{"/desk/", "/assets/desk.css"} {
		all.Handle(path, ours)
	}
	return all
}

// parse makes the pages out of their files.
func (p *page) parse() {
	p.whole = layout("desk.html", "fragment.html", "visits.html", "watch.html", "athome.html", "reports.html", "checks.html", "drifts.html")
	p.live = p.whole.Lookup("fragment")
	p.aside, p.pick, p.badge, p.lift = layout("aside.html"), layout("pick.html", "athome.html"), layout("badge.html"), layout("lift.html")
	p.medians = layout("thermometers.html")
	p.ill, p.visitor, p.drilling, p.absent = layout("ill.html"), layout("visit.html"), layout("drill.html"), layout("sick.html")
}

func layout(names ...string) *template.Template {
	paths := []string{"templates/parts.html"}
	for _, name := range names {
		paths = append(paths, "templates/"+name)
	}
	return web.Layout(files, paths...)
}

// screen is what the page itself shows.
type screen struct {
	web.Page
	View  guard.View
	Holds []Hold
	Undos []Undo
	// Visitors are shown beside.
	Visitors Visitors
	// Leader says that one is signed on here, to whom Watched is told.
	Leader  bool
	Watched Watched
	// MaySick says that somebody is signed on who may report who is ill at home, and
	// is shown in Sick who was.
	Sick    []AtHome
	MaySick bool
	// Owed are the reports that are due today, for whoever owes them.
	Owed []Owed
	// MayCheck says that somebody is signed on who is told in Overdue which checks are
	// late.
	MayCheck bool
	Overdue  []Reminder
	// Drifting are thermometers to look after; Lenses says that there are charts.
	Drifting []Drifting
	Lenses   bool
	// Said is the key of the answer to the last press, or empty.
	Said string
}

func (p *page) screen(r *http.Request) screen {
	s := screen{Page: p.site.Page(r, "page.desk"), View: p.gate.View(), Holds: p.holds.Holds(), Visitors: p.visits.Visitors()}
	if by, ok := p.site.Sessions.Who(r); ok {
		s.Undos = p.undoable(by)
		if s.Leader = by.Duties&web.DutyLeader != 0; s.Leader && p.watch != nil {
			s.Watched = p.watch.Watched()
		}
		if s.MaySick = p.sick != nil && by.Duties.Any(dutySick); s.MaySick {
			s.Sick = p.sick.AtHome()
		}
		if s.Lenses = p.lenses != nil; s.Lenses {
			s.Drifting = p.lenses.Drifting()
		}
		if p.reports != nil && by.Duties.Any(dutyReports) {
			s.Owed = p.reports.Owed()
		}
		if s.MayCheck = p.checks != nil && by.Duties.Any(dutyChecks); s.MayCheck {
			s.Overdue = p.checks.Reminders()
		}
	}
	s.View.Asides = slices.Clone(s.View.Asides)
	slices.SortStableFunc(s.View.Asides, func(a, b guard.Aside) int { return a.Since.Compare(b.Since) })
	return s
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

// events keeps one page up to date until the browser leaves or its session ends:
// full names are for whoever is signed on.
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
		who, ok := p.site.Sessions.Who(r)
		if !ok || !who.Duties.Any(web.DutyGuard|web.DutyDesk) || p.site.Place(r)&web.PlaceDesk == 0 {
			return errEnded
		}
		return p.live.Execute(out, p.screen(r))
	})
	if err != nil && !errors.Is(err, errEnded) {
		p.log.Warn("stream ended", "err", err)
	}
}

// showAside shows one person who was set aside, with all that may be done. It
// stands still: whoever types about one person must not find another there.
func (p *page) showAside(w http.ResponseWriter, r *http.Request) {
	p.answerAside(w, r, r.URL.Query().Get("arrival"), "")
}

func (p *page) answerAside(w http.ResponseWriter, r *http.Request, arrival, said string) {
	v := p.gate.View()
	i := slices.IndexFunc(v.Asides, func(a guard.Aside) bool { return a.Arrival == arrival })
	if i < 0 {
		p.back(w, r, "stale")
		return
	}
	p.site.Show(w, http.StatusOK, p.aside, asidePage{p.site.Page(r, "page.desk"), v.Asides[i], said})
}

// act hands one press about a person who was set aside to the gate.
func (p *page) act(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	a, err := parseAct(form)
	if errors.Is(err, errMalformed) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	if err == nil {
		a.By, _ = p.site.Sessions.Who(r) // the row lets nobody in who is not signed on
		err = p.gate.Do(r.Context(), a)
	}
	if key := slip(""); errors.As(err, &key) {
		p.answerAside(w, r, form.Get("arrival"), "said."+string(key))
		return
	}
	if err != nil {
		p.back(w, r, p.answer(err))
		return
	}
	p.back(w, r, p.became(a))
}

// became says what came of an act.
func (p *page) became(a guard.Act) string {
	waits := slices.ContainsFunc(p.gate.View().Asides, func(x guard.Aside) bool { return x.Arrival == a.Arrival })
	switch {
	case waits:
		return "still-waits"
	case a.Kind == guard.KindType, a.Kind == guard.KindColour:
		return "may-scan"
	}
	return "finished"
}

// back leads to the page from which somebody came, which says what came of a press.
func (p *page) back(w http.ResponseWriter, r *http.Request, said string) {
	http.Redirect(w, r, p.home(r)+"?said="+url.QueryEscape(said), http.StatusSeeOther)
}

// answer returns the key of what the person at the page is told. What is no
// answer to a person is logged here, where the error ends.
func (p *page) answer(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{guard.ErrStale, "stale"}, {guard.ErrNotAllowed, "not-allowed"}, {guard.ErrBusy, "busy"}, {web.ErrPIN, "pin"}, {web.ErrLocked, "locked"},
		{ErrHeld, "held-already"}, {ErrClock, "clock"}, {ErrSelf, "self"}, {ErrBadgeUsed, "badge-used"}, {ErrEarly, "visitors-early"}, {ErrCardTaken, "card-taken"}, {ErrLaneOut, "lane-out"}, {ErrReported, "sick-already"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	p.log.Error("act", "err", err)
	return "failed"
}
