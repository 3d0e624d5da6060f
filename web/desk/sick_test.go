package desk_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// sick knows who is at home, and remembers who was reported.
type sick struct {
	list []desk.AtHome
	err  error
	did  []desk.SickReport
}

func (s *sick) AtHome() []desk.AtHome { return s.list }
func (s *sick) ReportSick(_ context.Context, x desk.SickReport) error {
	s.did = append(s.did, x)
	return s.err
}

// onDuty lets everybody in with these duties.
type onDuty web.Duty

func (d onDuty) CheckPIN(context.Context, string, string) (web.Person, error) {
	return web.Person{ID: 17, Name: "王建国", Duties: web.Duty(d)}, nil
}

// caring is a tablet at which somebody with these duties has signed on.
func caring(t *testing.T, duties web.Duty, language web.Language) (*tablet, *sick) {
	t.Helper()
	b, s := newTablet(t, language), &sick{}
	b.signOn(onDuty(duties), func(o *desk.Options) { o.Sick = s })
	return b, s
}

func (s *sick) reported(t *testing.T, subject uint64, found ...string) {
	t.Helper()
	if len(s.did) != 1 || s.did[0].Subject != subject || strings.Join(s.did[0].Found, ",") != strings.Join(found, ",") || s.did[0].By.ID != 17 {
		t.Errorf("reported %+v", s.did)
	}
}

func TestAnIllnessAtHomeTakesFiveTapsInALargeClass(t *testing.T) {
	b, s := caring(t, web.DutyDesk, web.Chinese)
	large(b.gate)
	b.home()
	b.tap("病假登记")
	b.taps = 0
	for _, label := range []string{"2班", "Z", "周明"} {
		b.tap(label)
	}
	if strings.Contains(b.page, "checked") || strings.Contains(b.page, "没戴口罩") {
		t.Error("something is filled in beforehand, or is no symptom")
	}
	b.tap("登记", "found-vomiting", "1")
	s.reported(t, 8, "vomiting")
	if b.says("病假已登记"); b.taps != 5 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestWithoutSymptomsTheCauseIsUnknown(t *testing.T) {
	b, s := caring(t, web.DutyDesk, web.English)
	b.home()
	for _, label := range []string{"Sick at home", "2班", "周明", "Report"} {
		b.tap(label)
	}
	s.reported(t, 8)
	b.says("Reported sick")
}

func TestWhoIsAtHomeStandsOnTheDeskWithSymptoms(t *testing.T) {
	list := []desk.AtHome{{Name: "李一涵", Class: "1班", Found: []string{"vomiting", "fever"}}, {Name: "赵敏", Class: "2班"}, {Name: "李红"}}
	for language, lines := range map[web.Language][]string{
		web.Chinese: {"今日病假 3", "1班 李一涵 · 呕吐 · 发热", "2班 赵敏 · 原因未明"},
		web.English: {"Sick at home today: 3", "1班 李一涵 · Vomiting · Fever", "2班 赵敏 · cause unknown"},
	} {
		for who, tt := range map[string]struct {
			duties web.Duty
			told   bool
		}{
			"the desk":   {web.DutyDesk, true},
			"the leader": {web.DutyLeader, true},
			"a guard":    {web.DutyGuard, false},
		} {
			b, s := caring(t, tt.duties, language)
			s.list = list
			b.home()
			page := text(b.page)
			for _, line := range lines {
				if strings.Contains(page, line) != tt.told {
					t.Errorf("%s, %q: told is to be %v", who, line, tt.told)
				}
			}
			if strings.Contains(b.page, "/desk/sick") != tt.told {
				t.Errorf("%s is offered to report, or is not", who)
			}
		}
		b, s := caring(t, web.DutyDesk, language)
		s.list = list
		b.send("GET", "/guard/", nil)
		if strings.Contains(text(b.page), lines[0]) || strings.Contains(text(b.page), lines[2]) {
			t.Error("the guard's page tells who is at home")
		}
	}
}

func TestAGuardReportsNobody(t *testing.T) {
	b, s := caring(t, web.DutyGuard, web.Chinese)
	if w := b.send("POST", "/desk/sick", url.Values{"subject": {"8"}, "report": {"1"}}); w.Code != http.StatusForbidden || len(s.did) != 0 {
		t.Errorf("got %d, reported %v", w.Code, s.did)
	}
}

func TestTheNurseComesBackToHerOwnPage(t *testing.T) {
	b, s := caring(t, web.DutyNurse, web.Chinese)
	s.list = []desk.AtHome{{Name: "赵敏", Class: "2班"}}
	b.gate.undos = []desk.Undo{{ID: 3, Name: "赵敏", Class: "2班", What: "desk.sick", Left: time.Minute}}
	b.send("POST", "/desk/sick", nil)
	b.says(`href="/isolation/"`)
	b.says("今日病假 1")
	b.says("撤销 赵敏 · 病假登记")
	for path, form := range map[string]url.Values{"/desk/sick": {"subject": {"8"}, "report": {"1"}}, "/desk/undo": {"undo": {"3"}}} {
		r, w := httptest.NewRequest("POST", path, strings.NewReader(form.Encode())), httptest.NewRecorder()
		r.Host, r.RemoteAddr = "localhost", "127.0.0.1:40000"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(b.cookie)
		if b.handler.ServeHTTP(w, r); !strings.HasPrefix(w.Header().Get("Location"), "/isolation/?said=") {
			t.Errorf("%s leads to %q", path, w.Header().Get("Location"))
		}
	}
}

func TestWhyAReportIsNotTakenIsSaid(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("report: %w", desk.ErrReported): "今天已登记过", guard.ErrStale: "画面已变", fmt.Errorf("disk: full"): "没有成功",
	} {
		b, s := caring(t, web.DutyDesk, web.Chinese)
		s.err = err
		b.send("POST", "/desk/sick", url.Values{"subject": {"8"}, "report": {"1"}})
		b.says(want)
	}
}

func TestAMalformedReportIsRefused(t *testing.T) {
	b, s := caring(t, web.DutyDesk, web.Chinese)
	for rule, form := range map[string]url.Values{
		"of nobody":              {"report": {"1"}},
		"symptoms before anyone": {"class": {"2班"}, "found-cough": {"1"}},
		"a number of no person":  {"subject": {"-8"}, "report": {"1"}},
		"two people":             {"subject": {"8", "9"}, "report": {"1"}},
		"letters without class":  {"letters": {"z"}},
	} {
		if w := b.send("POST", "/desk/sick", form); w.Code != http.StatusBadRequest || len(s.did) != 0 {
			t.Errorf("%s: %d, reported %v", rule, w.Code, s.did)
		}
	}
	b.send("POST", "/desk/sick", url.Values{"subject": {"99"}, "report": {"1"}})
	if b.says("画面已变"); len(s.did) != 0 {
		t.Error("somebody unknown was reported")
	}
}
