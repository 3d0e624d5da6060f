package gate

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// rebuild reads the journal once and brings holds, asides, alarms and today
// back to what they were. Nothing that it reads moves a relay.
func (g *Gate) rebuild(ctx context.Context) error {
	return g.replay(g.journal.Rows(ctx, 0))
}

func (g *Gate) replay(rows iter.Seq2[journal.Row, error]) error {
	stops, rang := map[entry.ArrivalID]screening.Arrival{}, map[entry.ArrivalID]bool{}
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("rebuild from journal: %w", err)
		}
		e := row.Entry
		wall := time.UnixMilli(e.Wall)
		if wall.After(g.recorder.clock.floor) {
			g.recorder.clock.floor = wall
		}
		if e.Kind == entry.KindRoster {
			g.questions.replayRoster(e)
		}
		if e.Kind == entry.KindPolicy {
			g.rules.replay(e)
			continue
		}
		if e.Kind == entry.KindCase {
			g.cases.replay(e)
			g.watcher.replayCase(e)
			continue
		}
		id, rec, ok := recordOf(e)
		if ok && g.calibrations.replay(row, rec) {
			continue
		}
		if ok && g.watcher.replayChecked(e, uint8(rec.Act)) {
			continue
		}
		if ok {
			g.watcher.record(id, rec, e.Lane, wall)
		}
		if ok && g.acceptance.replay(rec, wall) {
			continue
		}
		if !ok || g.register.visits.replay(row, rec) {
			continue
		}
		if g.replayDuty(e, rec) || g.replayHold(e, rec) {
			continue
		}
		if !rec.Act.AtLane() {
			g.replayBeside(e, rec, id, stops)
			continue
		}
		if stopped, ok := stops[id]; ok { // an answer does not repeat it
			rec.Direction = stopped.Direction
		}
		g.replayAct(rec)
		g.register.met(e.Lane, id, rec, wall)
		g.register.apply(id, rec, wall)
		g.unexplained.follow(id, rec, e.Lane, wall)
		g.cases.cameBack(rec)
		g.alarms.replay(rang, id, rec, row.Seq, wall)
		g.replayAside(stops, id, rec, e, wall)
	}
	g.register.forgetActs()
	g.drill.replayed()
	return nil
}

// replayHold takes a record that is about a hold alone. One that names nobody
// came from where its reason says, or ended by itself.
func (g *Gate) replayHold(e entry.Entry, rec lane.Record) bool {
	switch uint8(rec.Act) {
	case entry.ActHoldPlaced:
		switch {
		case len(rec.By) > 0:
			g.register.replayNamed(e)
		case rec.Reason == reasonRebase:
			g.register.restore(rec)
		default:
			g.register.place(rec.Subject.ID, rec.Reason)
		}
	case entry.ActHoldLifted:
		switch {
		case len(rec.By) > 0:
			g.register.lift(rec.Subject.ID)
			g.cases.lifted(rec.Subject.ID)
		case rec.Reason == reasonOver:
			g.register.liftNamed(rec.Subject.ID)
		default:
			g.register.liftFrom(rec.Subject.ID, rec.Reason)
		}
	default:
		return false
	}
	return true
}

// replayAside follows one stopped arrival to the ticket under which it waits.
func (g *Gate) replayAside(stops map[entry.ArrivalID]screening.Arrival, id entry.ArrivalID, rec lane.Record, e entry.Entry, wall time.Time) {
	if rec.Act == lane.NoAct && (rec.Decision.Outcome == screening.Admit || rec.End == lane.Incomplete) {
		return
	}
	if rec.Act == lane.Acknowledge && rec.Reason == reasonRoom {
		return
	}
	a := stops[id]
	if rec.Act == lane.NoAct {
		a = screening.Arrival{Direction: rec.Direction, Subject: rec.Subject, Lane: e.Lane}
	}
	if rec.Reading != nil && (rec.Act == lane.NoAct || rec.Act == lane.Typed) {
		a.Readings = append(a.Readings, *rec.Reading)
	}
	if rec.Code.Colour != screening.ColourUnknown || rec.Code.Digest != nil {
		a.Code = rec.Code
	}
	shownIn(&a, rec, wall)
	a.Held = rec.Decision.Has(screening.OnHold)
	stops[id] = a
	switch {
	case rec.Act == lane.Aside:
		g.register.setAside(&aside{ticket: rec.Ticket, id: id, version: 1, arrival: a, decision: rec.Decision, since: wall, due: g.monoOf(wall) + againAfter, lane: e.Lane})
		g.register.ticket = rec.Ticket
	case rec.Decision.Outcome == screening.Admit, rec.Act == lane.TurnedAway, rec.Act == lane.Acknowledge:
		if rec.Ticket != 0 {
			delete(g.register.asides, rec.Ticket)
		}
		delete(stops, id)
	case rec.Ticket != 0 && g.register.asides[rec.Ticket] != nil:
		x := g.register.asides[rec.Ticket]
		x.arrival, x.decision = a, rec.Decision
	}
}
