package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Token is a right to pull.
type Token struct {
	// Hash is the SHA-256 of the bearer token, which is long and random.
	Hash [sha256.Size]byte
	// Scope is what may be pulled, and Names whether with people's names.
	Scope  string
	Names  bool
	Issued time.Time
}

// Grant issues a token. One that was issued before is an error.
func (s *Store) Grant(ctx context.Context, t Token) error {
	_, err := s.writer.ExecContext(ctx, "INSERT INTO token (hash, scope, names, issued) VALUES (?, ?, ?, ?)",
		t.Hash[:], t.Scope, t.Names, toMilli(t.Issued))
	if err != nil {
		return fmt.Errorf("grant token: %w", err)
	}
	return nil
}

// Withdraw ends a token, ErrUnknown if there is none.
func (s *Store) Withdraw(ctx context.Context, hash [sha256.Size]byte) error {
	r, err := s.writer.ExecContext(ctx, "DELETE FROM token WHERE hash = ?", hash[:])
	if err == nil {
		err = touched(r, ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("withdraw token: %w", err)
	}
	return nil
}

// Token returns what a token allows, ErrUnknown if it allows nothing.
func (s *Store) Token(ctx context.Context, hash [sha256.Size]byte) (Token, error) {
	t := Token{Hash: hash}
	var issued int64
	err := s.readers.QueryRowContext(ctx, "SELECT scope, names, issued FROM token WHERE hash = ?", hash[:]).
		Scan(&t.Scope, &t.Names, &issued)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrUnknown
	}
	if err != nil {
		return Token{}, fmt.Errorf("look up token: %w", err)
	}
	t.Issued = fromMilli(issued)
	return t, nil
}
