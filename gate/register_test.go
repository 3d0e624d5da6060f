package gate

import (
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// stopped is the record of a stop for one reason.
func stopped(o screening.Outcome, why screening.Reason) lane.Record {
	return lane.Record{
		End: lane.Decided, Subject: screening.Subject{ID: 7}, Decision: screening.Decision{Outcome: screening.Admit}.Stop("row", why, o),
		Reading: &screening.Reading{Instrument: "gate@1", Quality: screening.Valid, Peak: 37_400},
	}
}

func admitted(d screening.Direction) lane.Record {
	return lane.Record{End: lane.Decided, Direction: d, Subject: screening.Subject{ID: 7}, Decision: screening.Decision{Outcome: screening.Admit}}
}

func TestHoldsAtTheGate(t *testing.T) {
	turnedAway := stopped(screening.Refer, screening.NoGreen)
	turnedAway.Act = lane.TurnedAway
	incomplete := lane.Record{End: lane.Incomplete, Subject: screening.Subject{ID: 7}}
	nobody := stopped(screening.Recheck, screening.HighOnce)
	nobody.Subject.ID = 0
	for rule, c := range map[string]struct {
		records []lane.Record
		held    bool
		grave   bool
		highBy  string
	}{
		"nothing known holds nobody":               {},
		"a high reading holds and names its maker": {records: []lane.Record{stopped(screening.Recheck, screening.HighOnce)}, held: true, highBy: "gate@1"},
		"a missing green holds while it is open":   {records: []lane.Record{stopped(screening.Refer, screening.NoGreen)}, held: true},
		"turned away for a missing green is over":  {records: []lane.Record{stopped(screening.Refer, screening.NoGreen), turnedAway}},
		"hard fever is grave":                      {records: []lane.Record{stopped(screening.Isolate, screening.HardFeverSeen)}, held: true, grave: true},
		"twice high is grave":                      {records: []lane.Record{stopped(screening.Isolate, screening.HighTwice)}, held: true, grave: true},
		"yellow is grave":                          {records: []lane.Record{stopped(screening.Refer, screening.YellowCode)}, held: true, grave: true},
		"red is grave":                             {records: []lane.Record{stopped(screening.Isolate, screening.RedCode)}, held: true, grave: true},
		"a grave hold stays grave":                 {records: []lane.Record{stopped(screening.Isolate, screening.RedCode), stopped(screening.Refer, screening.OnHold)}, held: true, grave: true},
		"an admission lifts":                       {records: []lane.Record{stopped(screening.Recheck, screening.HighOnce), admitted(screening.In)}},
		"an unfinished arrival changes nothing":    {records: []lane.Record{stopped(screening.Recheck, screening.HighOnce), incomplete}, held: true, highBy: "gate@1"},
		"a stop of nobody holds nobody":            {records: []lane.Record{nobody}},
	} {
		t.Run(rule, func(t *testing.T) {
			r := newRegister()
			for i, rec := range c.records {
				r.apply(entry.ArrivalID{Counter: uint32(i)}, rec, time.Time{})
			}
			h, held, _ := r.look(7, 0)
			if held != c.held || h.grave != c.grave || h.highBy != c.highBy {
				t.Errorf("held %v grave %v by %q", held, h.grave, h.highBy)
			}
		})
	}
}

func TestAHoldIsToldOnceAndKeepsItsFirstArrival(t *testing.T) {
	r := newRegister()
	first, second := entry.ArrivalID{Counter: 1}, entry.ArrivalID{Counter: 2}
	if !r.apply(first, stopped(screening.Recheck, screening.HighOnce), time.Time{}) {
		t.Error("a new hold is not told")
	}
	if r.apply(second, stopped(screening.Refer, screening.OnHold), time.Time{}) {
		t.Error("a standing hold is told again")
	}
	if h, _, _ := r.look(7, 0); h.id != first {
		t.Errorf("the hold is of %v", h.id)
	}
	if !r.lift(7) || r.lift(7) {
		t.Error("a lift does not say whether a hold stood")
	}
}

func TestARecheckIsCarriedForTenMinutes(t *testing.T) {
	r := newRegister()
	r.carry(7, screening.Reading{Instrument: "ear"}, time.Hour)
	for _, c := range []struct {
		at   time.Duration
		want bool
	}{{time.Hour, true}, {time.Hour + 10*time.Minute, true}, {time.Hour + 10*time.Minute + 1, false}, {time.Hour, false}} {
		if _, _, got := r.look(7, c.at); (got != nil) != c.want {
			t.Errorf("after %v: %v", c.at-time.Hour, got)
		}
	}
}

func TestTicketsAreNeverSharedAndStartAgainAfter999(t *testing.T) {
	r := newRegister()
	for range 998 {
		r.nextTicket()
	}
	r.setAside(&aside{ticket: 999})
	r.setAside(&aside{ticket: 1})
	if n := r.nextTicket(); n != 2 {
		t.Errorf("ticket %d is given out, want 2", n)
	}
}

func TestAnAsideIsAnsweredOnceAtTheVersionThatWasSeen(t *testing.T) {
	r := newRegister()
	id := entry.ArrivalID{Counter: 3}
	r.setAside(&aside{ticket: 5, id: id, version: 1})
	seen, ok := r.takeAside(id, 1)
	if !ok {
		t.Fatal("not found")
	}
	if !r.finish(seen, seen, false) {
		t.Error("the first answer is refused")
	}
	if r.finish(seen, seen, true) {
		t.Error("an answer to what was seen before is taken")
	}
	now, ok := r.takeAside(id, 2)
	if !ok || !r.finish(now, now, true) {
		t.Error("the version that stands is refused")
	}
	if _, ok := r.takeAside(id, 2); ok || len(r.list()) != 0 {
		t.Error("an aside that is over stands")
	}
}

func TestTodayCountsPeopleWhoCameInOnce(t *testing.T) {
	r := newRegister()
	monday := time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC)
	r.apply(entry.ArrivalID{}, admitted(screening.In), monday)
	r.apply(entry.ArrivalID{}, admitted(screening.In), monday.Add(time.Hour))
	out := admitted(screening.Out)
	out.Subject.ID = 8
	r.apply(entry.ArrivalID{}, out, monday)
	if n := r.arrived(monday); n != 1 {
		t.Errorf("%d arrived, want 1", n)
	}
	if n := r.arrived(monday.Add(24 * time.Hour)); n != 0 {
		t.Errorf("%d arrived on Tuesday", n)
	}
}
