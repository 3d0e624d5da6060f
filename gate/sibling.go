package gate

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/watch"
)

// Sibling is another gate of the same school. The two follow each other.
type Sibling struct {
	// Gate is the other gate's name, as it stands in its words.
	Gate string
	// Called is what people call it; pages show it.
	Called string
	// Address is host:port at which it meets boards and gates.
	Address string
	// Key is its device key, as wire.ParsePublicKey returned it.
	Key ed25519.PublicKey
}

// Siblings are the school's other gates.
type Siblings struct {
	// All of them; no two have the same name.
	All []Sibling
	// Dial reaches them; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// keys returns the keys of those who may hear what this gate tells.
func (s Siblings) keys() (keys []ed25519.PublicKey) {
	for _, one := range s.All {
		keys = append(keys, one.Key)
	}
	return keys
}

// siblings are the school's other gates as this one knows them by what they told.
// It is evidence for a stop and for a cluster, never for an admission: a gate that
// hears nothing goes on by what it knows itself.
type siblings struct {
	g   *Gate
	log *slog.Logger

	mu   sync.Mutex
	list []*sibling // the list is fixed
	// basis is, by person, the word by which this gate stopped somebody last. It is
	// rebuilt from the journal; nothing is decided by it.
	basis map[uint64]sighting
	// people are those of the roster of index by their keys.
	people map[feed.PersonKey]uint64
	index  *roster.Snapshot
}

// sibling is one of them.
type sibling struct {
	Sibling
	heard time.Time // or when this gate began; monotonic
	lost  bool
	since time.Time // wall, where it is lost
	now   hearsay
	next  *hearsay // what a stream that has begun says, until all of it is there
}

// hearsay is what a gate has said. It keeps at most as much as a gate keeps of itself.
type hearsay struct {
	here   []feed.PersonKey
	passed map[feed.PersonKey]feed.Passage
	ill    map[illAt][]string
}

// illAt tells the illnesses of a gate apart.
type illAt struct {
	who feed.PersonKey
	at  int64 // Unix milliseconds
}

// sighting is where another gate saw somebody last.
type sighting struct {
	gate      string
	direction screening.Direction
	at        time.Time
	here      bool // stands there at this moment
}

func newSiblings(g *Gate) *siblings {
	s := &siblings{g: g, log: g.log.With("component", "siblings"), basis: map[uint64]sighting{}}
	for _, one := range g.o.Siblings.All {
		s.list = append(s.list, &sibling{Sibling: one, now: newHearsay()})
	}
	return s
}

func newHearsay() hearsay {
	return hearsay{passed: map[feed.PersonKey]feed.Passage{}, ill: map[illAt][]string{}}
}

// skewMost is how far another gate's clock may be ahead before what it says of
// passages is in doubt. A clock that is behind makes them older than they are.
const skewMost = 2 * time.Minute

// take adds a word. A passage of a time to come is one of now, or in doubt: then
// it counts for nothing.
func (h *hearsay) take(w feed.Word, now time.Time) {
	h.here = slices.Clone(w.Here)
	for _, p := range w.Passed {
		_, known := h.passed[p.Who]
		switch {
		case p.At == 0, p.At > now.Add(skewMost).UnixMilli():
			delete(h.passed, p.Who)
		case known || len(h.passed) < passesMost:
			p.At = min(p.At, now.UnixMilli())
			h.passed[p.Who] = p
		}
	}
	for _, x := range w.Ill {
		key := illAt{x.Who, x.At}
		_, known := h.ill[key]
		switch {
		case len(x.Signs) == 0:
			delete(h.ill, key)
		case known || len(h.ill) < sickMost:
			h.ill[key] = x.Signs
		}
	}
}

// hear takes a word of one gate, and reports whether it was lost before. A stream
// that begins replaces what an earlier one said once all of it is there, and
// not before.
func (s *siblings) hear(one *sibling, w feed.Word, now time.Time) (back bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	back, one.lost = one.lost, false
	one.heard = time.Now()
	if w.Begins {
		next := newHearsay()
		one.next = &next
	}
	if one.next == nil {
		one.now.take(w, now)
		return back
	}
	one.next.take(w, now)
	if !w.More {
		one.now, one.next = *one.next, nil
	}
	return back
}

// last returns where another gate saw somebody, unless this one saw the person pass
// after that. Who stands at one now counts before who passed; at a gate that is not
// heard any more nobody stands.
func (s *siblings) last(subject uint64) (newest sighting, ok bool) {
	if len(s.list) == 0 || subject == 0 {
		return sighting{}, false
	}
	p, listed := s.g.roster.Snapshot().ByID(subject)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !listed {
		return sighting{}, false
	}
	who := feed.KeyOf(p.Number)
	for _, one := range s.list {
		if passed, there := one.now.passed[who]; there && !time.UnixMilli(passed.At).Before(newest.at) {
			newest, ok = sighting{gate: one.Gate, at: time.UnixMilli(passed.At)}, true
			if passed.Out {
				newest.direction = screening.Out
			}
		}
	}
	for _, one := range s.list {
		if slices.Contains(one.now.here, who) && time.Since(one.heard) < feed.LostAfter {
			return sighting{gate: one.Gate, at: newest.at, here: true}, true
		}
	}
	own, passed := s.g.register.passage(subject)
	return newest, ok && !(passed && own.at.After(newest.at))
}

// again says whether somebody passed before, at this gate or another of the
// school, since a moment, or stands at another one now.
func (g *Gate) again(a screening.Arrival, since time.Time) screening.Again {
	id := a.Subject.ID
	seen, elsewhere := g.siblings.last(id)
	switch {
	case !elsewhere:
		return g.register.again(id, a.Direction, a.Lane, a.Now, since)
	case seen.here:
		return screening.AgainElsewhere
	}
	return repeated(crossing{direction: seen.direction, at: seen.at}, true, a.Direction, a.Now)
}

// events are the illnesses of which the other gates know, of people on the roster.
// None is of a time to come.
func (s *siblings) events() (list []watch.Event) {
	if len(s.list) == 0 {
		return nil
	}
	now := s.g.recorder.clock.look().Wall
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find()
	for _, one := range s.list {
		for x, signs := range one.now.ill {
			if id := s.people[x.who]; id != 0 {
				at := s.g.watcher.local(time.UnixMilli(min(x.at, now.UnixMilli())))
				list = append(list, watch.Event{Subject: id, Day: at.Format(time.DateOnly), At: at, Syndromes: signs})
			}
		}
	}
	return list
}

// find brings the index of the roster up to date. The caller holds mu.
func (s *siblings) find() {
	now := s.g.roster.Snapshot()
	if s.index == now {
		return
	}
	s.index, s.people = now, make(map[feed.PersonKey]uint64, now.Len())
	for p := range now.All() {
		s.people[feed.KeyOf(p.Number)] = p.ID
	}
}

// before reports whether a cluster stood before this gate began, by what another
// one knows: it was told then, and the word only came back.
func (s *siblings) before(c watch.Cluster, began time.Time) bool {
	return c.At.Before(began) && slices.ContainsFunc(s.events(), func(e watch.Event) bool { return slices.Contains(c.People, e.Subject) })
}
