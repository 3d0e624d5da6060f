package district

import (
	"context"
	"strings"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// Documents is what is to be in force at one gate, and what its own entries say
// that is.
type Documents struct {
	// Posted is when the newest list of people was posted to the gate, zero if
	// none ever was. Taken says that the gate has the very people and badges of
	// that list; one on which a badge was bound at the gate since has not.
	Posted time.Time
	Taken  bool
	// Ours says that people have at the gate the roster numbers of a list of
	// this collector's.
	Ours bool
	// Roster is the roster in force, by the gate's own count of versions; 0
	// until its journal has told.
	Roster entry.Roster
	// Policy is the number of the policy in force, 0 for the built-in one.
	Policy uint32
	// Refused is the gate's word of the newest document of this collector's that
	// it refused, at RefusedAt by its clock; empty when it has taken another of
	// the kind since. It is text from outside.
	Refused   string
	RefusedAt time.Time
}

// Documents returns what is known of every gate that has said anything of it or
// was posted a list.
func (d *District) Documents(ctx context.Context) (map[string]Documents, error) {
	return readDocuments(ctx, d.store, d.reader())
}

func readDocuments(ctx context.Context, s *store.Store, r reader) (map[string]Documents, error) {
	posts, err := s.Posts(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[string]map[string]store.Newest{} // by topic, then gate
	for _, topic := range []string{topicRoster, topicPolicy, topicRefused} {
		all, err := s.Newest(ctx, topic)
		if err != nil {
			return nil, err
		}
		newest[topic] = map[string]store.Newest{}
		for _, n := range all { // a gate's newest journal comes last
			newest[topic][n.Gate] = n
		}
	}
	numbered, err := readNumbering(ctx, s)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	out := map[string]Documents{}
	for _, p := range posts {
		if p.Kind == wire.KindRoster.String() {
			d := out[p.Scope]
			d.Posted, sums[p.Scope] = p.At, string(p.Sum)
			out[p.Scope] = d
		}
	}
	for gate, n := range newest[topicRoster] {
		d := out[gate]
		if err := decode(n.Leaf, &d.Roster); err != nil {
			return nil, err
		}
		who, _ := numbered.by(gate, n.Epoch)
		d.Taken, d.Ours = string(d.Roster.Hash[:]) == sums[gate], who == r.origin()
		out[gate] = d
	}
	for gate, n := range newest[topicPolicy] {
		var p entry.Policy
		if err := decode(n.Leaf, &p); err != nil {
			return nil, err
		}
		d := out[gate]
		d.Policy = p.Number
		out[gate] = d
	}
	for gate, n := range newest[topicRefused] {
		d := out[gate]
		taken := map[wire.Kind]store.Newest{wire.KindRoster: newest[topicRoster][gate], wire.KindPolicy: newest[topicPolicy][gate]}
		if d.Refused, d.RefusedAt, err = refused(n, taken, r); err != nil {
			return nil, err
		}
		out[gate] = d
	}
	return out, nil
}

// refused reads what a gate says of a document that it refused, unless it has
// taken another of the kind since.
func refused(n store.Newest, taken map[wire.Kind]store.Newest, r reader) (text string, at time.Time, err error) {
	e, err := entry.Unmarshal(n.Leaf)
	if err != nil {
		return "", time.Time{}, err
	}
	var device entry.Device
	if err := e.Decode(&device); err != nil {
		return "", time.Time{}, err
	}
	text = strings.TrimPrefix(device.Detail, r.name+"/")
	for kind, t := range taken {
		since := t.Leaf != nil && (t.Epoch > n.Epoch || t.Epoch == n.Epoch && t.Seq > n.Seq)
		if since && strings.HasPrefix(text, kind.String()+"/") {
			return "", time.Time{}, nil
		}
	}
	return text, time.UnixMilli(e.Wall), nil
}
