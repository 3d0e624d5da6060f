package roster

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"sync"
)

// Snapshot is one version of the roster. It never changes and may be shared
// among goroutines; a lane takes the newest when it is idle.
type Snapshot struct {
	// Version rises with every change, an undo included; 0 is the empty roster
	// before the first import.
	Version uint32
	// Hash is SHA-256 over all that [Snapshot.All] yields, so that two gates
	// with one hash know the same people by the same numbers and badges.
	Hash [sha256.Size]byte

	people   []Person // by ID, those who left included
	present  int
	byBadge  map[string]int
	byID     map[uint64]int
	cards    []Card // by number
	byCard   map[string]Card
	replaced chan struct{}
	finder   func() *finder // made once, when somebody is first looked for
}

func newSnapshot(version uint32, people []Person) *Snapshot {
	s := &Snapshot{
		Version:  version,
		people:   people,
		byBadge:  make(map[string]int, len(people)),
		byID:     make(map[uint64]int, len(people)),
		replaced: make(chan struct{}),
	}
	s.finder = sync.OnceValue(s.newFinder)
	h := sha256.New()
	h.Write([]byte("menshen roster 3\n"))
	var buf []byte
	for i, p := range people {
		s.byID[p.ID] = i
		if p.Left {
			continue
		}
		s.present++
		if p.Badge != "" {
			s.byBadge[p.Badge] = i
		}
		buf = p.appendCanonical(buf[:0])
		h.Write(buf)
	}
	h.Sum(s.Hash[:0])
	return s
}

// ByBadge finds the person who wears a badge now. Badges of people who left,
// and badges that were replaced, find nobody.
func (s *Snapshot) ByBadge(badge string) (Person, bool) {
	i, ok := s.byBadge[badge]
	if !ok {
		return Person{}, false
	}
	return s.people[i], true
}

// ByID finds a person by roster number, those who left included: entries go on
// naming them. See Person.Left.
func (s *Snapshot) ByID(id uint64) (Person, bool) {
	i, ok := s.byID[id]
	if !ok {
		return Person{}, false
	}
	return s.people[i], true
}

// Len is the number of people present, that is, who have not left.
func (s *Snapshot) Len() int { return s.present }

// All yields the people present in the order of their roster numbers.
func (s *Snapshot) All() iter.Seq[Person] {
	return func(yield func(Person) bool) {
		for _, p := range s.people {
			if !p.Left && !yield(p) {
				return
			}
		}
	}
}

// Changed is closed once a newer snapshot has taken this one's place. It
// belongs to the snapshot and not to the roster, so that no change can slip
// between taking the one and waiting for the next.
func (s *Snapshot) Changed() <-chan struct{} { return s.replaced }

// String tells version and size, and no person.
func (s *Snapshot) String() string {
	return fmt.Sprintf("roster version %d with %d people", s.Version, s.present)
}
