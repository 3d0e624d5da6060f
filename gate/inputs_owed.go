package gate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// reasonWithin is how long whoever opened a lane by its button may take to say
// why; after that the page says so.
const reasonWithin = 10 * time.Minute

// unexplained are the openings by hand whose reason nobody has given. It is rebuilt
// from the journal by the same functions that keep it.
type unexplained struct {
	// giving is held by whoever gives a reason until its entry is durable.
	giving sync.Mutex

	mu   sync.Mutex
	list []owedReason // the oldest first
}

type owedReason struct {
	id    entry.ArrivalID
	lane  uint8
	since time.Time
}

// follow takes a record that is durable. An opening that was withheld moved
// nothing, and nothing is owed for it.
func (o *unexplained) follow(id entry.ArrivalID, rec lane.Record, laneNumber uint8, wall time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case rec.Act == lane.Overridden && rec.Reason == lane.ReasonOwed:
		o.list = append(o.list, owedReason{id, laneNumber, wall})
	case rec.Act == lane.Withheld, uint8(rec.Act) == entry.ActReasonGiven:
		o.list = slices.DeleteFunc(o.list, func(x owedReason) bool { return x.id == id })
	}
}

// first returns the oldest, and how many there are.
func (o *unexplained) first() (x owedReason, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.list) > 0 {
		x = o.list[0]
	}
	return x, len(o.list)
}

func (o *unexplained) find(id string) (owedReason, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.list, func(x owedReason) bool { return x.id.String() == id })
	if i < 0 {
		return owedReason{}, false
	}
	return o.list[i], true
}

// asks returns the question about the oldest, if there is one.
func (o *unexplained) asks(now time.Time) []guard.Question {
	x, n := o.first()
	if n == 0 {
		return nil
	}
	return []guard.Question{{
		Kind: guard.AskReason, About: x.id.String(), Lane: int(x.lane), Date: x.since.In(now.Location()), Open: n,
		Late: now.Sub(x.since) >= reasonWithin,
	}}
}

// GiveReason implements guard.Reasons. The entry comes first: without it the
// reason is owed still.
func (g *Gate) GiveReason(ctx context.Context, r guard.Reason) error {
	g.unexplained.giving.Lock()
	defer g.unexplained.giving.Unlock()
	x, ok := g.unexplained.find(r.About)
	if !ok {
		return guard.ErrStale
	}
	p, ok := g.roster.Snapshot().ByID(r.By.ID)
	if !ok {
		return guard.ErrNotAllowed
	}
	if _, err := (staff{g.roster}).CheckPIN(ctx, p.Badge, r.PIN); err != nil {
		return fmt.Errorf("give reason: %w", err)
	}
	if err := g.recorder.waitAt(ctx, x.lane, entry.Answer{Arrival: x.id, Act: entry.ActReasonGiven, By: g.names(r.By.ID), Reason: r.Why}); err != nil {
		return err
	}
	g.unexplained.follow(x.id, lane.Record{Act: lane.Act(entry.ActReasonGiven)}, x.lane, x.since)
	g.changed()
	return nil
}
