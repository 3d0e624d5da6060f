package gate

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// PolicyStatus is one policy of the gate as gatectl shows it.
type PolicyStatus struct {
	// Number is 0 for the built-in policy.
	Number uint32
	Name   string
	// InForce says that it is the one by which the gate decides.
	InForce bool
	// From and Until are zero where nothing bounds the time.
	From, Until time.Time
}

// list returns the policies that are in force or still to come, the newest last.
func (r *rules) list() (all []PolicyStatus) {
	now := r.now.Load()
	one := func(x *ruling) PolicyStatus {
		return PolicyStatus{x.doc.Spec.Number, x.doc.Spec.Name, x == now, x.doc.ValidFrom, x.doc.ValidUntil}
	}
	if now == r.builtIn {
		all = append(all, one(now))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.taken {
		if x == now || x.doc.Spec.Number > now.doc.Spec.Number {
			all = append(all, one(x))
		}
	}
	return all
}

// loadPolicy takes a policy file that somebody brought on a stick.
func (g *Gate) loadPolicy(w http.ResponseWriter, r *http.Request) {
	file, err := io.ReadAll(io.LimitReader(r.Body, policyMost+1))
	if err == nil {
		err = g.rules.take(r.Context(), file)
	}
	var no refusal
	if errors.As(err, &no) {
		err = fmt.Errorf("the policy is refused: %w", no)
	}
	if err == nil {
		g.rules.choose()
	}
	answer(w, g.rules.list(), err)
}
