package isolation_test

import (
	"bytes"
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/isolation"
)

// room shows what it was given and remembers what was pressed.
type room struct {
	view    isolation.View
	people  []isolation.Person
	leaders []isolation.Person
	err     error
	did     []any
	after   func() // what a press changes
}

func (r *room) View() isolation.View                  { return r.view }
func (r *room) Watch(context.Context) <-chan struct{} { return nil }
func (r *room) People() []isolation.Person            { return r.people }
func (r *room) Leaders() []isolation.Person           { return r.leaders }

func (r *room) Answer(_ context.Context, arrival string, _ web.Person) error { return r.take(arrival) }
func (r *room) Mute(_ context.Context, by web.Person) error                  { return r.take(by) }
func (r *room) Step(_ context.Context, s isolation.Step) error               { return r.take(s) }
func (r *room) Open(_ context.Context, o isolation.Opening) (int, error)     { return 12, r.take(o) }
func (r *room) Paper(_ context.Context, p isolation.Paper) (int, error)      { return 12, r.take(p) }

// handing is what HandOver was given.
type handing struct {
	arrival string
	h       isolation.HandOver
	by      web.Person
}

func (r *room) HandOver(_ context.Context, arrival string, h isolation.HandOver, by web.Person) error {
	return r.take(handing{arrival, h, by})
}

func (r *room) Waiting(arrival string) (isolation.Case, bool) {
	return isolation.Case{Number: 12, Name: "李一涵", Class: "1班"}, arrival == "3-9"
}

func (r *room) take(what any) error {
	r.did = append(r.did, what)
	if r.err == nil && r.after != nil {
		r.after()
	}
	return r.err
}

// staff lets everybody in as one person.
type staff struct{ who web.Person }

func (s *staff) CheckPIN(context.Context, string, string) (web.Person, error) { return s.who, nil }

func nurse() web.Person { return web.Person{ID: 3, Name: "赵敏", Duties: web.DutyNurse} }

// tablet is a browser that has signed on; it counts what is pressed.
type tablet struct {
	t        *testing.T
	room     *room
	handler  http.Handler
	cookie   *http.Cookie
	log      *bytes.Buffer
	sessions *web.Sessions
	page     string
	at       string
	who      web.Person
	staff    *staff
	taps     int
}

// duty signs somebody else on, with another duty.
func (b *tablet) duty(d web.Duty) {
	b.t.Helper()
	b.staff.who = web.Person{ID: 2, Name: "李红", Duties: d}
	b.who = b.staff.who
	w := httptest.NewRecorder()
	if err := b.sessions.SignOn(w, httptest.NewRequest("POST", "/sign-on", nil), "b", "1"); err != nil {
		b.t.Fatal(err)
	}
	b.cookie = w.Result().Cookies()[0]
}

func newTablet(t *testing.T, language web.Language, r *room) *tablet {
	t.Helper()
	b := &tablet{t: t, room: r, log: new(bytes.Buffer), staff: &staff{nurse()}}
	sessions, w := web.NewSessions(b.staff), httptest.NewRecorder()
	b.sessions = sessions
	if err := sessions.SignOn(w, httptest.NewRequest("POST", "/sign-on", nil), "b", "1"); err != nil {
		t.Fatal(err)
	}
	b.cookie = w.Result().Cookies()[0]
	log := slog.New(slog.NewTextHandler(b.log, nil))
	basics := http.NewServeMux()
	site := web.NewSite(sessions, language, log)
	shared := site.NewMux(web.AtGate())
	site.Mount(shared)
	basics.Handle("/", shared)
	b.handler = isolation.New(isolation.Options{Room: r, Cases: r, Desk: r, People: r, Rest: basics, Sessions: sessions, Language: language, Log: log})
	return b
}

var seven = time.Date(2020, 12, 7, 7, 30, 0, 0, time.UTC)

// coming is a child on the way; here one in the room, and measured one of whom
// more is known.
func coming() isolation.Case {
	return isolation.Case{Number: 12, Version: 1, Name: "李一涵", Class: "1班", Since: seven.Add(-4 * time.Minute), Found: []string{"high-twice"}, Gate: "37.8",
		Next: "arrived", Stored: true, Guardians: []isolation.Guardian{{Number: 1, Name: "李明", Phone: "13800138000"}, {Number: 2, Name: "王芳", Phone: "13900139111"}}}
}

func here() isolation.Case {
	c := coming()
	c.Version, c.Here, c.Receive, c.Next = 2, true, "赵敏", "measured"
	return c
}

func normal() isolation.Case {
	c := here()
	c.Version, c.Temperature, c.CanBack, c.Next = 3, "36.5", true, "back-to-class"
	return c
}

func fever() isolation.Case {
	c := here()
	c.Version, c.Temperature, c.Fever, c.Next = 3, "38.4", true, "called"
	return c
}

func with(cases ...isolation.Case) *room {
	return &room{
		view:    isolation.View{Gate: "东门", School: "实验小学", Now: seven, ClockTrusted: true, Emergency: 12, Passed: 1234, Cases: cases},
		people:  []isolation.Person{{ID: 1, Name: "王建国"}, {ID: 9, Name: "周明", Class: "2班"}, {ID: 7, Name: "李一涵", Class: "1班"}},
		leaders: []isolation.Person{{ID: 1, Name: "王建国"}},
	}
}

func (b *tablet) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:40000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	b.page, b.at = w.Body.String(), path
	if w.Code == http.StatusSeeOther {
		return b.send("GET", w.Header().Get("Location"), nil)
	}
	return w
}

func (b *tablet) home() { b.send("GET", "/isolation/", nil) }

var (
	forms   = regexp.MustCompile(`(?s)<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>`)
	hidden  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	buttons = regexp.MustCompile(`(?s)<button([^>]*)>(.*?)</button>`)
	links   = regexp.MustCompile(`(?s)<a [^>]*href="([^"]*)">(.*?)</a>`)
	tags    = regexp.MustCompile(`(?s)<[^>]*>`)
	name    = regexp.MustCompile(` name="([^"]*)" value="([^"]*)"`)
)

func text(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(s, " "))), " ")
}

// tap presses the button that says label, or the link whose words hold it,
// having typed what typed says.
func (b *tablet) tap(label string, typed ...string) {
	b.t.Helper()
	b.taps++
	for i := 1; i < len(typed); i += 2 {
		b.taps += len(typed[i])
	}
	for _, f := range forms.FindAllStringSubmatch(b.page, -1) {
		form := url.Values{}
		for _, h := range hidden.FindAllStringSubmatch(f[2], -1) {
			form.Set(h[1], html.UnescapeString(h[2]))
		}
		for i := 0; i < len(typed); i += 2 {
			form.Set(typed[i], typed[i+1])
		}
		for _, x := range buttons.FindAllStringSubmatch(f[2], -1) {
			if text(x[2]) == label {
				if n := name.FindStringSubmatch(x[1]); n != nil {
					form.Set(n[1], html.UnescapeString(n[2]))
				}
				b.send("POST", f[1], form)
				return
			}
		}
	}
	for _, a := range links.FindAllStringSubmatch(b.page, -1) {
		if strings.Contains(text(a[2]), label) {
			b.send("GET", html.UnescapeString(a[1]), nil)
			return
		}
	}
	b.t.Fatalf("nothing to press says %q:\n%s", label, b.page)
}

func (b *tablet) says(what ...string) {
	b.t.Helper()
	for _, w := range what {
		if !strings.Contains(text(b.page), w) {
			b.t.Errorf("the page does not say %q:\n%s", w, b.page)
		}
	}
}

func (b *tablet) silent(what ...string) {
	b.t.Helper()
	for _, w := range what {
		if strings.Contains(b.page, w) {
			b.t.Errorf("the page says %q:\n%s", w, b.page)
		}
	}
}

func (b *tablet) did(want any) {
	b.t.Helper()
	if len(b.room.did) != 1 || !reflect.DeepEqual(b.room.did[0], want) {
		b.t.Errorf("did %+v, want %+v", b.room.did, want)
	}
	b.room.did = nil
}

func (b *tablet) within(taps int) {
	b.t.Helper()
	if b.taps > taps {
		b.t.Errorf("%d taps, at most %d", b.taps, taps)
	}
}

func step(c isolation.Case, kind string, more ...func(*isolation.Step)) isolation.Step {
	s := isolation.Step{Number: c.Number, Version: c.Version, Kind: kind, By: nurse()}
	for _, f := range more {
		f(&s)
	}
	return s
}

func TestTheLongestWaitStandsFirstWithTheWholeName(t *testing.T) {
	second := here()
	second.Number, second.Name, second.Since = 3, "周明", seven.Add(-time.Minute)
	b := newTablet(t, web.Chinese, with(coming(), second))
	b.home()
	order := []int{strings.Index(b.page, "李一涵"), strings.Index(b.page, "周明")}
	if order[0] < 0 || !slices.IsSorted(order) {
		t.Errorf("names stand at %v", order)
	}
	b.says("等了 4 分", "37.8", "两次都高", "在路上")
	b.silent("13800138000") // phones are for whoever opens the case
}

func TestWhatACheckMeasuredIsNotTheGates(t *testing.T) {
	for inClass, want := range map[bool]string{false: "校门 37.8", true: "检查 37.8"} {
		c := here()
		c.InClass = inClass
		b := newTablet(t, web.Chinese, with(c))
		b.send("GET", "/isolation/case?number="+strconv.Itoa(c.Number), nil)
		b.says(want)
	}
}

func TestReceivingIsOneTap(t *testing.T) {
	b := newTablet(t, web.Chinese, with(coming()))
	b.home()
	b.tap("到了 · 我接收")
	b.did(step(coming(), isolation.StepArrived))
	b.says("已接收")
	b.within(1)
}

func TestFetchingIsOneTap(t *testing.T) {
	b := newTablet(t, web.Chinese, with(coming()))
	b.home()
	b.tap("我去接")
	b.did(step(coming(), isolation.StepEscorted))
	b.within(1)
}

func TestAFalseAlarmIsBackInClassAfterSixTaps(t *testing.T) {
	b := newTablet(t, web.Chinese, with(here()))
	b.room.after = func() { b.room.view.Cases = []isolation.Case{normal()} }
	b.home()
	b.tap("量腋温")
	b.silent(`name="value" value=`, "checked")
	b.tap("登记腋温", "value", "365")
	b.did(step(here(), isolation.StepMeasured, func(s *isolation.Step) { s.Value, s.Instrument = 36_500, "axilla" }))
	b.says("36.5", "正常")
	b.tap("正常 · 回班")
	b.did(step(normal(), isolation.StepBack))
	b.says("可以回班")
	b.within(6)
}

func TestNobodyWithAFeverIsOfferedTheWayToClass(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.says("38.4", "发热", "送医", "家长接走")
	b.silent("回班")
}

func TestPhonesAreShownUntilTheOutcomeOfTheCallIsPressed(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.room.after = func() {
		c := fever()
		c.Version, c.Guardians[1].Call = 4, "no-answer"
		b.room.view.Cases = []isolation.Case{c}
	}
	b.send("GET", "/isolation/case?number=12", nil)
	b.says("李明", "13800138000", "王芳", "13900139111")
	b.send("POST", "/isolation/step", url.Values{"number": {"12"}, "version": {"3"}, "kind": {"called"}, "guardian": {"2"}, "call": {"no-answer"}})
	b.did(step(fever(), isolation.StepCalled, func(s *isolation.Step) { s.Guardian, s.Call = 2, "no-answer" }))
	b.silent("13800138000", "13900139111")
	b.says("未接")
	b.tap("再看电话")
	b.says("13800138000", "13900139111", "接通")
}

func TestAParentTakesAChildHomeWithTheLastFourDigits(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("家长接走")
	b.silent("13800138000", "13900139111") // whoever stands there could read them
	b.tap("母亲", "digits", "9111")
	b.did(step(fever(), isolation.StepHome, func(s *isolation.Step) { s.Relation, s.Digits = "mother", "9111" }))
	b.says("30 分钟内可出校门")
	b.within(6)
}

func TestWithoutTheDigitsALeaderVouches(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("家长接走")
	b.room.err = isolation.ErrDigits
	b.tap("父亲", "digits", "1234")
	b.says("名册上没有这个号码")
	b.room.err, b.room.did = nil, nil
	b.tap("说不出 · 找领导")
	b.tap("王建国")
	b.says("王建国")
	b.tap("祖辈", "pin", "274916")
	b.did(step(fever(), isolation.StepHome, func(s *isolation.Step) { s.Relation, s.Leader, s.PIN = "grandparent", 1, "274916" }))
	if b.silent("274916"); strings.Contains(b.log.String(), "274916") {
		t.Error("the PIN is in the log")
	}
}

func TestToHospitalIsPressedTwice(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("送医")
	if len(b.room.did) != 0 {
		t.Errorf("did %+v", b.room.did)
	}
	b.says("确定?")
	b.tap("送医")
	b.did(step(fever(), isolation.StepHospital))
	b.says("已送医")
}

func TestAParentAtTheGateTakesTheChildFromTheDesk(t *testing.T) {
	b := newTablet(t, web.Chinese, with())
	b.duty(web.DutyDesk)
	b.send("POST", "/desk/home", url.Values{"arrival": {"3-9"}, "version": {"2"}})
	b.says("李一涵", "电话后 4 位")
	b.tap("母亲", "digits", "9111")
	b.did(handing{"3-9", isolation.HandOver{Relation: "mother", Digits: "9111"}, b.who})
	if b.at != "/desk/?said=case-home" {
		t.Errorf("led to %s", b.at)
	}
	b.send("POST", "/desk/home", url.Values{"arrival": {"3-9"}})
	b.tap("说不出 · 找领导")
	b.tap("王建国")
	b.room.err = web.ErrPIN
	b.tap("父亲", "pin", "1")
	b.says("卡号或密码不对")
	b.did(handing{"3-9", isolation.HandOver{Relation: "father", Leader: 1, PIN: "1"}, b.who})
	b.send("POST", "/desk/home", url.Values{"arrival": {"3-8"}})
	if b.at != "/desk/?said=stale" {
		t.Errorf("who left meanwhile: led to %s", b.at)
	}
}

func TestNotThisPersonNeedsAReason(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("不是本人")
	if len(b.room.did) != 0 {
		t.Errorf("did %+v", b.room.did)
	}
	b.tap("拿错了卡")
	b.did(step(fever(), isolation.StepNotThis, func(s *isolation.Step) { s.Reason = "wrong-badge" }))
	b.within(2)
}

func TestACaseIsOpenedInFourTaps(t *testing.T) {
	b := newTablet(t, web.Chinese, with())
	b.home()
	b.says("隔离室没有人")
	b.tap("开个案")
	b.tap("2班")
	b.tap("周明")
	b.room.view.Cases = []isolation.Case{here()}
	b.tap("呕吐")
	b.did(isolation.Opening{Subject: 9, Found: []string{"vomiting"}, By: nurse()})
	b.within(4)
	if b.at != "/isolation/case?number=12" {
		t.Errorf("led to %s", b.at)
	}
}

func TestWhatStandsOnPaperIsTypedWithItsTime(t *testing.T) {
	b := newTablet(t, web.Chinese, with())
	b.home()
	b.tap("补录")
	b.tap("1班")
	b.tap("李一涵")
	b.silent(`name="time" value=`, `name="value" value=`)
	b.tap("补录", "time", "2560", "value", "379")
	b.says("时间请输 4 位数")
	b.room.view.Cases = []isolation.Case{fever()}
	b.tap("补录", "time", "0721", "value", "379")
	b.did(isolation.Paper{Subject: 7, Hour: 7, Minute: 21, Value: 37_900, By: nurse()})
	b.says("已补录")
}

func TestWhoIsUnknownIsAskedFor(t *testing.T) {
	c := here()
	c.Name, c.Class, c.Guardians, c.Next = "", "", nil, "identified"
	b := newTablet(t, web.Chinese, with(c))
	b.home()
	b.says("不认识的人")
	b.tap("不认识的人")
	b.silent("家长接走")
	b.tap("这是谁?")
	b.tap("2班")
	b.tap("周明")
	b.did(step(c, isolation.StepIdentified, func(s *isolation.Step) { s.Subject = 9 }))
	b.within(4)
}

func TestAlarmsStandOnTopAndAreAnsweredByOneTap(t *testing.T) {
	b := newTablet(t, web.Chinese, with(coming()))
	b.room.view.Alarms = []isolation.Alarm{{Arrival: "3-9", Name: "李一涵", Class: "1班", Since: seven.Add(-2 * time.Minute)}}
	b.home()
	if strings.Index(b.page, `id="alarms"`) > strings.Index(b.page, `id="cases"`) {
		t.Error("alarms stand below the cases")
	}
	b.says("未应答 1", "尚未记录")
	b.tap("静音 2 分钟")
	b.did(nurse())
	b.room.view.Muted = true
	b.home()
	b.says("已静音")
	b.tap("知道了")
	b.did("3-9")
}

func TestWhatTheGateRefusesIsSaid(t *testing.T) {
	for err, want := range map[error]string{
		isolation.ErrStale: "画面已变", isolation.ErrNotAllowed: "不可以这样处理", isolation.ErrOpen: "个案未结", isolation.ErrNotStored: "没有成功",
		isolation.ErrTime: "还没到", isolation.ErrClock: "时间未确认", web.ErrPIN: "卡号或密码不对", web.ErrLocked: "已锁定", context.Canceled: "没有成功",
	} {
		b := newTablet(t, web.Chinese, with(coming()))
		b.room.err = err
		b.home()
		b.tap("到了 · 我接收")
		b.says(want)
		if strings.Contains(b.log.String(), "李一涵") {
			t.Errorf("%v: a name is in the log", err)
		}
	}
}

func TestACaseThatChangedMeanwhileIsSeenAgainFirst(t *testing.T) {
	for _, path := range []string{"/isolation/not-this", "/isolation/home"} {
		b := newTablet(t, web.Chinese, with(fever()))
		b.send("POST", path, url.Values{"number": {"12"}, "version": {"2"}})
		b.says("画面已变")
		if len(b.room.did) != 0 {
			t.Errorf("did %+v", b.room.did)
		}
	}
	b := newTablet(t, web.Chinese, with())
	b.send("GET", "/isolation/case?number=12", nil)
	b.says("画面已变")
}

func TestWhatOurPageCouldNotHaveSentIsRefused(t *testing.T) {
	for _, tt := range [][2]string{
		{"step", "number=12&version=3&kind=opened"}, {"step", "number=12&version=3&kind=home"}, {"step", "version=3&kind=arrived"}, {"step", "number=12&kind=arrived"},
		{"step", "number=12&version=3&kind=arrived&kind=hospital"}, {"step", "number=12&version=3&kind=called&call=reached&guardian=3"},
		{"step", "number=12&version=3&kind=called&call=shouted&guardian=1"}, {"step", "number=-1&version=3&kind=arrived"}, {"step", "number=99999&version=3&kind=arrived"},
		{"not-this", "number=12&version=3&reason=none"}, {"home", "number=12&version=3&relation=neighbour&digits=1234"}, {"home", "number=12&version=3&leader=0"},
		{"home", "number=12&version=3&relation=mother&leader=1&pin=" + strings.Repeat("1", 33)}, {"who", "number=12&version=3&subject=x"}, {"who", "subject=9"},
		{"open", "subject=9&symptom=laziness"}, {"open", "class=" + strings.Repeat("a", 201)}, {"open", "subject=0"}, {"paper", "subject=-1"},
	} {
		b := newTablet(t, web.Chinese, with(fever()))
		form, err := url.ParseQuery(tt[1])
		if err != nil {
			t.Fatal(err)
		}
		if w := b.send("POST", "/isolation/"+tt[0], form); w.Code != http.StatusBadRequest || len(b.room.did) != 0 {
			t.Errorf("%s %s: %d, did %+v", tt[0], tt[1], w.Code, b.room.did)
		}
	}
}

func TestSlipsAreSaidAndTakeNothing(t *testing.T) {
	for _, tt := range []struct{ path, form, want string }{
		{"step", "kind=measured&value=36", "体温请输 3 位数"}, {"step", "kind=measured&value=36.55", "体温请输 3 位数"}, {"step", "kind=measured&value=265", "体温须在"},
		{"step", "kind=measured&value=%2B36", "体温请输 3 位数"}, {"home", "relation=mother&digits=911", "后 4 位"}, {"home", "relation=mother", "后 4 位"},
		{"home", "relation=mother&leader=1", "请再输一次密码"},
	} {
		b := newTablet(t, web.Chinese, with(fever()))
		form, err := url.ParseQuery(tt.form + "&number=12&version=3")
		if err != nil {
			t.Fatal(err)
		}
		b.send("POST", "/isolation/"+tt.path, form)
		b.says(tt.want)
		if len(b.room.did) != 0 {
			t.Errorf("%s: did %+v", tt.form, b.room.did)
		}
	}
}

// keyShown is a key of the words that stands in a text.
var keyShown = regexp.MustCompile(`\b(room|step|call|relation|not-this|desk|symptom|reason|said|page|alarm|return|proof|day|did|mistake)\.[a-z-]+`)

// TestEveryPageSpeaksInWords: a key that has no words would be shown itself.
func TestEveryPageSpeaksInWords(t *testing.T) {
	for _, language := range []web.Language{web.Chinese, web.English} {
		b := newTablet(t, language, with())
		for _, c := range []isolation.Case{coming(), here(), normal(), fever()} {
			for _, call := range []string{"", "reached", "no-answer", "busy"} {
				c.Guardians[0].Call = call
				c.Found = []string{"high-twice", "hard-fever", "red-code", "fever", "cough", "sore-throat", "vomiting", "diarrhoea", "rash", "weakness", "headache", "injury", "other"}
				b.room.view.Cases = []isolation.Case{c}
				for _, to := range []string{"GET /isolation/", "GET /isolation/case?number=12&phones", "POST /isolation/home", "POST /isolation/not-this", "POST /isolation/open", "POST /isolation/paper"} {
					method, path, _ := strings.Cut(to, " ")
					b.send(method, path, url.Values{"number": {"12"}, "version": {"3"}, "subject": {"9"}})
					if key := keyShown.FindString(text(b.page)); key != "" {
						t.Fatalf("%s shows the key %s", path, key)
					}
				}
			}
		}
	}
}

// TestTheStreamEndsWithTheSession: full names are for whoever is signed on.
func TestTheStreamEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTablet(t, web.Chinese, with(coming()))
		r := httptest.NewRequest("GET", "/isolation/events", nil).WithContext(t.Context())
		r.Host, r.RemoteAddr = "localhost", "127.0.0.1:40000"
		r.AddCookie(b.cookie)
		w, done := httptest.NewRecorder(), make(chan struct{})
		go func() { b.handler.ServeHTTP(w, r); close(done) }()
		<-time.After(1500 * time.Millisecond)
		b.send("POST", "/sign-off", nil)
		<-done
		if n := strings.Count(w.Body.String(), "李一涵"); n != 1 {
			t.Errorf("the name was sent %d times:\n%s", n, w.Body)
		}
	})
}
