package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"
)

// Post is something signed that goes down to gates.
type Post struct {
	// Kind is policy, roster or hold.
	Kind string
	// Number rises within a kind, from 1.
	Number uint64
	// Scope is whom it is for.
	Scope string
	// Body is what was signed, with Signature, at At.
	Body, Signature []byte
	At              time.Time
}

// Post keeps what was signed, to be sent and sent again. ErrConflict unless
// its number is above all others of its kind: read Number and sign again.
func (s *Store) Post(ctx context.Context, p Post) error {
	r, err := s.writer.ExecContext(ctx, `INSERT INTO posted (kind, number, scope, body, sig, at)
		SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM posted WHERE kind = ? AND number >= ?)`,
		p.Kind, p.Number, p.Scope, p.Body, p.Signature, toMilli(p.At), p.Kind, p.Number)
	if err == nil {
		err = touched(r, ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("post %s %d: %w", p.Kind, p.Number, err)
	}
	return nil
}

// Number returns the highest number of a kind, 0 if there is none.
func (s *Store) Number(ctx context.Context, kind string) (number uint64, err error) {
	err = s.readers.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM posted WHERE kind = ?", kind).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("read number of newest %s: %w", kind, err)
	}
	return number, nil
}

// Posted yields what is of a kind and above a number, in rising order, one
// read each: bodies may be large. After an error it ends.
func (s *Store) Posted(ctx context.Context, kind string, above uint64) iter.Seq2[Post, error] {
	return func(yield func(Post, error) bool) {
		for {
			next, err := list(ctx, s.readers, scanPost, `SELECT kind, number, scope, body, sig, at FROM posted
				WHERE kind = ? AND number > ? ORDER BY number LIMIT 1`, kind, above)
			if err != nil {
				yield(Post{}, fmt.Errorf("read posted %s: %w", kind, err))
				return
			}
			if len(next) == 0 || !yield(next[0], nil) {
				return
			}
			above = next[0].Number
		}
	}
}

func scanPost(rows *sql.Rows) (p Post, err error) {
	var at int64
	err = rows.Scan(&p.Kind, &p.Number, &p.Scope, &p.Body, &p.Signature, &at)
	p.At = fromMilli(at)
	return p, err
}
