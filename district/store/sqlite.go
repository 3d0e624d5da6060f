package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/mattn/go-sqlite3"
)

// migrations are numbered files, one transaction each, never edited once released.
//
//go:embed schema/*.sql
var migrations embed.FS

// learned is the schema that first keeps what entries mean beside their counts.
const learned = 2

// settings are what every connection must report when it is asked. The driver
// sets synchronous to NORMAL unless told otherwise, which loses in a power cut
// what a gate was told is stored.
func settings() [][2]string {
	return [][2]string{
		{"journal_mode", "wal"},
		{"synchronous", "2"}, // FULL: one flush each commit
		{"page_size", "4096"},
		{"wal_autocheckpoint", "1000"},
		{"foreign_keys", "1"},
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
		"_foreign_keys": {"true"},
		"_busy_timeout": {"5000"}, // milliseconds: an administrator's tool may be writing
		// Sectors may tear on a cheap disk: end each commit on a sector of its own.
		"psow": {"0"},
		// A batch needs some ten statements, always the same.
		"_stmt_cache_size": {"32"},
	}
	conns := 4
	if write {
		conns = 1
		q.Set("mode", "rwc")
		q.Set("_journal_mode", "WAL")
		q.Set("_txlock", "immediate")
	} else {
		q.Set("mode", "ro")
		q.Set("_query_only", "true")
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	db := sql.OpenDB(connector{u.String(), &sqlite3.SQLiteDriver{ConnectHook: checkSettings}})
	db.SetMaxOpenConns(conns)
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
func (s *Store) migrate(ctx context.Context) error {
	steps, err := migrations.ReadDir("schema")
	if err != nil {
		return err
	}
	var version int
	if err := s.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("schema version %d, this program knows %d: %w", version, len(steps), ErrNewer)
	}
	for i := version; i < len(steps); i++ {
		if err := s.migrateTo(ctx, i+1, "schema/"+steps[i].Name()); err != nil {
			return fmt.Errorf("migrate to version %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Store) migrateTo(ctx context.Context, version int, file string) (err error) {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	tx, err := s.writer.BeginTx(ctx, nil)
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
	if version == learned {
		if err := s.learn(tx); err != nil {
			return fmt.Errorf("read the record: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}

// undo rolls tx back; a transaction that has ended already needs nothing.
func undo(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
