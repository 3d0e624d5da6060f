package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// reasonGoods is why something was handed over outside.
const reasonGoods = "delivery"

// Visitors implements desk.Visits.
func (d deskPage) Visitors() desk.Visitors {
	people, now := d.roster.Snapshot(), d.recorder.clock.look().Wall
	v := desk.Visitors{From: d.visitorsFrom(), Leaders: d.approvers()}
	v.Waiting, v.Goods = d.register.visits.counts(now)
	lent := map[int]bool{}
	for _, x := range d.register.visits.list() {
		lent[x.card.Number] = true
		one := desk.Visit{Card: x.card.Number, Name: x.who.Name, Reason: x.why(), Since: x.since, Over: x.over(now), Open: x.open}
		one.Host, _ = nameOf(people, x.who.Host)
		v.Inside = append(v.Inside, one)
	}
	for _, c := range people.Cards() {
		if _, held := d.found(c); !lent[c.Number] && !held {
			v.Free = append(v.Free, c.Number)
		}
	}
	return v
}

// found reports whether something stands against a card beside that nobody has
// it: it stays out of use until that is lifted.
func (d deskPage) found(c roster.Card) (h hold, held bool) {
	h, held, _ = d.register.look(c.ID(), 0)
	return h, held && !h.notLent
}

// Give implements desk.Visits. The entry first: a card opens lanes once it is
// known who has it.
func (d deskPage) Give(ctx context.Context, v desk.Giving) error {
	people := d.roster.Snapshot()
	host, known := people.ByID(v.Host)
	card := roster.Card{Number: v.Card}
	_, held := d.found(card)
	switch {
	case d.visitorsFrom() != "":
		return desk.ErrEarly
	case !known || host.Left || host.Role == roster.Student || !hasCard(people, v.Card):
		return guard.ErrStale
	case held:
		return desk.ErrCardTaken
	}
	stamp := d.recorder.now()
	x := visit{reason: v.Reason, who: entry.Visitor{Name: v.Name, Phone: v.Phone, Host: v.Host}, by: d.names(v.By.ID), since: stamp.Wall}
	if v.Leader != 0 {
		if err := d.approves(ctx, v); err != nil {
			return err
		}
		x.reason, x.by = x.reason+approvedBy, []uint64{v.By.ID, v.Leader}
	}
	draft, err := x.draft(card.ID(), stamp)
	if err != nil {
		return fmt.Errorf("give card: %w", err)
	}
	if !d.register.visits.reserve(card.ID(), x) {
		return desk.ErrCardTaken
	}
	return d.store(ctx, draft, func(err error) {
		if err != nil {
			d.register.visits.end(card.ID())
		} else {
			d.register.visits.begin(card.ID(), x)
		}
	})
}

func hasCard(people *roster.Snapshot, number int) bool {
	for _, c := range people.Cards() {
		if c.Number == number {
			return true
		}
	}
	return false
}

// TakeBack implements desk.Visits. From the press on the card opens nothing;
// where its entry cannot be stored the visitor stays on the list.
func (d deskPage) TakeBack(ctx context.Context, b desk.Return) error {
	card := roster.Card{Number: b.Card}.ID()
	x := d.register.visits.close(card)
	if x == nil {
		return guard.ErrStale
	}
	if x.since.UnixMilli() != b.Version {
		d.register.visits.reopen(card, *x)
		return guard.ErrStale
	}
	for _, l := range d.lanes {
		l.send(lane.HoldPlaced{Subject: card})
	}
	body := entry.Answer{Act: entry.ActVisitOut, Subject: card, By: d.names(b.By.ID)}
	return d.store(ctx, journal.Draft{Kind: entry.KindAnswer, Stamp: d.recorder.now(), Body: body}, func(err error) {
		if err != nil {
			d.register.visits.reopen(card, *x)
		} else {
			d.register.visits.end(card)
		}
	})
}

// Count implements desk.Visits. Who waits is counted and nowhere recorded.
func (d deskPage) Count(ctx context.Context, c desk.Count) error {
	stamp := d.recorder.now()
	if c.What == desk.CountWaiting {
		if !d.register.visits.wait(stamp.Wall, c.Seen) {
			return guard.ErrStale
		}
		d.changed()
		return nil
	}
	if !d.register.visits.note(stamp.Wall, c.Seen) {
		return guard.ErrStale
	}
	body := entry.Answer{Act: entry.ActGoodsOutside, By: d.names(c.By.ID), Reason: reasonGoods}
	return d.store(ctx, journal.Draft{Kind: entry.KindAnswer, Stamp: stamp, Body: body}, func(err error) {
		d.register.visits.noted(stamp.Wall, err == nil)
	})
}

// store stores an entry now or not at all. Then hears once what became of it,
// whether or not somebody still waits for the answer; it must not block.
func (g *Gate) store(ctx context.Context, d journal.Draft, then func(error)) error {
	heard := make(chan error, 1)
	g.recorder.submit(d, true, func(_ journal.Receipt, err error) {
		then(err)
		g.changed()
		heard <- err
	})
	select {
	case err := <-heard:
		return err
	case <-ctx.Done():
		return fmt.Errorf("record what was done: %w", ctx.Err())
	}
}

// CardsMade is what became of the cards.
type CardsMade struct {
	// Made is how many were missing.
	Made int
	// Cards are all that there are now, with their digits.
	Cards []roster.Card
}

func (g *Gate) makeCards(w http.ResponseWriter, r *http.Request) {
	highest, err := strconv.Atoi(r.URL.Query().Get("highest"))
	if err != nil {
		answer(w, nil, errors.New("how many cards there are to be is no number"))
		return
	}
	made, err := g.roster.MakeCards(r.Context(), highest)
	g.refreshLanes()
	answer(w, CardsMade{made, g.roster.Snapshot().Cards()}, err)
}
