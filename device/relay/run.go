package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/menshen/menshen/device"
)

var errNoBoard = fmt.Errorf("no board: %w", device.ErrAbsent)

// barrier is one barrier channel. All but its number is owned by Run.
type barrier struct {
	channel   int
	done      func(error) // of the pulse that is on; nil if none is
	offDue    time.Time   // when that pulse ends
	repeatDue time.Time   // when OFF is repeated; zero if it is not
}

// finish ends the pulse that is on, if any, and tells its owner.
func (b *barrier) finish(err error) {
	done := b.done
	if done == nil {
		return
	}
	b.done = nil
	if err != nil {
		err = fmt.Errorf("relay: pulse channel %d: %w", b.channel, err)
	}
	done(err)
}

// Run owns the board until ctx ends: it opens it, writes OFF to all barriers
// before anything else, serves requests, and opens it again after a fault. At
// the end it writes OFF to every channel and closes the board; its error tells
// that this rest could not be written. Run is called once.
//
// A crash anywhere in here leaves the relays as they were last written.
func (o *Owner) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		o.turn()
		o.wait(ctx)
	}
	return o.stop()
}

// turn does everything that is due.
func (o *Owner) turn() {
	if o.board.Load() == nil && !time.Now().Before(o.openDue) {
		o.open()
	}
	for _, b := range o.barriers {
		o.keepTime(b)
	}
	for _, r := range o.takeQueue(false) {
		o.serve(r)
	}
	o.showSignals()
}

// wait returns when something is due, when something was asked, or when ctx
// ended.
func (o *Owner) wait(ctx context.Context) {
	var due <-chan time.Time
	if at := o.nextDue(); !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-due:
	}
}

// nextDue is the earliest time at which turn has something to do; zero if
// there is none.
func (o *Owner) nextDue() time.Time {
	if o.board.Load() == nil {
		return o.openDue // without a board nothing else is due
	}
	var next time.Time
	for _, b := range o.barriers {
		at := b.repeatDue
		if b.done != nil {
			at = b.offDue
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// open opens the board and brings it to rest, then its signals to their wanted
// state.
func (o *Owner) open() {
	board, err := o.cfg.Open()
	if err != nil {
		o.lose(fmt.Errorf("relay: open board: %w", err))
		return
	}
	o.board.Store(&board)
	if err := o.settle(); err != nil {
		o.lose(fmt.Errorf("relay: first write: %w", err))
		return
	}
	o.lost, o.owed, o.backoff = false, false, retryMin
	o.cfg.Back()
}

func (o *Owner) settle() error {
	for _, b := range o.barriers {
		if err := o.off(b); err != nil {
			return err
		}
	}
	o.shown = map[int]bool{}
	for _, n := range o.signals {
		if err := o.show(n, o.want(n)); err != nil {
			return err
		}
	}
	return nil
}

// keepTime ends a pulse that has lasted long enough and repeats an OFF that is
// due.
func (o *Owner) keepTime(b *barrier) {
	now := time.Now()
	switch {
	case b.done != nil && !now.Before(b.offDue):
		err := o.off(b)
		b.finish(err)
		if err != nil {
			o.lose(err)
		}
	case b.done == nil && !b.repeatDue.IsZero() && !now.Before(b.repeatDue):
		b.repeatDue = time.Time{}
		if err := o.write(b.channel, false); err != nil {
			o.lose(err)
		}
	}
}

// takeQueue empties the queue, for the last time if last.
func (o *Owner) takeQueue(last bool) []request {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queue
	o.queue = nil
	o.stopped = last
	return q
}

func (o *Owner) serve(r request) {
	switch {
	case o.board.Load() == nil:
		r.done(fmt.Errorf("relay: channel %d: %w", r.barrier.channel, errNoBoard))
	case r.pulse > 0:
		o.pulse(r)
	default:
		o.shut(r)
	}
}

func (o *Owner) pulse(r request) {
	b := r.barrier
	if b.done != nil || time.Since(r.at) > maxWait {
		r.done(fmt.Errorf("relay: pulse channel %d: %w", b.channel, ErrBusy))
		return
	}
	b.done = r.done // from here on no repeated OFF is written
	err := o.write(b.channel, true)
	if err == nil {
		b.offDue = time.Now().Add(r.pulse)
		return
	}
	offErr := o.off(b)
	b.finish(err)
	if !errors.Is(err, errResting) || offErr != nil {
		o.lose(err)
	}
}

func (o *Owner) shut(r request) {
	err := o.off(r.barrier)
	if err != nil {
		r.barrier.finish(err)
		r.done(fmt.Errorf("relay: shut channel %d: %w", r.barrier.channel, err))
		o.lose(err)
		return
	}
	r.barrier.finish(ErrShut)
	r.done(nil)
}

// showSignals writes the signals whose wanted state has changed, or all of them.
func (o *Owner) showSignals() {
	again := o.takeRefresh()
	for _, n := range o.signals {
		want := o.want(n)
		if o.board.Load() == nil || o.shown[n] == want && !again {
			continue
		}
		if err := o.show(n, want); err != nil {
			o.lose(err)
		}
	}
}

func (o *Owner) takeRefresh() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	again := o.refresh
	o.refresh = false
	return again
}

func (o *Owner) want(channel int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wanted[channel] && !o.resting.Load()
}

// show writes one signal; that Rest came in between is no fault.
func (o *Owner) show(channel int, on bool) error {
	err := o.write(channel, on)
	if errors.Is(err, errResting) {
		return nil
	}
	o.shown[channel] = on
	return err
}

// off writes OFF to a barrier and plans its repetition, or owes it.
func (o *Owner) off(b *barrier) error {
	err := o.write(b.channel, false)
	if err != nil {
		o.owed = true
		return err
	}
	b.repeatDue = time.Now().Add(repeatAfter)
	return nil
}

// write is the only place that can switch anything on. Rest may pass at any
// moment: before the first check nothing is written; after it, and whatever
// order the two writes took on the wire, OFF goes out behind ON.
func (o *Owner) write(channel int, on bool) error {
	board := *o.board.Load()
	if on && o.resting.Load() {
		return errResting
	}
	err := board.Set(channel, on)
	if on && o.resting.Load() {
		return errors.Join(errResting, err, board.Set(channel, false))
	}
	return err
}

// lose gives up a board that failed and plans its re-opening. Pulses that are
// on end here, with one attempt at OFF each: OFF is the first thing after the
// board is back.
func (o *Owner) lose(cause error) {
	for _, b := range o.barriers {
		if b.done != nil {
			_ = o.off(b) // a failure is owed, and less telling than the cause
			b.finish(cause)
		}
		b.repeatDue = time.Time{}
	}
	if board := o.board.Swap(nil); board != nil {
		if err := (*board).Close(); err != nil {
			o.cfg.Log.Warn("relay board did not close", "error", err)
		}
	}
	delay := retryMin
	if !o.owed {
		delay = o.backoff
		o.backoff = min(2*o.backoff, retryMax)
	}
	o.openDue = time.Now().Add(delay)
	if !o.lost {
		o.lost = true
		o.cfg.Lost(cause)
	}
}

// stop writes rest, closes the board, and refuses what is asked from now on.
func (o *Owner) stop() error {
	for _, r := range o.takeQueue(true) {
		r.done(fmt.Errorf("relay: channel %d: %w", r.barrier.channel, errStopped))
	}
	board := o.board.Load()
	if board == nil {
		if o.owed {
			return fmt.Errorf("relay: stop with an off owed: %w", errNoBoard)
		}
		return nil
	}
	err := o.allOff(*board)
	for _, b := range o.barriers {
		if err != nil {
			b.finish(err)
		} else {
			b.finish(ErrShut)
		}
	}
	o.board.Store(nil)
	if err := errors.Join(err, (*board).Close()); err != nil {
		return fmt.Errorf("relay: stop: %w", err)
	}
	return nil
}
