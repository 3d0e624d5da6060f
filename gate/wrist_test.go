package gate

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// chill lets a lane find the air too cold for foreheads.
func chill(t *testing.T, g *Gate, l *laneLoop) {
	t.Helper()
	now := g.o.Now().Mono
	l.offer(t.Context(), lane.Sample{Sample: screening.Sample{Object: 36_500, Ambient: -5_000, At: now}})
	l.offer(t.Context(), lane.Sample{Sample: screening.Sample{Object: 22_000, Ambient: -5_000, At: now}})
}

// TestALaneMeasuresWristsFirstFromOnePressTillNoon plays it through a restart,
// in a bubble whose clock begins at half past eleven.
func TestALaneMeasuresWristsFirstFromOnePressTillNoon(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		clock := func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: time.Date(2020, 12, 7, 11, 30, 0, 0, time.UTC).Add(gone), Clock: entry.ClockSynced}
		}
		g, _ := build(t, dir, clock)
		stop := run(t, g)
		synctest.Wait()
		yes := guard.Acceptance{Kind: guard.AskWrist, About: "2", By: web.Person{ID: teacherID}}
		if err := g.Accept(t.Context(), yes); !errors.Is(err, guard.ErrStale) {
			t.Errorf("nobody has asked: %v", err)
		}
		chill(t, g, g.lanes[1])
		synctest.Wait()
		if q := g.View().Questions; !slices.ContainsFunc(q, func(q guard.Question) bool { return q.Kind == guard.AskWrist && q.About == "2" }) {
			t.Errorf("asks %+v", q)
		}
		if err := g.Accept(t.Context(), yes); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		scan(t, g, 1, pupilBadge)
		if l := g.View().Lanes[1]; l.Word != "wrist" || l.Verdict != guard.Wait {
			t.Errorf("lane 2 shows %+v", l)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}

		g, _ = build(t, dir, clock)
		stop = run(t, g)
		synctest.Wait()
		if v := [2]bool{g.lanes[0].shown.Load().view.WristFirst, g.lanes[1].shown.Load().view.WristFirst}; v != [2]bool{false, true} {
			t.Errorf("after a restart %v", v)
		}
		<-time.After(time.Date(2020, 12, 7, 12, 0, 1, 0, time.UTC).Sub(clock().Wall))
		synctest.Wait()
		if g.lanes[1].shown.Load().view.WristFirst {
			t.Error("it goes on after noon")
		}
		var last entry.Answer
		var at uint8
		for row, err := range g.journal.Rows(t.Context(), 0) {
			if err != nil {
				t.Error(err)
			}
			if row.Entry.Kind == entry.KindAnswer && row.Entry.Decode(&last) == nil {
				at = row.Entry.Lane
			}
		}
		if last.Act != entry.ActWristFirst || at != 2 || !slices.Equal(last.By, []uint64{teacherID}) || last.Until != time.Date(2020, 12, 7, 12, 0, 0, 0, time.UTC).UnixMilli() {
			t.Errorf("entry %+v of lane %d", last, at)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatWasSaidInTheAfternoonHoldsTillMidnight(t *testing.T) {
	noon := time.Date(2020, 12, 7, 12, 0, 0, 0, time.UTC)
	if got := warmer(noon.Add(-time.Second)); !got.Equal(noon) {
		t.Errorf("in the morning till %v", got)
	}
	if got := warmer(noon); !got.Equal(noon.Add(12 * time.Hour)) {
		t.Errorf("in the afternoon till %v", got)
	}
}

func TestTheLaneAsksForTheWristInWords(t *testing.T) {
	for rule, tt := range map[string]struct {
		view    lane.View
		verdict guard.Verdict
		word    string
	}{
		"after a cold forehead":               {lane.View{Phase: lane.Gathering, Wrist: true, Try: 1}, guard.Again, "wrist"},
		"from the first try on":               {lane.View{Phase: lane.Gathering, Wrist: true, NeedsTemperature: true}, guard.Wait, "wrist"},
		"not where no policy knows it":        {lane.View{Phase: lane.Gathering, Try: 1}, guard.Again, "too-cold"},
		"not of somebody who is to step back": {lane.View{Phase: lane.Gathering, Wrist: true, StepBack: true}, guard.Wait, "step-back"},
	} {
		t.Run(rule, func(t *testing.T) {
			if v, word := verdict(tt.view); v != tt.verdict || word != tt.word {
				t.Errorf("got %v %q", v, word)
			}
		})
	}
}
