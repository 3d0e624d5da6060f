package gate

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

const classmateBadge = "1000000000000005"

// classmates gives a directory a roster with two pupils.
func classmates(t *testing.T, dir string) {
	t.Helper()
	list, err := roster.Parse(strings.NewReader(rosterOfIDs + "P2,张伟,1班,student," + classmateBadge + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := roster.Open(t.Context(), filepath.Join(dir, "roster.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.Import(t.Context(), list, roster.ImportOpts{By: "test"}); errors.Join(err, r.Close()) != nil {
		t.Fatal(err)
	}
}

// arrivals returns the arrivals of a journal.
func arrivals(t *testing.T, g *Gate) (list []entry.Arrival) {
	t.Helper()
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var a entry.Arrival
		if row.Entry.Kind == entry.KindArrival && row.Entry.Decode(&a) == nil {
			list = append(list, a)
		}
	}
	return list
}

// ons counts how often the barrier of lane 1 was freed.
func ons(r *sim.RelayBoard) (n int) {
	for _, e := range r.Frames() {
		if e.On && e.Channel == 1 {
			n++
		}
	}
	return n
}

// away lets whoever stands before a lens go, and the lane come to rest.
func away(lens *sim.Thermometer) {
	lens.See(20, 22)
	later(3 * time.Second)
}

// TestAfterARestartABadgeIsNotLetInAgainWithoutAMeasurement: within 30 s of an
// admission the same badge opens once more, unless the gate began anew.
func TestAfterARestartABadgeIsNotLetInAgainWithoutAMeasurement(t *testing.T) {
	for rule, restart := range map[string]bool{"without a restart it is": false, "after one it is measured": true} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			crewed(t, dir)
			synctest.Test(t, func(t *testing.T) {
				clock := since(7, 30)
				g, lens, relay := withExit(t, dir, clock)
				stop := run(t, g)
				scan(t, g, 0, pupilBadge)
				skin(lens)
				later(2 * time.Second)
				if ons(relay) != 1 {
					t.Errorf("freed %d times for the first admission", ons(relay))
				}
				away(lens)
				before := 1
				if restart {
					if err := stop(); err != nil {
						t.Error(err)
					}
					g, lens, relay = withExit(t, dir, clock)
					stop = run(t, g)
					lens.See(20, 22)
					later(time.Second)
					before = 0
				}
				scan(t, g, 0, pupilBadge)
				later(3 * time.Second)
				if again := ons(relay) - before; again == 1 == restart {
					t.Errorf("freed %d times for the badge alone", again)
				}
				if restart {
					skin(lens)
					later(2 * time.Second)
					if n := ons(relay); n != 1 {
						t.Errorf("freed %d times after a measurement", n)
					}
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestAnAnswerAdmitsNobodyWhileTheJournalStoresNothing: not even a record is
// asked for, which would say that somebody came in.
func TestAnAnswerAdmitsNobodyWhileTheJournalStoresNothing(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, relay := withExit(t, dir, since(7, 30))
		stop := run(t, g)
		l := g.lanes[0]
		lens.Fail(sim.NAK)
		scan(t, g, 0, pupilBadge)
		later(5 * time.Second)
		l.send(lane.DeviceLost{Role: lane.RoleJournal})
		later(time.Second)
		v := l.shown.Load().view
		if v.Phase != lane.Held || !v.Allowed.Type {
			t.Errorf("nobody is asked for a temperature: %+v", v)
		}
		normal := screening.Typed("ear", screening.Ear, 36_500, 35_000)
		err := l.answer(t.Context(), lane.Answer{Arrival: v.Arrival, Version: v.Version, Act: lane.Typed, Reading: normal, By: []uint64{teacherID}})
		if err != nil {
			t.Error(err)
		}
		later(3 * time.Second)
		for _, a := range answers(t, g) {
			if a.Outcome == uint8(screening.Admit) {
				t.Errorf("recorded as let in: %+v", a)
			}
		}
		if v := l.shown.Load().view; v.Phase != lane.Held || ons(relay) != 0 {
			t.Errorf("phase %v, freed %d times", v.Phase, ons(relay))
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAViewThatWasEmptyLongAgoIsNotEmptyNow: a sample that was held up on its
// way does not make the next badge out of the forehead of the one before.
func TestAViewThatWasEmptyLongAgoIsNotEmptyNow(t *testing.T) {
	for rule, c := range map[string]struct {
		age  time.Duration
		want int
	}{
		"an empty view of now makes room":          {0, 2},
		"one from more than half a second ago not": {screening.SampleAge + time.Millisecond, 1},
		"nor one from the future":                  {-time.Millisecond, 1},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			classmates(t, dir)
			synctest.Test(t, func(t *testing.T) {
				g, lens, relay := withExit(t, dir, since(7, 30))
				stop := run(t, g)
				scan(t, g, 0, pupilBadge)
				skin(lens) // and stays
				later(2 * time.Second)
				g.lanes[0].send(lane.Sample{Sample: screening.Sample{Object: 20_000, Ambient: 22_000, At: g.o.Now().Mono - c.age}})
				later(100 * time.Millisecond)
				scan(t, g, 0, classmateBadge)
				later(2 * time.Second)
				if n := ons(relay); n != c.want {
					t.Errorf("freed %d times, want %d: %+v", n, c.want, arrivals(t, g))
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestAValueThatStandsStillToTheBitIsNobodysForehead: skin flickers; what does
// not is a thermometer that has stopped measuring, however short the time.
func TestAValueThatStandsStillToTheBitIsNobodysForehead(t *testing.T) {
	dir := t.TempDir()
	classmates(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, relay := withExit(t, dir, since(7, 30))
		stop := run(t, g)
		lens.See(20, 22)
		later(time.Second)
		scan(t, g, 0, pupilBadge)
		lens.See(36.5, 22)
		later(5 * time.Second)
		if n := ons(relay); n != 0 {
			t.Errorf("freed %d times: %+v", n, arrivals(t, g))
		}
		skin(lens)
		later(5 * time.Second)
		if n := ons(relay); n != 1 {
			t.Errorf("freed %d times for a forehead", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
