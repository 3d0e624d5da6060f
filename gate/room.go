package gate

import (
	"context"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// How long the gate waits for the isolation room before it says so.
const (
	// silentAfter: the room has not answered an alarm; somebody calls it.
	silentAfter = 30 * time.Second
	// leaderAfter: it still has not; somebody calls the leader.
	leaderAfter = 2 * time.Minute
	// muteFor is how long the room's buzzer is silent when it was muted.
	muteFor = 2 * time.Minute
)

// roomProblems lists what is open between the gate and its isolation room, the
// worst first: somebody who has not come, then an alarm that nobody answers.
// The gate's screen faces the public, so names are masked.
func (g *Gate) roomProblems(add func(key string, args ...any)) {
	now := g.o.Now().Mono
	for _, x := range g.cases.list() {
		if !x.late(now) {
			continue
		}
		if name, _ := nameOf(g.roster.Snapshot(), x.file.Subject); name != "" {
			add("not-arrived", web.Mask(name))
		} else {
			add("nobody-arrived", x.file.Number)
		}
	}
	var oldest time.Duration
	for _, a := range g.alarms.list() {
		oldest = max(oldest, now-a.mono)
	}
	phone, leader := g.o.Config.Isolation.Phone, g.o.Config.Isolation.LeaderPhone
	switch {
	case oldest >= leaderAfter && leader != "":
		add("room-leader", leader)
	case oldest >= silentAfter && phone != "":
		add("room-silent", phone)
	case oldest >= silentAfter:
		add("room-go")
	}
	if l := g.lateDuties(g.recorder.clock.look()); l.first != 0 {
		add("duty-over", l.first)
	}
}

// late reports whether the person of a case should be in the room by now.
func (x caseNow) late(now time.Duration) bool {
	return x.file.Phase() == casefile.Coming && now-x.since >= casefile.ArriveWithin
}

// attendRoom wakes the pages, beacon and buzzer when a moment comes at which
// something is said without anybody having done anything.
func (g *Gate) attendRoom(ctx context.Context) error {
	ticks := g.Watch(ctx)
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		g.takeReturns(ctx)
		now := g.o.Now().Mono
		if next, ok := g.roomMoment(now); ok {
			alarm.Reset(next - now)
		} else {
			alarm.Stop()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		case <-alarm.C:
			g.alarms.show()
		}
	}
}

// roomMoment returns the first moment after now at which what is shown changes
// by itself.
func (g *Gate) roomMoment(now time.Duration) (next time.Duration, ok bool) {
	at := func(moment time.Duration) {
		if moment > now && (!ok || moment < next) {
			next, ok = moment, true
		}
	}
	for _, a := range g.alarms.list() {
		at(a.mono + silentAfter)
		at(a.mono + leaderAfter)
	}
	for _, x := range g.cases.list() {
		if x.file.Phase() == casefile.Coming {
			at(x.since + casefile.ArriveWithin)
		}
	}
	at(g.alarms.mutedUntil())
	g.dutyMoments(at)
	if on, end := beep(now); g.lateDuties(g.recorder.clock.look()).soon {
		at(on)
		at(end)
	}
	return next, ok
}

// How the buzzer sounds while a duty's time runs out: short and seldom.
const (
	beepEvery = 20 * time.Second
	beepFor   = time.Second
)

// beep returns when the next beep begins, and when the present or next one ends.
func beep(now time.Duration) (begin, end time.Duration) {
	last := now.Truncate(beepEvery)
	if now < last+beepFor {
		return last + beepEvery, last + beepFor
	}
	return last + beepEvery, last + beepEvery + beepFor
}

// state returns whether the beacon is on and whether the buzzer sounds now. Mono
// never steps, so that the beeps need no memory.
func (a *alarms) state() (on, loud bool) {
	now := a.g.recorder.clock.look()
	duty := a.g.lateDuties(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	on = len(a.open) > 0 || duty.over
	loud = on && now.Mono >= a.muted
	if duty.over && duty.since > a.muted-muteFor {
		loud = true // nobody had heard of this one when it was muted
	}
	if begin, _ := beep(now.Mono); duty.soon && now.Mono-(begin-beepEvery) < beepFor {
		loud = loud || now.Mono >= a.muted
	}
	return on || duty.soon, loud
}

// mutedUntil returns until when the buzzer is silent, monotonic; a moment that
// has passed says nothing.
func (a *alarms) mutedUntil() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.muted
}

// mute makes the room's buzzer silent for a while; the beacon stays. The entry
// comes first: who silenced it must be known.
func (g *Gate) mute(ctx context.Context, by []uint64) error {
	rung, any := g.alarms.rung()
	if l := g.lateDuties(g.recorder.clock.look()); !any && !l.over && !l.soon {
		return guard.ErrStale
	}
	if err := g.recorder.wait(ctx, entry.Case{Step: entry.CaseMuted, By: by}); err != nil {
		return err
	}
	g.alarms.mute(rung)
	return nil
}

// rung returns how many alarms there have been since the start, and whether one
// stands.
func (a *alarms) rung() (n uint64, any bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.times, len(a.open) > 0
}

// mute silences the alarms of which somebody knew who pressed. One that has come
// since then is heard.
func (a *alarms) mute(rung uint64) {
	a.mu.Lock()
	if a.times == rung {
		a.muted = a.g.o.Now().Mono + muteFor
	}
	a.mu.Unlock()
	a.show()
}
