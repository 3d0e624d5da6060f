package collect_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
)

// memory is a store that forgets nothing before the end of its test, and
// breaks where it is told to.
type memory struct {
	mu       sync.Mutex
	gates    map[string]*stored
	alarms   []collect.Alarm
	diverged []collect.Divergence
	refused  []refusal
	reads    int
	writes   int
	// before and after name the method to break, before or after it has done
	// its work; rival runs ahead of the next commit.
	before, after map[string]error
	rival         func()
}

type stored struct {
	key      ed25519.PublicKey
	revoked  bool
	journals []*rows
}

// rows are one journal as it is stored.
type rows struct {
	epoch      uint32
	reason     string
	leaves     [][]byte
	tree       entry.Tree
	checkpoint []byte
}

type refusal struct{ gate, reason string }

func newMemory() *memory {
	return &memory{gates: make(map[string]*stored), before: make(map[string]error), after: make(map[string]error)}
}

// call runs one method of the store.
func (m *memory) call(ctx context.Context, name string, work func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.before[name]; err != nil {
		return err
	}
	if err := work(); err != nil {
		return err
	}
	return m.after[name]
}

func (m *memory) admitted(name string) (*stored, error) {
	g := m.gates[name]
	if g == nil || g.revoked {
		return nil, collect.ErrUnknown
	}
	return g, nil
}

func (s *stored) newest() *rows {
	if len(s.journals) == 0 {
		return &rows{}
	}
	return s.journals[len(s.journals)-1]
}

func (m *memory) Gate(ctx context.Context, name string) (g collect.Gate, err error) {
	err = m.call(ctx, "Gate", func() error {
		m.reads++
		s, err := m.admitted(name)
		if err != nil {
			return err
		}
		j := s.newest()
		g = collect.Gate{Name: name, Key: s.key, Epoch: j.epoch, Tree: j.tree, Checkpoint: j.checkpoint}
		return nil
	})
	return g, err
}

func (m *memory) NewEpoch(ctx context.Context, e collect.Epoch) error {
	return m.call(ctx, "NewEpoch", func() error {
		s, err := m.admitted(e.Gate)
		if err != nil {
			return err
		}
		if e.Epoch <= s.newest().epoch {
			return collect.ErrConflict
		}
		m.writes++
		s.journals = append(s.journals, &rows{epoch: e.Epoch, reason: e.Reason})
		m.alarms = slices.DeleteFunc(m.alarms, func(a collect.Alarm) bool { return a.Gate == e.Gate && a.Epoch < e.Epoch })
		return nil
	})
}

func (m *memory) Commit(ctx context.Context, a collect.Append) error {
	m.mu.Lock()
	rival := m.rival
	m.rival = nil
	m.mu.Unlock()
	if rival != nil {
		rival()
	}
	return m.call(ctx, "Commit", func() error {
		s, err := m.admitted(a.Gate)
		if err != nil {
			return err
		}
		j := s.newest()
		if j.epoch != a.Epoch || j.tree.Size() != a.First {
			return collect.ErrConflict
		}
		m.writes++
		j.leaves = append(j.leaves, a.Leaves...)
		j.tree, j.checkpoint = a.Tree, a.Checkpoint
		return nil
	})
}

func (m *memory) Leaf(ctx context.Context, gate string, epoch uint32, seq uint64) (leaf []byte, err error) {
	err = m.call(ctx, "Leaf", func() error {
		m.reads++
		s, err := m.admitted(gate)
		if err != nil {
			return err
		}
		for _, j := range s.journals {
			if j.epoch == epoch && seq < uint64(len(j.leaves)) {
				leaf = j.leaves[seq]
			}
		}
		return nil
	})
	return leaf, err
}

func (m *memory) Announce(ctx context.Context, a collect.Alarm) error {
	return m.call(ctx, "Announce", func() error {
		for _, known := range m.alarms {
			if known.Gate == a.Gate && known.Epoch == a.Epoch && known.Seq == a.Seq {
				return nil
			}
		}
		m.writes++
		m.alarms = append(m.alarms, a)
		return nil
	})
}

func (m *memory) Diverge(ctx context.Context, d collect.Divergence) error {
	return m.call(ctx, "Diverge", func() error {
		m.writes++
		m.diverged = append(m.diverged, d)
		return nil
	})
}

func (m *memory) Refuse(ctx context.Context, gate, reason string, _ []byte, _ time.Time) error {
	return m.call(ctx, "Refuse", func() error {
		m.writes++
		m.refused = append(m.refused, refusal{gate, reason})
		return nil
	})
}

// prefix says whether rows are the beginning of a journal.
func prefix(rows, journal [][]byte) bool {
	if len(rows) > len(journal) {
		return false
	}
	for i, leaf := range rows {
		if !bytes.Equal(leaf, journal[i]) {
			return false
		}
	}
	return true
}
