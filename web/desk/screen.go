package desk

import (
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// Waits is for how many whole minutes somebody has been waiting.
func (s screen) Waits(a guard.Aside) int { return max(0, int(s.View.Now.Sub(a.Since).Minutes())) }

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

// Colours and Instruments are what the page offers.
func (asidePage) Colours() []string     { return colours() }
func (asidePage) Instruments() []string { return instruments() }
