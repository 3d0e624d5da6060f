package uplink_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pages counts how often a journal is read.
type pages struct {
	*journal
	n atomic.Int32
}

func (p *pages) Leaves(ctx context.Context, from uint64) iter.Seq2[[]byte, error] {
	p.n.Add(1)
	return p.journal.Leaves(ctx, from)
}

func TestABacklogIsReadTwoBatchesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10_000)
		p := &pages{journal: w.src}
		w.o.Source = p
		w.start()
		defer w.stop()
		w.wantAll(time.Minute)
		if n := p.n.Load(); n != 10 {
			t.Errorf("10,000 entries were read in %d pages, want 10", n)
		}
	})
}
