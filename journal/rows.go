package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/menshen/menshen/entry"
)

// Row is one stored entry.
type Row struct {
	// Seq is its number in the journal, from 0 without gaps.
	Seq uint64
	// Entry is what Bytes say.
	Entry entry.Entry
	// Bytes are the leaf, as it was hashed.
	Bytes []byte
	// Private is the salted blob that Entry.Commitment is over; nil if there
	// was none or it has been shredded.
	Private []byte

	hashes []byte
}

// A page of rows ends at whichever comes first. Readers hold no transaction
// longer than a page takes, or the WAL could not wrap.
const (
	pageRows  = 1000
	pageBytes = 1 << 20
	leafBytes = 96 // more than most leaves have
)

// readRows yields rows from seq on.
func readRows(ctx context.Context, db *sql.DB, from uint64) iter.Seq2[Row, error] {
	return paged(from, func(from uint64) ([]Row, error) { return readPage(ctx, db, from) })
}

// readLeaves yields leaves from seq on.
func readLeaves(ctx context.Context, db *sql.DB, from uint64) iter.Seq2[[]byte, error] {
	return paged(from, func(from uint64) ([][]byte, error) { return readLeafPage(ctx, db, from) })
}

// paged yields what read returns, page by page, until one comes back empty.
func paged[T any](from uint64, read func(from uint64) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := read(from)
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, fmt.Errorf("read journal: %w", classify(err)))
				return
			}
			if len(page) == 0 {
				return
			}
			from += uint64(len(page))
		}
	}
}

// readPage returns the rows from seq on that are sound, and with them the
// error that ended the page early.
func readPage(ctx context.Context, db *sql.DB, from uint64) (page []Row, err error) {
	rows, err := db.QueryContext(ctx,
		"SELECT seq, leaf, hashes, private FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?", int64(min(from, math.MaxInt64)), pageRows)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; size < pageBytes && rows.Next(); {
		var r Row
		if err := rows.Scan(&r.Seq, &r.Bytes, &r.hashes, &r.Private); err != nil {
			return page, err
		}
		if want := from + uint64(len(page)); r.Seq != want {
			return page, damaged(want, "is missing")
		}
		if r.Entry, err = entry.Unmarshal(r.Bytes); err != nil {
			return page, fmt.Errorf("%w: %w", damaged(r.Seq, "cannot be read"), err)
		}
		size += len(r.Bytes) + len(r.hashes) + len(r.Private)
		page = append(page, r)
	}
	return page, rows.Err()
}

// readLeafPage returns the leaves from seq on, as readPage returns rows, in one
// piece of memory.
func readLeafPage(ctx context.Context, db *sql.DB, from uint64) (page [][]byte, err error) {
	rows, err := db.QueryContext(ctx,
		"SELECT seq, leaf FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?", int64(min(from, math.MaxInt64)), pageRows)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all, ends := make([]byte, 0, pageRows*leafBytes), make([]int, 0, pageRows)
	var seq uint64
	var leaf sql.RawBytes
	for len(all) < pageBytes && rows.Next() {
		if err = rows.Scan(&seq, &leaf); err != nil {
			break
		}
		if want := from + uint64(len(ends)); seq != want {
			err = damaged(want, "is missing")
			break
		}
		all = append(all, leaf...)
		ends = append(ends, len(all))
	}
	page = make([][]byte, 0, len(ends))
	begin := 0
	for _, end := range ends {
		page = append(page, all[begin:end:end])
		begin = end
	}
	return page, errors.Join(err, rows.Err())
}

// verify adds the row to the tree of those before it and compares what was
// stored with what the leaf demands. Rows from before the third schema have
// every hash that their leaf completes.
func (r Row) verify(tree *entry.Tree) error {
	completed := tree.Append(r.Bytes)
	if !bytes.Equal(highest(completed), r.hashes) && !bytes.Equal(completed, r.hashes) {
		return damaged(r.Seq, "does not have the hashes that its leaf demands")
	}
	if r.Private == nil {
		return nil // there was none, or it has been shredded
	}
	if c := sha256.Sum256(r.Private); !bytes.Equal(c[:], r.Entry.Commitment) {
		return damaged(r.Seq, "has another private blob than it committed to")
	}
	return nil
}
