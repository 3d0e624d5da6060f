package gate

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
)

// away returns the one case whose return is owed.
func (r roomPage) away(t *testing.T) isolation.Case {
	t.Helper()
	list := r.View().Returns
	if len(list) != 1 {
		t.Fatalf("returns %+v", list)
	}
	return list[0]
}

// pressAway takes a step of the one case of somebody who is away.
func (r roomPage) pressAway(t *testing.T, s isolation.Step) error {
	t.Helper()
	c := r.away(t)
	s.Number, s.Version, s.By = c.Number, c.Version, web.Person{ID: nurseID}
	return r.Step(t.Context(), s)
}

// bringBack takes the steps of the way back after a diagnosis.
func (r roomPage) bringBack(t *testing.T, diagnosis string, steps ...isolation.Step) {
	t.Helper()
	for _, s := range append([]isolation.Step{{Kind: isolation.StepDiagnosed, Reason: diagnosis}}, steps...) {
		if err := r.pressAway(t, s); err != nil {
			t.Fatalf("%s: %v", s.Kind, err)
		}
	}
}

func wordTo(duty string) isolation.Step {
	return isolation.Step{Kind: isolation.StepTold, Reason: duty}
}

var (
	byWord   = isolation.Step{Kind: isolation.StepCleared, Proof: "word"}
	tomorrow = isolation.Step{Kind: isolation.StepCleared, Proof: "word", Tomorrow: true}
	isBack   = isolation.Step{Kind: isolation.StepReturned}
	suspects = isolation.Step{Kind: isolation.StepSuspected, Reason: "influenza"}
)

// comesIn lets a lane admit somebody, and the entry become durable.
func (r roomPage) comesIn(t *testing.T, counter uint32, subject uint64) {
	t.Helper()
	l := r.lanes[0]
	l.stamp = r.recorder.now()
	rec := admitted(screening.In)
	rec.Arrival, rec.Admits, rec.Subject = counter, true, screening.Subject{ID: subject, Role: screening.Student}
	l.perform([]lane.Effect{lane.Append{Record: rec}})
	r.settle(t)
}

// TestACaseStandsWhereItsLastEntrySays takes a long case through two gates. One of
// them loses its power after every entry; nothing tells them apart, neither what
// the room sees, nor who is held, nor whether the beacon is on.
func TestACaseStandsWhereItsLastEntrySays(t *testing.T) {
	steady, cut, c := t.TempDir(), t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, steady)
	guarded(t, cut)
	a, b := inRoom(t, steady, c), inRoom(t, cut, c)
	press := func(r roomPage, s isolation.Step) error {
		if len(r.View().Cases) > 0 {
			return r.press(t, s)
		}
		return r.pressAway(t, s)
	}
	compare := func(after string) {
		t.Helper()
		b = b.again(t, cut, c)
		was, is := a.View(), b.View()
		inUTC(&was)
		inUTC(&is)
		if !reflect.DeepEqual(is, was) {
			t.Errorf("after %s: was    %+v\nbecame %+v", after, was, is)
		}
		if !maps.Equal(b.register.holds(), a.register.holds()) {
			t.Errorf("after %s: holds %v, rebuilt %v", after, a.register.holds(), b.register.holds())
		}
		onA, _ := a.alarms.state()
		if onB, _ := b.alarms.state(); onA != onB {
			t.Errorf("after %s: the beacon was %v, and is %v", after, onA, onB)
		}
		if n, m := a.Gate.View().ArrivedToday, b.Gate.View().ArrivedToday; n != m {
			t.Errorf("after %s: %d are in, rebuilt %d", after, n, m)
		}
	}
	for _, r := range []roomPage{a, b} {
		r.isolate(t, 1, pupilID, screening.HighTwice)
	}
	compare("the alarm")
	wrong := isolation.Step{Kind: isolation.StepCorrected, Reason: "not-done"}
	for i, s := range []isolation.Step{
		fetched, received, {Kind: isolation.StepPlaced, Bed: 4}, measured37(38_400), wordTo("leader"), rang, suspects, wordTo("cdc"), wrong, wordTo("cdc"), wordTo("bureau"), goneHome,
		{Kind: isolation.StepDiagnosed, Reason: "influenza"}, {Kind: isolation.StepDated, Reason: casefile.SymptomsEnd, Days: 3},
		{Kind: isolation.StepCleared, Proof: "certificate"}, wrong, {Kind: isolation.StepCleared, Proof: "look", Tomorrow: true}, isBack,
	} {
		c.wall.Add(20 * 60) // long enough for duties to run out
		for _, r := range []roomPage{a, b} {
			if s.Kind == isolation.StepCorrected {
				v := r.View()
				s.Corrects = slices.Concat(v.Cases, v.Returns)[0].Version // the step before
			}
			if err := press(r, s); err != nil {
				t.Fatalf("step %d, %s: %v", i, s.Kind, err)
			}
		}
		compare(s.Kind)
	}
	if v := b.View(); len(v.Ended) != 1 || v.Ended[0].How != "returned" || len(v.Returns)+len(v.Cases) != 0 {
		t.Errorf("at the end %+v", v)
	}
	shut(t, a.Gate)
	shut(t, b.Gate)
}

func TestWhoIsAwayIsHeldUntilTheReturnIsCleared(t *testing.T) {
	for rule, tt := range map[string]struct {
		steps []isolation.Step
		wait  time.Duration // then the gate looks at its clock
		held  bool
		why   string
	}{
		"in the room":                         {steps: []isolation.Step{received}, held: true, why: "case"},
		"at home":                             {steps: []isolation.Step{goneHome}, held: true, why: "return"},
		"cleared for today":                   {steps: []isolation.Step{goneHome, byWord}},
		"cleared for tomorrow, today":         {steps: []isolation.Step{goneHome, tomorrow}, held: true, why: "return"},
		"cleared for tomorrow, at 23:59":      {steps: []isolation.Step{goneHome, tomorrow}, wait: 16*time.Hour + 40*time.Minute, held: true, why: "return"},
		"cleared for tomorrow, at midnight":   {steps: []isolation.Step{goneHome, tomorrow}, wait: 16*time.Hour + 41*time.Minute},
		"cleared, which was not so":           {steps: []isolation.Step{goneHome, byWord, {Kind: isolation.StepCorrected, Corrects: 4, Reason: "not-done"}}, held: true, why: "return"},
		"back by name":                        {steps: []isolation.Step{goneHome, byWord, isBack}},
		"back by name before the day":         {steps: []isolation.Step{goneHome, tomorrow, isBack}},
		"not this person, found out too late": {steps: []isolation.Step{goneHome, notThis}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			guarded(t, dir)
			r := inRoom(t, dir, c)
			r.isolate(t, 1, pupilID, screening.HighTwice)
			for _, s := range tt.steps {
				switch {
				case s.Kind == goneHome.Kind:
					r.must(t, s)
					r.bringBack(t, "cold")
				case len(r.View().Cases) > 0:
					r.must(t, s)
				default:
					if err := r.pressAway(t, s); err != nil {
						t.Fatalf("%s: %v", s.Kind, err)
					}
				}
			}
			c.wall.Add(int64(tt.wait / time.Second))
			for range 2 {
				r.freeReturns()
				_, held, _ := r.register.look(pupilID, 0)
				if held != tt.held {
					t.Errorf("held %v", held)
				}
				if why := r.reasonsOf(pupilID, []string{"on-hold"})[0]; held && why != tt.why {
					t.Errorf("the guard reads %q", why)
				}
				if list := r.Gate.View().Held; held != (len(list) == 1) || held && list[0] != (guard.Held{Name: "李*涵", Reason: tt.why}) {
					t.Errorf("the guard's page names %+v", list)
				}
				r = r.again(t, dir, c)
			}
			shut(t, r.Gate)
		})
	}
}

// TestTheDeskOffersTheProofsBeforeAnythingElse: a hold by name, and a ticket under
// which the child waits, come after them.
func TestTheDeskOffersTheProofsBeforeAnythingElse(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	d := deskPage(r)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	number := r.away(t).Number
	rec := stopped(screening.Refer, screening.OnHold)
	rec.Arrival, rec.Act, rec.Ticket, rec.Subject.ID = 2, lane.Aside, 77, pupilID
	r.lanes[0].perform([]lane.Effect{lane.Append{Record: rec}, lane.SetAside{Ticket: rec.Ticket, Record: rec, Arrival: screening.Arrival{Subject: rec.Subject}, Decision: rec.Decision}})
	for _, reason := range []string{"return", placing(desk.Lifted).Reason} {
		if list := d.Holds(); len(list) != 1 || list[0].Return != number || list[0].Reason != reason {
			t.Errorf("the desk lists %+v", list)
		}
		if reason == "return" {
			if err := d.Hold(t.Context(), placing(desk.Lifted)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.bringBack(t, "cold", byWord)
	if list := d.Holds(); len(list) != 1 || list[0].Return != 0 {
		t.Errorf("cleared, and the desk lists %+v", list)
	}
}

func TestByAClockThatNobodyVouchesForNoDayOfReturnBegins(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer func() { shut(t, r.Gate) }()
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	c.quality.Store(int64(entry.ClockUnset))
	for _, s := range []isolation.Step{{Kind: isolation.StepDated, Reason: casefile.Onset}, tomorrow} {
		r.bringBack(t, "cold")
		if err := r.pressAway(t, s); !errors.Is(err, isolation.ErrClock) {
			t.Errorf("%s: %v", s.Kind, err)
		}
	}
	c.quality.Store(int64(entry.ClockSynced))
	r.bringBack(t, "cold", tomorrow)
	c.wall.Add(24 * 3600)
	c.quality.Store(int64(entry.ClockUnset))
	r.freeReturns()
	if _, held, _ := r.register.look(pupilID, 0); !held {
		t.Error("a clock that nobody vouches for has ended the wait")
	}
}

func TestTheWaitAndTheProofOfTheDiagnosisAreAskedFor(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	look := isolation.Step{Kind: isolation.StepCleared, Proof: "look"}
	if err := r.pressAway(t, look); !errors.Is(err, isolation.ErrEarly) {
		t.Errorf("of nothing that is known: %v", err)
	}
	r.bringBack(t, "influenza")
	if p := r.away(t); !p.AsksEnd || p.When != "unknown" {
		t.Errorf("still ill: %+v", p.Return)
	}
	for days, want := range []struct {
		when string
		err  error // today
	}{{"later", isolation.ErrEarly}, {"later", isolation.ErrEarly}, {"tomorrow", isolation.ErrEarly}, {"today", nil}} {
		if err := r.pressAway(t, isolation.Step{Kind: isolation.StepDated, Reason: casefile.SymptomsEnd, Days: days}); err != nil {
			t.Fatal(err)
		}
		if p := r.away(t); p.When != want.when || p.Asked != "look" {
			t.Errorf("symptoms until %d days ago: %+v", days, p.Return)
		}
		if want.err != nil {
			if err := r.pressAway(t, look); !errors.Is(err, want.err) {
				t.Errorf("symptoms until %d days ago: %v", days, err)
			}
		}
	}
	r.bringBack(t, "varicella")
	for days, want := range map[int]string{14: "today", 13: "tomorrow", 12: "later"} {
		if err := r.pressAway(t, isolation.Step{Kind: isolation.StepDated, Reason: casefile.Onset, Days: days}); err != nil {
			t.Fatal(err)
		}
		if p := r.away(t); p.When != want || p.From != casefile.Onset || p.Asked != "certificate" {
			t.Errorf("began %d days ago: %+v", days, p.Return)
		}
	}
	r.bringBack(t, "influenza")
	if err := r.pressAway(t, byWord); !errors.Is(err, isolation.ErrProof) {
		t.Errorf("less than what is asked: %v", err)
	}
	if err := r.pressAway(t, look); err != nil {
		t.Error(err)
	}
	list := r.steps(t)
	last := list[len(list)-1]
	if last.Step != entry.CaseCleared || last.Proof != uint8(casefile.NursesLook) || last.Asked != last.Proof || last.Wait != 48*3600 ||
		last.From != sevenNineteen.Truncate(24*time.Hour).AddDate(0, 0, -2).UnixMilli() || !slices.Equal(last.By, []uint64{nurseID}) {
		t.Errorf("entry %+v", last)
	}
}

// TestALaneThatAdmitsEndsTheCase: the entry of the admission comes first, and a
// crash before that of the return costs nothing.
func TestALaneThatAdmitsEndsTheCase(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	r.bringBack(t, "cold", byWord)
	r.takeReturns(t.Context())
	if !r.away(t).Cleared {
		t.Fatal("ended before anybody came")
	}
	r.comesIn(t, 2, pupilID)
	r = r.again(t, dir, c) // the power goes between the two entries
	r.takeReturns(t.Context())
	for range 2 {
		if v := r.View(); len(v.Returns) != 0 || len(v.Ended) != 1 || v.Ended[0].How != "returned" {
			t.Errorf("the room shows %+v", v)
		}
		r = r.again(t, dir, c)
	}
	list := r.steps(t)
	if last := list[len(list)-1]; last.Step != entry.CaseReturned || len(last.By) != 0 || last.Subject != pupilID {
		t.Errorf("entry %+v", last)
	}
	shut(t, r.Gate)
}

// TestTheGateItselfBringsWhoWasClearedBack runs a gate in a bubble over midnight:
// the day of the return begins, a lane admits, and the case ends.
func TestTheGateItselfBringsWhoWasClearedBack(t *testing.T) {
	dir := t.TempDir()
	guarded(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		g, _ := build(t, dir, func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: time.Date(2020, 12, 7, 23, 58, 0, 0, time.UTC).Add(gone), Clock: entry.ClockSynced}
		})
		stop := run(t, g)
		r := roomPage{g}
		if _, err := r.Open(t.Context(), isolation.Opening{Subject: pupilID, By: web.Person{ID: nurseID}}); err != nil {
			t.Fatal(err)
		}
		r.must(t, goneHome)
		r.bringBack(t, "cold", tomorrow)
		for minute, want := range []bool{true, false} {
			<-time.After(time.Minute + 10*time.Second)
			synctest.Wait()
			if _, held, _ := g.register.look(pupilID, 0); held != want {
				t.Errorf("after %d minutes: held %v", minute+1, held)
			}
		}
		rec := admitted(screening.In)
		rec.Subject.ID = pupilID
		g.cases.cameBack(rec)
		g.changed()
		synctest.Wait()
		if v := r.View(); len(v.Returns) != 0 || len(v.Ended) != 1 {
			t.Errorf("the room shows %+v", v)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAHoldThatAProgramBeforeLiftedByNameOwesNoReturn: it knew no other way.
func TestAHoldThatAProgramBeforeLiftedByNameOwesNoReturn(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	store(t, r.Gate, entry.Answer{Act: entry.ActHoldLifted, Subject: pupilID, By: []uint64{teacherID}})
	r = r.again(t, dir, c)
	defer shut(t, r.Gate)
	if _, held, _ := r.register.look(pupilID, 0); held || len(r.View().Returns) != 0 {
		t.Errorf("held %v, returns %+v", held, r.View().Returns)
	}
}

func TestWhoIsAwayAndComesWithAFeverIsAnotherCase(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, goneHome)
	owed := r.away(t).Number
	r.isolate(t, 2, pupilID, screening.HardFeverSeen)
	if one := r.only(t); one.Number == owed || r.away(t).Number != owed {
		t.Errorf("the second case has number %d as the first", one.Number)
	}
	r.must(t, notThis) // somebody else had the badge: what is owed is owed still
	if _, held, _ := r.register.look(pupilID, 0); !held {
		t.Error("the end of another case has lifted the hold")
	}
	r.isolate(t, 3, pupilID, screening.HardFeverSeen)
	r.must(t, received, inHospital) // now this one's return is owed, and no other
	for range 2 {
		if one := r.away(t); one.Number == owed {
			t.Errorf("two returns are owed: %+v", one)
		}
		r = r.again(t, dir, c)
	}
	shut(t, r.Gate)
}

func TestWhoIsInACaseIsNotCountedAsIn(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.comesIn(t, 1, pupilID)
	count := func(when string, want int) {
		t.Helper()
		if n := r.Gate.View().ArrivedToday; n != want {
			t.Errorf("%s: %d are in", when, n)
		}
	}
	count("after the arrival", 1)
	if _, err := r.Open(t.Context(), isolation.Opening{Subject: pupilID, Found: []string{"vomiting"}, By: web.Person{ID: nurseID}}); err != nil {
		t.Fatal(err)
	}
	count("in the room", 0)
	r.must(t, measured37(36_500), backToClass)
	count("back in class", 1)
	if _, err := r.Open(t.Context(), isolation.Opening{Subject: pupilID, Found: []string{"vomiting"}, By: web.Person{ID: nurseID}}); err != nil {
		t.Fatal(err)
	}
	r.must(t, goneHome)
	count("at home", 0)
	r = r.again(t, dir, c)
	count("at home, after a restart", 0)
	shut(t, r.Gate)
}

func TestARoundMoreIsMeasuredWhereThePolicyAsks(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.rules.builtIn.doc.Cases.Rounds = 2
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.must(t, received, measured37(36_500))
	r = r.again(t, dir, c) // the rounds are the case's own
	defer shut(t, r.Gate)
	if one := r.only(t); one.CanBack || one.Round != 1 || one.Rounds != 2 || one.Next != isolation.StepMeasured {
		t.Errorf("the room shows %+v", one)
	}
	if err := r.press(t, backToClass); !errors.Is(err, isolation.ErrNotAllowed) {
		t.Errorf("after one of two: %v", err)
	}
	again := measured37(36_600)
	r.must(t, again)
	if one := r.only(t); one.CanBack || one.Round != 1 {
		t.Errorf("the same instrument is taken for another: %+v", one)
	}
	again.Instrument = "ear"
	r.must(t, again, backToClass)
	for _, s := range r.steps(t) {
		if s.Step == entry.CaseMeasured && (s.Reading.Instrument == "ear") != (s.Reading.Site == uint8(screening.Ear)) {
			t.Errorf("entry %+v", *s.Reading)
		}
	}
}
