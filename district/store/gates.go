package store

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Gate is who may be collected from.
type Gate struct {
	// Name is [a-z0-9-]{1,32}.
	Name string
	// Key is the gate's public key. No other gate may have it.
	Key ed25519.PublicKey
	// Password is a hash, made by whoever checks it, of what the gate says at
	// the collector's own broker; zero where it has no password there.
	Password [sha256.Size]byte
	// School is the school's name, and Duty whom to call when the gate is silent.
	School, Duty string
	// Admitted is when it was let in, and Revoked when it was last shut out;
	// zero while it is let in.
	Admitted, Revoked time.Time
}

// Admit lets a gate in, or in again: key, password, school and duty replace
// those that it had, and what was collected stays. Revoked must be zero.
func (s *Store) Admit(ctx context.Context, g Gate) error {
	if !g.Revoked.IsZero() {
		return fmt.Errorf("admit gate %s: it is revoked", g.Name)
	}
	_, err := s.writer.ExecContext(ctx, `INSERT INTO gate (name, key, password, school, duty, admitted, revoked) VALUES (?, ?, ?, ?, ?, ?, 0)
		ON CONFLICT (name) DO UPDATE SET key = excluded.key, password = excluded.password, school = excluded.school, duty = excluded.duty,
			admitted = excluded.admitted, revoked = 0`,
		g.Name, []byte(g.Key), g.Password[:], g.School, g.Duty, toMilli(g.Admitted))
	if err != nil {
		return fmt.Errorf("admit gate %s: %w", g.Name, err)
	}
	return nil
}

// Revoke shuts a gate out: nothing more is committed from it. What was
// collected stays. ErrUnknown if it was not let in.
func (s *Store) Revoke(ctx context.Context, name string, at time.Time) error {
	r, err := s.writer.ExecContext(ctx, "UPDATE gate SET revoked = ? WHERE name = ? AND revoked = 0", toMilli(at), name)
	if err == nil {
		err = touched(r, ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("revoke gate %s: %w", name, err)
	}
	return nil
}

// touched returns otherwise if a statement changed nothing.
func touched(r sql.Result, otherwise error) error {
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = otherwise
	}
	return err
}

const selectGate = "SELECT name, key, password, school, duty, admitted, revoked FROM gate"

// Gates returns all gates by name, those that were revoked too.
func (s *Store) Gates(ctx context.Context) ([]Gate, error) {
	gates, err := list(ctx, s.readers, scanGate, selectGate+" ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list gates: %w", err)
	}
	return gates, nil
}

// Gate returns a gate that is let in, or else ErrUnknown.
func (s *Store) Gate(ctx context.Context, name string) (Gate, error) {
	found, err := list(ctx, s.readers, scanGate, selectGate+" WHERE name = ? AND revoked = 0", name)
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Gate{}, fmt.Errorf("look up gate %s: %w", name, err)
	}
	return found[0], nil
}

func scanGate(rows *sql.Rows) (g Gate, err error) {
	var admitted, revoked int64
	var password []byte
	err = rows.Scan(&g.Name, (*[]byte)(&g.Key), &password, &g.School, &g.Duty, &admitted, &revoked)
	copy(g.Password[:], password)
	g.Admitted, g.Revoked = fromMilli(admitted), fromMilli(revoked)
	return g, err
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// admitted returns ErrUnknown unless the gate is let in.
func admitted(ctx context.Context, q querier, name string) error {
	var id int64
	err := q.QueryRowContext(ctx, "SELECT id FROM gate WHERE name = ? AND revoked = 0", name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrUnknown
	}
	return err
}
