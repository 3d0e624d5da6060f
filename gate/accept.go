package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/setup"
)

// acceptFile holds an acceptance under way, below the data directory: one of its
// steps is a power cut.
const acceptFile = "acceptance.json"

// The ways in which an acceptance ends, and in which a step of it does.
const (
	acceptPassed = "passed"
	acceptFailed = "failed"
	stepSeen     = "seen"
)

// acceptStep is one thing that is tried at a gate where it stands.
type acceptStep struct {
	// key stands in the pages' words behind "accept.".
	key string
	// count is how often the journal must show it since the step began, and of
	// counts that.
	count int
	of    func(tally) int
	// asks says that a person has to say what no program sees.
	asks bool
}

// acceptSteps are in the order in which they are taken: each leaves the gate as
// the next one needs it.
func acceptSteps() []acceptStep {
	return []acceptStep{
		{"badge", 1, func(t tally) int { return t.admitted }, false},
		{"forehead", 3, func(t tally) int { return t.measured }, false},
		{"warm", 1, func(t tally) int { return t.fevers }, true},
		{"cable", 1, func(t tally) int { return t.admitted }, true},
		{"scanner", 1, func(t tally) int { return t.scanners }, false},
		{"power", 1, func(t tally) int { return t.cuts }, false},
		{"heights", 3, func(t tally) int { return t.measured }, true},
	}
}

// tally is what the journal shows since a step began.
type tally struct {
	// next is the first entry that was not looked at.
	next uint64
	// admitted and measured count people, fevers whoever was stopped for one,
	// scanners how often a scanner went and came back, cuts how often a process
	// began without the one before having ended.
	admitted, measured, fevers, scanners, cuts int

	lost, stopped bool
}

// see takes one entry.
func (t *tally) see(row journal.Row) {
	e := row.Entry
	t.next = row.Seq + 1
	switch e.Kind {
	case entry.KindBoot:
		if !t.stopped {
			t.cuts++
		}
	case entry.KindArrival:
		var a entry.Arrival
		if e.Decode(&a) == nil {
			t.arrived(a)
		}
	case entry.KindDevice:
		var d entry.Device
		if e.Decode(&d) != nil || d.Role != lane.RoleScanner.String() {
			break
		}
		if t.lost && d.Event == entry.DeviceBack {
			t.scanners++
		}
		t.lost = d.Event == entry.DeviceLost
	}
	t.stopped = e.Kind == entry.KindStop
}

func (t *tally) arrived(a entry.Arrival) {
	if a.End == entry.EndDecided && screening.Outcome(a.Outcome) == screening.Admit && a.Subject != 0 {
		t.admitted++
	}
	if a.Reading != nil && screening.Quality(a.Reading.Quality) == screening.Valid {
		t.measured++
	}
	if a.End == entry.EndOrphan || a.End == entry.EndDecided && screening.Outcome(a.Outcome) == screening.Isolate {
		t.fevers++
	}
}

// trial is an acceptance under way, as its file has it.
type trial struct {
	Installer, Witness string
	// Results are those of the steps that are over; From is the first entry that
	// counts for the present one.
	Results []string
	From    uint64
}

// acceptance is whether the gate was accepted where it stands. That it was not
// stops nobody.
type acceptance struct {
	g *Gate
	// last is the newest entry of one; nil where there is none.
	last atomic.Pointer[setup.Accepted]
	mu   sync.Mutex
	// run is the one under way, nil where there is none, and seen what the journal
	// shows of its present step.
	run  *trial
	seen tally
}

func (a *acceptance) file() string { return filepath.Join(a.g.o.Config.Data, acceptFile) }

// open takes up the acceptance that the last process left. One that cannot be
// read is begun again.
func (a *acceptance) open() {
	b, err := os.ReadFile(a.file())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var run trial
	if err == nil {
		err = json.Unmarshal(b, &run)
	}
	if err != nil || len(run.Results) >= len(acceptSteps()) {
		a.g.log.Warn("acceptance under way not read; begin it again", "err", err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.run, a.seen = &run, tally{next: run.From}
}

// replay takes the entry of an acceptance.
func (a *acceptance) replay(rec lane.Record, wall time.Time) bool {
	if uint8(rec.Act) != entry.ActAccepted {
		return false
	}
	a.last.Store(&setup.Accepted{At: wall, Passed: rec.Reason == acceptPassed})
	return true
}

// passed returns when the gate was accepted last; zero where the last try failed,
// or there was none.
func (a *acceptance) passed() time.Time {
	if last := a.last.Load(); last != nil && last.Passed {
		return last.At
	}
	return time.Time{}
}

// look brings the tally up to date. The caller holds mu, and there is a run.
func (a *acceptance) look(ctx context.Context) error {
	for row, err := range a.g.journal.Rows(ctx, a.seen.next) {
		if err != nil {
			return fmt.Errorf("look at the journal: %w", err)
		}
		a.seen.see(row)
	}
	return nil
}

// keep writes the run down, or that there is none. The caller holds mu.
func (a *acceptance) keep(run *trial) error {
	if run == nil {
		err := os.Remove(a.file())
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	b, err := json.Marshal(run)
	if err != nil {
		return err
	}
	if err := replaceFile(a.file(), b); err != nil {
		return fmt.Errorf("keep acceptance: %w", err)
	}
	return nil
}

// Accepting implements setup.Acceptance.
func (p setupPage) Accepting(ctx context.Context) (setup.Acceptance, error) {
	a := p.acceptance
	a.mu.Lock()
	defer a.mu.Unlock()
	out := setup.Acceptance{Last: a.last.Load()}
	if a.run == nil {
		return out, nil
	}
	if err := a.look(ctx); err != nil {
		return out, err
	}
	out.Begun = true
	for i, s := range acceptSteps() {
		one := setup.Step{Key: s.key, Of: s.count, Asks: s.asks}
		switch {
		case i < len(a.run.Results):
			one.Result = a.run.Results[i]
		case i == len(a.run.Results):
			one.Now, one.Count = true, min(s.of(a.seen), s.count)
		}
		out.Steps = append(out.Steps, one)
	}
	return out, nil
}

// BeginAcceptance implements setup.Acceptance. One that was under way is dropped.
func (p setupPage) BeginAcceptance(_ context.Context, installer, witness string) error {
	if _, err := (entry.Accepted{Installer: installer, Witness: witness}).Blob(); err != nil || installer == witness {
		return setup.ErrNames
	}
	a := p.acceptance
	a.mu.Lock()
	defer a.mu.Unlock()
	run := &trial{Installer: installer, Witness: witness, From: p.journal.Head().Size}
	if err := a.keep(run); err != nil {
		return err
	}
	a.run, a.seen = run, tally{next: run.From}
	return nil
}

// SayAcceptance implements setup.Acceptance. What the journal must show cannot be
// said in its place. The last step ends the acceptance with its entry: before that
// is durable nothing is accepted, and a crash between the two asks once more.
func (p setupPage) SayAcceptance(ctx context.Context, key, word string) error {
	a := p.acceptance
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.run == nil || acceptSteps()[len(a.run.Results)].key != key {
		return setup.ErrStale
	}
	s := acceptSteps()[len(a.run.Results)]
	if err := a.look(ctx); err != nil {
		return err
	}
	shown := s.of(a.seen) >= s.count
	switch {
	case word == setup.SayNo, word == setup.SaySkipped:
	case !shown:
		return setup.ErrNotSeen
	case s.asks && word == setup.SayYes:
	case !s.asks && word == setup.SayNext:
		word = stepSeen
	default:
		return setup.ErrStale
	}
	next := *a.run
	next.Results = append(next.Results[:len(next.Results):len(next.Results)], word)
	next.From = p.journal.Head().Size
	if len(next.Results) == len(acceptSteps()) {
		return a.end(ctx, next)
	}
	if err := a.keep(&next); err != nil {
		return err
	}
	a.run, a.seen = &next, tally{next: next.From}
	return nil
}

// end writes the entry. The caller holds mu.
func (a *acceptance) end(ctx context.Context, run trial) error {
	body := entry.Answer{Act: entry.ActAccepted, Reason: acceptFailed, By: a.staff(run)}
	for i, s := range acceptSteps() {
		body.Rows = append(body.Rows, s.key+":"+run.Results[i])
	}
	if !slices.Contains(run.Results, setup.SayNo) && slices.ContainsFunc(run.Results, func(r string) bool { return r != setup.SaySkipped }) {
		body.Reason = acceptPassed // of a gate at which nothing was tried nobody knows anything
	}
	blob, err := (entry.Accepted{Installer: run.Installer, Witness: run.Witness}).Blob()
	if err != nil {
		return err
	}
	stamp := a.g.recorder.now()
	draft := journal.Draft{Kind: entry.KindAnswer, Stamp: stamp, Body: body, Private: blob}
	if err := a.g.store(ctx, draft, func(error) {}); err != nil {
		return err
	}
	a.last.Store(&setup.Accepted{At: stamp.Wall, Passed: body.Reason == acceptPassed})
	a.run = nil
	return a.keep(nil)
}

// staff returns the roster numbers of those who have these names alone.
func (a *acceptance) staff(run trial) []uint64 {
	var by []uint64
	for _, name := range []string{run.Installer, run.Witness} {
		var found []uint64
		for p := range a.g.roster.Snapshot().All() {
			if strings.TrimSpace(name) == p.Name {
				found = append(found, p.ID)
			}
		}
		if len(found) == 1 {
			by = append(by, found[0])
		}
	}
	return by
}
