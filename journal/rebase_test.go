package journal

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
)

// begun is a journal with a boot entry and n heartbeats, closed again.
func begun(t *testing.T, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	for i := range n {
		if _, err := j.Append(t.Context(), beat(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func moment() entry.Stamp {
	return entry.Stamp{Mono: time.Second, Wall: time.UnixMilli(1663200000000), Clock: entry.ClockRTC}
}

func opened(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), Options{Path: path, Boot: entry.Boot{Version: "test"}, Now: moment})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func beat(n int) Draft {
	return Draft{Kind: entry.KindHeartbeat, Stamp: moment(), Body: entry.Heartbeat{Size: uint64(n)}}
}

// carryTwo begins with two entries, and counts what it was given.
func carryTwo(seen *int) func(iter.Seq2[Row, error]) ([]Draft, error) {
	return func(rows iter.Seq2[Row, error]) ([]Draft, error) {
		for _, err := range rows {
			if err != nil {
				return nil, err
			}
			*seen++
		}
		return []Draft{beat(101), beat(102)}, nil
	}
}

func rebaseOptions(path string, seen *int) RebaseOptions {
	return RebaseOptions{Path: path, Reason: "card was replaced", Boot: entry.Boot{Version: "test"}, Now: moment, Carry: carryTwo(seen)}
}

func TestTheNextJournalBeginsInThePlaceOfTheOldOne(t *testing.T) {
	path := begun(t, 5)
	seen := 0
	kept, err := Rebase(t.Context(), rebaseOptions(path, &seen))
	if err != nil || kept != strings.TrimSuffix(path, ".db")+"-1.db" || seen != 6 {
		t.Fatalf("kept %q after %d entries, %v", kept, seen, err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 3 { // both journals and the lock
		t.Errorf("left %v, %v", names, err)
	}
	j := opened(t, path)
	if j.Epoch() != 2 || j.Reason() != "card was replaced" || j.Boot() != 3 || j.Head().Size != 4 {
		t.Errorf("epoch %d for %q, boot %d, %d entries", j.Epoch(), j.Reason(), j.Boot(), j.Head().Size)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	r, err := OpenReadOnly(kept)
	if err != nil {
		t.Fatal(err)
	}
	if report, err := r.Verify(t.Context(), nil); err != nil || report.Head.Size != 6 {
		t.Errorf("the old one has %d entries, %v", report.Head.Size, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestARebaseThatFailsLeavesTheJournalInForce(t *testing.T) {
	fault := errors.New("somebody waits")
	for rule, c := range map[string]struct {
		prepare func(t *testing.T, path string, o *RebaseOptions)
		want    error
	}{
		"no reason": {func(_ *testing.T, _ string, o *RebaseOptions) { o.Reason = "" }, nil},
		"nothing to be carried": {func(_ *testing.T, _ string, o *RebaseOptions) {
			o.Carry = func(iter.Seq2[Row, error]) ([]Draft, error) { return nil, fault }
		}, fault},
		"an entry that is none": {func(_ *testing.T, _ string, o *RebaseOptions) {
			o.Carry = func(iter.Seq2[Row, error]) ([]Draft, error) { return []Draft{{}}, nil }
		}, nil},
		"another file of that name": {func(t *testing.T, path string, _ *RebaseOptions) {
			if err := os.WriteFile(strings.TrimSuffix(path, ".db")+"-1.db", []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil},
		"a writer": {func(t *testing.T, path string, _ *RebaseOptions) {
			j := opened(t, path)
			t.Cleanup(func() { _ = j.Close() })
		}, ErrLocked},
		"a reader": {func(t *testing.T, path string, _ *RebaseOptions) {
			r, err := OpenReadOnly(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Head(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
		}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			path, seen := begun(t, 2), 0
			o := rebaseOptions(path, &seen)
			c.prepare(t, path, &o)
			if _, err := Rebase(t.Context(), o); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("says %v, want %v", err, c.want)
			}
			r, err := OpenReadOnly(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if epoch, _, err := readOrigin(t.Context(), r.db); err != nil || epoch != 1 {
				t.Errorf("epoch %d, %v", epoch, err)
			}
			if head, err := r.Head(t.Context()); err != nil || head.Size < 3 {
				t.Errorf("%d entries, %v", head.Size, err)
			}
		})
	}
}

// A crash between the two names leaves the old journal under both, and half of
// a next one beside it.
func TestARebaseGoesOnWhereACrashLeftIt(t *testing.T) {
	path, seen := begun(t, 2), 0
	if err := os.Link(path, strings.TrimSuffix(path, ".db")+"-1.db"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".next", ".next-wal", ".next.lock"} {
		if err := os.WriteFile(path+name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := opened(t, path) // the gate goes on with the old one
	if j.Epoch() != 1 {
		t.Errorf("epoch %d", j.Epoch())
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Rebase(t.Context(), rebaseOptions(path, &seen)); err != nil || seen != 4 {
		t.Errorf("after %d entries: %v", seen, err)
	}
	j = opened(t, path)
	if j.Epoch() != 2 {
		t.Errorf("epoch %d", j.Epoch())
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func TestAJournalThatIsNotThereIsNotBegun(t *testing.T) {
	path, seen := filepath.Join(t.TempDir(), "journal.db"), 0
	if _, err := Rebase(t.Context(), rebaseOptions(path, &seen)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("says %v", err)
	}
}

func TestTheNextJournalIsAboveBothTheOldOneAndWhatElseIsKnown(t *testing.T) {
	path, seen := begun(t, 0), 0
	for _, c := range []struct{ above, want uint32 }{{0, 2}, {2, 3}, {7, 8}, {4, 9}} {
		o := rebaseOptions(path, &seen)
		o.Above = c.above
		if _, err := Rebase(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		j := opened(t, path)
		if j.Epoch() != c.want {
			t.Errorf("above %d: epoch %d, want %d", c.above, j.Epoch(), c.want)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}
