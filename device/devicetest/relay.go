package devicetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

// The channels of the suite's board.
const (
	barrierA, barrierB = 1, 2
	signal             = 3
)

const (
	// again is the time from an OFF of a barrier to its repetition.
	again = 150 * time.Millisecond
	// reopened is how soon a board is opened again that owes an OFF.
	reopened = 250 * time.Millisecond
	// outage is how long a board fails that does not fail once only: less than
	// what is left of a lull after two attempts to open it.
	outage = 600 * time.Millisecond
	// lull is the time between two orders; any fault has been mended in it.
	lull = 3 * time.Second
	// pulse is the length of every pulse, shut how far one is on when it is shut.
	pulse = 300 * time.Millisecond
	shut  = 200 * time.Millisecond
)

// RelayOwner is what moves the relays of a board.
type RelayOwner interface {
	// Run owns the board until ctx ends, and then leaves it at rest; its error
	// tells that it could not.
	Run(ctx context.Context) error
	Pulse(channel int, d time.Duration, done func(error))
	Shut(channel int, done func(error))
	Signal(channel int, on bool)
}

// RelayKind says how the suite has one kind of board, whose channels 1 and 2
// are barriers and 3 a signal.
type RelayKind struct {
	// Add puts a board into a world.
	Add func(w *sim.World) RelayBoard
	// New makes the owner of that board, which it opens through o again after
	// each fault. It calls lost when the board is found to be broken, and back
	// when it is open and written, the first time too.
	New func(o device.Opener, lost func(error), back func()) RelayOwner
}

// RelayBoard is a simulated board.
type RelayBoard struct {
	// Acts returns everything that was done to a channel, in order.
	Acts         func(channel int) []sim.Edge
	Unplug, Plug func()
}

// relayRule is one thing that the owner of a board owes, whatever befell the
// board. It returns what the owner did instead.
type relayRule struct {
	name  string
	check func(s *story) error
}

// Relay runs the suite: it plays one story without a fault, then with each
// write failing in turn, in each of the ways in which a write fails, once and
// for a while, and then with the board pulled during a pulse. Every rule holds
// of every story.
func Relay(t *testing.T, k RelayKind) {
	t.Helper()
	for _, r := range relayRules() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := k.eachStory(r.check); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func relayRules() []relayRule {
	return []relayRule{
		{"a fault is told once, and that it is over", faultIsTold},
		{"an order is answered once, and done only if it was", ordersAreAnswered},
		{"a barrier goes on by an order, once for each, and never after a fault", onByOrderOnly},
		{"a barrier goes off in time, whatever fails", offInTime},
		{"off is written twice, after each pulse and each opening", offTwice},
		{"a signal is shown as it is wanted once the board is back", signalIsShown},
		{"at the end all is at rest, or the fault is told", restAtTheEnd},
	}
}

// order is a pulse of a barrier.
type order struct {
	channel int
	at, off time.Time // when it was given, and when it has to be off
	early   bool      // it was shut
	answers []error   // of the pulse
	shut    []error   // of the shut
	open    bool      // the barrier was on when either was answered with nil
}

// story is what happened to one board. Everything in it has happened when the
// rules look at it.
type story struct {
	k      RelayKind
	board  RelayBoard
	out    *outputs
	owner  RelayOwner
	orders []*order
	wanted []want
	lost   []error
	told   []time.Time // when the board was lost
	back   []time.Time
	end    time.Time
	ended  error
	pulled bool // the board was pulled and put back
}

// want is what the signal has to show at a time.
type want struct {
	at time.Time
	on bool
}

func (k RelayKind) eachStory(check func(*story) error) error {
	sound := k.tell(&outputs{}, false)
	if err := check(sound); err != nil {
		return fmt.Errorf("without a fault: %w", err)
	}
	all, _ := sound.out.count()
	for _, lasts := range []time.Duration{0, outage} {
		for l := range pastLast {
			for at := 1; at <= all; at++ {
				if err := check(k.tell(&outputs{at: at, loss: l, lasts: lasts}, false)); err != nil {
					return fmt.Errorf("write %d of %d failed, %v, for %v: %w", at, all, l, lasts, err)
				}
			}
		}
	}
	if err := check(k.tell(&outputs{}, true)); err != nil {
		return fmt.Errorf("pulled during a pulse: %w", err)
	}
	return nil
}

// tell plays the story on a board of its own.
func (k RelayKind) tell(out *outputs, pull bool) *story {
	w := sim.NewWorld()
	out.Opener = w
	s := &story{k: k, board: k.Add(w), out: out, pulled: pull}
	s.owner = k.New(out,
		func(err error) { s.lost, s.told = append(s.lost, err), append(s.told, time.Now()) },
		func() { s.back = append(s.back, time.Now()) })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s.owner.Signal(signal, true)
	go func() { ended <- s.owner.Run(ctx) }()
	s.rest(true)
	s.order(barrierA, false)
	if pull {
		s.board.Unplug()
		time.AfterFunc(outage, s.board.Plug)
	}
	s.rest(true)
	s.order(barrierB, true)
	s.rest(true)
	s.owner.Signal(signal, false)
	s.rest(false)
	s.order(barrierA, false)
	time.Sleep(pulse / 3)
	s.owner.Signal(signal, true) // where it fails, it ends the pulse
	s.rest(true)
	s.end = time.Now()
	cancel()
	s.ended = <-ended
	synctest.Wait()
	return s
}

// rest lets everything happen that follows from the last order.
func (s *story) rest(signalOn bool) {
	time.Sleep(lull)
	s.wanted = append(s.wanted, want{time.Now(), signalOn})
}

// order pulses a barrier, and shuts it early or not.
func (s *story) order(channel int, early bool) {
	o := &order{channel: channel, at: time.Now(), early: early}
	o.off = o.at.Add(pulse)
	answer := func(list *[]error) func(error) {
		return func(err error) {
			*list = append(*list, err)
			o.open = o.open || err == nil && s.on(channel, time.Now())
		}
	}
	s.orders = append(s.orders, o)
	s.owner.Pulse(channel, pulse, answer(&o.answers))
	synctest.Wait()
	if early {
		o.off = o.at.Add(shut)
		time.Sleep(shut)
		s.owner.Shut(channel, answer(&o.shut))
		synctest.Wait()
	}
}

// on says whether a channel was on at a time, all its acts of then included.
func (s *story) on(channel int, at time.Time) (on bool) {
	for _, e := range s.board.Acts(channel) {
		if !e.At.After(at) {
			on = e.On
		}
	}
	return on
}

// wrote says whether a channel was switched at just this time.
func (s *story) wrote(channel int, on bool, at time.Time) bool {
	return slices.ContainsFunc(s.board.Acts(channel), func(e sim.Edge) bool { return e.On == on && e.At.Equal(at) })
}

// struck says whether the first write that failed was within a time.
func (s *story) struck(from, to time.Time) bool {
	_, hit := s.out.count()
	return !hit.IsZero() && !hit.Before(from) && !hit.After(to)
}
