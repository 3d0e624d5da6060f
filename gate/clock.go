package gate

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/entry"
)

// stepLeast is the smallest jump of wall time that is an entry.
const stepLeast = 2 * time.Second

// Clock stamps entries with the system's time and says how far it may be
// trusted.
type Clock struct {
	began   time.Time
	battery bool // backs the board's clock
}

// NewClock starts the monotonic time of a process. Whether a battery backs the
// board's clock is asked once: entries are stamped while somebody waits.
func NewClock() *Clock {
	return &Clock{began: time.Now(), battery: unix.Access("/dev/rtc0", unix.F_OK) == nil}
}

// Now returns the present stamp. The kernel knows whether network time holds
// its clock (adjtimex, STA_UNSYNC); a board without it is trusted as far as its
// battery-backed clock. Whether the time lies before the newest entry, and
// whether a person confirmed it, only the gate knows.
func (c *Clock) Now() entry.Stamp {
	now := time.Now()
	return entry.Stamp{Mono: now.Sub(c.began), Wall: now.Round(0), Clock: c.quality()}
}

func (c *Clock) quality() entry.Clock {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0 {
		return entry.ClockSynced
	}
	if c.battery {
		return entry.ClockRTC
	}
	return entry.ClockUnset
}

// watch sees wall time step against monotonic time, and raises the quality of
// a clock that is not before the newest entry, or that a person confirmed.
type clockWatch struct {
	mu        sync.Mutex
	now       func() entry.Stamp
	floor     time.Time // wall time of the newest entry
	confirmed bool
	offset    time.Duration // wall minus mono at the last look
	known     bool
}

// look returns the present stamp and leaves a step to be seen by stamp.
func (c *clockWatch) look() entry.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.judge(c.now())
}

// wall returns the present time, or that of the newest entry where the clock
// stands before it.
func (c *clockWatch) wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now().Wall; now.After(c.floor) {
		return now
	}
	return c.floor
}

// judge gives a stamp the quality that the gate knows of. A battery that is empty
// leaves a clock that runs all the same, from years ago.
func (c *clockWatch) judge(s entry.Stamp) entry.Stamp {
	before := s.Wall.Before(c.floor)
	switch {
	case s.Clock == entry.ClockSynced, s.Clock == entry.ClockRTC && !before:
	case c.confirmed:
		s.Clock = entry.ClockConfirmed
	case !before:
		s.Clock = entry.ClockFloor
	default:
		s.Clock = entry.ClockUnset
	}
	return s
}

// stamp returns the present stamp, and how far wall time has stepped since the
// last one; zero when it has not.
func (c *clockWatch) stamp() (entry.Stamp, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.now()
	offset := time.Duration(s.Wall.UnixNano()) - s.Mono
	step := offset - c.offset
	stepped := c.known && (step > stepLeast || step < -stepLeast)
	c.offset, c.known = offset, true
	if stepped {
		c.confirmed = false // what was confirmed was the time before the step
	} else {
		step = 0
	}
	s = c.judge(s)
	if s.Wall.After(c.floor) && step == 0 {
		c.floor = s.Wall
	}
	return s, step
}

// confirm raises the quality: a person said by name that the time is right.
func (c *clockWatch) confirm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.confirmed = true
}

// bootStamp stamps the boot entry. Whether a battery-backed clock stands before
// the newest entry is not known yet.
func (g *Gate) bootStamp() entry.Stamp {
	s := g.o.Now()
	if s.Clock == entry.ClockRTC {
		s.Clock = entry.ClockUnset
	}
	return s
}

func bootBody(o Options) entry.Boot {
	b := entry.Boot{Version: o.Version, Config: sha256.Sum256(o.Config.Source)}
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		if raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(id)), "-", "")); err == nil {
			copy(b.Kernel[:], raw)
		}
	}
	rand.Read(b.Random[:])
	return b
}
