package gate

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// led gives a directory a crew whose teacher is the leader.
func led(t *testing.T, dir string) {
	t.Helper()
	crewed(t, dir)
	r, err := roster.Open(t.Context(), filepath.Join(dir, "roster.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.SetDuty(t.Context(), "T1", roster.Leader), r.Close()); err != nil {
		t.Fatal(err)
	}
}

var (
	begin = guard.Passage{Leader: teacherID, PIN: teacherPIN, By: web.Person{ID: cookID}}
	over  = guard.Passage{End: true, By: web.Person{ID: cookID}}
)

// acts returns the answers with one act.
func acts(t *testing.T, g *Gate, act uint8) []entry.Answer {
	t.Helper()
	return slices.DeleteFunc(answers(t, g), func(a entry.Answer) bool { return a.Act != act })
}

// keys are those of the problems that the pages show.
func keys(g *Gate) (all []string) {
	for _, p := range g.View().Problems {
		all = append(all, p.Key)
	}
	return all
}

func TestEmergencyPassageLetsInRecordsAndEnds(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, relay := withExit(t, dir, since(7, 33))
		stop := run(t, g)
		lens.See(20, 22)
		later(time.Second)
		if err := g.Emergency(t.Context(), begin); err != nil {
			t.Fatal(err)
		}
		later(time.Second)
		v := g.View()
		if v.Lanes[0].Word != "emergency" || v.Lanes[1].Word == "emergency" || v.Emergency == nil || v.Emergency.Minutes() != 15 || keys(g)[0] != "emergency" {
			t.Errorf("the page shows %+v, %+v", v.Lanes, v.Emergency)
		}
		skin(lens)
		later(3 * time.Second)
		if !freed(relay) || g.View().Emergency.Passed != 1 {
			t.Errorf("nobody passed: %+v", g.View().Lanes[0])
		}
		all := acts(t, g, entry.ActOverride)
		if len(all) != 1 || all[0].Reason != lane.ReasonEmergency || !slices.Equal(all[0].By, []uint64{teacherID}) || all[0].Subject != 0 || all[0].Reading == nil {
			t.Errorf("recorded: %+v", all)
		}
		later(15 * time.Minute)
		if v := g.View(); v.Emergency != nil || v.Lanes[0].Word == "emergency" {
			t.Errorf("after its time: %+v, %+v", v.Emergency, v.Lanes[0])
		}
		marks := acts(t, g, entry.ActEmergency)
		if len(marks) != 2 || marks[0].Until == 0 || !slices.Equal(marks[0].By, []uint64{teacherID, cookID}) || marks[1].Until != 0 || len(marks[1].By) != 0 || marks[1].Reason != "" {
			t.Errorf("start and end: %+v", marks)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestEmergencyPassageLastsLongerWithEveryPressAndEndsByOne(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _, _ := withExit(t, dir, since(7, 33))
		stop := run(t, g)
		for range 2 {
			if err := g.Emergency(t.Context(), begin); err != nil {
				t.Fatal(err)
			}
			later(10 * time.Minute)
		}
		if e := g.View().Emergency; e == nil || e.Minutes() != 5 {
			t.Errorf("after 20 min, renewed once: %+v", e)
		}
		if err := g.Emergency(t.Context(), over); err != nil {
			t.Error(err)
		}
		if v := g.View(); v.Emergency != nil || slices.Contains(keys(g), "emergency-cut") {
			t.Errorf("after the press: %+v", v)
		}
		if err := g.Emergency(t.Context(), over); !errors.Is(err, guard.ErrStale) {
			t.Errorf("ended twice: %v", err)
		}
		later(time.Hour)
		marks := acts(t, g, entry.ActEmergency)
		if last := marks[len(marks)-1]; len(marks) != 3 || last.Until != 0 || !slices.Contains(last.By, uint64(cookID)) {
			t.Errorf("entries %+v", marks)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestEmergencyPassageIsALeadersOnly(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	g, _ := build(t, dir, stillClock)
	open(t, g)
	defer shut(t, g)
	for rule, tt := range map[string]struct {
		press guard.Passage
		want  error
	}{
		"somebody who is no leader": {guard.Passage{Leader: cookID, PIN: teacherPIN, By: web.Person{ID: cookID}}, guard.ErrNotAllowed},
		"nobody":                    {guard.Passage{PIN: teacherPIN, By: web.Person{ID: cookID}}, guard.ErrNotAllowed},
		"a wrong PIN":               {guard.Passage{Leader: teacherID, PIN: "0000", By: web.Person{ID: cookID}}, web.ErrPIN},
	} {
		if err := g.Emergency(t.Context(), tt.press); !errors.Is(err, tt.want) || len(acts(t, g, entry.ActEmergency)) > 0 || g.View().Emergency != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if list := g.Leaders(); len(list) != 1 || list[0].ID != teacherID {
		t.Errorf("leaders %+v", list)
	}
}

func TestNobodyPassesWithoutTheEntryThatBeganIt(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	g, _ := build(t, dir, stillClock)
	open(t, g)
	if err := g.journal.Close(); err != nil {
		t.Fatal(err)
	}
	defer g.roster.Close()
	if err := g.Emergency(t.Context(), begin); err == nil || g.View().Emergency != nil {
		t.Errorf("begun without a journal: %v", err)
	}
	for _, l := range g.lanes {
		if len(l.events) > 0 {
			t.Errorf("lane %d was told %v", l.cfg.Number, <-l.events)
		}
	}
}

func TestARestartEndsEmergencyPassageAndThePageSaysSo(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 33, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	if err := d.Emergency(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	shut(t, d.Gate)

	for _, restart := range []string{"first", "second"} {
		d = atDesk(t, dir, c)
		if d.View().Emergency != nil || !slices.Contains(keys(d.Gate), "emergency-cut") {
			t.Errorf("after the %s restart: %+v, %v", restart, d.View().Emergency, keys(d.Gate))
		}
		shut(t, d.Gate)
		stop := run(t, built(t, dir, c))
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	marks := acts(t, d.Gate, entry.ActEmergency)
	if len(marks) != 2 || marks[1].Reason != reasonRestart || len(marks[1].By) != 0 {
		t.Errorf("entries %+v", marks)
	}
	c.wall.Add(15 * 60)
	if slices.Contains(keys(d.Gate), "emergency-cut") {
		t.Error("said for ever")
	}
}

func built(t *testing.T, dir string, c *clockAt) *Gate {
	t.Helper()
	g, _ := build(t, dir, c.now)
	return g
}

func TestALaneThatLostItsLensSaysThatNobodyPassesThere(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, relay := withExit(t, dir, since(7, 33))
		stop := run(t, g)
		if err := g.Emergency(t.Context(), begin); err != nil {
			t.Fatal(err)
		}
		lens.Unplug()
		later(2 * time.Minute)
		if l := g.View().Lanes[0]; !slices.Contains(l.Faults, "no-emergency") || freed(relay) {
			t.Errorf("the lane shows %+v", l)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
