package gate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/dossier"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// laneLoop owns one lane's machine: one goroutine takes events, steps the
// machine and carries out its effects. It waits for neither network nor page.
type laneLoop struct {
	g       *Gate
	cfg     config.Lane
	log     *slog.Logger
	machine *lane.Machine
	barrier *barrier // nil when none is fitted
	gauge   *gauge
	events  chan any
	first   []lane.Effect
	people  *roster.Snapshot // taken when no arrival is open
	timers  [lane.TimerKinds]struct {
		at    time.Duration
		timer lane.Timer
		set   bool
	}
	alarm    *time.Timer
	receipt  journal.Receipt // of the event that is being stepped
	stamp    entry.Stamp     // of the event that is being stepped
	pattern  lane.Pattern    // signalled last
	buzzer   *buzzer
	passes   passes
	shown    atomic.Pointer[shown]
	mu       sync.Mutex
	replies  map[uint64]chan error
	finished chan struct{} // closed when a stop found no arrival open
	stopping bool
	compared comparison
	behind   background
}

// shown is what the last step left to be seen.
type shown struct {
	view lane.View
	at   entry.Stamp
}

// What reaches a lane's loop beside the machine's own events.
type (
	scanned  struct{ text []byte }
	recorded struct {
		event   lane.Recorded
		receipt journal.Receipt
	}
	pinged struct{ done chan struct{} }
	// pressed is the button that answers what the lane asks.
	pressed struct{}
	// refresh lets a resting lane take the newest roster.
	refresh struct{}
)

func newLaneLoop(g *Gate, c config.Lane) *laneLoop {
	l := &laneLoop{
		g: g, cfg: c, log: g.log.With("component", "lane", "lane", c.Number),
		events: make(chan any, 256), replies: map[uint64]chan error{}, finished: make(chan struct{}),
		gauge: newGauge(),
	}
	mc := lane.Config{
		Number: uint8(c.Number), Thermometer: c.Thermometer != nil, Barrier: c.Barrier != nil, Presence: c.Presence != nil,
	}
	mc.Direction, mc.Place = directionOf(c), placeOf(c)
	if t := c.Thermometer; t != nil {
		mc.Instrument = screening.Instrument{
			Name: fmt.Sprintf("%s@%d", t.Kind, c.Number), Period: t.Period,
			AmbientLow: screening.MilliC(t.Ambient[0] * 1000), AmbientHigh: screening.MilliC(t.Ambient[1] * 1000),
		}
	}
	if b := c.Barrier; b != nil {
		mc.Pulse = b.Pulse
		l.barrier = &barrier{owner: g.owners[b.Relay], cfg: *b}
	}
	l.buzzer = newBuzzer(func(on bool) { l.set(c.Lamps.Buzzer, on) }, g.quiet)
	l.machine, l.first = lane.New(mc, g.policy())
	l.shown.Store(&shown{view: l.machine.View()})
	return l
}

// send delivers an event without waiting. A full queue means that the loop
// does not turn; what is dropped then frees nothing, and the watchdog sees it.
func (l *laneLoop) send(ev any) {
	select {
	case l.events <- ev:
	default:
		l.log.Error("lane does not take events")
	}
}

// offer delivers an event from a device and waits for the loop.
func (l *laneLoop) offer(ctx context.Context, ev any) {
	l.g.live.saw(l.cfg.Number, ev, l.g.o.Now)
	if _, sample := ev.(lane.Sample); sample && l.compared.running() {
		return // of no person
	}
	select {
	case l.events <- ev:
		giveWay()
	case <-ctx.Done():
	}
}

// giveWay lets the goroutine run that was just handed something, on this very
// processor. Between a measurement and the barrier four goroutines hand on what a
// person waits for; to wake another processor for each costs a fifth of the way.
func giveWay() { runtime.Gosched() }

func (l *laneLoop) run(ctx context.Context) error {
	l.people = l.g.roster.Snapshot()
	l.stamp = l.g.recorder.now()
	l.alarm = time.NewTimer(0)
	defer l.alarm.Stop()
	l.perform(l.first)
	l.wristAgain()
	l.settle()
	for {
		select {
		case <-ctx.Done():
			return nil
		case ev := <-l.events:
			l.take(ev)
		case <-l.alarm.C:
			l.ring()
		}
	}
}

// take turns what arrived into the machine's event.
func (l *laneLoop) take(ev any) {
	switch ev := ev.(type) {
	case scanned:
		if l.g.rules.scanned(ev.text) {
			return
		}
		s := l.lookUp(ev.text)
		l.g.offerDuty(s.Subject.ID)
		l.step(s)
	case recorded:
		l.receipt = ev.receipt
		l.step(ev.event)
		l.receipt = journal.Receipt{}
	case pinged:
		close(ev.done)
	case pressed, pressedNext, pressedOpen, counted:
		l.input(ev)
	case naming:
		ev.done <- l.name(ev.subject)
	case refresh:
		l.settle()
	case siblingWord:
		l.meanwhile()
	case lane.Stop:
		l.stopping = true
		l.step(ev)
	case lane.Event:
		l.step(ev)
	}
}

func (l *laneLoop) step(ev lane.Event) {
	l.stamp = l.g.recorder.now()
	l.perform(l.machine.Step(l.time(), ev))
	l.settle()
}

func (l *laneLoop) time() lane.Time {
	return lane.Time{Mono: l.stamp.Mono, Wall: l.stamp.Wall, Trusted: l.stamp.Clock >= entry.ClockConfirmed}
}

// settle publishes what a step left, arms the next deadline, and takes a new
// roster between two arrivals.
func (l *laneLoop) settle() {
	next := &shown{view: l.machine.View(), at: l.stamp}
	before := l.shown.Swap(next)
	if before == nil || !reflect.DeepEqual(before.view, next.view) { // open pages look when they are told
		l.g.changed()
	}
	if l.machine.Resting() {
		l.people = l.g.roster.Snapshot()
	}
	if l.stopping && (l.machine.Resting() || l.machine.Phase() == lane.Held) {
		select {
		case <-l.finished:
		default:
			close(l.finished)
		}
	}
	l.arm()
}

// arm sets the one timer to the earliest deadline.
func (l *laneLoop) arm() {
	l.alarm.Stop()
	earliest, any := time.Duration(0), false
	for _, t := range l.timers {
		if t.set && (!any || t.at < earliest) {
			earliest, any = t.at, true
		}
	}
	if any {
		l.alarm.Reset(max(0, earliest-l.g.o.Now().Mono))
	}
}

// ring delivers every deadline that is due.
func (l *laneLoop) ring() {
	now := l.g.o.Now().Mono
	for i := range l.timers {
		if t := &l.timers[i]; t.set && t.at <= now {
			t.set = false
			l.step(lane.Deadline{Timer: t.timer})
		}
	}
	l.arm()
}

// lookUp finds out what a scan means here. A badge is 16 digits; anything else
// is an opaque token that is read and not verified.
func (l *laneLoop) lookUp(text []byte) lane.Scan {
	sum := sha256.Sum256(text)
	s := lane.Scan{Digest: sum[:16], Opaque: !isBadge(text)}
	if s.Opaque {
		return s
	}
	// The newest roster, and not that of the arrival that this scan ends: a badge
	// that was replaced is dead from now on.
	l.people = l.g.roster.Snapshot()
	p, ok := l.people.ByBadge(string(text))
	if !ok {
		return l.scanOfCard(s, string(text))
	}
	return l.known(p, s)
}

// known adds to a scan who was scanned, and what stands for and against them.
func (l *laneLoop) known(p roster.Person, s lane.Scan) lane.Scan {
	s.Subject = screening.Subject{ID: p.ID, Role: dossier.Role(p.Role)}
	s.Code = codeOfRoster(p)
	now := l.g.o.Now().Mono
	var h hold
	h, s.Held, s.Carried = l.g.register.look(p.ID, now)
	s.Held = s.Held && !l.g.register.mayTryAgain(p.ID, now)
	s.Recheckable, s.HighBy = s.Held && !h.grave, h.highBy
	return l.evidence(s)
}

func isBadge(text []byte) bool {
	if len(text) != 16 {
		return false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func codeOfRoster(p roster.Person) screening.Code {
	colour := map[roster.Colour]screening.Colour{roster.Green: screening.Green, roster.Yellow: screening.Yellow, roster.Red: screening.Red}[p.Colour]
	if colour == screening.ColourUnknown {
		return screening.Code{}
	}
	return screening.Code{Colour: colour, AsOf: p.ColourTime, How: screening.FromRoster}
}

// perform carries out the effects in their order.
func (l *laneLoop) perform(effects []lane.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case lane.Measure:
			l.gauge.set(e.On)
		case lane.Append:
			l.append(e.Record)
		case lane.Release:
			l.release(e)
		case lane.Shut:
			if l.barrier != nil {
				l.barrier.shut(l.rested(e.Order))
			}
		case lane.Signal:
			l.signal(e.Pattern)
		case lane.Alarm:
			l.g.alarms.raise(entry.ArrivalID{Boot: l.g.journal.Boot(), Counter: e.Arrival}, e.Subject, l.stamp.Wall)
			l.alarmed()
		case lane.SetTimer:
			t := &l.timers[e.Timer.Kind()]
			t.at, t.timer, t.set = l.stamp.Mono+e.After, e.Timer, true
		case lane.SetAside:
			l.g.register.setAside(&aside{
				ticket: e.Ticket, id: entry.ArrivalID{Boot: l.g.journal.Boot(), Counter: e.Record.Arrival}, version: 1,
				arrival: e.Arrival, decision: e.Decision, since: l.stamp.Wall, due: l.stamp.Mono + againAfter, lane: uint8(l.cfg.Number),
			})
		case lane.Reply:
			l.reply(e.Token, e.Err)
		}
	}
}

// append stores a record. What it means for the subject stands at every lane
// from now on, whether or not the record is durable yet.
func (l *laneLoop) append(rec lane.Record) {
	id := entry.ArrivalID{Boot: l.g.journal.Boot(), Counter: rec.Arrival}
	placed := !rec.Admits && l.g.register.apply(id, rec, l.stamp.Wall)
	wall, stamp := l.stamp.Wall, l.stamp
	l.g.recorder.record(uint8(l.cfg.Number), rec, l.stamp, func(receipt journal.Receipt, err error) {
		if err != nil {
			l.send(lane.AppendFailed{Arrival: rec.Arrival, Act: rec.Act, Admits: rec.Admits})
			return
		}
		if rec.Admits {
			l.g.register.apply(id, rec, wall)
			l.g.emergency.passes(rec)
		}
		l.g.alarms.stored(id, rec, receipt.Seq())
		l.g.visitLeft(id, rec, stamp)
		l.g.register.met(uint8(l.cfg.Number), id, rec, wall)
		l.g.unexplained.follow(id, rec, uint8(l.cfg.Number), wall)
		l.g.cases.cameBack(rec)
		l.g.register.didInLane(id, rec, stamp.Mono)
		l.send(recorded{lane.Recorded{Arrival: rec.Arrival, Act: rec.Act, Admits: rec.Admits, Seq: receipt.Seq()}, receipt})
		giveWay()
	})
	if rec.Admits {
		giveWay()
	}
	l.g.siblings.stopped(id, rec, uint8(l.cfg.Number), wall)
	l.g.cases.follow(id, rec, uint8(l.cfg.Number))
	// After the record, so that the entry of a stop that this causes comes behind it.
	if placed {
		for _, other := range l.g.lanes {
			if other != l {
				other.send(lane.HoldPlaced{Subject: rec.Subject.ID})
			}
		}
	}
}

// release hands the receipt of the event being stepped to the barrier. Where
// no barrier is fitted the green lamp is the release, and it follows.
func (l *laneLoop) release(e lane.Release) {
	if !l.receipt.Valid() || l.receipt.Seq() != e.Seq {
		l.log.Error("release without its receipt", "arrival", e.Arrival)
		return
	}
	l.passes.allow(l.stamp.Mono)
	if l.barrier != nil {
		l.barrier.release(l.receipt, l.rested(e.Order))
		giveWay()
	}
}

// rested tells the machine that OFF was written. A pulse that was shut early
// is answered by the shut.
func (l *laneLoop) rested(order uint64) func(error) {
	return func(err error) {
		if !errors.Is(err, relay.ErrShut) {
			l.send(lane.Rested{Order: order, Err: err})
		}
	}
}

// answer asks the machine to take a person's answer and waits for its reply.
func (l *laneLoop) answer(ctx context.Context, a lane.Answer) error {
	a.Token = l.g.tokens.Add(1)
	c := make(chan error, 1)
	l.mu.Lock()
	l.replies[a.Token] = c
	l.mu.Unlock()
	l.offer(ctx, a)
	select {
	case err := <-c:
		return err
	case <-ctx.Done():
		l.mu.Lock()
		delete(l.replies, a.Token)
		l.mu.Unlock()
		return fmt.Errorf("answer lane %d: %w", l.cfg.Number, ctx.Err())
	}
}

func (l *laneLoop) reply(token uint64, err error) {
	l.mu.Lock()
	c := l.replies[token]
	delete(l.replies, token)
	l.mu.Unlock()
	if c != nil {
		c <- err
	}
}

// press is the lane's one button: it takes the stop out of the lane in the
// names of those on duty. With nobody on duty it does nothing, and the page
// says why.
func (l *laneLoop) press() {
	v := l.machine.View()
	by := l.g.onDuty()
	if len(by) == 0 {
		return
	}
	a := lane.Answer{Arrival: v.Arrival, Version: v.Version, By: by}
	switch {
	case v.Allowed.Aside:
		a.Act, a.Ticket = lane.Aside, l.g.ticketFor(entry.ArrivalID{Boot: l.g.journal.Boot(), Counter: v.Arrival})
	case v.Allowed.Acknowledge:
		a.Act = lane.Acknowledge
	default:
		return
	}
	l.step(a)
}

func (l *laneLoop) stop() { l.send(lane.Stop{}) }

// ping waits until the loop has turned once.
func (l *laneLoop) ping(ctx context.Context) error {
	done := make(chan struct{})
	l.offer(ctx, pinged{done})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("loop does not turn")
	}
}

// parts returns the goroutines of the lane's devices.
func (l *laneLoop) parts() map[string]func(context.Context) error {
	parts := map[string]func(context.Context) error{}
	if l.cfg.Scanner != nil {
		parts["scanner"] = l.scan
	}
	if l.cfg.Thermometer != nil {
		parts["thermometer"] = l.measure
	}
	if in := l.cfg.Presence; in != nil {
		parts["presence"] = func(ctx context.Context) error {
			return l.g.watchLine(ctx, in.Pin, l.attach(lane.RolePresence), func(on bool) { l.offer(ctx, lane.Presence{On: on}) })
		}
	}
	if l.cfg.Lamps.Buzzer.Relay != "" {
		parts["buzzer"] = l.buzzer.run
	}
	maps.Copy(parts, l.inputs())
	return parts
}
