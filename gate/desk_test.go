package gate

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// The roster numbers of crewed, in the order of its list.
const (
	teacherID, cookID, nurseID, pupilID = 1, 2, 3, 4
	teacherPIN                          = "274916"
)

// clockAt is a clock that somebody sets.
type clockAt struct {
	wall    atomic.Int64
	quality atomic.Int64
	// jumped is by how much the wall clock alone has moved.
	jumped atomic.Int64
}

func newClockAt(wall time.Time) *clockAt {
	c := &clockAt{}
	c.wall.Store(wall.Unix())
	c.quality.Store(int64(entry.ClockSynced))
	return c
}

func (c *clockAt) now() entry.Stamp {
	wall := time.Unix(c.wall.Load(), 0).UTC()
	return entry.Stamp{Mono: time.Duration(wall.UnixNano()), Wall: wall.Add(time.Duration(c.jumped.Load())), Clock: entry.Clock(c.quality.Load())}
}

// atDesk opens a gate with a crew, which does not run, and its desk.
func atDesk(t *testing.T, dir string, c *clockAt) deskPage {
	t.Helper()
	g, _ := build(t, dir, c.now)
	open(t, g)
	if err := g.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	return deskPage{g}
}

// answers returns the entries of what people and the gate did about holds.
func answers(t *testing.T, g *Gate) (list []entry.Answer) {
	t.Helper()
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var a entry.Answer
		if row.Entry.Kind == entry.KindAnswer && row.Entry.Decode(&a) == nil {
			list = append(list, a)
		}
	}
	return list
}

func placing(until desk.Until) desk.Placing {
	return desk.Placing{Subject: pupilID, Reason: "yellow-code", Until: until, By: web.Person{ID: teacherID}}
}

func TestAHoldByNameIsAnEntryAndStandsAfterARestart(t *testing.T) {
	dir, morning := t.TempDir(), time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)
	crewed(t, dir)
	c := newClockAt(morning)
	d := atDesk(t, dir, c)
	if err := d.Hold(t.Context(), placing(desk.Tomorrow)); err != nil {
		t.Fatal(err)
	}
	until := time.Date(2020, 12, 9, 0, 0, 0, 0, time.UTC)
	want := []entry.Answer{{Act: entry.ActHoldPlaced, Subject: pupilID, By: []uint64{teacherID}, Reason: "yellow-code", Until: until.UnixMilli()}}
	if got := answers(t, d.Gate); len(got) != 1 || got[0].Act != want[0].Act || got[0].Subject != pupilID || got[0].Until != want[0].Until ||
		got[0].Reason != "yellow-code" || !slices.Equal(got[0].By, want[0].By) {
		t.Errorf("entries %+v, want %+v", got, want)
	}
	for _, l := range d.lanes {
		if ev := <-l.events; ev != any(lane.HoldPlaced{Subject: pupilID}) {
			t.Errorf("lane %d was told %v", l.cfg.Number, ev)
		}
	}
	before := d.Holds()
	if len(before) != 1 || before[0].Name != "李一涵" || before[0].By != "王建国" || !before[0].Until.Equal(until) || !before[0].Stored {
		t.Errorf("the page lists %+v", before)
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	after := d.Holds()
	if len(after) != 1 || after[0].Version() != before[0].Version() || after[0].Reason != "yellow-code" || !after[0].Until.Equal(until) {
		t.Errorf("after a restart %+v, before %+v", after, before)
	}
	if h, held, _ := d.register.look(pupilID, 0); !held || !h.grave {
		t.Errorf("a recheck ends the hold: %+v, %v", h, held)
	}
}

func TestOnlyALiftMakesRoomForAnotherHoldByName(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	if err := d.Hold(t.Context(), placing(desk.Today)); !errors.Is(err, desk.ErrHeld) {
		t.Errorf("a second hold shortens the first: %v", err)
	}
	if err := d.Hold(t.Context(), desk.Placing{Subject: 99, Reason: "other", Until: desk.Lifted}); !errors.Is(err, guard.ErrStale) {
		t.Errorf("nobody is held: %v", err)
	}
}

func TestNoArrivalEndsAHoldByName(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	// Admitted between the press and the lane's hearing of it.
	admitted := lane.Record{Subject: screening.Subject{ID: pupilID}, End: lane.Decided, Decision: screening.Decision{Outcome: screening.Admit}}
	d.register.apply(entry.ArrivalID{}, admitted, time.Now())
	if _, held, _ := d.register.look(pupilID, 0); !held {
		t.Error("an admission has ended it")
	}
}

func TestAHoldEndsWithAnEntryOnceItsTimeHasPassed(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	if err := d.Hold(t.Context(), placing(desk.Today)); err != nil {
		t.Fatal(err)
	}
	look := func(when string, stands bool) {
		t.Helper()
		if err := d.endOver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, held, _ := d.register.look(pupilID, 0); held != stands {
			t.Errorf("%s: held %v", when, held)
		}
	}
	midnight := time.Date(2020, 12, 8, 0, 0, 0, 0, time.UTC).Unix()
	c.wall.Store(midnight - 1)
	look("the second before", true)
	c.wall.Store(midnight)
	c.quality.Store(int64(entry.ClockFloor))
	look("by a clock that nobody vouches for", true)
	d.recorder.clock.confirm()
	look("at midnight", false)
	look("and once only", false)
	list := answers(t, d.Gate)
	if last := list[len(list)-1]; len(list) != 2 || last.Act != entry.ActHoldLifted || last.Subject != pupilID || len(last.By) != 0 || last.Reason != "over" {
		t.Errorf("entries %+v", list)
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if _, held, _ := d.register.look(pupilID, 0); held {
		t.Error("it is back after a restart")
	}
}

func TestAHoldWhoseTimePassedWhileTheGateWasOffEndsAtItsStart(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 22, 0, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	if err := d.Hold(t.Context(), placing(desk.Today)); err != nil {
		t.Fatal(err)
	}
	shut(t, d.Gate)
	c.wall.Store(time.Date(2020, 12, 8, 6, 30, 0, 0, time.UTC).Unix())
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if err := d.endOver(t.Context()); err != nil || len(d.Holds()) != 0 {
		t.Errorf("%v, %+v", err, d.Holds())
	}
}

// TestTheRunningGateEndsHoldsByItself plays it in a bubble, from one minute
// before midnight on.
func TestTheRunningGateEndsHoldsByItself(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		g, _ := build(t, dir, func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: time.Date(2020, 12, 7, 23, 59, 0, 0, time.UTC).Add(gone), Clock: entry.ClockSynced}
		})
		stop := run(t, g)
		d := deskPage{g}
		if err := d.Hold(t.Context(), placing(desk.Today)); err != nil {
			t.Error(err)
		}
		<-time.After(time.Minute - overWithin)
		synctest.Wait()
		if len(d.Holds()) != 1 {
			t.Error("it ended early")
		}
		<-time.After(2*overWithin + time.Second)
		synctest.Wait()
		if list := d.Holds(); len(list) != 0 {
			t.Errorf("it stands on: %+v", list)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestNoHoldGetsADateFromAClockThatNobodyVouchesFor(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 6, 22, 4, 0, 0, time.UTC))
	c.quality.Store(int64(entry.ClockFloor))
	d := atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if err := d.Hold(t.Context(), placing(desk.Today)); !errors.Is(err, desk.ErrClock) || len(d.Holds()) != 0 {
		t.Errorf("%v, %+v", err, d.Holds())
	}
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Error(err)
	}
}

func TestAHoldIsLiftedByOthersWithTheirPIN(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	for _, subject := range []uint64{pupilID, teacherID} {
		if err := d.Hold(t.Context(), desk.Placing{Subject: subject, Reason: "other", Until: desk.Lifted, By: web.Person{ID: cookID}}); err != nil {
			t.Fatal(err)
		}
	}
	version := d.Holds()[0].Version()
	by := web.Person{ID: teacherID}
	for rule, tt := range map[string]struct {
		l    desk.Lifting
		want error
	}{
		"a wrong PIN":         {desk.Lifting{Subject: pupilID, Version: version, PIN: "111222", By: by}, web.ErrPIN},
		"against oneself":     {desk.Lifting{Subject: teacherID, Version: version, PIN: teacherPIN, By: by}, desk.ErrSelf},
		"another hold":        {desk.Lifting{Subject: pupilID, Version: version + 1, PIN: teacherPIN, By: by}, guard.ErrStale},
		"nobody who is known": {desk.Lifting{Subject: pupilID, Version: version, PIN: teacherPIN, By: web.Person{ID: 99}}, web.ErrPIN},
	} {
		t.Run(rule, func(t *testing.T) {
			if err := d.Lift(t.Context(), tt.l); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if err := d.Lift(t.Context(), desk.Lifting{Subject: pupilID, Version: version, PIN: teacherPIN, By: by}); err != nil {
		t.Fatal(err)
	}
	list := answers(t, d.Gate)
	if last := list[len(list)-1]; last.Act != entry.ActHoldLifted || !slices.Equal(last.By, []uint64{teacherID}) {
		t.Errorf("entry %+v", last)
	}
	if list := d.Holds(); len(list) != 1 || list[0].Subject != teacherID {
		t.Errorf("stand %+v", list)
	}
	shut(t, d.Gate)
}

func TestAHoldByNameStandsInTheNextJournal(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	if err := d.Hold(t.Context(), placing(desk.Tomorrow)); err != nil {
		t.Fatal(err)
	}
	before := d.Holds()
	shut(t, d.Gate)
	if _, err := rebased(t, dir); err != nil {
		t.Fatal(err)
	}
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	after := d.Holds()
	if len(after) != 1 || after[0].Reason != before[0].Reason || after[0].By != before[0].By || !after[0].Until.Equal(before[0].Until) {
		t.Errorf("holds were %+v, and are %+v", before, after)
	}
}

func TestALostBadgeIsDeadAtEveryLaneAtOnce(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	for _, l := range d.lanes {
		l.people = d.roster.Snapshot() // as in the midst of somebody's arrival
	}
	const blank = "2000000000000001"
	by := web.Person{ID: cookID, Duties: web.DutyDesk}
	for rule, tt := range map[string]struct {
		b    desk.Binding
		want error
	}{
		"a badge that somebody has":       {desk.Binding{Subject: pupilID, Badge: cookBadge, By: by}, desk.ErrBadgeUsed},
		"nobody on the roster":            {desk.Binding{Subject: 99, Badge: blank, By: by}, guard.ErrStale},
		"that of staff opens more":        {desk.Binding{Subject: nurseID, Badge: blank, By: by}, guard.ErrNotAllowed},
		"even the own one of the clerk's": {desk.Binding{Subject: cookID, Badge: blank, By: by}, guard.ErrNotAllowed},
	} {
		t.Run(rule, func(t *testing.T) {
			if err := d.BindBadge(t.Context(), tt.b); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if err := d.BindBadge(t.Context(), desk.Binding{Subject: pupilID, Badge: blank, By: by}); err != nil {
		t.Fatal(err)
	}
	for _, l := range d.lanes {
		if s := l.lookUp([]byte(pupilBadge)); s.Subject.ID != 0 {
			t.Errorf("lane %d takes the lost badge", l.cfg.Number)
		}
		if s := l.lookUp([]byte(blank)); s.Subject.ID != pupilID {
			t.Errorf("lane %d does not take the new badge", l.cfg.Number)
		}
	}
	var last entry.Roster
	for row, err := range d.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Entry.Kind == entry.KindRoster {
			if err := row.Entry.Decode(&last); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := d.roster.Snapshot(); last.Version != s.Version || last.Hash != s.Hash || last.By != "badge" || last.Added != 0 {
		t.Errorf("the entry says %+v", last)
	}
	if err := d.BindBadge(t.Context(), desk.Binding{Subject: nurseID, Badge: "2000000000000002", By: web.Person{ID: teacherID, Duties: web.DutyLeader}}); err != nil {
		t.Errorf("a leader may: %v", err)
	}
}

// TestWhoeverIsOnDutyHoldsSomebodyAtTheDesk plays it through the pages.
func TestWhoeverIsOnDutyHoldsSomebodyAtTheDesk(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, stillClock)
		stop := run(t, g)
		b := &browser{t: t, g: g}
		if w := b.send("GET", "/desk/", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-on" {
			t.Errorf("nobody is signed on: %d", w.Code)
		}
		scan(t, g, 0, guardBadge)
		b.tap("join")
		w := b.send("POST", "/desk/hold", url.Values{"subject": {"4"}, "reason": {"fever-at-home"}, "until": {"today"}})
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk/?said=held" {
			t.Errorf("got %d, %s", w.Code, w.Header().Get("Location"))
		}
		scan(t, g, 1, pupilBadge)
		synctest.Wait()
		if l := g.View().Lanes[1]; l.Verdict != guard.Stop || !slices.Contains(l.Reasons, "on-hold") {
			t.Errorf("the lane shows %+v", l)
		}
		if page := b.send("GET", "/desk/", nil).Body.String(); !strings.Contains(page, "家中发热") || !strings.Contains(page, "王建国") {
			t.Errorf("the page shows\n%s", page)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestARecheckAtTheDeskIsDurableWhenThePageSaysSo: what the page was told is in
// the journal, and the same after a restart.
func TestARecheckAtTheDeskIsDurableWhenThePageSaysSo(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	high := stopped(screening.Recheck, screening.HighOnce)
	high.Subject, high.Arrival = screening.Subject{ID: pupilID, Role: screening.Student}, 1
	set := high
	set.Act, set.Ticket = lane.Aside, 12
	for _, rec := range []lane.Record{high, set} {
		store(t, d.Gate, body(d.journal.Boot(), rec, 1, nil))
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	waits := d.View().Asides
	if len(waits) != 1 || !waits[0].CanType || len(d.Holds()) != 0 {
		t.Fatalf("waits %+v, holds %+v", waits, d.Holds())
	}
	typed := guard.Act{Arrival: waits[0].Arrival, Version: waits[0].Version + 1, Kind: guard.KindType, Value: 36_900, Instrument: "ear", By: web.Person{ID: teacherID}}
	if err := d.Do(t.Context(), typed); !errors.Is(err, guard.ErrStale) {
		t.Errorf("another version: %v", err)
	}
	typed.Version--
	if err := d.Do(t.Context(), typed); err != nil {
		t.Fatal(err)
	}
	list := answers(t, d.Gate)
	last := list[len(list)-1]
	if last.Act != entry.ActTemperatureTyped || last.Ticket != 12 || last.Reading == nil || last.Reading.Value != 36_900 || !slices.Equal(last.By, []uint64{teacherID}) {
		t.Errorf("entry %+v", last)
	}
	over := len(d.View().Asides) == 0
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if after := len(d.View().Asides) == 0; !over || after != over {
		t.Errorf("finished %v, after a restart %v", over, after)
	}
}
