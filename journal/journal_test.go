package journal_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

func TestTheZeroReceiptProvesNothing(t *testing.T) {
	var r journal.Receipt
	if r.Valid() || r.Epoch() != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestOpenAppendsABootEntryThatNamesItself(t *testing.T) {
	path := newPath(t)
	for start := range uint64(3) {
		j := mustOpen(t, path)
		want := start * 2 // a boot entry and one arrival a start
		if j.Boot() != want {
			t.Errorf("start %d: boot %d, want %d", start, j.Boot(), want)
		}
		r := mustAppend(t, j, 1)
		if !r.Valid() || r.Seq() != want+1 || r.Epoch() != 1 {
			t.Errorf("start %d: receipt %+v", start, r)
		}
		mustClose(t, j)
	}
	boots := 0
	for row, err := range mustRead(t, path).Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if want := row.Seq / 2 * 2; row.Entry.Boot != want {
			t.Errorf("entry %d says boot %d, want %d", row.Seq, row.Entry.Boot, want)
		}
		if row.Entry.Kind == entry.KindBoot {
			boots++
			var b entry.Boot
			if err := row.Entry.Decode(&b); err != nil || b.Version != "test" {
				t.Errorf("boot body %+v, %v", b, err)
			}
		}
	}
	if boots != 3 {
		t.Errorf("%d boot entries, want 3", boots)
	}
}

func TestTheHeadIsTheSameAfterReopening(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	for n := range uint32(37) {
		mustAppend(t, j, n)
	}
	head := j.Head()
	mustClose(t, j)
	if got := mustVerify(t, path).Head; got != head {
		t.Errorf("verified %+v, want %+v", got, head)
	}
	r := mustRead(t, path)
	if got, err := r.Head(t.Context()); err != nil || got != head {
		t.Errorf("reader's %+v, %v, want %+v", got, err, head)
	}
	j = mustOpen(t, path)
	if got, err := j.HeadAt(t.Context(), head.Size); err != nil || got != head {
		t.Errorf("head at %d is %+v, %v, want %+v", head.Size, got, err, head)
	}
	if _, err := j.HeadAt(t.Context(), head.Size+2); err == nil {
		t.Error("a head beyond the end")
	}
}

// Each caller reads its own entry through a connection of another process's
// kind, at the moment it is told.
func TestAReceiptMeansThatOthersCanReadTheEntry(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	other, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const callers, each = 16, 20
	var wg sync.WaitGroup
	errs := make(chan error, callers*each)
	seqs := make(chan uint64, callers*each)
	for c := range uint32(callers) {
		wg.Go(func() {
			for n := range uint32(each) {
				counter := c*each + n
				answered := make(chan error)
				if err := j.Submit(arrival(counter), func(r journal.Receipt, err error) {
					if err == nil {
						err = readable(other, r, counter)
					}
					seqs <- r.Seq()
					go func() { answered <- err }()
				}); err != nil {
					errs <- err
					continue
				}
				if err := <-answered; err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	close(seqs)
	for err := range errs {
		t.Error(err)
	}
	seen := make(map[uint64]bool)
	for seq := range seqs {
		seen[seq] = true
	}
	for seq := uint64(1); seq <= callers*each; seq++ {
		if !seen[seq] {
			t.Errorf("nobody has entry %d", seq)
		}
	}
}

func readable(db *sql.DB, r journal.Receipt, counter uint32) error {
	var leaf []byte
	if err := db.QueryRow("SELECT leaf FROM entry WHERE seq = ?", int64(r.Seq())).Scan(&leaf); err != nil {
		return fmt.Errorf("entry %d: %w", r.Seq(), err)
	}
	e, err := entry.Unmarshal(leaf)
	if err != nil {
		return err
	}
	var a entry.Arrival
	if err := e.Decode(&a); err != nil {
		return err
	}
	if a.Counter != counter {
		return fmt.Errorf("entry %d is arrival %d, want %d", r.Seq(), a.Counter, counter)
	}
	return nil
}

// hold keeps the committer inside a done function until release is called, so
// that a test decides what has queued meanwhile.
func hold(t *testing.T, j *journal.Journal) (release func()) {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	if err := j.Submit(arrival(0), func(journal.Receipt, error) { close(held); <-free }); err != nil {
		t.Fatal(err)
	}
	<-held
	return sync.OnceFunc(func() { close(free) })
}

func TestWhatQueuedDuringAFlushIsOneTransaction(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	release := hold(t, j)
	defer release()
	seen := make(chan uint64, 10) // how much of the journal each caller sees when told
	for n := range uint32(10) {
		if err := j.Submit(arrival(n), func(_ journal.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
			seen <- j.Head().Size
		}); err != nil {
			t.Fatal(err)
		}
	}
	release()
	for range 10 {
		if got := <-seen; got != 12 {
			t.Errorf("told when the journal had %d entries, want all 12", got)
		}
	}
}

func TestSubmitNeverWaitsForRoom(t *testing.T) {
	o := options(newPath(t))
	o.QueueLen = 2
	j, err := journal.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	release := hold(t, j)
	defer release()
	var wg sync.WaitGroup
	for n := range uint32(2) {
		wg.Add(1)
		if err := j.Submit(arrival(n), func(journal.Receipt, error) { wg.Done() }); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Submit(arrival(3), nil); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Append(ctx, arrival(4)); !errors.Is(err, context.Canceled) {
		t.Errorf("append without room: got %v, want Canceled", err)
	}
	release()
	wg.Wait()
	if got := j.Head().Size; got != 4 {
		t.Errorf("%d entries, want 4", got)
	}
}

func TestAPingIsAnsweredByTheCommitterAloneAndWritesNothing(t *testing.T) {
	j := mustOpen(t, newPath(t))
	if err := j.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	release := hold(t, j)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("while the committer is held: got %v, want Canceled", err)
	}
	release()
	if err := j.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	mustClose(t, j)
	if err := j.Ping(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after close: got %v, want ErrClosed", err)
	}
	if got := j.Head().Size; got != 2 {
		t.Errorf("%d entries, want 2: pings write nothing", got)
	}
}

func TestCloseAnswersAllThatWait(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	release := hold(t, j)
	answers := make(chan error, 100)
	for n := range uint32(100) {
		if err := j.Submit(arrival(n), func(_ journal.Receipt, err error) { answers <- err }); err != nil {
			t.Fatal(err)
		}
	}
	release()
	mustClose(t, j)
	for range 100 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	mustClose(t, j) // again: the same
	if err := j.Submit(arrival(0), nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("submit after close: %v", err)
	}
	if _, err := j.Append(t.Context(), arrival(0)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	if got := mustVerify(t, path).Head.Size; got != 102 {
		t.Errorf("%d entries, want 102", got)
	}
}

func TestDraftsThatCannotBeEntriesAreRefusedAtOnce(t *testing.T) {
	j := mustOpen(t, newPath(t))
	wrong := map[string]func(*journal.Draft){
		"kind of another body":      func(d *journal.Draft) { d.Kind = entry.KindStop },
		"no body":                   func(d *journal.Draft) { d.Body = nil },
		"text that is not UTF-8":    func(d *journal.Draft) { d.Kind, d.Body = entry.KindStop, entry.Stop{Reason: "\xff"} },
		"private blob over a limit": func(d *journal.Draft) { d.Private = make([]byte, journal.MaxPrivate+1) },
		"body over a limit": func(d *journal.Draft) {
			d.Kind, d.Body = entry.KindPolicy, entry.Policy{Text: make([]byte, entry.MaxSize)}
		},
		"time before the start": func(d *journal.Draft) { d.Stamp.Mono = -1e6 },
		"a second boot entry":   func(d *journal.Draft) { d.Kind, d.Body = entry.KindBoot, entry.Boot{} },
	}
	for name, spoil := range wrong {
		t.Run(name, func(t *testing.T) {
			d := arrival(1)
			spoil(&d)
			if r, err := j.Append(t.Context(), d); err == nil || r.Valid() {
				t.Errorf("accepted: %+v", r)
			}
		})
	}
	if got := j.Head().Size; got != 1 {
		t.Errorf("%d entries, want the boot entry alone", got)
	}
}

func TestRowsComeInOrderAcrossPagesFromAnywhere(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	const n = 2500 // more than two pages
	var wg sync.WaitGroup
	for i := range uint32(n) {
		wg.Add(1)
		for {
			err := j.Submit(arrival(i), func(journal.Receipt, error) { wg.Done() })
			if err == nil {
				break
			}
			if !errors.Is(err, journal.ErrBusy) {
				t.Fatal(err)
			}
			mustAppend(t, j, n) // waits for room
		}
	}
	wg.Wait()
	size := j.Head().Size
	for _, from := range []uint64{0, 1, 999, 1000, 1001, size - 1, size, size + 5, 1 << 63} {
		next := from
		for row, err := range j.Rows(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Seq != next {
				t.Fatalf("from %d: got %d, want %d", from, row.Seq, next)
			}
			next++
		}
		if want := max(from, size); next != want {
			t.Errorf("from %d: ended before %d, want %d", from, next, want)
		}
	}
	for range j.Rows(t.Context(), 0) {
		break // a caller may leave at any time
	}
	sameAsRows(t, j, 998)
}

// sameAsRows: what is sent on is what the rows have.
func sameAsRows(t *testing.T, j *journal.Journal, from uint64) {
	t.Helper()
	next, stop := iter.Pull2(j.Leaves(t.Context(), from))
	defer stop()
	for row, err := range j.Rows(t.Context(), from) {
		leaf, err2, ok := next()
		if err != nil || err2 != nil || !ok || !bytes.Equal(leaf, row.Bytes) {
			t.Fatalf("leaf %d: %x, %v, %v; row %x, %v", row.Seq, leaf, err2, ok, row.Bytes, err)
		}
	}
	if leaf, err, ok := next(); ok {
		t.Errorf("one more leaf than rows: %x, %v", leaf, err)
	}
}

func TestAPrivateBlobIsKeptBesideTheEntryAndCommittedTo(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	d := arrival(1)
	d.Private = []byte("visitor")
	r, err := j.Append(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range j.Rows(t.Context(), r.Seq()) {
		if err != nil {
			t.Fatal(err)
		}
		if string(row.Private[16:]) != "visitor" || strings.Contains(string(row.Bytes), "visitor") {
			t.Errorf("private %q, leaf %q", row.Private, row.Bytes)
		}
	}
	mustClose(t, j)
	if got := mustVerify(t, path); got.Private != 1 || got.Shredded != 0 {
		t.Errorf("before shredding: %+v", got)
	}
	alter(t, path, "UPDATE entry SET private = NULL")
	if got := mustVerify(t, path); got.Private != 0 || got.Shredded != 1 {
		t.Errorf("after shredding: %+v", got)
	}
}

func TestASecondWriterIsRefused(t *testing.T) {
	path := newPath(t)
	t.Run("in this process", func(t *testing.T) {
		j := mustOpen(t, path)
		if _, err := journal.Open(t.Context(), options(path)); !errors.Is(err, journal.ErrLocked) {
			t.Errorf("got %v, want ErrLocked", err)
		}
		mustClose(t, j)
	})
	t.Run("in another process, until it dies", func(t *testing.T) {
		p := start(t, holderEnv, path)
		p.await(t, 1)
		if _, err := journal.Open(t.Context(), options(path)); !errors.Is(err, journal.ErrLocked) {
			t.Errorf("got %v, want ErrLocked", err)
		}
		p.kill()
		mustClose(t, mustOpen(t, path))
	})
}

func TestANewerFileIsLeftAlone(t *testing.T) {
	path := newPath(t)
	mustClose(t, mustOpen(t, path))
	alter(t, path, "PRAGMA user_version = 99")
	if _, err := journal.Open(t.Context(), options(path)); !errors.Is(err, journal.ErrNewer) {
		t.Errorf("open: got %v, want ErrNewer", err)
	}
	if _, err := journal.OpenReadOnly(path); !errors.Is(err, journal.ErrNewer) {
		t.Errorf("open read-only: got %v, want ErrNewer", err)
	}
	alter(t, path, "PRAGMA user_version = 3")
	if got := mustVerify(t, path).Head.Size; got != 1 {
		t.Errorf("%d entries after the refusals, want 1", got)
	}
}

func TestAJournalOfTheFirstSchemaIsBroughtUpToDate(t *testing.T) {
	path := newPath(t)
	mustClose(t, mustOpen(t, path))
	alter(t, path, "ALTER TABLE origin DROP COLUMN reason")
	alter(t, path, "PRAGMA user_version = 1")
	j := mustOpen(t, path)
	if j.Epoch() != 1 || j.Reason() != "" || j.Head().Size != 2 {
		t.Errorf("epoch %d for %q, %d entries", j.Epoch(), j.Reason(), j.Head().Size)
	}
	mustClose(t, j)
}

func TestAFileThatIsNoJournalIsRefused(t *testing.T) {
	t.Run("not a database", func(t *testing.T) {
		path := newPath(t)
		if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Open(t.Context(), options(path)); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("got %v, want ErrDamaged", err)
		}
	})
	t.Run("absent, for a reader", func(t *testing.T) {
		if _, err := journal.OpenReadOnly(newPath(t)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want ErrNotExist", err)
		}
	})
	t.Run("a reader does not migrate", func(t *testing.T) {
		path := newPath(t)
		alter(t, path, "PRAGMA journal_mode = WAL; CREATE TABLE x (y)")
		if _, err := journal.OpenReadOnly(path); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("no such directory", func(t *testing.T) {
		if _, err := journal.Open(t.Context(), options(filepath.Join(t.TempDir(), "a", "b"))); err == nil {
			t.Error("accepted")
		}
	})
}

func TestThePathMayHoldAnyCharacter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "校门 ?a=b&c#d%41.db")
	j := mustOpen(t, path)
	mustAppend(t, j, 1)
	mustClose(t, j)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if got := mustVerify(t, path).Head.Size; got != 2 {
		t.Errorf("%d entries, want 2", got)
	}
}

func TestOnlyTheOwnerMayReadTheFiles(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	mustAppend(t, j, 1)
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: mode %o", filepath.Base(path)+suffix, got)
		}
	}
}

// alter changes the file behind the journal's back.
func alter(t testing.TB, path, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}
