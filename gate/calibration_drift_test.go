package gate

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// crowd lets a lane measure so many foreheads about a temperature, in one hour.
func (d *drift) crowd(number, n int, at time.Time, about screening.MilliC) {
	for i := range n {
		d.record(lane.Record{Reading: &screening.Reading{
			Value: about + screening.MilliC(i%3-1)*100, Ambient: 18_000, Quality: screening.Valid, Instrument: "gy-mcu90614@" + string(rune('0'+number)),
		}}, number, at)
	}
}

func monday(days, hour int) time.Time { return time.Date(2020, 12, 7+days, hour, 10, 0, 0, time.UTC) }

func TestALaneThatMovesAgainstItsDaysIsADrift(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	for day := range 4 {
		g.drift.crowd(1, 40, monday(day, 7), 36_400)
	}
	if got := g.drift.alarms(monday(3, 9)); got != nil {
		t.Errorf("a calm week: %+v", got)
	}
	g.drift.crowd(1, 40, monday(4, 7), 36_000)
	if got := g.drift.alarms(monday(4, 9)); !slices.Equal(got, []Drift{{Lane: 1, By: -400}}) {
		t.Errorf("got %+v", got)
	}
	if d := (deskPage{g}).drift.alarms(monday(5, 6)); d != nil {
		t.Errorf("on the next morning: %+v", d)
	}
	g.drift.renewed(1)
	g.drift.crowd(1, 40, monday(5, 7), 36_000)
	if got := g.drift.alarms(monday(5, 9)); got != nil {
		t.Errorf("with a new certificate: %+v", got)
	}
}

func TestTwoLanesThatDifferInOneHourAreADrift(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	g.drift.crowd(1, 30, monday(0, 7), 36_900)
	g.drift.crowd(2, 30, monday(0, 8), 36_000)
	if got := g.drift.alarms(monday(0, 9)); got != nil {
		t.Errorf("in two different hours: %+v", got)
	}
	g.drift.crowd(2, 30, monday(0, 7), 36_200)
	if got := g.drift.alarms(monday(0, 9)); !slices.Equal(got, []Drift{{Lane: 1, By: 700, Against: 2, Hour: 7}}) {
		t.Errorf("got %+v", got)
	}
	days, hours := g.drift.spots(2)
	if days != nil || len(hours) != 2 || hours[0].Label != "7:00" || hours[0].Value != 36_225 || hours[0].N != 30 {
		t.Errorf("shown %+v, %+v", days, hours)
	}
}

func TestOnlyForeheadsOfTheLanesOwnInstrumentCount(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	own := screening.Reading{Value: 36_400, Quality: screening.Valid, Instrument: "gy-mcu90614@1"}
	for rule, change := range map[string]func(*lane.Record){
		"a wrist":         func(r *lane.Record) { r.Reading.Site = screening.Wrist },
		"typed":           func(r *lane.Record) { r.Act = lane.Typed },
		"carried":         func(r *lane.Record) { r.Reading.Instrument = "ear" },
		"of another lane": func(r *lane.Record) { r.Reading.Instrument = "gy-mcu90614@2" },
		"too cold":        func(r *lane.Record) { r.Reading.Quality = screening.Cold },
		"none":            func(r *lane.Record) { r.Reading = nil },
	} {
		reading := own
		rec := lane.Record{Reading: &reading}
		change(&rec)
		g.drift.record(rec, 1, monday(0, 7))
		if _, hours := g.drift.spots(1); hours != nil {
			t.Errorf("%s counts", rule)
		}
	}
}

// What the journal says at start gives the same medians as what was measured.
func TestMediansAreTheSameAfterARestart(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	at := monday(0, 7)
	clock := func() entry.Stamp { return entry.Stamp{Mono: time.Hour, Wall: at, Clock: entry.ClockSynced} }
	g, _ := build(t, dir, clock)
	open(t, g)
	for day := range 2 {
		at = monday(day, 7)
		for i := range 30 {
			d := journal.Draft{Kind: entry.KindArrival, Stamp: clock(), Lane: 1, Body: entry.Arrival{
				Counter: uint32(i + 1), End: entry.EndDecided, Outcome: 1, Subject: pupilID,
				Reading: &entry.Reading{Value: 36_400, Peak: 36_400, Ambient: 18_000, Instrument: "gy-mcu90614@1", Formula: "skin/1", Quality: 1, Samples: 3},
			}}
			if _, err := g.journal.Append(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			g.watcher.durable(d)
		}
	}
	days, hours := g.drift.spots(1)
	if len(days) != 1 || len(hours) != 1 || days[0].N != 30 {
		t.Errorf("as it happens: %+v, %+v", days, hours)
	}
	shut(t, g)
	g, _ = build(t, dir, clock)
	open(t, g)
	defer shut(t, g)
	if err := g.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, h := g.drift.spots(1); !reflect.DeepEqual(d, days) || !reflect.DeepEqual(h, hours) {
		t.Errorf("after a restart: %+v, %+v", d, h)
	}
}
