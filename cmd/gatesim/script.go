package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// script is one morning. Speed shortens the pauses between people; the gate's
// own times, such as the eight seconds of an unfinished arrival, are real.
type script struct {
	seed   uint64
	speed  float64
	pupils int
	listen string
}

const demoPIN = "260713"

// play gives the gate its people, says what there is to try, and sends the
// pupils through, every lane its own.
func (s script) play(ctx context.Context, r *rig.Rig, out io.Writer) error {
	if err := r.WaitOpen(ctx); err != nil {
		return err
	}
	people := rig.People(s.seed, s.pupils)
	if err := r.Import(ctx, people); err != nil {
		return err
	}
	pupils, you, colleague := people[:s.pupils], people[s.pupils], people[s.pupils+1]
	if err := r.SetPIN(ctx, you.Number, demoPIN); err != nil {
		return err
	}
	colleagueID, err := r.RosterNumber(ctx, colleague.Number)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `
  门神 Menshen: a winter Monday at two lanes, seed %d, %g times as fast

  guard's page   %s
  sign on with   badge %s   PIN %s

  Try:
    sign on, and set a stopped pupil aside (移到一边): the lane is free at once
    type 36.9 with an ear thermometer for the one set aside: the badge opens any lane for ten minutes
    watch lane 2 when its scanner is pulled, and when it comes back
    scan, type and answer with the keypad alone: the small figures on the buttons are its keys
    open /desk/ beside it: hold a pupil until tomorrow and see the badge stopped at both lanes
    switch the language in the menu at the lower right; stop this program and see the page go grey

  Ctrl-C ends it.

`, s.seed, s.speed, r.URL, you.Badge, demoPIN)
	var queues sync.WaitGroup
	for i, l := range r.Lanes {
		var own []rig.Person
		for j := i; j < len(pupils); j += len(r.Lanes) {
			own = append(own, pupils[j])
		}
		q := queue{rig: r, lane: l, speed: s.speed, colleague: colleagueID, out: out}
		queues.Go(func() { q.run(ctx, visits(s.seed, l.Number, own)) })
	}
	queues.Wait()
	if ctx.Err() == nil {
		fmt.Fprintln(out, "the queue is empty; the page stays open until Ctrl-C")
		<-ctx.Done()
	}
	return nil
}

// patience is how long a stop waits for you before the colleague answers it.
const patience = 10 * time.Second

// queue is the people before one lane.
type queue struct {
	rig   *rig.Rig
	lane  *rig.Lane
	speed float64
	// colleague is the roster number of whoever answers when nobody else does.
	colleague uint64
	out       io.Writer
}

// run sends people through the lane, one after the other.
func (q queue) run(ctx context.Context, list []visit) {
	for _, v := range list {
		if v.pulled {
			q.say("the scanner's plug is pulled for three seconds")
			q.lane.Scanner.Unplug()
			wait(ctx, 3*time.Second)
			q.lane.Scanner.Plug()
			wait(ctx, 2*time.Second)
		}
		if v.what != "" {
			q.say(v.what)
		}
		if !q.clear(ctx) {
			return
		}
		q.pass(ctx, v)
	}
}

// pass is one person in the free lane.
func (q queue) pass(ctx context.Context, v visit) {
	l := q.lane
	l.Empty(12)
	q.pause(ctx, 1200*time.Millisecond)
	l.Scanner.Scan(v.person.Badge)
	if v.runsOn {
		q.pause(ctx, 2*time.Second)
		return
	}
	q.pause(ctx, 400*time.Millisecond)
	if v.cold {
		l.See(33.2, 12)
		q.rig.Await(ctx, l.Number, 4*time.Second, rig.TriedOnce)
		l.Empty(12)
		q.pause(ctx, time.Second)
	}
	l.See(v.forehead, 12)
	q.rig.Await(ctx, l.Number, 4*time.Second, rig.Over)
	l.Empty(12)
	q.pause(ctx, 800*time.Millisecond)
}

// clear waits until the lane takes the next person. Whoever was stopped stands
// in it until somebody answers: you on the page, or after a while the colleague.
// It reports whether the lane is free; it is not when the context has ended.
func (q queue) clear(ctx context.Context) bool {
	for ctx.Err() == nil {
		if q.rig.Await(ctx, q.lane.Number, patience, rig.Free) {
			return true
		}
		shown := q.rig.Lane(q.lane.Number)
		act := guard.Act{Arrival: shown.Arrival, Version: shown.Version, Kind: guard.KindAside, By: web.Person{ID: q.colleague}}
		if !shown.CanAside {
			act.Kind = guard.KindAcknowledge
		}
		if q.rig.Gate.Do(ctx, act) == nil {
			q.say(fmt.Sprintf("nobody answered in %v; a colleague takes the pupil out of the lane (%s)", patience, strings.Join(shown.Reasons, ", ")))
		}
	}
	return false
}

func (q queue) say(what string) { fmt.Fprintf(q.out, "lane %d: %s\n", q.lane.Number, what) }

// pause waits for a time of the real morning at the script's speed.
func (q queue) pause(ctx context.Context, d time.Duration) {
	wait(ctx, time.Duration(float64(d)/q.speed))
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
