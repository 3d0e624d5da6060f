package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// Why no case was opened.
var (
	// errCaseOpen: one is open for that person or that arrival already.
	errCaseOpen = errors.New("a case is open already")
	// errNotStored: the entry waits for a journal that does not store. The case
	// stands all the same.
	errNotStored = errors.New("case is not recorded yet")
)

// opening is what a case begins with.
type opening struct {
	subject uint64          // 0 where nobody knows who it is
	arrival entry.ArrivalID // zero where there was none
	origin  string          // a word of package casefile
	found   []string        // closed words: reasons of a stop, or symptoms
	by      []uint64        // nobody where the gate opens it by itself
	reading *screening.Reading
	at      time.Time // when, where it is entered from paper; zero is now
}

// cases are those that have not ended. They are rebuilt from the journal at start
// by what takes them while the gate runs: see take.
type cases struct {
	g        *Gate
	stepping sync.Mutex // held from the look at a case until its step is durable

	mu   sync.Mutex
	open map[uint16]*caseNow      // also those of who is away and owes a return
	had  map[entry.ArrivalID]bool // arrivals that have had their case
	// wrong counts, by subject, digits of a phone that no guardian has.
	wrong map[uint64]int
	// left are those whose way out stands open.
	left []casefile.Case
	// ended are those that ended on one day, the newest last.
	ended []casefile.Case
}

// caseNow is one case at this gate that has not ended.
type caseNow struct {
	file    casefile.Case
	arrival entry.ArrivalID
	since   time.Duration // monotonic, when it was opened
	stored  bool          // the entry that opened it is durable
	steps   []taken       // when each of its events was taken
	free    bool          // cleared, and nobody is held for it any more
	back    bool          // came in by a lane after that
}

func newCases(g *Gate) *cases {
	return &cases{g: g, open: map[uint16]*caseNow{}, had: map[entry.ArrivalID]bool{}, wrong: map[uint64]int{}}
}

// openCase opens a case by hand and returns its number once its entry is
// durable. The hold stands from the press on, whether or not it can be recorded.
func (g *Gate) openCase(ctx context.Context, o opening) (number uint16, err error) {
	if len(o.by) == 0 {
		return 0, guard.ErrNotAllowed
	}
	number, heard, err := g.cases.begin(o, 0)
	if err != nil {
		return 0, err
	}
	g.tellHold(o.subject)
	select {
	case err = <-heard:
		return number, err
	case <-ctx.Done():
		return number, fmt.Errorf("open case: %w", ctx.Err())
	}
}

// tellHold tells the lanes that a hold stands now.
func (g *Gate) tellHold(subject uint64) {
	if subject == 0 {
		return
	}
	for _, l := range g.lanes {
		l.send(lane.HoldPlaced{Subject: subject})
	}
}

// begin opens a case. Heard gets one answer: nil when the entry is durable, or
// that it waits. It waits for nothing itself: lanes call it.
func (c *cases) begin(o opening, laneNumber uint8) (number uint16, heard <-chan error, err error) {
	origin, ok := casefile.ParseOrigin(o.origin)
	if !ok {
		return 0, nil, fmt.Errorf("open case: no origin %q", o.origin)
	}
	stamp := c.g.recorder.now()
	b := entry.Case{
		Step: entry.CaseOpened, Arrival: o.arrival, Subject: o.subject, By: o.by, Origin: uint8(origin), Found: o.found, Reading: readingBody(o.reading),
		Rounds: extraRounds(c.g.caseRules()),
	}
	if !o.at.IsZero() {
		b.At = o.at.UnixMilli()
	}
	if number, err = c.enter(b, takenAt(stamp, b)); err != nil {
		return 0, nil, err
	}
	b.Number = number
	answer := make(chan error, 1)
	c.g.recorder.submit(journal.Draft{Kind: entry.KindCase, Stamp: stamp, Lane: laneNumber, Body: b}, false, func(_ journal.Receipt, err error) {
		if err == nil {
			c.durable(number)
		} else {
			err = errNotStored
		}
		select {
		case answer <- err:
		default: // it was told that it waits
		}
	})
	c.g.changed()
	return number, answer, nil
}

// enter takes an opening that finds its own number: that of the ticket under
// which the person waits, or the next.
func (c *cases) enter(b entry.Case, at taken) (uint16, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := c.about(b.Subject)
	if had := c.had[b.Arrival]; open || had {
		if b.Arrival != (entry.ArrivalID{}) {
			c.had[b.Arrival] = true // it belongs to the case that is open
		}
		return 0, errCaseOpen
	}
	b.Number = 0
	for _, a := range c.g.register.list() {
		if b.Arrival == a.id {
			b.Number = a.ticket
		}
	}
	if b.Number == 0 {
		b.Number = c.g.register.nextTicket()
	}
	if !c.start(b, at, false) {
		return 0, casefile.ErrEvent
	}
	return b.Number, nil
}

// about returns the number of the open case of somebody. Who is away may come
// with another. The caller holds mu.
func (c *cases) about(subject uint64) (uint16, bool) {
	for number, x := range c.open {
		if x.file.Subject == subject && subject != 0 && x.file.Open() {
			return number, true
		}
	}
	return 0, false
}

// ofSubject returns the number of the open case of somebody.
func (c *cases) ofSubject(subject uint64) (uint16, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.about(subject)
}

func (c *cases) durable(number uint16) {
	c.mu.Lock()
	if x := c.open[number]; x != nil {
		x.stored = true
	}
	c.mu.Unlock()
	c.g.changed()
}

// follow opens a case with the first record of an arrival that isolates.
func (c *cases) follow(id entry.ArrivalID, rec lane.Record, laneNumber uint8) {
	if rec.Decision.Outcome != screening.Isolate || rec.Admits {
		return
	}
	o := opening{subject: rec.Subject.ID, arrival: id, origin: casefile.FromGate.String(), found: reasonKeys(rec.Decision)}
	if rec.Reading != nil && measured(*rec.Reading) {
		o.reading = rec.Reading
	}
	_, _, err := c.begin(o, laneNumber)
	if err != nil && !errors.Is(err, errCaseOpen) {
		c.g.log.Error("case not opened", "arrival", id, "err", err)
	}
}

// openMissing opens the cases of alarms that no case belongs to: a crash fell
// between the two entries.
func (c *cases) openMissing() {
	for _, a := range c.g.alarms.list() {
		o := opening{subject: a.subject, arrival: a.id, origin: casefile.FromGate.String(), at: a.since}
		if _, _, err := c.begin(o, 0); err != nil && !errors.Is(err, errCaseOpen) {
			c.g.log.Error("case not opened", "arrival", a.id, "err", err)
		}
	}
}

// ticketFor returns the number under which an arrival is set aside: that of its
// case, or the next.
func (g *Gate) ticketFor(id entry.ArrivalID) uint16 {
	g.cases.mu.Lock()
	for number, x := range g.cases.open {
		if x.arrival == id && id != (entry.ArrivalID{}) {
			g.cases.mu.Unlock()
			return number
		}
	}
	g.cases.mu.Unlock()
	return g.register.nextTicket()
}

// stepCase takes one step of a case, at the version that was seen: the entry
// first, because what the page says is done must be so after a restart.
func (g *Gate) stepCase(ctx context.Context, number uint16, version int, e casefile.Event) error {
	c := g.cases
	c.stepping.Lock()
	defer c.stepping.Unlock()
	x, ok := c.look(number)
	if !ok || x.file.Version() != version {
		return guard.ErrStale
	}
	if !x.stored {
		return errNotStored // the journal must not tell the step before the case
	}
	if e.Step == casefile.Identified && drilled(x.file) {
		return guard.ErrNotAllowed // it is played: nobody is held for it
	}
	if e.Step == casefile.Identified {
		if _, open := c.ofSubject(e.Subject); open {
			return errCaseOpen
		}
	}
	next, err := x.file.Step(e)
	if err != nil {
		return fmt.Errorf("%w: %w", guard.ErrNotAllowed, err)
	}
	if x.file.Open() && (e.Step == casefile.Arrived || !next.Open()) {
		if err := g.leaveAside(ctx, x.arrival, e.By); err != nil {
			return err
		}
	}
	b := stepBody(next, x.arrival, e)
	if err := g.recorder.wait(ctx, b); err != nil {
		return err
	}
	c.mu.Lock()
	c.step(b, takenAt(g.recorder.clock.look(), b))
	c.mu.Unlock()
	if e.Step == casefile.Identified || next.Phase() == casefile.Away {
		g.tellHold(next.Subject)
	}
	if x.file.Open() && x.arrival != (entry.ArrivalID{}) { // zero would silence every alarm
		g.alarms.acknowledge(x.arrival, e.By)
	}
	g.alarms.show() // a duty may be done
	return nil
}

// leaveAside takes the person of a case off the list of those who wait at the
// gate. Whatever stopped them there stays with them.
func (g *Gate) leaveAside(ctx context.Context, id entry.ArrivalID, by []uint64) error {
	for _, a := range g.register.list() {
		if a.id != id {
			continue
		}
		act := lane.TurnedAway
		if a.decision.Outcome == screening.Isolate {
			act = lane.Acknowledge
		}
		if err := g.answerAside(ctx, a, lane.Answer{Act: act, By: by}); err != nil && !errors.Is(err, guard.ErrStale) {
			return err
		}
	}
	return nil
}

func (c *cases) look(number uint16) (caseNow, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.open[number]
	if x == nil {
		return caseNow{}, false
	}
	return *x, true
}

// list returns the open cases, the longest wait first.
func (c *cases) list() []caseNow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.those(casefile.Case.Open)
}

// all returns the cases that have not ended, the oldest first.
func (c *cases) all() []caseNow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.those(func(casefile.Case) bool { return true })
}

// those returns some of the cases, the oldest first. The caller holds mu.
func (c *cases) those(which func(casefile.Case) bool) []caseNow {
	now := c.g.recorder.clock.look()
	for _, x := range c.open {
		x.anchor(now)
	}
	out := make([]caseNow, 0, len(c.open))
	for _, x := range c.open {
		if which(x.file) {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(x, y caseNow) int {
		return cmp.Or(cmp.Compare(x.since, y.since), cmp.Compare(x.file.Number, y.file.Number))
	})
	return out
}

// guess takes digits of a phone that somebody has named, and reports whether
// they are believed: after too many wrong ones none are.
func (c *cases) guess(subject uint64, right bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.wrong[subject] >= wrongMost:
		return false
	case right:
		delete(c.wrong, subject)
	default:
		c.wrong[subject]++
	}
	return right
}
