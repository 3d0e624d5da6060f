package gate

import (
	"maps"
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// againAfter is how long somebody too cold to be judged warms up under a
// ticket before a lane measures them again.
const againAfter = 5 * time.Minute

// waits reports whether somebody was set aside for nothing but evidence that
// time mends: too cold to be judged, and nothing that stays with the person.
func (a *aside) waits() bool {
	return slices.Contains(reasonKeys(a.decision), screening.TooCold.String()) && !a.decision.Lasting()
}

// mayTryAgain reports whether what stands against a subject is a ticket under
// which they have waited long enough, and nothing else: then a lane measures
// them as anybody, and its admission ends the hold.
func (r *register) mayTryAgain(subject uint64, mono time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, _ := r.standing(subject); h.grave || h.highBy != "" {
		return false
	}
	due := false
	for _, a := range r.asides {
		if a.arrival.Subject.ID != subject {
			continue
		}
		if !a.waits() || mono < a.due {
			return false
		}
		due = true
	}
	return due
}

// letIn takes somebody who was admitted, under that ticket or by a lane, off the
// list of those who wait. The caller holds the lock.
func (r *register) letIn(subject uint64, ticket uint16) {
	maps.DeleteFunc(r.asides, func(n uint16, a *aside) bool { return n != ticket && a.arrival.Subject.ID == subject })
	for i := range r.acts {
		if x := &r.acts[i]; x.subject == subject && ticket == 0 {
			x.passed = true
		}
	}
}

// dropColder drops the ticket under which the same person has waited to be
// measured again: the new one says what came of it. The caller holds the lock.
func (r *register) dropColder(a *aside) {
	subject := a.arrival.Subject.ID
	maps.DeleteFunc(r.asides, func(_ uint16, b *aside) bool { return subject != 0 && b.arrival.Subject.ID == subject && b.waits() })
}
