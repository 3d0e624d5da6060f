// Package gate assembles one gate: it opens what the board profile names,
// turns bytes and lines into events of the lanes, carries out what the lanes
// want done, writes every entry, and answers the pages.
//
// It knows no flags and no signals, never exits the process, and does not
// decide: that is package screening's. The only way from it to a barrier is a
// receipt of the journal.
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/device/sound"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
)

// Times of a gate's life.
const (
	// finishWithin is how long a stop waits for the arrivals that are open.
	finishWithin = 5 * time.Second
	// restWithin is how long a start waits for the barriers to rest before it
	// opens anything else.
	restWithin = time.Second
	// probeEvery is how often a fault of the journal is tried again.
	probeEvery = 5 * time.Second
	// heartbeatEvery makes silence visible in the journal.
	heartbeatEvery = 5 * time.Minute
)

// Options are what a gate is built from.
type Options struct {
	Config *config.Config
	Opener device.Opener
	// Now stamps entries and orders events; Mono must never step.
	Now func() entry.Stamp
	Log *slog.Logger
	// Version is the program's, for the boot entry.
	Version string
	// Web and Control are where pages and gatectl are served; either may be nil.
	Web, Control net.Listener
	// Collectors receive the journal; no two have the same name.
	Collectors []Collector
	// Rules are whose policies the gate takes.
	Rules Rules
	// Boards follow the gate from isolation rooms.
	Boards Boards
	// Siblings are the school's other gates.
	Siblings Siblings
	// Play plays sounds where the profile has [sound]; nil is sound.Aplay on the
	// device that stands there.
	Play sound.Play
	// Setup is what the page that installs a gate needs; nil for none.
	Setup *Setup
	// Banner is shown on every page when the gate runs on its last good
	// configuration: why the present one was not taken.
	Banner string
}

// Gate is one gate. Its zero value is not usable.
type Gate struct {
	o           Options
	log         *slog.Logger
	rules       *rules
	owners      map[string]*relay.Owner
	journal     *journal.Journal
	roster      *roster.Roster
	recorder    *recorder
	register    *register
	alarms      *alarms
	emergency   *emergency
	drill       *drill
	watcher     *watcher
	calendar    atomic.Pointer[calendar.Calendar] // nil where there is none
	calendarBad atomic.Bool                       // there is one that cannot be used
	counted     atomic.Pointer[counts]
	census      atomic.Pointer[census]
	questions   *questions
	clock       *ownClock
	cases       *cases
	collectors  *collectors
	siblings    *siblings
	speaker     *speaker // nil where nothing is to be heard
	lanes       []*laneLoop
	unexplained unexplained
	lonely      openings
	lost        lostParts
	fire        atomic.Bool // the fire contact has released the barriers
	sessions    *web.Sessions
	pairing     *web.Pairing
	offers      offers
	watchers    watchers
	live        live
	tokens      atomic.Uint64
	panicked    atomic.Bool
	early       early
	acceptance  *acceptance
	installer   installer
	front       atomic.Pointer[http.Handler] // the pages, once the journal is open
	opened      chan struct{}                // closed when everything above is in its place

	// calibrations and drift are about the thermometers themselves.
	calibrations *calibrations
	drift        *drift
}

// New builds a gate. Nothing is opened before Run.
func New(o Options) (*Gate, error) {
	clock := &ownClock{system: o.Now}
	o.Now = clock.now
	g := &Gate{o: o, log: o.Log.With("component", "gate"), clock: clock, register: newRegister(), owners: map[string]*relay.Owner{}, opened: make(chan struct{})}
	var err error
	if g.rules, err = newRules(g, o.Rules); err != nil {
		return nil, err
	}
	g.questions = newQuestions(g.document())
	g.alarms = newAlarms(g)
	g.emergency = newEmergency(g)
	g.drill, g.watcher = newDrill(g), newWatcher(g)
	g.cases = newCases(g)
	g.acceptance = &acceptance{g: g}
	g.recorder = newRecorder(g)
	g.calibrations, g.drift = newCalibrations(g), newDrift(g)
	g.collectors = newCollectors(g)
	g.siblings = newSiblings(g)
	g.speaker = newSpeaker(o)
	g.buildOwners()
	for _, c := range o.Config.Board.Lanes {
		g.lanes = append(g.lanes, newLaneLoop(g, c))
	}
	return g, nil
}

// Rest writes OFF to every barrier and rest to every signal, from any
// goroutine, within 100 ms and without a lock. The gate moves nothing
// afterwards.
func (g *Gate) Rest() error {
	errs := make(chan error, len(g.owners))
	for _, o := range g.owners {
		go func() { errs <- o.Rest() }()
	}
	var all []error
	for range g.owners {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// Run runs the gate until the context ends or something makes going on unsafe.
// On the way out barriers rest first and the journal closes last.
func (g *Gate) Run(ctx context.Context) (err error) {
	var down stack
	defer func() {
		if p := recover(); p != nil {
			_ = g.Rest()
			panic(p)
		}
		err = errors.Join(err, down.unwind())
	}()

	g.startRelays(ctx, &down)
	stopPages := g.startPages(ctx, &down)
	if opened, err := g.openStores(ctx, &down); !opened {
		return err
	}
	g.alarms.show()
	debug.FreeOSMemory() // a start reads the whole journal and the whole roster, and keeps little
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	running, run := errgroup.WithContext(run)
	down.push("lanes", func() error {
		stop()
		return running.Wait()
	})
	pages := g.pages()
	g.front.Store(&pages)
	close(g.opened)
	g.flushEarly()
	g.start(running, run)
	g.log.Info("gate open", "gate", g.o.Config.Gate, "lanes", len(g.lanes), "boot", g.journal.Boot())
	select {
	case <-ctx.Done():
	case <-run.Done():
		return nil // the group's own error comes with the stack
	}
	g.finish(run)
	g.restBarriers(run)
	stopPages()
	g.recorder.note(entry.Stop{Reason: "signal"}, 0)
	return nil
}

// startRelays runs the owners of the relay boards and brings every barrier to
// rest: whatever else fails to open, the barriers rest.
func (g *Gate) startRelays(ctx context.Context, down *stack) {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	var owners errgroup.Group
	for _, o := range g.owners {
		owners.Go(g.guard("relay", func() error { return o.Run(run) }))
	}
	down.push("relays", func() error {
		stop()
		return owners.Wait()
	})
	g.restBarriers(ctx)
}

// startPages serves pages from now on; until the gate is open they say that
// it is not.
func (g *Gate) startPages(ctx context.Context, down *stack) (stop func()) {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	var serving errgroup.Group
	if g.o.Web != nil {
		serving.Go(g.guard("web", func() error { return g.serveWeb(run) }))
	}
	down.push("pages", func() error {
		stop()
		return serving.Wait()
	})
	return stop
}

// openStores opens journal and roster and brings back what they say. False
// without an error: the context ended first.
func (g *Gate) openStores(ctx context.Context, down *stack) (opened bool, err error) {
	data := g.o.Config.Data
	if g.journal, err = g.openJournal(ctx, filepath.Join(data, "journal.db")); err != nil || g.journal == nil {
		return false, err
	}
	down.push("journal", g.journal.Close)
	if err = g.rebuild(ctx); err != nil {
		return false, err
	}
	g.rules.choose() // before any lane turns
	if g.roster, err = roster.Open(ctx, filepath.Join(data, "roster.db"), g.log.With("component", "roster")); err != nil {
		return false, err
	}
	down.push("roster", g.roster.Close)
	g.openDuty(ctx)
	g.openCalendar()
	g.acceptance.open()
	g.collectors.open()
	g.calibrations.open(g.collectors.key)
	g.cases.openMissing()
	return true, nil
}

// openJournal opens the journal, and tries again while the disk is at fault:
// a full or read-only disk is no reason to give up, but a damaged or locked
// file is. It returns nil without an error when the context ends.
func (g *Gate) openJournal(ctx context.Context, path string) (*journal.Journal, error) {
	for {
		j, err := journal.Open(ctx, journal.Options{Path: path, Boot: bootBody(g.o), Now: g.bootStamp, Log: g.log.With("component", "journal")})
		switch {
		case err == nil:
			return j, nil
		case ctx.Err() != nil:
			return nil, nil
		case errors.Is(err, journal.ErrDamaged), errors.Is(err, journal.ErrLocked), errors.Is(err, journal.ErrNewer):
			return nil, err
		}
		g.log.Error("journal cannot be opened; the barriers rest and it is tried again", "err", err)
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(probeEvery):
		}
	}
}

// start runs everything that belongs to an open gate.
func (g *Gate) start(group *errgroup.Group, ctx context.Context) {
	run := func(name string, f func(context.Context) error) {
		group.Go(g.guard(name, func() error { return f(ctx) }))
	}
	run("recorder", g.recorder.run)
	run("rules", g.rules.run)
	run("heartbeat", g.heartbeat)
	run("holds", g.endHolds)
	run("emergency passage", g.emergency.run)
	run("drill", g.drill.run)
	run("watch", g.watcher.run)
	run("isolation button", g.alarms.button)
	run("fire contact", g.watchFire)
	run("isolation room", g.attendRoom)
	run("visits", g.watchVisits)
	run("sound", g.playSounds)
	run("boards", g.serveBoards)
	g.collectors.start(ctx, run)
	g.siblings.start(run)
	for _, l := range g.lanes {
		run("lane", l.run)
		for name, part := range l.parts() {
			run(name, part)
		}
	}
	if g.o.Control != nil {
		run("control", g.serveControl)
	}
}

// finish lets open arrivals come to their end, and begins no others.
func (g *Gate) finish(ctx context.Context) {
	for _, l := range g.lanes {
		l.stop()
	}
	limit := time.NewTimer(finishWithin)
	defer limit.Stop()
	for _, l := range g.lanes {
		select {
		case <-l.finished:
		case <-limit.C:
			g.log.Warn("an arrival did not finish in time")
			return
		case <-ctx.Done():
			return
		}
	}
}

// restBarriers waits until every barrier has been told OFF, or cannot be.
func (g *Gate) restBarriers(ctx context.Context) {
	limit, cancel := context.WithTimeout(ctx, restWithin)
	defer cancel()
	for _, l := range g.lanes {
		if b := l.cfg.Barrier; b != nil {
			done := make(chan error, 1)
			g.owners[b.Relay].Shut(b.Number, func(err error) { done <- err })
			select {
			case <-done:
			case <-limit.Done():
			}
		}
	}
}

// guard brings the barriers to rest before a panic in f ends the process.
func (g *Gate) guard(name string, f func() error) func() error {
	return func() error {
		defer g.restOnPanic(name)
		if err := f(); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
}

// restOnPanic is deferred wherever code of the gate runs on a goroutine.
func (g *Gate) restOnPanic(name string) {
	if p := recover(); p != nil {
		if g.panicked.CompareAndSwap(false, true) {
			_ = g.Rest()
		}
		panic(fmt.Sprintf("%s: %v", name, p))
	}
}

func (g *Gate) heartbeat(ctx context.Context) error {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			g.recorder.note(entry.Heartbeat{Size: g.journal.Head().Size}, 0)
		}
	}
}

// Alive reports whether every lane has turned and the committer has answered
// within the context: what a watchdog is to be fed by.
func (g *Gate) Alive(ctx context.Context) error {
	select {
	case <-g.opened:
	case <-ctx.Done():
		return errors.New("gate is not open yet")
	}
	for _, l := range g.lanes {
		if err := l.ping(ctx); err != nil {
			return fmt.Errorf("lane %d: %w", l.cfg.Number, err)
		}
	}
	return g.journal.Ping(ctx)
}

// stack releases what was opened, last first. Every step runs.
type stack struct{ steps []step }

type step struct {
	name string
	f    func() error
}

func (s *stack) push(name string, f func() error) { s.steps = append(s.steps, step{name, f}) }

func (s *stack) unwind() error {
	var errs []error
	for i := len(s.steps) - 1; i >= 0; i-- {
		if err := s.steps[i].f(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.steps[i].name, err))
		}
	}
	return errors.Join(errs...)
}

// watchers wake whoever shows the gate.
type watchers struct {
	changes atomic.Uint64
	mu      sync.Mutex
	list    map[chan struct{}]struct{}
}

// Watch returns a channel that ticks when the view may have changed; ticks
// that nobody took are one. It ends with the context.
func (g *Gate) Watch(ctx context.Context) <-chan struct{} {
	w := &g.watchers
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list == nil {
		w.list = map[chan struct{}]struct{}{}
	}
	w.list[c] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.list, c)
	})
	return c
}

// Changes counts what Watch ticks for. No tick that is lost hides a change from
// who looks at it.
func (g *Gate) Changes() uint64 { return g.watchers.changes.Load() }

func (g *Gate) changed() {
	w := &g.watchers
	w.changes.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.list {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
