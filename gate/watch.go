package gate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/watch"
)

const (
	// sickFor is how long somebody who was ill is remembered: no table looks
	// further back than fourteen school days, and a summer may lie between them.
	sickFor = 100 * 24 * time.Hour
	// sickMost and passesMost bound what is remembered, whatever the clock says.
	sickMost, passesMost = 5_000, 20_000
)

// watcher keeps what somebody should be told of many entries at once. It is fed
// with every entry that is durable, at start by those of the journal.
type watcher struct {
	g      *Gate
	limits watch.Limits
	zone   *time.Location // of the gate's clock: an entry keeps none
	wake   chan struct{}  // somebody was found ill

	mu sync.Mutex
	// sick are the newest last; cases are those of them that began as a case, by
	// its number.
	sick  []*sickness
	cases map[uint16]*sickness
	// What follows is of one day.
	day    string
	passes []passage
	stops  map[entry.ArrivalID]stop
	warned map[warning]int
	sent   map[string]sent // by deadlineName
	checks map[checkKey][]held
}

// passage is somebody who was let in.
type passage struct {
	watch.Pass
	role screening.Role
}

// stop is an arrival that was not admitted at once.
type stop struct {
	role           screening.Role
	policy         uint32
	cold, measured bool
}

// warning is a row of a policy that only warns.
type warning struct {
	policy uint32
	row    string
}

func newWatcher(g *Gate) *watcher {
	return &watcher{
		g: g, limits: watch.DefaultLimits(), zone: g.o.Now().Wall.Location(), wake: make(chan struct{}, 1),
		cases: map[uint16]*sickness{}, stops: map[entry.ArrivalID]stop{}, warned: map[warning]int{}, sent: map[string]sent{}, checks: map[checkKey][]held{},
	}
}

// durable takes an entry that was stored while the gate runs.
func (w *watcher) durable(d journal.Draft) {
	switch b := d.Body.(type) {
	case entry.Arrival:
		id, rec := arrivalRecord(w.g.journal.Boot(), b)
		w.record(id, rec, d.Lane, d.Stamp.Wall)
	case entry.Answer:
		if b.Act == entry.ActChecked || b.Act == entry.ActUnchecked {
			w.checked(b, d.Stamp.Wall, d.Stamp.Mono)
			return
		}
		id, rec := answerRecord(b)
		w.record(id, rec, d.Lane, d.Stamp.Wall)
	case entry.Case:
		w.step(b, d.Stamp.Wall)
	}
}

// replayCase takes the entry of a case at start.
func (w *watcher) replayCase(e entry.Entry) {
	var b entry.Case
	if e.Decode(&b) == nil {
		w.step(b, time.UnixMilli(e.Wall))
	}
}

// record takes what a lane or a person did.
func (w *watcher) record(id entry.ArrivalID, rec lane.Record, number uint8, wall time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wall = w.local(wall)
	w.newDay(wall)
	w.g.drift.record(rec, int(number), wall)
	s, in := w.stopped(id, rec)
	if !in {
		w.besides(rec, wall)
		return
	}
	p := watch.Pass{
		Lane: number, Subject: rec.Subject.ID, At: wall, Measured: s.measured, Low: s.cold,
		Typed: rec.Act == lane.Typed, Override: rec.Act == lane.Overridden && rec.Reason != lane.ReasonEmergency,
	}
	if rec.Reading != nil {
		p.Value = rec.Reading.Value
	}
	if rec.Act != lane.NoAct && len(rec.By) > 0 {
		p.By = rec.By[0]
	}
	if len(w.passes) < passesMost {
		w.passes = append(w.passes, passage{p, s.role})
	}
	for _, f := range rec.Decision.Failures {
		if f.Warn {
			w.warned[warning{s.policy, f.Row}]++
		}
	}
}

// stopped returns what is known of an arrival up to a record, and whether the
// record lets in. One that does not is remembered. The caller holds mu.
func (w *watcher) stopped(id entry.ArrivalID, rec lane.Record) (s stop, in bool) {
	r := rec.Reading
	s = stop{role: rec.Subject.Role, policy: rec.Policy, measured: r != nil && measured(*r), cold: rec.Decision.Has(screening.TooCold) || r != nil && r.Quality == screening.Cold}
	in = rec.Decision.Outcome == screening.Admit
	switch rec.Act {
	case lane.NoAct:
		if rec.End != lane.Decided || rec.Direction != screening.In {
			return s, false
		}
		if !in && len(w.stops) < passesMost {
			w.stops[id] = s
		}
		return s, in
	case lane.ColourSeen, lane.Typed, lane.Overridden, lane.Looked:
		before, known := w.stops[id]
		if !in || !known && rec.Reason != lane.ReasonEmergency {
			return s, false
		}
		delete(w.stops, id)
		return stop{before.role, before.policy, s.cold || before.cold, s.measured || before.measured}, true
	}
	return s, false
}

// local returns a moment as the gate's clock shows it.
func (w *watcher) local(wall time.Time) time.Time { return wall.In(w.zone) }

// tell lets run look whether there is something to tell.
func (w *watcher) tell() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// newDay forgets the day before. The caller holds mu.
func (w *watcher) newDay(wall time.Time) {
	day := wall.Format(time.DateOnly)
	if day == w.day {
		return
	}
	w.day, w.passes = day, nil
	clear(w.stops)
	clear(w.warned)
	clear(w.sent)
	clear(w.checks)
	w.sick = slices.DeleteFunc(w.sick, func(s *sickness) bool { return wall.Sub(s.at) > sickFor })
}

// run tells of clusters as they come. What the journal held at start was told
// before.
func (w *watcher) run(ctx context.Context) error {
	told, began := watch.Told{}, w.g.recorder.clock.look().Wall
	told.News(w.clusters(began))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		}
		for _, c := range told.News(w.clusters(w.g.recorder.clock.look().Wall)) {
			if w.g.siblings.before(c, began) {
				continue
			}
			w.g.log.Warn("cluster", "syndrome", c.Syndrome, "scope", c.Scope, "place", c.Place, "people", len(c.People), "step", c.Step)
			w.g.changed()
		}
	}
}

// clusters returns those that stand now.
func (w *watcher) clusters(now time.Time) []watch.Cluster {
	people, year := w.g.roster.Snapshot(), w.g.year()
	w.mu.Lock()
	var events []watch.Event
	for _, s := range w.sick {
		if e, ill := s.event(); ill {
			events = append(events, e)
		}
	}
	w.mu.Unlock()
	events = append(events, w.g.siblings.events()...)
	for i := range events {
		p, _ := people.ByID(events[i].Subject)
		events[i].Class, events[i].Dormitory = p.Class, p.Evidence.Dormitory.Name()
	}
	return watch.Clusters(events, w.g.document().Clusters, func(days int) string { return year.Since(now, days) })
}
