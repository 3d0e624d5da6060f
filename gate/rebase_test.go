package gate

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// rebased begins the next journal of a gate that does not run.
func rebased(t *testing.T, dir string) (kept string, err error) {
	t.Helper()
	g, _ := build(t, dir, stillClock)
	return Rebase(t.Context(), Options{Config: g.o.Config, Now: stillClock, Log: slog.New(slog.DiscardHandler), Version: "test"}, "card was restored")
}

// reopened opens a gate over a directory and brings back what its journal says.
func reopened(t *testing.T, dir string) *Gate {
	t.Helper()
	g, _ := build(t, dir, stillClock)
	open(t, g)
	if err := g.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestEveryHoldStandsInTheNextJournal(t *testing.T) {
	dir := t.TempDir()
	g := reopened(t, dir)
	for subject, rec := range map[uint64]lane.Record{
		1: stopped(screening.Recheck, screening.HighOnce), 2: stopped(screening.Refuse, screening.RedCode), 3: stopped(screening.Refer, screening.NoGreen),
	} {
		rec.Subject.ID, rec.Arrival = subject, uint32(subject)
		store(t, g, body(g.journal.Boot(), rec, 1, nil))
	}
	for _, from := range []string{"collector:district", "collector:school"} {
		store(t, g, entry.Answer{Act: entry.ActHoldPlaced, Subject: 4, Reason: from})
	}
	store(t, g, entry.Answer{Act: entry.ActHoldPlaced, Subject: 2, Reason: "collector:district"})
	shut(t, g)
	g = reopened(t, dir)
	before := g.register.holds()
	shut(t, g)
	for epoch := uint32(2); epoch <= 3; epoch++ { // also from one rebase to the next
		if _, err := rebased(t, dir); err != nil {
			t.Fatal(err)
		}
		g = reopened(t, dir)
		if g.journal.Epoch() != epoch || g.journal.Reason() != "card was restored" {
			t.Errorf("epoch %d for %q", g.journal.Epoch(), g.journal.Reason())
		}
		after := g.register.holds()
		for subject, h := range before {
			h.id = entry.ArrivalID{} // was of a journal that has ended
			before[subject] = h
		}
		if len(before) != 4 || !maps.Equal(after, before) {
			t.Errorf("holds were %v, and are %v", before, after)
		}
		g.register.liftFrom(4, "collector:school")
		if !g.register.holds()[4].above {
			t.Error("two holds from above became one")
		}
		shut(t, g)
	}
	if _, err := os.Stat(filepath.Join(dir, "journal-2.db")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsOpenIsFinishedBeforeTheNextJournal(t *testing.T) {
	isolated := stopped(screening.Isolate, screening.RedCode)
	aside := stopped(screening.Recheck, screening.HighOnce)
	aside.Act, aside.Ticket = lane.Aside, 12
	for want, records := range map[string][]lane.Record{
		"has not answered an alarm": {isolated}, "1 people are set aside": {stopped(screening.Recheck, screening.HighOnce), aside},
	} {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			g := reopened(t, dir)
			for _, rec := range records {
				rec.Arrival = 1
				store(t, g, body(g.journal.Boot(), rec, 1, nil))
			}
			shut(t, g)
			if _, err := rebased(t, dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("says %v", err)
			}
			g = reopened(t, dir)
			if g.journal.Epoch() != 1 {
				t.Errorf("epoch %d", g.journal.Epoch())
			}
			shut(t, g)
		})
	}
}

func TestARunningGateKeepsItsJournal(t *testing.T) {
	dir := t.TempDir()
	g := reopened(t, dir)
	defer shut(t, g)
	if _, err := rebased(t, dir); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("says %v", err)
	}
}
