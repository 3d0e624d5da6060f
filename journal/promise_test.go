package journal_test

import (
	"errors"
	"iter"
	"os"
	"testing"

	"github.com/menshen/menshen/journal"
)

// A sector may tear while it is written: what the next commit writes must not
// share one with what was acknowledged. SQLite then repeats the commit's frame
// past the end of the sector, which is how it shows that it was told so.
func TestACommitSharesNoSectorWithTheNext(t *testing.T) {
	const frame, sector = 24 + 4096, 4096
	path := newPath(t)
	j := mustOpen(t, path)
	size := func() int64 {
		s, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return s.Size()
	}
	for n := range uint32(10) {
		end := size() + frame // of the first frame of this commit
		mustAppend(t, j, n)
		if boundary := (end + sector - 1) / sector * sector; size() < boundary {
			t.Errorf("append %d: the WAL ends at %d, in the sector that ends at %d", n, size(), boundary)
		}
	}
}

// Who reads without verifying must not take what is missing for what never was.
func TestNobodyReadsOverAMissingEntry(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	for n := range uint32(9) {
		mustAppend(t, j, n)
	}
	alter(t, path, "DELETE FROM entry WHERE seq = 3")
	t.Run("rows", func(t *testing.T) { checkGap(t, j.Rows(t.Context(), 0)) })
	t.Run("leaves", func(t *testing.T) { checkGap(t, j.Leaves(t.Context(), 0)) })
	t.Run("rows beside the writer", func(t *testing.T) { checkGap(t, mustRead(t, path).Rows(t.Context(), 0)) })
}

func checkGap[T any](t *testing.T, rows iter.Seq2[T, error]) {
	t.Helper()
	read := 0
	var fault error
	for _, err := range rows {
		if err != nil {
			fault = err
			break
		}
		read++
	}
	if read != 3 || !errors.Is(fault, journal.ErrDamaged) {
		t.Errorf("%d entries read, then %v", read, fault)
	}
}
