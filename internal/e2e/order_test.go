package e2e_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/e2e"
)

// auditFrames opens the journal by a connection of its own at every ON of a
// barrier, before the next frame is taken, and demands the admission behind it.
// The returned function tells how many were looked at.
func auditFrames(t *testing.T, b *e2e.Bench) (looked func() int) {
	ctx := context.WithoutCancel(t.Context())
	n := 0 // the hook runs on one goroutine, and Drain comes after its last
	b.Relay.Hook(func(f e2e.Frame) {
		if !f.On || f.Channel != e2e.Barrier(1) && f.Channel != e2e.Barrier(2) {
			return
		}
		n++
		list, err := e2e.Entries(ctx, b.JournalPath())
		if err != nil {
			t.Error(err)
			return
		}
		if admits := e2e.Admits(list); admits < n {
			t.Errorf("ON %d of barrier at channel %d with %d admissions in the journal", n, f.Channel, admits)
		}
	})
	return func() int { return n }
}

func TestEveryReleaseHasItsAdmitOnDiskFirst(t *testing.T) {
	const pupils = 20
	b, g := quick(t, pupils)
	looked := auditFrames(t, b)
	for n := 1; n <= pupils; n++ {
		b.Lane(1).Admit(n)
	}
	noOns(t, b, g, pupils, 0)
	if looked() != pupils {
		t.Errorf("the journal was looked at %d times", looked())
	}
	head := b.MustVerify()
	if said := b.Gatectl("", "journal", "verify"); !strings.Contains(said, hex.EncodeToString(head.Root[:])) {
		t.Errorf("gatectl journal verify does not name the root %x:\n%s", head.Root, said)
	}
}

func TestAPrintedBadgeOpensTheLane(t *testing.T) {
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Skip("zbarimg is not installed")
	}
	b, g := quick(t, 2)
	pictures := filepath.Join(b.Dir, "badges")
	b.Gatectl("", "roster", "badges", pictures)
	out, err := exec.Command("zbarimg", "-q", "--raw", filepath.Join(pictures, "S2.png")).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	b.Scanners[2].Scan(t, strings.TrimSpace(string(out)))
	b.Thermometers[2].Show(e2e.Healthy)
	b.Relay.AwaitOn(t, e2e.Barrier(2), 1)
	noOns(t, b, g, 0, 1)
	if found := b.Find(e2e.Of(e2e.Subject(2), e2e.Admit)); len(found) != 1 {
		t.Errorf("pupil 2 has the admissions %s", fmt.Sprint(found))
	}
}
