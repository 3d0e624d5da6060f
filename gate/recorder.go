package gate

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening/lane"
)

// keptMost bounds the entries that wait for a journal that does not store. A
// gate fills it in a morning; what comes later is counted and lost, loudly.
const keptMost = 10_000

// errNotNow: the journal fails, so an admission is not even tried.
var errNotNow = errors.New("the journal does not store")

// recorder stands between the gate and its journal. An admission that cannot
// be stored fails at once; everything else is kept in order and tried again.
type recorder struct {
	g       *Gate
	log     *slog.Logger
	clock   clockWatch
	wake    chan struct{}
	mu      sync.Mutex
	failing bool
	kept    []kept
	lost    int
}

// kept is one entry that waits, and who hears that it is stored.
type kept struct {
	draft journal.Draft
	done  func(journal.Receipt, error)
}

func newRecorder(g *Gate) *recorder {
	return &recorder{g: g, log: g.log.With("component", "recorder"), clock: clockWatch{now: g.o.Now}, wake: make(chan struct{}, 1)}
}

// now stamps an event, and writes an entry when the clock has stepped.
func (r *recorder) now() entry.Stamp {
	s, step := r.clock.stamp()
	if step != 0 && r.g.journal != nil {
		r.submit(journal.Draft{Kind: entry.KindClock, Stamp: s, Body: entry.ClockStep{StepMilli: step.Milliseconds(), Clock: s.Clock}}, false, nil)
	}
	return s
}

// note stores a body of the gate's own.
func (r *recorder) note(body any, laneNumber uint8) {
	kind, ok := entry.KindOf(body)
	if !ok {
		return
	}
	r.submit(journal.Draft{Kind: kind, Stamp: r.now(), Lane: laneNumber, Body: body}, false, nil)
}

// record stores a lane's record. Done hears of it once: of an admission, what
// became of it; of anything else, that it is durable, or first that it is not
// yet and later that it is. It must not block.
func (r *recorder) record(laneNumber uint8, rec lane.Record, stamp entry.Stamp, done func(journal.Receipt, error)) {
	b := body(r.g.journal.Boot(), rec, r.g.roster.Snapshot().Version, r.g.onDuty())
	kind, _ := entry.KindOf(b)
	r.submit(journal.Draft{Kind: kind, Stamp: stamp, Lane: laneNumber, Body: b}, rec.Admits, done)
}

// wait stores a body of the gate's own and returns when it is durable.
func (r *recorder) wait(ctx context.Context, body any) error { return r.waitAt(ctx, 0, body) }

// waitAt stores a body about a lane as wait does.
func (r *recorder) waitAt(ctx context.Context, laneNumber uint8, body any) error {
	_, err := r.seqAt(ctx, laneNumber, body)
	return err
}

// seqAt stores as waitAt does and returns the number of the entry.
func (r *recorder) seqAt(ctx context.Context, laneNumber uint8, body any) (uint64, error) {
	kind, _ := entry.KindOf(body)
	d := journal.Draft{Kind: kind, Stamp: r.now(), Lane: laneNumber, Body: body}
	receipt, err := r.g.journal.Append(ctx, d)
	if err != nil {
		return 0, err
	}
	r.g.watcher.durable(d)
	r.g.collectors.grew()
	return receipt.Seq(), nil
}

// recordAt stores a record of an arrival that began at another boot, or that
// left its lane. What it returns is closed once the record is durable, or is
// known to wait for a journal that does not store.
func (r *recorder) recordAt(boot uint64, laneNumber uint8, rec lane.Record, stamp entry.Stamp) <-chan struct{} {
	heard := make(chan struct{})
	tell := sync.OnceFunc(func() { close(heard) })
	b := body(boot, rec, r.g.roster.Snapshot().Version, nil)
	kind, _ := entry.KindOf(b)
	id := entry.ArrivalID{Boot: boot, Counter: rec.Arrival}
	r.submit(journal.Draft{Kind: kind, Stamp: stamp, Lane: laneNumber, Body: b}, false, func(receipt journal.Receipt, err error) {
		if err == nil {
			r.g.alarms.stored(id, rec, receipt.Seq())
		}
		tell()
	})
	return heard
}

func (r *recorder) submit(d journal.Draft, admits bool, done func(journal.Receipt, error)) {
	if done == nil {
		done = func(journal.Receipt, error) {}
	}
	k := kept{d, done}
	if r.refused(k, admits) {
		return
	}
	answered := func(receipt journal.Receipt, err error) {
		defer r.g.restOnPanic("journal") // on the committer's goroutine
		if err != nil {
			r.fail(k, admits, err)
			return
		}
		done(receipt, nil) // first: the lane waits for it
		r.g.watcher.durable(d)
		r.g.collectors.grew()
	}
	if err := r.g.journal.Submit(d, answered); err != nil {
		answered(journal.Receipt{}, err)
	}
}

// refused answers at once, and keeps what does not admit, while the journal
// does not store.
func (r *recorder) refused(k kept, admits bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing {
		r.refuse(k, admits, errNotNow)
	}
	return r.failing
}

// fail tells every lane that nothing can be stored, once.
func (r *recorder) fail(k kept, admits bool, err error) {
	r.mu.Lock()
	first := !r.failing
	r.failing = true
	r.refuse(k, admits, err)
	r.mu.Unlock()
	if first {
		r.log.Error("journal does not store", "err", err)
		r.tell(lane.DeviceLost{Role: lane.RoleJournal})
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// refuse keeps an entry, unless it admits, and says so. The caller holds the
// lock: a retry in between would leave the entry behind, or tell a lane that
// the journal is back before it hears that it failed.
func (r *recorder) refuse(k kept, admits bool, err error) {
	switch {
	case admits:
	case len(r.kept) >= keptMost:
		r.lost++
	default:
		r.kept = append(r.kept, k)
	}
	k.done(journal.Receipt{}, err)
}

func (r *recorder) tell(ev lane.Event) {
	for _, l := range r.g.lanes {
		l.send(ev)
	}
	r.g.changed()
}

// waiting returns how many entries are not stored yet, or never will be.
func (r *recorder) waiting() (kept, lost int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept), r.lost
}

// run tries the kept entries again, in order, every five seconds while there
// is a fault. Storing the first of them is the probe.
func (r *recorder) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		}
		tick := time.NewTicker(probeEvery)
		for !r.retry(ctx) {
			select {
			case <-ctx.Done():
				tick.Stop()
				return nil
			case <-tick.C:
			}
		}
		tick.Stop()
		r.log.Info("journal stores again")
		r.tell(lane.DeviceBack{Role: lane.RoleJournal})
	}
}

// retry stores what is kept; true when nothing is left. With nothing kept a
// device entry is the probe.
func (r *recorder) retry(ctx context.Context) bool {
	r.mu.Lock()
	if len(r.kept) == 0 {
		s := r.clock.look()
		r.kept = append(r.kept, kept{journal.Draft{Kind: entry.KindDevice, Stamp: s, Body: entry.Device{
			Role: lane.RoleJournal.String(), Event: entry.DeviceBack,
		}}, func(journal.Receipt, error) {}})
	}
	r.mu.Unlock()
	for {
		r.mu.Lock()
		if len(r.kept) == 0 {
			r.failing, r.kept = false, nil
			r.mu.Unlock()
			return true
		}
		k := r.kept[0]
		r.mu.Unlock()
		receipt, err := r.g.journal.Append(ctx, k.draft)
		if err != nil {
			return false
		}
		r.mu.Lock()
		r.kept = r.kept[1:]
		r.mu.Unlock()
		k.done(receipt, nil)
		r.g.watcher.durable(k.draft)
		r.g.collectors.grew()
	}
}
