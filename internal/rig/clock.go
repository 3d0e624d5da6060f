package rig

import (
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
)

func (st *stage) setClock(args []string) error {
	if len(args) == 2 && args[0] == "step" {
		d, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		st.clock.step(d)
		return nil
	}
	if len(args) > 1 && args[0] == "at" {
		now := st.clock.Now().Wall
		if len(args) == 2 {
			args = []string{"at", now.Format(time.DateOnly), args[1]}
		}
		at, err := time.ParseInLocation(time.DateOnly+" 15:04", strings.Join(args[1:], " "), now.Location())
		if err != nil {
			return errUsage
		}
		st.clock.step(at.Sub(now))
		return nil
	}
	if len(args) != 1 {
		return errUsage
	}
	q, ok := map[string]entry.Clock{"unset": entry.ClockUnset, "rtc": entry.ClockRTC, "synced": entry.ClockSynced}[args[0]]
	if !ok {
		return errUsage
	}
	st.clock.trust(q)
	return nil
}

// scriptClock is a clock whose wall time a script moves. Monotonic time never
// steps, and begins with each start of the gate.
type scriptClock struct {
	mu      sync.Mutex
	began   time.Time
	offset  time.Duration
	quality entry.Clock
}

func (c *scriptClock) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began = time.Now()
}

func (c *scriptClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

func (c *scriptClock) trust(q entry.Clock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quality = q
}

// Now stamps an entry.
func (c *scriptClock) Now() entry.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	return entry.Stamp{Mono: now.Sub(c.began), Wall: now.Round(0).Add(c.offset), Clock: c.quality}
}
