package gate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// TestWhatIsRebuiltIsWhatWasKept applies made-up records to a register as the
// gate does while it runs, stores them, and rebuilds another from the journal.
func TestWhatIsRebuiltIsWhatWasKept(t *testing.T) {
	dir := t.TempDir()
	live, _ := build(t, dir, stillClock)
	open(t, live)
	r := rand.New(rand.NewPCG(3, 4))
	boot, directions := live.journal.Boot(), map[uint32]screening.Direction{}
	for n := range uint32(300) {
		rec := randomRecord(r)
		if rec.Act != lane.NoAct {
			rec.Act, rec.Direction = []lane.Act{lane.Typed, lane.ColourSeen, lane.Looked, lane.Noted}[n%4], directions[rec.Arrival]
			rec.Ticket = 0
		} else {
			rec.Arrival = 10 + n
			if rec.Decision.Outcome != screening.Admit && rec.End != lane.Incomplete {
				rec.Arrival = 1 + n%4
				directions[rec.Arrival] = rec.Direction
			}
		}
		live.register.apply(entry.ArrivalID{Boot: boot, Counter: rec.Arrival}, rec, stillClock().Wall)
		store(t, live, body(boot, rec, 1, nil))
		if rec.Act != lane.NoAct && rec.Decision.Outcome == screening.Admit {
			delete(directions, rec.Arrival)
		}
		if n%50 == 0 {
			live.register.lift(2)
			store(t, live, entry.Answer{Act: entry.ActHoldLifted, Subject: 2, By: []uint64{9}})
		}
	}
	shut(t, live)

	again, _ := build(t, dir, stillClock)
	open(t, again)
	defer shut(t, again)
	if err := again.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(again.register.holds(), live.register.holds()) {
		t.Errorf("holds were %v\nrebuilt as %v", live.register.holds(), again.register.holds())
	}
	if got, want := again.register.arrived(stillClock().Wall), live.register.arrived(stillClock().Wall); got != want {
		t.Errorf("%d arrived today, rebuilt as %d", want, got)
	}
	if len(live.register.holds()) == 0 || live.register.arrived(stillClock().Wall) == 0 {
		t.Error("the records placed no hold or let nobody in: nothing was proved")
	}
}

// store appends a body and waits for it.
func store(t *testing.T, g *Gate, b any) {
	t.Helper()
	kind, _ := entry.KindOf(b)
	if _, err := g.journal.Append(t.Context(), journal.Draft{Kind: kind, Stamp: g.o.Now(), Body: b}); err != nil {
		t.Fatal(err)
	}
}

func TestAsidesAndAlarmsAreRebuilt(t *testing.T) {
	isolated := stopped(screening.Isolate, screening.RedCode)
	aside := func(rec lane.Record, ticket uint16) lane.Record {
		rec.Act, rec.Ticket = lane.Aside, ticket
		return rec
	}
	answered := func(rec lane.Record, act lane.Act, ticket uint16) lane.Record {
		rec.Act, rec.Ticket = act, ticket
		return rec
	}
	room := lane.Record{Act: lane.Acknowledge, Reason: reasonRoom, Decision: screening.Decision{Outcome: screening.Isolate}}
	high := stopped(screening.Recheck, screening.HighOnce)
	normal := admitted(screening.In)
	for rule, c := range map[string]struct {
		records []lane.Record
		asides  string
		alarms  int
	}{
		"a stop in a lane is no aside":             {records: []lane.Record{high}},
		"an aside waits under its number":          {records: []lane.Record{high, aside(high, 12)}, asides: "12"},
		"an aside that was admitted is over":       {records: []lane.Record{high, aside(high, 12), answered(normal, lane.Typed, 12)}},
		"an aside that was turned away is over":    {records: []lane.Record{high, aside(high, 12), answered(high, lane.TurnedAway, 12)}},
		"an answer that does not end it leaves it": {records: []lane.Record{high, aside(high, 12), answered(high, lane.Typed, 12)}, asides: "12"},
		"an alarm stands until the room answers":   {records: []lane.Record{isolated, aside(isolated, 3)}, asides: "3", alarms: 1},
		"the guard's word does not silence":        {records: []lane.Record{isolated, answered(isolated, lane.Acknowledge, 0)}, alarms: 1},
		"the room's word silences":                 {records: []lane.Record{isolated, room}},
		"what was silenced stays silent":           {records: []lane.Record{isolated, room, answered(isolated, lane.TurnedAway, 0)}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			g, _ := build(t, dir, stillClock)
			open(t, g)
			for _, rec := range c.records {
				rec.Arrival = 16
				store(t, g, body(g.journal.Boot(), rec, 1, nil))
			}
			shut(t, g)
			g, _ = build(t, dir, stillClock)
			open(t, g)
			defer shut(t, g)
			if err := g.rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			asides := ""
			for _, a := range g.register.list() {
				asides += fmt.Sprint(a.ticket)
			}
			if asides != c.asides || len(g.alarms.list()) != c.alarms {
				t.Errorf("asides %q, %d alarms", asides, len(g.alarms.list()))
			}
		})
	}
}

// TestTheNewestEntryIsTheFloorOfTheClock: a clock that was set back while the
// gate was off is not believed.
func TestTheNewestEntryIsTheFloorOfTheClock(t *testing.T) {
	dir := t.TempDir()
	now := stillClock()
	now.Clock = entry.ClockUnset
	g, _ := build(t, dir, func() entry.Stamp { return now })
	open(t, g)
	shut(t, g)
	now.Wall = now.Wall.Add(-24 * time.Hour)
	g, _ = build(t, dir, func() entry.Stamp { return now })
	open(t, g)
	defer shut(t, g)
	if err := g.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := g.recorder.now(); s.Clock != entry.ClockUnset {
		t.Errorf("yesterday is trusted as %v", s.Clock)
	}
}
