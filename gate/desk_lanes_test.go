package gate

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// storeAt appends what a lane recorded and waits for it.
func storeAt(t *testing.T, g *Gate, laneNumber uint8, rec lane.Record) {
	t.Helper()
	b := body(g.journal.Boot(), rec, 1, nil)
	kind, _ := entry.KindOf(b)
	if _, err := g.journal.Append(t.Context(), journal.Draft{Kind: kind, Stamp: g.o.Now(), Lane: laneNumber, Body: b}); err != nil {
		t.Fatal(err)
	}
}

// TestWhoeverIsNamedIsServedAsWithTheBadge plays it in a gate that runs.
func TestWhoeverIsNamedIsServedAsWithTheBadge(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, stillClock)
		stop := run(t, g)
		synctest.Wait()
		d, by := deskPage{g}, web.Person{ID: teacherID}
		if err := d.Name(t.Context(), desk.Naming{Lane: 1, Subject: pupilID, By: by}); err != nil {
			t.Errorf("name: %v", err)
		}
		scan(t, g, 1, pupilBadge)
		synctest.Wait()
		named, scanned := g.View().Lanes[0], g.View().Lanes[1]
		scanned.Number, scanned.Arrival = named.Number, named.Arrival
		if named.Name != "李一涵" || named.Word != "temperature" || fmt.Sprint(named) != fmt.Sprint(scanned) {
			t.Errorf("named  %+v\nscanned %+v", named, scanned)
		}
		if err := d.Name(t.Context(), desk.Naming{Lane: 1, Subject: cookID, By: by}); !errors.Is(err, guard.ErrBusy) {
			t.Errorf("a lane that serves somebody else: %v", err)
		}
		for _, n := range []desk.Naming{{Lane: 1, Subject: 99, By: by}, {Lane: 9, Subject: cookID, By: by}} {
			if err := d.Name(t.Context(), n); !errors.Is(err, guard.ErrStale) {
				t.Errorf("%+v: %v", n, err)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	list := answers(t, d.Gate)
	if len(list) != 1 || list[0].Act != entry.ActNamed || list[0].Subject != pupilID || !slices.Equal(list[0].By, []uint64{teacherID}) {
		t.Errorf("entries %+v", list)
	}
	if len(d.register.holds()) != 0 {
		t.Error("a name holds somebody")
	}
}

func TestTheNameIsAnEntryBeforeTheLaneHearsOfIt(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, stillClock)
		stop := run(t, g)
		synctest.Wait()
		d, by := deskPage{g}, web.Person{ID: teacherID}
		if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
			t.Error(err)
		}
		if err := d.Name(t.Context(), desk.Naming{Lane: 2, Subject: pupilID, By: by}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if l := g.View().Lanes[1]; l.Verdict != guard.Stop || !slices.Contains(l.Reasons, "on-hold") {
			t.Errorf("a hold does not stop who is named: %+v", l)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	var order []string
	for row, err := range d.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if k := row.Entry.Kind; row.Entry.Lane == 2 && (k == entry.KindAnswer || k == entry.KindArrival) {
			order = append(order, k.String())
		}
	}
	if !slices.Equal(order, []string{"answer", "arrival"}) {
		t.Errorf("lane 2 has %v", order)
	}
}

func TestALaneTakesNamesWhileItServesNobody(t *testing.T) {
	known := screening.Subject{ID: 7}
	for rule, tt := range map[string]struct {
		view lane.View
		want error
	}{
		"nobody is there":                      {lane.View{Phase: lane.Idle}, nil},
		"its scanner is out":                   {lane.View{Phase: lane.Idle, Faults: lane.ScannerLost}, nil},
		"a code was shown and no badge":        {lane.View{Phase: lane.Gathering}, nil},
		"somebody is measured":                 {lane.View{Phase: lane.Gathering, Subject: known}, guard.ErrBusy},
		"somebody is recorded":                 {lane.View{Phase: lane.Recording, Subject: known}, guard.ErrBusy},
		"the barrier is open":                  {lane.View{Phase: lane.Releasing, Subject: known}, guard.ErrBusy},
		"somebody is stopped":                  {lane.View{Phase: lane.Held}, guard.ErrBusy},
		"it is out of service":                 {lane.View{Phase: lane.Attended}, desk.ErrLaneOut},
		"nothing is known of it (zero is bad)": {lane.View{}, desk.ErrLaneOut},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := takesNames(tt.view); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPeopleAreFoundByClassAndInitials(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	if got := d.Classes(); !slices.Equal(got, []string{"", "1班"}) {
		t.Errorf("classes %q", got)
	}
	for letters, want := range map[string]int{"": 3, "l": 1, "lh": 1, "z": 1, "q": 0} {
		if got := d.Class("", letters); len(got) != want {
			t.Errorf("%q finds %d of staff", letters, len(got))
		}
	}
	if p, ok := d.Person(pupilID); !ok || p != (desk.Person{ID: pupilID, Name: "李一涵", Class: "1班"}) {
		t.Errorf("found %v, %v", p, ok)
	}
	if _, ok := d.Person(99); ok {
		t.Error("found nobody")
	}
}

// decided is a lane's own record of somebody.
func decided(counter uint32, subject uint64) lane.Record {
	rec := admitted(screening.In)
	rec.Arrival, rec.Subject, rec.End = counter, screening.Subject{ID: subject, Role: screening.Student}, lane.Decided
	return rec
}

func TestALaneRemembersWhomItDecidedAboutLast(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 24, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	gone, nobody, typed := decided(8, nurseID), decided(9, 0), decided(1, cookID)
	gone.End, gone.Decision, typed.Act = lane.Incomplete, screening.Decision{}, lane.Typed
	for _, rec := range []lane.Record{decided(1, teacherID), decided(2, pupilID), decided(3, teacherID), gone, nobody, typed} {
		storeAt(t, d.Gate, 1, rec)
	}
	storeAt(t, d.Gate, 2, decided(17, cookID))
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	var got []string
	for _, x := range d.Lately(1) {
		got = append(got, x.Arrival+" "+x.Name)
	}
	if want := []string{"0-3 王建国", "0-2 李一涵"}; !slices.Equal(got, want) {
		t.Errorf("lane 1 had %q, want %q", got, want)
	}
	for n := range uint32(2 * metMost) {
		d.register.met(1, entry.ArrivalID{Counter: n}, decided(n, uint64(100+n)), c.now().Wall)
	}
	if n := len(d.register.meetings(1)); n != metMost {
		t.Errorf("%d are remembered", n)
	}
}

func TestWhoLooksIllIsHeldByNameAtEveryLaneAndAfterARestart(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 28, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	d.register.met(1, entry.ArrivalID{Counter: 2}, decided(2, pupilID), c.now().Wall)
	seen := desk.Illness{Lane: 1, Arrival: "0-2", Found: []string{"cough", "vomiting"}, By: web.Person{ID: teacherID}}
	other := seen
	other.Lane = 2
	if err := d.LooksIll(t.Context(), other); !errors.Is(err, guard.ErrStale) {
		t.Errorf("of another lane: %v", err)
	}
	if err := d.LooksIll(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
	for _, l := range d.lanes {
		if ev := <-l.events; ev != any(lane.HoldPlaced{Subject: pupilID}) {
			t.Errorf("lane %d was told %v", l.cfg.Number, ev)
		}
	}
	list := answers(t, d.Gate)
	if a := list[0]; len(list) != 1 || a.Act != entry.ActSymptoms || a.Subject != pupilID || a.Reason != "cough,vomiting" || a.Arrival.Counter != 2 || a.Ticket != 0 || !slices.Equal(a.By, []uint64{teacherID}) {
		t.Errorf("entries %+v", list)
	}
	before := d.Holds()
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if after := d.Holds(); len(before) != 1 || before[0].Reason != "symptoms" || len(after) != 1 || after[0].Version() != before[0].Version() || after[0].Reason != "symptoms" || after[0].By != "王建国" {
		t.Errorf("held %+v, after a restart %+v", before, after)
	}
}

func TestWhoIsHeldByNameAlreadyStaysHeldAsItWas(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 28, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	d.register.met(1, entry.ArrivalID{Counter: 2}, decided(2, pupilID), c.now().Wall)
	if err := d.LooksIll(t.Context(), desk.Illness{Lane: 1, Arrival: "0-2", Found: []string{"rash"}, By: web.Person{ID: cookID}}); err != nil {
		t.Fatal(err)
	}
	before := d.Holds()
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if after := d.Holds(); len(answers(t, d.Gate)) != 2 || len(before) != 1 || before[0].Reason != "yellow-code" || len(after) != 1 || after[0].Reason != "yellow-code" {
		t.Errorf("held %+v, after a restart %+v", before, after)
	}
}

func TestACaseHoldsWhoLooksIll(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 28, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	d.register.met(1, entry.ArrivalID{Counter: 2}, decided(2, pupilID), c.now().Wall)
	seen := desk.Illness{Lane: 1, Arrival: "0-2", Found: []string{"fever"}, Case: true, By: web.Person{ID: teacherID}}
	for range 2 { // pressed again, it is the same case
		if err := d.LooksIll(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
	}
	open := d.cases.list()
	if len(open) != 1 || open[0].file.Subject != pupilID {
		t.Fatalf("cases %+v", open)
	}
	for _, a := range answers(t, d.Gate) {
		if a.Act != entry.ActSymptoms || a.Ticket != open[0].file.Number || a.Reason != "fever" {
			t.Errorf("entry %+v", a)
		}
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if _, byName := d.register.byName(pupilID); byName {
		t.Error("a hold by name outlives the case")
	}
	if _, held, _ := d.register.look(pupilID, 0); !held {
		t.Error("the case holds nobody")
	}
}
