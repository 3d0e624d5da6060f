package collect

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"github.com/menshen/menshen/entry"
)

// Errors of a store on which the collector branches.
var (
	// ErrUnknown: the gate is not admitted, or not any more.
	ErrUnknown = errors.New("gate is not admitted")
	// ErrConflict: somebody else committed first, and nothing was written.
	ErrConflict = errors.New("the store has moved on")
)

// Store is what a collector needs to keep. Any error but ErrUnknown and
// ErrConflict is a fault of the store's own; then only what it says next time
// is stored.
type Store interface {
	Journals
	Evidence
}

// Journals are the record.
type Journals interface {
	// Gate returns who the gate is and how far its newest journal is stored:
	// durably, and by whichever process. ErrUnknown unless it is admitted.
	Gate(ctx context.Context, name string) (Gate, error)
	// NewEpoch begins a journal at size 0 beside those that the gate had, and
	// forgets what was announced of those. ErrConflict unless its epoch is above
	// theirs.
	NewEpoch(ctx context.Context, e Epoch) error
	// Commit stores entries and edge in one durable transaction. ErrConflict
	// unless the journal's size is Append.First.
	Commit(ctx context.Context, a Append) error
	// Leaf returns one entry of any journal as it was hashed, nil if it is not
	// stored.
	Leaf(ctx context.Context, gate string, epoch uint32, seq uint64) ([]byte, error)
}

// Evidence is what is kept beside the record.
type Evidence interface {
	// Announce keeps an alarm until its entry is committed or a newer journal
	// begins, a bounded number of each gate. One that is known already is
	// nothing new.
	Announce(ctx context.Context, a Alarm) error
	// Diverge keeps two signed checkpoints that do not fit each other. Of one
	// epoch the first two are enough.
	Diverge(ctx context.Context, d Divergence) error
	// Refuse keeps a bounded part of a message, and of as many messages, which
	// the gate may or may not have sent. gate is empty where no topic named one.
	Refuse(ctx context.Context, gate, reason string, message []byte, received time.Time) error
}

// Gate is a gate that is admitted.
type Gate struct {
	Name string
	Key  ed25519.PublicKey
	// Epoch is the number of its newest journal, 0 before its first.
	Epoch uint32
	// Tree is the edge of what is stored of that journal, and Checkpoint the
	// gate's signature over it; empty at size 0.
	Tree       entry.Tree
	Checkpoint []byte
}

// Epoch is the beginning of one journal of one gate.
type Epoch struct {
	Gate  string
	Epoch uint32
	// Reason is why the gate began it.
	Reason string
	Began  time.Time
}

// Append is a verified continuation of a journal.
type Append struct {
	Gate  string
	Epoch uint32
	// First is the sequence number of the first leaf.
	First uint64
	// Leaves are the entries as they were hashed, at least one, and Entries what
	// they say, one for one.
	Leaves  [][]byte
	Entries []entry.Entry
	// Tree is the edge behind the last leaf, and Checkpoint the gate's
	// signature over it.
	Tree       entry.Tree
	Checkpoint []byte
	Received   time.Time
}

// Alarm is a verified announcement of an entry.
type Alarm struct {
	Gate     string
	Epoch    uint32
	Seq      uint64
	Leaf     []byte
	Received time.Time
}

// Divergence is a journal that is not the one that was collected.
type Divergence struct {
	Gate    string
	Epoch   uint32
	Noticed time.Time
	// Held is what is stored, and Claimed what the gate signs now.
	Held, Claimed Signed
}

// Signed is size and root of a journal under the gate's signature.
type Signed struct {
	Size uint64
	Root [32]byte
	// Signature is empty at size 0, where the gate signed nothing.
	Signature []byte
}

// fault is an error that is not the sender's.
type fault struct{ error }

func (f fault) Unwrap() error { return f.error }

// blame makes a store's error a fault, unless it means the sender.
func blame(err error) error {
	if err == nil || errors.Is(err, ErrUnknown) {
		return err
	}
	return fault{err}
}
