package vmrig

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

const (
	// noticed is how long a gate may take until it looks at whoever has scanned,
	// before the badge is shown again.
	noticed = 3 * time.Second
	// sentAway is how long after the forehead nobody waits any more, and lookedAway
	// how long a lens is not looked through at a lane that waits for nobody.
	sentAway   = 15 * time.Second
	lookedAway = 2 * time.Second
)

// edge sees every edge of every line while it is made.
func (b *bench) edge(e edge) {
	lane := laneOf(e.line)
	if !e.high || lane == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rises = append(b.rises, rise{lane: lane, pupil: b.standing[lane]})
	if b.atRise {
		b.kill()
	}
}

// risen is for whom the barriers have risen so far.
func (b *bench) risen() []rise {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.rises)
}

// enter shows a pupil's badge until the lane looks for a forehead.
func (b *bench) enter(lane, pupil int) {
	b.t.Helper()
	b.mu.Lock()
	b.standing[lane] = pupil
	b.mu.Unlock()
	b.lens[lane].show(emptyView)
	e2e.Await(b.t, patience, fmt.Sprintf("lane %d looks who has scanned", lane), func() bool {
		must(b.t, b.scan(lane, e2e.Badge(pupil)))
		looks := e2e.Poll(noticed, func() bool { return b.lens[lane].looked() > 0 })
		if !looks {
			b.relieve(lane)
		}
		return looks
	})
}

// come brings a pupil before the lens of a lane until something has happened.
// Whom the lane does not look at, because it was only testing its instrument, or
// has sent away, comes again.
func (b *bench) come(lane, pupil int, object float64, happened func() bool) {
	b.t.Helper()
	e2e.Await(b.t, patience, fmt.Sprintf("pupil %d is seen at lane %d", pupil, lane), func() bool {
		b.enter(lane, pupil)
		b.lens[lane].show(object)
		e2e.Poll(sentAway, func() bool { return happened() || b.lens[lane].idle() > lookedAway })
		if happened() {
			return true
		}
		b.relieve(lane)
		return false
	})
}

// relieve starts the gate anew where a lane has stopped somebody, for nobody is
// on duty who could answer. It also stops for what the rig itself does: a
// machine that stood still in the middle of a badge makes two of one.
func (b *bench) relieve(lane int) {
	b.t.Helper()
	if !b.lines.high(redLine(lane)) {
		return
	}
	b.t.Logf("lane %d has stopped somebody, and is started anew", lane)
	b.clear()
	b.run("killall -9 gated")
	b.awaitUp()
}

// admit walks a pupil through a lane.
func (b *bench) admit(lane, pupil int) {
	b.t.Helper()
	line := barrierLine(lane)
	before := b.lines.rises(line)
	b.come(lane, pupil, forehead, func() bool { return b.lines.rises(line) > before })
	b.lens[lane].show(emptyView)
	b.falls(lane)
}

// rise brings a pupil to a lane until its barrier has risen, and the green lamp
// after it.
func (b *bench) rise(lane, pupil int) {
	b.t.Helper()
	barrier, lamp := b.lines.rises(barrierLine(lane)), b.lines.rises(greenLine(lane))
	b.come(lane, pupil, forehead, func() bool { return b.lines.rises(barrierLine(lane)) > barrier })
	b.lens[lane].show(emptyView)
	e2e.Await(b.t, patience, "the green lamp", func() bool { return b.lines.rises(greenLine(lane)) > lamp })
}

// falls waits until a barrier is barred.
func (b *bench) falls(lane int) {
	b.t.Helper()
	e2e.Await(b.t, patience, "the barrier rests", func() bool { return !b.lines.high(barrierLine(lane)) })
}

// barriers are the lines that must not rise even where lamps may.
func barriers() (lines []int) {
	for lane := 1; lane <= lanes; lane++ {
		lines = append(lines, barrierLine(lane))
	}
	return lines
}

// silently does something during which none of these lines may rise, or no line
// at all if none is named.
func (b *bench) silently(what string, act func(), lines ...int) {
	b.t.Helper()
	b.t.Logf("%5.1f s: %s", time.Since(b.began).Seconds(), what)
	before := len(b.lines.log())
	act()
	for _, e := range b.lines.log()[before:] {
		if e.high && (len(lines) == 0 || slices.Contains(lines, e.line)) {
			b.t.Errorf("%s: line %d rose", what, e.line)
		}
	}
}

// clear empties every view before a gate starts: what it sees first it takes for
// what is always there.
func (b *bench) clear() {
	for lane := 1; lane <= lanes; lane++ {
		b.lens[lane].show(emptyView)
	}
}

// awaitUp waits until the gate that starts after clear answers, drives every
// line, and has set up its thermometers and let go of them.
func (b *bench) awaitUp() {
	b.t.Helper()
	b.run("until wget -q -O /dev/null http://127.0.0.1:8630/healthz; do sleep 0.1; done")
	e2e.Await(b.t, patience, "the gate drives every line", b.lines.taken)
	for lane := 1; lane <= lanes; lane++ {
		l := b.lens[lane]
		e2e.Await(b.t, patience, "the thermometers are set up", func() bool { return l.looked() > 0 && l.idle() > lookedAway/2 })
	}
}

// awaitBack waits until the gate has noted of devices, "1 scanner", that they
// were lost and are back, without a new start between.
func (b *bench) awaitBack(devices ...string) {
	b.t.Helper()
	e2e.Await(b.t, 2*patience, "back: "+strings.Join(devices, ", "), func() bool {
		lost, back := map[string]int{}, map[string]bool{}
		for line := range strings.Lines(b.run("/mnt/gatectl -config /mnt/gated.toml journal tail -n 60")) {
			var e struct {
				Boot int
				Body struct {
					Lane  int
					Role  string
					Event uint8
				}
			}
			if json.Unmarshal([]byte(line), &e) != nil { // another kind of entry
				continue
			}
			device := fmt.Sprintf("%d %s", e.Body.Lane, e.Body.Role)
			switch e.Body.Event {
			case entry.DeviceLost:
				lost[device] = e.Boot
			case entry.DeviceBack:
				back[device] = lost[device] == e.Boot
			}
		}
		return !slices.ContainsFunc(devices, func(d string) bool { return !back[d] })
	})
}

// stop ends the gate as its unit does, and waits until it is gone.
func (b *bench) stop() {
	b.t.Helper()
	b.silently("stop", func() {
		b.run("touch /run/held && killall -TERM gated")
		b.run("while pidof gated >/dev/null; do sleep 0.1; done")
	})
	for line := range cp2112Lines {
		if b.lines.high(line) {
			b.t.Errorf("after the stop line %d is high", line)
		}
	}
}

// judge holds what is on the disk against what the lines did in all lives.
func (b *bench) judge() (list []e2e.Entry) {
	b.t.Helper()
	dir := b.t.TempDir()
	must(b.t, b.parts.disk.surviving("/data", dir))
	path := filepath.Join(dir, "data", "journal.db")
	if out, err := exec.Command(e2e.Build(b.t).Gatectl, "journal", "verify", "-file", path).CombinedOutput(); err != nil {
		b.t.Errorf("gatectl journal verify: %v\n%s", err, out)
	}
	list, err := e2e.Entries(context.WithoutCancel(b.t.Context()), path)
	must(b.t, err)
	if len(list) < b.entries {
		b.t.Errorf("of %d entries that were on the disk %d are left", b.entries, len(list))
	}
	b.entries = len(list)
	for _, err := range audit(b.lines.log(), b.risen(), list) {
		b.t.Error(err)
	}
	for _, e := range list {
		if e.Wall.Year() == wrongYear && e.Clock >= entry.ClockConfirmed {
			b.t.Errorf("entry %d was made by the wrong clock, which counts as %v: %v", e.Seq, e.Clock, e.Wall)
		}
	}
	b.t.Logf("life %d: %d entries, %d admissions, the barriers rose %d times", b.lives, len(list), e2e.Admits(list), len(b.risen()))
	return list
}
