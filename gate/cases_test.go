package gate

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
)

// leaderID has the duty of a leader in a guarded roster, with teacherPIN.
const leaderID = teacherID

// guarded gives a directory the crew, a leader, and guardians for its pupil.
func guarded(t *testing.T, dir string) {
	t.Helper()
	crewed(t, dir)
	r, err := roster.Open(t.Context(), dir+"/roster.db", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(rosterOfIDs, "\n", ",,,,\n")
	text = strings.Replace(text, "卡号,,,,", "卡号,监护人1,电话1,监护人2,电话2", 1)
	text = strings.Replace(text, pupilBadge+",,,,", pupilBadge+",李明,138-0013-8000,王芳,13900139111", 1)
	list, err := roster.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(t.Context(), list, roster.ImportOpts{By: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.SetDuty(t.Context(), "T1", roster.Leader), r.Close()); err != nil {
		t.Fatal(err)
	}
}

var sevenNineteen = time.Date(2020, 12, 7, 7, 19, 0, 0, time.UTC)

// inRoom opens a gate with a guarded roster that does not run, and its room.
func inRoom(t *testing.T, dir string, c *clockAt) roomPage {
	t.Helper()
	return roomPage{atDesk(t, dir, c).Gate}
}

// again closes the gate and opens it anew, as a restart does.
func (r roomPage) again(t *testing.T, dir string, c *clockAt) roomPage {
	t.Helper()
	shut(t, r.Gate)
	return inRoom(t, dir, c)
}

// isolate lets a lane decide that somebody goes to the room.
func (r roomPage) isolate(t *testing.T, counter uint32, subject uint64, why screening.Reason) entry.ArrivalID {
	t.Helper()
	l := r.lanes[0]
	l.stamp = r.recorder.now()
	rec := stopped(screening.Isolate, why)
	rec.Arrival, rec.Subject = counter, screening.Subject{ID: subject, Role: screening.Student}
	rec.Reading = &screening.Reading{Instrument: "gate@1", Quality: screening.Valid, Value: 38_600, Peak: 38_600}
	l.perform([]lane.Effect{lane.Alarm{Arrival: counter, Subject: subject}, lane.Append{Record: rec}})
	r.settle(t)
	return entry.ArrivalID{Boot: r.journal.Boot(), Counter: counter}
}

// settle waits until all that was submitted is durable.
func (r roomPage) settle(t *testing.T) {
	t.Helper()
	store(t, r.Gate, entry.Heartbeat{})
}

// only returns the one case that is open.
func (r roomPage) only(t *testing.T) isolation.Case {
	t.Helper()
	list := r.View().Cases
	if len(list) != 1 {
		t.Fatalf("cases %+v", list)
	}
	return list[0]
}

// press takes a step of the one case, in the nurse's name.
func (r roomPage) press(t *testing.T, s isolation.Step) error {
	t.Helper()
	c := r.only(t)
	s.Number, s.Version, s.By = c.Number, c.Version, web.Person{ID: nurseID}
	return r.Step(t.Context(), s)
}

func (r roomPage) must(t *testing.T, steps ...isolation.Step) {
	t.Helper()
	for _, s := range steps {
		if err := r.press(t, s); err != nil {
			t.Fatalf("%s: %v", s.Kind, err)
		}
	}
}

// steps returns what the journal says of cases.
func (r roomPage) steps(t *testing.T) (list []entry.Case) {
	t.Helper()
	for row, err := range r.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var b entry.Case
		if row.Entry.Kind == entry.KindCase {
			if err := row.Entry.Decode(&b); err != nil {
				t.Fatal(err)
			}
			list = append(list, b)
		}
	}
	return list
}

func measured37(value int32) isolation.Step {
	return isolation.Step{Kind: isolation.StepMeasured, Value: value}
}

var (
	received    = isolation.Step{Kind: isolation.StepArrived}
	fetched     = isolation.Step{Kind: isolation.StepEscorted}
	backToClass = isolation.Step{Kind: isolation.StepBack}
	goneHome    = isolation.Step{Kind: isolation.StepHome, HandOver: isolation.HandOver{Relation: "mother", Digits: "9111"}}
	inHospital  = isolation.Step{Kind: isolation.StepHospital}
	notThis     = isolation.Step{Kind: isolation.StepNotThis, Reason: "wrong-badge"}
	rang        = isolation.Step{Kind: isolation.StepCalled, Call: "busy", Guardian: 2}
)

func TestADecisionThatIsolatesOpensOneCaseUnderTheNumberOfItsTicket(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	id := r.isolate(t, 1, pupilID, screening.HardFeverSeen)
	one := r.only(t)
	if one.Name != "李一涵" || one.Gate != "38.6" || !slices.Equal(one.Found, []string{"hard-fever"}) || one.Here || !one.Stored || one.Next != isolation.StepArrived {
		t.Errorf("the room shows %+v", one)
	}
	if got := r.ticketFor(id); int(got) != one.Number {
		t.Errorf("set aside under %d, case %d", got, one.Number)
	}
	if other := r.register.nextTicket(); int(other) == one.Number {
		t.Error("somebody else gets the number")
	}
	r.lanes[0].append(lane.Record{Arrival: 1, Act: lane.Aside, Ticket: uint16(one.Number), Subject: screening.Subject{ID: pupilID}, Decision: stopped(screening.Isolate, screening.HardFeverSeen).Decision})
	r.isolate(t, 2, pupilID, screening.HardFeverSeen) // came to a lane again
	r.settle(t)
	if list := r.steps(t); len(list) != 1 || list[0].Step != entry.CaseOpened || list[0].Arrival != id || len(list[0].By) != 0 || list[0].Subject != pupilID {
		t.Errorf("entries %+v", list)
	}
	if h, held, _ := r.register.look(pupilID, 0); !held || !h.inCase || !h.grave {
		t.Errorf("hold %+v, %v", h, held)
	}
	shut(t, r.Gate)
}

func TestACaseIsTheSameAfterARestart(t *testing.T) {
	for rule, tt := range map[string]struct {
		steps []isolation.Step
		open  bool
		held  bool
	}{
		"opened":            {open: true, held: true},
		"fetched":           {steps: []isolation.Step{fetched}, open: true, held: true},
		"received":          {steps: []isolation.Step{fetched, received}, open: true, held: true},
		"measured":          {steps: []isolation.Step{received, measured37(36_500)}, open: true, held: true},
		"a fever":           {steps: []isolation.Step{received, measured37(38_400), measured37(36_900)}, open: true, held: true},
		"called":            {steps: []isolation.Step{rang, received, rang}, open: true, held: true},
		"back to class":     {steps: []isolation.Step{received, measured37(36_500), backToClass}},
		"not this person":   {steps: []isolation.Step{notThis}},
		"home":              {steps: []isolation.Step{received, goneHome}, held: true},
		"home at the gate":  {steps: []isolation.Step{goneHome}, held: true},
		"taken to hospital": {steps: []isolation.Step{received, measured37(39_100), inHospital}, held: true},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			guarded(t, dir)
			r := inRoom(t, dir, c)
			r.isolate(t, 1, pupilID, screening.HighTwice)
			c.wall.Add(60)
			r.must(t, tt.steps...)
			before := r.View()
			for _, s := range r.steps(t)[1:] {
				if !slices.Equal(s.By, []uint64{nurseID}) || s.Subject != pupilID {
					t.Errorf("entry %+v", s)
				}
			}
			c.wall.Add(60)
			r = r.again(t, dir, c)
			defer shut(t, r.Gate)
			after := r.View()
			before.Now, after.Now = time.Time{}, time.Time{}
			inUTC(&before)
			inUTC(&after)
			if !reflect.DeepEqual(after, before) {
				t.Errorf("was    %+v\nbecame %+v", before, after)
			}
			_, held, _ := r.register.look(pupilID, 0)
			if open := len(after.Cases) > 0; open != tt.open || held != tt.held {
				t.Errorf("open %v, held %v; want %v, %v", open, held, tt.open, tt.held)
			}
			if len(tt.steps) > 0 && len(after.Alarms) > 0 {
				t.Error("the room has acted and the alarm stands")
			}
		})
	}
}

// inUTC brings the times of a view into one zone: entries keep whole milliseconds
// of another.
func inUTC(v *isolation.View) {
	for _, list := range [][]isolation.Case{v.Cases, v.Returns} {
		for i := range list {
			list[i].Since = list[i].Since.UTC()
		}
	}
	for i := range v.Leaving {
		v.Leaving[i].Until = v.Leaving[i].Until.UTC()
	}
	for i := range v.Alarms {
		v.Alarms[i].Since = v.Alarms[i].Since.UTC()
	}
}

func TestTheEndOfACaseLiftsItsOwnHoldAndNoOther(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	if err := (deskPage(r)).Hold(t.Context(), placing(desk.Lifted)); err != nil {
		t.Fatal(err)
	}
	r.must(t, received, measured37(36_500), backToClass)
	for range 2 {
		if h, held, _ := r.register.look(pupilID, 0); !held || !h.named || h.inCase || h.id != (entry.ArrivalID{}) {
			t.Errorf("hold %+v, %v", h, held)
		}
		// Somebody at the lane still had the stop to acknowledge.
		over := stopped(screening.Isolate, screening.HighTwice)
		over.Arrival, over.Act, over.Subject.ID = 1, lane.Acknowledge, pupilID
		r.register.apply(entry.ArrivalID{Boot: 0, Counter: 1}, over, sevenNineteen)
		if h, _, _ := r.register.look(pupilID, 0); h.id != (entry.ArrivalID{}) {
			t.Errorf("the arrival holds again: %+v", h)
		}
		r = r.again(t, dir, c)
	}
	shut(t, r.Gate)
}

func TestWhoWentBackToClassIsIn(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, received, measured37(36_500))
	if n := r.Gate.View().ArrivedToday; n != 0 {
		t.Errorf("%d are in while the child is in the room", n)
	}
	r.must(t, backToClass)
	for range 2 {
		if n := r.Gate.View().ArrivedToday; n != 1 {
			t.Errorf("%d are in", n)
		}
		r = r.again(t, dir, c)
	}
	shut(t, r.Gate)
}

func TestNobodyAtTheDeskEndsAnOpenCase(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	d := deskPage(r)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	lift := func() error {
		h := d.Holds()
		if len(h) != 1 || h[0].Reason != "case" {
			t.Fatalf("the desk lists %+v", h)
		}
		return d.Lift(t.Context(), desk.Lifting{Subject: pupilID, Version: h[0].Version(), PIN: teacherPIN, By: web.Person{ID: teacherID}})
	}
	if err := lift(); !errors.Is(err, guard.ErrNotAllowed) {
		t.Errorf("lifted in the midst of a case: %v", err)
	}
	number := r.only(t).Number
	r.must(t, goneHome) // its return is owed, and lifted by the proof alone
	if h := d.Holds(); len(h) != 1 || h[0].Reason != "return" || h[0].Return != number {
		t.Errorf("the desk lists %+v", h)
	}
	if err := d.Lift(t.Context(), desk.Lifting{Subject: pupilID, PIN: teacherPIN, By: web.Person{ID: teacherID}}); !errors.Is(err, guard.ErrNotAllowed) {
		t.Errorf("lifted without the proof: %v", err)
	}
	r = r.again(t, dir, c)
	defer shut(t, r.Gate)
	if _, held, _ := r.register.look(pupilID, 0); !held {
		t.Error("not held after a restart")
	}
}

func TestWhoWaitsUnderTheTicketLeavesTheListWhenTheRoomReceives(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	id := r.isolate(t, 1, pupilID, screening.HardFeverSeen)
	rec := stopped(screening.Isolate, screening.HardFeverSeen)
	rec.Arrival, rec.Act, rec.Ticket, rec.Subject.ID = 1, lane.Aside, r.ticketFor(id), pupilID
	r.lanes[0].perform([]lane.Effect{lane.Append{Record: rec}, lane.SetAside{Ticket: rec.Ticket, Record: rec, Arrival: screening.Arrival{Subject: rec.Subject}, Decision: rec.Decision}})
	if n := len(r.Gate.View().Asides); n != 1 {
		t.Fatalf("%d wait", n)
	}
	r.must(t, received)
	for range 2 {
		if n := len(r.Gate.View().Asides); n != 0 {
			t.Errorf("%d wait", n)
		}
		r = r.again(t, dir, c)
	}
	shut(t, r.Gate)
}

func TestAStepIsDurableOrIsNotTaken(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	seen := r.only(t)
	if err := r.press(t, isolation.Step{Kind: isolation.StepBack}); !errors.Is(err, isolation.ErrNotAllowed) {
		t.Errorf("back to class from the gate: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Step(gone, isolation.Step{Kind: isolation.StepHospital, Number: seen.Number, Version: seen.Version, By: web.Person{ID: nurseID}}); err == nil {
		t.Error("a browser that left is told that it is done")
	}
	r.must(t, received)
	stale := isolation.Step{Kind: isolation.StepHospital, Number: seen.Number, Version: seen.Version, By: web.Person{ID: nurseID}}
	if err := r.Step(t.Context(), stale); !errors.Is(err, isolation.ErrStale) {
		t.Errorf("a page that was not up to date: %v", err)
	}
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	before := r.only(t)
	if err := r.press(t, measured37(36_500)); err == nil {
		t.Error("taken without a journal")
	}
	if after := r.only(t); !reflect.DeepEqual(after, before) {
		t.Errorf("was %+v, became %+v", before, after)
	}
	if err := r.roster.Close(); err != nil {
		t.Error(err)
	}
}

func TestACaseThatCannotBeRecordedHoldsAllTheSame(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	o := isolation.Opening{Subject: pupilID, Found: []string{"headache"}, By: web.Person{ID: nurseID}}
	if _, err := r.Open(t.Context(), o); !errors.Is(err, isolation.ErrNotStored) {
		t.Errorf("got %v", err)
	}
	if _, held, _ := r.register.look(pupilID, 0); !held || r.only(t).Stored {
		t.Error("it holds nobody, or says that it is recorded")
	}
	if err := r.press(t, inHospital); !errors.Is(err, isolation.ErrNotStored) {
		t.Errorf("a step comes before its case: %v", err)
	}
	if err := r.roster.Close(); err != nil {
		t.Error(err)
	}
}

// TestAnAlarmWithoutACaseGetsOneAtTheNextStart: the power went between the two
// entries.
func TestAnAlarmWithoutACaseGetsOneAtTheNextStart(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	rec := stopped(screening.Isolate, screening.HardFeverSeen)
	rec.Arrival, rec.Subject.ID = 1, pupilID
	store(t, r.Gate, body(r.journal.Boot(), rec, 1, nil))
	for range 2 { // and one only
		r = r.again(t, dir, c)
		r.cases.openMissing()
		r.settle(t)
		if one := r.only(t); one.Name != "李一涵" || !one.Since.Equal(sevenNineteen) {
			t.Errorf("the room shows %+v", one)
		}
		if n := len(r.steps(t)); n != 1 {
			t.Errorf("%d entries", n)
		}
	}
	shut(t, r.Gate)
}

func TestTheNextJournalKeepsTheHoldsOfCasesAndNoOpenCase(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, received)
	shut(t, r.Gate)
	if _, err := rebased(t, dir); err == nil || !strings.Contains(err.Error(), "cases are open") {
		t.Errorf("an open case is left behind: %v", err)
	}
	r = inRoom(t, dir, c)
	r.must(t, goneHome)
	shut(t, r.Gate)
	if _, err := rebased(t, dir); err != nil {
		t.Fatal(err)
	}
	r = inRoom(t, dir, c)
	defer shut(t, r.Gate)
	if h, held, _ := r.register.look(pupilID, 0); !held || !h.grave {
		t.Errorf("hold %+v, %v", h, held)
	}
	r.bringBack(t, "cold", isolation.Step{Kind: isolation.StepCleared, Proof: "word"})
	if h, held, _ := r.register.look(pupilID, 0); held {
		t.Errorf("cleared in the next journal, and held: %+v", h)
	}
}

func TestTheNumbersOfStepsAreThoseOfEntries(t *testing.T) {
	for step, number := range map[casefile.Step]uint8{
		casefile.Opened: entry.CaseOpened, casefile.Escorted: entry.CaseEscorted, casefile.Arrived: entry.CaseArrived, casefile.Measured: entry.CaseMeasured,
		casefile.Called: entry.CaseCalled, casefile.BackToClass: entry.CaseBackToClass, casefile.NotThisPerson: entry.CaseNotThisPerson,
		casefile.HomeWithGuardian: entry.CaseHome, casefile.ToHospital: entry.CaseHospital, casefile.Identified: entry.CaseIdentified,
		casefile.Told: entry.CaseTold, casefile.Suspected: entry.CaseSuspected, casefile.Diagnosed: entry.CaseDiagnosed, casefile.Dated: entry.CaseDated,
		casefile.ReturnCleared: entry.CaseCleared, casefile.Returned: entry.CaseReturned, casefile.Corrected: entry.CaseCorrected, casefile.Placed: entry.CasePlaced,
	} {
		if uint8(step) != number {
			t.Errorf("%v is %d in an entry", step, number)
		}
	}
	for _, kind := range []string{isolation.StepEscorted, isolation.StepArrived, isolation.StepMeasured, isolation.StepCalled, isolation.StepBack,
		isolation.StepNotThis, isolation.StepHome, isolation.StepHospital, isolation.StepIdentified, isolation.StepTold, isolation.StepSuspected, isolation.StepDiagnosed, isolation.StepDated,
		isolation.StepCleared, isolation.StepReturned, isolation.StepCorrected, isolation.StepPlaced} {
		if stepOf(kind) == 0 {
			t.Errorf("the gate takes no step %q", kind)
		}
	}
	if stepOf("muted") != 0 || stepOf("opened") != 0 {
		t.Error("the gate takes as a step what is none of a case that is open")
	}
	for s := casefile.Opened; s <= casefile.Placed; s++ {
		if uint8(s) == entry.CaseMuted {
			continue
		}
		known(t, "did."+s.String())
		if s > casefile.Escorted && s != casefile.Dated {
			known(t, "step."+s.String())
		}
	}
	for _, key := range []string{"reason.case", "reason.return", "hold.return", "problem.duty-over", "strip.date"} {
		known(t, key)
	}
}
