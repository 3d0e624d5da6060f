package gate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web/guard"
)

// policyReason begins the reason of an entry that says which rules were seen.
const policyReason = "policy:"

// questions are what the gate asks once of whoever is on duty: whether an old
// list serves today, and whether they have seen that the rules changed. Both
// are rebuilt from the journal.
type questions struct {
	mu sync.Mutex
	// listed is the date of the list of people and holds, as far as the journal
	// knows, and accepted when somebody last said that an old one serves.
	listed, accepted time.Time
	// seen are the rules that somebody has seen last.
	seen policy.Document
	// known are rules by their number, for the sentences that say what changed.
	known map[uint32]policy.Document
}

func newQuestions(first policy.Document) *questions {
	return &questions{seen: first, known: map[uint32]policy.Document{first.Spec.Number: first}}
}

// replayRoster takes the entry of a roster at start. One that came to be by a
// badge is no newer list.
func (q *questions) replayRoster(e entry.Entry) {
	var r entry.Roster
	if e.Decode(&r) == nil && r.By != reasonBadge {
		q.list(time.UnixMilli(e.Wall))
	}
}

// replay takes the entry of an answer at start. An order about a hold shows that
// the list was kept.
func (q *questions) replay(rec lane.Record, wall time.Time) {
	switch uint8(rec.Act) {
	case entry.ActListAccepted:
		q.accept(wall)
	case entry.ActRulesSeen:
		if n, err := strconv.ParseUint(strings.TrimPrefix(rec.Reason, policyReason), 10, 32); err == nil {
			q.see(uint32(n))
		}
	case entry.ActHoldPlaced, entry.ActHoldLifted:
		if strings.HasPrefix(rec.Reason, origin("")) {
			q.list(wall)
		}
	}
}

func (q *questions) list(at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at.After(q.listed) {
		q.listed = at
	}
}

func (q *questions) accept(at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.accepted = at
}

// know keeps rules that were taken, for the sentences that say what changed.
func (q *questions) know(d policy.Document) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.known[d.Spec.Number] = d
}

// see takes rules for seen. Of rules that this program does not know any more
// only the number is left.
func (q *questions) see(number uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	doc, ok := q.known[number]
	if !ok {
		doc.Spec.Number = number
	}
	q.seen = doc
}

// stale reports whether a list of that date is too old for a day: older than
// 18:00 of the day before.
func stale(list, now time.Time) bool {
	y, m, d := now.Date()
	return list.Before(time.Date(y, m, d-1, 18, 0, 0, 0, now.Location()))
}

// asks returns what is asked now. By a clock that nobody vouches for no list is
// old: the clock is the first question then.
func (q *questions) asks(now entry.Stamp, heard time.Time, p policy.Document) []guard.Question {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []guard.Question
	list := q.listed
	if heard.After(list) {
		list = heard
	}
	today := now.Wall.Format(time.DateOnly)
	answered := q.accepted.In(now.Wall.Location()).Format(time.DateOnly) == today
	if asksColour(p.Spec) && now.Clock >= entry.ClockConfirmed && stale(list, now.Wall) && !answered {
		one := guard.Question{Kind: guard.AskList, About: today}
		if !list.IsZero() {
			one.Date = list.In(now.Wall.Location())
		}
		out = append(out, one)
	}
	if number := p.Spec.Number; number != q.seen.Spec.Number {
		one := guard.Question{Kind: guard.AskRules, About: fmt.Sprint(number), Number: number}
		if q.seen.Spec.Requirements != nil {
			one.Changes = changesOf(q.seen, p)
		}
		out = append(out, one)
	}
	return out
}

// asksColour reports whether the rules at the entrance look at what a list says
// of people.
func asksColour(s screening.Spec) bool {
	for _, r := range s.Requirements {
		if r.Direction == screening.In && (r.Evidence == screening.NotBarred || r.Evidence == screening.PositiveGreen) {
			return true
		}
	}
	return false
}

// asked returns what the gate asks now.
//
// The date of the list is the newest of: a signed word of a collector, which
// repeats every order until it has seen the gate's entry of it, so that while it
// is heard the list is that of now; an order about a hold, or a list of people,
// from a collector; a list that was imported here. A restart forgets when the
// collector was heard and knows what stands in the journal: it asks once too
// often rather than not at all.
func (g *Gate) asked(now entry.Stamp) []guard.Question {
	var heard time.Time
	for _, l := range g.collectors.links {
		if at := l.up.State().Heard; at.After(heard) {
			heard = at
		}
	}
	return slices.Concat(g.rules.asks(), g.questions.asks(now, heard, g.document()), g.unexplained.asks(now.Wall), g.asksWrist())
}

// Accept takes one answer. The entry comes first: without it the question
// stands.
func (g *Gate) Accept(ctx context.Context, a guard.Acceptance) error {
	now := g.recorder.now()
	if a.Kind == guard.AskWrist {
		return g.wristFirst(ctx, a, now)
	}
	for _, q := range g.asked(now) {
		if q.Kind != a.Kind || q.About != a.About || q.Kind == guard.AskReason { // that wants a PIN
			continue
		}
		if q.Kind == guard.AskOrder || q.Kind == guard.AskOrderWrong { // not to be taken
			g.rules.drop()
			return nil
		}
		body := entry.Answer{Act: entry.ActRulesSeen, By: g.names(a.By.ID), Reason: policyReason + q.About}
		if q.Kind == guard.AskList {
			body.Act, body.Reason = entry.ActListAccepted, ""
			if !q.Date.IsZero() {
				body.Until = q.Date.UnixMilli()
			}
		}
		if err := g.recorder.wait(ctx, body); err != nil {
			return err
		}
		if q.Kind == guard.AskList {
			g.questions.accept(now.Wall)
		} else {
			g.questions.see(q.Number)
		}
		g.changed()
		return nil
	}
	return guard.ErrStale
}

// replayDuty takes what people at the gate did that is about nobody, and how old
// the list is. It reports whether that is all that an entry means.
func (g *Gate) replayDuty(e entry.Entry, rec lane.Record) bool {
	g.questions.replay(rec, time.UnixMilli(e.Wall))
	switch uint8(rec.Act) {
	case entry.ActEmergency:
		var a entry.Answer
		if e.Decode(&a) == nil {
			g.emergency.replay(a)
		}
	case entry.ActDrill:
		var a entry.Answer
		if e.Decode(&a) == nil {
			g.drill.replay(a)
		}
	case entry.ActRulesSeen, entry.ActListAccepted:
	default:
		return false
	}
	return true
}
