package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
)

func TestABatchOfAnyLengthIsStoredInItsOrder(t *testing.T) {
	for _, n := range []int{1, 24, 25, 26, 49, 50, 51, 500, 501, store.MaxBatch} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := mustOpen(t, filepath.Join(t.TempDir(), "store.db"))
			defer mustClose(t, s)
			if err := begin(t.Context(), s, "east"); err != nil {
				t.Fatal(err)
			}
			var want []string
			var tree entry.Tree
			for range 2 {
				a := batch("east", tree, n)
				tree = a.Tree
				if _, err := s.Commit(t.Context(), a); err != nil {
					t.Fatal(err)
				}
				for _, leaf := range a.Leaves {
					want = append(want, string(leaf))
				}
			}
			seq := 0
			for row, err := range s.Entries(t.Context(), store.Cursor{}, 2*n+1) {
				if err != nil {
					t.Fatal(err)
				}
				if row.Seq != uint64(seq) || string(row.Leaf) != want[seq] {
					t.Fatalf("row %d: entry %d is %q, want %q", seq, row.Seq, row.Leaf, want[seq])
				}
				seq++
			}
			if seq != len(want) {
				t.Errorf("%d entries, want %d", seq, len(want))
			}
		})
	}
}
