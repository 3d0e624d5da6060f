package journal_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

// secondSchema turns a closed journal into one as the second schema had it,
// with every hash that a leaf completes in its row, and returns the heads that
// it had at each size.
func secondSchema(t *testing.T, path string) (heads []entry.Head) {
	t.Helper()
	var tree entry.Tree
	var rewrite []string
	for row, err := range mustRead(t, path).Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		rewrite = append(rewrite, fmt.Sprintf("UPDATE entry SET hashes = x'%x' WHERE seq = %d", tree.Append(row.Bytes), row.Seq))
		heads = append(heads, tree.Head())
	}
	for _, query := range append(rewrite, "PRAGMA user_version = 2") {
		alter(t, path, query)
	}
	return heads
}

// hashBytes returns how many bytes of hashes each row holds, as a list.
func hashBytes(t *testing.T, path string) (sizes string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT group_concat(length(hashes), ' ' ORDER BY seq) FROM entry").Scan(&sizes); err != nil {
		t.Fatal(err)
	}
	return sizes
}

func TestARowHoldsOnlyTheHighestHashItCompletes(t *testing.T) {
	if got, want := hashBytes(t, filled(t, 8)), "32 32 32 32 32 32 32 32 32"; got != want {
		t.Errorf("bytes of hashes by row %s, want %s", got, want)
	}
}

func TestAJournalWithEveryHashIsReadAndContinuedAsItStands(t *testing.T) {
	path := filled(t, 9) // ten entries: the edge is of an eight and a two
	heads := secondSchema(t, path)
	if got := mustVerify(t, path).Head; got != heads[9] {
		t.Errorf("before its migration the head is %+v, want %+v", got, heads[9])
	}
	j := mustOpen(t, path) // which appends a boot entry
	for n := range uint32(3) {
		mustAppend(t, j, 10+n)
	}
	for i, want := range heads {
		if got, err := j.HeadAt(t.Context(), uint64(i+1)); err != nil || got != want {
			t.Errorf("head at %d: %+v, %v, want %+v", i+1, got, err, want)
		}
	}
	if got := mustVerify(t, path).Head; got != j.Head() || got.Size != 14 {
		t.Errorf("verified %+v, the writer's head is %+v", got, j.Head())
	}
	mustClose(t, j)
	if got, want := hashBytes(t, path), "32 64 32 96 32 64 32 128 32 64 32 32 32 32"; got != want {
		t.Errorf("bytes of hashes by row %s, want %s", got, want)
	}
	mustClose(t, mustOpen(t, path))
}

func TestAHashThatOnlyAnOldRowHoldsIsVerifiedToo(t *testing.T) {
	for name, query := range map[string]string{
		"its lowest":          `UPDATE entry SET hashes = ` + otherByte("hashes", 1) + ` WHERE seq = 7`,
		"one in the middle":   `UPDATE entry SET hashes = ` + otherByte("hashes", 41) + ` WHERE seq = 7`,
		"two of four are cut": `UPDATE entry SET hashes = CAST(substr(hashes,65) AS BLOB) WHERE seq = 7`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 10)
			secondSchema(t, path)
			alter(t, path, query)
			if _, err := mustRead(t, path).Verify(t.Context(), nil); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("verify: got %v, want ErrDamaged", err)
			}
			if _, err := journal.Open(t.Context(), options(path)); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("open: got %v, want ErrDamaged", err)
			}
		})
	}
}

// A head that is read from stored hashes is no proof, but never made of what
// cannot be one.
func TestAHeadIsNotReadFromHashesOfAnotherLength(t *testing.T) {
	path := filled(t, 10)
	secondSchema(t, path)
	j := mustOpen(t, path)
	want, err := j.HeadAt(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	for name, hashes := range map[string]string{
		"two of four": "substr(hashes, 65)", "less than one": "substr(hashes, 98)", "none": "x''",
	} {
		t.Run(name, func(t *testing.T) {
			alter(t, path, "CREATE TABLE kept AS SELECT hashes FROM entry WHERE seq = 7")
			alter(t, path, "UPDATE entry SET hashes = "+hashes+" WHERE seq = 7")
			if got, err := j.HeadAt(t.Context(), 8); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("got %+v, %v, want ErrDamaged", got, err)
			}
			alter(t, path, "UPDATE entry SET hashes = (SELECT hashes FROM kept) WHERE seq = 7; DROP TABLE kept")
			if got, err := j.HeadAt(t.Context(), 8); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}
