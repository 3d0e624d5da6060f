package district

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/menshen/menshen/sync/collect"
)

// live is what the present session has said and no store keeps, and who is
// woken by it.
type live struct {
	mu        sync.Mutex
	connected bool
	gates     map[string]seen // admitted gates only: strangers take no room
	watching  map[chan struct{}]struct{}
	urgent    int // how often something came that no page may show late
}

// seen is what one gate has said.
type seen struct {
	// heard is when its last signed word came.
	heard time.Time
	// epoch and size are of its own journal, as its last hello said.
	epoch uint32
	size  uint64
	// told says that it, or the broker in its name, said whether it is
	// connected. Nobody signs that: it is shown and nothing else.
	told, online bool
	// turned is when it came, or went, as the collector saw it; zero of a gate
	// that had gone before there was anybody to see it.
	turned time.Time
	// began is the gate's own time, in Unix milliseconds, of the last status in
	// which it was connected; left that of the last in which it was not.
	began, left int64
}

// orderly says that a gate that is not connected said so itself: a will, which
// the broker speaks, was written before the session that it ends.
func (s seen) orderly() bool { return s.began != 0 && s.left > s.began }

// tell notes whether the gate is connected.
func (s *seen) tell(online bool, at time.Time) {
	switch {
	case s.told && s.online == online:
		return
	case !s.told && !online: // retained: who knows since when
		at = time.Time{}
	}
	s.told, s.online, s.turned = true, online, at
}

// observe takes what became of a message.
func (l *live) observe(e collect.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case collect.EventHello, collect.EventCommitted, collect.EventDiverged, collect.EventAlarm:
		s := l.gates[e.Gate]
		s.heard = e.At
		if e.Kind == collect.EventHello {
			s.epoch, s.size = e.Hello.Checkpoint.Epoch, e.Hello.Checkpoint.Size
			s.tell(true, e.At)
		}
		if e.Kind == collect.EventAlarm || e.Kind == collect.EventDiverged {
			l.urgent++
		}
		l.gates[e.Gate] = s
	case collect.EventStatus:
		s := l.gates[e.Gate]
		s.tell(e.Status.Online, e.At)
		if s.online {
			s.began = e.Status.Wall
		} else {
			s.left = e.Status.Wall
		}
		l.gates[e.Gate] = s
	}
	l.wake()
}

// connect says whether there is a session with the broker. What gates said in
// the last one is not known to hold any more.
func (l *live) connect(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected = yes
	if !yes {
		for name, s := range l.gates {
			s.told = false
			l.gates[name] = s
		}
	}
	l.wake()
}

// changed wakes whoever watches.
func (l *live) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake()
}

// snapshot returns a copy.
func (l *live) snapshot() (connected bool, gates map[string]seen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected, maps.Clone(l.gates)
}

func (l *live) urgency() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.urgent
}

func (l *live) wake() {
	for c := range l.watching {
		select {
		case c <- struct{}{}:
		default: // one is on its way, and will look at everything
		}
	}
}

// Watch ticks when the view may have changed, many changes in one tick, until
// the context ends.
func (d *District) Watch(ctx context.Context) <-chan struct{} {
	l := &d.live
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.watching == nil {
		l.watching = map[chan struct{}]struct{}{}
	}
	l.watching[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watching, c)
	})
	return c
}
