package gate

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/desk"
)

// setAside stores that a pupil was stopped for a reason and waits under ticket
// 12, and opens the gate anew.
func setAside(t *testing.T, dir string, c *clockAt, o screening.Outcome, why ...screening.Reason) deskPage {
	t.Helper()
	d := atDesk(t, dir, c)
	rec := stopped(o, why[0])
	for _, also := range why[1:] {
		rec.Decision = rec.Decision.Stop("row", also, o)
	}
	rec.Subject, rec.Arrival = screening.Subject{ID: pupilID, Role: screening.Student}, 1
	switch r := rec.Reading; {
	case rec.Decision.Has(screening.HighOnce):
	case rec.Decision.Has(screening.TooCold):
		r.Peak, r.Value, r.Quality = 34_000, 34_000, screening.Cold
	default:
		r.Peak, r.Value = 36_500, 36_500
	}
	set := rec
	set.Act, set.Ticket = lane.Aside, 12
	storeAt(t, d.Gate, 1, rec)
	storeAt(t, d.Gate, 1, set)
	shut(t, d.Gate)
	return atDesk(t, dir, c)
}

func TestATicketIsDueAfterFiveMinutesAndThenALaneMeasuresAgain(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	began := time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)
	c := newClockAt(began)
	d := setAside(t, dir, c, screening.Recheck, screening.TooCold)
	a := d.View().Asides
	if len(a) != 1 || !a[0].Due.Equal(began.Add(5*time.Minute)) {
		t.Fatalf("waits %+v", a)
	}
	for _, l := range d.lanes {
		for after, held := range map[time.Duration]bool{0: true, againAfter - time.Second: true, againAfter: false, time.Hour: false} {
			c.wall.Store(began.Add(after).Unix())
			if s := l.lookUp([]byte(pupilBadge)); s.Subject.ID != pupilID || s.Held != held {
				t.Errorf("lane %d after %v: %+v", l.cfg.Number, after, s)
			}
		}
	}
	if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	if s := d.lanes[0].lookUp([]byte(pupilBadge)); !s.Held {
		t.Error("the ticket opens a hold by name")
	}
	shut(t, d.Gate)
	c.wall.Store(began.Add(againAfter).Unix())
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if d.register.liftNamed(pupilID); d.lanes[0].lookUp([]byte(pupilBadge)).Held {
		t.Error("a restart begins the five minutes anew")
	}
}

func TestNothingButColdBecomesDue(t *testing.T) {
	for rule, why := range map[string][]screening.Reason{
		"high":               {screening.HighOnce},
		"high and cold":      {screening.HighOnce, screening.TooCold},
		"on hold already":    {screening.OnHold},
		"no thermometer":     {screening.NoTemperature},
		"cold, and red code": {screening.TooCold, screening.RedCode},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			crewed(t, dir)
			c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
			d := setAside(t, dir, c, screening.Recheck, why...)
			defer shut(t, d.Gate)
			if d.register.place(pupilID, "collector:test"); !d.View().Asides[0].Due.IsZero() || d.register.mayTryAgain(pupilID, c.now().Mono+time.Hour) {
				t.Error("it becomes due")
			}
		})
	}
}

func TestWhoeverALaneAdmitsLeavesTheListByItself(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.TooCold)
	in := decided(33, pupilID)
	storeAt(t, d.Gate, 2, in)
	d.register.apply(entry.ArrivalID{Counter: 33}, in, c.now().Wall)
	live := d.View().Asides
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if again := d.View().Asides; len(live) != 0 || len(again) != 0 || len(d.register.holds()) != 0 {
		t.Errorf("waits %+v, after a restart %+v", live, again)
	}
}

func TestASecondTicketReplacesTheFirst(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := setAside(t, dir, c, screening.Recheck, screening.TooCold)
	rec := stopped(screening.Recheck, screening.TooCold)
	rec.Subject, rec.Arrival = screening.Subject{ID: pupilID, Role: screening.Student}, 2
	set := rec
	set.Act, set.Ticket = lane.Aside, 13
	storeAt(t, d.Gate, 1, rec)
	storeAt(t, d.Gate, 1, set)
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if a := d.View().Asides; len(a) != 1 || a[0].Ticket != 13 {
		t.Errorf("wait %+v", a)
	}
}

func TestTheLaneSaysThatThereWillBeATicket(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	open(t, g)
	defer shut(t, g)
	l := g.lanes[0]
	for why, want := range map[screening.Reason]bool{screening.TooCold: true, screening.HighOnce: false} {
		v := lane.View{Phase: lane.Held, Shown: true, Decided: true, Decision: stopped(screening.Recheck, why).Decision, Allowed: lane.Allowed{Aside: true}}
		l.shown.Store(&shown{view: v})
		if got := slices.Contains(l.page(g.roster.Snapshot()).Reasons, "wait-ticket"); got != want {
			t.Errorf("%v: %v", why, got)
		}
	}
}
