package roster

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Session is one browser at which somebody is signed on, as the file keeps it.
// Who may be and for how long is not this package's to judge.
type Session struct {
	// Digest is the SHA-256 of the browser's secret.
	Digest [sha256.Size]byte
	// Person is a roster number.
	Person uint64
	// Began and Until are kept to the millisecond.
	Began, Until time.Time
}

// Paired is one browser of another machine that may show pages, as the file
// keeps it.
type Paired struct {
	// Number is what the browser is called by.
	Number int
	// Digest is the SHA-256 of the browser's secret.
	Digest [sha256.Size]byte
	// Place says where the browser stands, and so which pages it shows.
	Place string
	// Began and Until are kept to the millisecond.
	Began, Until time.Time
}

// Sessions returns what KeepSessions has kept, in its order.
func (r *Roster) Sessions(ctx context.Context) ([]Session, error) {
	list, err := readAll(ctx, r.db, `SELECT digest, person, began, until FROM session ORDER BY seq`,
		func(rows *sql.Rows) (s Session, err error) {
			s.Began, s.Until, err = scanKept(rows, &s.Digest, &s.Person)
			return s, err
		})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return list, nil
}

// KeepSessions keeps these sessions in place of those before: all of them, or
// after a crash still those before.
func (r *Roster) KeepSessions(ctx context.Context, list []Session) error {
	return r.replace(ctx, `session`, `INSERT INTO session (digest, person, began, until) VALUES (?, ?, ?, ?)`, len(list),
		func(i int) []any {
			s := list[i]
			return []any{s.Digest[:], int64(s.Person), s.Began.UnixMilli(), s.Until.UnixMilli()}
		})
}

// Paired returns what KeepPaired has kept, by their numbers.
func (r *Roster) Paired(ctx context.Context) ([]Paired, error) {
	list, err := readAll(ctx, r.db, `SELECT digest, number, place, began, until FROM paired ORDER BY number`,
		func(rows *sql.Rows) (p Paired, err error) {
			p.Began, p.Until, err = scanKept(rows, &p.Digest, &p.Number, &p.Place)
			return p, err
		})
	if err != nil {
		return nil, fmt.Errorf("read paired browsers: %w", err)
	}
	return list, nil
}

// KeepPaired keeps these browsers in place of those before: all of them, or
// after a crash still those before.
func (r *Roster) KeepPaired(ctx context.Context, list []Paired) error {
	return r.replace(ctx, `paired`, `INSERT INTO paired (digest, number, place, began, until) VALUES (?, ?, ?, ?, ?)`, len(list),
		func(i int) []any {
			p := list[i]
			return []any{p.Digest[:], p.Number, p.Place, p.Began.UnixMilli(), p.Until.UnixMilli()}
		})
}

// replace writes the rows of a small table anew in one transaction.
func (r *Roster) replace(ctx context.Context, table, insert string, n int, row func(int) []any) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keep %s: %w", table, err)
	}
	defer tx.Rollback() // after a commit this does nothing
	if _, err := tx.ExecContext(ctx, `DELETE FROM `+table); err != nil {
		return fmt.Errorf("keep %s: %w", table, err)
	}
	for i := range n {
		if _, err := tx.ExecContext(ctx, insert, row(i)...); err != nil {
			return fmt.Errorf("keep %s: %w", table, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keep %s: %w", table, err)
	}
	return nil
}

// readAll reads every row that a query finds.
func readAll[T any](ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// scanKept scans a digest, what lies between, and the two times.
func scanKept(rows *sql.Rows, digest *[sha256.Size]byte, between ...any) (began, until time.Time, err error) {
	var (
		sum  []byte
		from int64
		to   int64
	)
	dest := append(append([]any{&sum}, between...), &from, &to)
	if err := rows.Scan(dest...); err != nil {
		return began, until, err
	}
	if copy(digest[:], sum) != len(digest) {
		return began, until, errors.New("digest is too short")
	}
	return time.UnixMilli(from).UTC(), time.UnixMilli(to).UTC(), nil
}
