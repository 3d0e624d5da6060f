package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// leader has every duty; all others of the school have none.
var leader = guard.Leader{ID: 18, Name: "欧阳建国"}

// questions remembers what was answered.
type questions struct {
	mu      sync.Mutex
	passed  []guard.Passage
	taken   []guard.Acceptance
	set     []guard.ClockTime
	leaders []guard.Leader
	err     error
}

func (q *questions) Leaders() []guard.Leader { return q.leaders }

func (q *questions) Emergency(_ context.Context, p guard.Passage) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.passed = append(q.passed, p)
	return q.err
}

func (q *questions) Accept(_ context.Context, a guard.Acceptance) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = append(q.taken, a)
	return q.err
}

func (q *questions) SetClock(_ context.Context, t guard.ClockTime) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.set = append(q.set, t)
	return q.err
}

func TestEmergencyPassageIsALeadersWithPIN(t *testing.T) {
	for rule, tt := range map[string]struct {
		form    string
		answers error
		status  int
		says    string
		want    guard.Passage
	}{
		"a leader and a PIN":          {form: "leader=18&pin=4711", status: http.StatusSeeOther, want: guard.Passage{Leader: 18, PIN: "4711"}},
		"the press that ends it":      {form: "end=yes&leader=18&pin=4711", status: http.StatusSeeOther, want: guard.Passage{End: true}},
		"a leader, who is then asked": {form: "leader=18", status: http.StatusOK, says: "的密码"},
		"no PIN":                      {form: "leader=18&pin=", status: http.StatusUnprocessableEntity, says: "请再输一次密码"},
		"nobody":                      {form: "pin=4711", status: http.StatusBadRequest},
		"a wrong PIN":                 {form: "leader=18&pin=1", answers: web.ErrPIN, status: http.StatusUnprocessableEntity, says: "密码不对", want: guard.Passage{Leader: 18, PIN: "1"}},
		"too many wrong PINs":         {form: "leader=18&pin=1", answers: web.ErrLocked, status: http.StatusUnprocessableEntity, says: "已锁定", want: guard.Passage{Leader: 18, PIN: "1"}},
		"somebody who is no leader":   {form: "leader=17&pin=1", status: http.StatusBadRequest},
	} {
		t.Run(rule, func(t *testing.T) {
			r := newRig(t, web.Chinese)
			r.questions.err = tt.answers
			w := r.post("/guard/emergency", tt.form, true)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("got %d:\n%s", w.Code, w.Body)
			}
			var got guard.Passage
			if n := len(r.questions.passed); n > 0 {
				got = r.questions.passed[n-1]
				if got.By.ID != 17 {
					t.Errorf("by %v, want who is signed on", got.By)
				}
				got.By = web.Person{}
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAPINIsNeverGivenBackNorAName(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.questions.err = web.ErrPIN
	if page := r.post("/guard/emergency", "leader=18&pin=471147", true).Body.String(); strings.Contains(page, "471147") || strings.Contains(page, leader.Name) || !strings.Contains(page, "欧*国") {
		t.Errorf("got\n%s", page)
	}
}

func TestTheTimeIsTyped(t *testing.T) {
	for typed, want := range map[string]guard.ClockTime{
		"0641":     {Hour: 6, Minute: 41},
		"12070641": {Month: time.December, Day: 7, Hour: 6, Minute: 41},
	} {
		r := newRig(t, web.Chinese)
		if w := r.post("/guard/set-clock", "time="+typed, true); w.Code != http.StatusSeeOther {
			t.Errorf("%s: got %d", typed, w.Code)
		}
		if want.By = (web.Person{ID: 17, Name: "王建国", Duties: web.DutyGuard}); len(r.questions.set) != 1 || r.questions.set[0] != want {
			t.Errorf("%s: got %+v", typed, r.questions.set)
		}
	}
	for _, slip := range []string{"", "641", "2460", "2400", "13070641", "12320641", "00070641", "12000641", "-641", "064l", "1207064"} {
		r := newRig(t, web.Chinese)
		if w := r.post("/guard/set-clock", "time="+slip, true); w.Code != http.StatusUnprocessableEntity || len(r.questions.set) > 0 || !strings.Contains(w.Body.String(), "4 位时分") {
			t.Errorf("%q: got %d", slip, w.Code)
		}
	}
	r := newRig(t, web.Chinese)
	for err, says := range map[error]string{guard.ErrEarly: "不能早于上一条记录", guard.ErrFar: "差得太远"} {
		r.questions.err = err
		if page := r.post("/guard/set-clock", "time=0641", true).Body.String(); !strings.Contains(page, says) {
			t.Errorf("%v is not said", err)
		}
	}
}

func TestTheDayThatIsMeantIsTheNearest(t *testing.T) {
	at := func(s string) time.Time {
		d, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for rule, tt := range map[string]struct {
		now, want string
		typed     guard.ClockTime
	}{
		"the day that is shown":              {"2020-12-06 22:04:30", "2020-12-06 06:41:00", guard.ClockTime{Hour: 6, Minute: 41}},
		"another day of the year":            {"2020-12-06 22:04:30", "2020-12-07 06:41:00", guard.ClockTime{Month: 12, Day: 7, Hour: 6, Minute: 41}},
		"a day of the next year":             {"2020-12-30 22:04:00", "2021-01-04 06:41:00", guard.ClockTime{Month: 1, Day: 4, Hour: 6, Minute: 41}},
		"a day of the last year":             {"2021-01-01 00:05:00", "2020-12-31 23:55:00", guard.ClockTime{Month: 12, Day: 31, Hour: 23, Minute: 55}},
		"the 29th, where there is one":       {"2021-01-02 00:00:00", "2020-02-29 06:00:00", guard.ClockTime{Month: 2, Day: 29, Hour: 6}},
		"no 30th of February, so it is none": {"2021-01-02 00:00:00", "", guard.ClockTime{Month: 2, Day: 30, Hour: 6}},
	} {
		got, ok := tt.typed.On(at(tt.now))
		if ok != (tt.want != "") || ok && !got.Equal(at(tt.want)) {
			t.Errorf("%s: got %v, %v", rule, got, ok)
		}
	}
}

func TestAQuestionIsAnsweredByWhoIsSignedOnOnly(t *testing.T) {
	r := newRig(t, web.Chinese)
	friday := time.Date(2020, 12, 4, 17, 20, 0, 0, time.UTC)
	r.gate.set(func(v *guard.View) {
		v.Questions = []guard.Question{{Kind: guard.AskList, About: "2020-12-07", Date: friday}}
	})
	if page := r.get("/guard/", false).Body.String(); !strings.Contains(page, "异常名单为周五 17:20") || strings.Contains(page, "照常") {
		t.Error("without a session, want the line and no button")
	}
	if page := r.get("/guard/", true).Body.String(); !strings.Contains(page, "照常,名单内拦下") {
		t.Error("with a session, want the button")
	}
	if w := r.post("/guard/answer", "kind=list&about=2020-12-07", false); w.Code != http.StatusUnauthorized || len(r.questions.taken) > 0 {
		t.Errorf("without a session: got %d", w.Code)
	}
	if w := r.post("/guard/answer", "kind=list&about=2020-12-07", true); w.Code != http.StatusSeeOther || len(r.questions.taken) != 1 || r.questions.taken[0].By.ID != 17 {
		t.Errorf("got %d, %+v", w.Code, r.questions.taken)
	}
	r.questions.err = errors.New("disk is full")
	if w := r.post("/guard/answer", "kind=list&about=2020-12-07", true); !strings.Contains(w.Header().Get("Location"), "said=failed") {
		t.Errorf("a failure leads to %q", w.Header().Get("Location"))
	}
}

func TestTheMenuLeadsWhereWhoIsSignedOnMayGo(t *testing.T) {
	r := newRig(t, web.Chinese) // a guard
	page := r.get("/guard/", true).Body.String()
	for link, want := range map[string]bool{`href="/desk/"`: true, `href="/guard/emergency"`: true, `href="/isolation/"`: false} {
		if strings.Contains(page, link) != want {
			t.Errorf("%s: want %v", link, want)
		}
	}
	if page := r.get("/guard/", false).Body.String(); strings.Contains(page, `href="/desk/"`) || strings.Contains(page, `href="/guard/emergency"`) {
		t.Error("nobody is signed on, and the menu leads on")
	}
}

// longOrder is a policy order of which more is said than fits.
func longOrder(now time.Time) guard.Question {
	said := guard.Sentence{Zh: "请出示四十八小时内两次核酸检测阴性证明,两次间隔至少二十四小时", En: "Please show two negative tests of the last forty-eight hours, at least twenty-four hours apart."}
	return guard.Question{
		Kind: guard.AskOrder, About: "4294967295", Number: 4294967295, Date: now.Add(14 * time.Hour),
		Changes: []guard.Change{{Kind: "added", Row: "tests", Say: said}, {Kind: "limit", From: "≥ 37.3", To: "> 37.05"}, {Kind: "windows"}, {Kind: "enforced", Row: "mask", Say: said}, {Kind: "removed", Row: "green"}},
	}
}

// TestWhatIsTypedOnAtTheGateCanBeReadAndTouched writes a picture of each to the
// directory MENSHEN_SCREENSHOTS, if it is set.
func TestWhatIsTypedOnAtTheGateCanBeReadAndTouched(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		var signedOff, down atomic.Bool
		s := serve(t, language, &signedOff, &down)
		for name, sheet := range map[string]struct {
			path    string
			leaders int
			on      bool
			order   bool
			owed    bool
			click   string
			typed   bool // a badge number may be
		}{
			"70-badge":          {path: "badge?lane=1", typed: true},
			"71-reason":         {path: "reason", owed: true},
			"72-reason-pin":     {path: "reason", owed: true, click: "form.choices button"},
			"47-order":          {path: "order", order: true},
			"48-rules":          {path: "rules?from=0", order: true},
			"49-rules-last":     {path: "rules?from=4", order: true},
			"40-set-clock":      {path: "set-clock"},
			"41-emergency":      {path: "emergency", leaders: 1},
			"42-emergency-on":   {path: "emergency", leaders: 6, on: true},
			"44-emergency-two":  {path: "emergency", leaders: 2},
			"43-emergency-none": {path: "emergency"},
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				s.questions.leaders = nil
				for i := range sheet.leaders {
					s.questions.leaders = append(s.questions.leaders, guard.Leader{ID: uint64(18 + i), Name: longName})
				}
				s.gate.set(func(v *guard.View) {
					v.Emergency, v.Questions = nil, nil
					if sheet.order {
						v.Questions = []guard.Question{longOrder(v.Now)}
					}
					if sheet.owed {
						v.Questions = []guard.Question{{Kind: guard.AskReason, About: "3-9", Lane: 1, Date: v.Now, Open: 12, Late: true}}
					}
					v.Lanes[0].CanBadge = sheet.typed
					if sheet.on {
						v.Emergency = &guard.Emergency{Left: 12 * time.Minute, Passed: 1234}
					}
				})
				if err := b.Open(s.url + sheet.path); err != nil {
					t.Fatal(err)
				}
				if sheet.click != "" {
					if _, err := b.Text(fmt.Sprintf("document.querySelector(%q).click(), ''", sheet.click)); err != nil {
						t.Fatal(err)
					}
					if err := b.Await("document.querySelector('.pad button') !== null"); err != nil {
						t.Fatal(err)
					}
				}
				b.Look(t, name+"."+language.Tag(), "document.readyState === 'complete' && document.querySelectorAll('.pad').length === document.querySelectorAll('.pad:has(button)').length", screens()...)
			})
		}
	}
}

// FuzzTypedTime: what is taken is a time of a day, and is what was typed.
func FuzzTypedTime(f *testing.F) {
	for _, seed := range []string{"0641", "12070641", "2400", "13320641", "-641", "+641", " 641", "०६४१", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		r := newRig(t, web.Chinese)
		r.post("/guard/set-clock", url.Values{"time": {typed}}.Encode(), true)
		if len(r.questions.set) == 0 {
			return
		}
		c := r.questions.set[0]
		again := fmt.Sprintf("%02d%02d", c.Hour, c.Minute)
		if c.Month != 0 {
			again = fmt.Sprintf("%02d%02d", c.Month, c.Day) + again
		}
		if again != typed || c.Hour > 23 || c.Minute > 59 || c.Month > 12 || c.Day > 31 {
			t.Errorf("%q was taken for %+v", typed, c)
		}
	})
}
