package e2e

import (
	"fmt"
	"testing"
	"time"
)

const (
	// noticed is how long a gate may take until it looks at whoever has scanned.
	noticed = 2 * time.Second
	// sentAway is how long after the forehead nobody waits any more: the lane has
	// ended the arrival by then.
	sentAway = 10 * time.Second
)

// Lane is one lane of a bench with the hardware that stands in it.
type Lane struct {
	Number      int
	Scanner     *Scanner
	Thermometer *Thermometer

	b *Bench
	t testing.TB
}

// Lane returns lane n, from 1.
func (b *Bench) Lane(n int) Lane {
	return Lane{Number: n, Scanner: b.Scanners[n], Thermometer: b.Thermometers[n], b: b, t: b.t}
}

// Ons returns how often the lane's barrier was freed.
func (l Lane) Ons() int { return l.b.Relay.Count(Barrier(l.Number), true) }

// Enter shows a pupil's badge to a lane that waits for a forehead, and puts the
// pupil before the lens when the gate has seen that nobody else stands there.
func (l Lane) Enter(pupil int, c Centi) {
	l.t.Helper()
	l.Thermometer.Show(Empty)
	// What is scanned between the opening of a port and its flush is lost, as on
	// a real one; while the arrival is open, the same badge changes nothing.
	Await(l.t, Soon, "the gate looks who has scanned", func() bool {
		l.Scanner.Scan(l.t, Badge(pupil))
		return Poll(noticed, func() bool { return l.Thermometer.Seen() > 0 })
	})
	l.Thermometer.Show(c)
}

// Come shows a pupil's badge and puts the pupil before the lens at once.
func (l Lane) Come(pupil int, c Centi) {
	l.t.Helper()
	l.Scanner.Scan(l.t, Badge(pupil))
	l.Thermometer.Show(c)
}

// Admit walks a healthy pupil through: badge, forehead, barrier, gone. Whom the
// lane sends away, because the machine stood still for longer than it waits,
// comes again.
func (l Lane) Admit(pupil int) {
	l.t.Helper()
	before := l.Ons()
	Await(l.t, 3*Soon, fmt.Sprintf("pupil %d comes in", pupil), func() bool {
		l.Enter(pupil, Healthy)
		return Poll(sentAway, func() bool { return l.Ons() > before })
	})
	l.Thermometer.Clear()
	l.b.Relay.AwaitState(l.t, Barrier(l.Number), false)
}

// Stop walks a pupil up whom the lane must stop, and waits for the red lamp and
// for the entry with the outcome. The view is empty afterwards.
func (l Lane) Stop(pupil int, c Centi, outcome uint8) Entry {
	l.t.Helper()
	stopped := Of(Subject(pupil), outcome)
	before := len(l.b.Find(stopped))
	l.Come(pupil, c)
	l.b.Relay.AwaitState(l.t, Red(l.Number), true)
	e := l.b.AwaitEntry(fmt.Sprintf("pupil %d is stopped", pupil), before+1, stopped)
	l.Thermometer.Clear()
	return e
}

// HoldAt stops a pupil for a temperature and sets the arrival aside: the lane
// is free and the pupil on hold everywhere.
func (l Lane) HoldAt(p *Guard, pupil int, c Centi, outcome uint8) Entry {
	l.t.Helper()
	e := l.Stop(pupil, c, outcome)
	if err := p.SetAside(l.Number); err != nil {
		l.t.Fatal(err)
	}
	l.b.Relay.AwaitState(l.t, Red(l.Number), false)
	return e
}
