package gate

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// visitMost is how long a visitor stays before somebody is told.
const visitMost = 60 * time.Minute

// visits are the cards that visitors have, who waits for one, and what was
// handed over outside. It lives in memory; all but who waits is rebuilt from the
// journal by the same functions that keep it. No day ends a visit: a card that
// did not come back is missed until it does.
type visits struct {
	mu   sync.Mutex
	lent map[uint64]visit // by the card's roster number
	// What follows counts on one day.
	day     string
	waiting int
	goods   int
	noting  bool // the entry of goods is on its way
}

// visit is one card from the press that lends it until its return is durable.
// In between it opens lanes; before its entry is durable, and from the press
// that takes it back, it does not.
type visit struct {
	reason string
	who    entry.Visitor
	by     []uint64
	since  time.Time
	open   bool
}

// proofs returns what a visit proves at a lane: since when a leader approves it.
func (v visit) proofs() []screening.Proof {
	if !v.approved() {
		return nil
	}
	return []screening.Proof{{Of: screening.Approval, At: v.since}}
}

// approvedBy stands behind the reason of a visit that a leader has approved, who
// is the second of those in By.
const approvedBy = ":approved"

func (v visit) approved() bool { return strings.HasSuffix(v.reason, approvedBy) }

// why returns the reason as the page has it.
func (v visit) why() string { return strings.TrimSuffix(v.reason, approvedBy) }

// over reports whether a visitor has stayed too long.
func (v visit) over(now time.Time) bool { return now.Sub(v.since) > visitMost }

func newVisits() *visits { return &visits{lent: map[uint64]visit{}} }

// withheld reports whether a subject is a card that nobody has.
func (v *visits) withheld(subject uint64) bool {
	if _, card := roster.CardOf(subject); !card {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.lent[subject].open
}

// of returns the visit of a card that somebody has.
func (v *visits) of(card uint64) (visit, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	x, ok := v.lent[card]
	return x, ok && x.open
}

// reserve lets nobody else have a card while its entry is on its way.
func (v *visits) reserve(card uint64, x visit) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, taken := v.lent[card]; taken {
		return false
	}
	v.lent[card] = x
	return true
}

// begin lets a card open lanes: its entry is durable. Who waited has it.
func (v *visits) begin(card uint64, x visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	x.open = true
	v.lent[card] = x
	v.newDay(x.since)
	v.waiting = max(0, v.waiting-1)
}

// close lets a card open nothing any more and returns its visit; nil where
// nobody has it.
func (v *visits) close(card uint64) *visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	x, ok := v.lent[card]
	if !ok || !x.open {
		return nil
	}
	x.open = false
	v.lent[card] = x
	x.open = true
	return &x
}

// reopen takes back what close did: its entry could not be stored.
func (v *visits) reopen(card uint64, x visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lent[card] = x
}

// end frees a card: the entry of its return is durable, or it was never lent.
func (v *visits) end(card uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.lent, card)
}

// list returns the visits, the longest first.
func (v *visits) list() []lentCard {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []lentCard
	for card, x := range maps.All(v.lent) {
		c, _ := roster.CardOf(card)
		all = append(all, lentCard{c, x})
	}
	slices.SortFunc(all, func(a, b lentCard) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.card.Number, b.card.Number))
	})
	return all
}

// lentCard is a card, without its digits, and its visit.
type lentCard struct {
	card roster.Card
	visit
}

// newDay begins the counts anew. The caller holds the lock.
func (v *visits) newDay(now time.Time) {
	if day := now.Format(time.DateOnly); day != v.day {
		v.day, v.waiting, v.goods = day, 0, 0
	}
}

// wait lets one more wait for a card, if it was pressed by somebody who saw how
// many do.
func (v *visits) wait(now time.Time, seen int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.newDay(now)
	if v.waiting != seen {
		return false
	}
	v.waiting++
	return true
}

// counts returns who waits and what was handed over today.
func (v *visits) counts(now time.Time) (waiting, goods int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.newDay(now)
	return v.waiting, v.goods
}

// note begins a press for goods by somebody who saw that count, unless another
// is on its way.
func (v *visits) note(now time.Time, seen int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.newDay(now)
	if v.noting || v.goods != seen {
		return false
	}
	v.noting = true
	return true
}

// noted ends the press: its entry is durable, or there is none.
func (v *visits) noted(now time.Time, durable bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.noting = false
	if durable {
		v.newDay(now)
		v.goods++
	}
}

// replay takes a record about visitors. A blob that is gone, or that a newer
// program wrote, leaves a card of which nobody knows who has it.
func (v *visits) replay(row journal.Row, rec lane.Record) bool {
	card, wall := rec.Subject.ID, time.UnixMilli(row.Entry.Wall)
	switch uint8(rec.Act) {
	case entry.ActVisitIn:
		who, err := entry.ReadVisitor(row.Private)
		if err != nil {
			who = entry.Visitor{}
		}
		v.begin(card, visit{reason: rec.Reason, who: who, by: rec.By, since: wall})
	case entry.ActVisitOut:
		v.end(card)
	case entry.ActGoodsOutside:
		v.noted(wall, true)
	default:
		return false
	}
	return true
}

// carried returns the entries by which the cards that are out are so in the next
// journal; their hour begins again.
func (v *visits) carried(stamp entry.Stamp) ([]journal.Draft, error) {
	var drafts []journal.Draft
	for _, x := range v.list() {
		d, err := x.draft(x.card.ID(), stamp)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// draft returns the entry by which a card is lent.
func (v visit) draft(card uint64, stamp entry.Stamp) (journal.Draft, error) {
	blob, err := v.who.Blob()
	return journal.Draft{Kind: entry.KindAnswer, Stamp: stamp, Private: blob,
		Body: entry.Answer{Act: entry.ActVisitIn, Subject: card, By: v.by, Reason: v.reason}}, err
}
