package rig

import (
	"context"
	"errors"
	"time"

	"github.com/menshen/menshen/web/guard"
)

// The conditions for which a person in a lane waits, read from the page's view.
var (
	errNotOpen = errors.New("the gate did not open")
)

// Free: the lane takes somebody.
func Free(l guard.Lane) bool { return l.Phase == "idle" }

// Over: the lane has decided.
func Over(l guard.Lane) bool { return l.Phase != "gathering" }

// TriedOnce: one measurement was too cold.
func TriedOnce(l guard.Lane) bool { return l.Try > 1 }

// openWithin is how long a gate may take to open.
const openWithin = 30 * time.Second

// WaitOpen returns when the gate is open.
func (r *Rig) WaitOpen(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := r.Gate.Alive(limit); err != nil {
		return errors.Join(errNotOpen, err)
	}
	return nil
}

// lookEvery is how often a condition is looked at although nothing was said to
// have changed: time alone may change what a page shows.
const lookEvery = 200 * time.Millisecond

// Until waits until a condition holds of what the pages show, at most d; it
// reports whether it does.
func (r *Rig) Until(ctx context.Context, d time.Duration, holds func(guard.View) bool) bool {
	limit, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	changed := r.Gate.Watch(limit)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if holds(r.Gate.View()) {
			return true
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-limit.Done():
			return false
		}
	}
}

// Await waits until a condition holds of a lane, at most d; it reports whether
// it does.
func (r *Rig) Await(ctx context.Context, number int, d time.Duration, holds func(guard.Lane) bool) bool {
	return r.Until(ctx, d, func(v guard.View) bool { return holds(laneOf(v, number)) })
}

// rescanAfter is how long somebody looks at a lane that does not answer before
// holding the badge there again. What a scanner says to a gate that has only
// just opened its port is thrown away.
const rescanAfter = 2 * time.Second

// Scan holds a badge before a lane's scanner until the lane shows an arrival for
// it, at most d; it reports whether it does.
func (r *Rig) Scan(ctx context.Context, number int, badge string, d time.Duration) bool {
	limit, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	before := r.Lane(number).Arrival
	for limit.Err() == nil {
		r.Hardware.Lane(number).Scanner.Scan(badge)
		if r.Await(limit, number, rescanAfter, func(l guard.Lane) bool { return l.Arrival != "" && l.Arrival != before }) {
			return true
		}
	}
	return false
}

// Lane returns what the page shows of a lane.
func (r *Rig) Lane(number int) guard.Lane { return laneOf(r.Gate.View(), number) }

func laneOf(v guard.View, number int) guard.Lane {
	for _, l := range v.Lanes {
		if l.Number == number {
			return l
		}
	}
	return guard.Lane{}
}
