package gate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// reasonRoom marks the acknowledgement by the isolation room, which silences
// the alarm. The guard's own acknowledgement only frees the lane.
const reasonRoom = "isolation-room"

// alarms are the arrivals that the isolation room has not acknowledged. Beacon
// and buzzer show their present state, also after a restart: no replay sets
// them and none silences them.
type alarms struct {
	g       *Gate
	showing sync.Mutex // from the look at the state until it was signalled
	mu      sync.Mutex
	open    map[entry.ArrivalID]*alarm
	// muted is until when the buzzer is silent, monotonic. A restart forgets it:
	// the buzzer then sounds.
	muted time.Duration
	times uint64 // how often one was raised since the start
	// answers are all that this journal holds, for the boards that follow the gate.
	answers []answered
}

type alarm struct {
	id      entry.ArrivalID
	subject uint64
	since   time.Time
	mono    time.Duration // the same on the monotonic clock
	stored  bool
	seq     uint64 // of its entry, once that is stored
	drill   bool   // no collector is told
}

func newAlarms(g *Gate) *alarms { return &alarms{g: g, open: map[entry.ArrivalID]*alarm{}} }

// raise calls the room. It follows the decision and waits for no record.
func (a *alarms) raise(id entry.ArrivalID, subject uint64, since time.Time) {
	a.mu.Lock()
	if a.open[id] == nil {
		a.open[id] = &alarm{id: id, subject: subject, since: since, mono: a.g.monoOf(since)}
		a.muted = 0 // nobody has heard of this one
		a.times++
	}
	a.mu.Unlock()
	a.show()
}

// stored marks the alarm as durable by the entry that isolates. Other entries
// of the same arrival say nothing about it.
func (a *alarms) stored(id entry.ArrivalID, rec lane.Record, seq uint64) {
	if rec.Decision.Outcome != screening.Isolate {
		return
	}
	a.mu.Lock()
	x := a.open[id]
	first := x != nil && !x.stored
	if first {
		x.stored, x.seq = true, seq
	}
	a.mu.Unlock()
	if first {
		a.g.changed()
		a.g.collectors.alarmed()
	}
}

// replay takes one record of the journal at start. As in a lane, an arrival
// alarms once, when it is first decided so, and its later answers do not.
func (a *alarms) replay(rang map[entry.ArrivalID]bool, id entry.ArrivalID, rec lane.Record, seq uint64, wall time.Time) {
	switch {
	case rec.Act == lane.Acknowledge && rec.Reason == reasonRoom:
		a.replayAnswer(id, seq)
		delete(a.open, id)
	case rec.Decision.Outcome == screening.Isolate && !rang[id]:
		rang[id] = true
		a.open[id] = &alarm{id: id, subject: rec.Subject.ID, since: wall, mono: a.g.monoOf(wall), stored: true, seq: seq}
	}
}

// acknowledge silences one alarm, or all of them with the zero id, in the names
// given; a button in the isolation room has none. It reports whether there was
// one.
func (a *alarms) acknowledge(id entry.ArrivalID, by []uint64) bool {
	a.mu.Lock()
	var done []alarm
	for k, x := range a.open {
		if id == (entry.ArrivalID{}) || k == id {
			done = append(done, *x)
			delete(a.open, k)
		}
	}
	a.mu.Unlock()
	for _, x := range done {
		a.g.recorder.submit(journal.Draft{Kind: entry.KindAnswer, Stamp: a.g.recorder.now(), Body: entry.Answer{
			Arrival: x.id, Act: entry.ActAcknowledge, Outcome: uint8(screening.Isolate), By: by, Reason: reasonRoom,
		}}, false, func(receipt journal.Receipt, err error) {
			if err == nil {
				a.answerStored(x, receipt.Seq())
			}
		})
	}
	a.show()
	return len(done) > 0
}

// show brings beacon and buzzer to the present state.
func (a *alarms) show() {
	a.showing.Lock()
	defer a.showing.Unlock()
	on, loud := a.state()
	iso := a.g.o.Config.Board.Isolation
	set := func(c config.Channel, on bool) {
		if c.Relay != "" {
			a.g.owners[c.Relay].Signal(c.Number, on)
		}
	}
	set(iso.Beacon, on)
	set(iso.Buzzer, loud)
	a.g.changed()
}

// button follows the isolation room's acknowledge button.
func (a *alarms) button(ctx context.Context) error {
	in := a.g.o.Config.Board.Isolation.Button
	if in == nil {
		return nil
	}
	return a.g.watchButton(ctx, in.Pin, attachment{g: a.g, role: "isolation button"}, func() { a.acknowledge(entry.ArrivalID{}, nil) })
}

func (a *alarms) list() []alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]alarm, 0, len(a.open))
	for _, x := range a.open {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(x, y alarm) int { return x.since.Compare(y.since) })
	return out
}
