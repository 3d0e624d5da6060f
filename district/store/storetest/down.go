package storetest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/menshen/menshen/district/store"
)

// post posts "KIND SCOPE NUMBER" as the message.
func post(t *testing.T, s Store, p store.Post) store.Post {
	t.Helper()
	number, err := s.Post(p, func(number uint64) ([]byte, error) { return fmt.Appendf(nil, "%s %s %d", p.Kind, p.Scope, number), nil })
	must(t, err)
	p.Number, p.Message = number, fmt.Appendf(nil, "%s %s %d", p.Kind, p.Scope, number)
	return p
}

func testOutbox(t *testing.T, open func() Store) {
	s := begin(t, open)
	old := post(t, s, store.Post{Kind: "roster", Scope: "east", Sum: []byte("old"), At: moment(1)})
	west := post(t, s, store.Post{Kind: "roster", Scope: "west", Sum: []byte("sum"), At: moment(1)})
	east := post(t, s, store.Post{Kind: "roster", Scope: "east", Sum: []byte("new"), At: moment(-1000)}) // the clock went back
	policy := post(t, s, store.Post{Kind: "policy", Scope: "*", Sum: []byte{}, At: moment(2000)})
	if !(old.Number < west.Number && west.Number < east.Number) {
		t.Errorf("numbers %d, %d, %d do not rise", old.Number, west.Number, east.Number)
	}
	heads := []store.Post{west, east, policy}
	for i := range heads {
		heads[i].Message = []byte{}
	}
	if got, err := s.Posts(t.Context()); err != nil || !reflect.DeepEqual(got, heads) {
		t.Errorf("got %+v, %v, want %+v", got, err, heads)
	}
	if got, err := s.Posted(t.Context(), "roster", "east"); err != nil || !reflect.DeepEqual(got, east) {
		t.Errorf("got %+v, %v, want %+v", got, err, east)
	}
	if got, err := s.Posted(t.Context(), "policy", "east"); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("never posted: got %+v, %v, want ErrUnknown", got, err)
	}
	fault := errors.New("no key")
	if _, err := s.Post(store.Post{Kind: "roster", Scope: "west"}, func(uint64) ([]byte, error) { return nil, fault }); !errors.Is(err, fault) {
		t.Errorf("got %v, want %v", err, fault)
	}
	if got, err := s.Posted(t.Context(), "roster", "west"); err != nil || got.Number != west.Number {
		t.Errorf("what could not be signed took the place of %d: %+v, %v", west.Number, got, err)
	}
}

func testNumbers(t *testing.T, open func() Store) {
	s := open()
	first, err := s.Numbers("hold", 3, moment(0))
	must(t, err)
	if now := uint64(moment(0).Unix()); first < now {
		t.Errorf("number %d is below the time, %d: a store that was put back would repeat itself", first, now)
	}
	must(t, s.Close())
	s = begin(t, open)
	var mu sync.Mutex
	given := []uint64{first, first + 1, first + 2}
	var drawing sync.WaitGroup
	for range 8 {
		drawing.Go(func() {
			n, err := s.Numbers("hold", 2, moment(-5))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			given = append(given, n, n+1)
		})
	}
	drawing.Wait()
	slices.Sort(given)
	for i, n := range given {
		if n != first+uint64(i) {
			t.Fatalf("given out: %d", given)
		}
	}
	if n, err := s.Numbers("hold", 1, moment(5000)); err != nil || n != uint64(moment(5000).Unix()) {
		t.Errorf("got %d, %v", n, err)
	}
}

// holds returns what stands as "GATE SUBJECT SOURCE".
func holds(t *testing.T, s Store) (all []string) {
	t.Helper()
	list, err := s.Holds(t.Context())
	must(t, err)
	for _, h := range list {
		all = append(all, fmt.Sprint(h.Gate, " ", h.Subject, " ", h.Source))
	}
	return all
}

func testHolds(t *testing.T, open func() Store) {
	s := open()
	east, west := letIn(t, s, "east"), letIn(t, s, "west")
	huge := fmt.Sprint(uint64(math.MaxUint64))
	for i, step := range []struct {
		from   *source
		leaves []string
		moved  bool
		want   []string
	}{
		{east, []string{"hold 7", "hold 8 district", "hold " + huge}, true, []string{"east " + huge + " ", "east 7 ", "east 8 district"}},
		{east, []string{"2022-09-15 admit", "hold 7", "lift 9"}, false, []string{"east " + huge + " ", "east 7 ", "east 8 district"}},
		{west, []string{"hold 7 district", "hold 7"}, true, []string{"east " + huge + " ", "east 7 ", "east 8 district", "west 7 ", "west 7 district"}},
		{west, []string{"lift 7 school", "lift 7"}, true, []string{"east " + huge + " ", "east 7 ", "east 8 district", "west 7 district"}},
		{east, []string{"lift 7", "lift " + huge, "lift 8 district", "hold 8 district"}, true, []string{"east 8 district", "west 7 district"}},
		{west, []string{"hold 7", "hold 7 school", "clear 7", "hold 7 school"}, true, []string{"east 8 district", "west 7 school"}},
		{west, []string{"clear 7", "clear 9"}, true, []string{"east 8 district"}},
	} {
		c, err := s.Commit(t.Context(), step.from.next(step.leaves...))
		must(t, err)
		if got := holds(t, s); !slices.Equal(got, step.want) || c.Moved != step.moved {
			t.Errorf("step %d: got %q, moved %v, want %q, %v", i, got, c.Moved, step.want, step.moved)
		}
	}
	must(t, s.Close())
	s = begin(t, open)
	if got := holds(t, s); !slices.Equal(got, []string{"east 8 district"}) {
		t.Errorf("in another process: %q", got)
	}
}

func testInheritedHolds(t *testing.T, open func() Store) {
	s := begin(t, open)
	commit(t, s, letIn(t, s, "east").next("hold 7", "hold 8 district"))
	next := epoch(t, s, "east", 3)
	if got := holds(t, s); !slices.Equal(got, []string{"east 7 "}) {
		t.Errorf("in the next journal: %q", got)
	}
	commit(t, s, next.next("hold 8 district", "lift 7"))
	if got := holds(t, s); !slices.Equal(got, []string{"east 8 district"}) {
		t.Errorf("after the next journal has lifted it: %q", got)
	}
}

func testNewest(t *testing.T, open func() Store) {
	s := begin(t, open)
	east, west := letIn(t, s, "east"), letIn(t, s, "west")
	commit(t, s, east.next("a", "topic roster 1", "topic roster 2", "topic refused 1"))
	c, err := s.Commit(t.Context(), west.next("topic roster 3"))
	must(t, err)
	if !c.Moved {
		t.Error("a newer entry of a topic is not told")
	}
	commit(t, s, east.next("b"))
	commit(t, s, epoch(t, s, "east", 2).next("b", "topic roster 4"))
	got, err := s.Newest(t.Context(), "roster")
	must(t, err)
	want := []store.Newest{{Gate: "east", Epoch: 1, Seq: 2, Leaf: []byte("topic roster 2"), Received: moment(0)},
		{Gate: "east", Epoch: 2, Seq: 1, Leaf: []byte("topic roster 4"), Received: moment(0)},
		{Gate: "west", Epoch: 1, Leaf: []byte("topic roster 3"), Received: moment(0)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := s.Newest(t.Context(), "policy"); err != nil || len(got) != 0 {
		t.Errorf("nothing was said of it: got %+v, %v", got, err)
	}
}
