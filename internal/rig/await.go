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

// Await waits until a condition holds of a lane, at most d; it reports whether
// it does.
func (r *Rig) Await(ctx context.Context, number int, d time.Duration, holds func(guard.Lane) bool) bool {
	limit, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	changed := r.Gate.Watch(limit)
	for {
		if holds(r.Lane(number)) {
			return true
		}
		select {
		case <-changed:
		case <-limit.Done():
			return false
		}
	}
}

// Lane returns what the page shows of a lane.
func (r *Rig) Lane(number int) guard.Lane {
	for _, l := range r.Gate.View().Lanes {
		if l.Number == number {
			return l
		}
	}
	return guard.Lane{}
}
