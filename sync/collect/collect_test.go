package collect_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/wire"
)

// want sends a message and compares the have (-1 for none) and the events.
func (w *world) want(m collect.Message, size int, events ...string) {
	w.t.Helper()
	if got := w.send(m); got != size {
		w.t.Errorf("the answer is a have of %d, want %d", got, size)
	}
	if got := w.events(); !slices.Equal(got, events) {
		w.t.Errorf("what happened is %q, want %q", got, events)
	}
}

func TestWhatIsCommittedIsAcknowledged(t *testing.T) {
	w := newWorld(t, "east")
	east := w.gate("east")
	w.want(east.hello(""), 0, "hello")
	w.want(east.batch(0, 7), 7, "committed")
	w.send(east.batch(7, 13))
	e := w.seen[0]
	if e.Gate != "east" || e.Epoch != 1 || e.Size != 20 || e.Added != 13 || e.At.IsZero() {
		t.Errorf("the event is %+v", e)
	}
	w.events()
	w.send(east.hello(""))
	if h := w.seen[0].Hello; h.Checkpoint.Size != 20 || h.Program != "1.0.0" || w.seen[0].Reason != "" {
		t.Errorf("the event is %+v", w.seen[0])
	}
}

func TestWhatIsNotTheContinuationChangesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		message func(east *source) collect.Message
		reads   int
	}{
		"the newest batch again":            {func(s *source) collect.Message { return s.batch(5, 5) }, 1},
		"an old batch":                      {func(s *source) collect.Message { return s.batch(0, 3) }, 1},
		"an old batch of one entry":         {func(s *source) collect.Message { return s.batch(3, 1) }, 2}, // it might be another
		"a batch behind a gap":              {func(s *source) collect.Message { return s.batch(11, 2) }, 1},
		"a batch of an epoch that is to be": {func(s *source) collect.Message { return s.rebased(2).batch(10, 2) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "east")
			w.send(w.gate("east").hello(""))
			w.send(w.gate("east").batch(0, 10))
			w.events()
			w.store.reads, w.store.writes = 0, 0
			w.want(tt.message(w.gate("east")), 10)
			if w.store.reads != tt.reads || w.store.writes != 0 {
				t.Errorf("it cost %d reads and %d writes, want %d and 0", w.store.reads, w.store.writes, tt.reads)
			}
		})
	}
}

func TestABatchThatOverlapsAddsItsTail(t *testing.T) {
	w := newWorld(t, "east")
	w.send(w.gate("east").hello(""))
	w.send(w.gate("east").batch(0, 10))
	w.send(w.gate("east").batch(4, 9))
	if e := w.seen[2]; e.Kind != collect.EventCommitted || e.Added != 3 || e.Size != 13 {
		t.Errorf("got %+v, want 3 entries more", e)
	}
}

func TestNothingIsAcknowledgedThatIsNotStored(t *testing.T) {
	full := errors.New("disk full")
	for name, stage := range map[string]func(*memory) map[string]error{
		"not stored":          func(m *memory) map[string]error { return m.before },
		"stored, not told so": func(m *memory) map[string]error { return m.after },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "east")
			w.send(w.gate("east").hello(""))
			w.events()
			stage(w.store)["Commit"] = full
			w.want(w.gate("east").batch(0, 10), -1, "failed")
			clear(stage(w.store))
			if got := w.send(w.gate("east").batch(0, 10)); got != 10 {
				t.Errorf("with space, the answer is %d, want 10", got)
			}
			w.events()
			w.want(w.gate("east").batch(10, 10), 20, "committed")
		})
	}
}

// slow says that it has stored, and stores later.
type slow struct {
	*memory
	later []collect.Append
}

func (s *slow) Commit(_ context.Context, a collect.Append) error {
	s.later = append(s.later, a)
	return nil
}

// torn stores an edge without the last of its entries.
type torn struct{ *memory }

func (s torn) Commit(ctx context.Context, a collect.Append) error {
	a.Leaves = a.Leaves[:len(a.Leaves)-1]
	return s.memory.Commit(ctx, a)
}

func TestTheCheckFindsWhatIsPlanted(t *testing.T) {
	for name, over := range map[string]func(*memory) collect.Store{
		"a have ahead of its commit":   func(m *memory) collect.Store { return &slow{memory: m} },
		"an edge ahead of its entries": func(m *memory) collect.Store { return torn{m} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "east")
			w.send(w.gate("east").hello(""))
			if err := w.check(w.over(over(w.store)).Handle(t.Context(), w.gate("east").batch(0, 10))); err == nil {
				t.Error("not found")
			}
		})
	}
	t.Run("rows of another journal", func(t *testing.T) {
		w := newWorld(t, "east")
		w.send(w.gate("east").hello(""))
		out := w.c.Handle(t.Context(), w.gate("east").restored(3).grow(2, 9).batch(0, 5))
		if err := w.check(out); err == nil {
			t.Error("not found")
		}
	})
}

func TestAFaultOfTheStoreIsToldAndNotAnswered(t *testing.T) {
	for method, message := range map[string]func(*source) collect.Message{
		"Gate":     func(s *source) collect.Message { return s.hello("") },
		"NewEpoch": func(s *source) collect.Message { return s.rebased(2).hello("card replaced") },
		"Announce": func(s *source) collect.Message { return s.alarm(15) },
		"Diverge":  func(s *source) collect.Message { return s.restored(8).grow(4, 9).batch(8, 4) },
		"Leaf":     func(s *source) collect.Message { return s.restored(5).grow(1, 9).batch(5, 1) },
	} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t, "east")
			w.truth["east"] = append(w.truth["east"], w.gate("east").rebased(2))
			w.send(w.gate("east").hello(""))
			w.send(w.gate("east").batch(0, 10))
			w.events()
			w.store.before[method] = errors.New("input/output error")
			w.want(message(w.gate("east")), -1, "failed")
			clear(w.store.before)
			w.send(message(w.gate("east")))
			if got := w.events(); len(got) != 1 || got[0] == "failed" {
				t.Errorf("afterwards: %q", got)
			}
		})
	}
	t.Run("Refuse", func(t *testing.T) {
		w := newWorld(t)
		w.store.before["Refuse"] = errors.New("input/output error")
		w.want(collect.Message{Topic: wire.Topic("west", wire.KindHello)}, -1, "refused", "failed")
	})
}

func TestStoppingIsNoFault(t *testing.T) {
	w := newWorld(t, "east")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if out := w.c.Handle(ctx, w.gate("east").hello("")); len(out) != 0 || len(w.seen) != 0 {
		t.Errorf("%d messages, events %q", len(out), w.events())
	}
}

func TestWhoeverCommitsFirstBothAnswerWhatIsStored(t *testing.T) {
	w := newWorld(t, "east")
	east, other := w.gate("east"), w.over(w.store)
	w.store.rival = func() { other.Handle(t.Context(), east.batch(0, 12)) }
	w.send(east.hello(""))
	w.events()
	w.want(east.batch(0, 10), 12, "committed") // the other's
	w.store.rival = func() { other.Handle(t.Context(), east.batch(12, 2)) }
	w.want(east.batch(12, 8), 20, "committed", "committed")
}

func TestManyGoroutinesMayHandleOneGate(t *testing.T) {
	w := newWorld(t, "east")
	w.send(w.gate("east").hello(""))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for first := range 19 {
				w.c.Handle(t.Context(), w.gate("east").batch(first, 1+(i+first)%2))
			}
		})
	}
	wg.Wait()
	w.send(w.gate("east").batch(0, 20))
	if n := len(w.store.gates["east"].newest().leaves); n != 20 {
		t.Errorf("%d entries are stored, want 20", n)
	}
}

func TestAnAlarmIsAnnouncedUntilItsEntryIsThere(t *testing.T) {
	w := newWorld(t, "east")
	east := w.gate("east")
	w.want(east.alarm(15), -1, "alarm") // the hello before it was lost
	w.want(east.hello(""), 0, "hello")
	w.send(east.alarm(15))
	if e := w.seen[0]; e.Kind != collect.EventAlarm || e.Alarm.Seq != 15 || e.Size != 0 {
		t.Errorf("got %+v", e)
	}
	w.events()
	if len(w.store.alarms) != 1 || w.store.alarms[0].Seq != 15 || !slices.Equal(w.store.alarms[0].Leaf, east.leaves[15]) {
		t.Errorf("kept: %+v", w.store.alarms)
	}
	if n := len(w.store.gates["east"].newest().leaves); n != 0 {
		t.Errorf("it counts as %d entries", n)
	}
	w.want(east.batch(0, 20), 20, "committed")
	w.want(east.alarm(15), 20)
}

func TestAStatusIsPassedOnAndChangesNothing(t *testing.T) {
	w := newWorld(t, "east")
	w.send(w.gate("east").status(true))
	if e := w.seen[0]; e.Kind != collect.EventStatus || !e.Status.Online || e.Status.Program != "1.0.0" {
		t.Errorf("got %+v", e)
	}
	w.events()
	w.want(w.gate("east").status(false), -1, "status")
	if w.store.writes != 0 {
		t.Errorf("%d writes", w.store.writes)
	}
}

func TestWhatCollectorsSayIsNotForCollectors(t *testing.T) {
	w := newWorld(t, "east")
	hail, err := w.c.Announce()
	if err != nil || hail.Topic != wire.TopicAnnounce {
		t.Fatalf("the announcement goes to %q, %v", hail.Topic, err)
	}
	if a, err := wire.ParseAnnounce(hail.Payload); err != nil || a.Collector != district {
		t.Errorf("it says %+v, %v", a, err)
	}
	w.want(collect.Message(hail), -1)
	for kind := wire.KindHave; kind <= wire.KindHold; kind++ {
		if kind != wire.KindAlarm && kind != wire.KindStatus {
			w.want(collect.Message{Topic: wire.Topic("east", kind), Payload: []byte("x")}, -1)
		}
	}
	if w.store.reads+w.store.writes != 0 {
		t.Error("the store was asked")
	}
}

func TestEveryEventHasAWord(t *testing.T) {
	var words []string
	for k := collect.EventHello; k.String() != ""; k++ {
		words = append(words, k.String())
	}
	want := strings.Fields("hello committed refused diverged alarm status failed")
	if !reflect.DeepEqual(words, want) {
		t.Errorf("got %q, want %q", words, want)
	}
}
