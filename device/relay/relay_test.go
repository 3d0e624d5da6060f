package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
)

var (
	errUnplugged = errors.New("unplugged")
	errNoPort    = errors.New("no such port")
)

func deviceLines(ls ...*line) (out []device.Line) {
	for _, l := range ls {
		out = append(out, l)
	}
	return out
}

// rig is a board, an owner with two barriers (1, 2) and two signals (3, 4), and
// one log of everything that happened, each with its virtual time.
type rig struct {
	t      *testing.T
	o      *Owner
	start  time.Time
	cancel context.CancelFunc
	ended  chan error

	mu      sync.Mutex
	log     []string
	openErr error
	setErr  func(channel int, on bool) error
	block   func(channel int, on bool) // called before the frame is logged
}

func (r *rig) note(format string, a ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf("%v %s", time.Since(r.start), fmt.Sprintf(format, a...)))
}

// Set, Close and open make the rig its own Board.
func (r *rig) Set(channel int, on bool) error {
	r.mu.Lock()
	setErr, block := r.setErr, r.block
	r.mu.Unlock()
	if block != nil {
		block(channel, on)
	}
	word := map[bool]string{true: "on", false: "off"}[on]
	if setErr != nil {
		if err := setErr(channel, on); err != nil {
			r.note("%d %s fails", channel, word)
			return err
		}
	}
	r.note("%d %s", channel, word)
	return nil
}

func (r *rig) Close() error { r.note("close"); return nil }

func (r *rig) open() (Board, error) {
	r.mu.Lock()
	err := r.openErr
	r.mu.Unlock()
	if err != nil {
		r.note("open fails")
		return nil, err
	}
	r.note("open")
	return r, nil
}

// breaks makes opening and writing fail from now on; nil mends them.
func (r *rig) breaks(openErr error, setErr func(int, bool) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.openErr, r.setErr = openErr, setErr
}

func (r *rig) blocks(f func(int, bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.block = f
}

func all(err error) func(int, bool) error { return func(int, bool) error { return err } }

// done logs the outcome of a pulse or shut under a name.
func (r *rig) done(name string) func(error) {
	return func(err error) {
		word := "done"
		for _, known := range []error{ErrBusy, ErrShut, errUnplugged, errStopped, errResting, device.ErrAbsent} {
			if errors.Is(err, known) {
				word = known.Error()
				err = nil
			}
		}
		if err != nil {
			word = "refused"
		}
		r.note("%s: %s", name, word)
	}
}

// want compares what was logged since the last call, times and order included.
func (r *rig) want(want ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.log, "\n"); got != strings.Join(want, "\n") {
		r.t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	r.log = nil
}

// restart makes now the virtual time 0 and forgets the log.
func (r *rig) restart() {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log, r.start = nil, time.Now()
}

// bubble runs f on a new owner in virtual time; f calls run.
func bubble(t *testing.T, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, start: time.Now()}
		r.o = New(Config{
			Open:     r.open,
			Channels: map[int]Role{4: Signal, 2: Barrier, 1: Barrier, 3: Signal},
			Lost:     func(error) { r.note("lost") },
			Back:     func() { r.note("back") },
		})
		f(r)
		if r.ended != nil {
			_ = r.stop() // the tests of stopping have looked at its error
		}
	})
}

// warm is bubble with Run begun and the opening over.
func warm(t *testing.T, f func(r *rig)) {
	t.Helper()
	bubble(t, func(r *rig) {
		r.run()
		time.Sleep(time.Second)
		r.restart()
		f(r)
	})
}

// run begins Run.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.cancel, r.ended = cancel, make(chan error, 1)
	go func() { r.ended <- r.o.Run(ctx) }()
}

// stop ends Run and returns its error.
func (r *rig) stop() error {
	r.cancel()
	err := <-r.ended
	r.ended = nil
	return err
}

func TestStartWritesOffToBarriersBeforeAnythingElse(t *testing.T) {
	bubble(t, func(r *rig) {
		r.o.Signal(3, true)
		r.o.Pulse(1, time.Second, r.done("pulse"))
		r.run()
		r.want("0s open", "0s 1 off", "0s 2 off", "0s 3 on", "0s 4 off", "0s back", "0s 1 on")
		time.Sleep(150 * time.Millisecond)
		r.want("150ms 2 off") // that of 1 gave way to its pulse
	})
}

func TestOffIsWrittenTwice(t *testing.T) {
	bubble(t, func(r *rig) {
		r.run()
		time.Sleep(time.Hour)
		r.want("0s open", "0s 1 off", "0s 2 off", "0s 3 off", "0s 4 off", "0s back", "150ms 1 off", "150ms 2 off")
	})
}

func TestPulseIsOnForItsLengthAndOffTwice(t *testing.T) {
	for _, d := range []time.Duration{MinPulse, 300 * time.Millisecond, MaxPulse} {
		warm(t, func(r *rig) {
			r.o.Pulse(1, d, r.done("pulse"))
			time.Sleep(time.Hour)
			r.want("0s 1 on", fmt.Sprintf("%v 1 off", d), fmt.Sprintf("%v pulse: done", d),
				fmt.Sprintf("%v 1 off", d+150*time.Millisecond))
		})
	}
}

func TestPulseOutsideItsBoundsIsRefused(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, MinPulse-1, r.done("short"))
		r.o.Pulse(1, MaxPulse+1, r.done("long"))
		r.o.Pulse(3, time.Second, r.done("signal"))
		r.o.Pulse(9, time.Second, r.done("nothing"))
		r.want("0s short: refused", "0s long: refused", "0s signal: refused", "0s nothing: refused")
	})
}

func TestNewPulseCancelsTheSecondOff(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, 100*time.Millisecond, r.done("a"))
		time.Sleep(200 * time.Millisecond)
		r.o.Pulse(1, 300*time.Millisecond, r.done("b"))
		time.Sleep(time.Hour)
		r.want("0s 1 on", "100ms 1 off", "100ms a: done", "200ms 1 on", "500ms 1 off", "500ms b: done", "650ms 1 off")
	})
}

func TestPulseNeverLengthensOneThatIsOn(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, 300*time.Millisecond, r.done("a"))
		time.Sleep(200 * time.Millisecond)
		r.o.Pulse(1, 300*time.Millisecond, r.done("b"))
		r.o.Pulse(2, 50*time.Millisecond, r.done("c"))
		time.Sleep(time.Hour)
		r.want("0s 1 on", "200ms b: relay busy", "200ms 2 on", "250ms 2 off", "250ms c: done", "300ms 1 off", "300ms a: done",
			"400ms 2 off", "450ms 1 off")
	})
}

func TestShutEndsAPulseEarly(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("pulse"))
		time.Sleep(100 * time.Millisecond)
		r.o.Shut(1, r.done("shut"))
		time.Sleep(time.Hour)
		r.want("0s 1 on", "100ms 1 off", "100ms pulse: pulse shut", "100ms shut: done", "250ms 1 off")
	})
}

func TestShutWithdrawsPulsesThatWait(t *testing.T) {
	bubble(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("a"))
		r.o.Pulse(2, time.Second, r.done("b"))
		r.o.Shut(1, r.done("shut"))
		r.run()
		r.want("0s a: pulse shut", "0s open", "0s 1 off", "0s 2 off", "0s 3 off", "0s 4 off", "0s back", "0s 2 on", "0s 1 off", "0s shut: done")
	})
}

func TestFullQueueIsBusyAndLeavesRoomForShut(t *testing.T) {
	bubble(t, func(r *rig) {
		for range queueLen {
			r.o.Pulse(1, time.Second, func(error) {})
		}
		r.o.Pulse(2, time.Second, r.done("pulse"))
		for range queueLen {
			r.o.Shut(2, func(error) {})
		}
		r.o.Shut(2, r.done("shut"))
		r.want("0s pulse: relay busy", "0s shut: relay busy")
	})
}

func TestPulseThatWaitedTooLongIsRefused(t *testing.T) {
	bubble(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("old"))
		time.Sleep(maxWait + 1)
		r.run()
		r.restart()
		r.want()
		time.Sleep(time.Hour)
		r.want("150ms 1 off", "150ms 2 off")
	})
}

func TestPulseLastsItsLengthOnASlowBoard(t *testing.T) {
	warm(t, func(r *rig) {
		r.blocks(func(_ int, on bool) {
			if on {
				time.Sleep(700 * time.Millisecond)
			}
		})
		r.o.Pulse(1, 300*time.Millisecond, r.done("pulse"))
		time.Sleep(100 * time.Millisecond)
		r.o.Pulse(2, 300*time.Millisecond, r.done("stale"))
		time.Sleep(time.Hour)
		r.want("700ms 1 on", "700ms stale: relay busy", "1s 1 off", "1s pulse: done", "1.15s 1 off")
	})
}

func TestSignalKeepsItsWantedStateOverAReplug(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Signal(3, true)
		r.o.Signal(1, true) // a barrier is never held
		r.o.Signal(9, true)
		r.want("0s 3 on")
		r.breaks(nil, all(errUnplugged))
		r.o.Signal(4, true)
		r.want("0s 4 on fails", "0s close", "0s lost")
		r.o.Signal(3, true)
		r.breaks(nil, nil)
		time.Sleep(time.Hour)
		r.want("250ms open", "250ms 1 off", "250ms 2 off", "250ms 3 on", "250ms 4 on", "250ms back", "400ms 1 off", "400ms 2 off")
		r.o.Signal(3, false)
		r.want("1h0m0s 3 off")
	})
}

func TestUnplugWhileOnIsToldOnceAndShutFirst(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(2, 300*time.Millisecond, r.done("pulse"))
		time.Sleep(100 * time.Millisecond)
		r.breaks(errNoPort, all(errUnplugged))
		time.Sleep(1100 * time.Millisecond)
		// The OFF is owed, so the wait does not grow.
		r.want("0s 2 on", "300ms 2 off fails", "300ms pulse: unplugged", "300ms close", "300ms lost",
			"550ms open fails", "800ms open fails", "1.05s open fails")
		r.o.Pulse(1, time.Second, r.done("meanwhile"))
		r.o.Shut(2, r.done("shut"))
		r.want("1.2s meanwhile: device absent", "1.2s shut: device absent")
		r.breaks(nil, nil)
		time.Sleep(time.Hour)
		r.want("1.3s open", "1.3s 1 off", "1.3s 2 off", "1.3s 3 off", "1.3s 4 off", "1.3s back", "1.45s 1 off", "1.45s 2 off")

		// Nothing is owed any more: the wait grows again.
		r.restart()
		r.breaks(errNoPort, all(errUnplugged))
		r.o.Signal(3, true)
		time.Sleep(time.Second)
		r.want("0s 3 on fails", "0s close", "0s lost", "250ms open fails", "750ms open fails")
	})
}

func TestOffThatFailsIsRetriedUntilItSucceeds(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, 100*time.Millisecond, r.done("pulse"))
		r.want("0s 1 on")
		r.breaks(nil, all(errUnplugged))
		time.Sleep(700 * time.Millisecond)
		r.breaks(nil, nil)
		time.Sleep(100 * time.Millisecond)
		r.want("100ms 1 off fails", "100ms pulse: unplugged", "100ms close", "100ms lost",
			"350ms open", "350ms 1 off fails", "350ms close", "600ms open", "600ms 1 off fails", "600ms close")
		time.Sleep(100 * time.Millisecond)
		r.want("850ms open", "850ms 1 off", "850ms 2 off", "850ms 3 off", "850ms 4 off", "850ms back")
	})
}

func TestOnThatFailsIsFollowedByOff(t *testing.T) {
	warm(t, func(r *rig) {
		r.breaks(nil, func(_ int, on bool) error {
			if on {
				return errUnplugged
			}
			return nil
		})
		r.o.Pulse(1, time.Second, r.done("pulse"))
		r.want("0s 1 on fails", "0s 1 off", "0s pulse: unplugged", "0s close", "0s lost")
	})
}

func TestFaultOfAnotherChannelEndsThePulse(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("pulse"))
		r.want("0s 1 on")
		r.breaks(nil, func(channel int, _ bool) error {
			if channel == 3 {
				return errUnplugged
			}
			return nil
		})
		r.o.Signal(3, true)
		r.want("0s 3 on fails", "0s 1 off", "0s pulse: unplugged", "0s close", "0s lost")
	})
}

func TestShutThatFailsIsTold(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("pulse"))
		r.want("0s 1 on")
		r.breaks(nil, all(errUnplugged))
		r.o.Shut(1, r.done("shut"))
		r.want("0s 1 off fails", "0s pulse: unplugged", "0s shut: unplugged", "0s close", "0s lost")
	})
}

func TestRepeatedOffThatFailsLosesTheBoard(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Shut(1, r.done("shut"))
		r.want("0s 1 off", "0s shut: done")
		r.breaks(nil, all(errUnplugged))
		time.Sleep(200 * time.Millisecond)
		r.want("150ms 1 off fails", "150ms close", "150ms lost")
	})
}

func TestAbsentBoardIsSoughtWithGrowingWaits(t *testing.T) {
	bubble(t, func(r *rig) {
		r.breaks(errNoPort, nil)
		r.run()
		time.Sleep(13 * time.Second)
		r.want("0s open fails", "0s lost", "250ms open fails", "750ms open fails", "1.75s open fails", "3.75s open fails",
			"7.75s open fails", "12.75s open fails")
		r.breaks(nil, nil)
		time.Sleep(5 * time.Second)
		r.want("17.75s open", "17.75s 1 off", "17.75s 2 off", "17.75s 3 off", "17.75s 4 off", "17.75s back", "17.9s 1 off", "17.9s 2 off")
	})
}

func TestEndWritesRestAndCloses(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Signal(4, true)
		r.o.Pulse(2, time.Second, r.done("pulse"))
		r.want("0s 2 on", "0s 4 on")
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		r.want("0s 1 off", "0s 2 off", "0s 3 off", "0s 4 off", "0s pulse: pulse shut", "0s close")
		r.o.Pulse(2, time.Second, r.done("late"))
		r.want("0s late: owner stopped")
	})
}

func TestEndTellsThatRestWasNotWritten(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("pulse"))
		r.want("0s 1 on")
		r.breaks(errNoPort, func(channel int, _ bool) error {
			if channel == 1 {
				return errUnplugged
			}
			return nil
		})
		if err := r.stop(); !errors.Is(err, errUnplugged) {
			t.Errorf("got %v", err)
		}
		r.want("0s 1 off fails", "0s 2 off", "0s 3 off", "0s 4 off", "0s pulse: unplugged", "0s close")
	})
	warm(t, func(r *rig) {
		r.o.Pulse(1, time.Second, r.done("pulse"))
		synctest.Wait()
		r.breaks(errNoPort, all(errUnplugged))
		time.Sleep(2 * time.Second)
		if err := r.stop(); !errors.Is(err, device.ErrAbsent) {
			t.Errorf("with an off owed: got %v", err)
		}
	})
}

func TestRestDuringAPulseIsOffAndOnNeverReturns(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Signal(3, true)
		r.o.Pulse(1, 300*time.Millisecond, r.done("pulse"))
		r.want("0s 1 on", "0s 3 on")
		if err := r.o.Rest(); err != nil {
			t.Error(err)
		}
		r.want("0s 1 off", "0s 2 off", "0s 3 off", "0s 4 off")
		time.Sleep(time.Second)
		r.want("300ms 1 off", "300ms pulse: done", "300ms 3 off", "450ms 1 off")
		r.o.Pulse(1, time.Second, r.done("later"))
		r.o.Signal(4, true)
		r.want("1s 1 off", "1s later: at rest for good")
	})
}

// Rest passes while the owner is between its check and the wire: the OFF of
// Rest may overtake the ON, so another OFF must follow.
func TestRestDuringOnIsFollowedByOff(t *testing.T) {
	for name, ask := range map[string]func(r *rig){
		"barrier": func(r *rig) { r.o.Pulse(1, time.Second, r.done("pulse")) },
		"signal":  func(r *rig) { r.o.Signal(3, true) },
	} {
		t.Run(name, func(t *testing.T) {
			warm(t, func(r *rig) {
				release := make(chan struct{})
				r.blocks(func(_ int, on bool) {
					if on {
						<-release
					}
				})
				ask(r)
				synctest.Wait()
				if err := r.o.Rest(); err != nil {
					t.Error(err)
				}
				r.want("0s 1 off", "0s 2 off", "0s 3 off", "0s 4 off")
				close(release)
				if name == "barrier" {
					r.want("0s 1 on", "0s 1 off", "0s 1 off", "0s pulse: at rest for good")
				} else {
					r.want("0s 3 on", "0s 3 off")
				}
			})
		})
	}
}

func TestRestIsBoundedWhenAWriteIsStuck(t *testing.T) {
	warm(t, func(r *rig) {
		release := make(chan struct{})
		r.blocks(func(int, bool) { <-release })
		r.o.Shut(1, r.done("shut"))
		synctest.Wait()
		start := time.Now()
		if err := r.o.Rest(); err == nil {
			t.Error("no error though nothing was written")
		}
		if took := time.Since(start); took != restLimit {
			t.Errorf("took %v", took)
		}
		close(release)
		synctest.Wait()
	})
}

func TestRestTriesEveryChannelAndTellsFaults(t *testing.T) {
	warm(t, func(r *rig) {
		r.breaks(nil, func(channel int, _ bool) error {
			if channel == 1 {
				return errUnplugged
			}
			return nil
		})
		if err := r.o.Rest(); !errors.Is(err, errUnplugged) {
			t.Errorf("got %v", err)
		}
		r.want("0s 1 off fails", "0s 2 off", "0s 3 off", "0s 4 off")
	})
}

func TestRestWithoutABoardIsAbsenceAndForbidsOn(t *testing.T) {
	bubble(t, func(r *rig) {
		r.o.Signal(3, true)
		r.o.Pulse(1, time.Second, r.done("pulse"))
		if err := r.o.Rest(); !errors.Is(err, device.ErrAbsent) {
			t.Errorf("got %v", err)
		}
		r.run()
		r.want("0s open", "0s 1 off", "0s 2 off", "0s 3 off", "0s 4 off", "0s back", "0s 1 off", "0s pulse: at rest for good")
	})
}
