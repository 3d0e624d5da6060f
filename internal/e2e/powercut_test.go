package e2e_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/e2e"
)

// What it models: everything that was never sent to the device is gone, and
// the device has kept all that it was sent. Torn and reordered sectors are
// beyond it.
func TestAPowerCutLosesNobodyWhoCameIn(t *testing.T) {
	const runs, cuts = 2, 10
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 5))
	for range runs {
		disk := e2e.NewDisk(t)
		b, g := open(t, 200, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond, Data: filepath.Join(disk.Dir, "data")})
		pupil := 0
		for range cuts {
			for range 1 + r.IntN(4) {
				pupil++
				b.Lane(1).Admit(pupil)
			}
			pupil++
			g = power{t, b, g, disk}.cut(pupil, r.IntN(2) == 0)
		}
		g.StopCleanly()
		b.MustAudit()
	}
}

// power is what is cut.
type power struct {
	t    *testing.T
	b    *e2e.Bench
	g    *e2e.Gate
	disk e2e.Disk
}

// cut stops the gate in the middle of an arrival, copies its disk, and lets it
// go on: with sharp at the very frame that frees the barrier, otherwise at any
// moment before. In the copy stands everybody for whom a barrier was freed. It
// returns the gate that runs afterwards.
func (p power) cut(pupil int, sharp bool) *e2e.Gate {
	p.t.Helper()
	l := p.b.Lane(1)
	before := l.Ons()
	if sharp {
		p.b.Relay.Hook(func(f e2e.Frame) {
			if f.On && f.Channel == e2e.Barrier(1) {
				p.g.Signal(syscall.SIGSTOP)
			}
		})
	}
	l.Come(pupil, e2e.Healthy)
	if sharp {
		p.b.Relay.AwaitOn(p.t, e2e.Barrier(1), before+1)
		p.b.Relay.Hook(nil)
	}
	p.g.Signal(syscall.SIGSTOP)
	freed := l.Ons()
	mounted := p.disk.Cut(p.t)
	p.g.Signal(syscall.SIGCONT)
	p.t.Run("cut", func(t *testing.T) {
		path := filepath.Join(mounted(t).Dir, "data", "journal.db")
		ctx := context.WithoutCancel(t.Context())
		if _, err := e2e.Verify(ctx, path); err != nil {
			t.Fatal(err)
		}
		list, err := e2e.Entries(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		if n := e2e.Admits(list); n < freed {
			t.Errorf("%d admissions on the disk for %d ONs", n, freed)
		}
	})
	// Mostly the pause was shorter than what a lane waits for samples, or for a
	// record. Whom it does not let in any more is in nobody's way at a new start.
	if !e2e.Poll(5*time.Second, func() bool { return l.Ons() > before }) {
		p.g.Kill()
		p.g = p.b.Run()
	}
	l.Thermometer.Clear()
	p.b.Relay.AwaitState(p.t, e2e.Barrier(1), false)
	return p.g
}

// The rig of the test above must catch a gate whose flushes do nothing.
func TestAPowerCutTakesWhatALyingDiskDidNotKeep(t *testing.T) {
	const pupils = 10
	disk := e2e.NewDisk(t)
	b := e2e.NewBench(t, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond, Data: filepath.Join(disk.Dir, "data")})
	g := b.Start(e2e.Launch{Env: badDisk(t, "MENSHEN_TEST_LYING_DISK=1")})
	g.WaitReady()
	b.Enrol(pupils)
	for n := 1; n <= pupils; n++ {
		b.Lane(1).Admit(n)
	}
	g.Signal(syscall.SIGSTOP)
	mounted := disk.Cut(t)
	t.Run("cut", func(t *testing.T) {
		list, err := e2e.Entries(context.WithoutCancel(t.Context()), filepath.Join(mounted(t).Dir, "data", "journal.db"))
		if err == nil && e2e.Admits(list) >= pupils {
			t.Errorf("all %d admissions are there", pupils)
		}
	})
}
