package journal

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mattn/go-sqlite3"

	"github.com/menshen/menshen/entry"
)

func TestEveryConnectionReportsTheSettingsThatMakeItDurable(t *testing.T) {
	j, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "journal.db"), Now: func() entry.Stamp { return entry.Stamp{} }})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var conns []*sql.Conn
	for _, db := range []*sql.DB{j.writer, j.readers, j.readers} {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "page_size": "4096", "wal_autocheckpoint": "1000"}
	for i, c := range conns {
		for name, value := range want {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != value {
				t.Errorf("connection %d: %s is %s, want %s", i, name, got, value)
			}
		}
	}
	if _, err := conns[1].ExecContext(t.Context(), "DELETE FROM entry"); err == nil {
		t.Error("a reader may write")
	}
}

// The check itself must catch a connection that is not durable.
func TestAConnectionWithOtherSettingsIsRefused(t *testing.T) {
	for name, query := range map[string]string{
		"journal_mode":       "_journal_mode=DELETE&_synchronous=FULL",
		"synchronous":        "_journal_mode=WAL",
		"page_size":          "_journal_mode=WAL&_synchronous=FULL",
		"wal_autocheckpoint": "_journal_mode=WAL&_synchronous=FULL",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "other.db")
			hook := func(c *sqlite3.SQLiteConn) error {
				if name == "wal_autocheckpoint" {
					if _, err := c.Exec("PRAGMA wal_autocheckpoint = 7", nil); err != nil {
						return err
					}
				}
				return checkSettings(c)
			}
			if name == "page_size" {
				small(t, path)
			}
			db := sql.OpenDB(connector{fmt.Sprintf("file:%s?%s", path, query), &sqlite3.SQLiteDriver{ConnectHook: hook}})
			defer db.Close()
			err := db.PingContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), name+" is ") {
				t.Errorf("got %v, want a fault of %s", err, name)
			}
		})
	}
}

// small makes a database with pages of 1024 bytes.
func small(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA page_size = 1024; CREATE TABLE x (y)"); err != nil {
		t.Fatal(err)
	}
}
