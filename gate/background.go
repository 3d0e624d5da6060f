package gate

import (
	"sync"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// warmFor is how long a lens may see nothing colder than skin before what it sees
// is taken for the background: nobody stands before it for so long.
const warmFor = 2 * time.Minute

// warmFirst is the same from when a thermometer was opened, until its view has
// once been empty: nothing is known of it then.
const warmFirst = 3 * time.Second

// How often an idle thermometer is asked while its background is warm, and while
// nothing is known of it.
const (
	probeWarm  = 5 * time.Second
	probeFirst = time.Second
)

// background knows whether the view of a lens without a presence input is colder
// than skin while nobody stands there. Until it has once been, nothing tells a
// forehead from a warm wall.
type background struct {
	mu    sync.Mutex
	known bool          // the view has been empty since the thermometer was opened
	warm  bool          // as the lane was told
	empty time.Duration // monotonic: when the view was empty last, or nobody looked
	last  time.Duration // of the newest sample
}

// opened begins anew with the first sample of a thermometer. What was warm before
// stays so until the view has been empty.
func (b *background) opened(at time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.empty, b.last = false, at, at
}

// saw takes a sample, and reports whether the lane is to be told something else.
func (b *background) saw(object screening.MilliC, at time.Duration) (warm, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.warm
	if at-b.last > probeSensor*3/2 { // what was there meanwhile nobody knows
		b.empty = at
	}
	b.last = at
	switch {
	case object < screening.EmptyBelow:
		b.known, b.warm, b.empty = true, false, at
	case at-b.empty >= warmFor, !b.known && at-b.empty >= warmFirst:
		b.warm = true
	}
	return b.warm, b.warm != before
}

// probeAfter is how long an idle thermometer is left alone.
func (b *background) probeAfter() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.warm:
		return probeWarm
	case !b.known:
		return probeFirst
	}
	return probeSensor
}

// backdrop hands a sample to the lane's background. With a presence input there
// is nothing to know.
func (l *laneLoop) backdrop(object screening.MilliC, at time.Duration) {
	if l.cfg.Presence != nil || l.compared.running() {
		return
	}
	if warm, changed := l.behind.saw(object, at); changed {
		l.log.Warn("background of the thermometer", "warm", warm)
		l.send(lane.Background{Warm: warm})
	}
}

// unveil takes the first sample of a thermometer that was opened.
func (l *laneLoop) unveil(object screening.MilliC, at time.Duration) {
	l.behind.opened(at)
	l.backdrop(object, at)
}

// probeAfter is how long the idle thermometer of the lane is left alone.
func (l *laneLoop) probeAfter() time.Duration {
	if l.cfg.Presence != nil {
		return probeSensor
	}
	return l.behind.probeAfter()
}
