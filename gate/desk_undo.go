package gate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

const (
	// undoWithin is how long somebody may take an own act back.
	undoWithin = time.Minute
	// actsMost bounds the acts that are remembered: more than two people do in
	// undoWithin.
	actsMost = 64
	// reasonUndoneAdmit is why somebody is held whose admission was taken back.
	reasonUndoneAdmit = "undone-admit"
)

// What an undo took back, as its entry says.
const (
	undoColour = "colour"
	undoTyped  = "typed"
	undoTurned = "turned-away"
	undoLooked = "looked"
	undoHold   = "hold"
	undoAdmit  = "admit"
)

// done is one act of a person, with what it takes to take it back. A stop that
// is still in its lane needs no undo: it is answered again.
type done struct {
	id      uint64 // names it at the page
	word    string
	arrival entry.ArrivalID
	subject uint64
	by      uint64
	at      time.Duration // monotonic; of one from the journal it means nothing
	what    string        // a key of web's words
	value   screening.MilliC
	// Of an act about an aside: how it was, at which version the act left it, 0
	// where the act ended it, and the hold that stood of its arrival.
	before aside
	after  uint64
	hold   hold
	held   bool
	// placed is the hold by name that the act placed.
	placed named
	// passed says that a lane has let the person in since.
	passed bool
}

// did remembers an act.
func (r *register) did(x done) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastAct++
	x.id = r.lastAct
	r.acts = append(r.acts, x)
	r.acts = r.acts[max(0, len(r.acts)-actsMost):]
}

// didAtDesk remembers what somebody did about an aside, before it means anything
// for the holds. What called the isolation room is the room's to end.
func (r *register) didAtDesk(before, after aside, over bool, a lane.Answer, mono time.Duration) {
	word := undoWord(a.Act)
	if word == "" || len(a.By) == 0 || after.decision.Outcome == screening.Isolate {
		return
	}
	x := done{word: word, arrival: before.id, subject: before.arrival.Subject.ID, by: a.By[0], at: mono, before: before}
	x.what, x.value = actWord(a.Act, after.arrival.Code, a.Reason), a.Reading.Peak
	if !over {
		x.after = before.version + 1
	}
	r.mu.Lock()
	x.hold, x.held = r.held[x.subject]
	r.mu.Unlock()
	r.did(x)
}

// didInLane remembers an admission that somebody gave in a lane.
func (r *register) didInLane(id entry.ArrivalID, rec lane.Record, mono time.Duration) {
	what := actWord(rec.Act, rec.Code, rec.Reason)
	if what == "" || rec.Act == lane.TurnedAway || !rec.Admits || rec.Subject.ID == 0 || len(rec.By) == 0 {
		return
	}
	x := done{word: undoAdmit, arrival: id, subject: rec.Subject.ID, by: rec.By[0], at: mono, what: what}
	if rec.Act == lane.Typed && rec.Reading != nil {
		x.value = rec.Reading.Peak
	}
	r.did(x)
}

// undoWord says how an entry calls an act at an aside that may be taken back.
func undoWord(a lane.Act) string {
	return map[lane.Act]string{lane.ColourSeen: undoColour, lane.Typed: undoTyped, lane.TurnedAway: undoTurned, lane.Looked: undoLooked}[a]
}

// actWord says how the page calls an act.
func actWord(a lane.Act, c screening.Code, reason string) string {
	switch a {
	case lane.ColourSeen:
		if c.How == screening.SeenPrinted {
			return "colour.printed"
		}
		return map[screening.Colour]string{screening.Green: "colour.green", screening.Yellow: "colour.yellow", screening.Red: "colour.red", screening.PopUp: "colour.pop-up"}[c.Colour]
	case lane.Looked:
		if s, _ := lane.ParseLooked(reason); !s.InOrder {
			return "look.no"
		}
		return "look.yes"
	case lane.Typed:
		return "act.type"
	case lane.TurnedAway:
		return "act.turn-away"
	case lane.Overridden:
		return "act.override"
	}
	return ""
}

// actStands reports whether an act is still what happened last to what it is about.
// The caller holds the lock.
func (r *register) actStands(x done) bool {
	switch x.word {
	case undoAdmit, undoSick:
		return true
	case undoHold:
		n, ok := r.named[x.subject]
		return ok && n.stored && n.since.Equal(x.placed.since) && n.reason == x.placed.reason
	}
	now := r.asides[x.before.ticket]
	if x.after == 0 {
		return now == nil
	}
	return x.passed || now != nil && now.id == x.arrival && now.version == x.after
}

// undoable returns what one person may take back now, the newest first.
func (r *register) undoable(by uint64, mono time.Duration) (list []done) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range slices.Backward(r.acts) {
		if r.mayUndo(x, by, mono) {
			list = append(list, x)
		}
	}
	return list
}

// mayUndo reports whether one person may take an act back now. The caller holds
// the lock.
func (r *register) mayUndo(x done, by uint64, mono time.Duration) bool {
	return x.by == by && mono-x.at < undoWithin && r.actStands(x)
}

// takeAct returns an act to the one press that takes it back.
func (r *register) takeAct(id, by uint64, mono time.Duration) (x done, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.acts, func(x done) bool { return x.id == id && r.mayUndo(x, by, mono) })
	if i < 0 {
		return done{}, false
	}
	x = r.acts[i]
	r.acts = slices.Delete(r.acts, i, i+1)
	return x, true
}

// putBack offers an act again that was not taken back after all.
func (r *register) putBack(x done) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.asides[x.before.ticket]; a != nil && a.id == x.arrival && x.after != 0 {
		x.after = a.version
	}
	r.acts = append(r.acts, x)
	slices.SortFunc(r.acts, func(a, b done) int { return cmp.Compare(a.id, b.id) })
}

// holdAgain lets the hold of an aside stand as it did before an act, and makes
// what others see of the aside stale.
func (r *register) holdAgain(x done) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.held {
		r.held[x.subject] = x.hold
	}
	delete(r.carried, x.subject)
	delete(r.traces.seen, x.subject)
	if a := r.asides[x.before.ticket]; a != nil {
		a.version++
	}
}

// asBefore brings an aside back to what it was before an act.
func (r *register) asBefore(x done) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := x.before
	a.version = max(a.version+1, x.after) + 2 // above all that was ever shown
	r.asides[a.ticket] = &a
}

// Undos implements desk.Undos.
func (d deskPage) Undos(by web.Person) (list []desk.Undo) {
	now := d.o.Now().Mono
	people := d.roster.Snapshot()
	for _, x := range d.register.undoable(by.ID, now) {
		u := desk.Undo{ID: x.id, What: x.what, Left: undoWithin - (now - x.at)}
		u.Name, u.Class = nameOf(people, x.subject)
		if x.what == "act.type" {
			u.Value = x.value.String()
		}
		list = append(list, u)
	}
	return list
}

// Undo implements desk.Undos. It moves no relay and silences nothing. Where it
// places a hold, that stands first, as with holdByName; all else follows the
// entry.
func (d deskPage) Undo(ctx context.Context, id uint64, by web.Person) (inside bool, err error) {
	x, ok := d.register.takeAct(id, by.ID, d.o.Now().Mono)
	if !ok {
		return false, guard.ErrStale
	}
	a := entry.Answer{Arrival: x.arrival, Act: entry.ActUndo, Subject: x.subject, By: d.names(by.ID), Reason: x.word}
	switch {
	case x.word == undoHold:
		err = d.undoHold(ctx, x, a)
	case x.word == undoSick:
		err = d.undoSick(ctx, a)
	case x.word == undoAdmit || x.passed:
		a.Reason, inside = undoAdmit, true
		err = d.holdByName(ctx, named{reason: reasonUndoneAdmit, by: a.By, since: d.recorder.clock.look().Wall}, a, 0)
	default:
		err = d.undoAtDesk(ctx, x, a)
	}
	if err != nil {
		d.register.putBack(x)
	}
	d.changed()
	return inside, err
}

// undoHold ends a hold by name: the entry first, or it would come back.
func (d deskPage) undoHold(ctx context.Context, x done, a entry.Answer) error {
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	if err := d.recorder.wait(ctx, a); err != nil {
		return err
	}
	d.register.liftNamed(x.subject)
	return nil
}

// undoAtDesk brings an aside back, with its hold.
func (d deskPage) undoAtDesk(ctx context.Context, x done, a entry.Answer) error {
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	a.Ticket, a.Outcome, a.Rows = x.before.ticket, uint8(x.before.decision.Outcome), x.before.decision.Rows()
	d.register.holdAgain(x)
	if x.held {
		d.tellHeld(x.subject)
	}
	if err := d.recorder.waitAt(ctx, x.before.lane, a); err != nil {
		return err
	}
	d.register.asBefore(x)
	return nil
}

// replayUndo takes back what an entry says was taken back.
func (g *Gate) replayUndo(e entry.Entry, rec lane.Record, id entry.ArrivalID, stops map[entry.ArrivalID]screening.Arrival) {
	switch rec.Reason {
	case undoAdmit:
		g.register.replayBeside(e, reasonUndoneAdmit)
	case undoHold:
		g.register.liftNamed(rec.Subject.ID)
	case undoSick: // the watcher's alone
	default:
		x, ok := g.register.takeLatest(id, rec.Reason)
		if !ok {
			return // longer ago than anybody may take back
		}
		g.register.holdAgain(x)
		g.register.asBefore(x)
		stops[id] = x.before.arrival
	}
}

// takeLatest returns the newest act of a kind about an arrival, once.
func (r *register) takeLatest(id entry.ArrivalID, word string) (done, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, x := range slices.Backward(r.acts) {
		if x.arrival == id && x.word == word {
			r.acts = slices.Delete(r.acts, i, i+1)
			return x, true
		}
	}
	return done{}, false
}

// replayAct remembers an answer at an aside for the undo that may follow it in
// the journal.
func (g *Gate) replayAct(rec lane.Record) {
	g.register.mu.Lock()
	x := g.register.asides[rec.Ticket]
	g.register.mu.Unlock()
	if x == nil || rec.Act == lane.NoAct || rec.Act == lane.Aside {
		return
	}
	after := *x
	after.decision = rec.Decision
	over := rec.Act == lane.TurnedAway || rec.Decision.Outcome == screening.Admit
	g.register.didAtDesk(*x, after, over, lane.Answer{Act: rec.Act, By: rec.By, Reason: rec.Reason}, 0)
}

// forgetActs lets nobody take back what another process did.
func (r *register) forgetActs() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acts = nil
}
