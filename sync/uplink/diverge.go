package uplink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// protestEvery is how often a collector is shown that its record is not the
// beginning of the journal, and told of alarms that it will never acknowledge.
const protestEvery = time.Minute

// EvidenceTheirs ends the name under which a collector's have is kept. Of all
// that are kept, the highest epoch is what the gate's next journal must be
// above.
const EvidenceTheirs = "-theirs.cbor"

// diverge ends sync with this collector and keeps the proof: two statements,
// each signed by who made it. Arrivals go on, and so do documents and alarms.
//
// What is kept is named after the collector's word, which stands still from
// now on: however often the gate starts, there is one proof of it.
func (l *link) diverge(theirs wire.Have, have []byte, own entry.Head, cause Cause) {
	l.u.against, l.protestAt = theirs, l.u.now()
	l.u.change(func(s *State) { s.Phase, s.Cause = Diverged, cause })
	c := l.u.checkpoint(own).Sign(l.u.o.Key)
	l.u.log.Error("collector and journal contradict each other", "cause", string(cause), "epoch", c.Epoch, "size", c.Size)
	if l.u.o.KeepEvidence == nil {
		return
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	var signed []byte
	if err == nil {
		signed, err = mode.Marshal(c)
	}
	name := fmt.Sprintf("diverged-%s-%d-%d", l.u.o.Collector.Name, theirs.Epoch, theirs.Size)
	if err == nil {
		err = errors.Join(l.u.o.KeepEvidence(name+EvidenceTheirs, have), l.u.o.KeepEvidence(name+"-ours.cbor", signed))
	}
	if err != nil {
		l.u.log.Error("proof not kept", "err", err)
	}
}

// protest tells the collector, which may not know it, that its record is not
// the beginning of this journal. It returns when to act next: no answer can
// mend what has diverged, so that none is waited for.
func (l *link) protest(ctx context.Context) (time.Duration, error) {
	l.askAt, l.deafAt = never, never
	if now := l.u.now(); now >= l.protestAt {
		l.protestAt = now + protestEvery
		if err := l.prove(ctx); err != nil {
			return 0, err
		}
	}
	return min(l.greetAt, l.protestAt, l.u.nextNotice()), nil
}

// prove sends one entry under the checkpoint behind it. Where the collector has
// more than that, it is the boot entry of this process, whose random bytes make
// it another than whatever the collector has in its place; otherwise it is the
// first that the collector has not, whose root cannot follow from its record.
// A collector with a newer journal needs no proof, and answers all the same:
// with the number of its newest.
func (l *link) prove(ctx context.Context) error {
	seq := min(l.u.o.Boot, l.u.against.Size)
	if seq >= l.u.o.Source.Head().Size {
		return nil // there is no entry yet
	}
	message, err := l.lone(ctx, seq)
	if err != nil {
		return fmt.Errorf("%w: %w", errJournal, err)
	}
	return l.publish(ctx, wire.KindBatch, message)
}

// lone returns a batch of one entry.
func (l *link) lone(ctx context.Context, seq uint64) ([]byte, error) {
	head, err := l.u.o.Source.HeadAt(ctx, seq+1)
	if err != nil {
		return nil, err
	}
	for leaf, err := range l.u.o.Source.Leaves(ctx, seq) {
		if err != nil {
			return nil, err
		}
		return wire.SignBatch(l.u.o.Key, l.u.checkpoint(head), [][]byte{leaf})
	}
	return nil, fmt.Errorf("entry %d is not there", seq)
}
