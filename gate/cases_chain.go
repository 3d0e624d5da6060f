package gate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// This file follows cases beyond the room: who is told of them within which
// time, and how who went away comes back.

const (
	// endedMost bounds the cases that are remembered after their end.
	endedMost = 200
	// soundFor is how long after its time a duty is still heard and lit. Then the
	// pages alone go on: what nobody answers for a day is answered by no noise.
	soundFor = 24 * time.Hour
)

// caseRules are what the policy in force says of cases.
func (g *Gate) caseRules() casefile.Rules { return g.document().Cases }

// extraRounds returns the rounds as an opening keeps them: 0 where it is one, as
// entries before there were rounds have it.
func extraRounds(r casefile.Rules) uint8 {
	if r.Rounds <= 1 {
		return 0
	}
	return r.Rounds
}

// taken is when a step was taken: by the wall clock and how good that was, and by
// the monotonic clock; of a step of a process before this one, when it was read.
type taken struct {
	wall  time.Time
	clock entry.Clock
	mono  time.Duration
	live  bool
}

// takenAt is the moment of a step that is taken now, or that stands on paper with
// a time.
func takenAt(now entry.Stamp, b entry.Case) taken {
	at := taken{wall: now.Wall, clock: now.Clock, mono: now.Mono, live: true}
	if b.At != 0 {
		at.mono -= max(0, now.Wall.Sub(time.UnixMilli(b.At)))
	}
	return at
}

// of returns the moment of an event that the entry dates itself.
func (t taken) of(e casefile.Event) taken {
	t.wall = e.At
	return t
}

// ago returns how long ago a step was taken. Across a restart only the wall clock
// knows for how long the gate was off. Where nobody vouches for it, then or now,
// all of the time is taken for spent: an alarm that comes too early costs one
// press, one that never comes costs the report.
func (t taken) ago(now entry.Stamp) time.Duration {
	switch {
	case t.live:
		return now.Mono - t.mono
	case t.trusted(now):
		return max(0, now.Wall.Sub(t.wall))
	}
	return casefile.MaxWithin + now.Mono - t.mono
}

// trusted reports whether the wall clock was trusted when the step was taken and
// is now.
func (t taken) trusted(now entry.Stamp) bool {
	return t.clock >= entry.ClockConfirmed && now.Clock >= entry.ClockConfirmed
}

// anchor brings the steps of a process before this one onto the monotonic clock of
// this one, as soon as the wall clock is trusted: however it jumps from then on, no
// duty has more or less time. What list handed out keeps its own steps.
func (x *caseNow) anchor(now entry.Stamp) {
	before := func(t taken) bool { return !t.live && t.trusted(now) }
	if !slices.ContainsFunc(x.steps, before) {
		return
	}
	x.steps = slices.Clone(x.steps)
	for i, t := range x.steps {
		if before(t) {
			x.steps[i].mono, x.steps[i].live = now.Mono-t.ago(now), true
		}
	}
}

// owed returns the duties of a case whose trigger was met.
func (g *Gate) owed(x caseNow, now entry.Stamp) []casefile.Due {
	elapsed := make([]time.Duration, len(x.steps))
	for i, t := range x.steps {
		elapsed[i] = t.ago(now)
	}
	rules := g.caseRules()
	if p, ok := g.roster.Snapshot().ByID(x.file.Subject); ok && p.Role != roster.Student {
		rules.Duties = slices.DeleteFunc(slices.Clone(rules.Duties), func(d casefile.Duty) bool { return d.ID == casefile.Guardian })
	}
	return x.file.Owed(rules, elapsed)
}

// late are the duties that nobody has done although their time runs out.
type late struct {
	// soon says that the time of one runs out, and over that it has, so that it is
	// heard. Since is when that last happened, monotonic.
	soon, over bool
	since      time.Duration
	// first is the case whose duty ran out first, 0 for none.
	first uint16
}

// lateDuties returns what is late now, over all cases.
func (g *Gate) lateDuties(now entry.Stamp) (l late) {
	var oldest time.Duration
	for _, x := range g.cases.all() {
		for _, d := range g.owed(x, now) {
			switch {
			case d.Over():
				if at := now.Mono + d.Left; d.Left > -soundFor && (!l.over || at > l.since) {
					l.over, l.since = true, at
				}
				if l.first == 0 || d.Left < oldest {
					l.first, oldest = x.file.Number, d.Left
				}
			case d.Soon():
				l.soon = true
			}
		}
	}
	return l
}

// dutyMoments calls at with the moments at which a duty begins to be told of and
// at which its time has run out, monotonic.
func (g *Gate) dutyMoments(at func(time.Duration)) {
	now := g.recorder.clock.look()
	for _, x := range g.cases.all() {
		for _, d := range g.owed(x, now) {
			if !d.Told {
				at(now.Mono + d.Left - d.Within/4)
				at(now.Mono + d.Left)
				at(now.Mono + d.Left + soundFor)
			}
		}
	}
}

// cameBack notes that a lane has let somebody in who was cleared. The entry that
// ends the case follows: see takeReturns.
func (c *cases) cameBack(rec lane.Record) {
	if rec.Decision.Outcome != screening.Admit || rec.Direction != screening.In || rec.Subject.ID == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.open {
		if x.file.Subject == rec.Subject.ID && x.file.Phase() == casefile.Cleared {
			x.back = true
		}
	}
}

// takeReturns ends the cases of those who came back. A crash before the entry
// leaves a case that the arrival's own entry ends at the next start.
func (g *Gate) takeReturns(ctx context.Context) {
	for _, x := range g.cases.all() {
		if !x.back {
			continue
		}
		e := casefile.Event{Step: casefile.Returned, At: g.recorder.clock.look().Wall}
		if err := g.stepCase(ctx, x.file.Number, x.file.Version(), e); err != nil && !errors.Is(err, guard.ErrStale) && ctx.Err() == nil {
			g.log.Warn("return not recorded yet", "case", x.file.Number, "err", err)
		}
	}
}

// freeReturns lifts the holds of those whose day of return has begun. By a clock
// that nobody vouches for none has.
func (g *Gate) freeReturns() {
	now := g.recorder.clock.look()
	if now.Clock < entry.ClockConfirmed {
		return
	}
	freed := false
	g.cases.mu.Lock()
	for _, x := range g.cases.open {
		if e, ok := x.file.Clearance(); ok && !x.free && !now.Wall.Before(e.On) {
			g.cases.release(x)
			freed = true
		}
	}
	g.cases.mu.Unlock()
	if freed {
		g.changed()
	}
}

// lifted ends the cases of somebody who is away and whose hold was lifted by name:
// so did programs that knew no way back.
func (c *cases) lifted(subject uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, x := range c.open {
		if x.file.Subject == subject && subject != 0 && x.file.Owing() {
			delete(c.open, number)
			c.g.register.endCase(number)
		}
	}
}

// endedOn returns the cases that ended on the day of a moment, the newest first.
func (c *cases) endedOn(now time.Time) (list []casefile.Case) {
	c.mu.Lock()
	defer c.mu.Unlock()
	day := now.Format(time.DateOnly)
	for _, x := range slices.Backward(c.ended) {
		if x.End().At.In(now.Location()).Format(time.DateOnly) == day {
			list = append(list, x)
		}
	}
	return list
}

// owing returns the number of the case for which somebody is held who is away.
func (c *cases) owing(subject uint64) (uint16, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, x := range c.open {
		if x.file.Subject == subject && subject != 0 && x.file.Owing() && !x.free {
			return number, true
		}
	}
	return 0, false
}

// inCase says why somebody is held for a case, as a word behind "reason." and
// "hold.".
func (g *Gate) inCase(subject uint64) string {
	if _, open := g.cases.ofSubject(subject); open {
		return "case"
	}
	if _, owed := g.cases.owing(subject); owed {
		return "return"
	}
	return "case" // carried over from the journal before
}

// caseReasons says of somebody on hold for a case that it is so.
func (g *Gate) caseReasons(subject uint64, reasons []string) []string {
	i := slices.Index(reasons, screening.OnHold.String())
	if h, _, _ := g.register.look(subject, 0); i >= 0 && h.inCase {
		reasons[i] = g.inCase(subject)
	}
	return reasons
}

// carriedCases returns the entries by which the cases of those who are away stand
// in the next journal, with their times. Arrivals of the old one mean nothing there.
func (g *Gate) carriedCases() (drafts []journal.Draft) {
	stamp := g.recorder.clock.look()
	for _, x := range g.cases.all() {
		for i, e := range x.file.Events {
			e.Late = true
			b := stepBody(x.file, entry.ArrivalID{}, e)
			if i == 0 {
				b.Subject, b.Origin, b.Found, b.Rounds = e.Subject, uint8(x.file.Origin), x.file.Found, extraRounds(casefile.Rules{Rounds: x.file.Rounds})
				b.Reading = nil // the gate's, of which the case knows no more than the figure
			}
			drafts = append(drafts, journal.Draft{Kind: entry.KindCase, Stamp: stamp, Body: b})
		}
	}
	return drafts
}

// carriedAlone reports whether the case of somebody who is away holds all that the
// arrival of it held.
func (g *Gate) carriedAlone(subject uint64, h hold) bool {
	number, owed := g.cases.owing(subject)
	x, _ := g.cases.look(number)
	return owed && (h.id == entry.ArrivalID{} || h.id == x.arrival)
}

// unixMilli is a moment as entries have it; the zero time is 0.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// momentOf is the moment of an entry; 0 is the zero time.
func momentOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
