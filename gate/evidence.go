package gate

import (
	"maps"
	"slices"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/dossier"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
)

// This file gathers what the gate knows of somebody beside badge, temperature
// and colour: roster, visit, case, earlier passages and calendar.

// directionOf and placeOf read a lane's configuration.
func directionOf(c config.Lane) screening.Direction {
	if c.Direction == config.DirectionOut {
		return screening.Out
	}
	return screening.In
}

func placeOf(c config.Lane) screening.Place {
	p, _ := screening.ParsePlace(c.Place)
	return p
}

// evidence completes a scan whose subject was found.
func (l *laneLoop) evidence(s lane.Scan) lane.Scan {
	now := l.g.recorder.clock.look()
	a := screening.Arrival{Direction: directionOf(l.cfg), Lane: uint8(l.cfg.Number), Subject: s.Subject, Now: now.Wall}
	l.g.complete(&a, l.people)
	s.Subject, s.Proofs, s.Case, s.Again, s.NoSchool = a.Subject, a.Proofs, a.Case, a.Again, a.NoSchool
	if a.Direction == screening.Out && l.g.handedOver(s.Subject.ID, now.Wall) {
		h, held, _ := l.g.register.look(s.Subject.ID, now.Mono)
		s.Case, s.Held = screening.NoCase, held && (h.named || h.above)
		s.Proofs = append(s.Proofs, screening.Proof{Of: screening.Approval, At: now.Wall})
	}
	if seen, ok := l.g.register.seenLately(s.Subject.ID, now.Mono); ok {
		s.Shown = seen.shown
		if seen.code.Colour == screening.Green && s.Code.Colour <= screening.Green {
			s.Code = seen.code
		}
	}
	return s
}

// complete fills an arrival of a known subject, lane, direction and time with
// all that the gate knows now. What a person noted of it stays.
func (g *Gate) complete(a *screening.Arrival, people *roster.Snapshot) {
	id := a.Subject.ID
	if i := slices.IndexFunc(g.lanes, func(l *laneLoop) bool { return l.cfg.Number == int(a.Lane) }); i >= 0 {
		a.Place = placeOf(g.lanes[i].cfg)
	}
	p, listed := people.ByID(id)
	a.NoSchool = !g.year().Expected(a.Now, classOf(p))
	if id == 0 {
		return
	}
	a.Proofs = slices.DeleteFunc(slices.Clone(a.Proofs), func(p screening.Proof) bool { return lane.NotedReason(p.Of) == screening.NoReason })
	if listed {
		who, proofs := dossier.Of(p, a.Now.Location())
		a.Subject.Role, a.Subject.Grade, a.Subject.Boarding = who.Role, who.Grade, who.Boarding
		a.Proofs = append(proofs, a.Proofs...)
	}
	since := time.Time{}
	if v, ok := g.register.visits.of(id); ok {
		a.Subject.Role, since = screening.Visitor, v.since
		a.Proofs = append(v.proofs(), a.Proofs...)
	}
	a.Case = g.caseState(id)
	a.Again = g.again(*a, since)
}

// handedOver reports whether the way out stands open to a child that was handed
// over a moment ago: who took it answers for it.
func (g *Gate) handedOver(subject uint64, now time.Time) bool {
	return subject != 0 && slices.ContainsFunc(g.cases.leaving(now), func(c casefile.Case) bool { return c.Subject == subject })
}

// caseState says what stands open of somebody's cases.
func (g *Gate) caseState(subject uint64) screening.CaseState {
	h, held, _ := g.register.look(subject, 0)
	switch {
	case !held || !h.inCase:
		return screening.NoCase
	case g.inCase(subject) == "return":
		return screening.ReturnOwed
	}
	return screening.CaseOpen
}

// traces are what somebody's evidence is judged by later: the last passage of
// each person by a lane today, and what was seen of whom the desk let in. The
// register's lock guards them. Passages are rebuilt from the journal; what was
// seen serves for minutes only, and a restart asks again.
type traces struct {
	day      string
	passages map[uint64]crossing
	seen     map[uint64]seen
}

// crossing is how somebody passed a lane last.
type crossing struct {
	id        entry.ArrivalID
	direction screening.Direction
	at        time.Time
}

// lane returns the lane's number, which every arrival's counter has in it.
func (p crossing) lane() uint8 { return uint8(p.id.Counter&0xF) + 1 }

// seen is what somebody at the desk has seen of a person who was set aside.
type seen struct {
	shown []screening.Shown
	code  screening.Code
	until time.Duration // monotonic
}

// elsewhereWithin is how long after a passage by one lane the same badge at
// another is worth a look.
const elsewhereWithin = 10 * time.Minute

// passed takes from a record that its person passes the lane, or does not after
// all. Whom the desk has let in still has to. The caller holds the lock.
func (t *traces) passed(id entry.ArrivalID, rec lane.Record, wall time.Time) {
	if day := wall.Format(time.DateOnly); t.day != day {
		t.day, t.passages = day, map[uint64]crossing{}
	}
	switch s := rec.Subject.ID; {
	case rec.Act == lane.Withheld: // which may name nobody
		maps.DeleteFunc(t.passages, func(_ uint64, p crossing) bool { return p.id == id })
	case s == 0, !rec.Act.AtLane(), rec.Ticket != 0, rec.Decision.Outcome != screening.Admit, rec.End == lane.Incomplete:
	default:
		t.passages[s] = crossing{id, rec.Direction, wall}
	}
}

// again says whether somebody passed this gate before, since a moment: a
// visitor's card was somebody else's before that.
func (r *register) again(subject uint64, to screening.Direction, laneNumber uint8, now, since time.Time) screening.Again {
	p, ok := r.passage(subject)
	if !ok || p.at.Before(since) {
		return screening.NotAgain
	}
	return repeated(p, p.lane() != laneNumber, to, now)
}

// repeated says what a passage means to somebody who comes now.
func repeated(p crossing, elsewhere bool, to screening.Direction, now time.Time) screening.Again {
	switch {
	case p.at.In(now.Location()).Format(time.DateOnly) != now.Format(time.DateOnly) || p.direction != to:
		return screening.NotAgain
	case elsewhere && !p.at.After(now) && now.Sub(p.at) <= elsewhereWithin:
		return screening.AgainElsewhere
	case to == screening.In:
		return screening.AgainInside
	}
	return screening.NotAgain
}

// carrySeen lets what the desk has seen serve at any lane for a while.
func (r *register) carrySeen(subject uint64, a screening.Arrival, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if subject == 0 {
		return
	}
	s := seen{shown: a.Shown, until: now + carryFor}
	if a.Code.How == screening.SeenByName || a.Code.How == screening.SeenPrinted {
		s.code = a.Code
	}
	r.traces.seen[subject] = s
}

// forgetSeen lets nothing that was seen serve any more: other rules ask for other
// things under the same names.
func (r *register) forgetSeen() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.traces.seen)
}

// seenLately returns what carrySeen has let serve.
func (r *register) seenLately(subject uint64, now time.Duration) (seen, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.traces.seen[subject]
	if ok && now > s.until {
		delete(r.traces.seen, subject)
		return seen{}, false
	}
	return s, ok
}
