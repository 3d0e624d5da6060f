package syncsim

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// pulse is how long the barrier is open.
const pulse = 300 * time.Millisecond

// doorway is the gate's lane and the barrier behind it. It belongs to one
// process and is used under its gate's lock.
type doorway struct {
	g      *gate
	m      *lane.Machine
	events []lane.Event
	moving bool
	admits map[uint32][]byte // the entry that may release an arrival
	rung   map[uint32]bool   // arrivals that were announced
}

func newDoorway(g *gate) *doorway {
	lens := screening.Instrument{Name: "lens", Period: 100 * time.Millisecond, AmbientLow: 5_000, AmbientHigh: 40_000}
	policy, err := screening.Compile(screening.Default())
	if err != nil {
		panic(err) // the built-in policy keeps the built-in bounds
	}
	d := &doorway{g: g, admits: map[uint32][]byte{}, rung: map[uint32]bool{}}
	m, effects := lane.New(lane.Config{Number: 1, Thermometer: true, Barrier: true, Pulse: pulse, Instrument: lens}, policy)
	d.m = m
	for _, e := range effects {
		d.do(e)
	}
	return d
}

// step takes an event, and those that come of it.
func (d *doorway) step(ev lane.Event) {
	d.events = append(d.events, ev)
	if d.moving {
		return
	}
	d.moving = true
	for len(d.events) > 0 {
		next := d.events[0]
		d.events = d.events[1:]
		now := lane.Time{Mono: d.mono(), Wall: d.g.stamp().Wall, Trusted: true}
		for _, e := range d.m.Step(now, next) {
			d.do(e)
		}
	}
	d.moving = false
}

func (d *doorway) mono() time.Duration { return d.g.w.now() - d.g.began }

// do carries one effect out.
func (d *doorway) do(e lane.Effect) {
	switch e := e.(type) {
	case lane.SetTimer:
		d.g.after(e.After, func() { d.step(lane.Deadline{Timer: e.Timer}) })
	case lane.Shut:
		d.g.after(time.Millisecond, func() { d.step(lane.Rested{Order: e.Order}) })
	case lane.Release:
		d.release(e)
		d.g.after(pulse, func() { d.step(lane.Rested{Order: e.Order}) })
	case lane.Append:
		d.record(e.Record)
	}
}

// release opens the barrier, and here stands the rule: its entry is durable.
func (d *doorway) release(e lane.Release) {
	d.g.w.count(func(r *Report) { r.Releases++ })
	if leaf := d.admits[e.Arrival]; leaf == nil || !d.g.card.has(e.Seq, leaf) {
		d.g.w.fail("%s released arrival %d before its record %d was durable", d.g.name, e.Arrival, e.Seq)
	}
}

// record stores a record, and answers when that is done.
func (d *doorway) record(r lane.Record) {
	leaf := d.g.leaf(body(d.g.boot, r))
	if r.Admits {
		d.admits[r.Arrival] = leaf
	}
	d.try(r, leaf)
	if r.Admits && d.g.w.plant == ReleaseBeforeRecord {
		d.step(lane.Recorded{Arrival: r.Arrival, Act: r.Act, Admits: true, Seq: d.g.card.Head().Size})
	}
}

func (d *doorway) try(r lane.Record, leaf []byte) {
	d.g.submit(item{leaf: leaf, done: func(seq uint64, err error) {
		if err != nil {
			if !r.Admits {
				d.g.after(time.Second, func() { d.try(r, leaf) })
			}
			d.step(lane.AppendFailed{Arrival: r.Arrival, Act: r.Act, Admits: r.Admits})
			d.g.after(5*time.Second, func() { d.step(lane.DeviceBack{Role: lane.RoleJournal}) })
			return
		}
		d.step(lane.Recorded{Arrival: r.Arrival, Act: r.Act, Admits: r.Admits, Seq: seq})
		if r.Decision.Outcome == screening.Isolate && !d.rung[r.Arrival] {
			d.rung[r.Arrival] = true
			d.g.ring(seq, leaf)
		}
	}})
}

// body is the entry of a record, as far as the simulation needs one.
func body(boot uint64, r lane.Record) any {
	if r.Act != lane.NoAct {
		return entry.Answer{Arrival: entry.ArrivalID{Boot: boot, Counter: r.Arrival}, Act: uint8(r.Act),
			Outcome: uint8(r.Decision.Outcome), Subject: r.Subject.ID, By: r.By, Reason: r.Reason}
	}
	return entry.Arrival{Counter: r.Arrival, End: uint8(r.End), Outcome: uint8(r.Decision.Outcome),
		Subject: r.Subject.ID, Badge: bytes.Clone(r.Badge)}
}

// isolates says whether an entry is an arrival that was isolated.
func isolates(leaf []byte) bool {
	e, err := entry.Unmarshal(leaf)
	if err != nil || e.Kind != entry.KindArrival {
		return false
	}
	var a entry.Arrival
	return e.Decode(&a) == nil && screening.Outcome(a.Outcome) == screening.Isolate
}

// visit sends somebody through the lane, and a guard who answers a stop.
func (g *gate) visit(r *rand.Rand) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.alive {
		return
	}
	d, forehead := g.door, screening.MilliC(36_500)
	if r.IntN(3) == 0 {
		forehead = 39_500
	}
	subject := screening.Subject{ID: 1 + r.Uint64N(50), Role: screening.Student}
	look := func(after time.Duration, object screening.MilliC) {
		g.after(after, func() {
			d.step(lane.Sample{Sample: screening.Sample{Object: object, Ambient: 20_000, At: d.mono()}})
		})
	}
	look(0, 22_000)
	g.after(200*time.Millisecond, func() {
		d.step(lane.Scan{Subject: subject, Digest: []byte{byte(subject.ID)}})
	})
	for i := range time.Duration(screening.SamplesPerReading) {
		look((4+2*i)*100*time.Millisecond, forehead)
	}
	g.after(between(r, time.Second, 4*time.Second), func() { d.guard() })
}

// guard frees the lane of whoever is held in it.
func (d *doorway) guard() {
	v := d.m.View()
	act := lane.TurnedAway
	if v.Allowed.Acknowledge {
		act = lane.Acknowledge
	}
	if v.Phase == lane.Held {
		d.step(lane.Answer{Arrival: v.Arrival, Version: v.Version, Act: act, By: []uint64{900}})
	}
}
