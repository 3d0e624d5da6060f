package gate

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// rebased begins the next journal of a gate that does not run.
func rebased(t *testing.T, dir string, known ...*peer) (kept string, err error) {
	t.Helper()
	g, _ := build(t, dir, stillClock)
	for _, p := range known {
		c := p.collector()
		g.o.Config.Collectors = append(g.o.Config.Collectors, config.Collector{Name: c.Name, Key: wire.FormatPublicKey(c.Key)})
	}
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

// copyCard makes a directory what another one is now.
func copyCard(t *testing.T, from, to string) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(to, "*"))
	for _, name := range old {
		err = errors.Join(err, os.RemoveAll(name))
	}
	if err := errors.Join(err, os.CopyFS(to, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
}

func TestOneNewJournalIsEnoughHoweverOftenACardWasRestored(t *testing.T) {
	p := newPeer(t, "district")
	dir, image := t.TempDir(), t.TempDir()
	live := func(until string, holds func(CollectorStatus) bool) {
		t.Helper()
		g := joined(t, dir, p)
		stop := run(t, g)
		await(t, until, func() bool { return holds(g.collectors.status()[0]) })
		stops(t, stop)
	}
	arrived := func(s CollectorStatus) bool { return s.Phase == "streaming" && s.Acked == s.Size }
	live("all arrives", arrived)
	copyCard(t, dir, image)
	live("what the copy does not have arrives", arrived)
	for epoch := uint32(2); epoch <= 4; epoch++ {
		copyCard(t, image, dir)
		live("the contradiction is found", func(s CollectorStatus) bool { return s.Phase == "diverged" })
		if _, err := rebased(t, dir, p); err != nil {
			t.Fatal(err)
		}
		live("all of the next journal arrives", arrived)
		if p.epoch != epoch {
			t.Errorf("the collector has epoch %d, want %d", p.epoch, epoch)
		}
	}
}

func TestTheNextJournalIsAboveWhatItsCollectorsSignedAndNothingElse(t *testing.T) {
	district, stranger := newPeer(t, "district"), newPeer(t, "district")
	stranger.key = testKey(9)
	have := func(by *peer, name, origin string, epoch uint32) []byte {
		b, err := wire.Have{Collector: name, Checkpoint: wire.Checkpoint{Origin: origin, Epoch: epoch, Head: entry.Head{Size: 1}}}.Sign(by.key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		evidence [][]byte
		want     uint32
	}{
		"nothing is known":            {nil, 2},
		"an older one":                {[][]byte{have(district, "district", "test", 1)}, 2},
		"the newest of several":       {[][]byte{have(district, "district", "test", 3), have(district, "district", "test", 6), have(district, "district", "test", 5)}, 7},
		"of a stranger":               {[][]byte{have(stranger, "district", "test", 6)}, 2},
		"of another collector":        {[][]byte{have(district, "school", "test", 6)}, 2},
		"of another gate":             {[][]byte{have(district, "district", "west", 6)}, 2},
		"damaged":                     {[][]byte{{0x87}}, 2},
		"above every sensible number": {[][]byte{have(district, "district", "test", 1<<32-1)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			g := reopened(t, dir)
			for i, b := range c.evidence {
				if err := g.collectors.keep(strings.Repeat("x", i)+uplink.EvidenceTheirs, b); err != nil {
					t.Fatal(err)
				}
			}
			shut(t, g)
			if _, err := rebased(t, dir, district); err != nil {
				t.Fatal(err)
			}
			g = reopened(t, dir)
			defer shut(t, g)
			if got := g.journal.Epoch(); got != c.want {
				t.Errorf("epoch %d, want %d", got, c.want)
			}
		})
	}
}
