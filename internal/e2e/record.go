package e2e

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

// Outcomes as entries number them.
const (
	Refer   = 0
	Admit   = 1
	Recheck = 2
	Isolate = 3
	Refuse  = 4
)

// Entry is one entry of a journal with its body, of which at most one is set.
type Entry struct {
	Seq     uint64
	Kind    entry.Kind
	Lane    int
	Wall    time.Time
	Clock   entry.Clock     // how far Wall may be trusted
	ID      entry.ArrivalID // of Arrival or Answer
	Arrival *entry.Arrival
	Answer  *entry.Answer
	Device  *entry.Device
	Case    *entry.Case
}

// Entries reads a journal as anybody can who may read the file, beside the
// gate or after it.
func Entries(ctx context.Context, path string) (list []Entry, err error) {
	r, err := journal.OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for row, err := range r.Rows(ctx, 0) {
		if err != nil {
			return nil, err
		}
		e, err := decode(row)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// String says everything that an entry holds.
func (e Entry) String() string {
	said := fmt.Sprintf("%d: %v, lane %d", e.Seq, e.Kind, e.Lane)
	switch {
	case e.Arrival != nil:
		said += fmt.Sprintf(", %+v", *e.Arrival)
		if e.Arrival.Reading != nil {
			said += fmt.Sprintf(", measured %+v", *e.Arrival.Reading)
		}
	case e.Answer != nil:
		said += fmt.Sprintf(", %+v", *e.Answer)
	case e.Device != nil:
		said += fmt.Sprintf(", %+v", *e.Device)
	case e.Case != nil:
		said += fmt.Sprintf(", %+v", *e.Case)
	}
	return said
}

func decode(row journal.Row) (Entry, error) {
	e := Entry{Seq: row.Seq, Kind: row.Entry.Kind, Lane: int(row.Entry.Lane), Wall: time.UnixMilli(row.Entry.Wall), Clock: row.Entry.Clock}
	var err error
	switch e.Kind {
	case entry.KindArrival:
		e.Arrival = new(entry.Arrival)
		err = row.Entry.Decode(e.Arrival)
		e.ID = entry.ArrivalID{Boot: row.Entry.Boot, Counter: e.Arrival.Counter}
	case entry.KindAnswer:
		e.Answer = new(entry.Answer)
		err = row.Entry.Decode(e.Answer)
		e.ID = e.Answer.Arrival
	case entry.KindDevice:
		e.Device = new(entry.Device)
		err = row.Entry.Decode(e.Device)
	case entry.KindCase:
		e.Case = new(entry.Case)
		err = row.Entry.Decode(e.Case)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("entry %d: %w", row.Seq, err)
	}
	return e, nil
}

// Verify recomputes every leaf and the root of a journal.
func Verify(ctx context.Context, path string) (entry.Head, error) {
	r, err := journal.OpenReadOnly(path)
	if err != nil {
		return entry.Head{}, err
	}
	report, err := r.Verify(ctx, nil)
	return report.Head, errors.Join(err, r.Close())
}

// Entries reads the journal of the bench.
func (b *Bench) Entries() []Entry {
	b.t.Helper()
	list, err := Entries(context.WithoutCancel(b.t.Context()), b.JournalPath())
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// Find returns the entries for which want holds.
func (b *Bench) Find(want func(Entry) bool) []Entry {
	b.t.Helper()
	var found []Entry
	for _, e := range b.Entries() {
		if want(e) {
			found = append(found, e)
		}
	}
	return found
}

// AwaitEntry waits for the n-th entry for which want holds and returns it.
func (b *Bench) AwaitEntry(what string, n int, want func(Entry) bool) Entry {
	b.t.Helper()
	var found []Entry
	Await(b.t, Soon, "entry: "+what, func() bool {
		found = b.Find(want)
		return len(found) >= n
	})
	return found[n-1]
}

// MustVerify recomputes the journal of the bench.
func (b *Bench) MustVerify() entry.Head {
	b.t.Helper()
	head, err := Verify(context.WithoutCancel(b.t.Context()), b.JournalPath())
	if err != nil {
		b.t.Error(err)
	}
	return head
}

// Of selects arrivals of a subject with an outcome.
func Of(subject uint64, outcome uint8) func(Entry) bool {
	return func(e Entry) bool {
		return e.Arrival != nil && e.Arrival.Subject == subject && e.Arrival.Outcome == outcome && e.Arrival.End != entry.EndIncomplete
	}
}

// Acted selects answers with an act.
func Acted(act uint8) func(Entry) bool {
	return func(e Entry) bool { return e.Answer != nil && e.Answer.Act == act }
}

// admits reports whether an entry lets somebody in at a lane: an arrival, or an
// answer given in a lane, which has no ticket.
func (e Entry) admits() bool {
	switch {
	case e.Arrival != nil:
		return e.Arrival.Outcome == Admit && e.Arrival.End != entry.EndIncomplete
	case e.Answer != nil:
		return e.Answer.Outcome == Admit && e.Answer.Ticket == 0 && e.Answer.Act != entry.ActReleaseWithheld &&
			e.Answer.Act != entry.ActHoldLifted
	}
	return false
}

// Admits counts the entries that let somebody in at a lane.
func Admits(list []Entry) int {
	n := 0
	for _, e := range list {
		if e.admits() {
			n++
		}
	}
	return n
}

// Audit holds what the barriers did against the journal: no barrier was
// switched on more often than its lane has admissions, less those that were
// withheld, and no arrival ends twice. It returns what is wrong.
func Audit(frames []Frame, list []Entry) []error {
	var wrong []error
	admitted, ended := map[int]int{}, map[entry.ArrivalID]int{}
	for _, e := range list {
		if e.admits() {
			admitted[e.Lane]++
		}
		if e.Answer != nil && e.Answer.Act == entry.ActReleaseWithheld {
			admitted[e.Lane]--
		}
		if e.Arrival != nil {
			ended[e.ID]++
		}
	}
	for lane := 1; lane <= Lanes; lane++ {
		on := 0
		for _, f := range frames {
			if f.Channel == Barrier(lane) && f.On {
				on++
			}
		}
		if on > admitted[lane] {
			wrong = append(wrong, fmt.Errorf("barrier %d was freed %d times for %d admissions", lane, on, admitted[lane]))
		}
	}
	for id, n := range ended {
		if n > 1 {
			wrong = append(wrong, fmt.Errorf("arrival %v ends %d times", id, n))
		}
	}
	return wrong
}

// MustAudit audits everything that has happened on the bench.
func (b *Bench) MustAudit() {
	b.t.Helper()
	for _, err := range Audit(b.Relay.Frames(), b.Entries()) {
		b.t.Error(err)
	}
}
