package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bounds of what is kept of a refused message: the sender is a stranger.
const (
	maxRefusals    = 1000
	maxRefusedHead = 1024 // bytes of the message
	maxRefusedText = 200  // bytes of gate and reason each
)

// Refusal is a message that was not let in.
type Refusal struct {
	// Number counts refusals since the store was made, from 1.
	Number uint64
	// Gate is who the message said it was from, and Reason why it was refused;
	// cut to 200 bytes.
	Gate, Reason string
	Received     time.Time
	// Sum is the SHA-256 of the message, and Head its first 1024 bytes.
	Sum  [sha256.Size]byte
	Head []byte
}

// Refuse keeps a message apart. The newest 1000 of all gates are kept.
func (s *Store) Refuse(ctx context.Context, gate, reason string, message []byte, received time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	sum := sha256.Sum256(message)
	head := append([]byte{}, message[:min(len(message), maxRefusedHead)]...) // never nil: that would be NULL
	err := s.write(func(tx *sql.Tx) error {
		var number int64
		err := tx.QueryRow("INSERT INTO refused (gate, reason, received, sum, head) VALUES (?, ?, ?, ?, ?) RETURNING number",
			cut(gate), cut(reason), toMilli(received), sum[:], head).Scan(&number)
		if err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM refused WHERE number <= ?", number-maxRefusals)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep refused message: %w", err)
	}
	return nil
}

// cut bounds a text and makes it UTF-8.
func cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxRefusedText)], "")
}

// Refusals returns those that are kept, the newest first.
func (s *Store) Refusals(ctx context.Context) ([]Refusal, error) {
	all, err := list(ctx, s.readers, func(rows *sql.Rows) (r Refusal, err error) {
		var received int64
		var sum []byte
		err = rows.Scan(&r.Number, &r.Gate, &r.Reason, &received, &sum, &r.Head)
		copy(r.Sum[:], sum)
		r.Received = fromMilli(received)
		return r, err
	}, "SELECT number, gate, reason, received, sum, head FROM refused ORDER BY number DESC")
	if err != nil {
		return nil, fmt.Errorf("list refused messages: %w", err)
	}
	return all, nil
}

// Signed is what a checkpoint says of a journal, and the gate's signature.
type Signed struct {
	Size uint64
	Root [sha256.Size]byte
	// Signature is empty where nothing had been collected.
	Signature []byte
}

// Divergence is a journal that is not the one that was collected.
type Divergence struct {
	Gate    string
	Epoch   uint32
	Noticed time.Time
	// Held is what had been collected, and Claimed what the gate signs now.
	Held, Claimed Signed
}

// Diverge keeps both checkpoints. Of one epoch the first divergence is kept
// and later ones are nothing new. ErrUnknown if the gate is not let in.
func (s *Store) Diverge(ctx context.Context, d Divergence) error {
	r, err := s.writer.ExecContext(ctx, `INSERT INTO diverged
		(gate, epoch, noticed, held_size, held_root, held_sig, claimed_size, claimed_root, claimed_sig)
		SELECT id, ?, ?, ?, ?, coalesce(?, x''), ?, ?, ? FROM gate WHERE name = ? AND revoked = 0 ON CONFLICT DO NOTHING`,
		d.Epoch, toMilli(d.Noticed), d.Held.Size, d.Held.Root[:], d.Held.Signature,
		d.Claimed.Size, d.Claimed.Root[:], d.Claimed.Signature, d.Gate)
	if err == nil {
		err = s.knownUnless(ctx, r, d.Gate)
	}
	if err != nil {
		return fmt.Errorf("keep divergence of %s, epoch %d: %w", d.Gate, d.Epoch, err)
	}
	return nil
}

// knownUnless returns ErrUnknown if a statement changed nothing because the
// gate is not let in, and nil if it was because there was nothing to change.
func (s *Store) knownUnless(ctx context.Context, r sql.Result, gate string) error {
	if touched(r, ErrUnknown) == nil {
		return nil
	}
	return admitted(ctx, s.readers, gate)
}

// Divergences returns those that are kept, the newest first.
func (s *Store) Divergences(ctx context.Context) ([]Divergence, error) {
	all, err := list(ctx, s.readers, func(rows *sql.Rows) (d Divergence, err error) {
		var noticed int64
		var held, claimed []byte
		err = rows.Scan(&d.Gate, &d.Epoch, &noticed, &d.Held.Size, &held, &d.Held.Signature,
			&d.Claimed.Size, &claimed, &d.Claimed.Signature)
		copy(d.Held.Root[:], held)
		copy(d.Claimed.Root[:], claimed)
		d.Noticed = fromMilli(noticed)
		return d, err
	}, `SELECT g.name, d.epoch, d.noticed, d.held_size, d.held_root, d.held_sig, d.claimed_size, d.claimed_root, d.claimed_sig
		FROM diverged d JOIN gate g ON g.id = d.gate ORDER BY d.noticed DESC, g.name`)
	if err != nil {
		return nil, fmt.Errorf("list divergences: %w", err)
	}
	return all, nil
}

// Alarm is an entry that was announced ahead of its turn.
type Alarm struct {
	Gate  string
	Epoch uint32
	Seq   uint64
	// Leaf is the canonical entry. It counts nowhere before it comes in a batch.
	Leaf     []byte
	Received time.Time
}

// maxAlarms bounds the alarms that are kept of one gate: as many as a gate
// repeats. It matters only where no entry can come for them any more.
const maxAlarms = 64

// Announce keeps an alarm until its entry is committed or a newer journal
// begins; of one gate the newest 64. One that is kept already, or whose entry
// is there, is nothing new. ErrUnknown if the gate is not let in.
func (s *Store) Announce(ctx context.Context, a Alarm) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.write(func(tx *sql.Tx) error {
		var gate int64
		err := tx.QueryRow(`INSERT INTO announced (gate, epoch, seq, leaf, received)
			SELECT id, ?, ?, ?, ? FROM gate WHERE name = ? AND revoked = 0
			AND ? IS NOT (`+selectLeaf+`) ON CONFLICT DO NOTHING RETURNING gate`,
			a.Epoch, a.Seq, a.Leaf, toMilli(a.Received), a.Gate, a.Leaf, a.Seq, a.Seq, a.Gate, a.Epoch, a.Seq).Scan(&gate)
		if errors.Is(err, sql.ErrNoRows) {
			return admitted(ctx, tx, a.Gate)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM announced WHERE gate = ?1 AND rowid NOT IN
			(SELECT rowid FROM announced WHERE gate = ?1 ORDER BY rowid DESC LIMIT ?2)`, gate, maxAlarms)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep alarm of %s, epoch %d, entry %d: %w", a.Gate, a.Epoch, a.Seq, err)
	}
	return nil
}

// takeBack forgets what was announced of the journals before an epoch: their
// entries will not come any more.
func takeBack(tx *sql.Tx, e Epoch) error {
	_, err := tx.Exec("DELETE FROM announced WHERE gate = (SELECT id FROM gate WHERE name = ?) AND epoch < ?", e.Gate, e.Epoch)
	return err
}

// Alarms returns what was announced and has not come, the oldest first. One
// that stays although the journal has passed it was announced falsely.
func (s *Store) Alarms(ctx context.Context) ([]Alarm, error) {
	all, err := list(ctx, s.readers, func(rows *sql.Rows) (a Alarm, err error) {
		var received int64
		err = rows.Scan(&a.Gate, &a.Epoch, &a.Seq, &a.Leaf, &received)
		a.Received = fromMilli(received)
		return a, err
	}, `SELECT g.name, a.epoch, a.seq, a.leaf, a.received FROM announced a JOIN gate g ON g.id = a.gate
		ORDER BY a.received, g.name, a.epoch, a.seq`)
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	return all, nil
}
