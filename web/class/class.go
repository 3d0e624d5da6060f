// Package class knows the pages of whoever checks a class, a dormitory or a bus:
// which checks are owed today, and for one of them who belongs there, each taken
// for well until somebody says otherwise.
//
// It does not decide anything: a check is only held when the gate says so, and the
// gate says what follows from what was found. It knows no policy, no journal and no
// roster file, and holds no state of its own: what a check is about stands in the
// form, never in the address.
package class

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/menshen/menshen/web"
)

//go:embed templates assets
var files embed.FS

// Why a check was not taken, for the person to read.
var (
	// ErrStale says that there is no such check any more, or that the people of it
	// have changed since they were shown.
	ErrStale = errors.New("the list has changed")
	// ErrEarly says that the check's time has not come.
	ErrEarly = errors.New("check is not held yet")
)

// Checks knows the checks of today and takes what they found.
type Checks interface {
	// Today returns what is owed today by the groups that somebody may check.
	Today(by web.Person) Today
	// Sheet returns who belongs to a group; false where somebody may not check it, or
	// there is no such check today.
	Sheet(k Key, by web.Person) (Sheet, bool)
	// Check takes what was found, in place of an earlier such check of the day, and
	// returns how many people the isolation room was told of. It returns when the
	// entry is durable, or ErrStale, ErrEarly, or why it failed.
	Check(ctx context.Context, f Findings) (cases int, err error)
	// TakeBack takes back the own check of the last minute, or returns ErrStale, or why
	// it failed.
	TakeBack(ctx context.Context, k Key, by web.Person) error
}

// Key names a check of today.
type Key struct {
	// Check stands in web's words behind "check."; Group is the name of a class,
	// dormitory or bus.
	Check, Group string
}

// Today is what is owed on one day.
type Today struct {
	// Closed says that there is no school.
	Closed bool
	// List is what is owed, the most urgent first.
	List []Owed
}

// Owed is one check of today.
type Owed struct {
	Key
	// From and By are when it is held, on the gate's clock.
	From, By time.Time
	// State is to-come, open, late or done.
	State string
	// At is when Who did it; what follows was found then.
	At                    time.Time
	Who                   string
	Expected, Absent, Ill int
	// MayTakeBack says that who asked did it within the last minute.
	MayTakeBack bool
	// Times is how often the class was checked today, the gate included, and Least
	// how often it is to be, 0 where nothing is said. Short says that no check is to
	// come any more and it was too seldom.
	Times, Least int
	Short        bool
}

// Sheet is one group as it is to be checked.
type Sheet struct {
	Key
	// Version is that of the list of people.
	Version uint32
	People  []Member
}

// Member is one person of a group.
type Member struct {
	// ID is the roster number.
	ID   uint64
	Name string
	// Absent says that the person is known not to be there.
	Absent bool
	// Hint is at-home, in-case, not-come, or empty.
	Hint string
}

// Findings is what a check found. Whoever is not among the exceptions was there
// and well.
type Findings struct {
	Key
	// Version is that of the sheet which was shown.
	Version    uint32
	Exceptions []Exception
	By         web.Person
}

// Exception is somebody of whom something was found.
type Exception struct {
	Subject uint64
	Absent  bool
	// Found are words of web.Symptoms, in its order.
	Found []string
	// Value was typed, in thousandths of a degree Celsius, 0 for none; Instrument is a
	// word behind "instrument.".
	Value      int32
	Instrument string
}

// Options is what the pages are made of.
type Options struct {
	// Checks are shown and acted upon.
	Checks Checks
	// Drill returns for how many minutes a drill goes on; nil where there are none.
	Drill func() (minutes int)
	// Rest serves every route of the gate that is not of these pages.
	Rest http.Handler
	// Sessions, Pairing, Language, Hosts and Log are as package guard has them.
	Sessions *web.Sessions
	Pairing  *web.Pairing
	Language web.Language
	Hosts    []string
	Log      *slog.Logger
}

type page struct {
	checks Checks
	site   *web.Site
	log    *slog.Logger
	list   *template.Template
	sheet  *template.Template
}

// New returns the handler of these pages and, behind it, of all else that the gate
// serves.
func New(o Options) http.Handler {
	p := &page{
		checks: o.Checks, site: web.NewSite(o.Sessions, o.Language, o.Log), log: o.Log.With("component", "web/class"),
		list: web.Layout(files, "templates/list.html"), sheet: web.Layout(files, "templates/sheet.html"),
	}
	p.site.Pairing, p.site.Drill = o.Pairing, o.Drill
	mux := p.site.NewMux(web.AtGate())
	mux.Handle("GET /assets/class.css", web.Asset(files, "assets/class.css"))
	mux.HandleFunc("GET /class/{$}", p.show)
	mux.HandleFunc("POST /class/check", p.check)
	mux.HandleFunc("POST /class/undo", p.takeBack)
	ours := web.Protect(mux, o.Hosts)
	all := http.NewServeMux()
	all.Handle("/", o.Rest)
	all.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if p.site.Place(r) == web.PlaceAny|web.PlaceClass {
			http.Redirect(w, r, "/class/", http.StatusSeeOther)
			return
		}
		o.Rest.ServeHTTP(w, r)
	})
	for _, path := range []string{"/class/", "/assets/class.css"} {
		all.Handle(path, ours)
	}
	return all
}

// listPage is what is owed today.
type listPage struct {
	web.Page
	Today
	// Said is the key of the answer to the last press, or empty; Home leads back.
	Said string
	Home bool
}

// sheetPage is one group to be checked.
type sheetPage struct {
	web.Page
	Sheet
	Said string
	// Given is what somebody had said before the last try was not taken.
	Given map[string]string
}

// Symptoms and Instruments are what the page offers.
func (sheetPage) Symptoms() []string    { return web.Symptoms() }
func (sheetPage) Instruments() []string { return web.Instruments() }

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	by, _ := p.site.Sessions.Who(r) // the row lets nobody in who is not signed on
	l := listPage{Page: p.site.Page(r, "page.class"), Today: p.checks.Today(by)}
	l.Home = p.site.Place(r)&web.PlaceDesk != 0 && by.Duties.Any(web.DutyGuard|web.DutyDesk)
	if key := "said." + r.URL.Query().Get("said"); web.Known(key) { // only our own keys are shown
		l.Said = key
	}
	p.site.Show(w, http.StatusOK, p.list, l)
}

// check shows a group, and takes what was found there once that was said.
func (p *page) check(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	f, done, err := parse(form)
	var slip web.Slip
	if err != nil && !errors.As(err, &slip) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	f.By, _ = p.site.Sessions.Who(r)
	sheet, ok := p.checks.Sheet(f.Key, f.By)
	switch {
	case !ok:
		p.back(w, r, "check-stale")
	case err != nil:
		p.ask(w, r, sheet, "said."+string(slip), form)
	case !done:
		p.ask(w, r, sheet, "", nil)
	default:
		p.take(w, r, f)
	}
}

// ask shows the group, with what was ticked already.
func (p *page) ask(w http.ResponseWriter, r *http.Request, s Sheet, said string, form url.Values) {
	given := map[string]string{}
	for name := range form {
		given[name] = form.Get(name)
	}
	if form == nil {
		for _, m := range s.People {
			if m.Absent {
				given[m.AbsentField()] = "1"
			}
		}
	}
	p.site.Show(w, http.StatusOK, p.sheet, sheetPage{p.site.Page(r, "page.class"), s, said, given})
}

func (p *page) take(w http.ResponseWriter, r *http.Request, f Findings) {
	cases, err := p.checks.Check(r.Context(), f)
	switch {
	case err != nil:
		p.back(w, r, p.answer(err))
	case cases > 0:
		p.back(w, r, "checked-case")
	default:
		p.back(w, r, "checked")
	}
}

func (p *page) takeBack(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	by, _ := p.site.Sessions.Who(r)
	said := "checked-back"
	if err := p.checks.TakeBack(r.Context(), Key{form.Get("check"), form.Get("group")}, by); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}

// back leads to what is owed today, which says what came of a press.
func (p *page) back(w http.ResponseWriter, r *http.Request, said string) {
	http.Redirect(w, r, "/class/?said="+url.QueryEscape(said), http.StatusSeeOther)
}

// answer returns the key of what the person at the page is told. What is no answer
// to a person is logged here, where the error ends.
func (p *page) answer(err error) string {
	switch {
	case errors.Is(err, ErrStale):
		return "check-stale"
	case errors.Is(err, ErrEarly):
		return "check-early"
	}
	p.log.Error("check", "err", err)
	return "failed"
}

// Until is when a check is late, where a day that ends at midnight ends at 24:00.
func (listPage) Until(o Owed) string {
	if o.By.Day() != o.From.Day() {
		return "24:00"
	}
	return o.By.Format("15:04")
}

// Has returns what was typed or ticked in a field before; empty for nothing.
func (s sheetPage) Has(name string) string { return s.Given[name] }

// Opens says that a temperature of somebody was typed before, of which one was not
// taken.
func (s sheetPage) Opens(m Member) bool { return s.Given[m.TemperatureField()] != "" }
