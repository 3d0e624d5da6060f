package sim

import (
	"slices"
	"sync"
	"time"
)

// Edge is one act on an output, at the moment at which the hardware took it.
type Edge struct {
	At time.Time
	// Channel counts from 1 on a relay board; it is 0 on a line of its own.
	Channel int
	On      bool
}

// outputs remembers the state of some channels and everything that was done
// to them. It grows with each act and forgets none: a scenario asks for all.
type outputs struct {
	mu     sync.Mutex
	on     map[int]bool
	frames []Edge
	edges  []Edge
	watch  []func(Edge)
}

// record notes an act and returns what tells the subscribers, to be called
// without any lock. A caller that records under its own lock has its acts in
// the order in which it decided on them.
func (o *outputs) record(channel int, on bool) (tell func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := Edge{At: time.Now(), Channel: channel, On: on}
	o.frames = append(o.frames, e)
	if o.on[channel] == on {
		return func() {}
	}
	if o.on == nil {
		o.on = make(map[int]bool)
	}
	o.on[channel] = on
	o.edges = append(o.edges, e)
	watch := slices.Clone(o.watch)
	return func() {
		for _, f := range watch {
			f(e)
		}
	}
}

func (o *outputs) state(channel int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.on[channel]
}

// Edges returns every change of a contact so far, in order. All are off to
// begin with.
func (o *outputs) Edges() []Edge {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.edges)
}

// Frames returns every act so far, in order, whether or not it changed
// anything: an OFF that was sent twice is two frames and at most one edge.
func (o *outputs) Frames() []Edge {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.frames)
}

// Subscribe calls f after each edge from now on, in the goroutine that caused
// it. If several goroutines write at once, their edges may be told in another
// order than Edges has them. f may ask the part for its state.
func (o *outputs) Subscribe(f func(Edge)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watch = append(o.watch, f)
}
