package board_test

import (
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/board"
)

var seven = time.Date(2020, 12, 7, 7, 30, 0, 0, time.UTC)

// room is a board that shows what it was given and remembers what was pressed.
type room struct {
	view board.View
	did  []string
}

func (r *room) View() board.View                      { return r.view }
func (r *room) Watch(context.Context) <-chan struct{} { return nil }

func (r *room) Answer(gate, arrival string, by web.Person) bool {
	r.did = append(r.did, gate+" "+arrival+" "+by.Name)
	return arrival != "9-9"
}

func (r *room) HeardOfLoss(gate string) bool {
	r.did = append(r.did, "lost "+gate)
	return gate == "west"
}

// crowd lets everybody in with the duties that stand in the PIN.
type crowd struct{}

func (crowd) CheckPIN(_ context.Context, badge, pin string) (web.Person, error) {
	d := map[string]web.Duty{"nurse": web.DutyNurse, "guard": web.DutyGuard, "leader": web.DutyLeader}[pin]
	if d == 0 {
		return web.Person{}, web.ErrPIN
	}
	return web.Person{ID: 1, Name: badge, Duties: d}, nil
}

// morning has an alarm of each kind and a gate that is lost.
func morning() *room {
	alarm := func(gate, arrival string, f func(*board.Alarm)) board.Alarm {
		a := board.Alarm{Gate: gate, Arrival: arrival, Number: 12, Name: "李一涵", Class: "三(2)班", Since: seven.Add(-3 * time.Minute), Recorded: true}
		f(&a)
		return a
	}
	return &room{view: board.View{
		School: "实验小学", Name: "room", Now: seven,
		Gates: []board.Gate{{Name: "east", Here: true}, {Name: "west", Lost: true, Since: seven.Add(-18 * time.Minute), Phone: "6123"}},
		Alarms: []board.Alarm{
			alarm("east", "1-1", func(*board.Alarm) {}),
			alarm("west", "1-2", func(a *board.Alarm) { a.Name, a.Recorded = "王小明", false }),
			alarm("east", "1-3", func(a *board.Alarm) { a.Answered, a.Name = true, "赵云飞" }),
			alarm("west", "1-4", func(a *board.Alarm) { a.Missed, a.Number, a.Name, a.Class = true, 0, "", "" }),
		},
	}}
}

// screen is the board's own browser.
type screen struct {
	t       *testing.T
	handler http.Handler
	cookies []*http.Cookie
	from    string
}

func at(t *testing.T, r *room, pin string) *screen {
	t.Helper()
	s := &screen{t: t, from: "127.0.0.1:9", handler: board.New(board.Options{Board: r, Sessions: web.NewSessions(crowd{}), Language: web.Chinese, Log: slog.New(slog.DiscardHandler)})}
	if pin != "" {
		w := s.send("POST", "/sign-on", url.Values{"badge": {"赵敏"}, "pin": {pin}})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("sign on: %d %s", w.Code, w.Body)
		}
		s.cookies = w.Result().Cookies()
	}
	return s
}

func (s *screen) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	over, cancel := context.WithCancel(s.t.Context())
	cancel() // a stream ends with its first event
	r := httptest.NewRequestWithContext(over, method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "localhost", s.from
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// page returns what stands on the page, and on what is kept up to date.
func (s *screen) page() string {
	s.t.Helper()
	whole, live := s.send("GET", "/board/", nil), s.send("GET", "/board/events", nil)
	if whole.Code != http.StatusOK || !strings.Contains(live.Body.String(), "event: view") {
		s.t.Fatalf("got %d and %s", whole.Code, live.Body)
	}
	_, fragment, _ := strings.Cut(whole.Body.String(), `<header id="strip"`)
	for line := range strings.Lines(live.Body.String()) {
		if text, ok := strings.CutPrefix(line, "data: "); ok && !strings.Contains(whole.Body.String(), strings.TrimSuffix(text, "\n")) {
			s.t.Errorf("only what is kept up to date has %q", text)
		}
	}
	return html.UnescapeString(fragment)
}

func TestThePageSaysWhatStandsAndWhatIsLost(t *testing.T) {
	s := at(t, morning(), "nurse")
	page := s.page()
	for _, want := range []string{"未应答 2", "李一涵", "三(2)班", "来自 east", "等了 3 分", "尚未记录", "已应答 · 未送达校门", "赵云飞", "断线时错过 1", "07:27",
		"east 已连接", "与「west」失去联系 自 07:12", "请打 6123"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Count(page, `action="/board/answer"`) != 3 || strings.Count(page, `action="/board/lost"`) != 1 {
		t.Errorf("not what can be answered is offered:\n%s", page)
	}
	calm := at(t, &room{view: board.View{Now: seven, Gates: []board.Gate{{Name: "east"}}}}, "nurse").page()
	if !strings.Contains(calm, "没有未应答的报警") || !strings.Contains(calm, "正在连接 east") || strings.Contains(calm, "错过") || strings.Contains(calm, "灯和蜂鸣器") || strings.Contains(calm, "配置有误") {
		t.Errorf("nothing stands:\n%s", calm)
	}
	ill := at(t, &room{view: board.View{Now: seven, Dark: true, LastGood: true, Gates: []board.Gate{{Name: "west", Lost: true, Heard: true, Since: seven.AddDate(0, 0, -1)}}}}, "nurse").page()
	for _, want := range []string{"灯和蜂鸣器不通", "配置有误", "自 12月6日 周日 07:30", "已知"} {
		if !strings.Contains(ill, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(ill, `action="/board/lost"`) || strings.Contains(ill, "请打") {
		t.Error("a loss that is known is asked about, or a phone stands there that nobody gave")
	}
}

func TestOnlyWhoHasTheRoomSeesNamesAndAnswers(t *testing.T) {
	for pin, may := range map[string]bool{"nurse": true, "leader": true, "guard": false, "": false} {
		r := morning()
		s := at(t, r, pin)
		page := s.page()
		if strings.Contains(page, "李一涵") != may || strings.Contains(page, "李*涵") == may || strings.Contains(page, `action="/board/answer"`) != may {
			t.Errorf("%q sees:\n%s", pin, page)
		}
		s.send("POST", "/board/answer", url.Values{"gate": {"east"}, "arrival": {"1-1"}})
		if got := slices.Equal(r.did, []string{"east 1-1 赵敏"}); got != may {
			t.Errorf("%q did %v", pin, r.did)
		}
	}
}

func TestAPressSaysWhenThereIsNothingLeftToDo(t *testing.T) {
	for rule, c := range map[string]struct {
		path string
		form url.Values
		to   string
	}{
		"an alarm":                  {"/board/answer", url.Values{"gate": {"east"}, "arrival": {"1-1"}}, "/board/"},
		"an alarm that has gone":    {"/board/answer", url.Values{"gate": {"east"}, "arrival": {"9-9"}}, "/board/?said=stale"},
		"no alarm":                  {"/board/answer", url.Values{"gate": {"east"}}, ""},
		"two alarms":                {"/board/answer", url.Values{"gate": {"east"}, "arrival": {"1-1", "1-2"}}, ""},
		"a gate that is lost":       {"/board/lost", url.Values{"gate": {"west"}}, "/board/"},
		"a gate that is back again": {"/board/lost", url.Values{"gate": {"east"}}, "/board/?said=stale"},
	} {
		w := at(t, morning(), "nurse").send("POST", c.path, c.form)
		if w.Header().Get("Location") != c.to || c.to == "" && w.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d, to %q", rule, w.Code, w.Header().Get("Location"))
		}
	}
	s := at(t, morning(), "nurse")
	if page := s.send("GET", "/board/?said=stale", nil).Body.String(); !strings.Contains(page, web.Chinese.Text("said.stale")) {
		t.Error("the page does not say so")
	}
	if page := s.send("GET", "/board/?said=<b>", nil).Body.String(); strings.Contains(page, `id="said"`) {
		t.Error("the page says what stands in the address")
	}
}

// TestALossCanBeSilencedByWhoeverIsThere: who signs on is known by the gate that
// is lost.
func TestALossCanBeSilencedByWhoeverIsThere(t *testing.T) {
	r := morning()
	if w := at(t, r, "").send("POST", "/board/lost", url.Values{"gate": {"west"}}); w.Code != http.StatusSeeOther || !slices.Equal(r.did, []string{"lost west"}) {
		t.Errorf("got %d, did %v", w.Code, r.did)
	}
}

func TestEveryRouteIsForTheBoardsOwnScreen(t *testing.T) {
	for _, right := range web.AtBoard() {
		method, path, _ := strings.Cut(right.Pattern, " ")
		path = strings.TrimSuffix(path, "{$}")
		own := at(t, morning(), "nurse")
		if w := own.send(method, path, nil); w.Code == http.StatusNotFound || w.Code == http.StatusMethodNotAllowed {
			t.Errorf("%s: nobody answers: %d", right.Pattern, w.Code)
		}
		other := at(t, morning(), "nurse")
		other.from = "192.0.2.9:40000"
		w := other.send(method, path, nil)
		if open := right.Places&web.PlaceAny != 0; open != (w.Code == http.StatusOK) || strings.Contains(w.Body.String(), "涵") {
			t.Errorf("%s from another machine: got %d", right.Pattern, w.Code)
		}
	}
}
