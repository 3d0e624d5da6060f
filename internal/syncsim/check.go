package syncsim

import (
	"context"
	"time"

	"github.com/menshen/menshen/sync/uplink"
)

// alarmWithin is how long an alarm may take in calm weather: it is repeated
// every 10 s, and a session is there after at most 5 s.
const alarmWithin = 25 * time.Second

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
	if s.Phase != uplink.Diverged {
		l.checkAlarms()
	} else if !l.contradicts() {
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

// checkAlarms: in calm weather every alarm is seen soon, whatever waits before
// it.
func (l *link) checkAlarms() {
	calm, ok := l.calmSince()
	if !ok {
		return
	}
	for _, a := range l.gate.rings {
		p := place{l.gate.name, a.epoch, a.seq}
		if l.w.now()-max(calm, a.at) > alarmWithin && !l.col.rang(p) && l.col.store.durable(p.gate, p.epoch) <= p.seq {
			l.w.fail("%s does not know of the alarm in entry %d of %s after %v of calm", l.col.name, a.seq, l.gate.name, alarmWithin)
		}
	}
}
