package gate

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// owing puts reports into the policy in force.
func (p deskPage) owing(list ...policy.Deadline) {
	now := *p.rules.now.Load()
	now.doc.Deadlines = list
	p.rules.now.Store(&now)
}

// owed returns the desk's list, a line a report.
func owed(p deskPage) (lines []string) {
	for _, x := range p.Owed() {
		state := "open"
		switch {
		case !x.Sent.IsZero():
			state = fmt.Sprintf("sent %s by %s", x.Sent.Format("15:04"), x.By)
		case x.Late:
			state = "late"
		case x.Soon:
			state = "soon"
		}
		lines = append(lines, x.Name+" "+state)
	}
	return lines
}

// tell says that a report has gone out, or not after all.
func (p deskPage) tell(t *testing.T, name string, undone bool) error {
	t.Helper()
	return p.Report(t.Context(), desk.Reported{Name: name, Undone: undone, By: web.Person{ID: teacherID}})
}

func TestAReportIsCalledForUntilSomebodySaysThatItWentOut(t *testing.T) {
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, p deskPage, c *clockAt)
		want []string
	}{
		"the earliest first, near and far": {func(*testing.T, deskPage, *clockAt) {},
			[]string{"daily@07:30 soon", "zero@17:00 open"}},
		"more than half an hour before its time it is not near": {func(_ *testing.T, _ deskPage, c *clockAt) {
			c.wall.Add(int64((9*time.Hour + 10*time.Minute).Seconds()))
		}, []string{"daily@07:30 late", "zero@17:00 open"}},
		"half an hour before its time it is near": {func(_ *testing.T, _ deskPage, c *clockAt) {
			c.wall.Add(int64((9*time.Hour + 11*time.Minute).Seconds()))
		}, []string{"daily@07:30 late", "zero@17:00 soon"}},
		"at its time it is late": {func(_ *testing.T, _ deskPage, c *clockAt) {
			c.wall.Add(int64((9*time.Hour + 41*time.Minute).Seconds()))
		}, []string{"daily@07:30 late", "zero@17:00 late"}},
		"it went out": {func(t *testing.T, p deskPage, c *clockAt) {
			c.wall.Add(60)
			if err := p.tell(t, "daily@07:30", false); err != nil {
				t.Fatal(err)
			}
			if err := p.tell(t, "daily@07:30", false); !errors.Is(err, guard.ErrStale) {
				t.Errorf("twice: %v", err)
			}
		}, []string{"daily@07:30 sent 07:20 by 王建国", "zero@17:00 open"}},
		"it has not after all": {func(t *testing.T, p deskPage, _ *clockAt) {
			if err := errors.Join(p.tell(t, "daily@07:30", false), p.tell(t, "daily@07:30", true)); err != nil {
				t.Fatal(err)
			}
			if err := p.tell(t, "daily@07:30", true); !errors.Is(err, guard.ErrStale) {
				t.Errorf("twice: %v", err)
			}
		}, []string{"daily@07:30 soon", "zero@17:00 open"}},
		"the next day owes it again": {func(t *testing.T, p deskPage, c *clockAt) {
			if err := p.tell(t, "daily@07:30", false); err != nil {
				t.Fatal(err)
			}
			c.wall.Add(int64((24 * time.Hour).Seconds()))
		}, []string{"daily@07:30 soon", "zero@17:00 open"}},
		"what nobody owes is not said": {func(t *testing.T, p deskPage, _ *clockAt) {
			if err := p.tell(t, "weekly@07:30", false); !errors.Is(err, guard.ErrStale) {
				t.Error(err)
			}
		}, []string{"daily@07:30 soon", "zero@17:00 open"}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			schooled(t, dir)
			p := atDesk(t, dir, c)
			defer func() { shut(t, p.Gate) }()
			due := []policy.Deadline{{Report: "zero", At: 17 * 60}, {Report: "daily", At: 7*60 + 30}}
			p.owing(due...)
			tt.do(t, p, c)
			for _, when := range []string{"as it happens", "after a restart"} {
				if got := owed(p); !slices.Equal(got, tt.want) {
					t.Errorf("%s: %q", when, got)
				}
				p = deskPage(roomPage(p).again(t, dir, c))
				p.owing(due...)
			}
		})
	}
}

func TestAReportIsAnEntryWithTheName(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	schooled(t, dir)
	p := atDesk(t, dir, c)
	defer shut(t, p.Gate)
	p.owing(policy.Deadline{Report: "absence", At: 9 * 60})
	if err := errors.Join(p.tell(t, "absence@09:00", false), p.tell(t, "absence@09:00", true)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range answers(t, p.Gate) {
		if a.Act == entry.ActReported {
			got = append(got, fmt.Sprint(a.By, a.Reason))
		}
	}
	if want := []string{fmt.Sprint([]uint64{teacherID}, "absence@09:00"), fmt.Sprint([]uint64{teacherID}, "absence@09:00:undone")}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestReportsAreOwedOnDaysOfSchool(t *testing.T) {
	span := func(first, last string) []calendar.Days {
		return []calendar.Days{{Span: calendar.Span{First: first, Last: last}}}
	}
	year := calendar.Calendar{
		Free:     [7]bool{time.Sunday: true, time.Saturday: true},
		Holidays: span("2020-04-30", "2020-05-05"), MakeUp: span("2020-05-09", "2020-05-09"),
	}
	zone := time.FixedZone("CST", 8*3600)
	for _, tt := range []struct {
		rule, day, report string
		want              bool
	}{
		{"a day of school", "2020-04-27", "daily", true},
		{"a Sunday", "2020-04-26", "zero", false},
		{"a holiday", "2020-05-01", "absence", false},
		{"not before the last day of the week", "2020-04-28", "weekly", false},
		{"the last day before a holiday ends the week", "2020-04-29", "weekly", true},
		{"and the month", "2020-04-29", "monthly", true},
		{"a Friday before a Saturday of school", "2020-05-08", "weekly", false},
		{"that Saturday", "2020-05-09", "weekly", true},
		{"no month ends there", "2020-05-09", "monthly", false},
		{"a month that ends on a Sunday", "2020-05-29", "monthly", true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			day, err := time.ParseInLocation(time.DateOnly, tt.day, zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := owes(year, day.Add(10*time.Hour), tt.report); got != tt.want {
				t.Error(got)
			}
		})
	}
}

func TestTheGuardsPageSaysWhatThePolicySaysOfTheQueue(t *testing.T) {
	g := governed(t, t.TempDir(), stillClock)
	defer shut(t, g)
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", "")+"[flow]\nspacing_cm = 100\nstaff_per_entrance = 2\n"), bureau())))
	g.rules.choose()
	if got := g.View().Rules; got.SpacingCM != 100 || got.Staff != 2 {
		t.Errorf("%+v", got)
	}
}
