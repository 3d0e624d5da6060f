package room

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/room/feed"
)

const (
	// While a gate is lost and nobody has heard of it, beacon and buzzer are on
	// for lostOn in every lostEvery.
	lostOn    = time.Second
	lostEvery = 4 * time.Second
	// keptMost bounds what is kept of one gate. What rings is never dropped.
	keptMost = 1024
)

// ward is what a board knows of its gates. What it shows is always computed from
// here: no message sets a lamp and none clears one.
type ward struct {
	log   *slog.Logger
	path  string
	began time.Time

	mu       sync.Mutex
	gates    []*followed // the list is fixed
	dirty    bool        // something is to be kept
	watchers map[chan struct{}]struct{}
}

// followed is one gate. What has a capital letter outlives a restart.
type followed struct {
	name, phone string
	heard       time.Time // of the gate, or when the board began; monotonic
	spoke       bool      // since the board began
	Next        string    // where the gate goes on, see feed.Message
	Alarms      []alarm   // in the order in which they came
	Lost        *loss     `json:",omitempty"`
}

// alarm is one alarm of a gate, until the gate has said that its answer is
// durable and somebody here has seen it.
type alarm struct {
	feed.Alarm
	Open bool   // the gate has not said that it was answered
	Seen bool   // somebody here has answered it
	By   string `json:",omitempty"` // the school's number of who did; empty of the button
	// Sent says that the gate has the answer. Should it list the alarm again, it
	// has lost it, and gets it once more.
	Sent bool
}

// rings reports whether the alarm is to be heard.
func (a alarm) rings() bool { return a.Open && !a.Seen }

// loss is the time for which nothing is heard of a gate.
type loss struct {
	Since time.Time // wall
	Seen  bool      // somebody here has heard of it
}

func newWard(gates []Gate, log *slog.Logger) *ward {
	w := &ward{log: log, began: time.Now(), watchers: map[chan struct{}]struct{}{}}
	for _, g := range gates {
		w.gates = append(w.gates, &followed{name: g.Name, phone: g.Phone, heard: w.began})
	}
	return w
}

// of returns one gate. The caller holds mu.
func (w *ward) of(gate string) *followed {
	i := slices.IndexFunc(w.gates, func(f *followed) bool { return f.name == gate })
	if i < 0 {
		return nil
	}
	return w.gates[i]
}

// hear takes a message of a gate.
func (w *ward) hear(m feed.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.of(m.Gate)
	f.heard = time.Now()
	news := f.hear(m) || !f.spoke
	f.spoke = true
	if f.Lost != nil {
		w.log.Info("gate is back", "gate", f.name, "lost", time.Since(f.Lost.Since).Round(time.Second))
		f.Lost, news = nil, true
	}
	if news {
		w.touch()
	}
}

// hear takes the gate's state and reports whether anything here is different
// now. What the gate no longer lists without having said that it was answered
// goes on ringing: a gate that crashed may not know of it.
func (f *followed) hear(m feed.Message) (news bool) {
	f.Next = m.Next
	for _, a := range m.Open {
		x := f.find(a.Arrival)
		if x == nil {
			f.Alarms, news = append(f.Alarms, alarm{Alarm: a, Open: true}), true
			continue
		}
		next := *x
		next.Alarm, next.Open, next.Sent = a, true, false
		news, *x = news || next != *x, next
	}
	for _, a := range m.Answered {
		news = true
		if f.find(a.Arrival) == nil {
			f.Alarms = append(f.Alarms, alarm{Alarm: a}) // it came and went unheard here
			continue
		}
		f.Alarms = slices.DeleteFunc(f.Alarms, func(x alarm) bool { return x.Arrival == a.Arrival })
	}
	for i := 0; i < len(f.Alarms) && len(f.Alarms) > keptMost; {
		if f.Alarms[i].rings() {
			i++
			continue
		}
		f.Alarms = slices.Delete(f.Alarms, i, i+1)
	}
	return news
}

func (f *followed) find(arrival string) *alarm {
	i := slices.IndexFunc(f.Alarms, func(x alarm) bool { return x.Arrival == arrival })
	if i < 0 {
		return nil
	}
	return &f.Alarms[i]
}

// answer takes the answer to one alarm, or, with an empty arrival, to all that
// rings, lost gates included. It reports whether there was one.
func (w *ward) answer(gate, arrival, by string) (found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.gates {
		for i := range f.Alarms {
			x := &f.Alarms[i]
			if arrival == "" && x.rings() || f.name == gate && x.Arrival == arrival && !x.Seen {
				x.Seen, x.By, found = true, by, true
			}
		}
		// What the gate has closed has been seen, and nobody is owed an answer.
		f.Alarms = slices.DeleteFunc(f.Alarms, func(x alarm) bool { return !x.Open && x.Seen })
		if arrival == "" && f.Lost != nil && !f.Lost.Seen {
			f.Lost.Seen, found = true, true
		}
	}
	if found {
		w.touch()
	}
	return found
}

// heardOfLoss says that somebody knows that a gate is lost.
func (w *ward) heardOfLoss(gate string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.of(gate)
	if f == nil || f.Lost == nil {
		return false
	}
	f.Lost.Seen = true
	w.touch()
	return true
}

// owed returns the answers that a gate does not have.
func (w *ward) owed(gate string) (list []feed.Answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.of(gate).Alarms {
		if x.Open && x.Seen && !x.Sent {
			list = append(list, feed.Answer{Arrival: x.Arrival, By: x.By})
		}
	}
	return list
}

// sent says that a gate has the answer to an alarm.
func (w *ward) sent(gate, arrival string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.of(gate).find(arrival); x != nil && x.Seen {
		x.Sent = true
		w.touch()
	}
}

// turn marks the gates that are lost by now and returns what beacon and buzzer
// show, and for how long at most.
func (w *ward) turn() (on bool, until time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ringing, blinking := false, false
	until = time.Hour
	for _, f := range w.gates {
		silent := time.Since(f.heard)
		if f.Lost == nil && silent >= feed.LostAfter {
			f.Lost = &loss{Since: time.Now().Add(-silent).Round(0)}
			w.log.Warn("gate lost", "gate", f.name)
			w.touch()
		}
		if f.Lost == nil {
			until = min(until, feed.LostAfter-silent)
		} else {
			blinking = blinking || !f.Lost.Seen
		}
		ringing = ringing || slices.ContainsFunc(f.Alarms, alarm.rings)
	}
	if ringing || !blinking {
		return ringing, until
	}
	at := time.Since(w.began) % lostEvery
	if at < lostOn {
		return true, min(until, lostOn-at)
	}
	return false, min(until, lostEvery-at)
}

// watch returns a channel that ticks when something has changed; ticks that
// nobody took are one. It ends with the context.
func (w *ward) watch(ctx context.Context) <-chan struct{} {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchers[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, c)
	})
	return c
}

// changed wakes whoever watches.
func (w *ward) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wake()
}

// touch marks what is known as different from what is kept. The caller holds mu.
func (w *ward) touch() {
	w.dirty = true
	w.wake()
}

func (w *ward) wake() {
	for c := range w.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
