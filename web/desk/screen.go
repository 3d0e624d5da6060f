package desk

import (
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// Waits is for how many whole minutes somebody has been waiting.
func (s screen) Waits(a guard.Aside) int { return max(0, int(s.View.Now.Sub(a.Since).Minutes())) }

// Due says that whoever was too cold to be measured is to be measured again.
func (s screen) Due(a guard.Aside) bool { return !a.Due.IsZero() && !s.View.Now.Before(a.Due) }

// Entries are the numbers of the lanes by which people come in.
func (s screen) Entries() (list []int) {
	for _, l := range s.View.Lanes {
		if l.Direction == "in" {
			list = append(list, l.Number)
		}
	}
	return list
}

// Problem returns the words of the worst problem, or nothing.
func (s screen) Problem() string {
	for _, p := range s.View.Problems {
		if p.Key != "offline" {
			return s.T("problem."+p.Key, p.Args...)
		}
	}
	return ""
}

// Ends returns when a hold ends.
func (s screen) Ends(h Hold) string {
	if h.Until.IsZero() {
		return s.T("until.lifted")
	}
	// The minute before midnight is on the day that was meant.
	return s.T("desk.ends", s.Language.Moment(h.Until.Add(-1)))
}

// asidePage is one person who was set aside.
type asidePage struct {
	web.Page
	Aside guard.Aside
	Said  string
}

// Found are the words of what stopped the person, Look what is to be looked at.
func (p asidePage) Found() []string          { return guard.Words(p.Page, p.Aside.Reasons, p.Aside.Sentences) }
func (p asidePage) Look(l guard.Look) string { return l.In(p.Page) }

// Found are the same words of one of the list.
func (s screen) Found(a guard.Aside) []string { return guard.Words(s.Page, a.Reasons, a.Sentences) }

// Colours and Instruments are what the page offers, in the looks that Tone says.
func (p asidePage) Colours() []string   { return guard.Offered(p.Aside.Colours) }
func (asidePage) Tone(c string) string  { return guard.Tone(c) }
func (asidePage) Instruments() []string { return instruments() }
