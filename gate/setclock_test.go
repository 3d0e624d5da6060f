package gate

import (
	"errors"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

func typed(month time.Month, day, hour, minute int) guard.ClockTime {
	return guard.ClockTime{Month: month, Day: day, Hour: hour, Minute: minute, By: web.Person{ID: teacherID}}
}

// unsure is a gate whose board has no battery: its clock stands at the evening
// before.
func unsure(t *testing.T) (deskPage, *clockAt) {
	t.Helper()
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(at(6, 22, 4))
	c.quality.Store(int64(entry.ClockUnset))
	d := atDesk(t, dir, c)
	t.Cleanup(func() { shut(t, d.Gate) })
	return d, c
}

func TestATypedTimeIsTheGatesFromThenOn(t *testing.T) {
	d, c := unsure(t)
	if d.View().ClockTrusted {
		t.Fatal("trusted before anybody looked")
	}
	if err := d.SetClock(t.Context(), typed(12, 7, 6, 41)); err != nil {
		t.Fatal(err)
	}
	if v := d.View(); !v.ClockTrusted || !v.Now.Equal(at(7, 6, 41)) {
		t.Errorf("shows %v, trusted %v", v.Now, v.ClockTrusted)
	}
	c.wall.Add(60)
	if s, step := d.recorder.clock.stamp(); !s.Wall.Equal(at(7, 6, 42)) || s.Clock != entry.ClockConfirmed || step != 0 {
		t.Errorf("a minute later %v, %v, step %v", s.Wall, s.Clock, step)
	}
	var steps []entry.ClockStep
	for row, err := range d.journal.Rows(t.Context(), 0) {
		var s entry.ClockStep
		if err == nil && row.Entry.Kind == entry.KindClock && row.Entry.Decode(&s) == nil {
			steps = append(steps, s)
		}
	}
	if want := at(7, 6, 41).Sub(at(6, 22, 4)).Milliseconds(); len(steps) != 1 || steps[0].StepMilli != want || steps[0].Clock != entry.ClockConfirmed || steps[0].By[0] != teacherID {
		t.Errorf("entries %+v, want one step of %d", steps, want)
	}
	if err := d.SetClock(t.Context(), typed(0, 0, 6, 50)); !errors.Is(err, guard.ErrStale) {
		t.Errorf("a trusted clock was set: %v", err)
	}
}

func TestWhatWasTypedIsForgottenWhenTheSystemsClockIsSet(t *testing.T) {
	for rule, set := range map[string]func(*ownClock, *entry.Stamp){
		"it jumps":            func(_ *ownClock, s *entry.Stamp) { s.Wall = s.Wall.Add(9 * time.Hour) },
		"the network sets it": func(_ *ownClock, s *entry.Stamp) { s.Clock = entry.ClockSynced },
	} {
		now := entry.Stamp{Mono: time.Hour, Wall: at(6, 22, 4)}
		c := &ownClock{system: func() entry.Stamp { return now }}
		c.put(8 * time.Hour)
		now.Mono, now.Wall = now.Mono+time.Minute, now.Wall.Add(time.Minute)
		if got := c.now().Wall; !got.Equal(at(7, 6, 5)) {
			t.Errorf("%s: shows %v before", rule, got)
		}
		set(c, &now)
		if got := c.now(); got != now {
			t.Errorf("%s: shows %v, the system %v", rule, got.Wall, now.Wall)
		}
	}
}

func TestASlowCorrectionKeepsWhatWasTyped(t *testing.T) {
	now := entry.Stamp{Mono: time.Hour, Wall: at(6, 22, 4)}
	c := &ownClock{system: func() entry.Stamp { return now }}
	c.put(time.Hour)
	for range 100 {
		now.Mono += time.Minute
		now.Wall = now.Wall.Add(time.Minute + 500*time.Millisecond)
		if got := c.now().Wall; !got.Equal(now.Wall.Add(time.Hour)) {
			t.Fatalf("shows %v, the system %v", got, now.Wall)
		}
	}
}

func TestTheBoundsOfATypedTime(t *testing.T) {
	for rule, tt := range map[string]struct {
		typed guard.ClockTime
		want  error
		wall  time.Time
	}{
		"before the newest entry":         {typed: typed(0, 0, 21, 0), want: guard.ErrEarly},
		"in the minute of the newest one": {typed: typed(0, 0, 22, 4), wall: at(6, 22, 4).Add(20 * time.Second)},
		"no such day":                     {typed: typed(2, 30, 6, 41), want: guard.ErrFar},
		"the day after":                   {typed: typed(12, 7, 6, 41), wall: at(7, 6, 41)},
	} {
		t.Run(rule, func(t *testing.T) {
			d, _ := unsure(t)
			d.recorder.clock.floor = at(6, 22, 4).Add(20 * time.Second)
			if err := d.SetClock(t.Context(), tt.typed); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if v := d.View(); tt.want == nil && !v.Now.Equal(tt.wall) || tt.want != nil && v.ClockTrusted {
				t.Errorf("shows %v, trusted %v", v.Now, v.ClockTrusted)
			}
		})
	}
}

func TestNobodySetsTheClockYearsAway(t *testing.T) {
	d, c := unsure(t)
	c.wall.Store(0) // a board that begins in 1970, at a gate that has entries
	d.recorder.clock.floor = at(6, 22, 4)
	if err := d.SetClock(t.Context(), typed(12, 7, 6, 41)); !errors.Is(err, guard.ErrFar) {
		t.Errorf("got %v", err)
	}
}
