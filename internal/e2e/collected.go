package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
)

// Record opens the collected record beside the collector, once, and for as
// long as the test runs.
func (d *District) Record() *store.Store {
	d.t.Helper()
	if d.record == nil {
		s, err := store.Open(d.t.Context(), store.Options{Path: filepath.Join(d.Data, "district.db")})
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() {
			if err := s.Close(); err != nil {
				d.t.Error(err)
			}
		})
		d.record = s
	}
	return d.record
}

// Size returns how many entries of the newest journal of a gate are stored.
func (d *District) Size(gate string) uint64 {
	d.t.Helper()
	journals, err := d.Record().Streams(d.t.Context(), gate)
	if err != nil {
		d.t.Fatal(err)
	}
	if len(journals) == 0 {
		return 0
	}
	return journals[len(journals)-1].Tree.Size()
}

// Collected is what is stored of one gate.
type Collected struct {
	// Head is recomputed from Leaves.
	Head   entry.Head
	Leaves [][]byte
}

// place is where an entry says that it stands.
type place struct {
	Gate  string
	Epoch uint32
	Seq   uint64
}

// collecting puts the only journal of a gate together, in which every number
// must stand once and in its order.
type collecting struct {
	t      testing.TB
	gate   string
	tree   entry.Tree
	leaves [][]byte
}

func (g *collecting) whole() Collected { return Collected{Head: g.tree.Head(), Leaves: g.leaves} }

func (g *collecting) add(at place, leaf []byte) {
	g.t.Helper()
	if at.Gate != g.gate {
		return
	}
	if at.Epoch != 1 || at.Seq != g.tree.Size() {
		g.t.Fatalf("entry %d of epoch %d follows %d entries", at.Seq, at.Epoch, g.tree.Size())
	}
	g.tree.Append(leaf)
	g.leaves = append(g.leaves, leaf)
}

// Collected reads the only journal of a gate row by row.
func (d *District) Collected(gate string) Collected {
	d.t.Helper()
	g := collecting{t: d.t, gate: gate}
	for row, err := range d.Record().Entries(d.t.Context(), store.Cursor{}, 1<<30) {
		if err != nil {
			d.t.Fatal(err)
		}
		g.add(place{row.Gate, row.Epoch, row.Seq}, row.Leaf)
	}
	return g.whole()
}

// AwaitWhole waits until the collector has as much as the gate on a bench has
// recorded, which must have the root that gatectl finds at the gate.
func (d *District) AwaitWhole(b *Bench, limit time.Duration) Collected {
	d.t.Helper()
	var c Collected
	var said string
	Await(d.t, limit, d.Name+" has everything", func() bool {
		size, err := JournalSize(d.t.Context(), b.JournalPath())
		if err != nil || d.Size(GateName) != size {
			return false
		}
		c, said = d.Collected(GateName), b.Gatectl("", "journal", "verify")
		return strings.HasPrefix(said, fmt.Sprintf("%d entries,", c.Head.Size)) // else the gate was faster
	})
	if !strings.Contains(said, fmt.Sprintf("root %x:", c.Head.Root)) {
		d.t.Errorf("%s has the root %x, gatectl says %s", d.Name, c.Head.Root, said)
	}
	return c
}
