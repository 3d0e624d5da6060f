package district

import (
	"context"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	page "github.com/menshen/menshen/web/district"
)

const (
	// quietAfter is how long a gate that is connected may be silent: two of its
	// heartbeats, and a little.
	quietAfter = 11 * time.Minute
	// maxBack is how many of a gate's newest entries are looked at for an
	// arrival. In a window without one there are a heartbeat every five minutes
	// and what devices report.
	maxBack = 100
)

// standing is how a gate is, and since when as far as that is known. A gate is
// urgent when somebody must see to it now: of silences only those are that the
// calendar says were missed.
type standing struct {
	state  page.State
	since  time.Time
	urgent bool
}

// stand decides how the gate is.
func (k *known) stand() standing {
	heard := k.seen.heard
	if heard.Before(k.journal.Received) {
		heard = k.journal.Received
	}
	switch {
	case !k.gate.Revoked.IsZero():
		return standing{page.Revoked, k.gate.Revoked, false}
	case !k.diverged.IsZero():
		return standing{page.Diverged, k.diverged, true}
	case k.seen.told && k.seen.online:
		return k.there(heard)
	case k.seen.told || !heard.IsZero():
		return k.gone(heard)
	}
	return standing{page.Never, k.gate.Admitted, k.missed(k.gate.Admitted)}
}

// there decides how a gate is that is connected.
func (k *known) there(heard time.Time) standing {
	began, in := k.calendar.Window(k.now)
	silent := heard
	if silent.Before(k.seen.turned) {
		silent = k.seen.turned
	}
	switch {
	case heard.IsZero(), k.now.Sub(silent) > quietAfter:
		return standing{page.Quiet, heard, k.missed(silent)} // a wrong key, perhaps
	case k.backlog() > 0:
		return standing{page.Behind, k.journal.Received, false}
	case in && k.now.Sub(began) > calendar.Patience && !k.arrived:
		return standing{page.Idle, began, true}
	}
	return standing{state: page.Up}
}

// gone decides which kind of silence it is. A connection that ended outside
// every arrival window, whether or not the gate said that it stops, is taken
// as switched off: as schools do every night.
func (k *known) gone(heard time.Time) standing {
	ended := heard
	if k.seen.told && !k.seen.turned.IsZero() {
		ended = k.seen.turned
	}
	s := standing{page.Lost, ended, k.missed(ended)}
	_, in := k.calendar.Window(ended.In(k.now.Location()))
	switch {
	case !k.calendar.SchoolDay(k.now):
		s.state, s.urgent = page.Closed, false
	case !k.seen.told:
		s.state = page.Unknown
	case !in, k.seen.orderly(), k.last.Kind == entry.KindStop:
		s.state = page.Stopped
	}
	return s
}

// missed reports whether a silence since a moment counts. While the collector
// itself has no session with the broker, none does.
func (k *known) missed(since time.Time) bool {
	return k.connected && k.calendar.Missed(since, k.now)
}

// lookForArrival says in k.arrived whether one has come in the arrival window
// that there is now, by the gate's clock; and says so too where a look at the
// newest entries does not reach back to its beginning.
func (k *known) lookForArrival(ctx context.Context, s *store.Store) error {
	began, in := k.calendar.Window(k.now)
	if !in {
		return nil
	}
	size := k.journal.Tree.Size()
	for seq := size; seq > 0; seq-- {
		if size-seq == maxBack {
			k.arrived = true
			break
		}
		leaf, err := s.Leaf(ctx, k.gate.Name, k.journal.Epoch, seq-1)
		if err != nil {
			return err
		}
		e, err := entry.Unmarshal(leaf)
		if err != nil {
			return err
		}
		if e.Wall < began.UnixMilli() {
			break
		}
		if e.Kind == entry.KindArrival {
			k.arrived = true
			break
		}
	}
	return nil
}
