package replay_test

import (
	"errors"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/replay"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

var monday = time.Date(2026, 12, 7, 7, 0, 0, 0, time.UTC)

func entryOf(t *testing.T, body any, at time.Time, clock entry.Clock) entry.Entry {
	t.Helper()
	kind, ok := entry.KindOf(body)
	if !ok {
		t.Fatalf("%T is no body", body)
	}
	b, err := entry.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	return entry.Entry{Kind: kind, Wall: at.UnixMilli(), Clock: clock, Lane: 2, Body: b}
}

func entries(list ...entry.Entry) iter.Seq2[entry.Entry, error] {
	return func(yield func(entry.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func read(t *testing.T, since time.Time, known replay.Evidence, list ...entry.Entry) (all []policy.Recorded) {
	t.Helper()
	for r, err := range replay.Read(entries(list...), since, known) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func decided(o screening.Outcome, rows ...string) *entry.Arrival {
	return &entry.Arrival{Counter: 1, End: entry.EndDecided, Outcome: uint8(o), Subject: 7, Role: uint8(screening.Student), Rows: rows}
}

func TestAnArrivalIsReadAsFarAsItsEntryKeepsIt(t *testing.T) {
	b := decided(screening.Refer, "green:no-green", "temperature:high-once!")
	b.Direction = uint8(screening.Out)
	b.Reading = &entry.Reading{Value: 36_400, Peak: 36_500, Ambient: 20_000, Site: uint8(screening.Wrist), Instrument: "lens", Quality: uint8(screening.Valid), Samples: 3}
	b.Code = &entry.Code{Colour: uint8(screening.Yellow), How: uint8(screening.FromRoster), AsOf: monday.UnixMilli()}
	known := func(id uint64, at time.Time) (screening.Subject, []screening.Proof) {
		return screening.Subject{ID: 99, Grade: "初三", Boarding: screening.Boarder}, []screening.Proof{{Of: screening.Tests, At: at}}
	}
	got := read(t, monday, known, entryOf(t, b, monday, entry.ClockSynced))
	at := time.UnixMilli(monday.UnixMilli())
	want := screening.Arrival{
		Direction: screening.Out, Subject: screening.Subject{ID: 7, Role: screening.Student, Grade: "初三", Boarding: screening.Boarder},
		Readings: []screening.Reading{{Value: 36_400, Peak: 36_500, Ambient: 20_000, Site: screening.Wrist, Instrument: "lens", Quality: screening.Valid, Samples: 3}},
		Code:     screening.Code{Colour: screening.Yellow, How: screening.FromRoster, AsOf: at},
		Lane:     2, Proofs: []screening.Proof{{Of: screening.Tests, At: at}}, Now: at, ClockTrusted: true,
	}
	if len(got) != 1 || !reflect.DeepEqual(got[0].Arrival, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	if d := got[0].Decision; d.Outcome != screening.Refer || len(d.Failures) != 2 || !d.Failures[1].Warn {
		t.Errorf("decision %+v", d)
	}
}

func TestWhatSpokeAgainstSomebodySpeaksAgain(t *testing.T) {
	for row, c := range map[string]func(screening.Arrival) bool{
		"bound/hold:on-hold":           func(a screening.Arrival) bool { return a.Held },
		"bound/case:open-case":         func(a screening.Arrival) bool { return a.Case == screening.CaseOpen },
		"bound/case:return-not-proven": func(a screening.Arrival) bool { return a.Case == screening.ReturnOwed },
		"once:still-inside":            func(a screening.Arrival) bool { return a.Again == screening.AgainInside },
		"once:elsewhere":               func(a screening.Arrival) bool { return a.Again == screening.AgainElsewhere },
		"x:no-mask":                    has(screening.Mask),
		"x:symptoms":                   has(screening.Symptoms),
		"x:household":                  has(screening.Household),
		"x:star":                       has(screening.TripCard),
		"x:risk-area":                  has(screening.History),
		"x:test-positive":              has(screening.Tests),
	} {
		got := read(t, monday, nil, entryOf(t, decided(screening.Refer, row), monday, entry.ClockUnset))
		if len(got) != 1 || !c(got[0].Arrival) || got[0].Arrival.ClockTrusted {
			t.Errorf("%s: %+v", row, got)
		}
	}
}

func has(of screening.Evidence) func(screening.Arrival) bool {
	return func(a screening.Arrival) bool { return len(a.Proofs) == 1 && a.Proofs[0].Of == of && a.Proofs[0].Bad }
}

func TestTwoHighMeasurementsAreTwoAgain(t *testing.T) {
	b := decided(screening.Isolate, "temperature:high-twice")
	b.Reading = &entry.Reading{Value: 37_500, Peak: 37_500, Instrument: "ear", Quality: uint8(screening.Valid)}
	r := read(t, monday, nil, entryOf(t, b, monday, entry.ClockSynced))[0]
	p, err := screening.Compile(screening.Default())
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Decide(r.Arrival); d.Outcome != screening.Isolate {
		t.Errorf("got %+v", d)
	}
}

func TestOnlyDecidedArrivalsSinceThenAreRead(t *testing.T) {
	left := decided(screening.Refer)
	left.End, left.Outcome = entry.EndIncomplete, 0
	got := read(t, monday, nil,
		entryOf(t, decided(screening.Admit), monday.Add(-time.Millisecond), entry.ClockSynced),
		entryOf(t, left, monday, entry.ClockSynced),
		entryOf(t, &entry.Heartbeat{}, monday, entry.ClockSynced),
		entryOf(t, decided(screening.Admit), monday, entry.ClockSynced))
	if len(got) != 1 {
		t.Errorf("got %+v", got)
	}
}

const strict = `format = 1
number = 12
name = "strict"
kind = "entry"
date = 2026-12-01
[temperature]
threshold = "36.9"
boundary = "reaches"
low = "35.0"
[[row]]
id = "identity"
ask = "identity"
fail = "refer"
[[row]]
id = "temperature"
ask = "temperature"
fail = "recheck"
`

func TestAnArrivalKnowsThePolicyUnderWhichItWasDecided(t *testing.T) {
	under := func(number uint32) entry.Entry {
		b := decided(screening.Admit)
		b.Policy = number
		return entryOf(t, b, monday, entry.ClockSynced)
	}
	got := read(t, monday, nil, under(0),
		entryOf(t, &entry.Policy{Number: 12, Name: "strict", Text: []byte(strict)}, monday.AddDate(-1, 0, 0), entry.ClockSynced),
		entryOf(t, &entry.Policy{Number: 13, Name: "odd", Text: []byte("of a newer program")}, monday, entry.ClockSynced),
		under(12), under(13))
	var limits []screening.MilliC
	for _, r := range got {
		limit, _ := r.Under.Threshold()
		limits = append(limits, limit)
	}
	if want := []screening.MilliC{37_300, 36_900, 0}; !reflect.DeepEqual(limits, want) {
		t.Errorf("limits %v, want %v", limits, want)
	}
}

func TestAnEntryThatCannotBeReadEndsIt(t *testing.T) {
	broken := errors.New("broken")
	for name, list := range map[string]iter.Seq2[entry.Entry, error]{
		"the journal": func(yield func(entry.Entry, error) bool) { yield(entry.Entry{}, broken) },
		"an arrival":  entries(entry.Entry{Kind: entry.KindArrival, Wall: monday.UnixMilli(), Body: []byte{0}}),
		"a policy":    entries(entry.Entry{Kind: entry.KindPolicy, Body: []byte{0}}),
	} {
		n := 0
		for _, err := range replay.Read(list, monday, nil) {
			if n++; err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d turns", name, n)
		}
	}
}
