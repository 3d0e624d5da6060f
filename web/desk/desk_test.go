package desk_test

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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// gate shows what it was given and remembers what was pressed.
type gate struct {
	view   guard.View
	holds  []desk.Hold
	people []desk.Person
	lately []desk.Recent
	undos  []desk.Undo
	visits desk.Visitors
	inside bool
	err    error
	did    []any
}

func (g *gate) View() guard.View                      { return g.view }
func (g *gate) Watch(context.Context) <-chan struct{} { return nil }
func (g *gate) Changes() uint64                       { return 0 }
func (g *gate) Holds() []desk.Hold                    { return g.holds }
func (g *gate) Lately(int) []desk.Recent              { return g.lately }
func (g *gate) Undos(web.Person) []desk.Undo          { return g.undos }

func (g *gate) Do(_ context.Context, a guard.Act) error             { return g.take(a) }
func (g *gate) Hold(_ context.Context, p desk.Placing) error        { return g.take(p) }
func (g *gate) Lift(_ context.Context, l desk.Lifting) error        { return g.take(l) }
func (g *gate) BindBadge(_ context.Context, b desk.Binding) error   { return g.take(b) }
func (g *gate) ConfirmClock(_ context.Context, by web.Person) error { return g.take(by) }
func (g *gate) take(what any) error                                 { g.did = append(g.did, what); return g.err }

func (g *gate) Name(_ context.Context, n desk.Naming) error      { return g.take(n) }
func (g *gate) LooksIll(_ context.Context, i desk.Illness) error { return g.take(i) }
func (g *gate) Undo(_ context.Context, id uint64, by web.Person) (bool, error) {
	return g.inside, g.take([]any{id, by})
}

func (g *gate) Classes() (list []string) {
	for _, x := range g.people {
		if !slices.Contains(list, x.Class) {
			list = append(list, x.Class)
		}
	}
	return list
}

// Class takes the first letters of names that the tests use for those it knows.
func (g *gate) Class(class, letters string) (list []desk.Person) {
	known := map[string]string{"李一涵": "lyh", "赵敏": "zm", "周明": "zm", longName: "abdrhmazz"}
	for _, x := range g.people {
		if x.Class == class && strings.HasPrefix(known[x.Name], letters) {
			list = append(list, x)
		}
	}
	return list
}

func (g *gate) Person(id uint64) (desk.Person, bool) {
	i := slices.IndexFunc(g.people, func(x desk.Person) bool { return x.ID == id })
	if i < 0 {
		return desk.Person{}, false
	}
	return g.people[i], true
}

// staff lets everybody in as the clerk.
type staff struct{}

func (staff) CheckPIN(context.Context, string, string) (web.Person, error) { return clerk(), nil }

func clerk() web.Person { return web.Person{ID: 17, Name: "王建国", Duties: web.DutyDesk} }

// tablet is a browser that has signed on; it counts what is pressed.
type tablet struct {
	t       *testing.T
	gate    *gate
	handler http.Handler
	cookie  *http.Cookie
	log     *bytes.Buffer
	page    string
	taps    int

	language web.Language
}

func newTablet(t *testing.T, language web.Language) *tablet {
	t.Helper()
	b := &tablet{t: t, gate: morning(), log: new(bytes.Buffer), language: language}
	b.signOn(staff{}, func(*desk.Options) {})
	return b
}

// signOn gives the tablet a gate at which somebody of the staff has signed on.
func (b *tablet) signOn(who web.Staff, change func(*desk.Options)) {
	b.t.Helper()
	sessions, w := web.NewSessions(who), httptest.NewRecorder()
	if err := sessions.SignOn(w, httptest.NewRequest("POST", "/sign-on", nil), "b", "1"); err != nil {
		b.t.Fatal(err)
	}
	b.cookie = w.Result().Cookies()[0]
	log := slog.New(slog.NewTextHandler(b.log, nil))
	lanes := guard.New(guard.Options{Gate: b.gate, Sessions: sessions, Language: b.language, Log: log})
	o := desk.Options{Gate: b.gate, Holds: b.gate, People: b.gate, Lanes: b.gate, Undos: b.gate, Visits: b.gate, Rest: lanes, Sessions: sessions, Language: b.language, Log: log}
	change(&o)
	b.handler = desk.New(o)
}

// morning has one person of each kind.
func morning() *gate {
	at := time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)
	return &gate{
		view: guard.View{Gate: "东门", School: "实验小学", Now: at, ClockTrusted: true, OnDuty: []string{"王建国"}, Lanes: []guard.Lane{{Number: 1, Direction: "in"}, {Number: 3, Direction: "out"}}, Asides: []guard.Aside{
			{Ticket: 3, Arrival: "3-9", Version: 2, Name: "李一涵", Class: "1班", Reasons: []string{"high-once"}, Temperature: "37.4", Since: at.Add(-4 * time.Minute), CanType: true},
			{Ticket: 2, Arrival: "3-7", Version: 1, Name: "赵敏", Class: "2班", Reasons: []string{"no-green"}, Since: at.Add(-time.Minute), CanColour: true},
			{Ticket: 4, Arrival: "3-8", Version: 5, Name: "周明", Class: "2班", Reasons: []string{"hard-fever"}, Temperature: "38.6", Since: at.Add(-2 * time.Minute), Isolate: true},
		}},
		people: []desk.Person{{ID: 1, Name: "王建国"}, {ID: 9, Name: "赵敏", Class: "2班"}, {ID: 7, Name: "李一涵", Class: "1班"}, {ID: 8, Name: "周明", Class: "2班"}},
		lately: []desk.Recent{
			{Arrival: "3-12", Person: desk.Person{ID: 7, Name: "李一涵", Class: "1班"}, At: at},
			{Arrival: "3-11", Person: desk.Person{ID: 9, Name: "赵敏", Class: "2班"}, At: at.Add(-3 * time.Second)},
			{Arrival: "3-10", Person: desk.Person{ID: 1, Name: "王建国"}, At: at.Add(-5 * time.Second)},
			{Arrival: "3-6", Person: desk.Person{ID: 8, Name: "周明", Class: "2班"}, At: at.Add(-9 * time.Second)},
		},
		holds: []desk.Hold{{Subject: 9, Name: "赵敏", Class: "2班", Reason: "yellow-code", By: "王建国", Since: at, Until: at.Add(time.Hour), Stored: true}},
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
	b.page = w.Body.String()
	if w.Code == http.StatusSeeOther {
		return b.send("GET", w.Header().Get("Location"), nil)
	}
	return w
}

func (b *tablet) home() { b.send("GET", "/desk/", nil) }

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

// tap presses the link or button of the page whose words hold label, having
// typed what typed says.
func (b *tablet) tap(label string, typed ...string) {
	b.t.Helper()
	b.taps++
	for i := 1; i < len(typed); i += 2 {
		b.taps += len(typed[i])
	}
	for _, a := range links.FindAllStringSubmatch(b.page, -1) {
		if strings.Contains(text(a[2]), label) {
			b.send("GET", html.UnescapeString(a[1]), nil)
			return
		}
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
	b.t.Fatalf("nothing to press says %q:\n%s", label, b.page)
}

func (b *tablet) says(what string) {
	b.t.Helper()
	if !strings.Contains(b.page, what) {
		b.t.Errorf("the page does not say %q:\n%s", what, b.page)
	}
}

func (b *tablet) did(want any) {
	b.t.Helper()
	if len(b.gate.did) != 1 || !reflect.DeepEqual(b.gate.did[0], want) {
		b.t.Errorf("did %+v, want %+v", b.gate.did, want)
	}
}

func TestTheLongestWaitStandsFirstWithTheWholeName(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	var order []int
	for _, who := range []string{"李一涵", "周明", "赵敏"} {
		order = append(order, strings.Index(b.page, who))
	}
	if order[0] < 0 || !slices.IsSorted(order) {
		t.Errorf("names stand at %v", order)
	}
	b.says("等了 4 分")
	b.says("37.4")
	b.says("复测")
}

func TestARecheckTakesFiveTaps(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	b.tap("李一涵")
	if strings.Contains(b.page, `name="value" value=`) || strings.Contains(b.page, "checked") {
		t.Error("something is filled in beforehand")
	}
	b.tap("耳温", "value", "369")
	b.did(guard.Act{Arrival: "3-9", Version: 2, Kind: guard.KindType, Value: 36900, Instrument: "ear", By: clerk()})
	b.says("还不能进") // the gate still has the ticket
	if b.taps > 5 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestAHoldTakesFiveTaps(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	for _, label := range []string{"拦人", "2班", "周明", "家中发热", "明天 24:00"} {
		b.tap(label)
	}
	b.did(desk.Placing{Subject: 8, Reason: "fever-at-home", Until: desk.Tomorrow, By: clerk()})
	b.says("各通道立即生效")
	if b.taps > 5 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestStaffAreFoundUnderAClassOfTheirOwn(t *testing.T) {
	b := newTablet(t, web.English)
	b.home()
	for _, label := range []string{"Hold a person", "Staff", "王建国", "Other", "Until lifted"} {
		b.tap(label)
	}
	b.did(desk.Placing{Subject: 1, Reason: "other", Until: desk.Lifted, By: clerk()})
}

func TestNoDateIsOfferedUnderAClockThatNobodyVouchesFor(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.gate.view.ClockTrusted = false
	b.send("POST", "/desk/hold", url.Values{"subject": {"8"}, "reason": {"other"}})
	if b.says("直到解除"); strings.Contains(b.page, "24:00") {
		t.Error("a midnight is offered")
	}
}

func TestTheOtherActsForSomebodySetAside(t *testing.T) {
	for rule, tt := range map[string]struct {
		who, press string
		want       guard.Act
	}{
		"a colour that was seen": {"赵敏", "绿码", guard.Act{Arrival: "3-7", Version: 1, Kind: guard.KindColour, Colour: "green", By: clerk()}},
		"turned away":            {"赵敏", "不让进", guard.Act{Arrival: "3-7", Version: 1, Kind: guard.KindTurnAway, By: clerk()}},
		"in the isolation room":  {"周明", "已到隔离室", guard.Act{Arrival: "3-8", Version: 5, Kind: guard.KindAcknowledge, By: clerk()}},
	} {
		t.Run(rule, func(t *testing.T) {
			b := newTablet(t, web.Chinese)
			b.home()
			b.tap(tt.who)
			b.tap(tt.press)
			b.did(tt.want)
		})
	}
}

func TestALostBadgeIsReplaced(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	for _, label := range []string{"换卡", "1班", "李一涵"} {
		b.tap(label)
	}
	b.tap("换上", "badge", "77")
	if b.says("卡号是 16 位数"); len(b.gate.did) != 0 {
		t.Errorf("did %v", b.gate.did)
	}
	b.gate.err = fmt.Errorf("bind: %w", desk.ErrBadgeUsed)
	b.tap("换上", "badge", "7777777777777777")
	b.says("这张卡用过")
	b.gate.err, b.gate.did = nil, nil
	b.tap("换上", "badge", "7777777777777778")
	b.did(desk.Binding{Subject: 7, Badge: "7777777777777778", By: clerk()})
	b.says("已换卡")
}

func TestAHoldIsLiftedByNameAndPIN(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	b.says("王建国 拦下")
	b.says("到 12月7日 周一 08:17")
	b.tap("解除")
	b.gate.err = web.ErrPIN
	b.tap("解除", "pin", "1")
	b.says("卡号或密码不对")
	b.gate.err, b.gate.did = nil, nil
	b.tap("解除", "pin", "274916")
	b.did(desk.Lifting{Subject: 9, Version: b.gate.holds[0].Since.UnixMilli(), PIN: "274916", By: clerk()})
	b.says("已解除")
	b.gate.holds = nil
	b.send("POST", "/desk/lift", url.Values{"subject": {"9"}, "version": {"5"}, "pin": {"274916"}})
	b.says("画面已变")
}

func TestWhatTheGateDoesNotTakeIsSaid(t *testing.T) {
	for err, want := range map[error]string{
		guard.ErrStale: "画面已变", guard.ErrNotAllowed: "不可以这样处理", guard.ErrBusy: "正忙", desk.ErrHeld: "已在拦下名单",
		desk.ErrClock: "时间未确认", desk.ErrSelf: "请同事来", fmt.Errorf("disk: full"): "没有成功",
	} {
		t.Run(err.Error(), func(t *testing.T) {
			b := newTablet(t, web.Chinese)
			b.gate.err = err
			b.send("POST", "/desk/hold", url.Values{"subject": {"8"}, "reason": {"other"}, "until": {"lifted"}})
			b.says(want)
		})
	}
}

func TestNoNameStandsInTheLogOrAnAddress(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.gate.err = fmt.Errorf("disk: full")
	b.home()
	for _, link := range links.FindAllStringSubmatch(b.page, -1) {
		if where, _ := url.QueryUnescape(link[1]); strings.Contains(where, "李一涵") || strings.Contains(where, "1班") {
			t.Errorf("address %q", where)
		}
	}
	b.tap("李一涵")
	b.tap("耳温", "value", "369")
	for _, secret := range []string{"李一涵", "36900", "369"} {
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("logged %s", b.log)
		}
	}
	if b.log.Len() == 0 {
		t.Error("the fault was not logged")
	}
}

func TestNobodySignedOnSeesNobody(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.cookie = nil
	for _, route := range []string{"GET /desk/", "GET /desk/events", "GET /desk/aside?arrival=3-9", "POST /desk/hold", "POST /desk/badge", "POST /desk/lift", "POST /desk/act", "POST /desk/named", "POST /desk/ill", "POST /desk/undo"} {
		method, path, _ := strings.Cut(route, " ")
		if b.send(method, path, url.Values{"class": {"1班"}, "lane": {"1"}}); strings.Contains(b.page, "李一涵") {
			t.Errorf("%s shows a name", route)
		}
	}
}

func TestEveryWordOfTheDeskStandsInBothLanguages(t *testing.T) {
	for _, language := range []web.Language{web.Chinese, web.English} {
		b := newTablet(t, language)
		b.gate.holds = append(b.gate.holds, desk.Hold{Subject: 3, Reason: "stopped", Stored: true}, desk.Hold{Subject: 4, Reason: "above"})
		seen := ""
		for _, form := range []url.Values{{}, {"class": {"1班"}}, {"subject": {"8"}}, {"subject": {"8"}, "reason": {"other"}}} {
			b.send("POST", "/desk/hold", form)
			seen += text(b.page)
			b.send("POST", "/desk/badge", form)
			seen += text(b.page)
		}
		b.send("POST", "/desk/lift", url.Values{"subject": {"9"}, "version": {fmt.Sprint(b.gate.holds[0].Version())}})
		seen += text(b.page)
		for path, list := range map[string][]url.Values{
			"/desk/named": {{"lane": {"1"}, "class": {"9班"}, "letters": {"q"}}, {"lane": {"1"}, "class": {"1班"}, "letters": {"李"}}},
			"/desk/ill":   {{"lane": {"1"}}, {"lane": {"1"}, "arrival": {"3-11"}}, {"lane": {"1"}, "arrival": {"3-11"}, "then": {"case"}}},
		} {
			for _, form := range list {
				b.send("POST", path, form)
				seen += text(b.page)
			}
		}
		b.gate.undos = undoable()
		b.gate.view.Asides[0].Due, b.gate.view.Asides[1].Due = b.gate.view.Now, b.gate.view.Now.Add(time.Minute)
		b.home()
		seen += text(b.page)
		if key := regexp.MustCompile(`\b(desk|hold|until|said|act|page|aside|reason|symptom|colour)\.[a-z-]+`).FindString(seen); key != "" {
			t.Errorf("%s: the key %q has no words", language, key)
		}
	}
}
