package roster

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"
)

// schema1 is format 1 and, once released, never edited: a change is a further
// migration.
//
// previous is the table person as it was before the latest version, which is
// all that one step of undo needs; a PIN is its owner's and is not undone.
// badge_used remembers every badge and the version that first gave it out.
// When a version was made is not kept here: the clock of a gate may be wrong,
// and the journal's entry says it with the quality of that clock.
const schema1 = `
CREATE TABLE person (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	number          TEXT NOT NULL UNIQUE,
	name            TEXT NOT NULL,
	class           TEXT NOT NULL,
	role            TEXT NOT NULL CHECK (role IN ('student', 'staff', 'service')),
	badge           TEXT UNIQUE CHECK (length(badge) = 16 AND badge NOT GLOB '*[^0-9]*'),
	guardian1_name  TEXT NOT NULL,
	guardian1_phone TEXT NOT NULL,
	guardian2_name  TEXT NOT NULL,
	guardian2_phone TEXT NOT NULL,
	colour          TEXT NOT NULL CHECK (colour IN ('none', 'green', 'yellow', 'red')),
	colour_time     INTEGER, -- unix milliseconds
	"left"          INTEGER NOT NULL CHECK ("left" IN (0, 1)),
	pin_hash        TEXT
) STRICT;
CREATE TABLE previous (
	id              INTEGER PRIMARY KEY,
	number          TEXT NOT NULL,
	name            TEXT NOT NULL,
	class           TEXT NOT NULL,
	role            TEXT NOT NULL,
	badge           TEXT,
	guardian1_name  TEXT NOT NULL,
	guardian1_phone TEXT NOT NULL,
	guardian2_name  TEXT NOT NULL,
	guardian2_phone TEXT NOT NULL,
	colour          TEXT NOT NULL,
	colour_time     INTEGER,
	"left"          INTEGER NOT NULL
) STRICT;
CREATE TABLE version (
	number  INTEGER PRIMARY KEY,
	cause   TEXT NOT NULL,
	made_by TEXT NOT NULL
) STRICT;
CREATE TABLE badge_used (
	badge   TEXT PRIMARY KEY,
	version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

// schema2 adds duties, the bits of type Duty, NULL where none was ever said, and
// what must outlive a restart of who is signed on and which browsers are paired.
// Of a browser only the SHA-256 of its secret is kept. Times are unix
// milliseconds.
const schema2 = `
ALTER TABLE person ADD COLUMN duties INTEGER CHECK (duties BETWEEN 0 AND 15);
CREATE TABLE session (
	seq    INTEGER PRIMARY KEY, -- in the order of the sign-ons
	digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
	person INTEGER NOT NULL,
	began  INTEGER NOT NULL,
	until  INTEGER NOT NULL
) STRICT;
CREATE TABLE paired (
	number INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
	place  TEXT NOT NULL,
	began  INTEGER NOT NULL,
	until  INTEGER NOT NULL
) STRICT;
`

// schema3 adds the numbered cards of visitors, which stand outside the versions.
const schema3 = `
CREATE TABLE card (
	number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99),
	badge  TEXT NOT NULL UNIQUE CHECK (length(badge) = 16 AND badge NOT GLOB '*[^0-9]*')
) STRICT;
`

// schema4 adds what the school knows beside a health code: see type Evidence.
const schema4 = `
ALTER TABLE person ADD COLUMN grade TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN boarding TEXT NOT NULL DEFAULT 'none' CHECK (boarding IN ('none', 'day', 'boarder'));
ALTER TABLE person ADD COLUMN household TEXT NOT NULL DEFAULT 'none';
ALTER TABLE person ADD COLUMN star TEXT NOT NULL DEFAULT 'none';
ALTER TABLE person ADD COLUMN history TEXT NOT NULL DEFAULT 'none';
ALTER TABLE person ADD COLUMN tests TEXT NOT NULL DEFAULT 'none';
ALTER TABLE person ADD COLUMN documents TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN grade TEXT NOT NULL DEFAULT '';
ALTER TABLE previous ADD COLUMN boarding TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN household TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN star TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN history TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN tests TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN documents TEXT NOT NULL DEFAULT 'none';
`

// schema5 adds dormitories and buses, and room for the duty of a class teacher.
const schema5 = `
ALTER TABLE person ADD COLUMN dormitory TEXT NOT NULL DEFAULT 'none';
ALTER TABLE person ADD COLUMN bus TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN dormitory TEXT NOT NULL DEFAULT 'none';
ALTER TABLE previous ADD COLUMN bus TEXT NOT NULL DEFAULT 'none';
ALTER TABLE person RENAME COLUMN duties TO duties_before;
ALTER TABLE person ADD COLUMN duties INTEGER CHECK (duties BETWEEN 0 AND 31);
UPDATE person SET duties = duties_before;
ALTER TABLE person DROP COLUMN duties_before;
`

// migrations are the steps from format i to format i+1.
func migrations() []string { return []string{schema1, schema2, schema3, schema4, schema5} }

// connector opens connections that were asked whether they are as durable as
// the DSN demands; a driver that ignores a pragma is refused.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

func openDB(ctx context.Context, path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite gives its WAL the mode of the file, and would make the file 0644.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"_journal_mode":  {"WAL"},
		"_synchronous":   {"FULL"},
		"_cache_size":    {"-256"}, // KiB: everybody is read at the start, and few again
		"_secure_delete": {"on"},   // numbers and phones must not stay in freed pages
		"_busy_timeout":  {"5000"},
		"_txlock":        {"immediate"},
	}.Encode()}
	db := sql.OpenDB(connector{&sqlite3.SQLiteDriver{ConnectHook: verify}, dsn.String()})
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func verify(c *sqlite3.SQLiteConn) error {
	for _, want := range [...][2]string{{"journal_mode", "wal"}, {"synchronous", "2"}, {"secure_delete", "1"}} {
		rows, err := c.Query("PRAGMA "+want[0], nil)
		if err != nil {
			return fmt.Errorf("read pragma %s: %w", want[0], err)
		}
		var got [1]driver.Value
		if err := errors.Join(rows.Next(got[:]), rows.Close()); err != nil {
			return fmt.Errorf("read pragma %s: %w", want[0], err)
		}
		if fmt.Sprint(got[0]) != want[1] {
			return fmt.Errorf("pragma %s is %v, want %s", want[0], got[0], want[1])
		}
	}
	return nil
}

// migrate brings the file to the newest format, one transaction a step: a
// crash leaves it at a step's beginning, and the next start goes on from there.
func migrate(ctx context.Context, db *sql.DB) error {
	var format int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&format); err != nil {
		return fmt.Errorf("read format: %w", err)
	}
	steps := migrations()
	if format > len(steps) {
		return fmt.Errorf("file has format %d and this program knows up to %d: install the newer program again", format, len(steps))
	}
	for ; format < len(steps); format++ {
		if err := migrateStep(ctx, db, steps[format], format+1); err != nil {
			return fmt.Errorf("migrate to format %d: %w", format+1, err)
		}
	}
	return nil
}

func migrateStep(ctx context.Context, db *sql.DB, step string, format int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit this does nothing
	if _, err := tx.ExecContext(ctx, step); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, format)); err != nil {
		return err
	}
	return tx.Commit()
}

// querier is a database or a transaction on it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const columns = `id, number, name, class, role, badge, guardian1_name, guardian1_phone,
	guardian2_name, guardian2_phone, colour, colour_time, "left",
	grade, boarding, household, star, history, tests, documents, dormitory, bus`

// readPeople reads person or previous, in the order of roster numbers.
func readPeople(ctx context.Context, q querier, table string) ([]Person, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM `+table+` ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	defer rows.Close()
	var people []Person
	known := map[string]string{}
	for rows.Next() {
		var (
			p     Person
			badge sql.Null[string]
			at    sql.Null[int64]
		)
		err := rows.Scan(&p.ID, &p.Number, &p.Name, &p.Class, &p.Role, &badge, &p.Guardian1.Name, &p.Guardian1.Phone,
			&p.Guardian2.Name, &p.Guardian2.Phone, &p.Colour, &at, &p.Left,
			&p.Evidence.Grade, &p.Evidence.Boarding, &p.Evidence.Household, &p.Evidence.Star, &p.Evidence.History, &p.Evidence.Tests, &p.Evidence.Documents,
			&p.Evidence.Dormitory, &p.Evidence.Bus)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", table, err)
		}
		p.Badge = badge.V
		p.share(known)
		if at.Valid {
			p.ColourTime = time.UnixMilli(at.V).UTC()
		}
		people = append(people, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	return people, nil
}

// share lets what many people have in common lie in memory once.
func (p *Person) share(known map[string]string) {
	e := &p.Evidence
	shareText(known, &p.Class)
	shareText(known, &p.Role)
	shareText(known, &p.Colour)
	shareText(known, &e.Grade)
	shareText(known, &e.Boarding)
	shareText(known, &e.Household)
	shareText(known, &e.Star)
	shareText(known, &e.History)
	shareText(known, &e.Tests)
	shareText(known, &e.Documents)
	shareText(known, &e.Dormitory)
	shareText(known, &e.Bus)
}

func shareText[T ~string](known map[string]string, s *T) {
	first, seen := known[string(*s)]
	if !seen {
		known[string(*s)] = string(*s)
		return
	}
	*s = T(first)
}

// readUsed reads every badge that was ever given out.
func readUsed(ctx context.Context, q querier) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT badge FROM badge_used`)
	if err != nil {
		return nil, fmt.Errorf("read used badges: %w", err)
	}
	defer rows.Close()
	used := make(map[string]bool)
	for rows.Next() {
		var badge string
		if err := rows.Scan(&badge); err != nil {
			return nil, fmt.Errorf("read used badges: %w", err)
		}
		used[badge] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read used badges: %w", err)
	}
	return used, nil
}

// version is a row of the table of that name.
type version struct {
	number uint32
	why    cause
	by     string
}

// writeVersion keeps the people as they are for undo and writes rows over them.
func writeVersion(ctx context.Context, tx *sql.Tx, v version, rows []Person) error {
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM previous`, nil},
		{`INSERT INTO previous (` + columns + `) SELECT ` + columns + ` FROM person`, nil},
		{`INSERT INTO version (number, cause, made_by) VALUES (?, ?, ?)`, []any{v.number, string(v.why), v.by}},
	} {
		if _, err := tx.ExecContext(ctx, s.query, s.args...); err != nil {
			return fmt.Errorf("write version: %w", err)
		}
	}
	// Badges may change hands among the rows, and each must be free at every
	// statement.
	if err := execEach(ctx, tx, `UPDATE person SET badge = NULL WHERE id = ?`, rows, func(p Person) []any {
		return []any{p.ID}
	}); err != nil {
		return fmt.Errorf("free badges: %w", err)
	}
	if err := execEach(ctx, tx, upsert, rows, upsertArgs); err != nil {
		return fmt.Errorf("write people: %w", err)
	}
	if err := execEach(ctx, tx, `INSERT OR IGNORE INTO badge_used (badge, version) SELECT ?1, ?2 WHERE ?1 <> ''`, rows,
		func(p Person) []any { return []any{p.Badge, v.number} }); err != nil {
		return fmt.Errorf("write used badges: %w", err)
	}
	return nil
}

// upsert inserts a person whose roster number is 0 under the next one, and
// never touches the PIN.
const upsert = `INSERT INTO person (` + columns + `)
	VALUES (nullif(?, 0), ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, class = excluded.class, role = excluded.role,
	badge = excluded.badge, guardian1_name = excluded.guardian1_name, guardian1_phone = excluded.guardian1_phone,
	guardian2_name = excluded.guardian2_name, guardian2_phone = excluded.guardian2_phone,
	colour = excluded.colour, colour_time = excluded.colour_time, "left" = excluded."left",
	grade = excluded.grade, boarding = excluded.boarding, household = excluded.household, star = excluded.star,
	history = excluded.history, tests = excluded.tests, documents = excluded.documents, dormitory = excluded.dormitory, bus = excluded.bus`

func upsertArgs(p Person) []any {
	at := sql.Null[int64]{V: p.ColourTime.UnixMilli(), Valid: !p.ColourTime.IsZero()}
	return []any{int64(p.ID), p.Number, p.Name, p.Class, string(p.Role), p.Badge, p.Guardian1.Name, p.Guardian1.Phone,
		p.Guardian2.Name, p.Guardian2.Phone, string(p.Colour), at, p.Left,
		p.Evidence.Grade, string(p.Evidence.Boarding), string(p.Evidence.Household), string(p.Evidence.Star), string(p.Evidence.History),
		string(p.Evidence.Tests), string(p.Evidence.Documents), string(p.Evidence.Dormitory), string(p.Evidence.Bus)}
}

func execEach(ctx context.Context, tx *sql.Tx, query string, rows []Person, args func(Person) []any) error {
	s, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, p := range rows {
		if _, err := s.ExecContext(ctx, args(p)...); err != nil {
			return err
		}
	}
	return nil
}
