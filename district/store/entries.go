package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Row is one collected entry.
type Row struct {
	// Cursor stands behind it.
	Cursor Cursor
	// Gate, Epoch and Seq are its place in its journal.
	Gate  string
	Epoch uint32
	Seq   uint64
	// Received is when its batch came.
	Received time.Time
	// Leaf is the canonical entry, as it was hashed.
	Leaf []byte
}

// A page of rows ends at whichever comes first. Readers hold no transaction
// longer than a page takes, or the WAL could not wrap.
const (
	pageRows  = 1000
	pageBytes = 1 << 20
)

// CROSS JOIN keeps the order of the tables: one scan of the entries in the
// order of their ids, and three look-ups for each.
const selectEntries = `SELECT e.id, e.leaf, b.first, b.received, s.epoch, g.name
	FROM entry e CROSS JOIN batch b ON b.number = e.id >> 13 CROSS JOIN stream s ON s.id = b.stream CROSS JOIN gate g ON g.id = s.gate
	WHERE e.id > ? ORDER BY e.id LIMIT ?`

// Entries yields at most limit entries behind a cursor in the order in which
// they were committed, to the newest at the time it gets there: what comes
// later stands behind all of them. It holds no transaction while the caller
// works. After an error, which wraps ErrForeign where the cursor is not of
// this store, it ends.
func (s *Store) Entries(ctx context.Context, after Cursor, limit int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		err := s.checkCursor(ctx, after)
		for from := after.id(); err == nil && limit > 0; {
			var page []Row
			page, err = s.readPage(ctx, from, min(limit, pageRows))
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
				from = row.Cursor.id()
			}
			if len(page) == 0 {
				break
			}
			limit -= len(page)
		}
		if err != nil {
			yield(Row{}, fmt.Errorf("read entries: %w", err))
		}
	}
}

// selectLeaf finds the entry at seq, seq, gate, epoch, seq: the batch that began
// last at or before an entry is the one that has it.
const selectLeaf = `SELECT e.leaf FROM gate g JOIN stream s ON s.gate = g.id
	JOIN batch b ON b.stream = s.id AND b.first = (SELECT max(first) FROM batch WHERE stream = s.id AND first <= ?)
	JOIN entry e ON e.id = b.number << 13 | ? - b.first
	WHERE g.name = ? AND s.epoch = ? AND s.size > ?`

// Leaf returns one entry by its place in its journal, ErrUnknown if it is not
// here.
func (s *Store) Leaf(ctx context.Context, gate string, epoch uint32, seq uint64) (leaf []byte, err error) {
	err = s.readers.QueryRowContext(ctx, selectLeaf, seq, seq, gate, epoch, seq).Scan(&leaf)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("read entry %d of %s, epoch %d: %w", seq, gate, epoch, err)
	}
	return leaf, nil
}

// checkCursor refuses a cursor of another store, and one that stands behind
// the end: then the file was put back from an older copy, and the numbers
// that the cursor means will be given to other entries.
func (s *Store) checkCursor(ctx context.Context, c Cursor) error {
	if c == (Cursor{}) {
		return nil
	}
	if c.store != s.id {
		return ErrForeign
	}
	var newest uint64
	err := s.readers.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM batch").Scan(&newest)
	if err == nil && c.batch > newest {
		err = fmt.Errorf("batch %d, the newest is %d: %w", c.batch, newest, ErrForeign)
	}
	return err
}

// readPage returns the rows behind an id, and with them the error that ended
// the page early.
func (s *Store) readPage(ctx context.Context, after int64, limit int) (page []Row, err error) {
	rows, err := s.readers.QueryContext(ctx, selectEntries, after, limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; size < pageBytes && rows.Next(); {
		row, err := s.scanRow(rows)
		if err != nil {
			return page, err
		}
		size += len(row.Leaf)
		page = append(page, row)
	}
	return page, rows.Err()
}

func (s *Store) scanRow(rows *sql.Rows) (r Row, err error) {
	var id, received int64
	var first uint64
	if err := rows.Scan(&id, &r.Leaf, &first, &received, &r.Epoch, &r.Gate); err != nil {
		return Row{}, err
	}
	r.Cursor = s.cursor(id)
	r.Seq = first + uint64(r.Cursor.place)
	r.Received = fromMilli(received)
	return r, nil
}
