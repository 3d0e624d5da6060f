package gate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/isolation"
)

func TestAChildIsHandedOverByAPhoneOrByALeader(t *testing.T) {
	with := func(f func(*isolation.Step)) isolation.Step {
		s := goneHome
		f(&s)
		return s
	}
	leader := with(func(s *isolation.Step) { s.Digits, s.Leader, s.PIN = "", leaderID, teacherPIN })
	wrong := with(func(s *isolation.Step) { s.Digits = "0000" })
	for rule, tt := range map[string]struct {
		before []isolation.Step // refused
		last   isolation.Step
		err    error
		how    string
		by     []uint64
	}{
		"the second guardian's phone":            {last: goneHome, how: "phone", by: []uint64{nurseID}},
		"the first one's, written with hyphens":  {last: with(func(s *isolation.Step) { s.Digits = "8000" }), how: "phone", by: []uint64{nurseID}},
		"nobody's phone":                         {last: wrong, err: isolation.ErrDigits},
		"three digits":                           {last: with(func(s *isolation.Step) { s.Digits = "111" }), err: isolation.ErrDigits},
		"none":                                   {last: with(func(s *isolation.Step) { s.Digits = "" }), err: isolation.ErrDigits},
		"guessed once too often, the right ones": {before: []isolation.Step{wrong, wrong, wrong}, last: goneHome, err: isolation.ErrDigits},
		"then a leader":                          {before: []isolation.Step{wrong, wrong, wrong}, last: leader, how: "leader", by: []uint64{nurseID, leaderID}},
		"a leader's wrong PIN":                   {last: with(func(s *isolation.Step) { s.Leader, s.PIN = leaderID, "111222" }), err: web.ErrPIN},
		"somebody who is no leader":              {last: with(func(s *isolation.Step) { s.Leader, s.PIN = cookID, teacherPIN }), err: web.ErrPIN},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			guarded(t, dir)
			r := inRoom(t, dir, c)
			defer func() { shut(t, r.Gate) }()
			r.isolate(t, 1, pupilID, screening.HighTwice)
			for _, s := range tt.before {
				if err := r.press(t, s); err == nil {
					t.Fatal("taken")
				}
			}
			if err := r.press(t, tt.last); !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			list := r.steps(t)
			if tt.err != nil {
				if len(list) != 1 {
					t.Errorf("entries %+v", list)
				}
				return
			}
			if got := list[len(list)-1]; got.Step != entry.CaseHome || got.Reason != tt.how || got.Relation != uint8(casefile.Mother) || !slices.Equal(got.By, tt.by) {
				t.Errorf("entry %+v", got)
			}
			left := r.View().Leaving
			if len(left) != 1 || left[0].Name != "李一涵" || !left[0].Until.Equal(sevenNineteen.Add(casefile.ExitFor)) {
				t.Errorf("the way out: %+v", left)
			}
			c.wall.Add(int64(casefile.ExitFor / time.Second))
			if left := r.View().Leaving; len(left) != 0 {
				t.Errorf("it stands open still: %+v", left)
			}
		})
	}
}

// TestAParentAtTheGateTakesTheChildHomeFromTheDesk: the recheck is still to come,
// so that the hand-over opens the case which it ends.
func TestAParentAtTheGateTakesTheChildHomeFromTheDesk(t *testing.T) {
	for rule, o := range map[string]screening.Outcome{"before the recheck": screening.Recheck, "on the way to the room": screening.Isolate} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			guarded(t, dir)
			setAsideOnly(t, dir, c, o)
			r := inRoom(t, dir, c)
			r.cases.openMissing()
			r.settle(t)
			arrival := r.Gate.View().Asides[0].Arrival
			if who, ok := r.Waiting(arrival); !ok || who.Name != "李一涵" || who.Number != 12 {
				t.Errorf("waits %+v, %v", who, ok)
			}
			by := web.Person{ID: cookID}
			cases := len(r.View().Cases)
			if err := r.HandOver(t.Context(), arrival, isolation.HandOver{Relation: "mother", Digits: "0000"}, by); !errors.Is(err, isolation.ErrDigits) || len(r.View().Cases) != cases {
				t.Errorf("a stranger: %v, cases %+v", err, r.View().Cases)
			}
			for _, wrong := range []string{"", "9-9", "x"} {
				if err := r.HandOver(t.Context(), wrong, goneHome.HandOver, by); !errors.Is(err, isolation.ErrStale) {
					t.Errorf("%q: %v", wrong, err)
				}
			}
			if err := r.HandOver(t.Context(), arrival, goneHome.HandOver, by); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if v := r.View(); len(v.Cases) != 0 || len(v.Leaving) != 1 || len(v.Alarms) != 0 || len(r.Gate.View().Asides) != 0 {
					t.Errorf("the room shows %+v, %d wait", v, len(r.Gate.View().Asides))
				}
				if _, held, _ := r.register.look(pupilID, 0); !held {
					t.Error("the child may come in again by itself")
				}
				r = r.again(t, dir, c)
			}
			list := r.steps(t)
			if last := list[len(list)-1]; len(list) != 2 || last.Step != entry.CaseHome || last.Number != 12 || !slices.Equal(last.By, []uint64{cookID}) {
				t.Errorf("entries %+v", list)
			}
			shut(t, r.Gate)
		})
	}
}

// setAsideOnly stores that the pupil waits under ticket 12.
func setAsideOnly(t *testing.T, dir string, c *clockAt, o screening.Outcome) {
	t.Helper()
	why := screening.HighOnce
	if o == screening.Isolate {
		why = screening.HighTwice
	}
	d := setAside(t, dir, c, o, why)
	shut(t, d.Gate)
}

func TestACaseIsOpenedInTheRoomWithoutAnArrival(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	o := isolation.Opening{Subject: pupilID, Found: []string{"vomiting"}, By: web.Person{ID: nurseID}}
	number, err := r.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	one := r.only(t)
	if one.Number != number || !one.Here || one.Gate != "" || one.Next != isolation.StepMeasured {
		t.Errorf("the room shows %+v", one)
	}
	for _, l := range r.lanes {
		if ev := <-l.events; ev != any(lane.HoldPlaced{Subject: pupilID}) {
			t.Errorf("lane %d was told %v", l.cfg.Number, ev)
		}
	}
	if _, err := r.Open(t.Context(), o); !errors.Is(err, isolation.ErrOpen) {
		t.Errorf("twice: %v", err)
	}
	if _, err := r.Open(t.Context(), isolation.Opening{Subject: 99, By: web.Person{ID: nurseID}}); !errors.Is(err, isolation.ErrStale) {
		t.Errorf("nobody: %v", err)
	}
	r.must(t, measured37(36_800), backToClass)
	r = r.again(t, dir, c)
	defer shut(t, r.Gate)
	if _, held, _ := r.register.look(pupilID, 0); held || len(r.View().Cases) != 0 {
		t.Error("it stands after a restart")
	}
}

func TestWhoIsUnknownIsIdentifiedInTheRoom(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	r.isolate(t, 1, 0, screening.HardFeverSeen)
	r.isolate(t, 2, 0, screening.HardFeverSeen) // another stranger
	if n := len(r.View().Cases); n != 2 {
		t.Fatalf("%d cases", n)
	}
	c2 := r.View().Cases[1]
	if err := r.Step(t.Context(), isolation.Step{Kind: isolation.StepNotThis, Reason: "by-mistake", Number: c2.Number, Version: c2.Version, By: web.Person{ID: nurseID}}); err != nil {
		t.Fatal(err)
	}
	r.must(t, received, isolation.Step{Kind: isolation.StepIdentified, Subject: pupilID})
	for range 2 {
		if one := r.only(t); one.Name != "李一涵" || len(one.Guardians) != 2 {
			t.Errorf("the room shows %+v", one)
		}
		if _, held, _ := r.register.look(pupilID, 0); !held {
			t.Error("nobody is held")
		}
		r = r.again(t, dir, c)
	}
	shut(t, r.Gate)
}

func TestWhatStandsOnPaperIsEnteredWithItsTime(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen.Add(20*time.Minute))
	guarded(t, dir)
	r := inRoom(t, dir, c)
	paper := isolation.Paper{Subject: pupilID, Hour: 7, Minute: 40, Value: 37_900, By: web.Person{ID: nurseID}}
	if _, err := r.Paper(t.Context(), paper); !errors.Is(err, isolation.ErrTime) {
		t.Errorf("what is to come: %v", err)
	}
	paper.Minute = 25
	c.quality.Store(int64(entry.ClockFloor))
	if _, err := r.Paper(t.Context(), paper); !errors.Is(err, isolation.ErrClock) {
		t.Errorf("by a clock that nobody vouches for: %v", err)
	}
	c.quality.Store(int64(entry.ClockSynced))
	at := sevenNineteen.Add(6 * time.Minute)
	for _, value := range []int32{37_900, 37_500} { // the second sheet is about the same case
		paper.Value = value
		if _, err := r.Paper(t.Context(), paper); err != nil {
			t.Fatal(err)
		}
	}
	list := r.steps(t)
	if len(list) != 3 {
		t.Fatalf("entries %+v", list)
	}
	for _, s := range list {
		if s.At != at.UnixMilli() || !slices.Equal(s.By, []uint64{nurseID}) {
			t.Errorf("entry %+v", s)
		}
	}
	for range 2 {
		if one := r.only(t); !one.Since.Equal(at) || one.Temperature != "37.5" || !one.Fever || !one.Here {
			t.Errorf("the room shows %+v", one)
		}
		r = r.again(t, dir, c)
	}
	shut(t, r.Gate)
}

func TestPaperReceivesWhoWasOnTheWay(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	c.wall.Add(600)
	number, err := r.Paper(t.Context(), isolation.Paper{Subject: pupilID, Hour: 7, Minute: 22, Value: 36_600, By: web.Person{ID: nurseID}})
	if one := r.only(t); err != nil || one.Number != number || !one.Here || !one.CanBack {
		t.Errorf("%v, %+v", err, one)
	}
}
