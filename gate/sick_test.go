package gate

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// atHome reports somebody ill at home, by the teacher.
func (d deskPage) atHome(t *testing.T, subject uint64, found ...string) {
	t.Helper()
	if err := d.ReportSick(t.Context(), desk.SickReport{Subject: subject, Found: found, By: web.Person{ID: teacherID}}); err != nil {
		t.Fatal(err)
	}
}

// absentees returns the desk's list, a line a person.
func absentees(d deskPage) (lines []string) {
	for _, x := range d.AtHome() {
		lines = append(lines, fmt.Sprintf("%s %s %s", x.Class, x.Name, strings.Join(x.Found, ",")))
	}
	return lines
}

func TestWhoIsIllAtHomeIsAnEntryAndListedToday(t *testing.T) {
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, d deskPage, c *clockAt)
		want []string
	}{
		"with the symptoms": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID, "vomiting", "fever")
		}, []string{"1班 李一涵 vomiting,fever"}},
		"without any, the cause is unknown": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID)
		}, []string{"1班 李一涵 "}},
		"class by class": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID, "cough")
			d.atHome(t, nurseID, "fever")
			d.atHome(t, pupilID+1, "rash")
		}, []string{" 赵敏 fever", "1班 李一涵 cough", "1班 周明 rash"}},
		"once a day, as it was reported last": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID)
			d.atHome(t, pupilID, "vomiting")
		}, []string{"1班 李一涵 vomiting"}},
		"until it is taken back": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID, "vomiting")
			undoFirst(t, d)
		}, nil},
		"taken back, what was reported before stands": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID, "cough")
			d.atHome(t, pupilID, "vomiting")
			undoFirst(t, d)
		}, []string{"1班 李一涵 cough"}},
		"a hold that is taken back is another matter": {func(t *testing.T, d deskPage, _ *clockAt) {
			d.atHome(t, pupilID, "cough")
			if err := d.Hold(t.Context(), placing(desk.Today)); err != nil {
				t.Fatal(err)
			}
			undoFirst(t, d)
		}, []string{"1班 李一涵 cough"}},
		"for one day": {func(t *testing.T, d deskPage, c *clockAt) {
			d.atHome(t, pupilID, "cough")
			c.wall.Add(int64((24 * time.Hour).Seconds()))
		}, nil},
		"and again on the next": {func(t *testing.T, d deskPage, c *clockAt) {
			d.atHome(t, pupilID, "cough")
			c.wall.Add(int64((24 * time.Hour).Seconds()))
			d.atHome(t, pupilID, "cough")
		}, []string{"1班 李一涵 cough"}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			schooled(t, dir)
			d := atDesk(t, dir, c)
			defer func() { shut(t, d.Gate) }()
			tt.do(t, d, c)
			for _, when := range []string{"as it happens", "after a restart"} {
				if got := absentees(d); !slices.Equal(got, tt.want) {
					t.Errorf("%s: %q", when, got)
				}
				if v := (roomPage(d)).View(); len(d.register.holds()) != 0 || len(d.Holds()) != 0 || len(v.Cases) != 0 || len(v.Alarms) != 0 {
					t.Errorf("%s: held %+v, cases %+v", when, d.register.holds(), v.Cases)
				}
				d = deskPage(roomPage(d).again(t, dir, c))
			}
		})
	}
}

func TestAReportAndItsUndoAreEntriesWithTheName(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	schooled(t, dir)
	d := atDesk(t, dir, c)
	defer shut(t, d.Gate)
	d.atHome(t, pupilID, "vomiting", "fever")
	undoFirst(t, d)
	got := answers(t, d.Gate)
	for i := range got {
		got[i].Rows = nil
	}
	want := []entry.Answer{
		{Act: entry.ActSick, Subject: pupilID, By: []uint64{teacherID}, Reason: "vomiting,fever"},
		{Act: entry.ActUndo, Subject: pupilID, By: []uint64{teacherID}, Reason: "sick"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("entries %+v", got)
	}
}

func TestAReportIsTakenBackWithinAMinuteByWhoGaveIt(t *testing.T) {
	teacher, cook := web.Person{ID: teacherID}, web.Person{ID: cookID}
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, d deskPage, c *clockAt)
		by   web.Person
		want int
	}{
		"at once":                      {func(*testing.T, deskPage, *clockAt) {}, teacher, 1},
		"not by another":               {func(*testing.T, deskPage, *clockAt) {}, cook, 0},
		"not after a minute":           {func(_ *testing.T, _ deskPage, c *clockAt) { c.wall.Add(60) }, teacher, 0},
		"not what another has amended": {func(t *testing.T, d deskPage, _ *clockAt) { d.amended(t, cook) }, teacher, 0},
		"but the amendment":            {func(t *testing.T, d deskPage, _ *clockAt) { d.amended(t, cook) }, cook, 1},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			schooled(t, dir)
			d := atDesk(t, dir, c)
			defer shut(t, d.Gate)
			d.atHome(t, pupilID, "cough")
			tt.do(t, d, c)
			if list := d.Undos(tt.by); len(list) != tt.want || tt.want == 1 && (list[0].Name != "李一涵" || list[0].What != "desk.sick") {
				t.Errorf("offered %+v", list)
			}
		})
	}
}

// amended reports the pupil once more, with more symptoms.
func (d deskPage) amended(t *testing.T, by web.Person) {
	t.Helper()
	if err := d.ReportSick(t.Context(), desk.SickReport{Subject: pupilID, Found: []string{"cough", "fever"}, By: by}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatCannotBeReportedLeavesNoEntry(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	schooled(t, dir)
	d := atDesk(t, dir, c)
	defer shut(t, d.Gate)
	d.atHome(t, pupilID, "cough")
	for rule, tt := range map[string]struct {
		x    desk.SickReport
		want error
	}{
		"the same again today":   {desk.SickReport{Subject: pupilID, Found: []string{"cough"}}, desk.ErrReported},
		"somebody whom it lacks": {desk.SickReport{Subject: 99}, guard.ErrStale},
	} {
		tt.x.By = web.Person{ID: cookID}
		if err := d.ReportSick(t.Context(), tt.x); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if got := answers(t, d.Gate); len(got) != 1 {
		t.Errorf("entries %+v", got)
	}
}

func TestTwoAbsencesAndACaseAreACluster(t *testing.T) {
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, d deskPage)
		want int
	}{
		"three of a class who vomit":     {func(t *testing.T, d deskPage) { d.atHome(t, pupilID+1, "vomiting") }, 1},
		"one person counts once":         {func(t *testing.T, d deskPage) { d.atHome(t, pupilID+2, "vomiting") }, 0},
		"an unknown cause counts as no":  {func(t *testing.T, d deskPage) { d.atHome(t, pupilID+1) }, 0},
		"another illness does not count": {func(t *testing.T, d deskPage) { d.atHome(t, pupilID+1, "cough") }, 0},
		"nor what was taken back": {func(t *testing.T, d deskPage) {
			d.atHome(t, pupilID+1, "vomiting")
			undoFirst(t, d)
		}, 0},
		"nor what was amended": {func(t *testing.T, d deskPage) {
			d.atHome(t, pupilID+1, "vomiting")
			d.atHome(t, pupilID+1, "cough")
		}, 0},
		"amended and taken back it does": {func(t *testing.T, d deskPage) {
			d.atHome(t, pupilID+1, "vomiting")
			d.atHome(t, pupilID+1, "cough")
			undoFirst(t, d)
		}, 1},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			schooled(t, dir)
			r := inRoom(t, dir, c)
			defer func() { shut(t, r.Gate) }()
			deskPage(r).atHome(t, pupilID, "vomiting", "fever")
			r.illOf(t, pupilID+2, "vomiting")
			tt.do(t, deskPage(r))
			for _, when := range []string{"as it happens", "after a restart"} {
				got := r.View().Clusters
				if len(got) != tt.want || tt.want == 1 && (got[0].Syndrome != "vomiting" || got[0].Place != "1班" || got[0].People != 3) {
					t.Errorf("%s: %+v", when, got)
				}
				r = r.again(t, dir, c)
			}
		})
	}
}

func TestWhoIsIllAtHomeStandsOnNoGuardsPage(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	schooled(t, dir)
	d := atDesk(t, dir, c)
	defer shut(t, d.Gate)
	pages := d.pages()
	d.front.Store(&pages)
	d.atHome(t, pupilID, "vomiting")
	for who, tt := range map[string]struct {
		badge, path string
		told        bool
	}{
		"the leader at the desk":  {guardBadge, "/desk/", true},
		"the guard at the desk":   {cookBadge, "/desk/", false},
		"the guard at the lanes":  {cookBadge, "/guard/", false},
		"the leader at the lanes": {guardBadge, "/guard/", false},
	} {
		page := d.page(t, tt.badge, tt.path)
		if strings.Contains(page, "今日病假 1") != tt.told || strings.Contains(page, "<b>李一涵</b> · 呕吐") != tt.told {
			t.Errorf("%s: %s", who, page)
		}
	}
}
