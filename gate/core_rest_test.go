package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
)

// rested reports whether OFF of both lanes' barriers, at channels 1 and 4,
// stands among frames.
func rested(frames []sim.Edge) bool {
	off := func(channel int) bool {
		return slices.ContainsFunc(frames, func(e sim.Edge) bool { return e.Channel == channel && !e.On })
	}
	return off(1) && off(4)
}

// lateRelay opens the relay board half a second late, and lists what was opened
// before the barriers had rested.
type lateRelay struct {
	device.Opener
	relay *sim.RelayBoard
	early *[]string
}

func (o lateRelay) Stream(name string) (io.ReadWriteCloser, error) {
	if name == "relay" {
		<-time.After(500 * time.Millisecond)
	} else if !rested(o.relay.Frames()) {
		*o.early = append(*o.early, name)
	}
	return o.Opener.Stream(name)
}

func TestNoOtherPartIsOpenedBeforeTheBarriersRest(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var early []string
		g, relay := build(t, dir, since(7, 30))
		g.o.Opener = lateRelay{g.o.Opener, relay, &early}
		stop := run(t, g)
		later(time.Second)
		if !rested(relay.Frames()) || len(early) > 0 {
			t.Errorf("opened before %v: %v", relay.Frames(), early)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAliveFailsWhenTheCommitterHangs: a disk that never answers is no gate
// that a watchdog should feed.
func TestAliveFailsWhenTheCommitterHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, since(7, 30))
		stop := run(t, g)
		hangs, answers := make(chan struct{}), make(chan struct{})
		if err := g.journal.Submit(numbered(1), func(journal.Receipt, error) {
			close(hangs)
			<-answers
		}); err != nil {
			t.Fatal(err)
		}
		<-hangs
		limit, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Alive(limit); err == nil || !strings.Contains(err.Error(), "committer") {
			t.Errorf("got %v", err)
		}
		close(answers)
		if err := g.Alive(t.Context()); err != nil {
			t.Errorf("a committer that answers again: %v", err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestATemperatureIsNeverTakenForALowerOne(t *testing.T) {
	for celsius, want := range map[physic.Temperature]screening.MilliC{
		37_300 * physic.MilliKelvin:        37_300,
		37_299*physic.MilliKelvin + 1:      37_300,
		37_300*physic.MilliKelvin + 1:      37_301,
		-5_000 * physic.MilliKelvin:        -5_000,
		-5_000*physic.MilliKelvin - 1:      -5_000,
		1_037_550 * physic.MilliKelvin:     1_037_550,
		-273_150 * physic.MilliKelvin:      -273_150,
		2_000_000_000 * physic.MilliKelvin: 1 << 30,
	} {
		if got := milliC(physic.ZeroCelsius + celsius); got != want {
			t.Errorf("%d nK: got %d, want %d", celsius, got, want)
		}
	}
}

// lastPage is a listener to which nobody comes, and that looks at the relays
// when it is closed.
type lastPage struct {
	closed  chan struct{}
	closing func()
}

func (l lastPage) Accept() (net.Conn, error) {
	<-l.closed
	return nil, net.ErrClosed
}

func (l lastPage) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (l lastPage) Close() error {
	l.closing()
	close(l.closed)
	return nil
}

// TestAnEndRestsTheBarriersBeforeAnythingElse: what else an end waits for, a
// page or a disk that does not answer, it waits for with barriers that rest.
func TestAnEndRestsTheBarriersBeforeAnythingElse(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, relay := build(t, dir, since(7, 30))
		var before int
		var last []sim.Edge
		g.o.Web = lastPage{make(chan struct{}), sync.OnceFunc(func() { last = relay.Frames()[before:] })}
		stop := run(t, g)
		later(time.Second) // what the start wrote, and wrote again
		before = len(relay.Frames())
		if err := stop(); err != nil {
			t.Error(err)
		}
		if !rested(last) {
			t.Errorf("when the pages ended, the relays had been told %v", last)
		}
	})
}

// TestAJournalThatCannotBeTrustedEndsTheGate: a disk at fault is tried again,
// but no time mends a file that is not what was written.
func TestAJournalThatCannotBeTrustedEndsTheGate(t *testing.T) {
	for rule, want := range map[string]error{"damaged": journal.ErrDamaged, "locked": journal.ErrLocked} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "journal.db")
			switch want {
			case journal.ErrDamaged:
				if err := os.WriteFile(path, []byte(strings.Repeat("not a journal ", 1000)), 0o600); err != nil {
					t.Fatal(err)
				}
			case journal.ErrLocked:
				j, err := journal.Open(t.Context(), journal.Options{Path: path, Now: func() entry.Stamp { return stillClock() }})
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
			}
			synctest.Test(t, func(t *testing.T) {
				g, relay := build(t, dir, since(7, 30))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := g.Run(ctx); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if !rested(relay.Frames()) || ons(relay) != 0 {
					t.Errorf("relays %v", relay.Frames())
				}
			})
		})
	}
}
