package e2e

import (
	"context"
	"errors"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

// nobodys is the first roster number of those whom only a backlog knows.
const nobodys = 1 << 20

// Backlog writes n arrivals of an hour ago into the journal of a gate that
// does not run.
func (b *Bench) Backlog(n int) {
	b.t.Helper()
	began := time.Now()
	now := func() entry.Stamp {
		return entry.Stamp{Mono: time.Since(began), Wall: time.Now().Add(-time.Hour), Clock: entry.ClockSynced}
	}
	j, err := journal.Open(b.t.Context(), journal.Options{Path: b.JournalPath(), Now: now, QueueLen: n})
	if err != nil {
		b.t.Fatal(err)
	}
	stored := make(chan error, n)
	for i := range n {
		err := j.Submit(journal.Draft{Kind: entry.KindArrival, Stamp: now(), Lane: uint8(1 + i%Lanes), Body: entry.Arrival{
			Counter: uint32(i + 1), End: entry.EndDecided, Outcome: Admit, Subject: nobodys + uint64(i),
		}}, func(_ journal.Receipt, err error) { stored <- err })
		if err != nil {
			b.t.Fatal(errors.Join(err, j.Close()))
		}
	}
	if err := j.Close(); err != nil { // which waits for all of them
		b.t.Fatal(err)
	}
	for range n {
		if err := <-stored; err != nil {
			b.t.Fatal(err)
		}
	}
}

// JournalSize returns how many entries a journal has, beside the gate or
// without it.
func JournalSize(ctx context.Context, path string) (size uint64, err error) {
	r, err := journal.OpenReadOnly(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	head, err := r.Head(ctx)
	return head.Size, err
}
