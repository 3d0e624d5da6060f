package district

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
)

// ledger is the store as package collect asks for it. It calls moved when a
// commit has changed what stands at a gate.
type ledger struct {
	store   *store.Store
	meaning func(entry.Entry) store.Meaning
	moved   func()
}

// Gate implements collect.Journals.
func (l ledger) Gate(ctx context.Context, name string) (collect.Gate, error) {
	g, err := l.store.Gate(ctx, name)
	if err != nil {
		return collect.Gate{}, translate(err)
	}
	journals, err := l.store.Streams(ctx, name)
	if err != nil {
		return collect.Gate{}, translate(err)
	}
	out := collect.Gate{Name: g.Name, Key: g.Key}
	if n := len(journals); n > 0 {
		newest := journals[n-1]
		out.Epoch, out.Tree, out.Checkpoint = newest.Epoch, newest.Tree, newest.Checkpoint
	}
	return out, nil
}

// NewEpoch implements collect.Journals.
func (l ledger) NewEpoch(ctx context.Context, e collect.Epoch) error {
	return translate(l.store.NewEpoch(ctx, store.Epoch{Gate: e.Gate, Epoch: e.Epoch, Reason: e.Reason, Began: e.Began}))
}

// Commit implements collect.Journals.
func (l ledger) Commit(ctx context.Context, a collect.Append) error {
	means := make([]store.Meaning, len(a.Entries))
	for i, e := range a.Entries {
		means[i] = l.meaning(e)
	}
	c, err := l.store.Commit(ctx, store.Append{Gate: a.Gate, Epoch: a.Epoch, First: a.First, Leaves: a.Leaves, Meanings: means,
		Tree: a.Tree, Checkpoint: a.Checkpoint, Received: a.Received})
	if err == nil && c.Moved {
		l.moved()
	}
	return translate(err)
}

// Leaf implements collect.Journals.
func (l ledger) Leaf(ctx context.Context, gate string, epoch uint32, seq uint64) ([]byte, error) {
	leaf, err := l.store.Leaf(ctx, gate, epoch, seq)
	if errors.Is(err, store.ErrUnknown) {
		return nil, nil
	}
	return leaf, err
}

// Announce implements collect.Evidence.
func (l ledger) Announce(ctx context.Context, a collect.Alarm) error {
	return translate(l.store.Announce(ctx, store.Alarm{Gate: a.Gate, Epoch: a.Epoch, Seq: a.Seq, Leaf: a.Leaf, Received: a.Received}))
}

// Diverge implements collect.Evidence.
func (l ledger) Diverge(ctx context.Context, d collect.Divergence) error {
	return translate(l.store.Diverge(ctx, store.Divergence{Gate: d.Gate, Epoch: d.Epoch, Noticed: d.Noticed,
		Held: store.Signed(d.Held), Claimed: store.Signed(d.Claimed)}))
}

// Refuse implements collect.Evidence.
func (l ledger) Refuse(ctx context.Context, gate, reason string, message []byte, received time.Time) error {
	return l.store.Refuse(ctx, gate, reason, message, received)
}

// translate gives the store's errors the names by which the collector branches.
func translate(err error) error {
	switch {
	case errors.Is(err, store.ErrUnknown):
		return fmt.Errorf("%w: %w", collect.ErrUnknown, err)
	case errors.Is(err, store.ErrConflict):
		return fmt.Errorf("%w: %w", collect.ErrConflict, err)
	}
	return err
}
