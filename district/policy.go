package district

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
)

// policyMost is the longest signed policy: at a gate it has to fit into an entry.
const policyMost = entry.MaxSize - 1<<10

// secondAbove is the part of the people whom a policy may newly stop with the
// collector's own signature alone.
const secondAbove = 0.05

// ErrSecond says that a policy stops so many people that another key has to sign
// it too.
var ErrSecond = errors.New("more than 5 % of the people of last week would be stopped: somebody else must sign it too")

// Plan is a policy that was tried and can be published.
type Plan struct {
	Document policy.Document
	// Gates are those that it is for, by name.
	Gates []string
	// Signers is how many keys that are trusted have signed it, the collector's own
	// among them.
	Signers int
	// Tried is what it would have decided of the last week of every school with a
	// gate that it is for.
	Tried []Tried

	file []byte // as it goes out
}

// Stopped returns the largest part of the people whom the policy newly stops, of
// all schools together and of each.
func (p Plan) Stopped() float64 {
	all, most := policy.Replayed{}, 0.0
	for _, t := range p.Tried {
		most = max(most, t.Share())
		all.People, all.Stopped = all.People+t.People, all.Stopped+t.Stopped
	}
	return max(most, all.Share())
}

// NeedsSecond reports whether the policy stops so many people that another key
// has to sign it too, and none has.
func (p Plan) NeedsSecond() bool { return p.Stopped() > secondAbove && p.Signers < 2 }

// PlanPolicy reads a policy with the gates' own code, signs it with the
// collector's key and tries it on the last week. It sends nothing. The error is
// tomlfile.Faults where the file is wrong.
func (o *Office) PlanPolicy(ctx context.Context, name string, file []byte) (p Plan, err error) {
	if p.Document, err = policy.Parse(name, file); err != nil {
		return Plan{}, err
	}
	p.file = policy.Sign(file, o.key)
	if len(p.file) > policyMost {
		return Plan{}, fmt.Errorf("the policy has %d bytes with its signatures, and a gate takes %d", len(p.file), policyMost)
	}
	trusted, err := o.signers()
	if err != nil {
		return Plan{}, err
	}
	signed, err := policy.Verify(p.file, trusted)
	if err != nil {
		return Plan{}, err
	}
	p.Signers = len(signed.By)
	gates, err := o.scope(ctx, p.Document)
	if err != nil {
		return Plan{}, err
	}
	for _, g := range gates {
		p.Gates = append(p.Gates, g.Name)
	}
	if err := o.rises(ctx, p); err != nil {
		return Plan{}, err
	}
	p.Tried, err = o.try(ctx, p.Document, gates)
	return p, err
}

// PublishPolicy posts a policy to the gates that it is for. ErrSecond if it wants
// another signature. A crash in between leaves gates that were posted nothing;
// the same file again mends that.
func (o *Office) PublishPolicy(ctx context.Context, p Plan) error {
	if p.NeedsSecond() {
		return ErrSecond
	}
	scopes := p.Gates
	if len(p.Document.Schools) == 0 {
		scopes = []string{wire.ScopeAll} // those that are let in later, too
	}
	sum := sha256.Sum256(p.file)
	for _, scope := range scopes {
		if _, err := o.post(wire.KindPolicy, scope, p.file, sum[:]); err != nil {
			return err
		}
	}
	return nil
}

// signers are the keys that count under a policy.
func (o *Office) signers() ([]ed25519.PublicKey, error) {
	keys := []ed25519.PublicKey{o.own()}
	for _, text := range o.config.PolicySigners {
		key, err := wire.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("policy_signers: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// scope returns the gates that a policy is for. A name that is no gate's is
// nearly always misspelt.
func (o *Office) scope(ctx context.Context, d policy.Document) (of []store.Gate, err error) {
	gates, err := o.store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	wanted := slices.Clone(d.Schools)
	for _, g := range gates {
		if g.Revoked.IsZero() && d.For(g.Name) {
			of = append(of, g)
			wanted = slices.DeleteFunc(wanted, func(name string) bool { return name == g.Name })
		}
	}
	switch {
	case len(wanted) > 0:
		return nil, fmt.Errorf("scope.schools names gates that are not let in: %s", strings.Join(wanted, ", "))
	case len(of) == 0:
		return nil, errors.New("no gate is let in that the policy could go to")
	}
	return of, nil
}

// rises reports why the number is none for a new policy. The same file may go
// out again.
func (o *Office) rises(ctx context.Context, p Plan) error {
	number := p.Document.Spec.Number
	if number == 0 {
		return errors.New("the policy has number 0, which is the built-in one's: write one above that of the policy in force")
	}
	stands, err := readStands(ctx, o.store, newShelf(o.own()))
	if err != nil {
		return err
	}
	for _, x := range stands.publications {
		if bytes.Equal(x.file, p.file) {
			return nil
		}
		if x.number >= number {
			return fmt.Errorf("number %d is not above %d, which was published already", number, x.number)
		}
	}
	for _, name := range p.Gates {
		if all := stands.taken[name]; len(all) > 0 && all[len(all)-1].number >= number {
			return fmt.Errorf("number %d is not above %d, which gate %s has", number, all[len(all)-1].number, name)
		}
	}
	return nil
}

// bySchool groups gates by their school, in the order of the schools' names.
func bySchool(gates []store.Gate) [][]store.Gate {
	gates = slices.Clone(gates)
	slices.SortStableFunc(gates, func(a, b store.Gate) int { return cmp.Compare(schoolOf(a), schoolOf(b)) })
	var groups [][]store.Gate
	for i, g := range gates {
		if i == 0 || schoolOf(g) != schoolOf(gates[i-1]) {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], g)
	}
	return groups
}
