package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
)

// MaxBatch is the most entries that one Append may have.
const MaxBatch = 1 << placeBits

// placeBits is how many low bits of an entry's id are its place in the batch.
const placeBits = 13

// Stream is how far one journal of one gate has been collected.
type Stream struct {
	Gate  string
	Epoch uint32
	// Tree is the right edge of what is stored: its size is the watermark.
	Tree entry.Tree
	// Checkpoint is the gate's signature at that size; empty at size 0.
	Checkpoint []byte
	// Received is when the newest batch came; zero at size 0.
	Received time.Time
	// Began is when the epoch did, and Reason why the gate said it had to.
	Began  time.Time
	Reason string
}

const selectStream = `SELECT g.name, s.epoch, s.size, s.edge, s.root, s.checkpoint, s.received, s.began, s.reason
	FROM gate g JOIN stream s ON s.gate = g.id WHERE g.name = ?`

// Stream returns one journal, ErrUnknown if nothing is known of it. It costs
// one read by index.
func (s *Store) Stream(ctx context.Context, gate string, epoch uint32) (Stream, error) {
	found, err := list(ctx, s.readers, scanStream, selectStream+" AND s.epoch = ?", gate, epoch)
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Stream{}, fmt.Errorf("read stream of %s, epoch %d: %w", gate, epoch, err)
	}
	return found[0], nil
}

// Streams returns all journals of a gate, the newest epoch last.
func (s *Store) Streams(ctx context.Context, gate string) ([]Stream, error) {
	found, err := list(ctx, s.readers, scanStream, selectStream+" ORDER BY s.epoch", gate)
	if err != nil {
		return nil, fmt.Errorf("read streams of %s: %w", gate, err)
	}
	return found, nil
}

func scanStream(rows *sql.Rows) (st Stream, err error) {
	var size uint64
	var edge, root []byte
	var received, began int64
	if err := rows.Scan(&st.Gate, &st.Epoch, &size, &edge, &root, &st.Checkpoint, &received, &began, &st.Reason); err != nil {
		return Stream{}, err
	}
	if st.Tree, err = entry.Restore(size, edge); err != nil {
		return Stream{}, err
	}
	if head := st.Tree.Head(); string(root) != string(head.Root[:]) {
		return Stream{}, fmt.Errorf("edge and root at size %d disagree", size)
	}
	st.Received, st.Began = fromMilli(received), fromMilli(began)
	return st, nil
}

// Epoch is the beginning of one journal of one gate.
type Epoch struct {
	Gate string
	// Epoch is its number, from 1.
	Epoch uint32
	// Reason is why the gate began it, empty for its first.
	Reason string
	// Began is when the collector was told.
	Began time.Time
}

// NewEpoch begins a journal at size 0, beside those that the gate had, in which
// the holds found at the gate go on standing. ErrConflict unless the epoch is
// above all of them; ErrUnknown unless the gate is let in.
func (s *Store) NewEpoch(ctx context.Context, e Epoch) error {
	err := ctx.Err()
	if err == nil {
		err = s.write(func(tx *sql.Tx) error { return beginEpoch(tx, e) })
	}
	if errors.Is(err, ErrConflict) {
		if err2 := admitted(ctx, s.readers, e.Gate); err2 != nil {
			err = err2
		}
	}
	if err != nil {
		return fmt.Errorf("begin epoch %d of %s: %w", e.Epoch, e.Gate, err)
	}
	return nil
}

func beginEpoch(tx *sql.Tx, e Epoch) error {
	empty := new(entry.Tree).Head().Root
	var stream int64
	err := tx.QueryRow(`INSERT INTO stream (gate, epoch, size, edge, root, checkpoint, received, began, reason)
		SELECT id, ?, 0, x'', ?, x'', 0, ?, ? FROM gate
		WHERE name = ? AND revoked = 0 AND NOT EXISTS (SELECT 1 FROM stream WHERE gate = gate.id AND epoch >= ?) RETURNING id`,
		e.Epoch, empty[:], toMilli(e.Began), e.Reason, e.Gate, e.Epoch).Scan(&stream)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrConflict
	}
	if err != nil {
		return err
	}
	if err := inherit(tx, stream); err != nil {
		return err
	}
	return takeBack(tx, e)
}

// Append is a verified batch.
type Append struct {
	Gate  string
	Epoch uint32
	// First is the number of the first leaf, which is what the store must hold.
	First uint64
	// Leaves are the canonical entries, at least one and at most MaxBatch.
	Leaves [][]byte
	// Meanings are what the entries mean, one for one: what is said of an entry
	// must not change from one program to the next. nil says nothing of any.
	Meanings []Meaning
	// Tree is the edge behind the last leaf.
	Tree entry.Tree
	// Checkpoint is the gate's signature at the tree's size.
	Checkpoint []byte
	Received   time.Time
}

// Committed is what became of a batch.
type Committed struct {
	// Number is its place in the order of commits, from 1.
	Number uint64
	// Moved says that a hold was placed or lifted, or that there is a newer
	// entry of some topic.
	Moved bool
}

// Commit stores entries, watermark, edge and what the entries mean durably and
// together, and takes back the announcements that they fulfil.
//
// ErrConflict: the watermark is not at First, nothing was written; read the
// stream again. ErrUnknown: no such stream, or the gate is not let in. After
// any other error, too, only the stream says what is stored.
func (s *Store) Commit(ctx context.Context, a Append) (c Committed, err error) {
	if n := uint64(len(a.Leaves)); n == 0 || n > MaxBatch || a.Tree.Size() != a.First+n || a.Meanings != nil && uint64(len(a.Meanings)) != n {
		return Committed{}, fmt.Errorf("commit %s, epoch %d: %d entries of %d meanings from %d do not make %d",
			a.Gate, a.Epoch, n, len(a.Meanings), a.First, a.Tree.Size())
	}
	if err := ctx.Err(); err != nil {
		return Committed{}, err
	}
	err = s.write(func(tx *sql.Tx) error {
		stream, err := advance(tx, a)
		if err != nil {
			return err
		}
		if c.Number, err = s.insertBatch(tx, stream, a); err != nil {
			return err
		}
		if c.Moved, err = keep(tx, stream, c.Number, a.Meanings); err != nil {
			return err
		}
		return fulfil(tx, c.Number, a)
	})
	if err != nil {
		return Committed{}, fmt.Errorf("commit %s, epoch %d, from %d: %w", a.Gate, a.Epoch, a.First, err)
	}
	return c, nil
}

// keep keeps what the entries of a batch mean, and reports whether anything
// stands otherwise than before.
func keep(tx *sql.Tx, stream int64, number uint64, meanings []Meaning) (moved bool, err error) {
	before, err := standingOf(tx, stream)
	if err != nil {
		return false, fmt.Errorf("read holds: %w", err)
	}
	d := newDigest(maps.Clone(before))
	for i, m := range meanings {
		d.add(int64(i), m)
	}
	if err := addCounts(tx, stream, d.counts); err != nil {
		return false, err
	}
	return d.writeStanding(tx, stream, int64(number<<placeBits), before)
}

// advance moves the watermark from a.First to the tree's size: the comparison
// that makes a batch count once.
func advance(tx *sql.Tx, a Append) (stream int64, err error) {
	head := a.Tree.Head()
	err = tx.QueryRow(`UPDATE stream SET size = ?, edge = ?, root = ?, checkpoint = ?, received = ?
		WHERE gate = (SELECT id FROM gate WHERE name = ? AND revoked = 0) AND epoch = ? AND size = ? RETURNING id`,
		head.Size, a.Tree.Edge(), head.Root[:], a.Checkpoint, toMilli(a.Received), a.Gate, a.Epoch, a.First).Scan(&stream)
	if !errors.Is(err, sql.ErrNoRows) {
		return stream, err
	}
	err = tx.QueryRow("SELECT s.id FROM stream s JOIN gate g ON g.id = s.gate WHERE g.name = ? AND g.revoked = 0 AND s.epoch = ?",
		a.Gate, a.Epoch).Scan(&stream)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, ErrUnknown
	case err != nil:
		return 0, err
	}
	return 0, ErrConflict
}

func (s *Store) insertBatch(tx *sql.Tx, stream int64, a Append) (number uint64, err error) {
	err = tx.QueryRow("INSERT INTO batch (stream, first, n, received) VALUES (?, ?, ?, ?) RETURNING number",
		stream, a.First, len(a.Leaves), toMilli(a.Received)).Scan(&number)
	if err != nil {
		return 0, err
	}
	at := int64(number << placeBits)
	for rows := range slices.Chunk(a.Leaves, insertRows) {
		if err := s.insertEntries(tx, at, rows); err != nil {
			return 0, fmt.Errorf("insert entries: %w", err)
		}
		at += int64(len(rows))
	}
	return number, nil
}

// insertRows is how many entries a prepared statement puts in at once: in a
// third less time than one by one. More than ten save no more.
const insertRows = 25

// insertEntries puts at most insertRows entries in, from id first on.
func (s *Store) insertEntries(tx *sql.Tx, first int64, leaves [][]byte) error {
	args := make([]any, 0, 2*insertRows)
	for i, leaf := range leaves {
		args = append(args, first+int64(i), leaf)
	}
	if len(leaves) < insertRows { // the last of a batch
		_, err := tx.Exec(insertText(len(leaves)), args...)
		return err
	}
	_, err := tx.Stmt(s.insert).Exec(args...)
	return err
}

// insertText returns the statement that puts in so many entries.
func insertText(rows int) string {
	return "INSERT INTO entry (id, leaf) VALUES (?, ?)" + strings.Repeat(", (?, ?)", rows-1)
}

// fulfil takes back the announcements of entries that have come. One that is
// not what was announced leaves its announcement standing: then the gate has
// signed two entries for one number, and somebody should see that.
func fulfil(tx *sql.Tx, number uint64, a Append) error {
	_, err := tx.Exec(`DELETE FROM announced
		WHERE gate = (SELECT id FROM gate WHERE name = ?) AND epoch = ? AND seq >= ? AND seq < ?
		AND leaf = (SELECT leaf FROM entry WHERE id = ? + announced.seq - ?)`,
		a.Gate, a.Epoch, a.First, a.Tree.Size(), int64(number<<placeBits), a.First)
	return err
}
