// Package relay is the only thing that moves relays.
//
// It knows boards of relays, which of their channels are barriers and which
// are signals, how long a pulse lasts, and what rest is: every channel off. It
// does not know who is let through, nor why; it has no policy and no memory of
// arrivals.
//
// No board here can be read back, and an LCUS board keeps its last state when
// the host dies. So nothing is believed: OFF is the first thing written to a
// board that was opened, it is written to a barrier twice, and a barrier that
// could not be written OFF stays owed until it was. What a dead host leaves on
// only hardware can end: a barrier that opens on a pulse, or a timer of its
// own. A board profile must say which one there is.
package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a pulse. A level that must be held needs a hardware timer.
const (
	MinPulse = 50 * time.Millisecond
	MaxPulse = 3 * time.Second
)

const (
	// repeatAfter is the time from an OFF to its repetition.
	repeatAfter = 150 * time.Millisecond
	// restLimit bounds Rest.
	restLimit = 100 * time.Millisecond
	// retryMin and retryMax bound the wait before a board is opened again;
	// while an OFF is owed it is always retryMin.
	retryMin = 250 * time.Millisecond
	retryMax = 5 * time.Second
	// queueLen bounds the pulses that wait for the owner; a Shut has as many
	// places again.
	queueLen = 16
	// maxWait is the age at which a waiting pulse is refused: a board that was
	// stuck must not open a barrier for somebody who has gone.
	maxWait = 500 * time.Millisecond
)

// What a caller of Pulse or Shut may branch on.
var (
	// ErrBusy: too many requests wait, the pulse waited too long, or a pulse of
	// this channel is still on.
	ErrBusy = errors.New("relay busy")
	// ErrShut: the pulse was ended or withdrawn by Shut or by the end of Run.
	ErrShut = errors.New("pulse shut")
)

var (
	errResting = errors.New("at rest for good")
	errStopped = errors.New("owner stopped")
)

// Role says what a channel does. The zero Role is the careful one.
type Role int

const (
	// Barrier rests off and is only ever pulsed.
	Barrier Role = iota
	// Signal is a lamp, buzzer or beacon: it rests off, and its wanted state
	// is restored when the board comes back.
	Signal
)

// Config is what an Owner is made of.
type Config struct {
	// Open opens the board; the owner calls it again after every fault.
	Open func() (Board, error)
	// Channels gives every channel in use its role.
	Channels map[int]Role
	// Lost is called when the board is first found to be missing or broken,
	// Back when it is open and every channel has been written, the first time
	// too: the two alternate. Both run on the owner's goroutine and must not
	// block. They may be nil.
	Lost func(error)
	Back func()
	// Log may be nil.
	Log *slog.Logger
}

// Owner holds the wanted state of one board. Its methods may be called from
// any goroutine and never wait for the board, but for Rest, which is bounded.
//
// The functions called done are called exactly once, on the owner's goroutine
// or, if the request is refused at once, by the caller's own call; they must
// not block and not be nil.
type Owner struct {
	cfg      Config
	barriers []*barrier // the list is fixed; the rest of each is owned by Run
	signals  []int      // fixed

	// Shared, guarded by mu, which is never held over a call.
	mu      sync.Mutex
	queue   []request
	wanted  map[int]bool
	refresh bool // every signal is to be written again
	stopped bool

	wake chan struct{} // capacity 1: something above changed

	// Shared with Rest, without a lock.
	board   atomic.Pointer[Board] // nil while there is none
	resting atomic.Bool           // set once: ON is never written again

	// Owned by Run.
	shown   map[int]bool
	lost    bool
	owed    bool // some barrier may be on and could not be written off
	backoff time.Duration
	openDue time.Time
}

// request is a Pulse, or a Shut if pulse is 0.
type request struct {
	barrier *barrier
	pulse   time.Duration
	at      time.Time
	done    func(error)
}

// New returns the owner of the board that cfg.Open opens; Run does the work.
func New(cfg Config) *Owner {
	if cfg.Lost == nil {
		cfg.Lost = func(error) {}
	}
	if cfg.Back == nil {
		cfg.Back = func() {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	o := &Owner{cfg: cfg, wanted: map[int]bool{}, wake: make(chan struct{}, 1), backoff: retryMin}
	for _, n := range slices.Sorted(maps.Keys(cfg.Channels)) {
		if cfg.Channels[n] == Signal {
			o.signals = append(o.signals, n)
		} else {
			o.barriers = append(o.barriers, &barrier{channel: n})
		}
	}
	return o
}

// Pulse switches a barrier on now and off after d, MinPulse..MaxPulse, and
// writes that OFF once more 150 ms later unless another pulse has begun. It
// calls done(nil) right after the first OFF was written, and done with an error
// if ON failed (OFF is attempted all the same), if OFF failed (OFF is then
// written until it succeeds), or if the pulse was refused. A pulse never
// lengthens one that is on: that is ErrBusy.
func (o *Owner) Pulse(channel int, d time.Duration, done func(error)) {
	if d < MinPulse || d > MaxPulse {
		done(fmt.Errorf("relay: pulse channel %d: length %v outside %v..%v", channel, d, MinPulse, MaxPulse))
		return
	}
	o.enqueue(channel, d, done)
}

// Shut switches a barrier off now, and once more 150 ms later. It ends a pulse
// early and withdraws those that wait: their done is called with ErrShut. It
// calls its own done after the first OFF.
func (o *Owner) Shut(channel int, done func(error)) {
	for _, done := range o.withdraw(channel) {
		done(fmt.Errorf("relay: pulse channel %d: %w", channel, ErrShut))
	}
	o.enqueue(channel, 0, done)
}

// withdraw takes a channel's waiting pulses out of the queue.
func (o *Owner) withdraw(channel int) (done []func(error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = slices.DeleteFunc(o.queue, func(r request) bool {
		hit := r.barrier.channel == channel && r.pulse > 0
		if hit {
			done = append(done, r.done)
		}
		return hit
	})
	return done
}

func (o *Owner) enqueue(channel int, pulse time.Duration, done func(error)) {
	if err := o.offer(channel, pulse, done); err != nil {
		done(fmt.Errorf("relay: channel %d: %w", channel, err))
		return
	}
	o.signalWake()
}

func (o *Owner) offer(channel int, pulse time.Duration, done func(error)) error {
	i := slices.IndexFunc(o.barriers, func(b *barrier) bool { return b.channel == channel })
	if i < 0 {
		return errors.New("not a barrier")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		return errStopped
	}
	limit := queueLen
	if pulse == 0 {
		limit = 2 * queueLen // pulses must not keep a Shut out
	}
	if len(o.queue) >= limit {
		return ErrBusy
	}
	o.queue = append(o.queue, request{barrier: o.barriers[i], pulse: pulse, at: time.Now(), done: done})
	return nil
}

// Signal sets the wanted state of a signal channel; the last one counts. Any
// other channel is refused with a log line: no barrier is ever held on.
func (o *Owner) Signal(channel int, on bool) {
	if !slices.Contains(o.signals, channel) {
		o.cfg.Log.Error("relay channel is not a signal", "channel", channel)
		return
	}
	o.mu.Lock()
	o.wanted[channel] = on
	o.mu.Unlock()
	o.signalWake()
}

// Refresh writes every signal once more as it is wanted. No board says that it
// was pulled: where nothing else is written for a while, this finds out.
func (o *Owner) Refresh() {
	o.mu.Lock()
	o.refresh = true
	o.mu.Unlock()
	o.signalWake()
}

func (o *Owner) signalWake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Rest writes OFF to every channel, barriers first, straight to the board that
// is open now, and forbids ON for ever: a Run that was just writing ON writes
// OFF behind it. It takes no lock and returns within 100 ms, so it may be
// called from a panic, a second signal or a watchdog, any number of times. The
// error tells that some OFF was not written in time; a write that is stuck is
// left behind with its goroutine.
func (o *Owner) Rest() error {
	o.resting.Store(true)
	board := o.board.Load()
	if board == nil {
		return fmt.Errorf("relay: rest: %w", errNoBoard)
	}
	result := make(chan error, 1)
	go func() { result <- o.allOff(*board) }()
	limit := time.NewTimer(restLimit)
	defer limit.Stop()
	select {
	case err := <-result:
		if err != nil {
			return fmt.Errorf("relay: rest: %w", err)
		}
		return nil
	case <-limit.C:
		return fmt.Errorf("relay: rest: not written within %v", restLimit)
	}
}

// allOff tries every channel whatever happens to the others. It reads only
// what never changes, for Rest's sake.
func (o *Owner) allOff(board Board) error {
	var errs []error
	for _, b := range o.barriers {
		errs = append(errs, board.Set(b.channel, false))
	}
	for _, n := range o.signals {
		errs = append(errs, board.Set(n, false))
	}
	return errors.Join(errs...)
}
