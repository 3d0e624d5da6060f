package gate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening/lane"
)

// smallDisk mounts a megabyte of memory until the end of the test.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("only root can mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill leaves no room on a disk, and returns how to make room again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(bytes.Repeat([]byte{1}, size))
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// told returns the journal's comings and goings that a lane was told of.
func told(l *laneLoop) (events []string) {
	for {
		select {
		case ev := <-l.events:
			switch ev {
			case any(lane.DeviceLost{Role: lane.RoleJournal}):
				events = append(events, "lost")
			case any(lane.DeviceBack{Role: lane.RoleJournal}):
				events = append(events, "back")
			}
		default:
			return events
		}
	}
}

// numbered is an entry that can be told from others.
func numbered(n int) journal.Draft {
	return journal.Draft{Kind: entry.KindDevice, Stamp: stillClock(), Body: entry.Device{
		Role: fmt.Sprint(n), Event: entry.DeviceFault, Detail: string(bytes.Repeat([]byte("x"), 200)),
	}}
}

// TestAFullDiskStopsAdmissionsAndLosesNothingElse fills the disk under a real
// journal: an admission fails at once and for ever, everything else waits and
// is stored in its order when there is room, which is tried every 5 s.
func TestAFullDiskStopsAdmissionsAndLosesNothingElse(t *testing.T) {
	dir := smallDisk(t)
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, stillClock)
		open(t, g)
		free := fill(t, dir)
		var stored, failed []int
		submit := func(n int) {
			g.recorder.submit(numbered(n), false, func(_ journal.Receipt, err error) {
				if err != nil {
					failed = append(failed, n)
				} else {
					stored = append(stored, n)
				}
			})
			synctest.Wait()
		}
		n := 0
		for ; len(failed) == 0 && n < 10_000; n++ {
			submit(n)
		}
		first := n - 1 // the one that found the disk full
		admission := errors.New("not answered")
		g.recorder.submit(numbered(-1), true, func(_ journal.Receipt, err error) { admission = err })
		if !errors.Is(admission, errNotNow) {
			t.Errorf("an admission on a full disk is answered with %v", admission)
		}
		for range 3 {
			submit(n)
			n++
		}
		if kept, lost := g.recorder.waiting(); kept != 4 || lost != 0 || len(failed) != 4 {
			t.Errorf("%d kept, %d lost, %d told", kept, lost, len(failed))
		}
		for _, l := range g.lanes {
			if got := told(l); !slices.Equal(got, []string{"lost"}) {
				t.Errorf("lane %d was told %v", l.cfg.Number, got)
			}
		}

		running := make(chan error, 1)
		go func() { running <- g.recorder.run(t.Context()) }()
		synctest.Wait() // the first try, on the full disk
		free()
		begun := time.Now()
		for g.waits() && time.Since(begun) < time.Minute {
			<-time.After(100 * time.Millisecond)
			synctest.Wait()
		}
		if took := time.Since(begun); took < 4*time.Second || took > 6*time.Second {
			t.Errorf("there is room, and it is used after %v", took)
		}
		if got := stored[len(stored)-4:]; !slices.Equal(got, []int{first, first + 1, first + 2, first + 3}) {
			t.Errorf("stored in the order %v, from %d", got, first)
		}
		for _, l := range g.lanes {
			if got := told(l); !slices.Equal(got, []string{"back"}) {
				t.Errorf("lane %d was told %v", l.cfg.Number, got)
			}
		}
		for row, err := range g.journal.Rows(t.Context(), 0) {
			var d entry.Device
			if err != nil || row.Entry.Kind == entry.KindDevice && row.Entry.Decode(&d) == nil && d.Role == "-1" {
				t.Errorf("the admission that failed stands in the journal, or %v", err)
			}
		}
		shut(t, g)
	})
}

func (g *Gate) waits() bool {
	kept, _ := g.recorder.waiting()
	return kept > 0
}

// TestWhatCannotBeKeptIsCounted: the memory of a gate is bounded.
func TestWhatCannotBeKeptIsCounted(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	g.recorder.failing = true
	for n := range keptMost + 3 {
		g.recorder.submit(numbered(n), false, nil)
	}
	if kept, lost := g.recorder.waiting(); kept != keptMost || lost != 3 {
		t.Errorf("%d kept, %d lost", kept, lost)
	}
}
