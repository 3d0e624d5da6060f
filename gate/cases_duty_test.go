package gate

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/isolation"
)

// TestADutyAlarmsBeforeItsTimeRunsOut runs a gate in a bubble: nobody touches
// anything after the case was opened.
func TestADutyAlarmsBeforeItsTimeRunsOut(t *testing.T) {
	dir := t.TempDir()
	guarded(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		now := func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: sevenNineteen.Add(gone), Clock: entry.ClockSynced}
		}
		g, board := build(t, dir, now)
		g.rules.builtIn.doc.Cases.Duties = []casefile.Duty{{ID: "leader", Within: 40 * time.Minute}, {ID: "cdc", On: casefile.SuspectedOrConfirmed, Within: 2 * time.Hour}}
		stop := run(t, g)
		r := roomPage{g}
		shows := func(when string, beacon, buzzer bool, strip int) {
			t.Helper()
			synctest.Wait()
			said := 0
			for _, p := range g.View().Problems {
				if p.Key == "duty-over" {
					said++
				}
			}
			if board.On(beaconChannel) != beacon || board.On(buzzerChannel) != buzzer || said != strip {
				t.Errorf("%s: beacon %v, buzzer %v, %d lines on the strip", when, board.On(beaconChannel), board.On(buzzerChannel), said)
			}
		}
		wait := func(d time.Duration) { <-time.After(d) }
		if _, err := r.Open(t.Context(), isolation.Opening{Subject: pupilID, Found: []string{"fever"}, By: web.Person{ID: nurseID}}); err != nil {
			t.Fatal(err)
		}
		wait(30*time.Minute - time.Second)
		shows("before three quarters", false, false, 0)
		wait(1500 * time.Millisecond)
		shows("after three quarters, a short beep", true, true, 0)
		wait(time.Second)
		shows("then silence, and the beacon", true, false, 0)
		wait(beepEvery)
		shows("between two beeps", true, false, 0)
		wait(10*time.Minute - 23*time.Second + 2500*time.Millisecond)
		shows("when the time has run out", true, true, 1)
		wait(3 * time.Second)
		shows("it does not stop", true, true, 1)
		if err := r.Mute(t.Context(), web.Person{ID: nurseID}); err != nil {
			t.Error(err)
		}
		shows("muted", true, false, 1)
		wait(muteFor + time.Second)
		shows("heard again", true, true, 1)
		if err := r.press(t, wordTo("leader")); err != nil {
			t.Error(err)
		}
		shows("told", false, false, 0)
		r.must(t, suspects)
		wait(2*time.Hour + time.Second)
		shows("the second one has run out", true, true, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}

		g, board = build(t, dir, now)
		stop = run(t, g)
		shows("after a restart", true, true, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAcrossARestartOnlyATrustedClockCounts: by another an alarm comes too early
// and never too late.
func TestAcrossARestartOnlyATrustedClockCounts(t *testing.T) {
	for rule, tt := range map[string]struct {
		then, now entry.Clock
		over      bool
	}{
		"trusted":                        {entry.ClockSynced, entry.ClockSynced, false},
		"trusted by a person":            {entry.ClockRTC, entry.ClockConfirmed, false},
		"not trusted now":                {entry.ClockSynced, entry.ClockFloor, true},
		"not trusted when it was opened": {entry.ClockUnset, entry.ClockSynced, true},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			guarded(t, dir)
			c.quality.Store(int64(tt.then))
			r := inRoom(t, dir, c)
			r.isolate(t, 1, pupilID, screening.HighTwice)
			c.wall.Add(60)
			for _, d := range r.only(t).Duties {
				if d.Over || d.Soon {
					t.Errorf("before the restart: %+v", d)
				}
			}
			c.quality.Store(int64(tt.now))
			if tt.now == entry.ClockConfirmed {
				c.quality.Store(int64(entry.ClockRTC))
			}
			r = r.again(t, dir, c)
			defer shut(t, r.Gate)
			for _, d := range r.only(t).Duties {
				if d.Over != tt.over {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}

func TestAClockThatJumpsAfterARestartMovesNoDuty(t *testing.T) {
	for _, jump := range []time.Duration{-5 * time.Hour, 5 * time.Hour} {
		dir, c := t.TempDir(), newClockAt(sevenNineteen)
		guarded(t, dir)
		r := inRoom(t, dir, c)
		r.isolate(t, 1, pupilID, screening.HighTwice)
		c.wall.Add(60)
		r = r.again(t, dir, c)
		before := r.only(t).Duties
		c.jumped.Store(int64(jump))
		got := r.only(t).Duties
		for i := range got {
			got[i].Until = got[i].Until.Add(-jump) // as long from now as before
		}
		if len(got) == 0 || !reflect.DeepEqual(got, before) {
			t.Errorf("after a jump of %v: %+v, before it %+v", jump, got, before)
		}
		shut(t, r.Gate)
	}
}

func TestWhoHasNoGuardianOwesNobodyACall(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, teacherID, screening.HighTwice)
	if list := r.only(t).Duties; len(list) != 1 || list[0].ID != "leader" {
		t.Errorf("duties %+v", list)
	}
}

func TestWhatNobodyAnswersForADayIsNoNoiseAnyMore(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	for after, want := range map[time.Duration]bool{15 * time.Minute: true, 24 * time.Hour: true, 24*time.Hour + 15*time.Minute: false} {
		c.wall.Store(sevenNineteen.Add(after).Unix())
		if on, loud := r.alarms.state(); on != want || loud != want {
			t.Errorf("after %v: beacon %v, buzzer %v", after, on, loud)
		}
		if l := r.lateDuties(r.recorder.clock.look()); l.first == 0 {
			t.Errorf("after %v the pages say nothing", after)
		}
	}
}

func TestWhatThePolicyDoesNotNameIsNeitherToldNorDiagnosed(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	for _, s := range []isolation.Step{wordTo("neighbour"), {Kind: isolation.StepDiagnosed, Reason: "plague"}, {Kind: isolation.StepSuspected, Reason: "plague"}} {
		if err := r.press(t, s); !errors.Is(err, isolation.ErrStale) {
			t.Errorf("%s: %v", s.Kind, err)
		}
	}
}
