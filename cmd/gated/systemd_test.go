package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/systemd"
)

// openMore is how more time is asked for.
const openMore = "EXTEND_TIMEOUT_USEC=20000000"

// manager is systemd's end of the notify socket: a descriptor that is asked
// without waiting.
type manager int

// manage listens in systemd's place, with a watchdog of a length.
func manage(t *testing.T, watchdog string) manager {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	})
	name := filepath.Join(shortDir(t), "notify")
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_USEC", watchdog)
	t.Setenv("WATCHDOG_PID", "")
	return manager(fd)
}

// told returns what was said since the last call.
func (m manager) told() (all []string) {
	b := make([]byte, 200)
	for {
		n, _, err := unix.Recvfrom(int(m), b, 0)
		if err != nil {
			return all // EAGAIN: nothing more
		}
		all = append(all, string(b[:n]))
	}
}

func TestSystemdIsToldHowTheGateIs(t *testing.T) {
	m := manage(t, "400000")
	p := start(t, "-config", configure(t, shortDir(t)))
	var all []string
	await(t, "the watchdog is fed twice", func() bool {
		all = append(all, m.told()...)
		return len(all) >= 3
	})
	if !slices.Equal(all[:3], []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"}) {
		t.Errorf("told %q", all)
	}
	p.stop()
	if all = m.told(); len(all) == 0 || all[len(all)-1] != "STOPPING=1" || slices.Contains(all, "READY=1") {
		t.Errorf("at the end told %q", all)
	}
}

// A page that explains is a service that runs: the watchdog must not end it.
func TestThePageOfFaultsFeedsTheWatchdogToo(t *testing.T) {
	m := manage(t, "400000")
	p := start(t, "-explain", "127.0.0.1:0", "-config", configure(t, shortDir(t), `langauge = "en"`))
	p.page(http.StatusServiceUnavailable)
	var all []string
	await(t, "the watchdog is fed", func() bool {
		all = append(all, m.told()...)
		return slices.Contains(all, "READY=1") && slices.Contains(all, "WATCHDOG=1")
	})
	p.stop()
}

// life is how a gate answers to whether it is alive.
type life struct{ atomic.Uint32 }

const (
	well uint32 = iota
	hangs
	fails
)

func (l *life) alive(ctx context.Context) error {
	switch l.Load() {
	case fails:
		return net.ErrClosed
	case hangs:
		<-ctx.Done()
		return errors.New("loop does not turn")
	}
	return nil
}

func TestAGateThatHangsDoesNotFeedTheWatchdog(t *testing.T) {
	m := manage(t, "20000000")
	for name, ail := range map[string]uint32{"a loop that does not answer": hangs, "a journal that is closed": fails} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l life
				stop := systemd.Tell(t.Context(), l.alive, slog.New(slog.DiscardHandler))
				after := func(d time.Duration) []string {
					time.Sleep(d)
					synctest.Wait()
					return m.told()
				}
				if all := after(25 * time.Second); !slices.Equal(all, []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"}) {
					t.Errorf("alive: told %q", all)
				}
				l.Store(ail)
				if all := after(time.Minute); all != nil {
					t.Errorf("hanging: told %q", all)
				}
				l.Store(well)
				if all := after(20 * time.Second); !slices.Contains(all, "WATCHDOG=1") {
					t.Errorf("alive again: told %q", all)
				}
				stop()
				if all := m.told(); !slices.Equal(all, []string{"STOPPING=1"}) {
					t.Errorf("at the end: told %q", all)
				}
			})
		})
	}
}

// A long journal or a full disk keeps a gate from opening for longer than the
// unit's TimeoutStartSec.
func TestAGateThatOpensLateAsksForMoreTimeAndIsNotReady(t *testing.T) {
	m := manage(t, "20000000")
	synctest.Test(t, func(t *testing.T) {
		var l life
		l.Store(fails)
		stop := systemd.Tell(t.Context(), l.alive, slog.New(slog.DiscardHandler))
		time.Sleep(16 * time.Second)
		synctest.Wait()
		if all := m.told(); !slices.Equal(all, []string{openMore, openMore, openMore}) {
			t.Errorf("opening: told %q", all)
		}
		l.Store(well)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if all := m.told(); !slices.Equal(all, []string{openMore, "READY=1"}) {
			t.Errorf("open: told %q", all)
		}
		stop()
	})
}

func TestWithoutSystemdNothingIsSaid(t *testing.T) {
	m := manage(t, "")
	t.Setenv("NOTIFY_SOCKET", "")
	systemd.Tell(t.Context(), (&life{}).alive, slog.New(slog.DiscardHandler))()
	if all := m.told(); all != nil {
		t.Errorf("told %q", all)
	}
}
