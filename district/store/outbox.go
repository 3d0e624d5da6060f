package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Post is something signed that goes down to gates, until the next of its kind
// and scope takes its place.
type Post struct {
	// Kind is policy or roster.
	Kind string
	// Scope is whom it is for.
	Scope string
	// Number rises within a kind.
	Number uint64
	// Message is what is sent.
	Message []byte
	// Sum is by what a gate's own word shows that it has it, or empty.
	Sum []byte
	At  time.Time
}

// Post gives a post its number, has sign make the message of it, and keeps it
// in place of what was posted of its kind to its scope. It returns the number.
func (s *Store) Post(p Post, sign func(number uint64) ([]byte, error)) (number uint64, err error) {
	err = s.write(func(tx *sql.Tx) error {
		if number, err = draw(tx, p.Kind, 1, p.At); err != nil {
			return err
		}
		if p.Message, err = sign(number); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO posted (kind, scope, number, message, sum, at) VALUES (?, ?, ?, ?, coalesce(?, x''), ?)
			ON CONFLICT (kind, scope) DO UPDATE SET number = excluded.number, message = excluded.message, sum = excluded.sum, at = excluded.at`,
			p.Kind, p.Scope, number, p.Message, p.Sum, toMilli(p.At))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("post %s to %s: %w", p.Kind, p.Scope, err)
	}
	return number, nil
}

// Numbers gives out n numbers of a kind for what is sent and not kept, and
// returns the first. None is given out twice, whatever becomes of it.
func (s *Store) Numbers(kind string, n int, at time.Time) (first uint64, err error) {
	err = s.write(func(tx *sql.Tx) error {
		first, err = draw(tx, kind, n, at)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("number %d of %s: %w", n, kind, err)
	}
	return first, nil
}

// draw takes the next n numbers. They are not below the time in Unix seconds:
// so a store that was put back from a copy goes on above what it gave out since.
func draw(tx *sql.Tx, kind string, n int, at time.Time) (first uint64, err error) {
	var last uint64
	err = tx.QueryRow(`INSERT INTO numbered (kind, number) VALUES (?1, max(1, ?3) + ?2 - 1)
		ON CONFLICT (kind) DO UPDATE SET number = max(number + 1, ?3) + ?2 - 1 RETURNING number`, kind, n, at.Unix()).Scan(&last)
	return last - uint64(n) + 1, err
}

// Posts returns what is posted, without the messages, in the order of numbers.
func (s *Store) Posts(ctx context.Context) ([]Post, error) {
	all, err := list(ctx, s.readers, scanPost, "SELECT kind, scope, number, x'', sum, at FROM posted ORDER BY number, kind")
	if err != nil {
		return nil, fmt.Errorf("list what is posted: %w", err)
	}
	return all, nil
}

// Posted returns the newest of a kind and scope, ErrUnknown if there is none.
func (s *Store) Posted(ctx context.Context, kind, scope string) (Post, error) {
	found, err := list(ctx, s.readers, scanPost,
		"SELECT kind, scope, number, message, sum, at FROM posted WHERE kind = ? AND scope = ?", kind, scope)
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Post{}, fmt.Errorf("read %s posted to %s: %w", kind, scope, err)
	}
	return found[0], nil
}

func scanPost(rows *sql.Rows) (p Post, err error) {
	var at int64
	err = rows.Scan(&p.Kind, &p.Scope, &p.Number, &p.Message, &p.Sum, &at)
	p.At = fromMilli(at)
	return p, err
}

// Alive reports whether the store can be read.
func (s *Store) Alive(ctx context.Context) error {
	var one int
	if err := s.readers.QueryRowContext(ctx, "SELECT one FROM identity").Scan(&one); err != nil {
		return fmt.Errorf("read store: %w", err)
	}
	return nil
}
