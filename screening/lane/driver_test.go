package lane

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// world is everything around one lane: a clock that moves only when told, the
// timers, the journal, the barrier. Every step goes through the checker.
type world struct {
	t       testing.TB
	m       *Machine
	cfg     Config
	now     time.Duration
	seq     uint64
	timers  [TimerKinds]*due
	appends []Record // not yet answered
	orders  []order  // not yet answered
	out     []Effect // of the last step and what followed it by itself
	records []Record // every record so far
	freed   []uint32 // arrivals that were released
	replies []error
	check   checker
	// slow leaves Append, jammed leaves Release and Shut to the test.
	slow, jammed bool
	trail        []string // the last steps
}

type due struct {
	at    time.Duration
	timer Timer
}

// order is a Release or a Shut; at is when the relay will have written OFF.
type order struct {
	number uint64
	at     time.Duration
}

var (
	fitted   = Config{Number: 1, Thermometer: true, Barrier: true, Pulse: 300 * time.Millisecond, Instrument: lens}
	watched  = Config{Number: 1, Thermometer: true, Barrier: true, Presence: true, Pulse: 300 * time.Millisecond, Instrument: lens}
	lampOnly = Config{Number: 1, Thermometer: true, Instrument: lens}
	lens     = screening.Instrument{Name: "lens", Period: 100 * time.Millisecond, AmbientLow: 5_000, AmbientHigh: 40_000}

	errBroken = errors.New("no answer from the board")
	morning   = time.Date(2026, 12, 7, 6, 50, 0, 0, time.UTC)
)

func policyOf(t testing.TB, change func(*screening.Spec)) screening.Policy {
	t.Helper()
	s := screening.Default()
	if change != nil {
		change(&s)
	}
	p, err := screening.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newWorld starts a lane whose barrier already rests.
func newWorld(t testing.TB, cfg Config) *world { return newWorldUnder(t, cfg, policyOf(t, nil)) }

func newWorldUnder(t testing.TB, cfg Config, p screening.Policy) *world {
	w := &world{t: t, cfg: cfg, check: newChecker(cfg)}
	var first []Effect
	w.m, first = New(cfg, p)
	w.check.rested, w.check.order = len(first) == 0, w.m.order
	w.carry(first)
	w.follow()
	return w
}

// do takes one event and lets journal and barrier answer, unless they are slow.
func (w *world) do(ev Event) []Effect {
	w.out = nil
	w.step(ev)
	w.follow()
	return w.out
}

func (w *world) step(ev Event) {
	s := trace{at: w.now, ev: ev, before: w.m.phase, policy: w.m.policy, version: w.m.version}
	if w.m.cur != nil {
		s.current = w.m.cur.id
	}
	if sample, ok := ev.(Sample); ok {
		b := &w.m.body
		s.counts = w.m.phase == Gathering && w.m.needs().Temperature && b.fresh && (!w.cfg.Presence || b.present) && !sample.Fault
	}
	w.trail = append(w.trail, fmt.Sprintf("%v %v %T", w.now, w.m.phase, ev))
	if _, long := ev.(PolicyChanged); !long {
		w.trail[len(w.trail)-1] += fmt.Sprintf("%+v", ev)
	}
	w.trail = w.trail[max(0, len(w.trail)-12):]
	s.out = w.m.Step(Time{Mono: w.now, Wall: morning.Add(w.now), Trusted: true}, ev)
	s.after, s.versionAfter, s.judged = w.m.phase, w.m.version, w.m.policy
	if w.m.cur != nil {
		s.next = w.m.cur.id
	}
	if err := w.check.step(s); err != nil {
		w.fail(err)
	}
	w.carry(s.out)
}

// fail ends the test with the last steps.
func (w *world) fail(err error) {
	w.t.Helper()
	w.t.Fatalf("%v\nlast steps:\n%s", err, strings.Join(w.trail, "\n"))
}

func (w *world) carry(effects []Effect) {
	w.out = append(w.out, effects...)
	for _, e := range effects {
		switch e := e.(type) {
		case SetTimer:
			w.timers[e.Timer.Kind()] = &due{w.now + e.After, e.Timer}
		case Append:
			w.records = append(w.records, e.Record)
			w.appends = append(w.appends, e.Record)
		case Release:
			w.freed = append(w.freed, e.Arrival)
			if w.cfg.Barrier {
				w.orders = append(w.orders, order{e.Order, w.now + w.cfg.Pulse})
			}
		case Shut:
			for i := range w.orders { // a pulse that runs ends now
				w.orders[i].at = min(w.orders[i].at, w.now)
			}
			w.orders = append(w.orders, order{e.Order, w.now})
		case Reply:
			w.replies = append(w.replies, e.Err)
		}
	}
}

// follow answers what is due.
func (w *world) follow() {
	for {
		switch {
		case !w.jammed && len(w.orders) > 0 && w.orders[0].at <= w.now:
			w.rest(nil)
		case !w.slow && len(w.appends) > 0:
			w.recorded()
		default:
			return
		}
	}
}

// rest answers the oldest order.
func (w *world) rest(err error) {
	o := w.orders[0]
	w.orders = w.orders[1:]
	w.step(Rested{Order: o.number, Err: err})
}

// recorded makes the oldest record durable.
func (w *world) recorded() {
	r := w.appends[0]
	w.appends = w.appends[1:]
	w.seq++
	w.step(Recorded{Arrival: r.Arrival, Act: r.Act, Admits: r.Admits, Seq: w.seq})
}

// appendFails says that the oldest record cannot be stored; one that does not admit
// stays to be tried again.
func (w *world) appendFails() {
	r := w.appends[0]
	w.appends = w.appends[1:]
	if !r.Admits {
		w.appends = append(w.appends, r)
	}
	w.step(AppendFailed{Arrival: r.Arrival, Act: r.Act, Admits: r.Admits})
}

// pass lets time go by: deadlines and ends of pulses come when they are due.
func (w *world) pass(d time.Duration) {
	w.out = nil
	for end := w.now + d; ; {
		next, kind := end, -1
		for k, t := range w.timers {
			if t != nil && t.at <= next {
				next, kind = t.at, k
			}
		}
		if !w.jammed && len(w.orders) > 0 && w.orders[0].at <= next {
			w.now = max(w.now, w.orders[0].at)
			w.follow()
			continue
		}
		w.now = next
		if kind < 0 {
			return
		}
		timer := w.timers[kind].timer
		w.timers[kind] = nil
		w.step(Deadline{timer})
		w.follow()
	}
}

func badge(id uint64) Scan {
	return Scan{Subject: screening.Subject{ID: id, Role: screening.Student}, Digest: []byte{byte(id)}}
}

func (w *world) scan(id uint64) { w.do(badge(id)) }

// look measures once, 100 ms later.
func (w *world) look(object screening.MilliC) []Effect {
	w.pass(100 * time.Millisecond)
	return w.do(Sample{Sample: screening.Sample{Object: object, Ambient: 20_000, At: w.now}})
}

// face holds a forehead before the lens for three samples.
func (w *world) face(object screening.MilliC) {
	for range screening.SamplesPerReading {
		w.look(object)
	}
}

func (w *world) empty() { w.look(22_000) }

func (w *world) present(on bool) { w.do(Presence{on}) }

// admit lets one person in, until the lane is idle and the view empty again.
func (w *world) admit(id uint64) {
	w.t.Helper()
	w.scan(id)
	w.face(36_500)
	w.pass(2 * time.Second)
	w.empty()
	w.wantReleased(id)
	w.wantPhase(Idle)
}

// press answers the present stop as the person sees it now.
func (w *world) press(a Answer) []Effect {
	v := w.m.View()
	a.Arrival, a.Version = v.Arrival, v.Version
	if a.By == nil {
		a.By = []uint64{900}
	}
	return w.do(a)
}

func typed(v screening.MilliC) Answer {
	return Answer{Act: Typed, Reading: screening.Typed("ear", screening.Ear, v, 35_000)}
}

func (w *world) last() Record { return w.records[len(w.records)-1] }

func (w *world) wantPhase(want Phase) {
	w.t.Helper()
	if w.m.Phase() != want {
		w.t.Fatalf("phase %v, want %v; decision %+v", w.m.Phase(), want, w.m.View().Decision)
	}
}

// wantReleased says that the newest release is of the subject's arrival.
func (w *world) wantReleased(subject uint64) {
	w.t.Helper()
	if len(w.freed) == 0 {
		w.t.Fatalf("nobody was released, want subject %d", subject)
	}
	id := w.freed[len(w.freed)-1]
	for _, r := range w.records {
		if r.Arrival == id && r.Admits && r.Subject.ID == subject {
			return
		}
	}
	w.t.Fatalf("arrival %d was released, want subject %d", id, subject)
}

func (w *world) wantNobodyReleased() {
	w.t.Helper()
	if len(w.freed) > 0 {
		w.t.Fatalf("arrivals %v were released", w.freed)
	}
}

func (w *world) wantStopped(why screening.Reason) {
	w.t.Helper()
	w.wantPhase(Held)
	if !w.m.View().Decision.Has(why) {
		w.t.Fatalf("stopped for %+v, want %v", w.m.View().Decision, why)
	}
}

// has reports whether the effects hold one like e.
func has(effects []Effect, like func(Effect) bool) bool {
	for _, e := range effects {
		if like(e) {
			return true
		}
	}
	return false
}

func isSignal(p Pattern) func(Effect) bool {
	return func(e Effect) bool { s, ok := e.(Signal); return ok && s.Pattern == p }
}

func isA[E Effect](e Effect) bool { _, ok := e.(E); return ok }
