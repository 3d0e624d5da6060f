package journal

import (
	"path/filepath"
	"testing"

	"github.com/menshen/menshen/entry"
)

// A commit can fail after the flush: the disk has the entry and the caller was
// told that it is not stored. Whoever read it may have sent it on already.
func TestAnEntryStoredByAFailedCommitIsKept(t *testing.T) {
	stamp := func() entry.Stamp { return entry.Stamp{} }
	j, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "journal.db"), Now: stamp})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	draft := func(counter uint32) Draft {
		return Draft{Kind: entry.KindArrival, Body: entry.Arrival{Counter: counter}}
	}
	lost, err := j.prepare(draft(2))
	if err != nil {
		t.Fatal(err)
	}
	// On the committer's goroutine, as if its commit had reported a fault.
	failed := make(chan error, 1)
	if err := j.Submit(draft(1), func(Receipt, error) {
		tree := j.tree
		failed <- j.write([]item{lost}, &tree)
		j.doubt = true
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	r, err := j.Append(t.Context(), draft(3))
	if err != nil {
		t.Fatal(err)
	}
	if r.Seq() != 3 {
		t.Errorf("the next entry is number %d, want 3", r.Seq())
	}
	var got []uint32
	for row, err := range j.Rows(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		var a entry.Arrival
		if err := row.Entry.Decode(&a); err != nil {
			t.Fatal(err)
		}
		got = append(got, a.Counter)
	}
	if len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != 3 {
		t.Errorf("arrivals %v, want 1, 2, 3", got)
	}
	if head, err := j.HeadAt(t.Context(), 4); err != nil || head != j.Head() {
		t.Errorf("stored head %+v, %v, want %+v", head, err, j.Head())
	}
}
