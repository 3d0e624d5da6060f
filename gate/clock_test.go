package gate

import (
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
)

func TestHowFarTheClockIsTrusted(t *testing.T) {
	noon := time.Date(2020, 12, 7, 12, 0, 0, 0, time.UTC)
	for rule, c := range map[string]struct {
		system    entry.Clock
		wall      time.Time
		confirmed bool
		want      entry.Clock
	}{
		"before the newest entry it is unset":       {wall: noon.Add(-time.Second), want: entry.ClockUnset},
		"from the newest entry on it has a floor":   {wall: noon, want: entry.ClockFloor},
		"a person's word confirms":                  {wall: noon, confirmed: true, want: entry.ClockConfirmed},
		"a battery is better than a word":           {system: entry.ClockRTC, wall: noon, confirmed: true, want: entry.ClockRTC},
		"a battery that is empty proves nothing":    {system: entry.ClockRTC, wall: noon.Add(-time.Second), want: entry.ClockUnset},
		"a word is better than an empty battery":    {system: entry.ClockRTC, wall: noon.Add(-time.Second), confirmed: true, want: entry.ClockConfirmed},
		"network time is best, whatever stands yet": {system: entry.ClockSynced, wall: noon.Add(-time.Hour), want: entry.ClockSynced},
	} {
		t.Run(rule, func(t *testing.T) {
			w := clockWatch{now: func() entry.Stamp { return entry.Stamp{Wall: c.wall, Clock: c.system} }, floor: noon, confirmed: c.confirmed}
			if s, step := w.stamp(); s.Clock != c.want || step != 0 {
				t.Errorf("got %v, step %v", s.Clock, step)
			}
		})
	}
}

func TestAStepIsSeenOnceAndEndsWhatWasConfirmed(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for _, by := range []time.Duration{years, -years, 2001 * time.Millisecond, -2001 * time.Millisecond} {
		now := entry.Stamp{Mono: time.Hour, Wall: time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC)}
		w := clockWatch{now: func() entry.Stamp { return now }}
		w.stamp()
		w.confirm()
		now.Mono += time.Minute
		now.Wall = now.Wall.Add(time.Minute + by)
		s, step := w.stamp()
		if step != by || s.Clock >= entry.ClockConfirmed {
			t.Errorf("by %v: seen %v, then trusted as %v", by, step, s.Clock)
		}
		if _, again := w.stamp(); again != 0 {
			t.Errorf("by %v: seen twice", by)
		}
	}
}

func TestASlowCorrectionIsNoStep(t *testing.T) {
	now := entry.Stamp{Wall: time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC)}
	w := clockWatch{now: func() entry.Stamp { return now }}
	w.stamp()
	w.confirm()
	for range 100 {
		now.Mono += time.Minute
		now.Wall = now.Wall.Add(time.Minute + 2*time.Second)
		if s, step := w.stamp(); step != 0 || s.Clock != entry.ClockConfirmed {
			t.Fatalf("step %v, %v", step, s.Clock)
		}
	}
}

func TestAJumpAheadDoesNotRaiseTheFloor(t *testing.T) {
	start := time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC)
	now := entry.Stamp{Wall: start}
	w := clockWatch{now: func() entry.Stamp { return now }}
	w.stamp()
	now.Wall = start.Add(24 * time.Hour)
	w.stamp()
	if w.floor != start {
		t.Errorf("the floor is %v", w.floor)
	}
}
