package syncsim

import (
	"bytes"
	"context"
	"time"

	"github.com/menshen/menshen/sync/uplink"
)

// How long an alarm may take in calm weather: it is repeated every 10 s, or
// every minute by a gate that has diverged, and a session is there after at
// most 5 s.
const (
	alarmWithin         = 25 * time.Second
	alarmDivergedWithin = 75 * time.Second
)

// check looks at the whole world, while nothing moves.
func (w *world) check() {
	for _, l := range w.links {
		l.check()
	}
}

// check holds the gate's lock: under it alone its journals grow.
func (l *link) check() {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	l.checkRows()
	if !l.gate.alive {
		return
	}
	s := l.up.State()
	l.checkAcked(s)
	within := alarmWithin
	if s.Phase == uplink.Diverged {
		within = alarmDivergedWithin
	}
	l.checkAlarms(within)
	if s.Phase == uplink.Diverged && !l.contradicts() {
		l.w.fail("%s says that %s contradicts it (%s), which it does not", l.gate.name, l.col.name, s.Cause)
	}
}

// heard checks the uplink's state at the moment at which it changes.
func (l *link) heard() { l.checkAcked(l.up.State()) }

// checkAcked: what a gate believes to be safe is safe, and it believes nobody
// but its collector.
func (l *link) checkAcked(s uplink.State) {
	if s.Heard.IsZero() || s.Acked == 0 {
		return
	}
	epoch := l.gate.card.Epoch()
	if durable := l.col.store.durable(l.gate.name, epoch); s.Acked > durable {
		l.w.fail("%s counts %d entries as acknowledged, and %s has %d durably", l.gate.name, s.Acked, l.col.name, durable)
	}
	head, err := l.gate.card.HeadAt(context.Background(), s.Acked)
	if err != nil || !l.col.signed(claim{l.gate.name, epoch, head}) {
		l.w.fail("%s counts %d entries as acknowledged, which %s never signed", l.gate.name, s.Acked, l.col.name)
	}
}

// checkRows: whatever a collector has is the beginning of a journal that the
// gate wrote, each entry once and in its place, and its edge is that of its
// rows.
func (l *link) checkRows() {
	st := l.col.store
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, j := range st.admitted(l.gate.name).journals {
		wrote := false
		for _, h := range l.gate.forks {
			wrote = wrote || h.epoch == j.epoch && h.begins(j.leaves)
		}
		if !wrote {
			l.w.fail("the %d rows of %s at %s are no journal of it, in epoch %d", len(j.leaves), l.gate.name, l.col.name, j.epoch)
		}
		if j.checked.Size() > uint64(len(j.leaves)) {
			l.w.fail("%s has lost rows of %s: %d of %d are left", l.col.name, l.gate.name, len(j.leaves), j.checked.Size())
			return
		}
		for _, leaf := range j.leaves[j.checked.Size():] {
			j.checked.Append(leaf)
		}
		if tree := j.edge().tree; tree.Head() != j.checked.Head() {
			l.w.fail("the root over the rows of %s at %s is not that of its edge", l.gate.name, l.col.name)
		}
	}
}

// contradicts says whether a collector's newest journal really is not the
// beginning of what the gate has.
func (l *link) contradicts() bool {
	st := l.col.store
	st.mu.Lock()
	defer st.mu.Unlock()
	j, own := st.admitted(l.gate.name).newest(), l.gate.card.disk
	return l.gate.restored() && (j.epoch > own.epoch || j.epoch == own.epoch && !own.begins(j.leaves))
}

// parting says whether both ends of a link that has diverged know what a person
// needs to know: the collector that there are two journals, or that this one is
// over, and the gate how far above it the next one must begin.
func (l *link) parting() bool {
	st, card := l.col.store, l.gate.card
	st.mu.Lock()
	kept := st.admitted(l.gate.name)
	newest, parted := kept.newest().epoch, kept.parted[card.disk.epoch]
	st.mu.Unlock()
	card.mu.Lock()
	defer card.mu.Unlock()
	return newest > card.disk.epoch && card.named >= newest || newest == card.disk.epoch && parted
}

// checkAlarms: in calm weather every alarm is seen soon, whatever waits before
// it, and whatever journal the collector has.
func (l *link) checkAlarms(within time.Duration) {
	calm, ok := l.calmSince()
	if !ok {
		return
	}
	for _, a := range l.gate.rings {
		p := place{l.gate.name, a.epoch, a.seq, string(a.leaf)}
		if l.w.now()-max(calm, a.at) > within && !l.col.rang(p) && !l.col.store.has(a, l.gate.name) {
			l.w.fail("%s does not know of the alarm in entry %d of %s after %v of calm", l.col.name, a.seq, l.gate.name, within)
		}
	}
}

// has says whether the entry of an alarm is stored in its place.
func (s *store) has(a announced, gate string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Equal(s.admitted(gate).leaf(a.epoch, a.seq), a.leaf)
}
