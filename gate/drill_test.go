package gate

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
)

var (
	leader = web.Person{ID: leaderID}
	plan   = desk.DrillPlan{Reason: "planned", For: time.Hour, PIN: teacherPIN, By: leader}
)

// played begins a drill and opens one case of it.
func (p deskPage) played(t *testing.T) (number int) {
	t.Helper()
	if err := p.BeginDrill(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	number, err := p.DrillCase(t.Context(), leader)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func TestADrillHasTheWholeAlarmAndEndsByItselfAfterAnHour(t *testing.T) {
	dir := t.TempDir()
	guarded(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, board := build(t, dir, since(7, 19))
		stop := run(t, g)
		p := deskPage{g}
		p.played(t)
		later(time.Second)
		room := roomPage{g}.View()
		if !board.On(beaconChannel) || !board.On(buzzerChannel) || len(room.Alarms) != 1 || room.Alarms[0].Name != drillName || len(room.Cases) != 1 || !slices.Equal(room.Cases[0].Found, []string{foundDrill}) {
			t.Errorf("beacon %v, buzzer %v, the room shows %+v", board.On(beaconChannel), board.On(buzzerChannel), room)
		}
		if room.Drill != 60 || g.View().Drill != 60 {
			t.Errorf("a page does not say that it is one: %d, %d min", room.Drill, g.View().Drill)
		}
		if told := g.collectors.tell(t.Context(), nil); len(told) != 0 {
			t.Errorf("collectors are told %v", told)
		}
		later(59*time.Minute + 58*time.Second)
		if p.Drill() != 1 {
			t.Errorf("%d min are left", p.Drill())
		}
		later(2 * time.Second)
		room = roomPage{g}.View()
		if p.Drill() != 0 || len(room.Alarms)+len(room.Cases)+room.Drill != 0 || board.On(beaconChannel) {
			t.Errorf("after its time: %+v", room)
		}
		marks := acts(t, g, entry.ActDrill)
		if len(marks) != 2 || marks[0].Reason != "planned" || marks[0].Until == 0 || !slices.Equal(marks[0].By, []uint64{leaderID}) ||
			marks[1].Until != 0 || len(marks[1].By) != 0 || marks[1].Reason != "" {
			t.Errorf("begin and end: %+v", marks)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestARestartInMidDrillEndsIt(t *testing.T) {
	dir := t.TempDir()
	guarded(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, since(7, 19))
		stop := run(t, g)
		deskPage{g}.played(t)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the end is written down once
			board := restarted(t, dir, &g, &stop)
			later(time.Second)
			if room := (roomPage{g}).View(); room.Drill != 0 || len(room.Cases)+len(room.Alarms) != 0 || board {
				t.Errorf("after the restart the room shows %+v, beacon %v", room, board)
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
		}
		g, _ = build(t, dir, since(7, 25))
		open(t, g)
		marks := acts(t, g, entry.ActDrill)
		shut(t, g)
		if len(marks) != 2 || marks[1].Reason != reasonRestart || marks[1].Until != 0 {
			t.Errorf("entries %+v", marks)
		}
	})
}

// restarted runs a new process over a directory, and reports whether its beacon
// is on.
func restarted(t *testing.T, dir string, g **Gate, stop *func() error) bool {
	t.Helper()
	next, board := build(t, dir, since(7, 22))
	*g, *stop = next, run(t, next)
	later(time.Second)
	return board.On(beaconChannel)
}

func TestWhatIsRealStaysRealInADrill(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer func() { shut(t, r.Gate) }()
	p := deskPage(r)
	p.played(t)
	real := r.isolate(t, 1, pupilID, screening.HighTwice)
	if told := r.collectors.tell(t.Context(), nil); len(told) != 1 || !told[real] {
		t.Errorf("collectors are told %v", told)
	}
	if err := p.EndDrill(t.Context(), leader); err != nil {
		t.Fatal(err)
	}
	v := r.View()
	if len(v.Cases) != 1 || v.Cases[0].Name != "李一涵" || len(v.Alarms) != 1 {
		t.Errorf("after the drill the room shows %+v, %+v", v.Cases, v.Alarms)
	}
	if _, held, _ := r.register.look(pupilID, 0); !held {
		t.Error("the end of the drill has ended the hold")
	}
	if err := p.EndDrill(t.Context(), leader); !errors.Is(err, guard.ErrStale) {
		t.Errorf("ended twice: %v", err)
	}
	r = r.again(t, dir, c)
	if v := r.View(); len(v.Cases) != 1 || v.Cases[0].Name != "李一涵" {
		t.Errorf("after a restart the room shows %+v", v.Cases)
	}
}

func TestWhoPlaysIsNobody(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	deskPage(r).played(t)
	if err := r.press(t, isolation.Step{Kind: isolation.StepIdentified, Subject: pupilID}); !errors.Is(err, isolation.ErrNotAllowed) {
		t.Errorf("somebody is held for it: %v", err)
	}
	r.must(t, received)
	if len(r.View().Alarms) != 0 {
		t.Error("the alarm stands although the person is in the room")
	}
	r.must(t, measured37(36_500), backToClass)
	if v := r.View(); len(v.Cases)+len(v.Returns)+len(v.Ended) != 0 {
		t.Errorf("the case is still there: %+v", v)
	}
	if n := r.register.arrived(c.now().Wall); n != 0 || len(r.register.holds()) != 0 {
		t.Errorf("%d came in, %d are held", n, len(r.register.holds()))
	}
}

func TestADrillIsALeadersOnly(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	p := atDesk(t, dir, c)
	defer shut(t, p.Gate)
	for rule, tt := range map[string]struct {
		change func(*desk.DrillPlan)
		want   error
	}{
		"a wrong PIN":         {func(x *desk.DrillPlan) { x.PIN = "000000" }, web.ErrPIN},
		"nobody":              {func(x *desk.DrillPlan) { x.By.ID = 99 }, guard.ErrNotAllowed},
		"longer than an hour": {func(x *desk.DrillPlan) { x.For = time.Hour + 1 }, guard.ErrStale},
		"no time":             {func(x *desk.DrillPlan) { x.For = 0 }, guard.ErrStale},
	} {
		x := plan
		tt.change(&x)
		if err := p.BeginDrill(t.Context(), x); !errors.Is(err, tt.want) || p.Drill() != 0 {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if _, err := p.DrillCase(t.Context(), leader); !errors.Is(err, guard.ErrStale) {
		t.Errorf("a case without a drill: %v", err)
	}
	if err := p.BeginDrill(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if err := p.BeginDrill(t.Context(), plan); !errors.Is(err, guard.ErrStale) {
		t.Errorf("begun twice: %v", err)
	}
}
