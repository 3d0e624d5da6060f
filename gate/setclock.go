package gate

import (
	"context"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/web/guard"
)

// setMost is how far a person may set the clock: further away it is the year
// that is wrong, and nobody typed that.
const setMost = 5 * 365 * 24 * time.Hour

// ownClock is the gate's own notion of time: the system's, and how far a person
// at the gate has set it right. It needs no right to set the system's clock,
// which stays wrong for every other program on the board until the network sets
// it. When that happens, or the system's clock jumps for any other reason, what
// the person set is forgotten.
type ownClock struct {
	system func() entry.Stamp

	mu     sync.Mutex
	set    time.Duration // is added to the system's wall time
	offset time.Duration // of the system's wall time from the monotonic one, at the last look
}

// now returns the gate's time.
func (c *ownClock) now() entry.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.system()
	if c.set == 0 {
		return s
	}
	offset := time.Duration(s.Wall.UnixNano()) - s.Mono
	step := offset - c.offset
	c.offset = offset
	if step > stepLeast || step < -stepLeast || s.Clock == entry.ClockSynced {
		c.set = 0
		return s
	}
	s.Wall = s.Wall.Add(c.set)
	return s
}

// put sets the time right by a step.
func (c *ownClock) put(step time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.system()
	c.set += step
	c.offset = time.Duration(s.Wall.UnixNano()) - s.Mono
}

// SetClock sets the gate's time to what somebody read off a watch. The entry
// comes first: without it the clock is what it was.
func (g *Gate) SetClock(ctx context.Context, t guard.ClockTime) error {
	w := &g.recorder.clock
	now := w.look()
	if now.Clock >= entry.ClockConfirmed {
		return guard.ErrStale
	}
	to, ok := t.On(w.wall())
	if floor := w.least(); ok && to.Before(floor) {
		if to = to.Add(time.Minute); to.Before(floor) { // it was in the minute that was typed
			return guard.ErrEarly
		}
		to = floor
	}
	step := to.Sub(now.Wall)
	if !ok || step > setMost || step < -setMost {
		return guard.ErrFar
	}
	if err := g.recorder.wait(ctx, entry.ClockStep{StepMilli: step.Milliseconds(), Clock: entry.ClockConfirmed, By: g.names(t.By.ID)}); err != nil {
		return err
	}
	w.confirmAfter(func() { g.clock.put(step) })
	g.rules.wake()
	g.changed()
	return nil
}

// least returns the time of the newest entry.
func (c *clockWatch) least() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.floor
}

// confirmAfter lets a person's step be none of the system's, and takes the time
// after it for right.
func (c *clockWatch) confirmAfter(set func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set()
	s := c.now()
	c.offset, c.known, c.confirmed = time.Duration(s.Wall.UnixNano())-s.Mono, true, true
}
