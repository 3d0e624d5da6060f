package isolation

import (
	"net/http"
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
