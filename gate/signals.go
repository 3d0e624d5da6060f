package gate

import (
	"context"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// This file lets the lanes' buzzers sound so that each outcome is known by ear.

// rhythm is how a buzzer sounds: on and off in turn, beginning with on.
type rhythm struct {
	name    string
	beats   []time.Duration
	repeats bool
	// loud is heard in quiet hours too.
	loud bool
}

const (
	shortBeat = 120 * time.Millisecond
	longBeat  = 600 * time.Millisecond
	restBeat  = 400 * time.Millisecond
)

// What a buzzer may say: nothing; one short beat for a pass; two for one more
// measurement; long ones, until a person answers, for a stop; and one without an
// end where somebody must go to the isolation room.
func silence() rhythm  { return rhythm{name: "silence"} }
func passBeep() rhythm { return rhythm{name: "pass", beats: []time.Duration{shortBeat}} }
func againBeeps() rhythm {
	return rhythm{name: "again", beats: []time.Duration{shortBeat, shortBeat, shortBeat}}
}
func stopBeeps() rhythm {
	return rhythm{name: "stop", beats: []time.Duration{longBeat, restBeat}, repeats: true}
}
func isolationTone() rhythm {
	return rhythm{name: "isolation", beats: []time.Duration{longBeat}, repeats: true, loud: true}
}

// rhythmOf is what a lane's buzzer says to a pattern of its lamps. An arrival
// that ended unfinished shows the same as one that is measured again, and ends
// quietly.
func rhythmOf(p lane.Pattern, v lane.View) rhythm {
	switch {
	case p == lane.Pass:
		return passBeep()
	case p == lane.Again && measuredAgain(v):
		return againBeeps()
	case p == lane.Halt && isolates(v):
		return isolationTone()
	case p == lane.Halt, p == lane.Attend:
		return stopBeeps()
	}
	return silence()
}

func measuredAgain(v lane.View) bool { return v.Phase == lane.Gathering && v.Try > 0 }

func isolates(v lane.View) bool { return v.Decided && v.Decision.Outcome == screening.Isolate }

// buzzer plays rhythms on one channel. One goroutine does; whoever asks waits
// for nothing.
type buzzer struct {
	sound func(on bool)
	quiet func() bool
	wake  chan struct{} // capacity 1: wanted has changed

	mu     sync.Mutex
	wanted rhythm
}

func newBuzzer(sound func(on bool), quiet func() bool) *buzzer {
	return &buzzer{sound: sound, quiet: quiet, wake: make(chan struct{}, 1)}
}

// play takes the place of what sounds. What repeats already goes on undisturbed,
// however often it is asked for; then it returns false.
func (b *buzzer) play(r rhythm) bool {
	b.mu.Lock()
	same := b.wanted.name == r.name && r.repeats
	b.wanted = r
	b.mu.Unlock()
	if same {
		return false
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return true
}

// run plays until the context ends. The channel itself is brought to rest by
// the owner of its board.
func (b *buzzer) run(ctx context.Context) error {
	for {
		b.mu.Lock()
		r := b.wanted
		b.mu.Unlock()
		for b.once(ctx, r) && r.repeats {
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// once plays a rhythm once, and waits after one that does not repeat. It reports
// whether nothing else was asked for meanwhile.
func (b *buzzer) once(ctx context.Context, r rhythm) bool {
	for i, beat := range r.beats {
		b.sound(i%2 == 0 && (r.loud || !b.quiet()))
		if !b.pause(ctx, time.After(beat)) {
			return false
		}
	}
	if r.repeats {
		return true
	}
	b.sound(false)
	return b.pause(ctx, nil)
}

// pause returns true when the time is over, and false when something else is
// asked for or the context ends.
func (b *buzzer) pause(ctx context.Context, over <-chan time.Time) bool {
	select {
	case <-ctx.Done():
	case <-b.wake:
	case <-over:
		return true
	}
	return false
}

// quiet reports whether these are quiet hours. By a clock that nobody vouches
// for there are none: a sound too many is better than one that is missing.
func (g *Gate) quiet() bool {
	now := g.recorder.clock.look()
	if now.Clock < entry.ClockConfirmed {
		return false
	}
	hour, minute, _ := now.Wall.Clock()
	since := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	for _, q := range g.o.Config.Quiet {
		if q.Has(since) {
			return true
		}
	}
	return false
}

// signal shows a pattern on lamps and buzzer and lets it be heard. While the
// barriers are released by wire everything is dark and silent: people run out.
func (l *laneLoop) signal(p lane.Pattern) {
	v := l.machine.View()
	if v.Faults&lane.FireReleased != 0 {
		p = lane.Dark
	}
	lamps := l.cfg.Lamps
	l.set(lamps.Green, p == lane.Pass)
	l.set(lamps.Red, p == lane.Halt || p == lane.Attend)
	l.buzzer.play(rhythmOf(p, v))
	l.sound(p)
}

// alarmed lets the lane sound what it has found only now, by an answer.
func (l *laneLoop) alarmed() {
	if l.pattern == lane.Halt && l.buzzer.play(isolationTone()) && l.g.speaker != nil {
		l.g.speaker.player.Stop(l.cfg.Number)
	}
}

// set switches a lamp or a buzzer that is fitted.
func (l *laneLoop) set(c config.Channel, on bool) {
	if c.Relay != "" {
		l.g.owners[c.Relay].Signal(c.Number, on)
	}
}
