package gate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

const (
	// foundDrill marks a case of a drill: it counts nowhere, no collector is told
	// of its alarm, and it ends with the drill.
	foundDrill = "drill"
	// drillArrivals is from where on the arrivals of a drill are numbered. No lane
	// counts so far in one process, so that none of them is anybody's.
	drillArrivals = 1 << 31
	// drillName stands where the name of who plays would stand.
	drillName = "演练 DRILL"
	// drillMost is how many people a drill may have.
	drillMost = 50
)

// drill is the drill that a leader has begun. It changes nothing at the lanes:
// who arrives meanwhile is as real as ever. It does not outlive the process,
// which those who drill must not take for the end of an alarm.
type drill struct {
	g *Gate
	// turning is held by whoever begins or ends it until the entry is durable.
	turning sync.Mutex
	wake    chan struct{} // the time of its end has changed

	mu    sync.Mutex
	until time.Duration // monotonic; 0 while there is none
	made  uint32        // arrivals since the process started
	// open says that the journal knows of no end of one that began in an earlier
	// process.
	open bool
}

func newDrill(g *Gate) *drill { return &drill{g: g, wake: make(chan struct{}, 1)} }

// drilled reports whether a case belongs to a drill.
func drilled(c casefile.Case) bool { return slices.Contains(c.Found, foundDrill) }

// left returns for how long the drill goes on, 0 where there is none.
func (d *drill) left() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == 0 {
		return 0
	}
	return max(0, d.until-d.g.o.Now().Mono)
}

// on reports whether there is a drill.
func (d *drill) on() bool { return d.left() > 0 }

// minutes are those that are left of it, begun ones counted.
func (d *drill) minutes() int { return int((d.left() + time.Minute - 1) / time.Minute) }

// Drill implements desk.Drills.
func (p deskPage) Drill() (minutes int) { return p.drill.minutes() }

// BeginDrill implements desk.Drills. The entry comes first: a drill that nobody
// can find in the journal would make its alarms false ones.
func (p deskPage) BeginDrill(ctx context.Context, plan desk.DrillPlan) error {
	d := p.drill
	d.turning.Lock()
	defer d.turning.Unlock()
	if err := p.leads(ctx, plan.By, plan.PIN); err != nil {
		return fmt.Errorf("begin drill: %w", err)
	}
	if d.on() || plan.For <= 0 || plan.For > desk.DrillLongest {
		return guard.ErrStale
	}
	until := p.recorder.clock.look().Wall.Add(plan.For)
	if err := p.recorder.wait(ctx, entry.Answer{Act: entry.ActDrill, By: p.names(plan.By.ID), Reason: plan.Reason, Until: until.UnixMilli()}); err != nil {
		return err
	}
	d.mu.Lock()
	d.until = p.o.Now().Mono + plan.For
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
	p.changed()
	return nil
}

// leads finds out whether somebody is a leader and knows the own PIN.
func (p deskPage) leads(ctx context.Context, by web.Person, pin string) error {
	person, known := p.roster.Snapshot().ByID(by.ID)
	if !known {
		return guard.ErrNotAllowed
	}
	who, err := (staff{p.roster}).CheckPIN(ctx, person.Badge, pin)
	switch {
	case err != nil:
		return err
	case who.Duties&web.DutyLeader == 0:
		return guard.ErrNotAllowed
	}
	return nil
}

// DrillCase implements desk.Drills: somebody who plays a fever at the gate. The
// whole chain follows as from a lane that isolates, but for the collectors.
func (p deskPage) DrillCase(ctx context.Context, by web.Person) (number int, err error) {
	d := p.drill
	d.turning.Lock()
	defer d.turning.Unlock()
	d.mu.Lock()
	n := d.made
	d.made++
	d.mu.Unlock()
	if !d.on() || len(p.cases.drills()) >= drillMost {
		return 0, guard.ErrStale
	}
	id := entry.ArrivalID{Boot: p.journal.Boot(), Counter: drillArrivals + n}
	opened, heard, err := p.cases.begin(opening{arrival: id, origin: casefile.FromGate.String(), found: []string{foundDrill}, by: p.names(by.ID)}, 0)
	if err != nil {
		return 0, err
	}
	p.alarms.raiseDrill(id, p.recorder.clock.look().Wall)
	select {
	case err = <-heard:
	case <-ctx.Done():
		err = fmt.Errorf("open drill case: %w", ctx.Err())
	}
	return int(opened), err
}

// EndDrill implements desk.Drills. It ends at once, whether or not that can be
// recorded now.
func (p deskPage) EndDrill(ctx context.Context, by web.Person) error {
	p.drill.turning.Lock()
	defer p.drill.turning.Unlock()
	if !p.drill.clear(true) {
		return guard.ErrStale
	}
	body := entry.Answer{Act: entry.ActDrill, By: p.names(by.ID)}
	if err := p.recorder.wait(ctx, body); err != nil {
		p.recorder.note(body, 0)
		return err
	}
	return nil
}

// clear ends the drill with all that belongs to it: where now is false, only one
// whose time is over. It reports whether there was one to end.
func (d *drill) clear(now bool) bool {
	d.mu.Lock()
	over := d.until != 0 && (now || d.until <= d.g.o.Now().Mono)
	if over {
		d.until = 0
	}
	d.mu.Unlock()
	if over {
		d.g.cases.endDrill()
		d.g.alarms.endDrill()
	}
	return over
}

// run writes down the end that comes by itself, and of one that a restart has
// ended.
func (d *drill) run(ctx context.Context) error {
	d.mu.Lock()
	open := d.open
	d.open = false
	d.mu.Unlock()
	if open {
		d.g.recorder.note(entry.Answer{Act: entry.ActDrill, Reason: reasonRestart}, 0)
	}
	for {
		var over <-chan time.Time
		d.mu.Lock()
		until := d.until
		d.mu.Unlock()
		if until != 0 {
			over = time.After(until - d.g.o.Now().Mono)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.wake:
		case <-over:
			d.overdue()
		}
	}
}

// overdue takes the end that has come by itself.
func (d *drill) overdue() {
	d.turning.Lock()
	defer d.turning.Unlock()
	if d.clear(false) {
		d.g.recorder.note(entry.Answer{Act: entry.ActDrill}, 0)
	}
}

// replay takes one entry of the journal at start. A drill that began before this
// process is over, and so are its cases.
func (d *drill) replay(a entry.Answer) {
	d.open = a.Until != 0
	if !d.open {
		d.g.cases.endDrill()
	}
}

// replayed ends what the journal knows no end of.
func (d *drill) replayed() {
	if d.open {
		d.g.cases.endDrill()
	}
}

// raiseDrill calls the room to somebody who plays.
func (a *alarms) raiseDrill(id entry.ArrivalID, since time.Time) {
	a.mu.Lock()
	a.open[id] = &alarm{id: id, since: since, mono: a.g.monoOf(since), stored: true, drill: true}
	a.muted = 0
	a.times++
	a.mu.Unlock()
	a.show()
}

// who returns the name and class of whom an alarm is about.
func (a alarm) who(people *roster.Snapshot) (name, class string) {
	if a.drill {
		return drillName, ""
	}
	return nameOf(people, a.subject)
}

// endDrill silences the alarms of a drill.
func (a *alarms) endDrill() {
	a.mu.Lock()
	for id, x := range a.open {
		if x.drill {
			delete(a.open, id)
		}
	}
	a.mu.Unlock()
	a.show()
}

// drills returns the numbers of the open cases of a drill.
func (c *cases) drills() (numbers []uint16) {
	for _, x := range c.list() {
		if drilled(x.file) {
			numbers = append(numbers, x.file.Number)
		}
	}
	return numbers
}

// stepDrill takes what a step means for a case that is played: nobody is held,
// nobody comes in, and nothing is owed. The caller holds mu.
func (c *cases) stepDrill(x *caseNow) {
	if !x.file.Open() {
		delete(c.open, x.file.Number)
		c.g.register.endCase(x.file.Number)
	}
}

// endDrill ends the cases of a drill.
func (c *cases) endDrill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number, x := range c.open {
		if drilled(x.file) {
			delete(c.open, number)
			c.g.register.endCase(number)
		}
	}
}
