package guard_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

var update = flag.Bool("update", false, "write the golden fragments anew")

// gate shows a view and remembers what was pressed.
type gate struct {
	mu    sync.Mutex
	view  guard.View
	acts  []guard.Act
	clock []web.Person // who confirmed it
	err   error
	ticks chan struct{}
	views int
	// changes counts calls of set.
	changes uint64
}

func (g *gate) View() guard.View {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.views++
	return g.view
}

func (g *gate) Watch(context.Context) <-chan struct{} { return g.ticks }

func (g *gate) Changes() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changes
}

func (g *gate) Do(_ context.Context, a guard.Act) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.acts = append(g.acts, a)
	return g.err
}

func (g *gate) ConfirmClock(_ context.Context, by web.Person) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock = append(g.clock, by)
	return g.err
}

func (g *gate) set(change func(*guard.View)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := &g.view // what was handed out stays as it was
	v.Lanes, v.Asides, v.Alarms, v.Questions = slices.Clone(v.Lanes), slices.Clone(v.Asides), slices.Clone(v.Alarms), slices.Clone(v.Questions)
	change(v)
	g.changes++
}

// age changes what the time changes, of which nobody is told.
func (g *gate) age(change func(*guard.View)) {
	g.set(change)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes--
}

// atTheGate returns a request of the gate's own screen.
func atTheGate(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, path, body)
	r.RemoteAddr = "127.0.0.1:40000"
	return r
}

// staff lets everybody in as number 17, a guard.
type staff struct{}

func (staff) CheckPIN(context.Context, string, string) (web.Person, error) {
	return web.Person{ID: 17, Name: "王建国", Duties: web.DutyGuard}, nil
}

// reasons takes every reason.
type reasons struct{}

func (reasons) GiveReason(context.Context, guard.Reason) error { return nil }

// rig is one page with one browser that has signed on.
type rig struct {
	gate      *gate
	questions *questions
	orders    *orders
	handler   http.Handler
	cookie    *http.Cookie
	log       *bytes.Buffer
}

func newRig(t *testing.T, language web.Language) rig {
	t.Helper()
	r := rig{gate: &gate{view: morning(), ticks: make(chan struct{}, 1)}, log: new(bytes.Buffer), questions: &questions{leaders: []guard.Leader{leader}}, orders: &orders{}}
	sessions := web.NewSessions(staff{})
	w := httptest.NewRecorder()
	if err := sessions.SignOn(w, httptest.NewRequest("POST", "/sign-on", nil), "b", "1"); err != nil {
		t.Fatal(err)
	}
	r.cookie = w.Result().Cookies()[0]
	log := slog.New(slog.NewTextHandler(r.log, nil))
	r.handler = guard.New(guard.Options{Gate: r.gate, Questions: r.questions, Orders: r.orders, Reasons: reasons{}, Sessions: sessions, Language: language, Hosts: []string{"example.com"}, Log: log})
	return r
}

func (r rig) get(path string, signedOn bool) *httptest.ResponseRecorder {
	request := atTheGate("GET", path, nil)
	if signedOn {
		request.AddCookie(r.cookie)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	return w
}

func (r rig) press(body string, signedOn bool, header ...string) *httptest.ResponseRecorder {
	return r.post("/guard/act", body, signedOn, header...)
}

func (r rig) post(path, body string, signedOn bool, header ...string) *httptest.ResponseRecorder {
	request := atTheGate("POST", path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	if signedOn {
		request.AddCookie(r.cookie)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	return w
}

// morning has a lane for every verdict.
func morning() guard.View {
	at := time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)
	lane := func(n int, v guard.Verdict, word, phase string) guard.Lane {
		return guard.Lane{Number: n, Direction: "in", Phase: phase, Arrival: "3-12", Version: 4, Verdict: v, Word: word,
			Name: "李一涵", Class: "二年级 3 班", Temperature: "36.6", Limit: "≥ 37.3"}
	}
	idle := guard.Lane{Number: 1, Direction: "out", Phase: "idle"}
	wait := lane(2, guard.Wait, "temperature", "gathering")
	wait.Temperature = ""
	pass := lane(3, guard.Pass, "go-in", "releasing")
	again := lane(4, guard.Again, "wrist", "gathering")
	again.Temperature, again.Try, again.Tries, again.Reasons = "33.9", 2, 3, []string{"too-cold"}
	stop := lane(5, guard.Stop, "step-aside", "held")
	stop.Temperature, stop.Reasons = "37.4", []string{"high-once", "no-green"}
	stop.CanAside, stop.CanTurnAway, stop.CanAcknowledge, stop.CanType = true, true, true, true
	unknown := lane(6, guard.Unknown, "step-aside", "held")
	unknown.Name, unknown.Class, unknown.Reasons = "", "", []string{"no-identity"}
	unknown.CanColour, unknown.CanOverride = true, true
	attended := guard.Lane{Number: 7, Direction: "in", Phase: "attended", Verdict: guard.Attended, Word: "cannot-record",
		Faults: []string{"journal-failed", "barrier-open"}}
	return guard.View{
		Gate: "东门", School: "实验小学", Now: at, ClockTrusted: true, OnDuty: []string{"王建国", "李红"},
		Problems:     []guard.Problem{{Key: "room-silent", Args: []any{"6123"}}, {Key: "offline", Args: []any{37}}},
		Lanes:        []guard.Lane{idle, wait, pass, again, stop, unknown, attended},
		Asides:       []guard.Aside{{Ticket: 3, Arrival: "3-9", Version: 2, Name: "张三丰", Class: "一年级 1 班", Reasons: []string{"high-once"}, Temperature: "37.5", Since: at, CanColour: true, CanType: true, Isolate: true}},
		Alarms:       []guard.Alarm{{Arrival: "3-8", Name: "赵小敏", Class: "五年级 2 班", Since: at}},
		ArrivedToday: 861, RosterSize: 1093, Policy: "≥ 37.3",
	}
}

func fragment(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok1 := strings.Cut(page, `<div id="live" data-events="/guard/events" data-boxes data-block="screen">`)
	live, _, ok2 := strings.Cut(rest, `</div>`+"\n"+`<div id="lost"`)
	if !ok1 || !ok2 {
		t.Fatalf("no fragment in %s", page)
	}
	return live
}

func TestFragmentOfEveryVerdict(t *testing.T) {
	tests := map[string]struct {
		language web.Language
		signedOn bool
	}{
		"signed-on.zh-CN": {web.Chinese, true}, "signed-on.en": {web.English, true},
		"masked.zh-CN": {web.Chinese, false}, "masked.en": {web.English, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := fragment(t, newRig(t, tt.language).get("/guard/", tt.signedOn).Body.String())
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("fragment differs from %s:\n%s", file, got)
			}
		})
	}
}

func TestEveryKeyOnThePageHasWords(t *testing.T) {
	for _, language := range []web.Language{web.Chinese, web.English} {
		page := newRig(t, language).get("/guard/", true).Body.String()
		bare := regexp.MustCompile(`(page|sign|strip|clock|menu|lane|phase|word|reason|fault|problem|act|colour|instrument|override|aside|alarm)\.[a-z]+`)
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
		if found := bare.FindAllString(text, -1); found != nil {
			t.Errorf("%s: keys without words: %q", language, found)
		}
	}
}

func TestEachVerdictHasItsOwnShape(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	shapes := map[string]bool{}
	for _, svg := range regexp.MustCompile(`<svg class="shape".*?</svg>`).FindAllString(page, -1) {
		shapes[svg] = true
	}
	if len(shapes) != 7 {
		t.Errorf("got %d different shapes for 7 verdicts", len(shapes))
	}
}

func TestAnUnknownVerdictIsShownAsALaneOutOfOrder(t *testing.T) {
	if got := guard.Verdict(99).String(); got != "attended" {
		t.Errorf("got %q", got)
	}
}

func TestALaneReadsColourShapeWordNumberPerson(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	_, lane, _ := strings.Cut(page, `<section class="lane stop"`)
	last := -1
	_, lane, _ = strings.Cut(lane, "<h2") // what a screen reader says of it comes first
	for _, part := range []string{`class="shape"`, "请到旁边", "37.4", "二年级 3 班 李*涵"} {
		at := strings.Index(lane, part)
		if at <= last {
			t.Errorf("%q is missing or out of order", part)
		}
		last = at
	}
}

func TestALimitStandsBesideAHighTemperatureOnly(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	if !strings.Contains(page, `<b>37.4</b> <span class="limit">≥ 37.3</span>`) || strings.Contains(page, `<b>36.6</b> <span`) {
		t.Error("want 37.4 ≥ 37.3, and 36.6 alone")
	}
}

func TestWithoutASessionNoNameNoEvidenceAndNoButton(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", false).Body.String()
	for _, hidden := range []string{"李一涵", "张三丰", "赵小敏", "王建国", "37.4", "36.6", "37.5", "复测", "没有绿码", "3-12", "3-9", "/guard/act", "/sign-off"} {
		if strings.Contains(page, hidden) {
			t.Errorf("the page shows %q", hidden)
		}
	}
	for _, shown := range []string{"请到旁边", "李*涵", "张*丰", "请刷本人卡上岗", "不能记录", `href="/sign-on"`} {
		if !strings.Contains(page, shown) {
			t.Errorf("the page does not show %q", shown)
		}
	}
}

func TestWithASessionAsidesAreNamedInFullAndLanesStayMasked(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	if !strings.Contains(page, "张三丰") || strings.Contains(page, "李一涵") || !strings.Contains(page, "李*涵") {
		t.Error("want the desk to read the full name and the public the masked one")
	}
}

func TestNoDecisionHasTheFocusAndNothingIsPrefilled(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	for _, never := range []string{"autofocus", "checked", "selected", `name="value" value`} {
		if strings.Contains(strings.ReplaceAll(page, "identity-checked", ""), never) {
			t.Errorf("the page holds %q", never)
		}
	}
}

func TestHostileNamesStayText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'>`
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) {
		v.School, v.Gate, v.OnDuty = evil, evil, []string{evil}
		v.Lanes[4].Class, v.Asides[0].Name, v.Alarms[0].Name, v.Lanes[4].Arrival = evil, evil, evil, evil
		v.Lanes[4].Word, v.Lanes[4].Reasons, v.Problems[0].Args = evil, []string{evil}, []any{evil}
	})
	page := r.get("/guard/?said="+url.QueryEscape(evil), true).Body.String()
	if strings.Contains(page, "<script>") || strings.Contains(page, `"'>`) {
		t.Errorf("not escaped: %s", page)
	}
}

func TestAnActReachesTheGateWithTheNameOfWhoPressed(t *testing.T) {
	r := newRig(t, web.Chinese)
	w := r.press("arrival=3-12&version=4&kind=type&value=369&instrument=ear", true)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/guard/" {
		t.Errorf("got %d to %q, want 303 to /guard/", w.Code, w.Header().Get("Location"))
	}
	want := guard.Act{Arrival: "3-12", Version: 4, Kind: guard.KindType, Value: 36_900, Instrument: "ear", By: web.Person{ID: 17, Name: "王建国", Duties: web.DutyGuard}}
	if len(r.gate.acts) != 1 || r.gate.acts[0] != want {
		t.Errorf("got %v, want %v", r.gate.acts, want)
	}
}

func TestAnActIsRefusedBeforeItReachesTheGate(t *testing.T) {
	const good = "arrival=3-12&version=4&kind=aside"
	tests := map[string]struct {
		body     string
		signedOn bool
		header   []string
		want     int
	}{
		"without a session":        {good, false, nil, http.StatusUnauthorized},
		"without an arrival":       {"version=4&kind=aside", true, nil, http.StatusBadRequest},
		"without a version":        {"arrival=3-12&kind=aside", true, nil, http.StatusBadRequest},
		"without a kind":           {"arrival=3-12&version=4", true, nil, http.StatusBadRequest},
		"from another site":        {good, true, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"from another origin":      {good, true, []string{"Origin", "http://evil.example"}, http.StatusForbidden},
		"with too long a body":     {good + "&x=" + strings.Repeat("x", web.MaxBody), true, nil, http.StatusRequestEntityTooLarge},
		"with a broken body":       {good + "&x=%zz", true, nil, http.StatusBadRequest},
		"with JSON instead a form": {`{"arrival":"3-12"}`, true, []string{"Content-Type", "application/json"}, http.StatusBadRequest},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			r := newRig(t, web.Chinese)
			w := r.press(tt.body, tt.signedOn, tt.header...)
			if w.Code != tt.want || len(r.gate.acts) != 0 {
				t.Errorf("got %d and %d acts, want %d and none", w.Code, len(r.gate.acts), tt.want)
			}
			if link := strings.Contains(w.Body.String(), `href="/sign-on"`); link != (tt.want == http.StatusUnauthorized) {
				t.Errorf("link to sign on: %v", link)
			}
		})
	}
}

func TestWhatThePersonIsToldAfterAPress(t *testing.T) {
	const aside = "arrival=3-12&version=4&kind=aside"
	tests := map[string]struct {
		body string
		err  error
		want string
	}{
		"the arrival has changed":    {aside, guard.ErrStale, "画面已变,请再看一次"},
		"the act is not open":        {aside, guard.ErrNotAllowed, "不可以这样处理"},
		"the lane is busy":           {aside, guard.ErrBusy, "正忙"},
		"the PIN is wrong":           {aside, web.ErrPIN, "密码不对"},
		"the PIN is locked":          {aside, web.ErrLocked, "已锁定"},
		"the gate failed":            {aside, errors.New("disk full"), "没有成功"},
		"the temperature is no such": {"arrival=3-12&version=4&kind=type&value=36.95&instrument=ear", nil, "369 就是 36.9"},
		"the temperature is too low": {"arrival=3-12&version=4&kind=type&value=250&instrument=ear", nil, "30.0 到 43.0"},
		"the PIN is missing":         {"arrival=3-12&version=4&kind=override&reason=device-fault", nil, "再输一次密码"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			r := newRig(t, web.Chinese)
			r.gate.err = tt.err
			w := r.press(tt.body, true)
			if w.Code != http.StatusSeeOther {
				t.Fatalf("got %d, want 303", w.Code)
			}
			if page := r.get(w.Header().Get("Location"), true).Body.String(); !strings.Contains(page, tt.want) {
				t.Errorf("%s does not say %q", w.Header().Get("Location"), tt.want)
			}
		})
	}
}

func TestTheTryIsShownWhileAnotherMayFollow(t *testing.T) {
	r := newRig(t, web.Chinese)
	for phase, want := range map[string]bool{"gathering": true, "releasing": false, "held": false} {
		r.gate.set(func(v *guard.View) { v.Lanes[3].Phase = phase })
		if got := strings.Contains(r.get("/guard/", true).Body.String(), "第 2/3 次"); got != want {
			t.Errorf("%s: shown %v, want %v", phase, got, want)
		}
	}
}

func TestEveryAsideCanBeEnded(t *testing.T) {
	for want, isolate := range map[string]bool{"turn-away": false, "acknowledge": true} {
		r := newRig(t, web.Chinese)
		r.gate.set(func(v *guard.View) {
			v.Asides[0].Name, v.Asides[0].CanColour, v.Asides[0].CanType, v.Asides[0].Isolate = "", false, false, isolate
		})
		_, asides, _ := strings.Cut(r.get("/guard/", true).Body.String(), `id="asides"`)
		if strings.Count(asides, `name="kind"`) != 1 || !strings.Contains(asides, `name="kind" value="`+want+`"`) {
			t.Errorf("isolate %v: want the one button %s in %s", isolate, want, asides)
		}
	}
}

func TestAnAlarmIsAnsweredByAPersonOnDuty(t *testing.T) {
	const button = `<input type="hidden" name="arrival" value="3-8"><input type="hidden" name="version" value="0"><button name="kind" value="silence" aria-keyshortcuts=".">隔离室已应答<kbd>.</kbd></button>`
	r := newRig(t, web.Chinese)
	if !strings.Contains(r.get("/guard/", true).Body.String(), button) {
		t.Error("no button for an open alarm")
	}
	if strings.Contains(r.get("/guard/", false).Body.String(), "silence") {
		t.Error("a button without a session")
	}
	r.press("arrival=3-8&version=0&kind=silence", true)
	if len(r.gate.acts) != 1 || r.gate.acts[0].Kind != guard.KindSilence || r.gate.acts[0].By.ID != 17 {
		t.Errorf("got %v, want one silence by 17", r.gate.acts)
	}
	r.gate.set(func(v *guard.View) { v.Alarms[0].Acknowledged = true })
	if strings.Contains(r.get("/guard/", true).Body.String(), "silence") {
		t.Error("a button for an alarm that was answered")
	}
}

func TestTheClockIsAskedAboutOnceSomebodyIsThere(t *testing.T) {
	tests := map[string]struct {
		trusted, signedOn bool
		language          web.Language
		want              string
	}{
		"in Chinese":                {false, true, web.Chinese, "现在是 12月7日 周一 07:18 吗?</p><button>是</button>"},
		"in English":                {false, true, web.English, "Is it Mon 7 Dec 07:18?</p><button>Yes</button>"},
		"nobody is there":           {false, false, web.Chinese, ""},
		"the clock is good already": {true, true, web.Chinese, ""},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			r := newRig(t, tt.language)
			r.gate.set(func(v *guard.View) {
				v.ClockTrusted, v.Problems = tt.trusted, []guard.Problem{{Key: "clock-untrusted"}}
			})
			page := r.get("/guard/", tt.signedOn).Body.String()
			if asked := strings.Contains(page, "/guard/clock"); asked != (tt.want != "") || !strings.Contains(page, tt.want) {
				t.Errorf("asked %v, want %q", asked, tt.want)
			}
			if problem := strings.Contains(page, "请核对"); problem == tt.signedOn {
				t.Errorf("the problem stands there: %v, beside the question", problem)
			}
		})
	}
}

func TestTheClockIsConfirmedAsItStoodOnThePage(t *testing.T) {
	tests := map[string]struct {
		shown    string
		signedOn bool
		header   []string
		status   int
		taken    bool
	}{
		"the minute that is":        {"2020-12-07T07:18", true, nil, http.StatusSeeOther, true},
		"the minute that ended":     {"2020-12-07T07:17", true, nil, http.StatusSeeOther, true},
		"an old page":               {"2020-12-07T07:16", true, nil, http.StatusSeeOther, false},
		"the clock was set back":    {"2020-12-07T07:19", true, nil, http.StatusSeeOther, false},
		"another year":              {"2019-12-07T07:18", true, nil, http.StatusSeeOther, false},
		"no time at all":            {"", true, nil, http.StatusSeeOther, false},
		"nobody signed on":          {"2020-12-07T07:18", false, nil, http.StatusUnauthorized, false},
		"a page of another site":    {"2020-12-07T07:18", true, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden, false},
		"a body beyond every limit": {strings.Repeat("x", web.MaxBody), true, nil, http.StatusRequestEntityTooLarge, false},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			r := newRig(t, web.Chinese)
			w := r.post("/guard/clock", url.Values{"shown": {tt.shown}}.Encode(), tt.signedOn, tt.header...)
			if w.Code != tt.status || len(r.gate.clock) == 1 != tt.taken {
				t.Errorf("got %d, confirmed by %v, want %d, %v", w.Code, r.gate.clock, tt.status, tt.taken)
			}
			if tt.taken && r.gate.clock[0].ID != 17 {
				t.Errorf("confirmed by %v, want 17", r.gate.clock[0])
			}
			if stale := w.Header().Get("Location") == "/guard/?said=stale"; stale != (w.Code == http.StatusSeeOther && !tt.taken) {
				t.Errorf("led to %q", w.Header().Get("Location"))
			}
		})
	}
}

func TestTheLogOfAFailedActNamesTheFaultAndNoPerson(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.err = errors.New("disk full")
	r.press("arrival=3-12&version=4&kind=override&reason=device-fault&pin=98765", true)
	if log := r.log.String(); !strings.Contains(log, "disk full") || strings.Contains(log, "98765") || strings.Contains(log, "王建国") {
		t.Errorf("got %q", log)
	}
}

func TestAnActInALogHidesPINEvidenceAndName(t *testing.T) {
	var log bytes.Buffer
	a := guard.Act{Arrival: "3-12", Kind: guard.KindOverride, PIN: "98765", Value: 39_400, Colour: "red", By: web.Person{ID: 17, Name: "王建国", Duties: web.DutyGuard}}
	slog.New(slog.NewTextHandler(&log, nil)).Info("act", "act", a)
	for _, hidden := range []string{"98765", "39400", "red", "王建国"} {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("%q is in %q", hidden, log.String())
		}
	}
}

func TestOnlyOurOwnAnswersAreShown(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/?said=everybody-go-in", true).Body.String()
	if strings.Contains(page, "everybody") || strings.Contains(page, `id="said"`) {
		t.Error("a word from the address is on the page")
	}
}

func TestTheStripSaysWhatIsMissing(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) { v.RosterSize, v.OnDuty, v.ClockTrusted, v.Attendance = 0, nil, false, true })
	page := r.get("/guard/", true).Body.String()
	for _, want := range []string{"名册 0 人", "无人在岗", "时间未确认", "只点名 · 不测温", "隔离室未应答 · 请打 6123 · 还有 1 条"} {
		if !strings.Contains(page, want) {
			t.Errorf("the strip does not say %q", want)
		}
	}
}

func TestWorkingOfflineIsCalm(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) { v.Problems = v.Problems[1:] })
	if page := r.get("/guard/", true).Body.String(); !strings.Contains(page, `<p class="problem calm">离线可用 · 待传 37</p>`) {
		t.Error("want calm words without a warning mark")
	}
}

func TestRoutes(t *testing.T) {
	tests := map[string]int{
		"/": http.StatusSeeOther, "/assets/screen.css": http.StatusOK, "/guard/": http.StatusOK, "/sign-on": http.StatusOK, "/healthz": http.StatusOK,
		"/assets/guard.js": http.StatusOK, "/assets/guard.css": http.StatusOK, "/assets/base.css": http.StatusOK,
		"/guard/act": http.StatusMethodNotAllowed, "/guard/clock": http.StatusMethodNotAllowed, "/sign-off": http.StatusMethodNotAllowed,
		"/guard/other": http.StatusNotFound, "/assets/": http.StatusNotFound, "/templates/guard.html": http.StatusNotFound,
	}
	r := newRig(t, web.Chinese)
	for path, want := range tests {
		w := r.get(path, false)
		if w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';") {
			t.Errorf("%s: got %d with policy %q, want %d", path, w.Code, w.Header().Get("Content-Security-Policy"), want)
		}
		io.Copy(io.Discard, w.Body)
	}
}

func TestThePageHoldsNothingInline(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	for _, inline := range []string{"<style", " style=", "<script>", " onclick=", " onsubmit="} {
		if strings.Contains(page, inline) {
			t.Errorf("the page holds %q, which its own policy forbids", inline)
		}
	}
}
