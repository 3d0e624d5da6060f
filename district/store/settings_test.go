package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/menshen/menshen/entry"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestEveryConnectionReportsTheSettingsThatMakeItDurable(t *testing.T) {
	s := newStore(t)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "page_size": "4096", "foreign_keys": "1"}
	for i, db := range []*sql.DB{s.writer, s.readers, s.readers} {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, value := range want {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != value {
				t.Errorf("connection %d: %s is %s, %v, want %s", i, name, got, err, value)
			}
		}
		if _, err := c.ExecContext(t.Context(), "DELETE FROM token"); (err == nil) != (db == s.writer) {
			t.Errorf("connection %d: writing gives %v", i, err)
		}
	}
}

// The check itself must catch a connection that is not durable.
func TestAConnectionWithOtherSettingsIsRefused(t *testing.T) {
	for name, query := range map[string]string{
		"journal_mode": "_foreign_keys=1&_journal_mode=DELETE&_synchronous=FULL",
		"synchronous":  "_foreign_keys=1&_journal_mode=WAL",
		"foreign_keys": "_journal_mode=WAL&_synchronous=FULL",
	} {
		t.Run(name, func(t *testing.T) {
			dsn := fmt.Sprintf("file:%s?%s", filepath.Join(t.TempDir(), "other.db"), query)
			db := sql.OpenDB(connector{dsn, &sqlite3.SQLiteDriver{ConnectHook: checkSettings}})
			defer db.Close()
			if err := db.PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), name+" is ") {
				t.Errorf("got %v, want a fault of %s", err, name)
			}
		})
	}
}

// What the gate sends again must cost neither a write nor a scan.
func TestAReplayCostsOneReadByIndexAndWritesNothing(t *testing.T) {
	s := newStore(t)
	if err := s.Admit(t.Context(), Gate{Name: "east", Key: make([]byte, 32), Admitted: time.UnixMilli(1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.NewEpoch(t.Context(), Epoch{Gate: "east", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	var tree entry.Tree
	tree.Append([]byte("leaf"))
	a := Append{Gate: "east", Epoch: 1, Leaves: [][]byte{[]byte("leaf")}, Tree: tree, Checkpoint: []byte("signature")}
	if _, err := s.Commit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	changes := func() (n int) {
		if err := s.writer.QueryRowContext(t.Context(), "SELECT total_changes()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changes()
	if _, err := s.Commit(t.Context(), a); err == nil {
		t.Error("it was taken twice")
	}
	if _, err := s.Stream(t.Context(), "east", 1); err != nil {
		t.Error(err)
	}
	if after := changes(); after != before {
		t.Errorf("%d rows were changed", after-before)
	}
	for _, step := range plan(t, s, selectStream+" AND s.epoch = 1", "east") {
		if !strings.HasPrefix(step, "SEARCH") {
			t.Errorf("the watermark is read by %s", step)
		}
	}
}

func TestEntriesAreReadByOneScanInTheirOrder(t *testing.T) {
	steps := plan(t, newStore(t), selectEntries, 1, 1)
	for i, step := range steps {
		if !strings.Contains(step, "INTEGER PRIMARY KEY") || i == 0 && !strings.HasPrefix(step, "SEARCH e ") {
			t.Errorf("entries are read by %s", step)
		}
	}
}

// plan returns the steps in which SQLite runs a query.
func plan(t *testing.T, s *Store, query string, args ...any) []string {
	t.Helper()
	steps, err := list(t.Context(), s.readers, func(rows *sql.Rows) (step string, err error) {
		var id, parent, unused int
		err = rows.Scan(&id, &parent, &unused, &step)
		return step, err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil || len(steps) == 0 {
		t.Fatalf("got %v, %v", steps, err)
	}
	return steps
}
