package district_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/district"
)

// collector shows one view to whoever has the token "right".
type collector struct {
	view    atomic.Pointer[district.View]
	revoked atomic.Bool
	ticks   chan struct{}
}

func (c *collector) View(context.Context) (district.View, error) {
	if v := c.view.Load(); v != nil {
		return *v, nil
	}
	return district.View{}, errors.New("store is gone")
}
func (c *collector) Watch(context.Context) <-chan struct{} { return c.ticks }
func (c *collector) Stands(_ context.Context, p web.Person) bool {
	return p.ID == 7 && !c.revoked.Load()
}

func (c *collector) CheckPIN(_ context.Context, _, pin string) (web.Person, error) {
	if pin != "right" {
		return web.Person{}, web.ErrPIN
	}
	return web.Person{ID: 7, Name: "office"}, nil
}

func view() *district.View {
	at := time.Date(2020, 12, 7, 7, 12, 0, 0, time.UTC)
	return &district.View{
		Name: "yucai", Title: "育才区", Now: at, Connected: true,
		Gates: []district.Gate{
			{Name: "north", School: "育才小学", Duty: "6123", State: district.Lost, Since: at, Urgent: true, Last: at,
				Documents: district.Documents{Roster: 11, Missing: at, Refused: "roster/north 12 refused: <b>", RefusedAt: at},
				Emergency: district.Emergency{Since: at, Until: at.Add(15 * time.Minute)}},
			{Name: "east", School: "第三中学", State: district.Up, Last: at.AddDate(0, 0, -1), Backlog: 212, BacklogKnown: true, Today: district.Counts{Admit: 1279, Isolate: 3}},
			{Name: "old", State: district.Revoked},
		},
		Alarms:      []district.Alarm{{Gate: "north", School: "育才小学", Duty: "6123", Seq: 41, At: at, Received: at}},
		MoreAlarms:  7,
		Divergences: []district.Divergence{{Gate: "west", Epoch: 2, Noticed: at, Held: 10, Claimed: 12}},
		Refusals:    []district.Refusal{{Gate: "x", Reason: "<script>alert(1)</script>", Received: at}},
		Attempts: []district.Attempt{{Gate: "west", Kind: "speak", Detail: "menshen/v1/<i>/up/hello", Times: 12, Last: at},
			{Kind: "login", Times: 3, Last: at}},
	}
}

type site struct {
	*collector
	http.Handler
	cookie *http.Cookie
}

func newSite(t *testing.T) *site {
	t.Helper()
	c := &collector{ticks: make(chan struct{}, 1)}
	c.view.Store(view())
	return &site{c, district.New(district.Options{Collector: c, Sessions: web.NewSessionsOf(c, 2), Language: web.English,
		Log: slog.New(slog.DiscardHandler)}), nil}
}

func (s *site) get(path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if s.cookie != nil {
		r.AddCookie(s.cookie)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *site) signIn(token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/sign-on", strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if c := w.Result().Cookies(); len(c) > 0 {
		s.cookie = c[0]
	}
	return w
}

func TestNothingIsShownBeforeATokenWasTyped(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]int{"/district/": http.StatusSeeOther, "/district/events": http.StatusUnauthorized} {
		if w := s.get(path); w.Code != want || strings.Contains(w.Body.String(), "育才") {
			t.Errorf("%s: got %d: %s", path, w.Code, w.Body)
		}
	}
	if w := s.signIn("wrong"); w.Code != http.StatusForbidden || s.cookie != nil || !strings.Contains(w.Body.String(), "Not a token") {
		t.Errorf("a wrong token: got %d, cookie %v", w.Code, s.cookie)
	}
	if w := s.signIn("right"); w.Code != http.StatusSeeOther || s.cookie == nil {
		t.Fatalf("the right token: got %d", w.Code)
	}
	if s.cookie.Value == "right" || !s.cookie.HttpOnly {
		t.Errorf("got cookie %v", s.cookie)
	}
	if w := s.get("/district/"); w.Code != http.StatusOK {
		t.Errorf("got %d", w.Code)
	}
}

func TestThePageSaysWhatIsKnown(t *testing.T) {
	s := newSite(t)
	s.signIn("right")
	body := s.get("/district/").Body.String()
	for what, want := range map[string]string{
		"district":                   "<h1>育才区</h1>",
		"gates in session":           "<b>1/2</b>",
		"a lost gate and since when": "Lost in mid-session</b> <small>since 07:12</small>",
		"what to do about it":        `<p class="todo">Call the duty phone · power or network</p>`,
		"who must be seen to":        `<li class="bad">Need attention <b>1</b>`,
		"the roster at a gate":       "<small>roster 11</small>",
		"a list that is not there":   "not the list of 07:12",
		"a document it refused":      `refused at 07:12: <span lang="en">roster/north 12 refused: &lt;b&gt;</span>`,
		"emergency passage":          `<p class="alarm">Emergency passage since 07:12, until 07:27</p>`,
		"that it keeps up to date":   `data-events="/district/events"`,
		"whom to call":               "<td>6123</td>",
		"a day that is not today":    "<time>Sun 6 Dec 07:12</time>",
		"an unknown backlog":         `<td class="n">Unknown</td>`,
		"a known one":                `<td class="n">212</td>`,
		"what came today":            `<td class="n">1279</td>`,
		"an announced alarm":         "<b>育才小学 north</b> · <time>07:12</time> · entry 41 · <time>07:12:00</time> · call 6123",
		"more alarms than are shown": "<li>7 more</li>",
		"a divergence":               "journal 2 · 10 kept here · gate signs 12",
		"a reason that is text":      "&lt;script&gt;alert(1)&lt;/script&gt;",
		"what the broker refused":    "<b>west</b> · Tried to speak on menshen/v1/&lt;i&gt;/up/hello · times: 12",
		"a name that is none":        "<b>no name</b> · Not admitted, or a wrong password · times: 3",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s: %q is not there", what, want)
		}
	}
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "Not connected") {
		t.Error(body)
	}
}

func TestThePageSaysThatNothingArrives(t *testing.T) {
	s := newSite(t)
	s.signIn("right")
	v := *view()
	v.Connected, v.Gates = false, nil
	s.view.Store(&v)
	body := s.get("/district/").Body.String()
	if !strings.Contains(body, "Not connected to the broker") || !strings.Contains(body, "No gate has been admitted") {
		t.Error(body)
	}
	s.view.Store(nil)
	if w := s.get("/district/"); w.Code != http.StatusInternalServerError {
		t.Errorf("without a view: got %d", w.Code)
	}
}

func TestEveryStateHasWordsAndSoHasWhatToDo(t *testing.T) {
	for state := district.Diverged; state <= district.Revoked; state++ {
		if !web.Known("state." + state.String()) {
			t.Errorf("no words for %s", state)
		}
		if state < district.Behind && !web.Known("todo."+state.String()) {
			t.Errorf("no words for what to do about %s", state)
		}
	}
	if !web.Known("todo." + district.Stopped.String()) {
		t.Error("no words for a gate that was not switched on")
	}
}

func TestNothingIsToBeDoneAboutAGateThatIsNotUrgent(t *testing.T) {
	s := newSite(t)
	s.signIn("right")
	v := *view()
	v.Gates = []district.Gate{{Name: "north", School: "育才小学", State: district.Stopped}, {Name: "east", State: district.Closed}}
	s.view.Store(&v)
	body := s.get("/district/").Body.String()
	if !strings.Contains(body, "Switched off") || !strings.Contains(body, "Not a school day") || strings.Contains(body, "▲") ||
		strings.Contains(body, "Off in arrival hours") || !strings.Contains(body, "<li>Need attention <b>0</b>") {
		t.Error(body)
	}
}

func TestAThirdOfTwoIsToldThatThereIsNoPlace(t *testing.T) {
	people := &many{}
	h := district.New(district.Options{Collector: &collector{}, Sessions: web.NewSessionsOf(people, 2), Log: slog.New(slog.DiscardHandler)})
	var codes []int
	for range 3 {
		s := &site{Handler: h}
		codes = append(codes, s.signIn("right").Code)
	}
	if codes[1] != http.StatusSeeOther || codes[2] != http.StatusConflict {
		t.Errorf("got %v", codes)
	}
}

// many is another person each time.
type many struct{ n uint64 }

func (m *many) CheckPIN(context.Context, string, string) (web.Person, error) {
	m.n++
	return web.Person{ID: m.n}, nil
}

// An open page ends with its token, not a session's life later.
func TestAStreamEndsWhenItsTokenIsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.signIn("right")
		ended := make(chan string)
		go func() { ended <- s.get("/district/events").Body.String() }()
		time.Sleep(2500 * time.Millisecond)
		s.revoked.Store(true)
		got := <-ended
		if strings.Count(got, "event: view") != 1 || strings.Count(got, "event: beat") != 2 || !strings.Contains(got, "育才小学") {
			t.Errorf("got %s", got)
		}
		if w := s.get("/district/"); w.Code != http.StatusSeeOther {
			t.Errorf("the page of a revoked token: got %d", w.Code)
		}
	})
}

func TestAChangeReachesAnOpenPageAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.signIn("right")
		ended := make(chan string)
		go func() { ended <- s.get("/district/events").Body.String() }()
		synctest.Wait()
		v := *view()
		v.Title = "新城区"
		s.view.Store(&v)
		s.ticks <- struct{}{}
		synctest.Wait()
		close(s.ticks) // the collector stops
		if got := <-ended; !strings.Contains(got, "新城区") || strings.Contains(got, "event: beat") {
			t.Errorf("got %s", got)
		}
	})
}
