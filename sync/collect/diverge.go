package collect

import (
	"bytes"
	"context"
	"fmt"

	"github.com/menshen/menshen/sync/wire"
)

// old answers a batch that ends before what is stored. One that came twice
// says nothing new and costs no look at the record. But a gate that finds its
// journal contradicted sends one entry alone: if another stands in its place,
// then the gate has signed two entries for one number.
func (c *Collector) old(ctx context.Context, g Gate, b wire.Batch) ([]Out, error) {
	if len(b.Leaves) != 1 {
		return c.have(g)
	}
	same, err := c.stores(ctx, g.Name, g.Epoch, b.First, b.Leaves[0])
	if err != nil {
		return nil, err
	}
	if same {
		return c.have(g)
	}
	return c.diverge(ctx, g, b.Checkpoint)
}

// stores says whether an entry stands in its place in the record.
func (c *Collector) stores(ctx context.Context, gate string, epoch uint32, seq uint64, leaf []byte) (bool, error) {
	stored, err := c.store.Leaf(ctx, gate, epoch, seq)
	return stored != nil && bytes.Equal(stored, leaf), blame(err)
}

// diverge keeps what the gate signed and what it signs now. The record stays
// as it is; the have shows the gate where the two part.
func (c *Collector) diverge(ctx context.Context, g Gate, claimed wire.SignedCheckpoint) ([]Out, error) {
	head := g.Tree.Head()
	err := c.store.Diverge(ctx, Divergence{Gate: g.Name, Epoch: g.Epoch, Noticed: c.now(),
		Held:    Signed{Size: head.Size, Root: head.Root, Signature: g.Checkpoint},
		Claimed: Signed{Size: claimed.Size, Root: claimed.Root, Signature: claimed.Signature[:]}})
	if err != nil {
		return nil, blame(err)
	}
	e := c.event(EventDiverged, g)
	e.Reason = fmt.Sprintf("journal of size %d does not continue what is stored of it", claimed.Size)
	c.observe(e)
	return c.have(g)
}

// alarm keeps an announcement. It changes nothing about what is stored. One
// whose entry is there already is answered; any other is shown: that of a
// journal that has parted too, and of one that has ended, for somebody stands
// in that gate's isolation room whatever card is in it.
func (c *Collector) alarm(ctx context.Context, g Gate, payload []byte) ([]Out, error) {
	u, err := wire.ParseAlarm(payload)
	if err != nil {
		return nil, err
	}
	a, err := u.Verify(g.Key, g.Name)
	if err != nil {
		return nil, err
	}
	past := a.Epoch < g.Epoch
	if past || a.Epoch == g.Epoch && a.Seq < g.Tree.Size() {
		came, err := c.stores(ctx, g.Name, a.Epoch, a.Seq, a.Leaf)
		if err != nil {
			return nil, err
		}
		if came {
			return c.have(g)
		}
	}
	err = c.store.Announce(ctx, Alarm{Gate: g.Name, Epoch: a.Epoch, Seq: a.Seq, Leaf: a.Leaf, Received: c.now()})
	if err != nil {
		return nil, blame(err)
	}
	e := c.event(EventAlarm, g)
	e.Alarm = a
	c.observe(e)
	if past {
		return c.have(g) // which tells it that its journal is over
	}
	return nil, nil
}
