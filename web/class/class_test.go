package class_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/class"
)

// school shows what it was given and remembers what was pressed.
type school struct {
	today class.Today
	sheet class.Sheet
	cases int
	err   error
	did   []any
}

func (s *school) Today(web.Person) class.Today { return s.today }
func (s *school) Sheet(k class.Key, _ web.Person) (class.Sheet, bool) {
	return s.sheet, k == s.sheet.Key
}
func (s *school) Check(_ context.Context, f class.Findings) (int, error) {
	s.did = append(s.did, f)
	return s.cases, s.err
}
func (s *school) TakeBack(_ context.Context, k class.Key, by web.Person) error {
	s.did = append(s.did, []any{k, by.ID})
	return s.err
}

// teacher lets everybody in as one.
type teacher web.Duty

func (d teacher) CheckPIN(context.Context, string, string) (web.Person, error) {
	return web.Person{ID: 17, Name: "钱芳", Duties: web.Duty(d)}, nil
}

// phone is a browser at which a teacher has signed on; it counts what is pressed.
type phone struct {
	t       *testing.T
	school  *school
	handler http.Handler
	cookie  *http.Cookie
	log     *bytes.Buffer
	page    string
	taps    int
}

func newPhone(t *testing.T, language web.Language, duties web.Duty) *phone {
	t.Helper()
	p := &phone{t: t, school: noon(), log: new(bytes.Buffer)}
	sessions := web.NewSessions(teacher(duties))
	log := slog.New(slog.NewTextHandler(p.log, nil))
	site := web.NewSite(sessions, language, log)
	rest := site.NewMux(web.AtGate())
	site.Mount(rest)
	p.handler = class.New(class.Options{Checks: p.school, Rest: rest, Sessions: sessions, Language: language, Log: log})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/sign-on", nil)
	if err := sessions.SignOn(w, r, "b1", "1234"); err != nil {
		t.Fatal(err)
	}
	p.cookie = w.Result().Cookies()[0]
	return p
}

// noon is a class of which the noon check is to be held.
func noon() *school {
	at := time.Date(2020, 12, 7, 11, 30, 0, 0, time.UTC)
	key := class.Key{Check: "noon", Group: "三年级1班"}
	return &school{
		today: class.Today{List: []class.Owed{
			{Key: key, From: at, By: at.Add(3 * time.Hour), State: "open", Times: 2, Least: 4},
			{Key: class.Key{Check: "evening", Group: "三年级1班"}, From: at.Add(6 * time.Hour), By: at.Add(12*time.Hour + 30*time.Minute), State: "to-come"},
			{Key: class.Key{Check: "morning", Group: "三年级1班"}, From: at.Add(-5 * time.Hour), By: at.Add(-3 * time.Hour), State: "done",
				At: at.Add(-4 * time.Hour), Who: "钱芳", Expected: 42, Absent: 2, Ill: 1, MayTakeBack: true},
		}},
		sheet: class.Sheet{Key: key, Version: 9, People: []class.Member{
			{ID: 4, Name: "李一涵"}, {ID: 5, Name: "周明", Absent: true, Hint: "at-home"}, {ID: 6, Name: "吴芳", Hint: "not-come"},
		}},
	}
}

func (p *phone) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	p.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:40000"
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(p.cookie)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	if to := w.Header().Get("Location"); w.Code == http.StatusSeeOther {
		return p.send("GET", to, nil)
	}
	p.page = w.Body.String()
	return w
}

var (
	forms  = regexp.MustCompile(`(?s)<form[^>]* action="(/class/[^"]*)".*?</form>`)
	fields = regexp.MustCompile(`<input type="(?:hidden|radio|checkbox)" name="([^"]*)" value="([^"]*)"( checked)?>`)
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	tags   = regexp.MustCompile(`<[^>]*>`)
)

// tap presses the first button of a form that says label, with what is filled in
// and more.
func (p *phone) tap(label string, more ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	p.taps++
	for _, f := range forms.FindAllStringSubmatch(p.page, -1) {
		if !strings.Contains(text(f[0]), label) {
			continue
		}
		form := url.Values{}
		for _, x := range hidden.FindAllStringSubmatch(f[0], -1) {
			form.Set(html.UnescapeString(x[1]), html.UnescapeString(x[2]))
		}
		for _, x := range fields.FindAllStringSubmatch(f[0], -1) {
			if x[3] != "" {
				form.Set(html.UnescapeString(x[1]), html.UnescapeString(x[2]))
			}
		}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return p.send("POST", f[1], form)
	}
	p.t.Fatalf("nothing says %q on %s", label, text(p.page))
	return nil
}

func text(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(page, " "))), " ")
}

func (p *phone) says(what ...string) {
	p.t.Helper()
	for _, s := range what {
		if !strings.Contains(text(p.page), s) {
			p.t.Errorf("%q is not on %s", s, text(p.page))
		}
	}
}

func (p *phone) took(want any) {
	p.t.Helper()
	if len(p.school.did) != 1 || !reflect.DeepEqual(p.school.did[0], want) {
		p.t.Errorf("took %+v, want %+v", p.school.did, want)
	}
}

func findings(exceptions ...class.Exception) class.Findings {
	return class.Findings{Key: class.Key{Check: "noon", Group: "三年级1班"}, Version: 9, Exceptions: exceptions,
		By: web.Person{ID: 17, Name: "钱芳", Duties: web.DutyTeacher}}
}

func TestAnOrdinaryCheckIsTwoTaps(t *testing.T) {
	p := newPhone(t, web.Chinese, web.DutyTeacher)
	p.school.sheet.People = p.school.sheet.People[:1]
	p.send("GET", "/class/", nil)
	p.tap("午检")
	p.tap("全部正常")
	p.took(findings())
	if p.says("已登记"); p.taps != 2 {
		t.Errorf("%d taps", p.taps)
	}
}

func TestWhoIsKnownToBeAwayIsTickedBefore(t *testing.T) {
	p := newPhone(t, web.Chinese, web.DutyTeacher)
	p.send("GET", "/class/", nil)
	p.tap("午检")
	p.says("周明 病假", "吴芳 校门未见")
	p.tap("其余正常")
	p.took(findings(class.Exception{Subject: 5, Absent: true}))
}

func TestExceptionsAreTouchedAndTyped(t *testing.T) {
	p := newPhone(t, web.Chinese, web.DutyTeacher)
	p.school.cases = 1
	p.send("GET", "/class/", nil)
	p.tap("午检")
	p.tap("其余正常", "found-4-fever", "1", "found-4-cough", "1", "temperature-4", "37.5", "temperature-5", "", "absent-6", "1", "instrument", "axilla")
	p.took(findings(class.Exception{Subject: 4, Found: []string{"cough", "fever"}, Value: 37_500, Instrument: "axilla"},
		class.Exception{Subject: 5, Absent: true}, class.Exception{Subject: 6, Absent: true}))
	p.says("隔离室已知道")
}

func TestASlipIsAskedAgainAndForgetsNothing(t *testing.T) {
	p := newPhone(t, web.English, web.DutyTeacher)
	p.send("GET", "/class/", nil)
	p.tap("Noon check")
	p.tap("all others normal", "temperature-4", "375x", "found-6-rash", "1")
	if len(p.school.did) != 0 {
		t.Errorf("took %+v", p.school.did)
	}
	p.says("Type 3 digits")
	for _, kept := range []string{`value="375x"`, `name="found-6-rash" value="1" checked`, `name="absent-5" value="1" checked`} {
		if !strings.Contains(p.page, kept) {
			t.Errorf("%s is forgotten", kept)
		}
	}
	if strings.Contains(p.page, `name="absent-6" value="1" checked`) {
		t.Error("something is filled in that nobody said")
	}
}

func TestWhatIsOwedAndDoneStandsOnThePage(t *testing.T) {
	for language, lines := range map[web.Language][]string{
		web.Chinese: {"午检 三年级1班 11:30–14:30 · 待做 今日 2/4 次", "晚检 三年级1班 17:30–24:00 · 未到时间", "晨检 三年级1班 06:30–08:30 · 已做 07:30 钱芳 应到 42 · 缺 2 · 异常 1"},
		web.English: {"Noon check 三年级1班 11:30–14:30 · To do 2 of 4 today", "Evening check 三年级1班 17:30–24:00 · Not yet", "Done 07:30 钱芳 Expected 42 · absent 2 · ill 1"},
	} {
		p := newPhone(t, language, web.DutyTeacher)
		p.send("GET", "/class/", nil)
		p.says(lines...)
	}
	p := newPhone(t, web.Chinese, web.DutyTeacher)
	p.school.today = class.Today{Closed: true}
	p.send("GET", "/class/", nil)
	p.says("今天不上课")
}

func TestAnOwnCheckIsTakenBack(t *testing.T) {
	p := newPhone(t, web.Chinese, web.DutyTeacher)
	p.send("GET", "/class/", nil)
	p.tap("撤销")
	p.took([]any{class.Key{Check: "morning", Group: "三年级1班"}, uint64(17)})
	p.says("已撤销")
}

func TestEachFaultIsToldInItsOwnWords(t *testing.T) {
	for err, want := range map[error]string{
		class.ErrStale: "请再做一次", class.ErrEarly: "还没到时间", fmt.Errorf("disk full"): "未记录",
	} {
		p := newPhone(t, web.Chinese, web.DutyTeacher)
		p.send("GET", "/class/", nil)
		p.tap("午检")
		p.school.err = err
		p.tap("其余正常")
		if strings.Contains(text(p.page), "已登记") {
			t.Errorf("%v: %s", err, text(p.page))
		}
		if want != "未记录" {
			p.says(want)
		} else if !strings.Contains(p.log.String(), "disk full") {
			t.Error("a fault is told to nobody")
		}
	}
}

func TestNobodyElseIsShownAClass(t *testing.T) {
	for rule, duties := range map[string]web.Duty{"a guard": web.DutyGuard, "a nurse": web.DutyNurse} {
		p := newPhone(t, web.Chinese, duties)
		for _, path := range []string{"GET /class/", "POST /class/check", "POST /class/undo"} {
			method, to, _ := strings.Cut(path, " ")
			if w := p.send(method, to, url.Values{"check": {"noon"}, "group": {"三年级1班"}}); w.Code != http.StatusForbidden {
				t.Errorf("%s, %s: %d", rule, path, w.Code)
			}
		}
	}
}

func TestAFormThatNoPageSendsIsRefused(t *testing.T) {
	for rule, query := range map[string]string{
		"nothing":                      "",
		"no group":                     "check=noon",
		"a group without end":          "check=noon&group=" + strings.Repeat("x", 201),
		"a group twice":                "check=noon&group=1&group=2",
		"a version that is none":       "check=noon&group=1&version=x",
		"nobody":                       "check=noon&group=1&version=1&absent-0=1",
		"another spelling of somebody": "check=noon&group=1&version=1&absent-04=1",
		"a symptom that nobody knows":  "check=noon&group=1&version=1&found-4-aura=1",
		"a thing that nobody asks for": "check=noon&group=1&version=1&weight-4=40",
		"a thermometer nobody knows":   "check=noon&group=1&version=1&temperature-4=369&instrument=hunch",
		"a temperature by none":        "check=noon&group=1&version=1&temperature-4=369",
	} {
		p := newPhone(t, web.Chinese, web.DutyTeacher)
		form, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if w := p.send("POST", "/class/check", form); w.Code != http.StatusBadRequest || len(p.school.did) != 0 {
			t.Errorf("%s: %d", rule, w.Code)
		}
	}
}
