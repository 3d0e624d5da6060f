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
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// answerWaiting does something about the one person who was set aside, by the teacher.
func answerWaiting(t *testing.T, d deskPage, act guard.Act) {
	t.Helper()
	a := d.View().Asides[0]
	act.Arrival, act.Version, act.By = a.Arrival, a.Version, web.Person{ID: teacherID}
	if err := d.Do(t.Context(), act); err != nil {
		t.Fatal(err)
	}
}

// undoFirst takes back what the teacher did last.
func undoFirst(t *testing.T, d deskPage) (inside bool) {
	t.Helper()
	list := d.Undos(web.Person{ID: teacherID})
	if len(list) == 0 {
		t.Fatal("nothing may be taken back")
	}
	inside, err := d.Undo(t.Context(), list[0].ID, web.Person{ID: teacherID})
	if err != nil {
		t.Fatal(err)
	}
	return inside
}

// drain returns what a lane was told.
func drain(l *laneLoop) (told []any) {
	for {
		select {
		case ev := <-l.events:
			told = append(told, ev)
		default:
			return told
		}
	}
}

func TestAnAnswerAtTheDeskIsTakenBackAsIfItHadNotBeen(t *testing.T) {
	typed := guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "ear"}
	for rule, tt := range map[string]struct {
		why  screening.Reason
		act  guard.Act
		word string
		want desk.Undo
	}{
		"a temperature that was typed": {screening.HighOnce, typed, "typed", desk.Undo{What: "act.type", Value: "36.9"}},
		"of somebody too cold":         {screening.TooCold, typed, "typed", desk.Undo{What: "act.type", Value: "36.9"}},
		"turned away":                  {screening.TooCold, guard.Act{Kind: guard.KindTurnAway}, "turned-away", desk.Undo{What: "act.turn-away"}},
		"turned away while high":       {screening.HighOnce, guard.Act{Kind: guard.KindTurnAway}, "turned-away", desk.Undo{What: "act.turn-away"}},
		"a colour that was seen":       {screening.NoGreen, guard.Act{Kind: guard.KindColour, Colour: "green"}, "colour", desk.Undo{What: "colour.green"}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			crewed(t, dir)
			c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
			d := setAside(t, dir, c, screening.Recheck, tt.why)
			before, holds := d.View().Asides[0], d.register.holds()
			answerWaiting(t, d, tt.act)
			if len(d.View().Asides) != 0 {
				t.Fatalf("it waits on: %+v", d.View().Asides)
			}
			list := d.Undos(web.Person{ID: teacherID})
			tt.want.ID, tt.want.Name, tt.want.Class, tt.want.Left = list[0].ID, "李一涵", "1班", time.Minute
			if len(list) != 1 || list[0] != tt.want {
				t.Errorf("offered %+v, want %+v", list, tt.want)
			}
			if inside := undoFirst(t, d); inside {
				t.Error("nobody went in")
			}
			after := d.View().Asides
			if len(after) != 1 || after[0].Version <= before.Version {
				t.Fatalf("waits %+v", after)
			}
			after[0].Version = before.Version
			if !slices.Equal(after[0].Reasons, before.Reasons) || after[0].CanType != before.CanType || after[0].CanColour != before.CanColour || after[0].Ticket != 12 {
				t.Errorf("waits %+v, waited %+v", after[0], before)
			}
			h, held, carried := d.register.look(pupilID, c.now().Mono)
			if !held || h != holds[pupilID] || carried != nil {
				t.Errorf("holds %+v %v, carried %v", h, held, carried)
			}
			for _, l := range d.lanes {
				if told := drain(l); !slices.Contains(told, any(lane.HoldPlaced{Subject: pupilID})) {
					t.Errorf("lane %d was told %v", l.cfg.Number, told)
				}
			}
			all := answers(t, d.Gate)
			if last := all[len(all)-1]; last.Act != entry.ActUndo || last.Reason != tt.word || last.Arrival.Counter != 1 || last.Subject != pupilID || !slices.Equal(last.By, []uint64{teacherID}) {
				t.Errorf("entry %+v", last)
			}
			if len(d.Undos(web.Person{ID: teacherID})) != 0 {
				t.Error("it may be taken back twice")
			}
			shut(t, d.Gate)
			d = atDesk(t, dir, c)
			defer shut(t, d.Gate)
			again := d.View().Asides
			if len(again) != 1 || again[0].Ticket != 12 || !slices.Equal(again[0].Reasons, before.Reasons) || d.register.holds()[pupilID] != holds[pupilID] {
				t.Errorf("after a restart %+v, %+v", again, d.register.holds())
			}
			answerWaiting(t, d, tt.act) // and it may be answered again
			if len(d.View().Asides) != 0 {
				t.Error("no answer is taken any more")
			}
		})
	}
}

func TestOnlyOwnActsOfTheLastMinuteAreTakenBack(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	began := time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)
	c := newClockAt(began)
	d := setAside(t, dir, c, screening.Recheck, screening.HighOnce)
	defer shut(t, d.Gate)
	answerWaiting(t, d, guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "ear"})
	id := d.Undos(web.Person{ID: teacherID})[0].ID
	if len(d.Undos(web.Person{ID: cookID})) != 0 {
		t.Error("another's act is offered")
	}
	if _, err := d.Undo(t.Context(), id, web.Person{ID: cookID}); !errors.Is(err, guard.ErrStale) {
		t.Errorf("by another: %v", err)
	}
	c.wall.Store(began.Add(undoWithin - time.Second).Unix())
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 1 || list[0].Left != time.Second {
		t.Errorf("in the last second: %+v", list)
	}
	c.wall.Store(began.Add(undoWithin).Unix())
	if _, err := d.Undo(t.Context(), id, web.Person{ID: teacherID}); !errors.Is(err, guard.ErrStale) || len(d.Undos(web.Person{ID: teacherID})) != 0 {
		t.Errorf("after a minute: %v", err)
	}
}

func TestWhatCallsTheIsolationRoomIsTheRoomsToEnd(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.HighOnce)
	defer shut(t, d.Gate)
	answerWaiting(t, d, guard.Act{Kind: guard.KindType, Value: 37_900, Instrument: "ear"})
	if a := d.View().Asides; len(a) != 1 || !a[0].Isolate {
		t.Fatalf("waits %+v", a)
	}
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 0 {
		t.Errorf("offered %+v", list)
	}
	if len(d.alarms.list()) != 1 {
		t.Error("no alarm")
	}
}

func TestWhatSomebodyElseHasAnsweredSinceStands(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.HighOnce)
	defer shut(t, d.Gate)
	answerWaiting(t, d, guard.Act{Kind: guard.KindType, Value: 34_000, Instrument: "ear"}) // too cold: it waits on
	a := d.View().Asides[0]
	mine := d.Undos(web.Person{ID: teacherID})
	other := guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "axilla", Arrival: a.Arrival, Version: a.Version, By: web.Person{ID: cookID}}
	if err := d.Do(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Undo(t.Context(), mine[0].ID, web.Person{ID: teacherID}); len(mine) != 1 || !errors.Is(err, guard.ErrStale) {
		t.Errorf("offered %+v, took back %v", mine, err)
	}
	if list := d.Undos(web.Person{ID: cookID}); len(list) != 1 {
		t.Errorf("the newest is not offered: %+v", list)
	}
}

func TestWhoHasGoneInMeanwhileIsHeldInside(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.HighOnce)
	answerWaiting(t, d, guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "ear"})
	in := decided(33, pupilID)
	storeAt(t, d.Gate, 2, in)
	d.register.apply(entry.ArrivalID{Counter: 33}, in, c.now().Wall)
	if inside := undoFirst(t, d); !inside {
		t.Error("nobody says that the pupil is inside")
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if h := d.Holds(); len(h) != 1 || h[0].Reason != "undone-admit" || h[0].By != "王建国" || len(d.View().Asides) != 0 {
		t.Errorf("after a restart held %+v, waits %+v", h, d.View().Asides)
	}
}

func TestAnAdmissionByHandThatIsTakenBackHoldsThePersonInside(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	by := []uint64{teacherID, cookID}
	hand := decided(2, pupilID)
	hand.Act, hand.By, hand.Admits = lane.Overridden, by, true
	self, nobody, stop := hand, hand, hand
	self.Act, self.By, nobody.Subject.ID, stop.Admits = lane.NoAct, nil, 0, false
	for _, rec := range []lane.Record{self, nobody, stop} {
		d.register.didInLane(entry.ArrivalID{Counter: 2}, rec, c.now().Mono)
	}
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 0 {
		t.Errorf("an admission by the lane itself, of nobody, or none at all is offered: %+v", list)
	}
	d.register.didInLane(entry.ArrivalID{Counter: 2}, hand, c.now().Mono)
	if len(d.Undos(web.Person{ID: cookID})) != 0 {
		t.Error("the colleague on duty did not do it")
	}
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 1 || list[0].What != "act.override" || list[0].Name != "李一涵" {
		t.Fatalf("offered %+v", list)
	}
	if inside := undoFirst(t, d); !inside {
		t.Error("nobody says that the pupil is inside")
	}
	for _, l := range d.lanes {
		if told := drain(l); !slices.Equal(told, []any{lane.HoldPlaced{Subject: pupilID}}) {
			t.Errorf("lane %d was told %v", l.cfg.Number, told)
		}
	}
	before := d.Holds()
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if after := d.Holds(); len(before) != 1 || !before[0].Stored || len(after) != 1 || after[0].Version() != before[0].Version() || after[0].Reason != "undone-admit" {
		t.Errorf("held %+v, after a restart %+v", before, after)
	}
}

func TestAHoldByNameIsTakenBackByWhoPlacedIt(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 1 || list[0].What != "desk.hold" {
		t.Fatalf("offered %+v", list)
	}
	d.register.place(pupilID, "collector:test")
	if inside := undoFirst(t, d); inside {
		t.Error("somebody is said to be inside")
	}
	if _, held, _ := d.register.look(pupilID, 0); !held {
		t.Error("the hold from above ended with it")
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if len(d.Holds()) != 0 {
		t.Errorf("after a restart %+v", d.Holds())
	}
}

func TestAHoldThatWasLiftedAndPlacedAgainIsAnother(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	d.register.lift(pupilID)
	if len(d.Undos(web.Person{ID: teacherID})) != 0 {
		t.Error("a hold is offered that does not stand")
	}
	c.wall.Add(1)
	again := placing(desk.Lifted)
	again.By.ID = cookID
	if err := d.Hold(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if len(d.Undos(web.Person{ID: teacherID})) != 0 || len(d.Undos(web.Person{ID: cookID})) != 1 {
		t.Error("another's hold is offered")
	}
}

// TestWhatCannotBeRecordedIsNotTakenBack: the hold stands all the same, which
// is the safe half.
func TestWhatCannotBeRecordedIsNotTakenBack(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.HighOnce)
	answerWaiting(t, d, guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "ear"})
	list := d.Undos(web.Person{ID: teacherID})
	if err := d.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Undo(t.Context(), list[0].ID, web.Person{ID: teacherID}); err == nil {
		t.Error("taken back without an entry")
	}
	if _, held, _ := d.register.look(pupilID, 0); !held || len(d.View().Asides) != 0 {
		t.Errorf("held %v, waits %+v", held, d.View().Asides)
	}
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 1 {
		t.Error("it may not be tried again")
	}
	if err := d.roster.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatAnotherProcessDidIsNotTakenBack(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.HighOnce)
	answerWaiting(t, d, guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "ear"})
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 0 {
		t.Errorf("offered %+v", list)
	}
}

// TestAnOverrideInALaneIsTakenBackAtTheDesk plays it in a gate that runs: the
// lane let the pupil in, and stops them from the undo on.
func TestAnOverrideInALaneIsTakenBackAtTheDesk(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		g, _ := build(t, dir, func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC).Add(gone), Clock: entry.ClockSynced}
		})
		stop := run(t, g)
		synctest.Wait()
		d, by := deskPage{g}, web.Person{ID: teacherID}
		g.lanes[0].offer(t.Context(), lane.DeviceLost{Role: lane.RoleThermometer})
		scan(t, g, 0, pupilBadge)
		synctest.Wait()
		l := g.View().Lanes[0]
		act := guard.Act{Arrival: l.Arrival, Version: l.Version, Kind: guard.KindOverride, Reason: "device-fault", PIN: teacherPIN, By: by}
		if err := g.Do(t.Context(), act); err != nil {
			t.Errorf("override %+v: %v", l, err)
		}
		synctest.Wait()
		if list := d.Lately(1); len(list) != 1 || list[0].ID != pupilID {
			t.Errorf("lane 1 had %+v", list)
		}
		list := d.Undos(by)
		if len(list) != 1 || list[0].What != "act.override" {
			t.Fatalf("offered %+v", list)
		}
		if inside, err := d.Undo(t.Context(), list[0].ID, by); err != nil || !inside {
			t.Errorf("inside %v, %v", inside, err)
		}
		<-time.After(time.Minute)
		scan(t, g, 0, pupilBadge)
		synctest.Wait()
		if l := g.View().Lanes[0]; l.Verdict != guard.Stop || !slices.Contains(l.Reasons, "on-hold") {
			t.Errorf("the lane shows %+v", l)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
