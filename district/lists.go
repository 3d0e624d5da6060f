package district

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/sync/wire"
)

// maxLists is how many lists are kept read: some 200 kB each for a large school.
const maxLists = 64

// listed is one person of a list.
type listed struct {
	pull.Person
	key [sha256.Size]byte
}

// list holds people by roster number.
type list map[uint64]listed

// lists reads the lists that were posted. Gates of one school have the same.
type lists struct {
	store *store.Store
	key   ed25519.PublicKey // the collector's own

	mu   sync.Mutex
	kept map[string]list // by store.Post.Sum
}

// heads returns what is posted as a roster, by gate.
func (l *lists) heads(ctx context.Context) (map[string]store.Post, error) {
	posts, err := l.store.Posts(ctx)
	heads := map[string]store.Post{}
	for _, p := range posts {
		if p.Kind == wire.KindRoster.String() {
			heads[p.Scope] = p
		}
	}
	return heads, err
}

// read returns the list of which a post is the head.
func (l *lists) read(ctx context.Context, head store.Post) (list, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.kept[string(head.Sum)]; ok {
		return known, nil
	}
	post, err := l.store.Posted(ctx, head.Kind, head.Scope)
	if err != nil {
		return nil, err
	}
	people, err := l.parse(post)
	if err != nil {
		return nil, fmt.Errorf("read list %d posted to %s: %w", post.Number, post.Scope, err)
	}
	if l.kept == nil || len(l.kept) >= maxLists {
		l.kept = map[string]list{}
	}
	l.kept[string(post.Sum)] = people
	return people, nil
}

func (l *lists) parse(p store.Post) (list, error) {
	text, err := bodyOf(p, l.key)
	if err != nil {
		return nil, err
	}
	body, err := wire.ParseRosterList(text)
	if err != nil {
		return nil, err
	}
	people, err := roster.Parse(bytes.NewReader(body.List))
	if err != nil {
		return nil, err
	}
	out := make(list, len(people))
	for _, p := range people {
		out[p.ID] = listed{pull.Person{Name: p.Name, Class: p.Class, Number: p.Number}, p.Key()}
	}
	return out, nil
}

// bodyOf returns what was posted, as the collector itself has signed it.
func bodyOf(p store.Post, own ed25519.PublicKey) ([]byte, error) {
	unverified, err := wire.ParseDown(p.Message)
	if err != nil {
		return nil, err
	}
	d, err := unverified.Verify(own, p.Scope)
	return d.Body, err
}

// numbering tells whose list gave the people of a gate their roster numbers.
type numbering map[string][]store.Newest // by gate, the newest journal last

func readNumbering(ctx context.Context, s *store.Store) (numbering, error) {
	all, err := s.Newest(ctx, topicNumbering)
	n := numbering{}
	for _, one := range all {
		n[one.Gate] = append(n[one.Gate], one)
	}
	return n, err
}

// place is where an entry stands in a gate's journals.
type place struct {
	epoch uint32
	seq   uint64
}

// by returns who numbered the people of a gate last, in its journals up to an
// epoch, as its entry at that place says; empty if none does.
func (n numbering) by(gate string, epoch uint32) (who string, at place) {
	for _, one := range n[gate] {
		var r entry.Roster
		if one.Epoch <= epoch && decode(one.Leaf, &r) == nil {
			who, at = r.By, place{one.Epoch, one.Seq}
		}
	}
	return who, at
}

// decode reads the body of a leaf.
func decode(leaf []byte, body any) error {
	e, err := entry.Unmarshal(leaf)
	if err != nil {
		return err
	}
	return e.Decode(body)
}

// names returns who is meant by a roster number in one journal of a gate. It
// knows nobody of a gate that did not number its people by this collector's
// list: there the same number may be somebody else.
func (d *District) names(ctx context.Context) (func(gate string, epoch uint32, subject uint64) (pull.Person, error), error) {
	numbered, err := readNumbering(ctx, d.store)
	if err != nil {
		return nil, err
	}
	heads, err := d.lists.heads(ctx)
	if err != nil {
		return nil, err
	}
	return func(gate string, epoch uint32, subject uint64) (pull.Person, error) {
		head, posted := heads[gate]
		if who, _ := numbered.by(gate, epoch); subject == 0 || !posted || who != d.reader().origin() {
			return pull.Person{}, nil
		}
		people, err := d.lists.read(ctx, head)
		return people[subject].Person, err
	}, nil
}
