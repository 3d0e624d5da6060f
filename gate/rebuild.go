package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// rebuild reads the journal once and brings holds, asides, alarms and today
// back to what they were. Nothing that it reads moves a relay.
func (g *Gate) rebuild(ctx context.Context) error {
	stops, rang := map[entry.ArrivalID]screening.Arrival{}, map[entry.ArrivalID]bool{}
	for row, err := range g.journal.Rows(ctx, 0) {
		if err != nil {
			return fmt.Errorf("rebuild from journal: %w", err)
		}
		e := row.Entry
		wall := time.UnixMilli(e.Wall)
		if wall.After(g.recorder.clock.floor) {
			g.recorder.clock.floor = wall
		}
		id, rec, ok := recordOf(e)
		if !ok {
			continue
		}
		if uint8(rec.Act) == entry.ActHoldLifted {
			g.register.lift(rec.Subject.ID)
			continue
		}
		if stopped, ok := stops[id]; ok { // an answer does not repeat it
			rec.Direction = stopped.Direction
		}
		g.register.apply(id, rec, wall)
		g.alarms.replay(rang, id, rec, wall)
		g.replayAside(stops, id, rec, e, wall)
	}
	return nil
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
		a = screening.Arrival{Direction: rec.Direction, Subject: rec.Subject}
	}
	if rec.Reading != nil && (rec.Act == lane.NoAct || rec.Act == lane.Typed) {
		a.Readings = append(a.Readings, *rec.Reading)
	}
	if rec.Code.Colour != screening.ColourUnknown || rec.Code.Digest != nil {
		a.Code = rec.Code
	}
	a.Held = rec.Decision.Has(screening.OnHold)
	stops[id] = a
	switch {
	case rec.Act == lane.Aside:
		g.register.setAside(&aside{ticket: rec.Ticket, id: id, version: 1, arrival: a, decision: rec.Decision, since: wall, lane: e.Lane})
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
