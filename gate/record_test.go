package gate

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// randomRecord makes a record as a lane may make it: an answer has no end of
// its own in the journal, and neither has its arrival's direction.
func randomRecord(r *rand.Rand) lane.Record {
	rec := lane.Record{
		Arrival: 1 + r.Uint32N(4), Subject: screening.Subject{ID: r.Uint64N(4)},
		Decision: screening.Decision{Outcome: screening.Outcome(r.IntN(5))},
	}
	for range r.IntN(3) {
		rec.Decision.Failures = append(rec.Decision.Failures, screening.Failure{
			Row: "row", Reason: screening.Reason(1 + r.IntN(int(screening.AlreadyIn))), Warn: r.IntN(4) == 0,
		})
	}
	if r.IntN(2) == 0 {
		rec.Reading = &screening.Reading{
			Value: 36_500, Peak: screening.MilliC(36_000 + r.IntN(3_000)), Ambient: 22_000, Instrument: "ear",
			Formula: screening.FormulaSkin1, Quality: screening.Quality(r.IntN(7)), Samples: 3, Site: screening.Ear,
		}
	}
	if r.IntN(2) == 0 {
		rec.Code = screening.Code{Colour: screening.Green, How: screening.SeenByName, AsOf: time.UnixMilli(1_607_300_000_000)}
		if r.IntN(2) == 0 {
			rec.Code.Digest = []byte("sixteen bytes...")
		}
	}
	if r.IntN(2) == 0 {
		rec.Act, rec.By, rec.Ticket, rec.Reason = []lane.Act{1, 2, 3, 4, 5, 6, lane.Withheld, lane.Looked, lane.Noted}[r.IntN(9)], []uint64{9}, uint16(r.IntN(3)), "reason"
		return rec
	}
	rec.End, rec.Direction, rec.Subject.Role, rec.Policy = lane.End(1+r.IntN(4)), screening.Direction(r.IntN(2)), screening.Student, 3
	return rec
}

// stored returns the entry that a record becomes.
func stored(t *testing.T, boot uint64, rec lane.Record) entry.Entry {
	t.Helper()
	b := body(boot, rec, 1, nil)
	kind, _ := entry.KindOf(b)
	raw, err := entry.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	return entry.Entry{Kind: kind, Boot: boot, Body: raw}
}

func TestARecordComesBackFromItsEntryAsItWas(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		rec := randomRecord(r)
		id, got, ok := recordOf(stored(t, 12, rec))
		if !ok || id != (entry.ArrivalID{Boot: 12, Counter: rec.Arrival}) {
			t.Fatalf("%+v: came back as arrival %v, %v", rec, id, ok)
		}
		if got.Hold() != rec.Hold() || got.Decision.Grave() != rec.Decision.Grave() {
			t.Fatalf("%+v means %v, and %v from the journal", rec, rec.Hold(), got.Hold())
		}
		if !reflect.DeepEqual(got, rec) {
			t.Fatalf("went in as %+v\ncame back as %+v", rec, got)
		}
	}
}

func TestARowThatCannotBeReadStaysAFailure(t *testing.T) {
	for _, row := range []string{"", ":", "row", "row:", "row:word of a newer program"} {
		d := screening.ReadDecision(screening.Refer, []string{row})
		if len(d.Failures) != 1 || d.Failures[0].Reason == screening.NoReason && row != "row:none" {
			t.Errorf("%q became %+v", row, d)
		}
	}
}

func TestAnEntryThatIsNoRecordIsNone(t *testing.T) {
	for _, e := range []entry.Entry{
		{Kind: entry.KindBoot}, {Kind: entry.KindArrival, Body: []byte{0x80}}, {Kind: entry.KindAnswer, Body: []byte("?")}, {Kind: 99},
	} {
		if _, _, ok := recordOf(e); ok {
			t.Errorf("%+v is taken for a record", e)
		}
	}
}
