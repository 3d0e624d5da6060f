package uplink

import (
	"context"
	"fmt"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// document is a sort of what goes down, whose numbers rise.
type document struct {
	kind  wire.Kind
	scope string
}

// take answers one message. What does not belong to the protocol is dropped;
// the error is of the own journal.
func (l *link) take(ctx context.Context, m Message) error {
	_, kind, err := wire.ParseTopic(m.Topic)
	if err != nil {
		return nil // a stranger's, and none of ours
	}
	switch kind {
	case wire.KindAnnounce:
		l.greet(m.Payload)
	case wire.KindHave:
		return l.have(ctx, m.Payload)
	case wire.KindPolicy, wire.KindRoster, wire.KindHold:
		l.down(m.Payload)
	}
	return nil
}

// greet says hello soon. Anybody can bring that about, and no more than one in
// each while.
func (l *link) greet(payload []byte) {
	a, err := wire.ParseAnnounce(payload)
	if err == nil && a.Collector == l.u.o.Collector.Name && l.greetAt == never {
		l.greetAt = l.u.now() + l.u.part(greetWithin)
	}
}

// doubt says once in a session that something was not the collector's.
func (l *link) doubt(err error) {
	if !l.forged {
		l.u.log.Warn("message not believed", "err", err)
	}
	l.forged = true
}

// down hands a document on that the collector has signed. A retained one comes
// again with every session, and is taken once.
func (l *link) down(payload []byte) {
	d, err := l.verifyDown(payload)
	if err != nil {
		l.doubt(err)
		return
	}
	sort := document{d.Kind, d.Scope}
	if l.u.o.Down == nil || d.Number <= l.u.taken[sort] {
		return
	}
	if err := l.u.o.Down(d); err != nil {
		l.u.log.Warn("document not taken", "kind", d.Kind.String(), "number", d.Number, "err", err)
		return
	}
	l.u.taken[sort] = d.Number
}

func (l *link) verifyDown(payload []byte) (wire.Down, error) {
	d, err := wire.ParseDown(payload)
	if err != nil {
		return wire.Down{}, err
	}
	return d.Verify(l.u.o.Collector.Key, l.u.o.Gate)
}

func (l *link) verifyHave(payload []byte) (wire.Have, error) {
	unverified, err := wire.ParseHave(payload)
	if err != nil {
		return wire.Have{}, err
	}
	h, err := unverified.Verify(l.u.o.Collector.Key, l.u.o.Gate)
	if err == nil && h.Collector != l.u.o.Collector.Name {
		err = fmt.Errorf("verify have: collector is %q, not %q", h.Collector, l.u.o.Collector.Name)
	}
	return h, err
}

// have compares what the collector says it has with the journal, and goes on
// from there.
func (l *link) have(ctx context.Context, payload []byte) error {
	h, err := l.verifyHave(payload)
	if err != nil {
		l.doubt(err)
		return nil
	}
	if h.Epoch < l.u.o.Source.Epoch() || l.u.diverged() && h.Epoch <= l.u.against.Epoch {
		return nil
	}
	own, cause, err := l.compare(ctx, h)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errJournal, err)
	case cause != CauseNone:
		l.diverge(h, payload, own, cause)
	default:
		l.settle(h)
	}
	return nil
}

// compare returns what contradicts the have, and the head of the journal that
// proves it.
func (l *link) compare(ctx context.Context, h wire.Have) (entry.Head, Cause, error) {
	own := l.u.o.Source.Head()
	switch {
	case h.Epoch > l.u.o.Source.Epoch():
		return own, CauseEpoch, nil
	case h.Size > own.Size:
		return own, CauseAhead, nil
	}
	own, err := l.u.o.Source.HeadAt(ctx, h.Size)
	if err == nil && own != h.Head {
		return own, CauseRoot, nil
	}
	return own, CauseNone, err
}

// settle makes the collector's word the place to go on from. A size is
// absolute, so that a lost or doubled have does no harm; one that was overtaken
// is told from a collector that lost entries by the collector's own clock, or
// by a hello that only a collector of today can answer.
func (l *link) settle(h wire.Have) {
	if h.Size < l.acked && h.Wall <= l.latest {
		return
	}
	cause := CauseNone
	switch progress := h.Size > l.acked; {
	case progress:
		l.advance(h.Size)
		l.quiet = firstQuiet
	case h.Size < l.acked:
		l.restart(h.Size)
	case l.asking && len(l.ends) > 0: // it has seen all that was sent, and has none of it
		l.restart(h.Size)
		if l.quiet > stuckAfter {
			cause = CauseStuck
		}
	case len(l.ends) > 0: // nothing new: it is asked when its time is over
		return
	default:
		l.quiet = firstQuiet
	}
	l.latest = max(l.latest, h.Wall)
	l.begun, l.asking, l.deafAt, l.askAt = true, false, never, never
	if len(l.ends) > 0 {
		l.await(l.quiet)
	}
	l.u.acknowledge(h.Size)
	heard := l.u.o.Now()
	l.u.change(func(s *State) { s.Phase, s.Cause, s.Acked, s.Heard = Streaming, cause, h.Size, heard.Wall })
	if heard.Mono >= l.u.saved+saveEvery {
		l.u.saveCursor()
	}
}
