package gate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// reasonRebase marks a hold that was carried over from the journal before: its
// outcome is Refuse where only a lift by name ends it, otherwise Refer.
const reasonRebase = "rebase"

// Rebase begins the gate's next journal and returns where the old one is kept.
// It is above every journal of this gate that a collector has named. Every hold
// and every card that is out is carried over, every policy, and every case of somebody who is away; today's count begins again. It refuses while an alarm is
// unanswered, a case is open or somebody is set aside, and while the gate runs. Of the options
// only Config, Now, Log and Version are needed.
func Rebase(ctx context.Context, o Options, reason string) (kept string, err error) {
	scratch, err := New(Options{Config: &config.Config{}, Now: o.Now, Log: o.Log})
	if err != nil {
		return "", err
	}
	above, err := newestNamed(o.Config)
	if err != nil {
		return "", err
	}
	return journal.Rebase(ctx, journal.RebaseOptions{
		Path: filepath.Join(o.Config.Data, "journal.db"), Reason: reason, Above: above, Boot: bootBody(o), Now: o.Now,
		Carry: func(rows iter.Seq2[journal.Row, error]) ([]journal.Draft, error) {
			if err := scratch.replay(rows); err != nil {
				return nil, err
			}
			if len(scratch.alarms.list()) > 0 {
				return nil, errors.New("the isolation room has not answered an alarm: start gated and answer it first")
			}
			if n := len(scratch.register.list()); n > 0 {
				return nil, fmt.Errorf("%d people are set aside: start gated and finish them first", n)
			}
			if n := len(scratch.cases.list()); n > 0 {
				return nil, fmt.Errorf("%d cases are open: start gated and end them first", n)
			}
			cards, err := scratch.register.visits.carried(scratch.recorder.clock.look())
			return slices.Concat(scratch.rules.carried(), scratch.carried(), scratch.carriedCases(), cards, scratch.calibrations.carried(scratch.recorder.clock.look())), err
		},
	})
}

// maxNamed is the highest epoch that is believed: whatever a collector says,
// numbers are left.
const maxNamed = 1 << 31

// newestNamed returns the highest epoch of this gate that one of its collectors
// has signed that it knows, as far as the evidence of contradictions shows; 0
// if none has. A card that was restored knows less than they do.
func newestNamed(cfg *config.Config) (newest uint32, err error) {
	names, err := filepath.Glob(filepath.Join(cfg.Data, evidenceDir, "*"+uplink.EvidenceTheirs))
	if err != nil {
		return 0, fmt.Errorf("look for evidence: %w", err)
	}
	for _, to := range cfg.Collectors {
		key, err := wire.ParsePublicKey(to.Key)
		if err != nil {
			return 0, fmt.Errorf("collector %s: %w", to.Name, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				return 0, fmt.Errorf("read evidence: %w", err)
			}
			// What does not parse or verify is another's, and proves nothing here.
			u, err := wire.ParseHave(b)
			if err != nil {
				continue
			}
			if h, err := u.Verify(key, cfg.Gate); err == nil && h.Collector == to.Name && h.Epoch <= maxNamed {
				newest = max(newest, h.Epoch)
			}
		}
	}
	return newest, nil
}

// carried returns the entries by which every hold stands in the next journal.
func (g *Gate) carried() []journal.Draft {
	stamp := g.recorder.clock.look()
	var drafts []journal.Draft
	add := func(a entry.Answer) {
		a.Act = entry.ActHoldPlaced
		drafts = append(drafts, journal.Draft{Kind: entry.KindAnswer, Stamp: stamp, Body: a})
	}
	held := maps.Clone(g.register.held)
	for subject := range g.register.cases.held { // whose return is owed
		h := held[subject]
		h.grave = true
		held[subject] = h
	}
	for subject, h := range held {
		if g.carriedAlone(subject, h) {
			continue
		}
		a := entry.Answer{Subject: subject, Outcome: uint8(screening.Refer), Reason: reasonRebase}
		if h.grave {
			a.Outcome = uint8(screening.Refuse)
		}
		if h.highBy != "" {
			a.Reading = &entry.Reading{Instrument: h.highBy}
		}
		add(a)
	}
	for subject, from := range g.register.above {
		for _, name := range from {
			add(entry.Answer{Subject: subject, Outcome: uint8(screening.Refer), Reason: name})
		}
	}
	for subject, n := range g.register.named {
		add(n.entry(subject))
	}
	slices.SortFunc(drafts, func(a, b journal.Draft) int {
		return int(a.Body.(entry.Answer).Subject) - int(b.Body.(entry.Answer).Subject)
	})
	return drafts
}
