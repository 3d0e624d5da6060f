package journal_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/menshen/menshen/journal"
)

// appendUntilRefused appends until the journal says no, and returns what it
// had acknowledged by then and the refusal.
func appendUntilRefused(t *testing.T, j *journal.Journal) (acked map[uint64]uint32, err error) {
	t.Helper()
	acked = make(map[uint64]uint32)
	for n := range uint32(10000) {
		r, err := j.Append(t.Context(), arrival(n))
		if err != nil {
			if r.Valid() {
				t.Error("a valid receipt beside an error")
			}
			t.Log(err)
			return acked, err
		}
		acked[r.Seq()] = n
	}
	t.Fatal("nothing was refused")
	return nil, nil
}

func TestAFullDiskRefusesAndTheJournalGoesOnWhenThereIsSpace(t *testing.T) {
	dir := tmpfs(t, 2<<20)
	path := filepath.Join(dir, "journal.db")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, path)
	acked, err := appendUntilRefused(t, j)
	if !errors.Is(err, journal.ErrNotStored) || errors.Is(err, journal.ErrDamaged) {
		t.Fatalf("got %v, want ErrNotStored", err)
	}
	head := j.Head()
	for n := range uint32(5) { // every further one is refused as well
		if r, err := j.Append(t.Context(), arrival(n)); !errors.Is(err, journal.ErrNotStored) || r.Valid() {
			t.Fatalf("while full: got %+v, %v", r, err)
		}
	}
	if j.Head() != head {
		t.Errorf("refusals moved the head from %+v to %+v", head, j.Head())
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	r := mustAppend(t, j, 77777)
	acked[r.Seq()] = 77777
	head = j.Head()
	mustClose(t, j)
	checkAcked(t, path, acked)
	if got := mustVerify(t, path).Head; got != head {
		t.Errorf("verified %+v, want %+v", got, head)
	}
}

func TestAFileSystemThatTurnsReadOnlyRefusesAndHarmsNothing(t *testing.T) {
	d := newDisk(t)
	path := filepath.Join(d.dir, "journal.db")
	j := mustOpen(t, path)
	acked := make(map[uint64]uint32)
	for n := range uint32(50) {
		acked[mustAppend(t, j, n).Seq()] = n
	}
	d.failReadOnly(t)
	more, err := appendUntilRefused(t, j)
	if !errors.Is(err, journal.ErrNotStored) || errors.Is(err, journal.ErrDamaged) {
		t.Errorf("got %v, want ErrNotStored", err)
	}
	for seq, n := range more {
		acked[seq] = n
	}
	for n := range uint32(3) {
		if _, err := j.Append(t.Context(), arrival(n)); !errors.Is(err, journal.ErrNotStored) {
			t.Errorf("while read-only: got %v, want ErrNotStored", err)
		}
	}
	again := filepath.Join(mountDisk(t, d.copyImage(t)).dir, "journal.db")
	j = mustOpen(t, again)
	mustAppend(t, j, 1)
	mustClose(t, j)
	checkAcked(t, again, acked)
	mustVerify(t, again)
}

func TestAStrangerHoldingTheFileIsAFaultThatPasses(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	db, err := sql.Open("sqlite3", path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), arrival(1)); !errors.Is(err, journal.ErrNotStored) {
		t.Errorf("got %v, want ErrNotStored", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if r := mustAppend(t, j, 2); r.Seq() != 1 {
		t.Errorf("got number %d, want 1", r.Seq())
	}
}

// A file damaged under a running gate is found when the journal next reads it
// back, and never written over.
func TestDamageFoundAfterAFaultIsReportedAsDamage(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	mustAppend(t, j, 1)
	alter(t, path, "INSERT INTO entry SELECT 2, leaf, hashes, NULL FROM entry WHERE seq = 1")
	for range 2 {
		_, err := j.Append(t.Context(), arrival(2))
		if !errors.Is(err, journal.ErrNotStored) {
			t.Errorf("got %v, want ErrNotStored", err)
		}
	}
	if _, err := j.Append(t.Context(), arrival(2)); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}
