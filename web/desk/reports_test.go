package desk_test

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// reports knows what is owed, and remembers what was said of it.
type reports struct {
	list []desk.Owed
	err  error
	did  []desk.Reported
}

func (r *reports) Owed() []desk.Owed { return r.list }
func (r *reports) Report(_ context.Context, x desk.Reported) error {
	r.did = append(r.did, x)
	return r.err
}

// owing is a tablet at which somebody with these duties has signed on, on a day
// with a report of each kind.
func owing(t *testing.T, duties web.Duty, language web.Language) (*tablet, *reports) {
	t.Helper()
	at := time.Date(2020, 12, 7, 11, 30, 0, 0, time.UTC)
	b, r := newTablet(t, language), &reports{list: []desk.Owed{
		{Name: "absence@09:00", Report: "absence", At: at.Add(-150 * time.Minute), Sent: at.Add(-160 * time.Minute), By: longName},
		{Name: "daily@11:00", Report: "daily", At: at.Add(-30 * time.Minute), Late: true},
		{Name: "zero@11:30", Report: "zero", At: at, Soon: true},
		{Name: "weekly@17:00", Report: "weekly", At: at.Add(330 * time.Minute)},
		{Name: "monthly@17:00", Report: "monthly", At: at.Add(330 * time.Minute)},
	}}
	b.signOn(onDuty(duties), func(o *desk.Options) { o.Reports = r })
	return b, r
}

func TestWhatIsOwedIsToldToDeskAndLeaderAlone(t *testing.T) {
	for language, lines := range map[web.Language][]string{
		web.Chinese: {"今日应报", "缺勤报告 09:00 · 08:50 已报", "日报 11:00 · 已超时,请立即上报", "零报告 11:30 · 快到时间,请上报", "周报 17:00 · 未报"},
		web.English: {"Reports due today", "Absence report 09:00 · sent 08:50", "Daily report 11:00 · overdue: send it now", "Zero report 11:30 · due soon: send it", "Weekly report 17:00 · not sent yet"},
	} {
		for who, tt := range map[string]struct {
			duties web.Duty
			told   bool
		}{
			"the desk": {web.DutyDesk, true}, "the leader": {web.DutyLeader, true}, "a guard": {web.DutyGuard, false},
		} {
			b, _ := owing(t, tt.duties, language)
			b.home()
			for _, line := range lines {
				if strings.Contains(text(b.page), line) != tt.told {
					t.Errorf("%s, %q: told is to be %v", who, line, tt.told)
				}
			}
		}
	}
}

func TestThatAReportWentOutIsOneTapAndSoIsThatItDidNot(t *testing.T) {
	b, r := owing(t, web.DutyDesk, web.English)
	by := web.Person{ID: 17, Name: "王建国", Duties: web.DutyDesk}
	for _, tt := range []struct {
		form url.Values
		want desk.Reported
	}{
		{url.Values{"report": {"daily@11:00"}}, desk.Reported{Name: "daily@11:00", By: by}},
		{url.Values{"report": {"absence@09:00"}, "undone": {"1"}}, desk.Reported{Name: "absence@09:00", Undone: true, By: by}},
	} {
		r.did = nil
		b.send("POST", "/desk/report", tt.form)
		if b.says("Noted"); !reflect.DeepEqual(r.did, []desk.Reported{tt.want}) {
			t.Errorf("said %+v", r.did)
		}
	}
	b.taps = 0
	b.tap("Not sent")
	b.tap("Sent")
	if len(r.did) != 3 || !r.did[1].Undone || r.did[2].Undone || b.taps != 2 {
		t.Errorf("said %+v by %d taps", r.did, b.taps)
	}
	r.err = guard.ErrStale
	b.tap("Sent")
	b.says("The screen has changed")
}

func TestAGuardSaysNothingOfReports(t *testing.T) {
	b, r := owing(t, web.DutyGuard, web.Chinese)
	if w := b.send("POST", "/desk/report", url.Values{"report": {"daily@11:00"}}); w.Code != http.StatusForbidden || len(r.did) != 0 {
		t.Errorf("got %d, said %v", w.Code, r.did)
	}
}

func TestWhatIsOwedFitsATablet(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		tab, _ := owing(t, web.DutyDesk, language)
		if err := b.Open(tab.serve("GET /desk/")); err != nil {
			t.Fatal(err)
		}
		b.Look(t, "43-reports."+language.Tag(), "document.readyState === 'complete'", browser.Screen{1280, 800}, browser.Screen{800, 1280})
	}
}
