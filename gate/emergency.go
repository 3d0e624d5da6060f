package gate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

const (
	// emergencyFor is how long emergency passage lasts, from each press.
	emergencyFor = 15 * time.Minute
	// reasonRestart marks the end of an emergency passage that a restart ended.
	reasonRestart = "restart"
)

// emergency is the gate's emergency passage. The lanes let people in by it, and
// end it by themselves at the same time; here it is begun, ended, counted and
// written down. It does not outlive the process: nobody may stand there any more
// who answers for it.
type emergency struct {
	g *Gate
	// turning is held by whoever begins or ends it until the entry is durable.
	turning sync.Mutex
	wake    chan struct{} // the time of its end has changed

	mu     sync.Mutex
	until  time.Duration // monotonic; 0 while it is not in force
	passed int           // who was let in since it began
	// open says that the journal knows of no end of the newest one, which began
	// in an earlier process, and lost until when that would have lasted.
	open bool
	lost time.Time
}

func newEmergency(g *Gate) *emergency { return &emergency{g: g, wake: make(chan struct{}, 1)} }

// Emergency begins emergency passage, or lets it last longer, in the name of a
// leader who types the PIN; or ends it.
func (g *Gate) Emergency(ctx context.Context, p guard.Passage) error {
	e := g.emergency
	e.turning.Lock()
	defer e.turning.Unlock()
	if p.End {
		return e.end(ctx, g.names(p.By.ID))
	}
	who, ok := (staff{g.roster}).Standing(p.Leader)
	if !ok || !who.Duties.Any(web.DutyLeader) {
		return guard.ErrNotAllowed
	}
	person, _ := g.roster.Snapshot().ByID(p.Leader)
	if _, err := (staff{g.roster}).CheckPIN(ctx, person.Badge, p.PIN); err != nil {
		return fmt.Errorf("emergency passage: %w", err)
	}
	by := []uint64{who.ID}
	if p.By.ID != who.ID {
		by = append(by, p.By.ID)
	}
	return e.begin(ctx, by)
}

// begin lets the lanes pass once the entry is durable: a crash before that
// leaves a gate that asks for badges. The first of by answers for it.
func (e *emergency) begin(ctx context.Context, by []uint64) error {
	g := e.g
	until := g.recorder.clock.look().Wall.Add(emergencyFor)
	if err := g.recorder.wait(ctx, entry.Answer{Act: entry.ActEmergency, By: by, Until: until.UnixMilli()}); err != nil {
		return err
	}
	e.mu.Lock()
	now := g.o.Now().Mono
	if e.until <= now {
		e.passed = 0
	}
	e.until, e.lost = now+emergencyFor, time.Time{}
	ev := lane.Emergency{Until: e.until, By: by[:1]}
	e.mu.Unlock()
	e.tell(ev)
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return nil
}

// end ends it at once, whether or not that can be recorded now.
func (e *emergency) end(ctx context.Context, by []uint64) error {
	e.mu.Lock()
	stood := e.until != 0
	e.until, e.lost = 0, time.Time{}
	e.mu.Unlock()
	if !stood {
		return guard.ErrStale
	}
	e.tell(lane.Emergency{})
	body := entry.Answer{Act: entry.ActEmergency, By: by}
	if err := e.g.recorder.wait(ctx, body); err != nil {
		e.g.recorder.note(body, 0)
		return err
	}
	return nil
}

func (e *emergency) tell(ev lane.Emergency) {
	for _, l := range e.g.lanes {
		l.send(ev)
	}
	e.g.changed()
}

// passes counts somebody who was let in.
func (e *emergency) passes(rec lane.Record) {
	if rec.Reason != lane.ReasonEmergency {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passed++
}

// run writes down the end that comes by itself, and of one that a restart has
// ended.
func (e *emergency) run(ctx context.Context) error {
	e.mu.Lock()
	if e.open {
		e.open = false
		e.g.recorder.note(entry.Answer{Act: entry.ActEmergency, Reason: reasonRestart}, 0)
	}
	e.mu.Unlock()
	for {
		var over <-chan time.Time
		e.mu.Lock()
		until := e.until
		e.mu.Unlock()
		if until != 0 {
			over = time.After(until - e.g.o.Now().Mono)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-over:
			e.overdue()
		}
	}
}

// overdue takes the end that has come by itself, as it has at the lanes.
func (e *emergency) overdue() {
	e.turning.Lock()
	defer e.turning.Unlock()
	e.mu.Lock()
	over := e.until != 0 && e.until <= e.g.o.Now().Mono
	if over {
		e.until = 0
	}
	e.mu.Unlock()
	if over {
		e.g.recorder.note(entry.Answer{Act: entry.ActEmergency}, 0)
		e.g.changed()
	}
}

// replay takes one entry of the journal at start. What began before this
// process is not in force; the page says so until it would have ended.
func (e *emergency) replay(a entry.Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case a.Until != 0:
		e.open, e.lost = true, time.UnixMilli(a.Until)
	case a.Reason == reasonRestart:
		e.open = false
	default:
		e.open, e.lost = false, time.Time{}
	}
}

// show returns what the page shows, nil while it is not in force, and whether a
// restart has cut one short that would last still.
func (e *emergency) show(now entry.Stamp) (shown *guard.Emergency, cut bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if left := e.until - now.Mono; e.until != 0 && left > 0 {
		return &guard.Emergency{Left: left, Passed: e.passed}, false
	}
	return nil, now.Wall.Before(e.lost)
}

// problems tells add that it is in force, or was cut short.
func (e *emergency) problems(add func(key string, args ...any)) {
	switch shown, cut := e.show(e.g.recorder.clock.look()); {
	case shown != nil:
		add("emergency", shown.Minutes(), shown.Passed)
	case cut:
		add("emergency-cut")
	}
}

// Leaders implements guard.Questions.
func (g *Gate) Leaders() []guard.Leader {
	var list []guard.Leader
	for p := range g.roster.Snapshot().All() {
		if who, ok := (staff{g.roster}).Standing(p.ID); ok && who.Duties&web.DutyLeader != 0 {
			list = append(list, guard.Leader{ID: who.ID, Name: who.Name})
		}
	}
	return list
}

// noPassage marks the lanes that do not take part, although people come in there.
func noPassage(v lane.View, p *guard.Lane) {
	if v.Emergency && !v.Passing && v.Phase != lane.Attended {
		p.Faults = append(p.Faults, "no-emergency")
	}
}
