package gate

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
)

// TestAnInputThatIsPulledIsToldAndFollowedAgain: presence inputs and buttons
// vanish and return as other parts do, and say at once how they stand.
func TestAnInputThatIsPulledIsToldAndFollowedAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, since(7, 30))
		open(t, g)
		g.flushEarly()
		world := sim.NewWorld()
		line := world.AddLine("presence")
		g.o.Opener = world
		l := g.lanes[0]
		var levels []bool
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- g.watchLine(ctx, "presence", l.attach(lane.RolePresence), func(on bool) { levels = append(levels, on) })
		}()
		later(time.Second)
		line.Drive(true)
		later(time.Second)
		line.Unplug()
		later(10 * time.Second)
		if ev := <-l.events; ev != any(lane.DeviceLost{Role: lane.RolePresence}) || len(l.events) > 0 {
			t.Errorf("the lane was told %v and %d more", ev, len(l.events))
		}
		line.Drive(false) // while nobody looks
		line.Plug()
		later(10 * time.Second)
		if ev := <-l.events; ev != any(lane.DeviceBack{Role: lane.RolePresence}) || len(l.events) > 0 {
			t.Errorf("the lane was told %v and %d more", ev, len(l.events))
		}
		line.Drive(true)
		later(time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := []bool{false, true, false, true}; !slices.Equal(levels, want) {
			t.Errorf("levels %v, want %v", levels, want)
		}
		var told []uint8
		for row, err := range g.journal.Rows(t.Context(), 0) {
			var d entry.Device
			if err != nil {
				t.Error(err)
			} else if row.Entry.Kind == entry.KindDevice && row.Entry.Decode(&d) == nil && d.Lane == 1 && d.Role == "presence" {
				told = append(told, d.Event)
			}
		}
		if want := []uint8{entry.DeviceLost, entry.DeviceBack}; !slices.Equal(told, want) {
			t.Errorf("the journal says %v, want %v", told, want)
		}
		shut(t, g)
	})
}
