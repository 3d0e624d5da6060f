package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"time"
)

// Token is a right to pull.
type Token struct {
	// Name is by whom it is used, 1 to 64 characters; no other token has it.
	Name string
	// Hash is the SHA-256 of the bearer token, which is long and random.
	Hash [sha256.Size]byte
	// Names says that people's names may be pulled too.
	Names  bool
	Issued time.Time
}

// Grant issues a token. A name or a text that was issued before is an error.
func (s *Store) Grant(ctx context.Context, t Token) error {
	_, err := s.writer.ExecContext(ctx, "INSERT INTO token (name, hash, names, issued) VALUES (?, ?, ?, ?)",
		t.Name, t.Hash[:], t.Names, toMilli(t.Issued))
	if err != nil {
		return fmt.Errorf("grant token: %w", err)
	}
	return nil
}

// Withdraw ends a token, ErrUnknown if there is none of this name.
func (s *Store) Withdraw(ctx context.Context, name string) error {
	r, err := s.writer.ExecContext(ctx, "DELETE FROM token WHERE name = ?", name)
	if err == nil {
		err = touched(r, ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("withdraw token: %w", err)
	}
	return nil
}

const selectToken = "SELECT name, hash, names, issued FROM token"

// Token returns what a token allows, ErrUnknown if it allows nothing.
func (s *Store) Token(ctx context.Context, hash [sha256.Size]byte) (Token, error) {
	found, err := list(ctx, s.readers, scanToken, selectToken+" WHERE hash = ?", hash[:])
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Token{}, fmt.Errorf("look up token: %w", err)
	}
	return found[0], nil
}

// Tokens returns all tokens by name.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	all, err := list(ctx, s.readers, scanToken, selectToken+" ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return all, nil
}

func scanToken(rows *sql.Rows) (t Token, err error) {
	var hash []byte
	var issued int64
	err = rows.Scan(&t.Name, &hash, &t.Names, &issued)
	copy(t.Hash[:], hash)
	t.Issued = fromMilli(issued)
	return t, err
}
