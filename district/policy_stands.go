package district

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
	page "github.com/menshen/menshen/web/district"
)

// shelfMost is how many policies are kept read.
const shelfMost = 256

// shelf keeps policies read: a page asks for the same ones again and again.
type shelf struct {
	own ed25519.PublicKey

	mu   sync.Mutex
	kept map[[sha256.Size]byte]cover
}

// cover is what is to be known of a policy without its rules.
type cover struct {
	number      uint32
	title       screening.Text
	from, until time.Time
}

func newShelf(own ed25519.PublicKey) *shelf { return &shelf{own: own} }

// read reads a policy. One that a newer program has taken is known by its number
// alone.
func (s *shelf) read(number uint32, file []byte) cover {
	sum := sha256.Sum256(file)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, known := s.kept[sum]; known {
		return c
	}
	c := cover{number: number}
	if d, err := policy.Parse("policy", file); err == nil {
		c = cover{d.Spec.Number, d.Title, d.ValidFrom, d.ValidUntil}
	}
	if s.kept == nil || len(s.kept) >= shelfMost {
		s.kept = map[[sha256.Size]byte]cover{}
	}
	s.kept[sum] = c
	return c
}

// published is the newest policy that was posted to some gates.
type published struct {
	cover
	file []byte
	at   time.Time
	to   map[string]uint64 // the numbers of the posts by their scope
}

// takenPolicy is one that a gate took, at a time of its own.
type takenPolicy struct {
	cover
	at time.Time
}

// stands is what was published, the newest number last, and what every gate has
// taken by its own journal, numbers rising.
type stands struct {
	publications []published
	taken        map[string][]takenPolicy
	refused      map[string]refusedPost
}

// refusedPost is the newest post of a policy that a gate refused.
type refusedPost struct {
	number uint64
	why    string // text from outside
}

func readStands(ctx context.Context, s *store.Store, on *shelf) (out stands, err error) {
	if out.publications, err = readPublished(ctx, s, on); err != nil {
		return out, err
	}
	if out.taken, err = readTaken(ctx, s, on); err != nil {
		return out, err
	}
	out.refused, err = readRefused(ctx, s)
	return out, err
}

func readPublished(ctx context.Context, s *store.Store, on *shelf) (all []published, err error) {
	heads, err := s.Posts(ctx)
	if err != nil {
		return nil, err
	}
	for _, head := range heads {
		if head.Kind != wire.KindPolicy.String() {
			continue
		}
		post, err := s.Posted(ctx, head.Kind, head.Scope)
		if err != nil {
			return nil, err
		}
		file, err := bodyOf(post, on.own)
		if err != nil {
			return nil, fmt.Errorf("read policy that was posted to %s: %w", head.Scope, err)
		}
		i := slices.IndexFunc(all, func(p published) bool { return string(p.file) == string(file) })
		if i < 0 {
			i, all = len(all), append(all, published{cover: on.read(0, file), file: file, to: map[string]uint64{}})
		}
		all[i].to[post.Scope] = post.Number
		if all[i].at.IsZero() || post.At.Before(all[i].at) {
			all[i].at = post.At
		}
	}
	slices.SortFunc(all, func(a, b published) int { return cmp.Compare(a.number, b.number) })
	return all, nil
}

// readTaken returns the policies in the newest journal of every gate.
func readTaken(ctx context.Context, s *store.Store, on *shelf) (map[string][]takenPolicy, error) {
	newest, err := s.NewestBelow(ctx, topicPolicy)
	if err != nil {
		return nil, err
	}
	all, epochs := map[string][]takenPolicy{}, map[string]uint32{}
	for _, n := range newest {
		if n.Epoch != epochs[n.Gate] { // a later one: what came before was carried over
			all[n.Gate], epochs[n.Gate] = nil, n.Epoch
		}
		e, err := entry.Unmarshal(n.Leaf)
		if err != nil {
			return nil, err
		}
		var p entry.Policy
		if err := e.Decode(&p); err != nil {
			return nil, err
		}
		all[n.Gate] = append(all[n.Gate], takenPolicy{on.read(p.Number, p.Text), time.UnixMilli(e.Wall)})
	}
	return all, nil
}

// readRefused returns which post of a policy every gate refused last.
func readRefused(ctx context.Context, s *store.Store) (map[string]refusedPost, error) {
	newest, err := s.Newest(ctx, topicRefused+"/"+wire.KindPolicy.String())
	if err != nil {
		return nil, err
	}
	all := map[string]refusedPost{}
	for _, n := range newest {
		e, err := entry.Unmarshal(n.Leaf)
		if err != nil {
			return nil, err
		}
		var d entry.Device
		if err := e.Decode(&d); err != nil {
			return nil, err
		}
		var r refusedPost
		place, why, _ := strings.Cut(d.Detail, " refused: ")
		if _, err := fmt.Sscan(place[strings.LastIndexByte(place, ' ')+1:], &r.number); err == nil {
			r.why = why
			all[n.Gate] = r
		}
	}
	return all, nil
}

// PolicyAt is what stands at one gate.
type PolicyAt struct {
	// InForce is the number of the policy in force by the collector's clock, 0 for
	// the built-in one, Since since when; zero where no entry says it.
	InForce uint32
	Since   time.Time
	// Next waits for From; both are zero where none does.
	Next uint32
	From time.Time
}

// at says what is in force at a gate: as the gate does, the newest policy whose
// time has come and is not over.
func (s stands) at(gate string, now time.Time) (out PolicyAt) {
	var ended time.Time
	for _, p := range s.taken[gate] {
		begun := p.at
		if p.from.After(begun) {
			begun = p.from
		}
		switch {
		case now.Before(p.from):
			if out.Next == 0 || p.from.Before(out.From) {
				out.Next, out.From = p.number, p.from
			}
		case !p.until.IsZero() && !now.Before(p.until):
			ended = p.until
		default:
			out.InForce, out.Since = p.number, begun
		}
	}
	if out.InForce == 0 {
		out.Since = ended
	}
	return out
}

// Publication is a policy that was published, and who has it.
type Publication struct {
	Number uint32
	Title  screening.Text
	// From is when it begins, zero for at once.
	From time.Time
	// At is when it was published.
	At time.Time
	// Have are the gates with it or a newer one, Missing those that have said
	// nothing of it, Refused those that refused it, by name, with what they say.
	Have, Missing []string
	Refused       map[string]string
}

// Of is to how many gates it was published.
func (p Publication) Of() int { return len(p.Have) + len(p.Missing) + len(p.Refused) }

// publishedTo returns which publication is a gate's, the newest that was posted to
// it, and under which number; false where none was.
func (s stands) publishedTo(gate string) (i int, number uint64, ok bool) {
	for k, p := range s.publications {
		for _, scope := range []string{gate, wire.ScopeAll} {
			if n, posted := p.to[scope]; posted && n > number {
				i, number, ok = k, n, true
			}
		}
	}
	return i, number, ok
}

// list says of every publication that is the newest of some gate who has it, the
// newest first.
func (s stands) list(gates []store.Gate) []Publication {
	all := make([]Publication, len(s.publications))
	for i, p := range s.publications {
		all[i] = Publication{Number: p.number, Title: p.title, From: p.from, At: p.at, Refused: map[string]string{}}
	}
	for _, g := range gates {
		i, number, ok := s.publishedTo(g.Name)
		if !ok || !g.Revoked.IsZero() {
			continue
		}
		p, have := &all[i], s.taken[g.Name]
		refused := s.refused[g.Name]
		switch {
		case len(have) > 0 && have[len(have)-1].number >= p.Number:
			p.Have = append(p.Have, g.Name)
		case refused.number == number:
			p.Refused[g.Name] = refused.why
		default:
			p.Missing = append(p.Missing, g.Name)
		}
	}
	all = slices.DeleteFunc(all, func(p Publication) bool { return p.Of() == 0 })
	slices.Reverse(all)
	return all
}

// Policies returns what was published and who has it, the newest first, and what
// stands at every gate.
func (o *Office) Policies(ctx context.Context) ([]Publication, map[string]PolicyAt, error) {
	s, err := readStands(ctx, o.store, newShelf(o.own()))
	if err != nil {
		return nil, nil, err
	}
	gates, err := o.store.Gates(ctx)
	if err != nil {
		return nil, nil, err
	}
	at := map[string]PolicyAt{}
	for _, g := range gates {
		if g.Revoked.IsZero() {
			at[g.Name] = s.at(g.Name, time.Now())
		}
	}
	return s.list(gates), at, nil
}

// page is what the page shows of a publication.
func (p Publication) page() page.Policy {
	return page.Policy{
		Number: p.Number, Zh: p.Title.Zh, En: p.Title.En, From: inZone(p.From), At: inZone(p.At), Of: p.Of(), Have: len(p.Have),
		Missing: p.Missing, Refused: slices.Sorted(maps.Keys(p.Refused)),
	}
}

// show puts what stands at a gate beside its other documents.
func (p PolicyAt) show(d *page.Documents) {
	d.Policy, d.Since, d.Next, d.From = p.InForce, inZone(p.Since), p.Next, inZone(p.From)
}

// inZone returns a moment in the collector's own zone; zero stays zero.
func inZone(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Local()
}
