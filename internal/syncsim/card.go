package syncsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/menshen/menshen/entry"
)

// history is one journal as it was written: what a copy of a card can hold.
type history struct {
	epoch  uint32
	reason string
	leaves [][]byte
	heads  []entry.Head // by size
	tree   entry.Tree
}

func newHistory(epoch uint32, reason string) *history {
	h := &history{epoch: epoch, reason: reason}
	h.heads = []entry.Head{h.tree.Head()}
	return h
}

func (h *history) add(leaf []byte) {
	h.leaves = append(h.leaves, leaf)
	h.tree.Append(leaf)
	h.heads = append(h.heads, h.tree.Head())
}

// copied is the history as it was at an earlier size; it goes its own way.
func (h *history) copied(size int) *history {
	c := newHistory(h.epoch, h.reason)
	for _, leaf := range h.leaves[:size] {
		c.add(leaf)
	}
	return c
}

// begins says whether rows are the beginning of h.
func (h *history) begins(rows [][]byte) bool {
	return len(rows) <= len(h.leaves) && slices.EqualFunc(rows, h.leaves[:len(rows)], bytes.Equal)
}

// errNotStored is what a commit answers that promises nothing.
var errNotStored = errors.New("entry not stored")

// item is an entry that waits for its commit.
type item struct {
	leaf []byte
	done func(seq uint64, err error)
}

// card is a gate's journal. What is stored outlives a crash; what is shown is
// what the process knows to be stored; the two differ after a commit that
// failed and was stored all the same.
type card struct {
	mu    sync.Mutex
	disk  *history
	shown int
	full  bool
	named uint32 // the highest epoch that a collector has named, as evidence shows
}

// Epoch implements uplink.Source.
func (c *card) Epoch() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.disk.epoch
}

// Head implements uplink.Source.
func (c *card) Head() entry.Head {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.disk.heads[c.shown]
}

// HeadAt implements uplink.Source.
func (c *card) HeadAt(_ context.Context, size uint64) (entry.Head, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size > uint64(c.shown) {
		return entry.Head{}, fmt.Errorf("head at %d of %d", size, c.shown)
	}
	return c.disk.heads[size], nil
}

// Leaves implements uplink.Source.
func (c *card) Leaves(_ context.Context, from uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for ; ; from++ {
			c.mu.Lock()
			var leaf []byte
			if from < uint64(c.shown) {
				leaf = c.disk.leaves[from]
			}
			c.mu.Unlock()
			if leaf == nil || !yield(bytes.Clone(leaf), nil) {
				return
			}
		}
	}
}

// open is the recovery of a process that begins: what is stored counts.
func (c *card) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown, c.full = len(c.disk.leaves), false
}

// store puts leaves on the disk. Unless the commit is answered, only open or
// the next one that is answered will show them.
func (c *card) store(batch []item, answered bool) (first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first = uint64(len(c.disk.leaves))
	for _, it := range batch {
		c.disk.add(it.leaf)
	}
	if answered {
		c.shown = len(c.disk.leaves)
	}
	return first
}

// has says whether a leaf is durable at its place.
func (c *card) has(seq uint64, leaf []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return seq < uint64(len(c.disk.leaves)) && bytes.Equal(c.disk.leaves[seq], leaf)
}

func (c *card) set(f func(*card)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
}
