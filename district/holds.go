package district

import (
	"cmp"
	"context"
	"crypto/sha256"
	"maps"
	"math"
	"slices"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/sync/wire"
)

// schoolOf returns whose gate it is: gates that name one school are that
// school's, and one that names none is a school of its own.
func schoolOf(g store.Gate) string { return cmp.Or(g.School, g.Name) }

// site is one gate, as far as holds are concerned.
type site struct {
	gate string
	// admitted says that the gate is let in, and ours that people have there the
	// roster numbers of this collector's list, which post is the head of.
	admitted, ours bool
	post           store.Post
	// from is the entry by which they have them.
	from place
	// own are the subjects whom the gate itself holds, and passed those whom it
	// holds because this collector said so.
	own, passed map[uint64]bool
}

// order is a hold that is to be placed or lifted at a gate.
type order struct {
	gate    string
	subject uint64
	place   bool
}

// due returns what is to be ordered at one gate of a school so that it holds
// whom the others hold. Of a gate that is not let in, or numbers its people
// otherwise, no hold is passed on, and none is lifted that it still has.
//
// A hold that a person lifts where it was passed on to is ordered again for as
// long as it stands where it was found: nobody there has lifted it, and only
// there does anybody know why it stands.
func due(at site, others []site) (orders []order) {
	if !at.admitted || !at.ours {
		return nil
	}
	stands, wanted := map[uint64]bool{}, map[uint64]bool{}
	for _, o := range others {
		maps.Copy(stands, o.own)
		if o.admitted && o.ours {
			maps.Copy(wanted, o.own)
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(wanted)) {
		if !at.passed[subject] {
			orders = append(orders, order{at.gate, subject, true})
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(at.passed)) {
		if !stands[subject] {
			orders = append(orders, order{at.gate, subject, false})
		}
	}
	return orders
}

// sites returns the gates of each school, nothing where no hold stands at all.
func (d *District) sites(ctx context.Context) (map[string][]site, error) {
	holds, err := d.store.Holds(ctx)
	if err != nil || len(holds) == 0 {
		return nil, err
	}
	gates, err := d.store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	numbered, err := readNumbering(ctx, d.store)
	if err != nil {
		return nil, err
	}
	heads, err := d.lists.heads(ctx)
	if err != nil {
		return nil, err
	}
	schools := map[string][]site{}
	for _, g := range gates {
		s := site{gate: g.Name, admitted: g.Revoked.IsZero(), own: map[uint64]bool{}, passed: map[uint64]bool{}}
		s.post, s.ours = heads[g.Name]
		who, from := numbered.by(g.Name, math.MaxUint32)
		s.ours, s.from = s.ours && who == d.reader().origin(), from
		for _, h := range holds {
			switch {
			case h.Gate != g.Name:
			case h.Source == "", h.Source == byName, h.Source == inCase:
				s.own[h.Subject] = true
			case h.Source == d.reader().origin():
				s.passed[h.Subject] = true
			}
		}
		schools[schoolOf(g)] = append(schools[schoolOf(g)], s)
	}
	return schools, nil
}

// keyed is an order with the key of its subject, and what the gate's people have
// their numbers from.
type keyed struct {
	order
	key  [sha256.Size]byte
	from place
}

// dueEverywhere returns what is to be ordered now at any gate.
func (d *District) dueEverywhere(ctx context.Context) (all []keyed, err error) {
	schools, err := d.sites(ctx)
	if err != nil {
		return nil, err
	}
	for _, school := range slices.Sorted(maps.Keys(schools)) {
		for i, at := range schools[school] {
			others := slices.Delete(slices.Clone(schools[school]), i, i+1)
			for _, o := range due(at, others) {
				k, known, err := d.keyOf(ctx, o, at, others)
				switch {
				case ctx.Err() != nil:
					return nil, ctx.Err()
				case err != nil: // one school's list keeps no other's holds
					d.log.Error("hold not passed on", "gate", o.gate, "err", err)
				case known:
					all = append(all, keyed{o, k, at.from})
				}
			}
		}
	}
	return all, nil
}

// keyOf returns the key of an order's subject, if the list posted to the gate
// has somebody of that number, and the list of one that holds the subject means
// the same person by it.
func (d *District) keyOf(ctx context.Context, o order, at site, others []site) (key [sha256.Size]byte, known bool, err error) {
	people, err := d.lists.read(ctx, at.post)
	if err != nil {
		return key, false, err
	}
	person, known := people[o.subject]
	if !known || !o.place {
		return person.key, known, nil
	}
	for _, other := range others {
		if !other.admitted || !other.ours || !other.own[o.subject] {
			continue
		}
		theirs, err := d.lists.read(ctx, other.post)
		if err != nil {
			return key, false, err
		}
		if same, ok := theirs[o.subject]; ok && same.key == person.key {
			return person.key, true, nil
		}
	}
	return key, false, nil
}

// sign writes an order as the document of a number.
func (d *District) sign(o keyed, number uint64) ([]byte, error) {
	body, err := wire.HoldOrder{Key: o.key, Subject: o.subject, Place: o.place}.Encode()
	if err != nil {
		return nil, err
	}
	return wire.Down{Kind: wire.KindHold, Number: number, Scope: o.gate, Body: body}.Sign(d.key)
}
