// Package store keeps in SQLite what a collector has collected: which gates it
// knows, how far it has each journal, the entries in the order in which they
// were committed, what stands by them, what was announced or refused, and what
// goes down.
//
// It knows how to take a batch exactly once and durably. It does not know how
// anything travelled, who signed it or whether that was true: what it is given
// has been verified, and what an entry means it is told by a function. Several
// processes may have the file open; the watermark of a journal decides between
// them.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// Faults on which a caller branches.
var (
	// ErrConflict: what the call was based on is not so any more. Read again.
	ErrConflict = errors.New("the store has moved on")
	// ErrUnknown: no such gate (or no longer admitted), journal or token.
	ErrUnknown = errors.New("not known here")
	// ErrForeign: the cursor is not of this store. Begin anew.
	ErrForeign = errors.New("cursor of another store")
	// ErrNewer: a newer program has written the file.
	ErrNewer = errors.New("store written by a newer program")
)

// Options say where the store lies and what entries mean.
type Options struct {
	// Path is the database file. Beside it live Path-wal and Path-shm.
	Path string
	// Meaning says what an entry means that is stored already, for a store of a
	// schema that did not keep it: the same as was handed over with it, or would
	// have been. nil says nothing.
	Meaning func(leaf []byte) Meaning
	// Log receives what no caller is told. nil discards.
	Log *slog.Logger
}

// Store is the collected record. Its methods may be called from any goroutine;
// writes take turns, and reads wait for no write.
type Store struct {
	id      [16]byte
	meaning func([]byte) Meaning
	writer  *sql.DB   // one connection
	insert  *sql.Stmt // of insertRows entries
	readers *sql.DB
}

// Open opens or creates the store.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{meaning: o.Meaning}
	if s.meaning == nil {
		s.meaning = func([]byte) Meaning { return Meaning{} }
	}
	if err := s.open(ctx, o.Path); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	log.Info("store opened", "id", fmt.Sprintf("%x", s.id))
	return s, nil
}

// open leaves what it opened in s, for Close.
func (s *Store) open(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := create(path); err != nil {
		return err
	}
	s.writer = connect(path, true)
	if err := s.migrate(ctx); err != nil {
		return err
	}
	var id []byte
	if err := s.writer.QueryRowContext(ctx, "SELECT id FROM identity").Scan(&id); err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	copy(s.id[:], id)
	if s.insert, err = s.writer.PrepareContext(ctx, insertText(insertRows)); err != nil {
		return err
	}
	s.readers = connect(path, false)
	return s.readers.PingContext(ctx) // opens one, whose settings are then read back
}

// Close closes the file.
func (s *Store) Close() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.insert != nil {
		errs = append(errs, s.insert.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// write runs what in one transaction. There is no context: a transaction that
// began is not called back, so that its error says what the file has.
func (s *Store) write(what func(*sql.Tx) error) error {
	tx, err := s.writer.Begin() // immediate: whoever else writes is met here
	if err != nil {
		return err
	}
	if err := what(tx); err != nil {
		return errors.Join(err, undo(tx))
	}
	// A crash before the flush inside Commit loses all of it, after the flush
	// nothing: recovery is SQLite's own.
	return tx.Commit()
}

// list returns what scan makes of each row of a query.
func list[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// toMilli is how a time is stored: Unix milliseconds, 0 for the zero time.
func toMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMilli is what toMilli stored.
func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
