package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// why returns what stopped somebody: the words of the reasons, and the policy's
// own sentences in place of those of the rows that have one. A temperature keeps
// both, because its figure stands beside its reason.
func (g *Gate) why(subject uint64, d screening.Decision) (keys []string, sentences []guard.Sentence) {
	p, own, unknown := g.policy(), screening.Decision{}, d.Has(screening.NoIdentity)
	for _, f := range d.Failures {
		row, ok := p.Row(f.Row)
		said := ok && !f.Warn && row.Say != (screening.Text{}) && !(unknown && askedOfTheKnown(f.Reason))
		if said {
			sentences = append(sentences, guard.Sentence(row.Say))
		}
		if !said || row.Evidence == screening.Temperature || row.Evidence == screening.Identity {
			own.Failures = append(own.Failures, f)
		}
	}
	keys, seen := g.siblings.say(subject, d, g.reasonsOf(subject, reasonKeys(own)))
	sentences = append(sentences, seen...)
	if slices.Contains(keys, reasonNotLent) || slices.Contains(keys, reasonLater) {
		return slices.DeleteFunc(keys, func(k string) bool { return askedOfTheKnown(screening.ParseReason(k)) }), nil
	}
	if slices.Contains(keys, "case") || slices.Contains(keys, "return") {
		// The hold of a case and the case are one reason.
		keys = slices.DeleteFunc(keys, func(k string) bool {
			return k == screening.OpenCase.String() || k == screening.ReturnNotProven.String()
		})
	}
	return keys, sentences
}

// askedOfTheKnown reports whether a reason says no more than that something is
// missing, which nobody was asked for of whom nothing is known.
func askedOfTheKnown(r screening.Reason) bool {
	switch r {
	case screening.NoTemperature, screening.NoGreen, screening.TestsMissing, screening.TestsTooOld, screening.NotShown, screening.ShownTooOld:
		return true
	}
	return false
}

// looksOf returns the rows that somebody may look at, as the page draws them.
func looksOf(rows []screening.Requirement) (list []guard.Look) {
	for _, r := range rows {
		one := guard.Look{Row: r.ID, Say: guard.Sentence(r.Say)}
		for _, a := range append([]screening.Ask{r.Ask}, r.Or...) {
			if a.Evidence.Lookable() && a.Evidence != screening.PositiveGreen {
				one.Evidence, one.Name = a.Evidence.String(), a.Name
				break
			}
		}
		list = append(list, one)
	}
	return list
}

// coloursOf returns the colours that may be said of a code, in the order of their
// buttons.
func coloursOf(c lane.Colours) []string {
	list := []string{"green"}
	if c.Printed {
		list = append(list, guard.Printed)
	}
	list = append(list, "yellow", "red")
	if c.PopUp {
		list = append(list, guard.PopUp)
	}
	return list
}

// shownIn adds to a stopped arrival what an answer in the journal says that
// somebody saw of it.
func shownIn(a *screening.Arrival, rec lane.Record, wall time.Time) {
	switch rec.Act {
	case lane.Looked:
		if s, ok := lane.ParseLooked(rec.Reason); ok {
			a.Shown = lane.Show(a.Shown, s.Row, s.InOrder)
		}
	case lane.Noted:
		if of, ok := lane.ParseNoted(rec.Reason); ok {
			a.Proofs = append(slices.Clone(a.Proofs), screening.Proof{Of: of, Bad: true, At: wall})
		}
	}
}

// approvers are the leaders who may approve a visit, where a row asks for it.
func (d deskPage) approvers() (list []desk.Person) {
	if !d.policy().Asks(screening.Approval) {
		return nil
	}
	for _, l := range d.Leaders() {
		list = append(list, desk.Person{ID: l.ID, Name: l.Name})
	}
	return list
}

// approves holds the approval of a visit against the leader's PIN.
func (d deskPage) approves(ctx context.Context, v desk.Giving) error {
	leader, ok := d.roster.Snapshot().ByID(v.Leader)
	if !ok || !slices.ContainsFunc(d.approvers(), func(p desk.Person) bool { return p.ID == v.Leader }) {
		return guard.ErrNotAllowed
	}
	if _, err := (staff{d.roster}).CheckPIN(ctx, leader.Badge, v.PIN); err != nil {
		return fmt.Errorf("approve visit: %w", err)
	}
	return nil
}
