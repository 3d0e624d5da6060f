package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/e2e"
)

// A file system that has found an error in itself stays read-only until it was
// mounted again. What was acknowledged before is there then, whoever was
// stopped is stopped still, and the lanes open.
func TestAfterAReadOnlyDiskWasMendedTheGateGoesOn(t *testing.T) {
	disk := e2e.NewDisk(t)
	place := filepath.Join(t.TempDir(), "data")
	lie := func(d e2e.Disk) {
		t.Helper()
		where := filepath.Join(d.Dir, "data")
		if err := os.MkdirAll(where, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(where, place); err != nil {
			t.Fatal(err)
		}
	}
	lie(disk)
	b, g := open(t, 3, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond, Data: place})
	page := g.SignOn()
	b.Lane(1).Admit(1)
	b.Lane(2).HoldAt(page, 2, e2e.Fever, e2e.Recheck)
	acknowledged := len(b.Entries())
	disk.FailReadOnly(t)
	b.Lane(1).Come(3, e2e.Healthy)
	page.AwaitVerdict(1, "attended")
	g.Kill()
	b.Relay.Drain(t)
	if n := b.Lane(1).Ons(); n != 1 {
		t.Errorf("barrier 1 was freed %d times, want once, before the fault", n)
	}
	mended := disk.Cut(t)(t)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	lie(mended)
	g = b.Run()
	if n := len(b.Entries()); n < acknowledged {
		t.Errorf("%d entries of %d that were acknowledged", n, acknowledged)
	}
	page = g.SignOn()
	b.Lane(2).Stop(2, e2e.Healthy, e2e.Refer)
	b.Lane(1).Thermometer.Clear()
	b.Lane(1).Admit(3)
	if err := page.SetAside(2); err != nil {
		t.Error(err)
	}
	noOns(t, b, g, 2, 0)
}
