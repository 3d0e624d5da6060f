package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
)

// Draft is an entry before it has a place.
type Draft struct {
	// Kind must be that of Body. Boot entries are Open's alone.
	Kind  entry.Kind
	Stamp entry.Stamp
	// Lane is the lane's number, 0 for the gate itself.
	Lane uint8
	// Body is a body value of package entry.
	Body any
	// Private is kept beside the entry, salted; the entry holds only a
	// commitment to it. At most MaxPrivate bytes; nil for none.
	Private []byte
}

// MaxPrivate is the most bytes that a private blob may have.
const MaxPrivate = 64 << 10

// Receipt proves that an entry is on disk. Only this package can make a valid
// one, and only after the commit; the zero Receipt proves nothing.
type Receipt struct {
	seq   uint64
	epoch uint32 // never 0 in a valid one
}

// Valid says whether the receipt was issued for a commit.
func (r Receipt) Valid() bool { return r.epoch != 0 }

// Seq returns the entry's sequence number; meaningful only if r is valid.
func (r Receipt) Seq() uint64 { return r.seq }

// Epoch returns which journal of the gate holds the entry, 0 if r is not valid.
func (r Receipt) Epoch() uint32 { return r.epoch }

// item is an entry on its way to the committer.
type item struct {
	leaf, private []byte
	done          func(Receipt, error)
}

// maxBatch is the most entries in one transaction. Beyond it the flush is
// shared widely enough, and the first of them would wait for the last.
const maxBatch = 256

// Append commits one entry and waits for it, and before that for room in the
// queue. An error of ctx says nothing about whether the entry was stored.
func (j *Journal) Append(ctx context.Context, d Draft) (Receipt, error) {
	type answer struct {
		receipt Receipt
		err     error
	}
	answered := make(chan answer, 1) // buffered: the committer never waits for a caller that left
	it, err := j.prepare(d)
	if err != nil {
		return Receipt{}, err
	}
	it.done = func(r Receipt, err error) { answered <- answer{r, err} }
	if err := j.send(ctx, it); err != nil {
		return Receipt{}, err
	}
	select {
	case a := <-answered:
		return a.receipt, a.err
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
}

// send puts it into the queue, waiting for room.
func (j *Journal) send(ctx context.Context, it item) error {
	j.sending.RLock()
	defer j.sending.RUnlock()
	if j.closed {
		return ErrClosed
	}
	select {
	case j.queue <- it:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit hands one entry to the committer and never blocks: ErrBusy when the
// queue is full, ErrClosed after or during Close. If it returns nil, done is
// called exactly once, on the committer's goroutine, with a valid receipt or
// an error that wraps ErrNotStored; done must not block.
func (j *Journal) Submit(d Draft, done func(Receipt, error)) error {
	it, err := j.prepare(d)
	if err != nil {
		return err
	}
	it.done = done
	if !j.sending.TryRLock() { // only Close ever holds or awaits the other side
		return ErrClosed
	}
	defer j.sending.RUnlock()
	if j.closed {
		return ErrClosed
	}
	select {
	case j.queue <- it:
		return nil
	default:
		return ErrBusy
	}
}

// prepare makes the leaf, so that a draft's faults are its caller's and the
// committer only hashes and writes.
func (j *Journal) prepare(d Draft) (item, error) {
	if d.Kind == entry.KindBoot {
		return item{}, errors.New("append boot entry: Open alone does that")
	}
	return j.encode(d)
}

func (j *Journal) encode(d Draft) (item, error) {
	kind, ok := entry.KindOf(d.Body)
	switch {
	case !ok || kind != d.Kind:
		return item{}, fmt.Errorf("append %v entry: %T is not its body", d.Kind, d.Body)
	case len(d.Private) > MaxPrivate:
		return item{}, fmt.Errorf("append %v entry: private blob of %d bytes is over %d", d.Kind, len(d.Private), MaxPrivate)
	}
	body, err := entry.Encode(d.Body)
	if err != nil {
		return item{}, fmt.Errorf("append: %w", err)
	}
	e := entry.Entry{Kind: d.Kind, Boot: j.boot, Mono: d.Stamp.Mono.Milliseconds(), Wall: d.Stamp.Wall.UnixMilli(),
		Clock: d.Stamp.Clock, Lane: d.Lane, Body: body}
	var it item
	if d.Private != nil {
		salted, commitment := entry.Commit(d.Private)
		it.private, e.Commitment = salted, commitment[:]
	}
	if it.leaf, err = e.Marshal(); err != nil {
		return item{}, fmt.Errorf("append: %w", err)
	}
	return it, nil
}

// run is the committer: each transaction takes what queued while the last one
// was flushed. There is no timer: a lone entry never waits for company.
func (j *Journal) run() {
	defer close(j.stopped)
	batch := make([]item, 0, maxBatch)
	for it := range j.queue {
		batch = answerPings(j.gather(append(batch, it)))
		if len(batch) == 0 {
			continue
		}
		first, err := j.commit(batch)
		for i, it := range batch {
			if err != nil {
				it.done(Receipt{}, err)
				continue
			}
			it.done(Receipt{seq: first + uint64(i), epoch: j.epoch}, nil)
		}
		clear(batch)
		batch = batch[:0]
	}
}

// Ping returns when the committer has answered, having written nothing: a
// flush that never returns is a committer that never answers.
func (j *Journal) Ping(ctx context.Context) error {
	answered := make(chan struct{})
	if err := j.send(ctx, item{done: func(Receipt, error) { close(answered) }}); err != nil {
		return fmt.Errorf("ping committer: %w", err)
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ping committer: %w", ctx.Err())
	}
}

// answerPings answers the items without a leaf and returns the others.
func answerPings(batch []item) []item {
	return slices.DeleteFunc(batch, func(it item) bool {
		if it.leaf != nil {
			return false
		}
		it.done(Receipt{}, nil)
		return true
	})
}

// gather adds to batch what waits in the queue, without waiting for more.
func (j *Journal) gather(batch []item) []item {
	for len(batch) < maxBatch {
		select {
		case it, ok := <-j.queue:
			if !ok {
				return batch
			}
			batch = append(batch, it)
		default:
			return batch
		}
	}
	return batch
}

// commit stores a batch in one transaction and returns the sequence number of
// its first entry. After an error nothing is promised either way: the next
// commit begins by reading from the file what is there.
func (j *Journal) commit(batch []item) (first uint64, err error) {
	if j.doubt {
		if err := j.settle(); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrNotStored, classify(err))
		}
	}
	tree := j.tree // a copy: it counts only once it is on disk
	first = tree.Size()
	began := time.Now()
	if err := j.write(batch, &tree); err != nil {
		// A crash here leaves all of the batch or nothing of it; the next Open
		// recovers whichever it was, as settle does.
		j.doubt = true
		return 0, fmt.Errorf("%w: %w", ErrNotStored, classify(err))
	}
	// A crash here: the entries are on disk and nobody was told. They stay.
	j.publish(tree)
	j.spent(time.Since(began))
	return first, nil
}

// spent adds one commit to the effort.
func (j *Journal) spent(took time.Duration) {
	j.mu.Lock()
	j.effort.Commits++
	j.effort.Took += took
	j.mu.Unlock()
}

// settle replaces what the committer believes by what the file holds. An entry
// that was stored although its commit failed is kept, never overwritten: it
// may have been read and sent already.
func (j *Journal) settle() error {
	tree, err := recoverTree(context.Background(), j.writer, verifiedAtOpen)
	if err != nil {
		return err
	}
	j.log.Info("journal read again after a failed commit", "size", tree.Size(), "believed", j.tree.Size())
	j.publish(tree)
	j.doubt = false
	return nil
}

// publish makes tree the committed one.
func (j *Journal) publish(tree entry.Tree) {
	j.mu.Lock()
	j.tree = tree
	j.mu.Unlock()
}

// write puts the batch behind tree's leaves and commits. A lone entry needs no
// more than its statement, which is a transaction of its own: that is a fifth
// of the time of a commit. No context: a commit that began is not called back.
func (j *Journal) write(batch []item, tree *entry.Tree) (err error) {
	if len(batch) == 1 {
		return insert(j.insert, batch[0], tree)
	}
	tx, err := j.writer.Begin() // immediate: whoever else might write is met here
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, undo(tx))
		}
	}()
	stmt := tx.Stmt(j.insert)
	for _, it := range batch {
		if err := insert(stmt, it, tree); err != nil {
			return err
		}
	}
	// A crash before the flush inside Commit loses the batch; no receipt of it
	// exists. After the flush it is stored, receipt or not.
	return tx.Commit()
}

// insert writes one entry and adds it to tree.
func insert(stmt *sql.Stmt, it item, tree *entry.Tree) error {
	seq := tree.Size()
	if _, err := stmt.Exec(int64(seq), it.leaf, highest(tree.Append(it.leaf)), it.private); err != nil {
		return fmt.Errorf("insert entry %d: %w", seq, err)
	}
	return nil
}
