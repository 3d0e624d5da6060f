package gate

import (
	"context"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// What a lane says of a card that nobody has, in place of "on-hold".
const (
	reasonNotLent = "card-not-given"
	reasonLater   = "visitors-later"
)

// scanOfCard completes a scan whose digits are no person's. Whoever has a card
// is asked what the policy asks of a visitor; a card that nobody has is held.
func (l *laneLoop) scanOfCard(s lane.Scan, digits string) lane.Scan {
	card, ok := l.people.CardByBadge(digits)
	if !ok {
		return s
	}
	s.Subject = screening.Subject{ID: card.ID(), Role: screening.Visitor}
	var h hold
	h, s.Held, s.Carried = l.g.register.look(card.ID(), l.g.o.Now().Mono)
	s.Recheckable, s.HighBy = s.Held && !h.grave, h.highBy
	return l.evidence(s)
}

// visitLeft takes a card back that went out by a lane. It waits for nothing: it
// is called on the committer's goroutine, behind the entry of the arrival. A crash
// in between leaves the card on the desk's list, where somebody takes it back.
func (g *Gate) visitLeft(id entry.ArrivalID, rec lane.Record, stamp entry.Stamp) {
	if rec.Act != lane.NoAct || rec.Direction != screening.Out || rec.Decision.Outcome != screening.Admit {
		return
	}
	card := rec.Subject.ID
	if g.register.visits.close(card) == nil {
		return
	}
	body := entry.Answer{Arrival: id, Act: entry.ActVisitOut, Subject: card}
	g.recorder.submit(journal.Draft{Kind: entry.KindAnswer, Stamp: stamp, Body: body}, false, func(_ journal.Receipt, err error) {
		if err == nil { // until then the card opens nothing and is nobody else's
			g.register.visits.end(card)
			g.changed()
		}
	})
}

// reasonsOf says of a card that nobody has that it is so, where nothing else
// stands against it. What it was not asked for follows from that.
func (g *Gate) reasonsOf(subject uint64, reasons []string) []string {
	if _, card := roster.CardOf(subject); !card {
		return g.caseReasons(subject, reasons)
	}
	i := slices.Index(reasons, screening.OnHold.String())
	if h, held, _ := g.register.look(subject, 0); i < 0 || held && !h.notLent {
		return reasons
	}
	reasons[i] = reasonNotLent
	if g.visitorsFrom() != "" {
		reasons[i] = reasonLater
	}
	return slices.DeleteFunc(reasons, func(r string) bool {
		return r == screening.NoTemperature.String() || r == screening.NoGreen.String()
	})
}

// visitorsFrom returns from when on visitors are given cards, as 15:04, or
// nothing when they are. By a clock that nobody vouches for they are: who stands
// before the desk knows how late it is.
func (g *Gate) visitorsFrom() string {
	after, now := g.o.Config.VisitorsAfter, g.recorder.clock.look()
	y, m, d := now.Wall.Date()
	from := time.Date(y, m, d, 0, int(after/time.Minute), 0, 0, now.Wall.Location())
	if after == 0 || now.Clock < entry.ClockConfirmed || !now.Wall.Before(from) {
		return ""
	}
	return from.Format("15:04")
}

// visitProblems tells of whoever has stayed longest of those who stay too long,
// and of who waits for the visitors' hours.
func (g *Gate) visitProblems(add func(key string, args ...any)) {
	now := g.recorder.clock.look().Wall
	if list := g.register.visits.list(); len(list) > 0 && list[0].over(now) {
		add("visitor-overstay", list[0].card.String(), int(visitMost.Minutes()))
	}
	if waiting, _ := g.register.visits.counts(now); waiting > 0 {
		if from := g.visitorsFrom(); from != "" {
			add("visitors-later", from, waiting)
		}
	}
}

// watchVisits wakes the pages when somebody has stayed too long and when the
// visitors' hours begin. It looks at the clock instead of waiting for a moment:
// clocks are set.
func (g *Gate) watchVisits(ctx context.Context) error {
	tick := time.NewTicker(overWithin)
	defer tick.Stop()
	var told string
	for {
		now, seen := g.recorder.clock.look().Wall, g.visitorsFrom()
		for _, x := range g.register.visits.list() {
			if x.over(now) {
				seen += " " + x.card.String()
			}
		}
		if seen != told {
			told = seen
			g.changed()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
