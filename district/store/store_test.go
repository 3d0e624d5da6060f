package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/district/store/storetest"
	"github.com/menshen/menshen/entry"
)

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "a store?#%.db") }

func mustOpen(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Meaning: storetest.Meaning})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// begin lets a gate in, with its first epoch, unless it is.
func begin(ctx context.Context, s *store.Store, gate string) error {
	key := make([]byte, 32)
	copy(key, gate)
	if err := s.Admit(ctx, store.Gate{Name: gate, Key: key, Admitted: time.UnixMilli(1)}); err != nil {
		return err
	}
	err := s.NewEpoch(ctx, store.Epoch{Gate: gate, Epoch: 1, Began: time.UnixMilli(1)})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// batch is n entries behind a tree.
func batch(gate string, tree entry.Tree, n int) store.Append {
	a := store.Append{Gate: gate, Epoch: 1, First: tree.Size(), Checkpoint: []byte("signature"), Received: time.UnixMilli(2)}
	for range n {
		leaf := []byte("2022-09-15 admit 0123456789012345678901234567890123456789012345678901234567890123456789")
		copy(leaf[17:], gate)
		leaf[len(leaf)-1] = byte(tree.Size())
		tree.Append(leaf)
		a.Leaves, a.Meanings = append(a.Leaves, leaf), append(a.Meanings, storetest.Meaning(leaf))
	}
	a.Tree = tree
	return a
}

func TestTheStoreKeepsWhatEveryStorePromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() storetest.Store {
		path := newPath(t)
		return func() storetest.Store { return mustOpen(t, path) }
	})
}

// checkWhole demands that watermark, edge, entries and counts of each gate
// agree, and returns the watermarks.
func checkWhole(t testing.TB, s *store.Store) map[string]uint64 {
	t.Helper()
	trees := make(map[string]entry.Tree)
	for row, err := range s.Entries(t.Context(), store.Cursor{}, 1<<40) {
		if err != nil {
			t.Fatal(err)
		}
		tree := trees[row.Gate]
		if row.Seq != tree.Size() {
			t.Fatalf("entry %d of %s stands where %d should", row.Seq, row.Gate, tree.Size())
		}
		tree.Append(row.Leaf)
		trees[row.Gate] = tree
	}
	gates, err := s.Gates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(map[string]uint64)
	for _, g := range gates {
		st, err := s.Stream(t.Context(), g.Name, 1)
		if errors.Is(err, store.ErrUnknown) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if tree := trees[g.Name]; st.Tree.Head() != tree.Head() {
			t.Errorf("%s: the stream says %+v, the entries %+v", g.Name, st.Tree.Head(), tree.Head())
		}
		sizes[g.Name] = st.Tree.Size()
		checkCount(t, s, st)
	}
	return sizes
}

func checkCount(t testing.TB, s *store.Store, st store.Stream) {
	t.Helper()
	counts, err := s.Counts(t.Context(), st.Gate, "0", "9")
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(0)
	for _, c := range counts {
		total += c.N
	}
	if total != st.Tree.Size() {
		t.Errorf("%s: %d entries are counted, %d are there", st.Gate, total, st.Tree.Size())
	}
}

func TestAStoreOfANewerProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	mustClose(t, mustOpen(t, path))
	alter(t, path, "PRAGMA user_version = 1000")
	if s, err := store.Open(t.Context(), store.Options{Path: path}); !errors.Is(err, store.ErrNewer) || s != nil {
		t.Errorf("got %v, %v, want ErrNewer", s, err)
	}
}

func TestAnEdgeThatIsNotTheRootsIsAFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := mustOpen(t, path)
	defer mustClose(t, s)
	if err := begin(t.Context(), s, "east"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), batch("east", entry.Tree{}, 2)); err != nil {
		t.Fatal(err)
	}
	alter(t, path, "UPDATE stream SET edge = zeroblob(32)")
	if st, err := s.Stream(t.Context(), "east", 1); err == nil {
		t.Errorf("got %+v", st)
	}
}

// A restored copy gives numbers to other entries than its origin did.
func TestACursorBehindTheEndOfARestoredCopyIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := mustOpen(t, path)
	defer mustClose(t, s)
	if err := begin(t.Context(), s, "east"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), batch("east", entry.Tree{}, 2)); err != nil {
		t.Fatal(err)
	}
	var at store.Cursor
	for row, err := range s.Entries(t.Context(), store.Cursor{}, 2) {
		if err != nil {
			t.Fatal(err)
		}
		at = row.Cursor
	}
	alter(t, path, "DELETE FROM entry; DELETE FROM batch") // as in a copy from before
	for row, err := range s.Entries(t.Context(), at, 2) {
		if !errors.Is(err, store.ErrForeign) {
			t.Errorf("got %+v, %v, want ErrForeign", row, err)
		}
	}
}

func TestTheFileIsItsOwnersOnly(t *testing.T) {
	path := newPath(t)
	defer mustClose(t, mustOpen(t, path))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(name), mode)
		}
	}
}

// alter changes a store behind its back.
func alter(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// What a store of the first schema has collected is read once for what it did
// not keep then.
func TestWhatWasCollectedBeforeIsUnderstoodToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := mustOpen(t, path)
	for _, gate := range []string{"east", "west"} {
		if err := begin(t.Context(), s, gate); err != nil {
			t.Fatal(err)
		}
	}
	var trees [2]entry.Tree
	for i, leaf := range []string{"hold 7", "hold 7 district", "topic roster", "lift 7", "hold 8"} {
		for gate, name := range []string{"east", "west"} {
			a := store.Append{Gate: name, Epoch: 1, First: uint64(i), Leaves: [][]byte{[]byte(leaf)}, Meanings: []store.Meaning{storetest.Meaning([]byte(leaf))},
				Checkpoint: []byte("signature"), Received: time.UnixMilli(2)}
			trees[gate].Append(a.Leaves[0])
			a.Tree = trees[gate]
			if _, err := s.Commit(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	standing := func() string {
		holds, err := s.Holds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		newest, err := s.Newest(t.Context(), "roster")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%+v %+v", holds, newest)
	}
	want := standing()
	mustClose(t, s)
	first, err := os.ReadFile("schema/0001.sql")
	if err != nil {
		t.Fatal(err)
	}
	posted, err := schemaOf(string(first), "posted")
	if err != nil {
		t.Fatal(err)
	}
	alter(t, path, "DROP TABLE hold; DROP TABLE newest; DROP TABLE numbered; DROP TABLE posted; "+posted+"; PRAGMA user_version = 1")
	s = mustOpen(t, path)
	defer mustClose(t, s)
	if got := standing(); got != want || len(want) < 20 {
		t.Errorf("got %s, want %s", got, want)
	}
}

// schemaOf finds the statement that creates a table.
func schemaOf(schema, table string) (string, error) {
	_, rest, found := strings.Cut(schema, "CREATE TABLE "+table+" ")
	body, _, ended := strings.Cut(rest, ";")
	if !found || !ended {
		return "", fmt.Errorf("no table %s", table)
	}
	return "CREATE TABLE " + table + " " + body, nil
}
