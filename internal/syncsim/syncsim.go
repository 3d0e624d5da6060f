// Package syncsim drives gates, brokers and collectors through what a term of
// bad weather brings, in virtual time and from a seed: the product's own
// uplink, collector and lane over journals, stores and networks made of
// memory, which crash, fill up, forget, repeat and lie.
//
// It knows what must hold after every step, and what must have arrived in the
// end. It knows nothing of files, sockets or SQL: that a journal and a store
// keep what they promise here is proven beside them.
//
// All chance is a function of the seed and of what is decided, such as "the
// third message from gate 0 to collector 1", and no two parts act at one
// moment, so that a seed is the same run; only where two timers of the product
// itself meet in one nanosecond may a message more or less be sent.
package syncsim

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"sync"
	"time"
)

// Plant is a fault that a run is given on purpose, to see that it is found.
type Plant uint8

// The planted faults.
const (
	// Sound plants none.
	Sound Plant = iota
	// AckBeforeCommit makes a store say "committed" before it is durable.
	AckBeforeCommit
	// CursorOnPuback makes what the broker took count as what the collector
	// has.
	CursorOnPuback
	// ReleaseBeforeRecord makes a lane hear of its record before that is
	// durable.
	ReleaseBeforeRecord
)

// String names the fault.
func (p Plant) String() string {
	return [...]string{"sound", "acknowledge before commit", "cursor moved on PUBACK", "release before record"}[p]
}

// Report says what happened in a run.
type Report struct {
	// Trace is equal for two runs in which the same messages were sent at the
	// same moments.
	Trace uint64
	// How often things came about.
	Messages, Entries, Releases, Alarms, Restarts, Restores, Rebases, Divergences, Refusals int
}

// Run lives through one seed and returns the first rule that was broken. It
// must be called inside a testing/synctest bubble, and leaves no goroutine.
func Run(seed uint64, plant Plant) (Report, error) {
	w := newWorld(seed, plant)
	defer w.stop()
	w.live()
	if w.broken() == nil {
		w.heal()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.report, w.fault
}

// world is everything there is in one run. Script and checks run in the
// goroutine that called Run.
type world struct {
	seed    uint64
	plant   Plant
	began   time.Time
	script  *rand.Rand
	gates   []*gate
	cols    []*collector
	links   []*link // of gate g and collector c at g*len(cols)+c
	restore bool    // whether this run's cards may be replaced by old copies
	slots   *slots  // the script's own

	mu     sync.Mutex // guards what follows
	report Report
	fault  error
}

// newWorld builds one or two gates, each with a link to both collectors.
func newWorld(seed uint64, plant Plant) *world {
	w := &world{seed: seed, plant: plant, began: time.Now(), slots: newSlots(63)}
	w.script = w.dice("script", 0)
	w.restore = w.script.IntN(3) == 0
	gates := 1 + w.script.IntN(4)/3
	for c := range 2 {
		w.cols = append(w.cols, newCollector(w, c))
	}
	for g := range gates {
		w.gates = append(w.gates, newGate(w, g))
	}
	for _, c := range w.cols {
		c.start(0)
	}
	for _, g := range w.gates {
		g.start()
	}
	return w
}

// stop ends every process, so that the bubble can end.
func (w *world) stop() {
	for _, g := range w.gates {
		g.stop(false)
	}
	for _, c := range w.cols {
		c.stop()
	}
}

// now is the time since the run began.
func (w *world) now() time.Duration { return time.Since(w.began) }

// dice returns the chance that belongs to one decision.
func (w *world) dice(what string, which ...int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, w.seed, what, which)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// count changes the report.
func (w *world) count(f func(*Report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.report)
}

// note adds an event to the trace. Events of one moment are of different
// parts, and may come in any order.
func (w *world) note(what string, which int, payload []byte) {
	h := fnv.New64a()
	fmt.Fprint(h, w.now(), what, which)
	h.Write(payload)
	w.count(func(r *Report) { r.Messages++; r.Trace += h.Sum64() })
}

// fail keeps the first broken rule.
func (w *world) fail(format string, args ...any) {
	at := w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == nil {
		w.fault = fmt.Errorf("after %v: %w", at.Round(time.Millisecond), fmt.Errorf(format, args...))
	}
}

func (w *world) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

// parts is how many parts can have moments of their own.
const parts = 64

// slots gives each event of one part a moment that no other event has: the
// nanoseconds of a moment, modulo parts, are the part's number.
type slots struct {
	mu    sync.Mutex
	part  int64
	taken map[int64]bool
}

func newSlots(part int) *slots { return &slots{part: int64(part), taken: map[int64]bool{}} }

// in returns how long it is until the first free moment after d.
func (s *slots) in(d time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UnixNano()
	at := (now+int64(d))/parts*parts + parts + s.part
	for s.taken[at] {
		at += parts
	}
	s.taken[at] = true
	return time.Duration(at - now)
}

// between returns a length of time from low to high, short ones as likely as
// long ones.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	d := low << r.IntN(bits.Len64(uint64(high/low)))
	return min(high, d+time.Duration(r.Int64N(int64(d))))
}
