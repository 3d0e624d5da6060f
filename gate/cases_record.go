package gate

import (
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
)

// This file turns the steps of cases into entries and back. What is taken from
// the journal at start is taken by the code that takes it while the gate runs.

// stepBody returns the entry of a step, after which the case is next.
func stepBody(next casefile.Case, arrival entry.ArrivalID, e casefile.Event) entry.Case {
	b := entry.Case{
		Number: next.Number, Step: uint8(e.Step), Arrival: arrival, Subject: next.Subject, By: e.By, Call: uint8(e.Call), Guardian: e.Guardian,
		Relation: uint8(e.Relation), Reason: e.Reason,
	}
	if e.Step == casefile.Measured {
		r := screening.Typed("axilla", screening.Axilla, e.Value, 0)
		b.Reading, b.Limit = readingBody(&r), int32(e.Limit)
	}
	if e.Late {
		b.At = e.At.UnixMilli()
	}
	return b
}

// eventOf returns the step that an entry tells of. Wall is the entry's own time.
func eventOf(b entry.Case, wall time.Time) casefile.Event {
	e := casefile.Event{
		Step: casefile.Step(b.Step), At: wall, Late: b.At != 0, By: b.By, Limit: screening.MilliC(b.Limit), Call: casefile.Call(b.Call), Guardian: b.Guardian,
		Relation: casefile.Relation(b.Relation), Reason: b.Reason, Subject: b.Subject,
	}
	if e.Late {
		e.At = time.UnixMilli(b.At)
	}
	if b.Reading != nil {
		e.Value = screening.MilliC(b.Reading.Peak)
	}
	return e
}

// replay takes one entry of the journal at start.
func (c *cases) replay(e entry.Entry) {
	var b entry.Case
	if e.Decode(&b) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.Step == entry.CaseOpened {
		c.start(b, time.UnixMilli(e.Wall), true)
		return
	}
	c.step(b, time.UnixMilli(e.Wall))
}

// start lets a case stand. It reports false of one that could never be opened.
// The caller holds mu.
func (c *cases) start(b entry.Case, wall time.Time, stored bool) bool {
	e := eventOf(b, wall)
	file, err := casefile.Open(casefile.Opening{
		Number: b.Number, Origin: casefile.Origin(b.Origin), Subject: b.Subject, Found: b.Found, Value: e.Value, At: e.At, Late: e.Late, By: b.By,
	})
	if err != nil {
		return false
	}
	if b.Arrival != (entry.ArrivalID{}) {
		c.had[b.Arrival] = true
	}
	c.open[b.Number] = &caseNow{file: file, arrival: b.Arrival, since: c.g.monoOf(e.At), stored: stored}
	c.g.register.placeCase(b.Subject, b.Number)
	return true
}

// step takes a step that is durable, with what it means at the lanes. The
// caller holds mu.
func (c *cases) step(b entry.Case, wall time.Time) {
	x := c.open[b.Number]
	if x == nil {
		return
	}
	file, err := x.file.Step(eventOf(b, wall))
	if err != nil {
		return // written by a program that allows more
	}
	x.file = file
	r := c.g.register
	switch {
	case b.Step == entry.CaseIdentified:
		r.nameCase(b.Subject)
	case file.Phase() == casefile.Away:
		r.leaveCase(b.Number)
		c.left = append(c.left, file)
	case file.Phase() == casefile.Closed:
		r.clearCase(file.Subject, b.Number, x.arrival)
		if b.Step == entry.CaseBackToClass && x.arrival != (entry.ArrivalID{}) {
			r.cameIn(file.Subject, wall)
		}
	}
	if !file.Open() {
		delete(c.open, b.Number)
	}
}

// monoOf returns when something was on the monotonic clock. What lies in the
// future, by a clock that fell back, is now.
func (g *Gate) monoOf(wall time.Time) time.Duration {
	now := g.o.Now()
	return now.Mono - max(0, now.Wall.Sub(wall))
}
