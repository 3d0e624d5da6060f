package gate

import (
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// This file turns the lanes' records into entry bodies and back. What comes
// back from the journal means the same as what went in: holds and alarms are
// rebuilt by the code that keeps them.

// body returns the entry body of a record.
func body(boot uint64, rec lane.Record, rosterVersion uint32, staff []uint64) any {
	reading, code := readingBody(rec.Reading), codeBody(rec.Code)
	if rec.Act != lane.NoAct {
		return entry.Answer{
			Arrival: entry.ArrivalID{Boot: boot, Counter: rec.Arrival}, Act: uint8(rec.Act),
			Outcome: uint8(rec.Decision.Outcome), Rows: rec.Decision.Rows(), Subject: rec.Subject.ID,
			By: rec.By, Reading: reading, Code: code, Ticket: rec.Ticket, Reason: rec.Reason,
		}
	}
	return entry.Arrival{
		Counter: rec.Arrival, Direction: uint8(rec.Direction), End: uint8(rec.End), Outcome: uint8(rec.Decision.Outcome),
		Subject: rec.Subject.ID, Role: uint8(rec.Subject.Role), Rows: rec.Decision.Rows(), Policy: rec.Policy,
		Roster: rosterVersion, Reading: reading, Code: code, Staff: staff, Badge: rec.Badge,
	}
}

func readingBody(r *screening.Reading) *entry.Reading {
	if r == nil {
		return nil
	}
	return &entry.Reading{
		Value: int32(r.Value), Peak: int32(r.Peak), Ambient: int32(r.Ambient), Site: uint8(r.Site),
		Instrument: r.Instrument, Formula: r.Formula, Quality: uint8(r.Quality), Samples: r.Samples,
	}
}

func codeBody(c screening.Code) *entry.Code {
	if c.Colour == screening.ColourUnknown && c.Digest == nil {
		return nil
	}
	out := &entry.Code{Colour: uint8(c.Colour), How: uint8(c.How), Digest: c.Digest}
	if !c.AsOf.IsZero() {
		out.AsOf = c.AsOf.UnixMilli()
	}
	return out
}

func readingOf(b *entry.Reading) *screening.Reading {
	if b == nil {
		return nil
	}
	return &screening.Reading{
		Value: screening.MilliC(b.Value), Peak: screening.MilliC(b.Peak), Ambient: screening.MilliC(b.Ambient),
		Site: screening.Site(b.Site), Instrument: b.Instrument, Formula: b.Formula,
		Quality: screening.Quality(b.Quality), Samples: b.Samples,
	}
}

func codeOf(b *entry.Code) screening.Code {
	if b == nil {
		return screening.Code{}
	}
	c := screening.Code{Colour: screening.Colour(b.Colour), How: screening.How(b.How)}
	if len(b.Digest) > 0 { // nil says that no code was shown
		c.Digest = b.Digest
	}
	if b.AsOf != 0 {
		c.AsOf = time.UnixMilli(b.AsOf)
	}
	return c
}

// recordOf returns the record that an entry came from, as far as holds, asides
// and alarms need it.
func recordOf(e entry.Entry) (entry.ArrivalID, lane.Record, bool) {
	switch e.Kind {
	case entry.KindArrival:
		var a entry.Arrival
		if e.Decode(&a) != nil {
			return entry.ArrivalID{}, lane.Record{}, false
		}
		id, rec := arrivalRecord(e.Boot, a)
		return id, rec, true
	case entry.KindAnswer:
		var a entry.Answer
		if e.Decode(&a) != nil {
			return entry.ArrivalID{}, lane.Record{}, false
		}
		id, rec := answerRecord(a)
		return id, rec, true
	}
	return entry.ArrivalID{}, lane.Record{}, false
}

func arrivalRecord(boot uint64, a entry.Arrival) (entry.ArrivalID, lane.Record) {
	return entry.ArrivalID{Boot: boot, Counter: a.Counter}, lane.Record{
		Arrival: a.Counter, End: lane.End(a.End), Direction: screening.Direction(a.Direction),
		Subject:  screening.Subject{ID: a.Subject, Role: screening.Role(a.Role)},
		Decision: screening.ReadDecision(screening.Outcome(a.Outcome), a.Rows), Reading: readingOf(a.Reading), Code: codeOf(a.Code), Policy: a.Policy,
	}
}

func answerRecord(a entry.Answer) (entry.ArrivalID, lane.Record) {
	return a.Arrival, lane.Record{
		Arrival: a.Arrival.Counter, Act: lane.Act(a.Act), Subject: screening.Subject{ID: a.Subject},
		Decision: screening.ReadDecision(screening.Outcome(a.Outcome), a.Rows), Reading: readingOf(a.Reading), Code: codeOf(a.Code),
		By: a.By, Ticket: a.Ticket, Reason: a.Reason,
	}
}
