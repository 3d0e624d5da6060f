package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Count is how many entries of one journal fell on a day under a key.
type Count struct {
	// Epoch tells a restored card's journal, in which old entries come again,
	// from the one before.
	Epoch uint32
	// Day and Key are as Options.Meaning says.
	Day, Key string
	N        uint64
}

// bucket is where an entry counts.
type bucket struct{ day, key string }

func addCounts(tx *sql.Tx, stream int64, counts map[bucket]int) error {
	for b, n := range counts {
		if _, err := tx.Exec(`INSERT INTO tally (stream, day, key, n) VALUES (?, ?, ?, ?)
			ON CONFLICT (stream, day, key) DO UPDATE SET n = n + excluded.n`, stream, b.day, b.key, n); err != nil {
			return fmt.Errorf("count %s on %s: %w", b.key, b.day, err)
		}
	}
	return nil
}

// Counts returns what was counted of a gate on the days from to to, both
// included, by epoch, day and key.
func (s *Store) Counts(ctx context.Context, gate, from, to string) ([]Count, error) {
	counts, err := list(ctx, s.readers, func(rows *sql.Rows) (c Count, err error) {
		err = rows.Scan(&c.Epoch, &c.Day, &c.Key, &c.N)
		return c, err
	}, `SELECT s.epoch, t.day, t.key, t.n FROM gate g JOIN stream s ON s.gate = g.id JOIN tally t ON t.stream = s.id
		WHERE g.name = ? AND t.day BETWEEN ? AND ? ORDER BY s.epoch, t.day, t.key`, gate, from, to)
	if err != nil {
		return nil, fmt.Errorf("count entries of %s: %w", gate, err)
	}
	return counts, nil
}
