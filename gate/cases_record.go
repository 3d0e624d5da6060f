package gate

import (
	"cmp"
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
		Relation: uint8(e.Relation), Reason: e.Reason, Proof: uint8(e.Proof), Asked: uint8(e.Asked), From: unixMilli(e.From), On: unixMilli(e.On),
		Wait: uint32(e.Wait / time.Second), Place: e.Place, Corrects: e.Corrects,
	}
	if e.Value != 0 {
		r := screening.Typed(cmp.Or(e.Instrument, casefile.Axilla), siteOf(e.Instrument), e.Value, 0)
		b.Reading, b.Limit = readingBody(&r), int32(e.Limit)
	}
	if e.Late {
		b.At = e.At.UnixMilli()
	}
	return b
}

// siteOf returns where on the body the room measures with an instrument.
func siteOf(instrument string) screening.Site {
	if instrument == "ear" {
		return screening.Ear
	}
	return screening.Axilla
}

// eventOf returns the step that an entry tells of. Wall is the entry's own time.
func eventOf(b entry.Case, wall time.Time) casefile.Event {
	e := casefile.Event{
		Step: casefile.Step(b.Step), At: wall, Late: b.At != 0, By: b.By, Limit: screening.MilliC(b.Limit), Call: casefile.Call(b.Call), Guardian: b.Guardian,
		Relation: casefile.Relation(b.Relation), Reason: b.Reason, Subject: b.Subject, Proof: casefile.Proof(b.Proof), Asked: casefile.Proof(b.Asked),
		From: momentOf(b.From), On: momentOf(b.On), Wait: time.Duration(b.Wait) * time.Second, Place: b.Place, Corrects: b.Corrects,
	}
	if e.Late {
		e.At = time.UnixMilli(b.At)
	}
	if b.Reading != nil {
		e.Value, e.Instrument = screening.MilliC(b.Reading.Peak), b.Reading.Instrument
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
	at := taken{wall: time.UnixMilli(e.Wall), clock: e.Clock, mono: c.g.o.Now().Mono}
	if b.Step == entry.CaseOpened {
		c.start(b, at, true)
		return
	}
	c.step(b, at)
}

// start lets a case stand. It reports false of one that could never be opened.
// The caller holds mu.
func (c *cases) start(b entry.Case, at taken, stored bool) bool {
	e := eventOf(b, at.wall)
	file, err := casefile.Open(casefile.Opening{
		Number: b.Number, Origin: casefile.Origin(b.Origin), Subject: b.Subject, Found: b.Found, Value: e.Value, Rounds: b.Rounds,
		At: e.At, Late: e.Late, By: b.By,
	})
	if err != nil {
		return false
	}
	if b.Arrival != (entry.ArrivalID{}) {
		c.had[b.Arrival] = true
	}
	c.open[b.Number] = &caseNow{file: file, arrival: b.Arrival, since: c.g.monoOf(e.At), stored: stored, steps: []taken{at.of(e)}}
	c.g.register.placeCase(b.Subject, b.Number)
	return true
}

// step takes a step that is durable, with what it means at the lanes. The
// caller holds mu.
func (c *cases) step(b entry.Case, at taken) {
	x := c.open[b.Number]
	if x == nil {
		return
	}
	e := eventOf(b, at.wall)
	file, err := x.file.Step(e)
	if err != nil {
		return // written by a program that allows more
	}
	was := x.file.Phase()
	x.file, x.steps = file, append(x.steps, at.of(e))
	if drilled(file) {
		c.stepDrill(x)
		return
	}
	if b.Step == entry.CaseIdentified {
		c.g.register.nameCase(b.Subject)
	}
	switch phase := file.Phase(); {
	case phase == was:
	case phase == casefile.Away:
		c.away(x, was)
	case phase == casefile.Cleared:
		if !e.On.After(e.At) { // else when that day has begun
			c.release(x)
		}
	case phase == casefile.Closed:
		c.close(x, b, at.wall)
	}
}

// away holds whoever went away, until the return is cleared. The caller holds mu.
func (c *cases) away(x *caseNow, was casefile.Phase) {
	x.free, x.back = false, false
	if x.file.Subject != 0 {
		c.g.register.nameCase(x.file.Subject)
	}
	if was == casefile.Cleared {
		return // the clearance was taken back
	}
	c.left = append(c.left, x.file)
	for number, other := range c.open { // what is owed now is what this one asks
		if other != x && other.file.Owing() && other.file.Subject == x.file.Subject && x.file.Subject != 0 {
			delete(c.open, number)
			c.g.register.endCase(number)
		}
	}
}

// release lets somebody come back. The caller holds mu.
func (c *cases) release(x *caseNow) {
	x.free = true
	c.g.register.clearCase(x.file.Subject, x.arrival, c.holdsBeside(x))
}

// close ends a case. The caller holds mu.
func (c *cases) close(x *caseNow, b entry.Case, wall time.Time) {
	r := c.g.register
	delete(c.open, b.Number)
	r.endCase(b.Number)
	if !x.free {
		r.clearCase(x.file.Subject, x.arrival, c.holdsBeside(x))
	}
	if b.Step == entry.CaseBackToClass && x.arrival != (entry.ArrivalID{}) {
		r.cameIn(x.file.Subject, wall)
	}
	c.ended = append(c.ended, x.file)
	c.ended = c.ended[max(0, len(c.ended)-endedMost):]
}

// holdsBeside reports whether another case holds the person of one. The caller
// holds mu.
func (c *cases) holdsBeside(x *caseNow) bool {
	for _, other := range c.open {
		if other != x && other.file.Subject == x.file.Subject && !other.free && x.file.Subject != 0 {
			return true
		}
	}
	return false
}

// monoOf returns when something was on the monotonic clock. What lies in the
// future, by a clock that fell back, is now.
func (g *Gate) monoOf(wall time.Time) time.Duration {
	now := g.o.Now()
	return now.Mono - max(0, now.Wall.Sub(wall))
}
