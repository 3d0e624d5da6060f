package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// reasonSymptoms is why somebody is held who looks ill.
const reasonSymptoms = "symptoms"

// Classes implements desk.People.
func (d deskPage) Classes() []string { return d.roster.Snapshot().Classes() }

// Class implements desk.People.
func (d deskPage) Class(class, letters string) (list []desk.Person) {
	for _, f := range d.roster.Snapshot().Class(class) {
		if f.Begins(letters) {
			list = append(list, personAtDesk(f.Person))
		}
	}
	return list
}

// Person implements desk.People.
func (d deskPage) Person(id uint64) (desk.Person, bool) {
	p, ok := d.roster.Snapshot().ByID(id)
	return personAtDesk(p), ok && !p.Left
}

func personAtDesk(p roster.Person) desk.Person {
	return desk.Person{ID: p.ID, Name: p.Name, Class: p.Class}
}

// naming asks a lane to take somebody as if the badge had been scanned. Done has
// room for the answer.
type naming struct {
	subject uint64
	done    chan error
}

// Name implements desk.Lanes. The entry is durable before the lane hears of it;
// a crash in between leaves the name without an arrival, and nothing moved.
func (d deskPage) Name(ctx context.Context, n desk.Naming) error {
	l, ok := d.entryLane(n.Lane)
	if _, here := d.Person(n.Subject); !ok || !here {
		return guard.ErrStale
	}
	if err := takesNames(l.shown.Load().view); err != nil {
		return err
	}
	if err := d.recorder.waitAt(ctx, uint8(n.Lane), entry.Answer{Act: entry.ActNamed, Subject: n.Subject, By: d.names(n.By.ID)}); err != nil {
		return err
	}
	ask := naming{n.Subject, make(chan error, 1)}
	l.offer(ctx, ask)
	select {
	case err := <-ask.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("name at lane %d: %w", n.Lane, ctx.Err())
	}
}

// entryLane returns a lane by which people come in.
func (g *Gate) entryLane(number int) (*laneLoop, bool) {
	i := slices.IndexFunc(g.lanes, func(l *laneLoop) bool { return l.cfg.Number == number && l.cfg.Direction != config.DirectionOut })
	if i < 0 {
		return nil, false
	}
	return g.lanes[i], true
}

// takesNames returns why a lane does not take somebody whom the desk names. One
// whose scanner is out does: it is the way that is left.
func takesNames(v lane.View) error {
	switch {
	case v.Phase == lane.Attended:
		return desk.ErrLaneOut
	case v.Phase == lane.Idle, v.Phase == lane.Gathering && v.Subject.ID == 0:
		return nil
	}
	return guard.ErrBusy
}

// name takes somebody as lookUp and step would with the badge. Only the machine
// knows whether the lane is still free.
func (l *laneLoop) name(subject uint64) error {
	if err := takesNames(l.machine.View()); err != nil {
		return err
	}
	l.people = l.g.roster.Snapshot()
	p, ok := l.people.ByID(subject)
	if !ok || p.Left {
		return guard.ErrStale
	}
	l.step(l.known(p, lane.Scan{Named: true}))
	return nil
}

// metMost is of how many people a lane remembers that it decided about them: as
// many as pass while somebody presses four times.
const metMost = 32

// meeting is one person about whom a lane decided.
type meeting struct {
	id      entry.ArrivalID
	subject uint64
	at      time.Time
}

// met remembers whom a lane decided about, once its entry is durable.
func (r *register) met(laneNumber uint8, id entry.ArrivalID, rec lane.Record, wall time.Time) {
	if rec.Act != lane.NoAct || rec.Subject.ID == 0 || rec.End == lane.Incomplete {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.DeleteFunc(r.meets[laneNumber], func(m meeting) bool { return m.subject == rec.Subject.ID })
	list = append(list, meeting{id, rec.Subject.ID, wall})
	r.meets[laneNumber] = list[max(0, len(list)-metMost):]
}

// meetings returns whom a lane decided about, the newest first.
func (r *register) meetings(laneNumber int) []meeting {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.meets[uint8(laneNumber)])
	slices.Reverse(list)
	return list
}

// Lately implements desk.Lanes.
func (d deskPage) Lately(laneNumber int) (list []desk.Recent) {
	for _, m := range d.register.meetings(laneNumber) {
		if p, ok := d.Person(m.subject); ok {
			list = append(list, desk.Recent{Arrival: m.id.String(), Person: p, At: m.at.In(d.o.Now().Wall.Location())})
		}
	}
	return list
}

// LooksIll implements desk.Lanes. Where a case is opened it holds; otherwise a
// hold by name does, whose entry is the one that says what was seen.
func (d deskPage) LooksIll(ctx context.Context, i desk.Illness) error {
	list := d.register.meetings(i.Lane)
	k := slices.IndexFunc(list, func(m meeting) bool { return m.id.String() == i.Arrival })
	if k < 0 {
		return guard.ErrStale
	}
	m, by := list[k], d.names(i.By.ID)
	a := entry.Answer{Arrival: m.id, Act: entry.ActSymptoms, Subject: m.subject, By: by, Reason: strings.Join(i.Found, ",")}
	unmasked := slices.Contains(i.Found, desk.NoMask)
	if unmasked && (!d.policy().Asks(screening.Mask) || i.Case && len(i.Found) == 1) {
		return guard.ErrNotAllowed // a missing mask alone is no case
	}
	if !i.Case {
		return d.holdByName(ctx, named{reason: illReason(a.Reason), by: by, since: d.recorder.clock.look().Wall}, a, i.Lane)
	}
	number, err := d.openCase(ctx, opening{subject: m.subject, arrival: m.id, origin: casefile.FromGate.String(), found: i.Found, by: by})
	if errors.Is(err, errCaseOpen) {
		number, _ = d.cases.ofSubject(m.subject)
		err = nil
	}
	if err != nil {
		return err
	}
	a.Ticket = number
	return d.recorder.waitAt(ctx, uint8(i.Lane), a)
}

// holdByName lets a hold stand and stores the entry that places it. The hold
// comes first, because whether or not it can be recorded, nobody admits; a crash
// before its entry forgets both, and nobody was told that it stands. Where one
// stands already it stays as it is, and the entry is stored all the same.
func (d deskPage) holdByName(ctx context.Context, n named, a entry.Answer, laneNumber int) error {
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	placed := d.register.placeNamed(a.Subject, n)
	if placed {
		d.tellHeld(a.Subject)
	}
	if err := d.recorder.waitAt(ctx, uint8(laneNumber), a); err != nil {
		return err
	}
	if placed {
		d.register.storedNamed(a.Subject)
		d.changed()
	}
	return nil
}

// tellHeld lets every lane know of a hold that was placed beside them.
func (g *Gate) tellHeld(subject uint64) {
	for _, l := range g.lanes {
		l.send(lane.HoldPlaced{Subject: subject})
	}
	g.changed()
}

// illReason is why somebody is held of whom something was seen.
func illReason(found string) string {
	if found == desk.NoMask {
		return desk.NoMask
	}
	return reasonSymptoms
}

// replayBeside takes an answer that people gave beside the lanes.
func (g *Gate) replayBeside(e entry.Entry, rec lane.Record, id entry.ArrivalID, stops map[entry.ArrivalID]screening.Arrival) {
	switch uint8(rec.Act) {
	case entry.ActSymptoms:
		if rec.Ticket == 0 {
			g.register.replayBeside(e, illReason(rec.Reason))
		}
	case entry.ActWristFirst:
		g.register.replayWrist(e)
	case entry.ActSeenAtGate:
		g.siblings.replayStop(e)
	case entry.ActReasonGiven:
		g.unexplained.follow(id, rec, e.Lane, time.UnixMilli(e.Wall))
	case entry.ActUndo:
		g.replayUndo(e, rec, id, stops)
	}
}

// replayBeside places the hold by name that an entry means beside what it says,
// unless one stands.
func (r *register) replayBeside(e entry.Entry, reason string) {
	var a entry.Answer
	if e.Decode(&a) == nil && r.placeNamed(a.Subject, named{reason: reason, by: a.By, since: time.UnixMilli(e.Wall)}) {
		r.storedNamed(a.Subject)
	}
}
