package gate

import (
	"time"

	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/web/guard"
)

// page says which policy is in force, and which comes next.
func (r *rules) page() guard.Rules {
	now := r.now.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := guard.Rules{Number: now.doc.Spec.Number}
	for _, x := range r.taken {
		switch from := x.doc.ValidFrom; {
		case !from.After(r.chosen):
			out.Ended = now == r.builtIn
		case x.doc.Spec.Number > out.Number && (out.Next == 0 || from.Before(out.From)):
			out.Next, out.From = x.doc.Spec.Number, from.In(r.chosen.Location())
		}
	}
	out.SpacingCM, out.Staff = now.doc.Flow.SpacingCM, now.doc.Flow.StaffPerEntrance
	return out
}

// inSchool returns how many different people are in today. Whoever is in the
// isolation room counts where the policy says so (K11).
func (g *Gate) inSchool(now time.Time) int {
	in := g.register.arrived(now)
	if !g.document().IsolationInside {
		return in
	}
	for _, x := range g.cases.list() {
		if x.file.Subject != 0 && x.file.Phase() == casefile.Here {
			in++
		}
	}
	return in
}
