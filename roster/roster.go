// Package roster knows the people of a school and their badges: it reads the
// office's list, replaces the roster by it as a whole, undoes that, hands out
// badges, checks the PINs and duties of staff, gives lanes and pages a numbered,
// immutable [Snapshot], and keeps the numbered cards that visitors are lent and
// which browsers its people have trusted.
//
// It does not know who may pass, what was recorded, or that there is a
// network. People who leave are marked and never deleted, because entries name
// them by their roster number for as long as the entries are kept.
package roster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
)

var (
	// ErrNothingToUndo says that no version stands before the present one.
	ErrNothingToUndo = errors.New("nothing to undo")
	// ErrNoPerson says that nobody on the roster answers to what was given.
	ErrNoPerson = errors.New("no such person on the roster")
	// ErrBadgeUsed says that a badge was given out before, to whomever.
	ErrBadgeUsed = errors.New("badge was used before: take an unused one")
)

// Roster is one open roster.db. It expects to be the file's only writer: the
// caller holds the lock of the data directory. All methods may be called from
// any goroutine.
type Roster struct {
	db       *sql.DB
	log      *slog.Logger
	writing  sync.Mutex // from the start of a change until its snapshot is in place
	snapshot atomic.Pointer[Snapshot]

	checking chan struct{} // holds one token: a PIN hash takes 7 MiB, so one at a time
	tries    lockout       // owned by whoever holds the token
	trusted  atomic.Pointer[map[uint64]trust]
}

// Open opens the roster at path and creates it, readable by its owner only,
// where there is none. A file written by a newer program is refused.
func Open(ctx context.Context, path string, log *slog.Logger) (*Roster, error) {
	db, err := openDB(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open roster: %w", err)
	}
	r := &Roster{db: db, log: log, checking: make(chan struct{}, 1), tries: lockout{}}
	if err := r.load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open roster: %w", err), db.Close())
	}
	return r, nil
}

// Close closes the file. Snapshots taken before stay good.
func (r *Roster) Close() error { return r.db.Close() }

// Snapshot is the roster as last committed. It never blocks, not even while
// an import runs.
func (r *Roster) Snapshot() *Snapshot { return r.snapshot.Load() }

func (r *Roster) load(ctx context.Context) error {
	people, err := readPeople(ctx, r.db, "person")
	if err != nil {
		return err
	}
	var version uint32
	err = r.db.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM version`).Scan(&version)
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	cards, err := readCards(ctx, r.db)
	if err != nil {
		return err
	}
	r.snapshot.Store(newSnapshot(version, people).with(cards))
	return r.loadTrust(ctx)
}

// cause is what made a version, as it stands in the file.
type cause string

const (
	byImport cause = "import"
	byUndo   cause = "undo"
	byBadge  cause = "badge"
)

// change makes the next version out of what next says of the present people.
// Everything is one transaction: a crash before its commit leaves the version
// before, a crash after it the new one. Where nothing differs there is no new
// version, so that importing a list twice does not use up the step of undo.
func (r *Roster) change(ctx context.Context, why cause, by string,
	next func(*sql.Tx, []Person) ([]Person, error)) (Change, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return Change{}, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit this does nothing

	old := r.Snapshot()
	after, err := next(tx, old.people)
	if err != nil {
		return Change{}, err
	}
	rows := differing(old.people, after)
	c := compare(old.people, after)
	c.Version = old.Version
	if len(rows) == 0 {
		return c, nil
	}
	c.Version++
	if err := writeVersion(ctx, tx, version{c.Version, why, by}, rows); err != nil {
		return Change{}, err
	}
	people, err := readPeople(ctx, tx, "person")
	if err != nil {
		return Change{}, err
	}
	if err := tx.Commit(); err != nil {
		return Change{}, fmt.Errorf("commit: %w", err)
	}
	r.snapshot.Store(newSnapshot(c.Version, people).with(old.cards))
	close(old.replaced)
	r.log.LogAttrs(ctx, slog.LevelInfo, "roster changed", slog.String("cause", string(why)), slog.Any("change", c))
	return c, nil
}
