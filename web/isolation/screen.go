package isolation

import (
	"net/http"
	"slices"
	"time"

	"github.com/menshen/menshen/web"
)

// screen is what the room's page shows.
type screen struct {
	web.Page
	View View
	// Said is the key of the answer to the last press, or empty.
	Said string
}

func (p *page) screen(r *http.Request) screen {
	return screen{Page: p.site.Page(r, "page.room"), View: p.room.View()}
}

// Waits is for how many whole minutes a case has been open.
func (s screen) Waits(c Case) int { return minutes(s.View.Now, c.Since) }

// Ago is for how many whole minutes an alarm has been standing.
func (s screen) Ago(a Alarm) int { return minutes(s.View.Now, a.Since) }

func minutes(now, since time.Time) int { return max(0, int(now.Sub(since).Minutes())) }

// casePage is one case.
type casePage struct {
	web.Page
	Case Case
	Now  time.Time
	Said string
	// Phones are shown until the outcome of a call is pressed, and again by a
	// press.
	Phones bool
}

// Waits is for how many whole minutes the case has been open.
func (p casePage) Waits() int { return minutes(p.Now, p.Case.Since) }

// Calls are the outcomes that the page offers.
func (casePage) Calls() []string { return calls() }

// Left is for how many whole minutes a duty may still wait; negative once it is over.
func (p casePage) Left(d Duty) int { return left(p.Now, d) }

// Left is for how many whole minutes a duty may still wait.
func (s screen) Left(d Duty) int { return left(s.View.Now, d) }

func left(now time.Time, d Duty) int { return int(d.Until.Sub(now).Minutes()) }

// speaker is a page as far as words that are not its own are concerned.
type speaker interface {
	T(key string, args ...any) string
	Say(w Words) string
}

// part is one case together with the page that shows it.
type part struct {
	Screen speaker
	Item   Case
}

// Of hands a case to a part of the page.
func (s screen) Of(c Case) part { return part{s, c} }

// Of hands a case to a part of the page.
func (p casePage) Of(c Case) part { return part{p, c} }

// Date is a day of the year.
func (s screen) Date(t time.Time) string { return s.T("strip.date", int(t.Month()), t.Day()) }

// Date is a day of the year.
func (p casePage) Date(t time.Time) string { return p.T("strip.date", int(t.Month()), t.Day()) }

// Say returns what is not the page's own words.
func (p casePage) Say(w Words) string { return w.In(p.Language) }

// Say returns what is not the page's own words.
func (s screen) Say(w Words) string { return w.In(s.Language) }

// Pressing are the duties whose time runs out or has run out, of every case.
func (s screen) Pressing() (list []pressing) {
	for _, c := range s.View.all() {
		for _, d := range c.Duties {
			if d.Soon || d.Over {
				list = append(list, pressing{c, d})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b pressing) int { return a.Duty.Until.Compare(b.Duty.Until) })
	return list
}

// pressing is one duty of a case that somebody must do now.
type pressing struct {
	Case Case
	Duty Duty
}

// Instruments are those that the page offers where more than one is asked for.
func (casePage) Instruments() []string { return instruments() }

// found returns the words of one thing that was found.
func found(p web.Page, word string) string {
	if key := "reason." + word; web.Known(key) {
		return p.T(key)
	}
	return p.T("symptom." + word)
}

// Found returns the words of one thing that was found.
func (s screen) Found(word string) string { return found(s.Page, word) }

// Found returns the words of one thing that was found.
func (p casePage) Found(word string) string { return found(p.Page, word) }

// paperPage is what was written on paper about a person.
type paperPage struct {
	web.Page
	Who  Person
	Now  time.Time
	Said string
}
