package gate

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

const (
	guardBadge  = "1000000000000001" // has a PIN
	cookBadge   = "1000000000000002" // service, with the duty of a guard
	nurseBadge  = "1000000000000003"
	pupilBadge  = "1000000000000004"
	pageWithin  = 30 * time.Second
	rosterOfIDs = "学号,姓名,班级,角色,卡号\n" +
		"T1,王建国,,staff," + guardBadge + "\n" +
		"S1,李红,,service," + cookBadge + "\n" +
		"T2,赵敏,,staff," + nurseBadge + "\n" +
		"P1,李一涵,1班,student," + pupilBadge + "\n"
)

// crewed gives a directory a roster with people of every duty.
func crewed(t *testing.T, dir string) {
	t.Helper()
	r, err := roster.Open(t.Context(), dir+"/roster.db", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	list, err := roster.Parse(strings.NewReader(rosterOfIDs))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(t.Context(), list, roster.ImportOpts{By: "test"}); err != nil {
		t.Fatal(err)
	}
	for number, d := range map[string]roster.Duty{"S1": roster.Guard, "T2": roster.Nurse} {
		if err := r.SetDuty(t.Context(), number, d); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SetPIN(t.Context(), "T1", "274916"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// scan shows a badge to a lane and waits until the lane has turned.
func scan(t *testing.T, g *Gate, lane int, badge string) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), pageWithin)
	defer cancel()
	g.lanes[lane].offer(limit, scanned{[]byte(badge)})
	if err := g.lanes[lane].ping(limit); err != nil {
		t.Fatal(err)
	}
}

// browser is one browser at the gate's own screen.
type browser struct {
	t      *testing.T
	g      *Gate
	cookie *http.Cookie
}

func (b *browser) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:40000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	(*b.g.front.Load()).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookie = c
	}
	return w
}

// tap presses a button of the offer that the page shows.
func (b *browser) tap(how string) *httptest.ResponseRecorder {
	b.t.Helper()
	page := b.send("GET", "/guard/", nil).Body.String()
	m := regexp.MustCompile(`name="offer" value="(\d+)"`).FindStringSubmatch(page)
	if m == nil || !strings.Contains(page, `name="how" value="`+how+`"`) {
		b.t.Fatalf("the page does not offer %q:\n%s", how, page)
	}
	return b.send("POST", "/guard/sign-on", url.Values{"offer": {m[1]}, "how": {how}})
}

func (b *browser) offers() bool {
	b.t.Helper()
	return strings.Contains(b.send("GET", "/guard/", nil).Body.String(), `name="offer"`)
}

func numbers(g *Gate) []string {
	var list []string
	for _, p := range g.sessions.OnDuty() {
		who, _ := g.roster.Snapshot().ByID(p.ID)
		list = append(list, who.Number)
	}
	return list
}

// TestAScanAndOnePressPutSomebodyOnDuty plays it in a bubble: with a person in
// each lane a stop takes five seconds.
func TestAScanAndOnePressPutSomebodyOnDuty(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := build(t, dir, stillClock)
		stop := run(t, g)
		own, other := &browser{t: t, g: g}, &browser{t: t, g: g}

		scan(t, g, 0, guardBadge)
		if l := g.View().Lanes[0]; l.Name != "王建国" || l.Phase != "gathering" {
			t.Errorf("the scan is no arrival: %+v", l)
		}
		if w := own.tap("join"); w.Code != http.StatusSeeOther || own.cookie == nil || !slices.Equal(numbers(g), []string{"T1"}) {
			t.Errorf("got %d, on duty %v", w.Code, numbers(g))
		}
		if own.offers() || other.offers() {
			t.Error("an offer that was used is offered again")
		}
		scan(t, g, 1, cookBadge)
		if own.tap("join"); !slices.Equal(numbers(g), []string{"T1", "S1"}) {
			t.Errorf("beside: on duty %v", numbers(g))
		}
		scan(t, g, 0, guardBadge)
		if own.tap("take-over"); !slices.Equal(numbers(g), []string{"T1"}) {
			t.Errorf("taken over: on duty %v", numbers(g))
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// opened is a gate with its stores and pages and with lanes that do not turn.
func opened(t *testing.T, dir string) *Gate {
	t.Helper()
	g, _ := build(t, dir, stillClock)
	open(t, g)
	pages := g.pages()
	g.front.Store(&pages)
	return g
}

// meet lets a lane look a badge up as it does when it is scanned.
func meet(g *Gate, badge string) {
	l := g.lanes[0]
	l.people = g.roster.Snapshot()
	g.offerDuty(l.lookUp([]byte(badge)).Subject.ID)
}

func TestOnlyWhomTheScreenIsForIsOfferedIt(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	g := opened(t, dir)
	defer shut(t, g)
	for rule, tt := range map[string]struct {
		badge string
		want  bool
	}{
		"a PIN alone is enough":  {guardBadge, true},
		"a duty without PIN too": {cookBadge, true},
		"a nurse is not offered": {nurseBadge, false},
		"a pupil is not":         {pupilBadge, false},
		"a stranger is not":      {"9999999999999999", false},
		"an opaque code is not":  {"https://example.org/1", false},
	} {
		t.Run(rule, func(t *testing.T) {
			meet(g, tt.badge)
			v := g.View()
			if got := v.Offer != nil; got != tt.want {
				t.Errorf("offered: %v, want %v", got, tt.want)
			}
			if v.Offer != nil {
				if _, err := g.TakeOffer(v.Offer.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestWhoLosesTheDutyAfterTheScanIsNotSignedOn(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	g := opened(t, dir)
	defer shut(t, g)
	meet(g, cookBadge)
	id := g.View().Offer.ID
	if err := g.roster.SetDuty(t.Context(), "S1", 0); err != nil {
		t.Fatal(err)
	}
	if g.View().Offer != nil {
		t.Error("the offer is still shown")
	}
	if _, err := g.TakeOffer(id); !errors.Is(err, guard.ErrStale) {
		t.Errorf("the offer was taken: %v", err)
	}
}

func TestARestartSignsNobodyOff(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	g, _ := build(t, dir, stillClock)
	stop := run(t, g)
	b := &browser{t: t, g: g}
	if w := b.send("POST", "/sign-on", url.Values{"badge": {guardBadge}, "pin": {"274916"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"/roster.db", "/roster.db-wal"} {
		if kept := contentOf(t, dir+file); bytes.Contains(kept, []byte(b.cookie.Value)) {
			t.Errorf("%s holds the browser's secret", file)
		}
	}
	g, _ = build(t, dir, stillClock)
	stop = run(t, g)
	defer stop()
	b.g = g
	if page := b.send("GET", "/guard/", nil).Body.String(); !strings.Contains(page, "/sign-off") || !slices.Equal(numbers(g), []string{"T1"}) {
		t.Errorf("on duty %v after the restart, page %s", numbers(g), page)
	}
}

func TestOffersTakeTurnsAndEnd(t *testing.T) {
	const second = time.Second
	var o offers
	shows := func(now time.Duration, want uint64) {
		t.Helper()
		x, ok := o.front(now)
		if ok != (want != 0) || ok && x.person != want {
			t.Errorf("after %v: shows %d, %v, want %d", now, x.person, ok, want)
		}
	}
	o.add(1, 0)
	shows(0, 1)
	o.add(2, 3*second)
	shows(9*second, 1)
	shows(10*second, 2)
	first := o.list[0].id
	if person, ok := o.take(first, 11*second); !ok || person != 1 {
		t.Error("a press on its way when the offer gave way is lost")
	}
	if _, ok := o.take(first, 11*second); ok {
		t.Error("an offer was used twice")
	}
	shows(62*second, 2)
	shows(63*second, 0)
	o.add(3, 100*second)
	o.add(3, 120*second)
	shows(179*second, 3) // the second scan counts
	shows(180*second, 0)
	for person := range uint64(20) {
		o.add(person+1, 200*second)
	}
	if len(o.list) != offersMost {
		t.Errorf("%d offers wait", len(o.list))
	}
}

func TestDutiesMeanTheSameToRosterAndPages(t *testing.T) {
	for d := range roster.Duty(16) {
		if got := web.Duty(d).String(); got != d.String() {
			t.Errorf("%s is %s", d, got)
		}
	}
}

// contentOf returns a file, empty when there is none.
func contentOf(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b
}
