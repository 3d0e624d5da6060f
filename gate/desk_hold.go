package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

const (
	// reasonOver marks the end of a hold by name whose time has passed.
	reasonOver = "over"
	// overWithin is how soon the gate notices that a hold's time has passed. It
	// looks at the clock instead of waiting for a moment: clocks are set.
	overWithin = 10 * time.Second
)

// errNoHold: there is nothing to lift.
var errNoHold = errors.New("no hold stands against that person")

// named is a hold that people at the desk placed.
type named struct {
	reason string
	by     []uint64
	since  time.Time
	until  time.Time // zero: until it is lifted by name
	// stored says that its entry is durable. Until then it holds all the same,
	// and whoever placed it has been told to try again.
	stored bool
}

// entry returns the body that places the hold.
func (n named) entry(subject uint64) entry.Answer {
	a := entry.Answer{Act: entry.ActHoldPlaced, Outcome: uint8(screening.Refer), Subject: subject, By: n.by, Reason: n.reason}
	if !n.until.IsZero() {
		a.Until = n.until.UnixMilli()
	}
	return a
}

// placeNamed lets a hold stand. It reports false where one stands already: to
// place another over it would be a way to shorten it.
func (r *register) placeNamed(subject uint64, n named) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.named[subject].stored {
		return false
	}
	r.named[subject] = n
	return true
}

// storedNamed says that the entry of a hold is durable.
func (r *register) storedNamed(subject uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.named[subject]
	n.stored = true
	r.named[subject] = n
}

// liftNamed ends what placeNamed placed, and nothing else.
func (r *register) liftNamed(subject uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.named, subject)
}

// over returns against whom a hold stands whose time has passed.
func (r *register) over(now time.Time) (subjects []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for subject, n := range r.named {
		if !n.until.IsZero() && !now.Before(n.until) {
			subjects = append(subjects, subject)
		}
	}
	slices.Sort(subjects)
	return subjects
}

// byName returns the hold that people placed against a subject.
func (r *register) byName(subject uint64) (named, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.named[subject]
	return n, ok
}

// replayNamed places a hold as its entry says.
func (r *register) replayNamed(e entry.Entry) {
	var a entry.Answer
	if e.Decode(&a) != nil {
		return
	}
	n := named{reason: a.Reason, by: a.By, since: time.UnixMilli(e.Wall), stored: true}
	if a.Until != 0 {
		n.until = time.UnixMilli(a.Until)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.named[a.Subject] = n
}

// endHolds ends the holds whose time has passed, at the start and from then on.
func (g *Gate) endHolds(ctx context.Context) error {
	tick := time.NewTicker(overWithin)
	defer tick.Stop()
	for {
		if err := g.endOver(ctx); err != nil && ctx.Err() == nil {
			g.log.Warn("hold stands on: its end is not recorded", "err", err)
		}
		g.freeReturns()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// endOver ends what is over now: the entry first, because a hold that ends
// without one would come back. By a clock that nobody vouches for nothing is.
func (g *Gate) endOver(ctx context.Context) error {
	if len(g.register.over(g.o.Now().Wall)) == 0 {
		return nil
	}
	now := g.recorder.now() // sees a step, after which what was confirmed is so no longer
	if now.Clock < entry.ClockConfirmed {
		return nil
	}
	g.register.deciding.Lock()
	defer g.register.deciding.Unlock()
	for _, subject := range g.register.over(now.Wall) {
		if err := g.recorder.wait(ctx, holdEntry(entry.ActHoldLifted, subject, reasonOver)); err != nil {
			return err
		}
		g.register.liftNamed(subject)
		g.changed()
	}
	return nil
}

// liftByName ends every hold against a subject: the entry first, because a hold
// that is lifted without one would come back. The caller holds deciding.
func (g *Gate) liftByName(ctx context.Context, subject uint64, by []uint64) error {
	h, held, _ := g.register.look(subject, g.o.Now().Mono)
	if !held {
		return errNoHold
	}
	_, open := g.cases.ofSubject(subject)
	_, owed := g.cases.owing(subject)
	if open || owed {
		return fmt.Errorf("a case is open, and its own steps in the isolation room end the hold: %w", guard.ErrNotAllowed)
	}
	if err := g.recorder.wait(ctx, entry.Answer{Arrival: h.id, Act: entry.ActHoldLifted, Subject: subject, By: by}); err != nil {
		return err
	}
	g.register.lift(subject)
	g.changed()
	return nil
}

// Holds implements desk.Holds. Whoever waits under a ticket is finished there,
// unless a return is to be checked first.
func (d deskPage) Holds() []desk.Hold {
	people, waiting := d.roster.Snapshot(), map[uint64]bool{}
	for _, a := range d.register.list() {
		waiting[a.arrival.Subject.ID] = true
	}
	var list []desk.Hold
	for id, h := range d.register.holds() {
		number, owed := d.cases.owing(id)
		if waiting[id] && !h.named && !owed {
			continue
		}
		one := desk.Hold{Subject: id, Reason: "stopped", Stored: true, Return: int(number)}
		one.Name, one.Class = nameOf(people, id)
		switch n, ok := d.register.byName(id); {
		case ok:
			one.Reason, one.Since, one.Until, one.Stored = n.reason, n.since, n.until, n.stored
			one.By, _ = nameOf(people, n.by[0])
		case h.inCase:
			one.Reason = d.inCase(id)
		case h.above:
			one.Reason = "above"
		}
		list = append(list, one)
	}
	slices.SortFunc(list, desk.Hold.Compare)
	return list
}

// Hold implements desk.Holds. The hold first, because whether or not it can be
// recorded, nobody admits; a crash before its entry forgets both, and nobody was
// told that it stands.
func (d deskPage) Hold(ctx context.Context, p desk.Placing) error {
	person, ok := d.roster.Snapshot().ByID(p.Subject)
	if !ok || person.Left {
		return guard.ErrStale
	}
	stamp := d.recorder.clock.look()
	n := named{reason: p.Reason, by: d.names(p.By.ID), since: stamp.Wall}
	if days := p.Until.Days(); days > 0 {
		if stamp.Clock < entry.ClockConfirmed {
			return desk.ErrClock // the end would lie anywhere
		}
		y, m, day := stamp.Wall.Date()
		n.until = time.Date(y, m, day+days, 0, 0, 0, 0, stamp.Wall.Location())
	}
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	if !d.register.placeNamed(p.Subject, n) {
		return desk.ErrHeld
	}
	d.tellHeld(p.Subject)
	if err := d.recorder.wait(ctx, n.entry(p.Subject)); err != nil {
		return err
	}
	d.register.storedNamed(p.Subject)
	d.register.did(done{word: undoHold, subject: p.Subject, by: p.By.ID, at: stamp.Mono, what: "desk.hold", placed: n})
	d.changed()
	return nil
}

// Lift implements desk.Holds.
func (d deskPage) Lift(ctx context.Context, l desk.Lifting) error {
	if l.Subject == l.By.ID {
		return desk.ErrSelf
	}
	by, ok := d.roster.Snapshot().ByID(l.By.ID)
	if !ok {
		return web.ErrPIN
	}
	if _, err := (staff{d.roster}).CheckPIN(ctx, by.Badge, l.PIN); err != nil {
		return err
	}
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	seen := slices.ContainsFunc(d.Holds(), func(h desk.Hold) bool { return h.Subject == l.Subject && h.Version() == l.Version })
	if !seen {
		return guard.ErrStale
	}
	return d.liftByName(ctx, l.Subject, d.names(l.By.ID))
}
