package syncsim

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
)

var errDisk = errors.New("disk full or gone")

// rows are one journal as a collector stores it.
type rows struct {
	epoch   uint32
	leaves  [][]byte
	edges   []edge
	durable int // how many leaves a crash leaves

	checked entry.Tree // over the rows that were compared already
}

// edge is what was committed with the rows before it.
type edge struct {
	tree       entry.Tree
	checkpoint []byte
}

func (r *rows) edge() *edge {
	if len(r.edges) == 0 {
		return &edge{}
	}
	return &r.edges[len(r.edges)-1]
}

type stored struct {
	key      ed25519.PublicKey
	journals []*rows
	parted   map[uint32]bool // the epochs of which two journals are known
}

// leaf returns one entry, nil if it is not there.
func (s *stored) leaf(epoch uint32, seq uint64) []byte {
	for _, j := range s.journals {
		if j.epoch == epoch && seq < uint64(len(j.leaves)) {
			return j.leaves[seq]
		}
	}
	return nil
}

func (s *stored) newest() *rows {
	if len(s.journals) == 0 {
		return &rows{}
	}
	return s.journals[len(s.journals)-1]
}

// store is a collector's store: a transaction takes time, and ends stored and
// answered, not stored, or stored and not answered.
type store struct {
	w     *world
	id    int
	slots *slots

	mu    sync.Mutex
	gates map[string]*stored
	full  bool
	shaky bool
	nth   int
	lives int
}

// admitted returns what is stored of a gate. Whoever asks first is admitted:
// who may, is not at stake here.
func (s *store) admitted(name string) *stored {
	if s.gates[name] == nil {
		s.gates[name] = &stored{key: publicKey(name), parted: map[uint32]bool{}}
	}
	return s.gates[name]
}

// Gate implements collect.Store.
func (s *store) Gate(ctx context.Context, name string) (collect.Gate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.admitted(name)
	j := g.newest()
	e := j.edge()
	return collect.Gate{Name: name, Key: g.key, Epoch: j.epoch, Tree: e.tree, Checkpoint: e.checkpoint}, ctx.Err()
}

// NewEpoch implements collect.Store.
func (s *store) NewEpoch(ctx context.Context, e collect.Epoch) error {
	return s.transact(ctx, func() error {
		g := s.admitted(e.Gate)
		if e.Epoch <= g.newest().epoch {
			return collect.ErrConflict
		}
		g.journals = append(g.journals, &rows{epoch: e.Epoch})
		return nil
	})
}

// Commit implements collect.Store.
func (s *store) Commit(ctx context.Context, a collect.Append) error {
	return s.transact(ctx, func() error {
		j := s.admitted(a.Gate).newest()
		if j.epoch != a.Epoch || uint64(len(j.leaves)) != a.First {
			return collect.ErrConflict
		}
		j.leaves = append(j.leaves, a.Leaves...)
		j.edges = append(j.edges, edge{a.Tree, a.Checkpoint})
		if s.w.plant == AckBeforeCommit {
			s.later(j, len(j.leaves))
			return nil
		}
		j.durable = len(j.leaves)
		return nil
	})
}

// Leaf implements collect.Store.
func (s *store) Leaf(ctx context.Context, gate string, epoch uint32, seq uint64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admitted(gate).leaf(epoch, seq), ctx.Err()
}

// later makes rows durable some time after they were said to be.
func (s *store) later(j *rows, n int) {
	life := s.lives
	time.AfterFunc(s.slots.in(time.Second), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.lives == life {
			j.durable = max(j.durable, n)
		}
	})
}

// transact runs one transaction. A crash before its end may have stored it.
func (s *store) transact(ctx context.Context, work func() error) error {
	s.mu.Lock()
	s.nth++
	r := s.w.dice("transaction", s.id, s.nth)
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.IntN(2) == 0 {
			_ = work() // nobody is left to be told
		}
		return ctx.Err()
	case <-time.After(s.slots.in(between(r, time.Millisecond, 60*time.Millisecond))):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fate := r.IntN(12)
	if s.full || s.shaky && fate == 0 {
		return errDisk
	}
	if err := work(); err != nil {
		return err
	}
	if s.shaky && fate == 1 {
		return errDisk
	}
	return nil
}

// Announce implements collect.Store.
func (s *store) Announce(context.Context, collect.Alarm) error { return s.beside() }

// Diverge implements collect.Store.
func (s *store) Diverge(_ context.Context, d collect.Divergence) error {
	if err := s.beside(); err != nil {
		return err
	}
	s.set(func(s *store) { s.admitted(d.Gate).parted[d.Epoch] = true })
	return nil
}

// Refuse implements collect.Store.
func (s *store) Refuse(context.Context, string, string, []byte, time.Time) error { return s.beside() }

func (s *store) beside() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errDisk
	}
	return nil
}

// crash forgets what was not durable.
func (s *store) crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives++
	for _, g := range s.gates {
		for _, j := range g.journals {
			j.leaves = j.leaves[:j.durable]
			for j.edge().tree.Size() > uint64(j.durable) {
				j.edges = j.edges[:len(j.edges)-1]
			}
		}
	}
}

// durable returns how much of a gate's journal a crash would leave.
func (s *store) durable(gate string, epoch uint32) (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.admitted(gate).journals {
		if j.epoch == epoch {
			n = uint64(j.durable)
		}
	}
	return n
}

func (s *store) set(f func(*store)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}
