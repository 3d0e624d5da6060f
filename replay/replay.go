// Package replay reads what journals keep of decided arrivals, as far as another
// policy could decide them anew.
//
// It knows entries and what their numbers mean to package screening. It does not
// know where entries are stored, who anybody is, or what becomes of the answer.
package replay

import (
	"fmt"
	"iter"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// Evidence returns what a roster knows of somebody at a time: of Subject the
// grade and the boarding, and proofs. Nil knows nothing.
type Evidence func(subject uint64, at time.Time) (screening.Subject, []screening.Proof)

// Read yields the arrivals of one journal that were decided since a time. It
// needs the entries from the beginning, in order: those of policies say under
// which one an arrival was decided. An entry that cannot be read ends it.
func Read(entries iter.Seq2[entry.Entry, error], since time.Time, known Evidence) iter.Seq2[policy.Recorded, error] {
	return func(yield func(policy.Recorded, error) bool) {
		policies := builtIn()
		for e, err := range entries {
			if err != nil {
				yield(policy.Recorded{}, err)
				return
			}
			if e.Kind == entry.KindPolicy {
				if err := learn(policies, e); err != nil {
					yield(policy.Recorded{}, err)
					return
				}
			}
			if e.Kind != entry.KindArrival || e.Wall < since.UnixMilli() {
				continue
			}
			r, decided, err := Recorded(e, known)
			if err == nil && !decided {
				continue
			}
			var a entry.Arrival
			if err == nil && e.Decode(&a) == nil {
				r.Under = policies[a.Policy]
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// builtIn are the policies that no entry has to tell of.
func builtIn() map[uint32]screening.Policy {
	p, err := screening.Compile(screening.Default())
	if err != nil {
		return map[uint32]screening.Policy{} // the default lies within its bounds: never reached
	}
	return map[uint32]screening.Policy{p.Number(): p}
}

// learn keeps the policy of an entry. One that this program cannot read any more
// is not known, and takes nothing for shown.
func learn(policies map[uint32]screening.Policy, e entry.Entry) error {
	var body entry.Policy
	if err := e.Decode(&body); err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	if d, err := policy.Parse(body.Name+".toml", body.Text); err == nil {
		policies[body.Number], err = screening.Compile(d.Spec)
		return err
	}
	return nil
}

// Recorded returns what an entry keeps of an arrival, and whether one was decided
// there. Under is not known from the entry alone.
func Recorded(e entry.Entry, known Evidence) (r policy.Recorded, decided bool, err error) {
	var b entry.Arrival
	if err := e.Decode(&b); err != nil {
		return r, false, fmt.Errorf("read arrival: %w", err)
	}
	if b.End != entry.EndDecided {
		return r, false, nil
	}
	r.Decision = screening.ReadDecision(screening.Outcome(b.Outcome), b.Rows)
	a := screening.Arrival{
		Direction: screening.Direction(b.Direction), Subject: screening.Subject{ID: b.Subject, Role: screening.Role(b.Role)},
		Lane: e.Lane, Now: time.UnixMilli(e.Wall), ClockTrusted: e.Clock >= entry.ClockConfirmed, Held: r.Decision.Has(screening.OnHold),
	}
	if known != nil && b.Subject != 0 {
		s, proofs := known(b.Subject, a.Now)
		a.Subject.Grade, a.Subject.Boarding, a.Proofs = s.Grade, s.Boarding, proofs
	}
	if c := b.Code; c != nil {
		a.Code = screening.Code{Colour: screening.Colour(c.Colour), How: screening.How(c.How)}
		if c.AsOf != 0 {
			a.Code.AsOf = time.UnixMilli(c.AsOf)
		}
	}
	a.Readings = readings(b.Reading, r.Decision.Has(screening.HighTwice))
	for _, f := range r.Decision.Failures {
		speak(&a, f.Reason)
	}
	r.Arrival = a
	return r, true, nil
}

// readings are what an entry keeps of the measurements. Of two high ones it keeps
// the last.
func readings(b *entry.Reading, twice bool) []screening.Reading {
	if b == nil {
		return nil
	}
	r := screening.Reading{
		Value: screening.MilliC(b.Value), Peak: screening.MilliC(b.Peak), Ambient: screening.MilliC(b.Ambient), Site: screening.Site(b.Site),
		Instrument: b.Instrument, Formula: b.Formula, Quality: screening.Quality(b.Quality), Samples: b.Samples,
	}
	if !twice {
		return []screening.Reading{r}
	}
	first := r
	first.Instrument = "before " + r.Instrument
	return []screening.Reading{first, r}
}

// speak puts back what spoke against somebody, which an entry keeps as the reason
// of a row that failed.
func speak(a *screening.Arrival, why screening.Reason) {
	bad := func(of screening.Evidence) {
		a.Proofs = append(a.Proofs[:len(a.Proofs):len(a.Proofs)], screening.Proof{Of: of, Bad: true, At: a.Now})
	}
	switch why {
	case screening.OpenCase:
		a.Case = screening.CaseOpen
	case screening.ReturnNotProven:
		a.Case = screening.ReturnOwed
	case screening.StillInside:
		a.Again = screening.AgainInside
	case screening.SeenElsewhere:
		a.Again = screening.AgainElsewhere
	case screening.NoMask:
		bad(screening.Mask)
	case screening.SymptomsSeen:
		bad(screening.Symptoms)
	case screening.HouseholdBad:
		bad(screening.Household)
	case screening.StarSeen:
		bad(screening.TripCard)
	case screening.RiskAreaStay:
		bad(screening.History)
	case screening.TestPositive:
		bad(screening.Tests)
	}
}
