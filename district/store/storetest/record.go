package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
)

func testCommit(t *testing.T, open func() Store) {
	s := open()
	east := letIn(t, s, "east")
	batch := east.next("a", "b", "c")
	if number := commit(t, s, batch); number == 0 {
		t.Error("the batch has no number")
	}
	must(t, s.Close())
	s = begin(t, open)
	st, err := s.Stream(t.Context(), "east", 1)
	must(t, err)
	if st.Tree.Head() != east.tree.Head() || string(st.Checkpoint) != "signature" || st.Received != batch.Received || st.Began != moment(1) {
		t.Errorf("got head %+v, checkpoint %q, received %v, began %v", st.Tree.Head(), st.Checkpoint, st.Received, st.Began)
	}
	for i, row := range read(t, s, store.Cursor{}, 10) {
		if row.Gate != "east" || row.Epoch != 1 || row.Seq != uint64(i) || string(row.Leaf) != east.sent[i] || row.Received != batch.Received {
			t.Errorf("entry %d: got %+v", i, row)
		}
	}
}

func testPlace(t *testing.T, open func() Store) {
	s := begin(t, open)
	east, west := letIn(t, s, "east"), letIn(t, s, "west")
	commit(t, s, east.next("a", "b"))
	commit(t, s, west.next("c"))
	commit(t, s, east.next("d"))
	for seq, want := range []string{"a", "b", "d"} {
		if got, err := s.Leaf(t.Context(), "east", 1, uint64(seq)); err != nil || string(got) != want {
			t.Errorf("entry %d: got %q, %v, want %q", seq, got, err, want)
		}
	}
	for what, place := range map[string]struct {
		gate  string
		epoch uint32
		seq   uint64
	}{
		"beyond the end":       {"east", 1, 3},
		"of another journal":   {"east", 2, 0},
		"of nobody":            {"north", 1, 0},
		"of one that is empty": {"west", 1, 1},
	} {
		if got, err := s.Leaf(t.Context(), place.gate, place.epoch, place.seq); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("%s: got %q, %v, want ErrUnknown", what, got, err)
		}
	}
}

func testOnce(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := letIn(t, s, "east")
	batch := east.next("a", "b")
	first := commit(t, s, batch)
	if _, err := s.Commit(t.Context(), batch); !errors.Is(err, store.ErrConflict) {
		t.Errorf("again: got %v, want ErrConflict", err)
	}
	if second := commit(t, s, east.next("c")); second <= first {
		t.Errorf("batch %d came after %d", second, first)
	}
	if got := leaves(read(t, s, store.Cursor{}, 10)); !slices.Equal(got, east.sent) {
		t.Errorf("got %q, want %q", got, east.sent)
	}
}

func testWatermark(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := letIn(t, s, "east")
	commit(t, s, east.next("a", "b"))
	overlapping := &source{gate: "east", epoch: 1}
	overlapping.next("a")
	gap := &source{gate: "east", epoch: 1}
	gap.next("a", "b", "c")
	for name, batch := range map[string]store.Append{
		"overlapping": overlapping.next("b", "c"),
		"gap":         gap.next("d"),
	} {
		if _, err := s.Commit(t.Context(), batch); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
	if got := leaves(read(t, s, store.Cursor{}, 10)); !slices.Equal(got, east.sent) || size(t, s, "east", 1) != 2 {
		t.Errorf("refused batches left %q and size %d", got, size(t, s, "east", 1))
	}
}

func testRivals(t *testing.T, open func() Store) {
	s := begin(t, open)
	batch := letIn(t, s, "east").next("a", "b")
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.Commit(t.Context(), batch) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrConflict) {
			t.Errorf("got %v, want ErrConflict", err)
		}
	}
	if got := len(read(t, s, store.Cursor{}, 100)); won != 1 || got != 2 {
		t.Errorf("%d batches were taken and %d entries are there, want 1 and 2", won, got)
	}
}

func testContradiction(t *testing.T, open func() Store) {
	s := begin(t, open)
	letIn(t, s, "east")
	batch := func(change func(*store.Append)) store.Append {
		a := (&source{gate: "east", epoch: 1}).next("a", "b")
		change(&a)
		return a
	}
	for name, a := range map[string]store.Append{
		"nothing in it":                 batch(func(a *store.Append) { a.Leaves, a.Meanings, a.Tree = nil, nil, entry.Tree{} }),
		"another count than the tree's": batch(func(a *store.Append) { a.Leaves, a.Meanings = a.Leaves[:1], a.Meanings[:1] }),
		"another count of meanings":     batch(func(a *store.Append) { a.Meanings = a.Meanings[:1] }),
		"more than a batch may have":    (&source{gate: "east", epoch: 1}).next(make([]string, store.MaxBatch+1)...),
		"no signature":                  batch(func(a *store.Append) { a.Checkpoint = nil }),
	} {
		if _, err := s.Commit(t.Context(), a); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if size(t, s, "east", 1) != 0 || len(read(t, s, store.Cursor{}, 10)) != 0 {
		t.Error("something was stored")
	}
}

func testStrangers(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := letIn(t, s, "east")
	for name, a := range map[string]store.Append{
		"another gate":  (&source{gate: "west", epoch: 1}).next("a"),
		"another epoch": (&source{gate: "east", epoch: 2}).next("a"),
	} {
		if _, err := s.Commit(t.Context(), a); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("%s: got %v, want ErrUnknown", name, err)
		}
	}
	commit(t, s, east.next("a"))
	must(t, s.Revoke(t.Context(), "east", moment(9)))
	if _, err := s.Commit(t.Context(), east.next("b")); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("revoked: got %v, want ErrUnknown", err)
	}
	if err := s.NewEpoch(t.Context(), store.Epoch{Gate: "east", Epoch: 2}); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("new epoch of a revoked gate: got %v, want ErrUnknown", err)
	}
	if got := leaves(read(t, s, store.Cursor{}, 10)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q, want what came before", got)
	}
}

func testEpochs(t *testing.T, open func() Store) {
	s := begin(t, open)
	old := letIn(t, s, "east")
	commit(t, s, old.next("a", "b"))
	must(t, s.NewEpoch(t.Context(), store.Epoch{Gate: "east", Epoch: 3, Reason: "card replaced", Began: moment(5)}))
	for _, number := range []uint32{1, 2, 3} {
		if err := s.NewEpoch(t.Context(), store.Epoch{Gate: "east", Epoch: number}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("epoch %d: got %v, want ErrConflict", number, err)
		}
	}
	commit(t, s, (&source{gate: "east", epoch: 3}).next("a"))
	streams, err := s.Streams(t.Context(), "east")
	must(t, err)
	if len(streams) != 2 || streams[0].Tree.Head() != old.tree.Head() {
		t.Fatalf("got %d streams, want the old one as it was, and the new one", len(streams))
	}
	if st := streams[1]; st.Epoch != 3 || st.Tree.Size() != 1 || st.Reason != "card replaced" || st.Began != moment(5) {
		t.Errorf("got epoch %d of size %d, begun at %v for %q", st.Epoch, st.Tree.Size(), st.Began, st.Reason)
	}
	if _, err := s.Stream(t.Context(), "east", 2); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("an epoch that never was: got %v, want ErrUnknown", err)
	}
}

func testOrder(t *testing.T, open func() Store) {
	s := begin(t, open)
	east, west := letIn(t, s, "east"), letIn(t, s, "west")
	commit(t, s, west.next("1"))
	commit(t, s, east.next("2", "3"))
	commit(t, s, west.next("4"))
	rows := read(t, s, store.Cursor{}, 10)
	if got := leaves(rows); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
		t.Errorf("got %q", got)
	}
	if last := rows[3]; last.Gate != "west" || last.Seq != 1 {
		t.Errorf("got %+v", last)
	}
}

func testCursor(t *testing.T, open func() Store) {
	s := open()
	east := letIn(t, s, "east")
	for i := range 5 { // more than a page
		commit(t, s, east.next(strings.Split(strings.Repeat(fmt.Sprint(i), 500), "")...))
	}
	var got []string
	var at store.Cursor
	for range 3 {
		page := read(t, s, at, 777)
		got = append(got, leaves(page)...)
		text, err := page[len(page)-1].Cursor.MarshalText()
		must(t, err)
		must(t, s.Close())
		s = open()
		must(t, at.UnmarshalText(text))
	}
	commit(t, s, east.next("later"))
	got = append(got, leaves(read(t, s, at, 10000))...)
	if !slices.Equal(got, east.sent) {
		t.Errorf("got %d entries in pages, want the %d that were sent", len(got), len(east.sent))
	}
	must(t, s.Close())
}

func testForeignCursor(t *testing.T, open func() Store) {
	s := begin(t, open)
	commit(t, s, letIn(t, s, "east").next("a"))
	mine, err := read(t, s, store.Cursor{}, 1)[0].Cursor.MarshalText()
	must(t, err)
	for name, at := range map[string]int{"another identity": 8, "a batch that never was": 28} {
		text := slices.Clone(mine)
		text[at] = 'A' + (text[at]+1)%2 // another character
		var c store.Cursor
		must(t, c.UnmarshalText(text))
		for row, err := range s.Entries(t.Context(), c, 10) {
			if !errors.Is(err, store.ErrForeign) {
				t.Errorf("%s: got %+v, %v, want ErrForeign", name, row, err)
			}
		}
	}
}

func testCounts(t *testing.T, open func() Store) {
	s := begin(t, open)
	east, west := letIn(t, s, "east"), letIn(t, s, "west")
	batch := east.next("2022-09-15 admit", "2022-09-15 refer", "2022-09-15 admit", "boot", "2022-09-16 admit")
	commit(t, s, batch)
	if _, err := s.Commit(t.Context(), batch); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
	commit(t, s, east.next("2022-09-15 admit", "2022-09-14 admit"))
	commit(t, s, west.next("2022-09-15 admit"))
	commit(t, s, epoch(t, s, "east", 2).next("2022-09-15 admit"))
	got, err := s.Counts(t.Context(), "east", "2022-09-15", "2022-09-16")
	must(t, err)
	want := []store.Count{{Epoch: 1, Day: "2022-09-15", Key: "admit", N: 3}, {Epoch: 1, Day: "2022-09-15", Key: "refer", N: 1},
		{Epoch: 1, Day: "2022-09-16", Key: "admit", N: 1}, {Epoch: 2, Day: "2022-09-15", Key: "admit", N: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
