package uplink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/sync/wire"
)

// ready says whether a batch may go now. Nothing goes before the collector has
// said where to begin; a lone entry goes at once where nothing is on its way.
func (l *link) ready(now time.Duration) bool {
	waiting := l.waiting()
	switch {
	case !l.begun || waiting == 0 || len(l.ends) == window || l.u.diverged():
		return false
	case waiting >= fullBatch || len(l.ends) == 0:
		return true
	}
	return now >= l.lingerAt
}

// rest lets fewer entries than a batch holds wait for more, if there is room
// for them at all.
func (l *link) rest() {
	switch {
	case !l.begun || l.waiting() == 0 || len(l.ends) == window:
		l.lingerAt = never
	case l.lingerAt == never:
		l.lingerAt = l.u.now() + linger
	}
}

// waiting returns how many entries are committed and not on their way.
func (l *link) waiting() uint64 { return l.u.o.Source.Head().Size - l.sent }

// send publishes the next batch and forgets it: what is lost will be read
// again.
func (l *link) send(ctx context.Context) error {
	message, end, err := l.batch(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errJournal, err)
	}
	if err := l.publish(ctx, wire.KindBatch, message); err != nil {
		return err
	}
	if len(l.ends) == 0 {
		l.await(l.quiet)
	}
	l.ends = append(l.ends, end)
	l.sent, l.lingerAt = end, never
	return nil
}

// batch reads and signs the next batch, and returns the size after it.
func (l *link) batch(ctx context.Context) (message []byte, end uint64, err error) {
	leaves, err := l.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	end = l.sent + uint64(len(leaves))
	head, err := l.u.o.Source.HeadAt(ctx, end)
	if err != nil {
		return nil, 0, err
	}
	message, err = wire.SignBatch(l.u.o.Key, l.u.checkpoint(head), leaves)
	return message, end, err
}

// read returns the entries of the next batch.
func (l *link) read(ctx context.Context) ([][]byte, error) {
	most := min(l.waiting(), fullBatch)
	if uint64(len(l.ahead)) < most {
		if err := l.readAhead(ctx, min(l.waiting(), aheadBatches*fullBatch)); err != nil {
			return nil, err
		}
	}
	n, size := 0, 0
	for n < len(l.ahead) && uint64(n) < most && size < fullBytes {
		size += len(l.ahead[n])
		n++
	}
	leaves := l.ahead[:n]
	l.ahead = l.ahead[n:]
	return leaves, nil
}

// readAhead reads until so many entries are ahead, or all that fit.
func (l *link) readAhead(ctx context.Context, most uint64) error {
	size := 0
	for leaf, err := range l.u.o.Source.Leaves(ctx, l.sent+uint64(len(l.ahead))) {
		if err != nil {
			return err
		}
		l.ahead = append(l.ahead, leaf)
		size += len(leaf)
		if uint64(len(l.ahead)) == most || size >= aheadBatches*fullBytes {
			return nil
		}
	}
	return fmt.Errorf("it ends at entry %d, before its head", l.sent+uint64(len(l.ahead)))
}

// advance counts what the collector has taken of what is on its way.
func (l *link) advance(size uint64) {
	l.acked = size
	if size > l.sent {
		l.sent, l.ahead = size, nil
	}
	l.ends = slices.DeleteFunc(l.ends, func(end uint64) bool { return end <= size })
}

// restart goes back, or forth, to where the collector is: what is on its way
// is given up.
func (l *link) restart(size uint64) { l.acked, l.sent, l.ahead, l.ends = size, size, nil, nil }
