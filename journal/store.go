package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/mattn/go-sqlite3"

	"github.com/menshen/menshen/entry"
)

// migrations are numbered files, one transaction each, never edited once released.
//
//go:embed schema/*.sql
var migrations embed.FS

const insertEntry = `INSERT INTO entry (seq, leaf, hashes, private) VALUES (?, ?, ?, ?)`

// settings are what every connection must report when it is asked. The driver
// sets synchronous to NORMAL unless told otherwise, which loses acknowledged
// entries in a power cut; a setting that did not take must not go unnoticed.
func settings() [][2]string {
	return [][2]string{
		{"journal_mode", "wal"},
		{"synchronous", "2"}, // FULL: one flush each commit
		{"page_size", "4096"},
		{"wal_autocheckpoint", "1000"},
	}
}

// create makes the file readable by its owner only. SQLite gives the same mode
// to what it puts beside it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// connect returns a pool for the file: one connection that writes, or some
// that only read. It does no I/O yet.
func connect(path string, write bool) *sql.DB {
	q := url.Values{
		"_synchronous":  {"FULL"},
		"_busy_timeout": {"1000"}, // milliseconds; only a stranger's tool can be in the way
		// Sectors may tear on a cheap card: end each commit on a sector of its own.
		"psow": {"0"},
		// A journal is written and read from one end to the other: pages that are
		// full, or were read, are not wanted again, and a connection rests for days
		// with what it keeps.
		"_cache_size": {"-256"}, // KiB
	}
	if write {
		q.Set("mode", "rwc")
		q.Set("_journal_mode", "WAL")
		q.Set("_txlock", "immediate")
	} else {
		q.Set("mode", "ro")
		q.Set("_query_only", "true")
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	db := sql.OpenDB(connector{u.String(), &sqlite3.SQLiteDriver{ConnectHook: checkSettings}})
	if write {
		db.SetMaxOpenConns(1)
	} else {
		db.SetMaxOpenConns(4)
	}
	return db
}

// connector opens connections without a driver registered under a name.
type connector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// checkSettings refuses a new connection that is not what settings say.
func checkSettings(c *sqlite3.SQLiteConn) error {
	for _, s := range settings() {
		got, err := pragma(c, s[0])
		if err != nil {
			return fmt.Errorf("read back %s: %w", s[0], err)
		}
		if got != s[1] {
			return fmt.Errorf("%s is %s, must be %s", s[0], got, s[1])
		}
	}
	return nil
}

func pragma(c *sqlite3.SQLiteConn, name string) (value string, err error) {
	rows, err := c.Query("PRAGMA "+name, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return "", err
	}
	return fmt.Sprint(row[0]), nil
}

// migrate brings the schema up to date. A crash between two steps leaves the
// file at a released version.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := migrations.ReadDir("schema")
	if err != nil {
		return err
	}
	version, err := checkVersion(ctx, db, len(steps))
	if err != nil {
		return err
	}
	for i := version; i < len(steps); i++ {
		if err := migrateTo(ctx, db, i+1, "schema/"+steps[i].Name()); err != nil {
			return fmt.Errorf("migrate to version %d: %w", i+1, err)
		}
	}
	return nil
}

func migrateTo(ctx context.Context, db *sql.DB, version int, file string) (err error) {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, undo(tx))
		}
	}()
	if _, err := tx.ExecContext(ctx, string(text)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}

// checkVersion returns the file's schema version and refuses one above known.
func checkVersion(ctx context.Context, db *sql.DB, known int) (version int, err error) {
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if version > known {
		return 0, fmt.Errorf("schema version %d, this program knows %d: %w", version, known, ErrNewer)
	}
	return version, nil
}

// undo rolls tx back; a transaction that has ended already needs nothing.
func undo(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

func readOrigin(ctx context.Context, db *sql.DB) (epoch uint32, reason string, err error) {
	err = db.QueryRowContext(ctx, "SELECT epoch, reason FROM origin").Scan(&epoch, &reason)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", fmt.Errorf("no origin: %w", ErrDamaged)
	}
	return epoch, reason, err
}

// recoverTree reads the tree from the file: the edge from stored hashes before
// the newest last entries, and those recomputed from their leaves.
func recoverTree(ctx context.Context, db *sql.DB, last uint64) (entry.Tree, error) {
	size, err := readSize(ctx, db)
	if err != nil {
		return entry.Tree{}, err
	}
	tree, err := readEdge(ctx, db, size-min(size, last))
	if err != nil {
		return entry.Tree{}, err
	}
	for row, err := range readRows(ctx, db, tree.Size()) {
		if err == nil {
			err = row.verify(&tree)
		}
		if err != nil {
			return entry.Tree{}, err
		}
	}
	return tree, nil
}

// readSize returns the number of entries, taking it that none is missing.
func readSize(ctx context.Context, db *sql.DB) (size uint64, err error) {
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(seq) + 1, 0) FROM entry").Scan(&size)
	return size, err
}

// readEdge rebuilds the tree of the first size entries from stored hashes.
func readEdge(ctx context.Context, db *sql.DB, size uint64) (tree entry.Tree, err error) {
	one, err := db.PrepareContext(ctx, "SELECT hashes FROM entry WHERE seq = ?")
	if err != nil {
		return entry.Tree{}, err
	}
	defer func() { err = errors.Join(err, one.Close()) }()
	var edge []byte
	for seq := range entry.EdgeLeaves(size) {
		var hashes []byte
		err := one.QueryRowContext(ctx, int64(seq)).Scan(&hashes)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return entry.Tree{}, damaged(seq, "is missing")
		case err != nil:
			return entry.Tree{}, fmt.Errorf("read hashes of entry %d: %w", seq, err)
		case len(hashes) != sha256.Size && len(hashes) != entry.HashesLen(seq):
			return entry.Tree{}, damaged(seq, "has hashes of another length")
		}
		edge = append(edge, highest(hashes)...)
	}
	return entry.Restore(size, edge)
}

// highest returns the last of the hashes that a leaf completes. It covers the
// leaf and all the others, which follow from it and what stands before.
func highest(hashes []byte) []byte { return hashes[len(hashes)-sha256.Size:] }

// damaged says what is wrong with one entry.
func damaged(seq uint64, what string) error {
	return fmt.Errorf("entry %d %s: %w", seq, what, ErrDamaged)
}

// classify marks errors by which SQLite itself says that the file is damaged.
func classify(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
