package desk

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/menshen/menshen/web"
)

// ErrReported says that somebody was reported ill with the same symptoms today.
var ErrReported = errors.New("reported already today")

// Sick knows who stays at home today because of an illness (rules 83 and 84).
type Sick interface {
	// AtHome returns who was reported today, class by class in the order of the
	// school's list.
	AtHome() []AtHome
	// ReportSick takes a report. It holds nobody. It returns when the entry is
	// durable, or ErrReported, guard.ErrStale, or why it failed.
	ReportSick(ctx context.Context, x SickReport) error
}

// AtHome is somebody who is ill at home.
type AtHome struct {
	Name, Class string // Class is empty of staff
	// Found are the symptoms, as words of the page's closed list; empty where the
	// cause is not known.
	Found []string
}

// SickReport says that somebody is ill at home. The latest of a day counts.
type SickReport struct {
	Subject uint64
	// Found is as AtHome has it, in the list's order.
	Found []string
	By    web.Person
}

// dutySick may report, and is shown who was reported: whoever only guards a lane
// need not know what a child at home suffers from.
const dutySick = web.DutyDesk | web.DutyNurse

// sickPage asks what somebody at home suffers from.
type sickPage struct {
	web.Page
	Who  Person
	Back string
}

// Symptoms are what the page offers.
func (sickPage) Symptoms() []string { return web.Symptoms() }

// parseSick returns how far somebody has come who reports a person, and whether
// the report is complete.
func parseSick(form url.Values) (s search, x SickReport, done bool, err error) {
	s, err = parseByLetter(form)
	x.Subject, done = s.Subject, form.Has("report")
	for _, word := range web.Symptoms() {
		if form.Has("found-" + word) {
			x.Found = append(x.Found, word)
		}
	}
	if s.Subject == 0 && (done || x.Found != nil) {
		err = errMalformed
	}
	return s, x, done, err
}

// sickAtHome asks for class, letters, person and symptoms, and reports the person.
func (p *page) sickAtHome(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, x, done, err := parseSick(form)
	if err == nil && s.Subject == 0 && !s.HasClass {
		p.askSick(w, r)
		return
	}
	who, found := p.findByLetter(w, r, s, err)
	switch {
	case !found:
	case p.sick == nil:
		p.back(w, r, "stale")
	case !done:
		p.site.Show(w, http.StatusOK, p.absent, sickPage{p.site.Page(r, "page.desk"), who, p.home(r)})
	default:
		x.By, _ = p.site.Sessions.Who(r)
		said := "sick"
		if err := p.sick.ReportSick(r.Context(), x); err != nil {
			said = p.answer(err)
		}
		p.back(w, r, said)
	}
}

// askSick asks for the class, and shows beside it who was reported, and what of that
// may be taken back: the isolation room has no other page that does.
func (p *page) askSick(w http.ResponseWriter, r *http.Request) {
	next := pick{Page: p.site.Page(r, "page.desk"), Action: r.URL.Path, Back: p.home(r)}
	p.askClass(&next)
	if by, ok := p.site.Sessions.Who(r); ok && p.sick != nil {
		next.Sick, next.Undos = p.sick.AtHome(), p.undoable(by)
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
}

// home is the page from which somebody came here: the nurse has another one.
func (p *page) home(r *http.Request) string {
	who, _ := p.site.Sessions.Who(r)
	if p.site.Place(r)&web.PlaceDesk == 0 || !who.Duties.Any(web.DutyGuard|web.DutyDesk) {
		return "/isolation/"
	}
	return "/desk/"
}
