package lane

import (
	"time"

	"github.com/menshen/menshen/screening"
)

// A forehead that is too cold is still too cold at the next try, and a wrist
// under a sleeve is not. This file knows when the lane asks for it.

const (
	// ColdMost of the last ColdAmong foreheads may be too cold at the first try
	// before the lane offers to begin with wrists.
	ColdMost = 4
	// ColdAmong is how many foreheads the lane looks back on for ColdMost.
	ColdAmong = 20
	// ColdAir is the ambient temperature below which it offers so at once, and below
	// which it takes no forehead for measured, whatever the instrument can stand: the
	// skin that the wind blows on says nothing of a fever.
	ColdAir screening.MilliC = 10_000
)

// WristFirst lets a lane begin with the wrist, of everybody who comes from now
// on; For is for how long, and 0 ends it.
type WristFirst struct{ For time.Duration }

func (WristFirst) event() {}

// chill is what a lane knows of how cold it is.
type chill struct {
	first [ColdAmong]bool // whether the first try of each was too cold, in a ring
	next  int
	air   screening.MilliC
	aired bool // air has been measured
}

// tried notes how somebody's first try ended.
func (c *chill) tried(cold bool) {
	c.first[c.next] = cold
	c.next = (c.next + 1) % len(c.first)
}

func (c *chill) severe() bool {
	n := 0
	for _, cold := range c.first {
		if cold {
			n++
		}
	}
	return n > ColdMost || c.aired && c.air < ColdAir
}

func (m *Machine) setWristFirst(ev WristFirst) {
	m.wristFirst = ev.For > 0
	m.cancel(timerWrist)
	if m.wristFirst {
		m.set(timerWrist, ev.For)
		m.chill.first = [ColdAmong]bool{} // when it ends, what was is long ago
	}
	m.bump()
}

// offersWrist reports whether somebody should let the lane begin with wrists.
func (m *Machine) offersWrist() bool {
	return m.cfg.Thermometer && m.policy.Wrist() && !m.wristFirst && m.chill.severe() &&
		m.policy.Needs(m.anybody()).Temperature
}

// site returns where the lane measures now: whoever has tried the forehead in
// vain shows the wrist, if the policy lets them.
func (m *Machine) site() screening.Site {
	wrist := m.wristFirst
	if m.cur != nil {
		wrist = m.cur.wrist || m.cur.tries > 0
	}
	if wrist && m.policy.Wrist() {
		return screening.Wrist
	}
	return screening.Forehead
}

// measuredOnce notes the first try of the open arrival, where it was a forehead.
func (m *Machine) measuredOnce() {
	if a := m.cur; !a.wrist && (a.tries > 0 || len(a.readings) > 0) {
		m.chill.tried(a.tries > 0)
	}
}

// take makes a reading of the body in view, at the site that is asked for.
func (m *Machine) take() screening.Reading {
	site, in := m.site(), m.cfg.Instrument
	if site == screening.Forehead {
		in.AmbientLow = max(in.AmbientLow, ColdAir)
	}
	r := screening.Take(in, m.body.samples, m.body.peak, m.policy.LowAt(site), m.now.Mono)
	r.Site, r.Formula = site, m.formula(r.Value, r.Peak)
	return r
}
