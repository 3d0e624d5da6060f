package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// The longest waits for a gate. They are for a machine that has too much to do:
// a person would have given up long before.
const (
	soon  = 10 * time.Second
	limit = 60 * time.Second
)

// cold is what a lens sees of a forehead after a ride, and air the air around
// it, in degrees Celsius.
const (
	cold = 33.2
	air  = 12
)

// queue is the people before one lane. One person at a time is in the lane: the
// crowd and the scenes take turns.
type queue struct {
	*day
	crew   *crew
	lane   *rig.Lane
	zh, en string

	turn sync.Mutex
}

// run sends the crowd through the lane, one after the other.
func (q *queue) run(ctx context.Context, list []visit) {
	for _, v := range list {
		q.turn.Lock()
		ok := q.clear(ctx)
		if ok {
			q.say(v)
			q.pass(ctx, v)
		}
		q.turn.Unlock()
		if !ok {
			return
		}
		q.pause(ctx, 800*time.Millisecond)
	}
}

// send is one person of a scene in the lane, who tries again where a lane that
// had too much to do has ended the arrival. It ends when somebody has answered a
// stop: the colleague by one of the acts, where the gate takes it. It returns the
// arrival as the page named it, and whether it was a stop.
func (q *queue) send(ctx context.Context, v visit, acts ...guard.Act) (arrival string, stopped bool) {
	q.turn.Lock()
	defer q.turn.Unlock()
	for range 6 {
		if !q.clear(ctx) {
			break
		}
		switch shown := q.pass(ctx, v); {
		case shown.Phase == "held":
			q.clear(ctx, acts...)
			return shown.Arrival, true
		case shown.Verdict == guard.Pass, shown.Phase == "recording", shown.Phase == "releasing":
			return shown.Arrival, false
		}
	}
	return "", false
}

// pass is one person in the free lane. It returns what the lane showed when it
// had decided.
func (q *queue) pass(ctx context.Context, v visit) guard.Lane {
	l, r := q.lane, q.crew.at.Rig()
	l.Empty(air)
	q.pause(ctx, 1200*time.Millisecond)
	comes := r.Scan
	if v.named {
		comes = q.name
	}
	if !comes(ctx, l.Number, v.person.Badge, limit) {
		return guard.Lane{}
	}
	if v.runsOn {
		q.pause(ctx, 2*time.Second)
		return q.shown()
	}
	q.pause(ctx, 400*time.Millisecond)
	r.Await(ctx, l.Number, soon, func(l guard.Lane) bool { return l.Word != "step-back" })
	for try := 1; try <= v.tries && !v.carried; try++ {
		l.See(cold, air)
		r.Await(ctx, l.Number, soon, func(l guard.Lane) bool { return rig.Over(l) || l.Try > try })
		l.Empty(air)
		wait(ctx, 500*time.Millisecond) // the lens must have seen that nobody is there
	}
	if !v.carried && !rig.Over(q.shown()) {
		l.Show(v.forehead, air)
	}
	r.Await(ctx, l.Number, soon, rig.Over)
	shown := q.shown()
	l.Empty(air)
	return shown
}

func (q *queue) shown() guard.Lane { return q.crew.at.Rig().Lane(q.lane.Number) }

// name tells the lane at the desk who stands there without the badge, at most d,
// as Scan does with it.
func (q *queue) name(ctx context.Context, number int, badge string, d time.Duration) bool {
	before, end := q.shown().Arrival, time.Now().Add(d)
	for time.Now().Before(end) && ctx.Err() == nil {
		_, said, err := q.crew.browser.Send(ctx, "/desk/named", "lane", fmt.Sprint(number), "subject", fmt.Sprint(q.ids[badge]))
		if err != nil {
			return false // you are on duty now
		}
		if said == "named" {
			return q.crew.at.Rig().Await(ctx, number, d, func(l guard.Lane) bool { return l.Arrival != "" && l.Arrival != before })
		}
		wait(ctx, 200*time.Millisecond)
	}
	return false
}

// clear waits until the lane takes the next person. Whoever was stopped stands
// in it until somebody answers: you on the page, or after a while the colleague.
// It reports whether the lane is free; it is not when the context has ended.
func (q *queue) clear(ctx context.Context, acts ...guard.Act) bool {
	r := q.crew.at.Rig()
	for ctx.Err() == nil {
		if q.shown().Phase != "held" {
			if r.Await(ctx, q.lane.Number, limit, rig.Free) {
				return true
			}
			continue
		}
		if r.Await(ctx, q.lane.Number, q.patience(), rig.Free) {
			return true
		}
		for _, act := range append(acts, guard.Act{Kind: guard.KindAside}, guard.Act{Kind: guard.KindAcknowledge}) {
			shown := q.shown()
			act.Arrival, act.Version, act.By = shown.Arrival, shown.Version, web.Person{ID: q.crew.id()}
			if r.Gate.Do(ctx, act) == nil {
				q.say(visit{zh: "没人应答,同事来处理", en: "nobody answers; a colleague sees to it"})
				break
			}
		}
	}
	return false
}

// say tells what is special about a visit.
func (q *queue) say(v visit) {
	if v.zh != "" {
		q.tell("       %s %s · %s: %s", q.zh, v.zh, q.en, v.en)
	}
}
