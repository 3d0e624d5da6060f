package gate

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/class"
	"github.com/menshen/menshen/web/desk"
)

// The people of housed beside the crew: P1 to P4 are pupilID and those behind it.
const (
	otherID    = pupilID + 4 // P5 of 2班, who sleeps where P1 and P2 do
	ownClassID = pupilID + 5 // teaches 1班
	anyClassID = pupilID + 6 // teaches, and is of no class
	driverID   = pupilID + 7
)

// housed gives a directory the crew and two classes of which three sleep in one
// dormitory and one takes the bus.
func housed(t *testing.T, dir string) {
	t.Helper()
	schooled(t, dir)
	r, err := roster.Open(t.Context(), dir+"/roster.db", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(rosterOfIDs, "\n", ",,,\n")
	text = strings.Replace(text, "卡号,,,", "卡号,年级,宿舍,校车", 1)
	text = strings.Replace(text, pupilBadge+",,,", pupilBadge+",,2-305,1号车", 1)
	list, err := roster.Parse(strings.NewReader(text + "P2,周明,1班,student,,,2-305,\nP3,吴芳,1班,student,,,,\nP4,郑洁,1班,student,,,,\n" +
		"P5,孙丽,2班,student,,,2-305,\nT3,钱芳,1班,staff,,,,\nT4,何平,,staff,,,,\nD1,马强,,service,,,,1号车\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Import(t.Context(), list, roster.ImportOpts{By: "test"})
	err = errors.Join(err, r.SetDuty(t.Context(), "T3", roster.Teacher), r.SetDuty(t.Context(), "T4", roster.Teacher), r.SetDuty(t.Context(), "D1", roster.Teacher), r.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// asksFor puts checks into the policy in force.
func (g *Gate) asksFor(aDay int, list ...policy.Check) {
	now := *g.rules.now.Load()
	now.doc.Checks, now.doc.ChecksADay = list, aDay
	g.rules.now.Store(&now)
}

// threeADay are checks of every scope, as a plan names them.
func threeADay() []policy.Check {
	return []policy.Check{
		{Name: "bus", From: 6 * 60, By: 7*60 + 10}, {Name: "morning", From: 7 * 60, By: 8 * 60},
		{Name: "noon", From: 12 * 60, By: 14 * 60}, {Name: "dormitory", From: 7 * 60, By: 22 * 60},
	}
}

// ownTeacher teaches 1班.
func ownTeacher() web.Person {
	return web.Person{ID: ownClassID, Name: "钱芳", Duties: web.DutyTeacher}
}

func anyTeacher() web.Person {
	return web.Person{ID: anyClassID, Name: "何平", Duties: web.DutyTeacher}
}

// inClass opens a gate that asks for three checks a day.
func inClass(t *testing.T, dir string, c *clockAt) classPage {
	t.Helper()
	g := atDesk(t, dir, c).Gate
	g.asksFor(3, threeADay()...)
	return classPage{g}
}

// holds holds a check by its sheet.
func (c classPage) holds(t *testing.T, by web.Person, check, group string, found ...class.Exception) int {
	t.Helper()
	k := class.Key{Check: check, Group: group}
	s, ok := c.Sheet(k, by)
	if !ok {
		t.Fatalf("%s %s has no sheet", check, group)
	}
	cases, err := c.Check(t.Context(), class.Findings{Key: k, Version: s.Version, Exceptions: found, By: by})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// owing returns what is owed, a line a check.
func owing(c classPage, by web.Person) (lines []string) {
	for _, x := range c.Today(by).List {
		line := fmt.Sprintf("%s %s %s", x.Check, x.Group, x.State)
		if !x.At.IsZero() {
			line += fmt.Sprintf(" %s %s %d-%d-%d", x.At.Format("15:04"), x.Who, x.Expected, x.Absent, x.Ill)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestEveryGroupOwesTheChecksThatThePolicyAsksFor(t *testing.T) {
	for rule, tt := range map[string]struct {
		by   web.Person
		do   func(c classPage, clock *clockAt)
		want []string
	}{
		"the most urgent first": {anyTeacher(), func(classPage, *clockAt) {}, []string{
			"bus 1号车 late", "morning 1班 open", "morning 2班 open", "dormitory 2-305 open", "noon 1班 to-come", "noon 2班 to-come",
		}},
		"a class teacher has the own class": {ownTeacher(), func(classPage, *clockAt) {}, []string{"morning 1班 open", "noon 1班 to-come"}},
		"a driver the own bus":              {web.Person{ID: driverID, Duties: web.DutyTeacher}, func(classPage, *clockAt) {}, []string{"bus 1号车 late"}},
		"the desk has all of them": {web.Person{ID: cookID, Duties: web.DutyDesk}, func(classPage, *clockAt) {}, []string{
			"bus 1号车 late", "morning 1班 open", "morning 2班 open", "dormitory 2-305 open", "noon 1班 to-come", "noon 2班 to-come",
		}},
		"what was held is done, by whom and with what": {ownTeacher(), func(c classPage, _ *clockAt) {
			c.holds(t, ownTeacher(), "morning", "1班", class.Exception{Subject: pupilID, Absent: true}, class.Exception{Subject: pupilID + 1, Found: []string{"cough"}})
		}, []string{"noon 1班 to-come", "morning 1班 done 07:19 钱芳 4-1-1"}},
		"as it was held last": {ownTeacher(), func(c classPage, _ *clockAt) {
			c.holds(t, ownTeacher(), "morning", "1班", class.Exception{Subject: pupilID, Absent: true})
			c.holds(t, anyTeacher(), "morning", "1班")
		}, []string{"noon 1班 to-come", "morning 1班 done 07:19 何平 4-0-0"}},
		"what is not done by its time is late": {ownTeacher(), func(_ classPage, clock *clockAt) {
			clock.wall.Add(41 * 60)
		}, []string{"morning 1班 late", "noon 1班 to-come"}},
		"the next day owes it again": {ownTeacher(), func(c classPage, clock *clockAt) {
			c.holds(t, ownTeacher(), "morning", "1班")
			clock.wall.Add(24 * 3600)
		}, []string{"morning 1班 open", "noon 1班 to-come"}},
		"a grade that is away owes nothing": {anyTeacher(), func(c classPage, _ *clockAt) {
			c.calendar.Store(&calendar.Calendar{Away: []calendar.Days{{Span: calendar.Span{First: "2020-12-07", Last: "2020-12-07"}, Grades: []string{"1班"}}}})
		}, []string{"bus 1号车 late", "morning 2班 open", "dormitory 2-305 open", "noon 2班 to-come"}},
		"on a day without school nobody does": {anyTeacher(), func(c classPage, _ *clockAt) {
			c.calendar.Store(&calendar.Calendar{Holidays: []calendar.Days{{Span: calendar.Span{First: "2020-12-07", Last: "2020-12-07"}}}})
		}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, clock := t.TempDir(), newClockAt(sevenNineteen)
			housed(t, dir)
			c := inClass(t, dir, clock)
			defer func() { shut(t, c.Gate) }()
			tt.do(c, clock)
			year := c.calendar.Load()
			for _, when := range []string{"as it happens", "after a restart"} {
				if got := owing(c, tt.by); !slices.Equal(got, tt.want) {
					t.Errorf("%s: %q", when, got)
				}
				shut(t, c.Gate)
				c = inClass(t, dir, clock)
				c.calendar.Store(year)
			}
		})
	}
}

func TestACheckIsOneEntryWithItsExceptions(t *testing.T) {
	dir, clock := t.TempDir(), newClockAt(sevenNineteen)
	housed(t, dir)
	c := inClass(t, dir, clock)
	defer shut(t, c.Gate)
	c.holds(t, ownTeacher(), "morning", "1班")
	c.holds(t, anyTeacher(), "dormitory", "2-305", class.Exception{Subject: pupilID, Absent: true, Found: []string{"vomiting", "cough"}},
		class.Exception{Subject: otherID, Value: 36_400, Instrument: "ear"})
	if err := c.TakeBack(t.Context(), class.Key{Check: "morning", Group: "1班"}, ownTeacher()); err != nil {
		t.Fatal(err)
	}
	got := answers(t, c.Gate)
	want := []entry.Answer{
		{Act: entry.ActChecked, By: []uint64{ownClassID}, Reason: "morning:class:4:1班", Rows: []string{}},
		{Act: entry.ActChecked, By: []uint64{anyClassID}, Reason: "dormitory:dormitory:3:2-305", Rows: []string{
			fmt.Sprintf("%d:absent,cough,vomiting", pupilID), fmt.Sprintf("%d:ear@36400", otherID),
		}},
		{Act: entry.ActUnchecked, By: []uint64{ownClassID}, Reason: "morning:class:4:1班", Rows: []string{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("entries %+v", got)
	}
}

func TestWhoIsIllAtACheckHasACaseWithoutAnArrival(t *testing.T) {
	for rule, tt := range map[string]struct {
		found class.Exception
		want  []string // what the case found; nil for none
	}{
		"a symptom":                         {class.Exception{Found: []string{"rash", "cough"}}, []string{"cough", "rash"}},
		"a temperature at the limit":        {class.Exception{Value: 37_300, Instrument: "ear"}, []string{"fever"}},
		"both":                              {class.Exception{Found: []string{"fever"}, Value: 38_000, Instrument: "ear"}, []string{"fever"}},
		"a temperature below the limit":     {class.Exception{Value: 37_200, Instrument: "ear"}, nil},
		"who is not there":                  {class.Exception{Absent: true}, nil},
		"who is not there, and why":         {class.Exception{Absent: true, Found: []string{"vomiting"}}, nil},
		"who is not there and has a fever?": {class.Exception{Absent: true, Value: 38_000, Instrument: "ear"}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, clock := t.TempDir(), newClockAt(sevenNineteen)
			housed(t, dir)
			c := inClass(t, dir, clock)
			defer func() { shut(t, c.Gate) }()
			tt.found.Subject = pupilID
			if n := c.holds(t, ownTeacher(), "morning", "1班", tt.found); n != len(tt.want[:min(1, len(tt.want))]) {
				t.Errorf("%d cases", n)
			}
			for _, when := range []string{"as it happens", "after a restart"} {
				all := c.cases.list()
				switch {
				case tt.want == nil && len(all) == 0:
				case len(all) != 1 || all[0].file.Origin != casefile.FromClass || !slices.Equal(all[0].file.Found, tt.want) || all[0].file.Phase() != casefile.Coming:
					t.Errorf("%s: %+v", when, all)
				case all[0].file.Events[0].Value != screening.MilliC(tt.found.Value):
					t.Errorf("%s: measured %v", when, all[0].file.Events[0].Value)
				}
				if _, held, _ := c.register.look(pupilID, 0); held != (tt.want != nil) {
					t.Errorf("%s: held %v", when, held)
				}
				shut(t, c.Gate)
				c = inClass(t, dir, clock)
			}
		})
	}
}

func TestACheckThatIsHeldAgainOpensNoCaseTwice(t *testing.T) {
	dir, clock := t.TempDir(), newClockAt(sevenNineteen)
	housed(t, dir)
	c := inClass(t, dir, clock)
	defer shut(t, c.Gate)
	ill := class.Exception{Subject: pupilID, Found: []string{"cough"}}
	c.holds(t, ownTeacher(), "morning", "1班", ill)
	c.holds(t, anyTeacher(), "dormitory", "2-305", ill)
	if all := c.cases.list(); len(all) != 1 {
		t.Errorf("%d cases", len(all))
	}
	for _, e := range answers(t, c.Gate) {
		if e.Outcome == uint8(screening.Admit) || lane.Act(e.Act).AtLane() {
			t.Errorf("a check reached a lane: %+v", e)
		}
	}
}

func TestACheckIsTakenBackWithinAMinuteByWhoHeldIt(t *testing.T) {
	key := class.Key{Check: "morning", Group: "1班"}
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, c classPage, clock *clockAt)
		by   web.Person
		want error
		left []string
	}{
		"at once":            {func(*testing.T, classPage, *clockAt) {}, ownTeacher(), nil, []string{"morning 1班 open", "noon 1班 to-come"}},
		"not by another":     {func(*testing.T, classPage, *clockAt) {}, anyTeacher(), class.ErrStale, []string{"noon 1班 to-come", "morning 1班 done 07:19 钱芳 4-0-0"}},
		"not after a minute": {func(_ *testing.T, _ classPage, clock *clockAt) { clock.wall.Add(60) }, ownTeacher(), class.ErrStale, []string{"noon 1班 to-come", "morning 1班 done 07:19 钱芳 4-0-0"}},
		"not twice": {func(t *testing.T, c classPage, _ *clockAt) {
			if err := c.TakeBack(t.Context(), key, ownTeacher()); err != nil {
				t.Fatal(err)
			}
		}, ownTeacher(), class.ErrStale, []string{"morning 1班 open", "noon 1班 to-come"}},
		"then the one before stands": {func(t *testing.T, c classPage, _ *clockAt) {
			c.holds(t, anyTeacher(), "morning", "1班", class.Exception{Subject: pupilID, Absent: true})
		}, anyTeacher(), nil, []string{"noon 1班 to-come", "morning 1班 done 07:19 钱芳 4-0-0"}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, clock := t.TempDir(), newClockAt(sevenNineteen)
			housed(t, dir)
			c := inClass(t, dir, clock)
			defer func() { shut(t, c.Gate) }()
			c.holds(t, ownTeacher(), "morning", "1班")
			tt.do(t, c, clock)
			offered := slices.ContainsFunc(c.Today(tt.by).List, func(o class.Owed) bool { return o.MayTakeBack })
			if err := c.TakeBack(t.Context(), key, tt.by); !errors.Is(err, tt.want) || offered != (err == nil) {
				t.Errorf("%v, offered %v", err, offered)
			}
			for _, when := range []string{"as it happens", "after a restart"} {
				if got := owing(c, ownTeacher()); !slices.Equal(got, tt.left) {
					t.Errorf("%s: %q", when, got)
				}
				shut(t, c.Gate)
				c = inClass(t, dir, clock)
				if slices.ContainsFunc(c.Today(tt.by).List, func(o class.Owed) bool { return o.MayTakeBack }) {
					t.Error("another process offers to take it back")
				}
			}
		})
	}
}

func TestACheckThatWasNotShownIsNotHeld(t *testing.T) {
	for rule, tt := range map[string]struct {
		f    class.Findings
		by   web.Person
		want error
	}{
		"of a class that nobody knows":     {class.Findings{Key: class.Key{Check: "morning", Group: "9班"}}, anyTeacher(), class.ErrStale},
		"of another teacher's class":       {class.Findings{Key: class.Key{Check: "morning", Group: "2班"}}, ownTeacher(), class.ErrStale},
		"that the policy does not ask for": {class.Findings{Key: class.Key{Check: "evening", Group: "1班"}}, anyTeacher(), class.ErrStale},
		"of a class as of a dormitory":     {class.Findings{Key: class.Key{Check: "dormitory", Group: "1班"}}, anyTeacher(), class.ErrStale},
		"before its time":                  {class.Findings{Key: class.Key{Check: "noon", Group: "1班"}}, anyTeacher(), class.ErrEarly},
		"of people who have changed since": {class.Findings{Key: class.Key{Check: "morning", Group: "1班"}, Version: 1 << 31}, anyTeacher(), class.ErrStale},
		"with somebody of another class":   {class.Findings{Key: class.Key{Check: "morning", Group: "1班"}, Exceptions: []class.Exception{{Subject: otherID, Found: []string{"cough"}}}}, anyTeacher(), class.ErrStale},
		"with a temperature that is none":  {class.Findings{Key: class.Key{Check: "morning", Group: "1班"}, Exceptions: []class.Exception{{Subject: pupilID, Value: 1, Instrument: "ear"}}}, anyTeacher(), nil},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, clock := t.TempDir(), newClockAt(sevenNineteen)
			housed(t, dir)
			c := inClass(t, dir, clock)
			defer shut(t, c.Gate)
			if tt.f.By = tt.by; tt.f.Version == 0 {
				tt.f.Version = c.roster.Snapshot().Version
			}
			if _, err := c.Check(t.Context(), tt.f); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
			if len(answers(t, c.Gate)) != 0 || len(c.cases.list()) != 0 {
				t.Error("something was recorded")
			}
		})
	}
}

func TestASheetSaysWhatTheGateKnows(t *testing.T) {
	dir, clock := t.TempDir(), newClockAt(sevenNineteen)
	housed(t, dir)
	c := inClass(t, dir, clock)
	defer shut(t, c.Gate)
	deskPage(c).atHome(t, pupilID+1, "cough")
	roomPage(c).illOf(t, pupilID+2, "rash")
	rec := admitted(screening.In)
	rec.Subject = screening.Subject{ID: pupilID, Role: screening.Student}
	c.register.apply(entry.ArrivalID{Boot: 1, Counter: 1}, rec, clock.now().Wall)
	want := map[string][]class.Member{
		"morning 1班": {
			{ID: pupilID, Name: "李一涵"}, {ID: pupilID + 1, Name: "周明", Absent: true, Hint: "at-home"},
			{ID: pupilID + 2, Name: "吴芳", Absent: true, Hint: "in-case"}, {ID: pupilID + 3, Name: "郑洁", Hint: "not-come"},
		},
		"dormitory 2-305": {{ID: pupilID, Name: "李一涵"}, {ID: pupilID + 1, Name: "周明", Absent: true, Hint: "at-home"}, {ID: otherID, Name: "孙丽"}},
		"bus 1号车":         {{ID: pupilID, Name: "李一涵"}, {ID: driverID, Name: "马强"}},
	}
	for name, people := range want {
		check, group, _ := strings.Cut(name, " ")
		if s, ok := c.Sheet(class.Key{Check: check, Group: group}, anyTeacher()); !ok || !slices.Equal(s.People, people) {
			t.Errorf("%s: %+v", name, s.People)
		}
	}
}

func TestThreeAlikeInADormitoryAreACluster(t *testing.T) {
	for rule, tt := range map[string]struct {
		found []class.Exception
		want  []string
	}{
		"who is there": {[]class.Exception{{Subject: pupilID, Found: []string{"vomiting"}}, {Subject: pupilID + 1, Found: []string{"vomiting"}}, {Subject: otherID, Found: []string{"vomiting"}}},
			[]string{"vomiting 2-305 3"}},
		"who is away ill counts as well": {[]class.Exception{{Subject: pupilID, Found: []string{"vomiting"}}, {Subject: pupilID + 1, Absent: true, Found: []string{"vomiting"}}, {Subject: otherID, Found: []string{"vomiting"}}},
			[]string{"vomiting 2-305 3"}},
		"who is away for another reason does not": {[]class.Exception{{Subject: pupilID, Found: []string{"vomiting"}}, {Subject: pupilID + 1, Absent: true}, {Subject: otherID, Found: []string{"vomiting"}}}, nil},
		"two do not":                        {[]class.Exception{{Subject: pupilID, Found: []string{"vomiting"}}, {Subject: pupilID + 1, Found: []string{"vomiting"}}}, nil},
		"nor three of whom one has another": {[]class.Exception{{Subject: pupilID, Found: []string{"vomiting"}}, {Subject: pupilID + 1, Found: []string{"vomiting"}}, {Subject: otherID, Found: []string{"cough"}}}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, clock := t.TempDir(), newClockAt(sevenNineteen)
			housed(t, dir)
			c := inClass(t, dir, clock)
			defer func() { shut(t, c.Gate) }()
			c.holds(t, anyTeacher(), "dormitory", "2-305", tt.found...)
			for _, when := range []string{"as it happens", "after a restart"} {
				var got []string
				for _, x := range c.watcher.shown(clock.now().Wall) {
					got = append(got, fmt.Sprintf("%s %s %d", x.Syndrome, x.Place, x.People))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("%s: %q", when, got)
				}
				shut(t, c.Gate)
				c = inClass(t, dir, clock)
			}
		})
	}
}

func TestWhatWasTakenBackMakesNoCluster(t *testing.T) {
	dir, clock := t.TempDir(), newClockAt(sevenNineteen)
	housed(t, dir)
	c := inClass(t, dir, clock)
	defer func() { shut(t, c.Gate) }()
	var away []class.Exception
	for _, id := range []uint64{pupilID, pupilID + 1, otherID} {
		away = append(away, class.Exception{Subject: id, Absent: true, Found: []string{"vomiting"}})
	}
	c.holds(t, anyTeacher(), "dormitory", "2-305", away...)
	if all := c.watcher.shown(clock.now().Wall); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	if err := c.TakeBack(t.Context(), class.Key{Check: "dormitory", Group: "2-305"}, anyTeacher()); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"as it happens", "after a restart"} {
		if all := c.watcher.shown(clock.now().Wall); len(all) != 0 {
			t.Errorf("%s: %+v", when, all)
		}
		shut(t, c.Gate)
		c = inClass(t, dir, clock)
	}
}

func TestTheDeskIsRemindedOfWhatIsLate(t *testing.T) {
	at := func(h, m int) int64 {
		return int64((time.Duration(h-7)*time.Hour + time.Duration(m-19)*time.Minute).Seconds())
	}
	short := desk.Reminder{Kind: desk.ChecksFew, Names: []string{"1班", "2班"}, N: 2}
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, c classPage, clock *clockAt)
		want []desk.Reminder
	}{
		"of what is not late it is not": {func(_ *testing.T, _ classPage, clock *clockAt) { clock.wall.Add(at(7, 9)) }, nil},
		"check by check": {func(_ *testing.T, _ classPage, clock *clockAt) { clock.wall.Add(at(8, 0)) }, []desk.Reminder{
			{Kind: desk.CheckLate, Check: "bus", Names: []string{"1号车"}, N: 1}, {Kind: desk.CheckLate, Check: "morning", Names: []string{"1班", "2班"}, N: 2},
		}},
		"not of what was done": {func(t *testing.T, c classPage, clock *clockAt) {
			c.holds(t, anyTeacher(), "bus", "1号车")
			c.holds(t, anyTeacher(), "morning", "1班")
			clock.wall.Add(at(8, 0))
		}, []desk.Reminder{{Kind: desk.CheckLate, Check: "morning", Names: []string{"2班"}, N: 1}}},
		"and of classes that were checked too seldom, once no check is to come": {func(t *testing.T, c classPage, clock *clockAt) {
			clock.wall.Add(at(12, 0))
			for _, group := range []string{"1班", "2班"} {
				c.holds(t, anyTeacher(), "morning", group)
				c.holds(t, anyTeacher(), "noon", group)
			}
			c.holds(t, anyTeacher(), "bus", "1号车")
			if list := deskPage(c).Reminders(); list != nil {
				t.Errorf("too early: %+v", list)
			}
			clock.wall.Add(at(14, 0) - at(12, 0))
		}, []desk.Reminder{short}},
		"the gate's check counts": {func(t *testing.T, c classPage, clock *clockAt) {
			clock.wall.Add(at(12, 0))
			for _, group := range []string{"1班", "2班"} {
				c.holds(t, anyTeacher(), "morning", group)
				c.holds(t, anyTeacher(), "noon", group)
			}
			c.holds(t, anyTeacher(), "bus", "1号车")
			rec := admitted(screening.In)
			rec.Subject = screening.Subject{ID: pupilID, Role: screening.Student}
			c.register.apply(entry.ArrivalID{Boot: 1, Counter: 1}, rec, clock.now().Wall)
			clock.wall.Add(at(14, 0) - at(12, 0))
			i := slices.IndexFunc(c.Today(anyTeacher()).List, func(o class.Owed) bool { return o.Check == "noon" && o.Group == "1班" })
			if o := c.Today(anyTeacher()).List[i]; o.Times != 3 || o.Least != 3 || o.Short {
				t.Errorf("%+v", o)
			}
		}, []desk.Reminder{{Kind: desk.ChecksFew, Names: []string{"2班"}, N: 1}}},
		"and of whom the gate has seen and the class has not": {func(t *testing.T, c classPage, clock *clockAt) {
			roomPage(c).illOf(t, pupilID+2, "rash")
			var away []class.Exception
			for i := range uint64(4) {
				id := pupilID + i
				away = append(away, class.Exception{Subject: id, Absent: true})
				if id == pupilID+3 {
					continue
				}
				rec := admitted(screening.In)
				rec.Subject = screening.Subject{ID: id, Role: screening.Student}
				c.register.apply(entry.ArrivalID{Boot: 1, Counter: uint32(id)}, rec, clock.now().Wall)
			}
			c.holds(t, anyTeacher(), "bus", "1号车")
			c.holds(t, ownTeacher(), "morning", "1班", away...)
			rec := admitted(screening.In)
			rec.Subject = screening.Subject{ID: otherID, Role: screening.Student}
			c.register.apply(entry.ArrivalID{Boot: 1, Counter: 99}, rec, clock.now().Wall)
			c.holds(t, anyTeacher(), "dormitory", "2-305", class.Exception{Subject: otherID, Absent: true}) // at school, where else
		}, []desk.Reminder{{Kind: desk.NotInClass, Names: []string{"1班 李一涵", "1班 周明"}, N: 2}}},
		"on a half day not of what would be held after it": {func(_ *testing.T, c classPage, clock *clockAt) {
			c.calendar.Store(&calendar.Calendar{HalfDays: []calendar.Days{{Span: calendar.Span{First: "2020-12-07", Last: "2020-12-07"}}}})
			clock.wall.Add(at(15, 0))
		}, []desk.Reminder{{Kind: desk.CheckLate, Check: "bus", Names: []string{"1号车"}, N: 1}, {Kind: desk.CheckLate, Check: "morning", Names: []string{"1班", "2班"}, N: 2}}},
		"on a day without school of nothing": {func(_ *testing.T, c classPage, clock *clockAt) {
			clock.wall.Add(at(20, 0))
			c.calendar.Store(&calendar.Calendar{Holidays: []calendar.Days{{Span: calendar.Span{First: "2020-12-07", Last: "2020-12-07"}}}})
		}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, clock := t.TempDir(), newClockAt(sevenNineteen)
			housed(t, dir)
			c := inClass(t, dir, clock)
			defer shut(t, c.Gate)
			tt.do(t, c, clock)
			if got := deskPage(c).Reminders(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestWhoWasInClassIsNotMissing(t *testing.T) {
	dir, clock := t.TempDir(), newClockAt(sevenNineteen)
	housed(t, dir)
	c := inClass(t, dir, clock)
	defer shut(t, c.Gate)
	now := clock.now().Wall
	if n := deskPage(c).missing(now); n != 5 {
		t.Errorf("%d are missing before anybody came", n)
	}
	c.holds(t, anyTeacher(), "dormitory", "2-305")
	if n := deskPage(c).missing(now); n != 5 {
		t.Errorf("%d are missing: to have slept here is not to be in class", n)
	}
	c.holds(t, ownTeacher(), "morning", "1班", class.Exception{Subject: pupilID, Absent: true})
	if n := deskPage(c).missing(now); n != 2 {
		t.Errorf("%d are missing", n)
	}
}

func TestACrashBeforeACheckIsStoredLeavesItsCasesAndNoCheck(t *testing.T) {
	dir, clock := t.TempDir(), newClockAt(sevenNineteen)
	housed(t, dir)
	c := inClass(t, dir, clock)
	defer func() { shut(t, c.Gate) }()
	if err := c.openFrom(t.Context(), entry.Exception{Subject: pupilID, Found: []string{"cough"}}, []uint64{ownClassID}); err != nil {
		t.Fatal(err)
	}
	shut(t, c.Gate)
	c = inClass(t, dir, clock)
	if all := c.cases.list(); len(all) != 1 || all[0].file.Subject != pupilID {
		t.Errorf("cases %+v", all)
	}
	if got := owing(c, ownTeacher()); !slices.Equal(got, []string{"morning 1班 open", "noon 1班 to-come"}) {
		t.Errorf("%q", got)
	}
}
