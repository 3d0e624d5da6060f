package gate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
)

// reasonRebase marks a hold that was carried over from the journal before: its
// outcome is Refuse where only a lift by name ends it, otherwise Refer.
const reasonRebase = "rebase"

// Rebase begins the gate's next journal and returns where the old one is kept.
// Every hold is carried over; today's count begins again. It refuses while an
// alarm is unanswered or somebody is set aside, and while the gate runs. Of the
// options only Config, Now, Log and Version are needed.
func Rebase(ctx context.Context, o Options, reason string) (kept string, err error) {
	scratch, err := New(Options{Config: &config.Config{}, Now: o.Now, Log: o.Log})
	if err != nil {
		return "", err
	}
	return journal.Rebase(ctx, journal.RebaseOptions{
		Path: filepath.Join(o.Config.Data, "journal.db"), Reason: reason, Boot: bootBody(o), Now: o.Now,
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
			return scratch.carried(), nil
		},
	})
}

// carried returns the entries by which every hold stands in the next journal.
func (g *Gate) carried() []journal.Draft {
	stamp := g.recorder.clock.look()
	var drafts []journal.Draft
	add := func(a entry.Answer) {
		a.Act = entry.ActHoldPlaced
		drafts = append(drafts, journal.Draft{Kind: entry.KindAnswer, Stamp: stamp, Body: a})
	}
	for subject, h := range g.register.held {
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
	slices.SortFunc(drafts, func(a, b journal.Draft) int {
		return int(a.Body.(entry.Answer).Subject) - int(b.Body.(entry.Answer).Subject)
	})
	return drafts
}
