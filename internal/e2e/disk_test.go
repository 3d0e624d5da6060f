package e2e_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// dangerous is a temperature that calls the isolation room.
const dangerous e2e.Centi = 3920

// stopsWithoutRecord: with a journal that stores nothing, pupil 2, healthy, is
// not admitted at lane 1, and pupil 3, who has a dangerous fever, is stopped at
// lane 2 all the same, with the alarm.
func stopsWithoutRecord(t *testing.T, b *e2e.Bench, page *e2e.Guard) {
	t.Helper()
	b.Lane(1).Come(2, e2e.Healthy)
	page.AwaitVerdict(1, "attended")
	b.Lane(1).Thermometer.Clear()
	page.AwaitVerdict(2, "attended")
	b.Lane(2).Come(3, dangerous)
	b.Relay.AwaitState(t, e2e.Beacon, true)
	b.Relay.AwaitState(t, e2e.Buzzer, true)
	b.Relay.AwaitState(t, e2e.Red(2), true)
	page.AwaitVerdict(2, "stop")
	b.Lane(2).Thermometer.Clear()
	for n := 1; n <= e2e.Lanes; n++ {
		if b.Relay.IsOn(e2e.Barrier(n)) || b.Relay.IsOn(e2e.Green(n)) {
			t.Errorf("lane %d lets somebody in", n)
		}
	}
	if ons := b.Lane(1).Ons() + b.Lane(2).Ons(); ons != 1 {
		t.Errorf("barriers were freed %d times, want once, before the fault", ons)
	}
}

func TestDiskFullStopsButNeverAdmits(t *testing.T) {
	data := e2e.Memory(t, 2<<20)
	b, g := open(t, 4, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond, Data: data})
	page := g.SignOn()
	b.Lane(1).Admit(1)
	filler := filepath.Join(data, "filler")
	if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	stopsWithoutRecord(t, b, page)
	alarmed := e2e.Of(e2e.Subject(3), e2e.Isolate)
	if n := len(b.Find(alarmed)); n != 0 {
		t.Fatalf("%d entries on a full disk", n)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	b.AwaitEntry("the stop is stored after all", 1, alarmed)
	b.AwaitEntry("so is the admission that did not happen, as what it was", 1, e2e.Of(e2e.Subject(2), e2e.Refer))
	if !b.Relay.IsOn(e2e.Beacon) {
		t.Error("the alarm ended by being stored")
	}
	for n := 1; n <= e2e.Lanes; n++ {
		if err := page.SetAside(n); err != nil {
			t.Fatal(err)
		}
		page.AwaitVerdict(n, "none")
	}
	b.Lane(1).Admit(4)
	noOns(t, b, g, 2, 0)
}

func TestReadOnlyDiskStopsButNeverAdmits(t *testing.T) {
	disk := e2e.NewDisk(t)
	b, g := open(t, 3, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond, Data: filepath.Join(disk.Dir, "data")})
	page := g.SignOn()
	b.Lane(1).Admit(1)
	disk.FailReadOnly(t)
	stopsWithoutRecord(t, b, page)
	if !g.Alive() {
		t.Error("gated ended: a disk that is read-only is attended, not fatal")
	}
	g.Kill()
	b.Relay.Drain(t)
	if ons := b.Lane(1).Ons() + b.Lane(2).Ons(); ons != 1 {
		t.Errorf("barriers were freed %d times, want 1", ons)
	}
}

// badDisk builds the library that spoils flushes and returns what to put into
// gated's environment for one of its ways.
func badDisk(t *testing.T, way string) []string {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler")
	}
	library := filepath.Join(t.TempDir(), "disk.so")
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", library, "testdata/disk.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return []string{"LD_PRELOAD=" + library, way}
}

func TestSlowCommitIsWithheld(t *testing.T) {
	b := e2e.NewBench(t, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
	slow := filepath.Join(b.Dir, "slow")
	g := b.Start(e2e.Launch{Env: badDisk(t, "MENSHEN_TEST_SLOW_DISK="+slow)})
	g.WaitReady()
	b.Enrol(3)
	page := g.SignOn()
	l := b.Lane(1)
	l.Admit(1)
	if err := os.WriteFile(slow, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Come(2, e2e.Healthy)
	page.AwaitVerdict(1, "wait") // the record is under way, or about to be
	l.Thermometer.AwaitSeen(t, 3)
	page.AwaitVerdict(1, "again") // two seconds later the lane has given it up
	l.Thermometer.Clear()
	// The next pupil stands in the lane when the record arrives.
	l.Come(3, e2e.Healthy)
	if err := os.Remove(slow); err != nil {
		t.Fatal(err)
	}
	withheld := b.AwaitEntry("the release is withheld", 1, e2e.Acted(entry.ActReleaseWithheld))
	b.Relay.AwaitOn(t, e2e.Barrier(1), 2)
	l.Thermometer.Clear()
	noOns(t, b, g, 2, 0)
	for pupil, want := range map[int]bool{1: false, 2: true, 3: false} {
		found := b.Find(e2e.Of(e2e.Subject(pupil), e2e.Admit))
		if len(found) != 1 {
			t.Fatalf("pupil %d has %d admissions", pupil, len(found))
		}
		if got := found[0].ID == withheld.ID; got != want {
			t.Errorf("pupil %d: withheld %v, want %v", pupil, got, want)
		}
	}
}
