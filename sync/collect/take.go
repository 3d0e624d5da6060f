package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// hello answers a gate that is there, and begins a journal that is announced.
func (c *Collector) hello(ctx context.Context, g Gate, payload []byte) ([]Out, error) {
	u, err := wire.ParseHello(payload)
	if err != nil {
		return nil, err
	}
	h, err := u.Verify(g.Key, g.Name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(h.Encodings, wire.EncodingEntries) {
		return nil, errors.New("gate writes no encoding that is read here")
	}
	switch claimed := h.Checkpoint; {
	case claimed.Epoch < g.Epoch:
		return c.refuseOver(g, claimed.Epoch)
	case claimed.Epoch > g.Epoch:
		if g, err = c.begin(ctx, g, h); err != nil {
			return nil, err
		}
	case claimed.Size == g.Tree.Size() && claimed.Head != g.Tree.Head():
		return c.diverge(ctx, g, claimed)
	}
	e := c.event(EventHello, g)
	e.Hello = h
	if h.Checkpoint.Size < g.Tree.Size() {
		// An old copy of the journal, or a hello that was long on its way: only
		// the gate can tell, and the have below makes it.
		e.Reason = "journal is shorter than what the gate signed before"
	}
	c.observe(e)
	return c.have(g)
}

// begin begins the journal that a hello announces.
func (c *Collector) begin(ctx context.Context, g Gate, h wire.Hello) (Gate, error) {
	if g.Epoch != 0 && h.Reason == "" {
		return g, fmt.Errorf("epoch %d follows epoch %d without a reason", h.Checkpoint.Epoch, g.Epoch)
	}
	g.Epoch, g.Tree, g.Checkpoint = h.Checkpoint.Epoch, entry.Tree{}, nil
	// A crash after this line leaves an empty journal, which the next hello finds.
	err := c.store.NewEpoch(ctx, Epoch{Gate: g.Name, Epoch: g.Epoch, Reason: h.Reason, Began: c.now()})
	return g, blame(err)
}

// refuseOver answers a gate that still writes, or writes again, a journal that
// it has given up: a card that was replaced and is back.
func (c *Collector) refuseOver(g Gate, epoch uint32) ([]Out, error) {
	out, err := c.have(g)
	if err == nil {
		err = fmt.Errorf("epoch %d is over since epoch %d began", epoch, g.Epoch)
	}
	return out, err
}

// batch commits what a batch has beyond what is stored, if both together have
// the root that the gate signed.
func (c *Collector) batch(ctx context.Context, g Gate, payload []byte) ([]Out, error) {
	u, err := wire.ParseBatch(payload)
	if err != nil {
		return nil, err
	}
	b, err := u.Verify(g.Key, g.Name)
	if err != nil {
		return nil, err
	}
	claimed, size := b.Checkpoint, g.Tree.Size()
	switch {
	case g.Epoch == 0:
		return nil, errors.New("no hello came before the first batch")
	case claimed.Epoch != g.Epoch, b.First > size:
		return c.have(g) // another journal, or a gap
	case claimed.Size < size:
		return c.old(ctx, g, b)
	}
	fresh, entries := b.Leaves[size-b.First:], b.Entries[size-b.First:]
	tree := g.Tree
	for _, leaf := range fresh {
		tree.Append(leaf)
	}
	if tree.Head() != claimed.Head {
		return c.diverge(ctx, g, claimed)
	}
	if len(fresh) == 0 {
		return c.have(g)
	}
	return c.commit(ctx, g, Append{Gate: g.Name, Epoch: g.Epoch, First: size, Leaves: fresh, Entries: entries,
		Tree: tree, Checkpoint: claimed.Signature[:], Received: c.now()})
}

// commit stores a continuation of g, and only then acknowledges it.
func (c *Collector) commit(ctx context.Context, g Gate, a Append) ([]Out, error) {
	// A crash inside Commit stores all or nothing, and acknowledges nothing: the
	// batch comes again, and is new or old.
	if err := c.store.Commit(ctx, a); err != nil {
		return nil, blame(err)
	}
	g.Tree, g.Checkpoint = a.Tree, a.Checkpoint
	e := c.event(EventCommitted, g)
	e.Added = len(a.Leaves)
	c.observe(e)
	return c.have(g)
}

// status passes on whether a gate is connected, as anybody may say.
func (c *Collector) status(_ context.Context, g Gate, payload []byte) ([]Out, error) {
	s, err := wire.ParseStatus(payload)
	if err != nil {
		return nil, err
	}
	e := c.event(EventStatus, g)
	e.Status = s
	c.observe(e)
	return nil, nil
}
