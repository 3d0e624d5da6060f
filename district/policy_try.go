package district

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/dossier"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/replay"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
)

// tryDays is how far back from the newest arrival of a journal a policy is tried:
// after the holidays, on the week before them.
const tryDays = 7

// Tried is what a policy would have decided of one school's last week.
type Tried struct {
	School string
	policy.Replayed
}

// try replays the last week of every school.
func (o *Office) try(ctx context.Context, d policy.Document, gates []store.Gate) (all []Tried, err error) {
	p, err := screening.Compile(d.Spec)
	if err != nil {
		return nil, err
	}
	for _, group := range bySchool(gates) {
		known, err := o.evidence(ctx, group)
		if err != nil {
			return nil, err
		}
		done, err := policy.Replay(p, o.lastWeek(ctx, group, known))
		if err != nil {
			return nil, err
		}
		all = append(all, Tried{schoolOf(group[0]), done})
	}
	return all, nil
}

// evidence returns what the newest list that was posted to a school says of its
// people, nil where none was.
func (o *Office) evidence(ctx context.Context, gates []store.Gate) (replay.Evidence, error) {
	for _, g := range gates {
		post, err := o.store.Posted(ctx, wire.KindRoster.String(), g.Name)
		if errors.Is(err, store.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list, err := o.posted(post)
		if err != nil {
			return nil, err
		}
		people := map[uint64]roster.Person{}
		for _, p := range list {
			people[p.ID] = p
		}
		return func(id uint64, at time.Time) (screening.Subject, []screening.Proof) {
			return dossier.Of(people[id], at.Location())
		}, nil
	}
	return nil, nil
}

// posted reads the people of a list that was posted.
func (o *Office) posted(p store.Post) ([]roster.Person, error) {
	body, err := bodyOf(p, o.own())
	if err != nil {
		return nil, err
	}
	list, err := wire.ParseRosterList(body)
	if err != nil {
		return nil, err
	}
	return roster.Parse(bytes.NewReader(list.List))
}

// lastWeek yields the arrivals of the last week of some gates, each judged by the
// policies of its own journal.
func (o *Office) lastWeek(ctx context.Context, gates []store.Gate, known replay.Evidence) iter.Seq2[policy.Recorded, error] {
	return func(yield func(policy.Recorded, error) bool) {
		for _, g := range gates {
			journals, err := o.store.Streams(ctx, g.Name)
			if err != nil {
				yield(policy.Recorded{}, err)
				return
			}
			var since time.Time
			for _, j := range slices.Backward(journals) { // the newest first
				first, err := o.weekOf(ctx, j, &since)
				if err != nil {
					yield(policy.Recorded{}, err)
					return
				}
				for r, err := range replay.Read(o.entries(ctx, j, first), since, known) {
					if !yield(r, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// weekOf returns where the last week of a journal begins. Since is when: a week
// before the newest arrival of the gate, which is found here where it is zero.
func (o *Office) weekOf(ctx context.Context, j store.Stream, since *time.Time) (first uint64, err error) {
	for first = j.Tree.Size(); first > 0; first-- {
		e, err := o.entry(ctx, j, first-1)
		if err != nil {
			return 0, err
		}
		if since.IsZero() && e.Kind == entry.KindArrival {
			*since = time.UnixMilli(e.Wall).AddDate(0, 0, -tryDays)
		}
		if !since.IsZero() && e.Wall < since.UnixMilli() {
			break
		}
	}
	return first, nil
}

func (o *Office) entry(ctx context.Context, j store.Stream, seq uint64) (entry.Entry, error) {
	leaf, err := o.store.Leaf(ctx, j.Gate, j.Epoch, seq)
	if err != nil {
		return entry.Entry{}, err
	}
	return entry.Unmarshal(leaf)
}

// entries yields the policies that a journal holds, and then its entries from a
// place on.
func (o *Office) entries(ctx context.Context, j store.Stream, first uint64) iter.Seq2[entry.Entry, error] {
	return func(yield func(entry.Entry, error) bool) {
		taken, err := o.store.NewestBelow(ctx, topicPolicy)
		if err != nil {
			yield(entry.Entry{}, err)
			return
		}
		taken = slices.DeleteFunc(taken, func(n store.Newest) bool { return n.Gate != j.Gate || n.Epoch != j.Epoch || n.Seq >= first })
		for _, n := range taken {
			if e, err := entry.Unmarshal(n.Leaf); !yield(e, err) {
				return
			}
		}
		for seq := first; seq < j.Tree.Size(); seq++ {
			if e, err := o.entry(ctx, j, seq); !yield(e, err) || err != nil {
				return
			}
		}
	}
}
