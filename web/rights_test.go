package web_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/class"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/district"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
	"github.com/menshen/menshen/web/setup"
)

var update = flag.Bool("update", false, "write docs/rights.md anew")

// table writes rights as Markdown.
func table(rights []web.Right) string {
	var b strings.Builder
	b.WriteString("| route | what it does | browser | signed on |\n|---|---|---|---|\n")
	for _, r := range rights {
		browser := "at the gate, or paired as " + strings.ReplaceAll(r.Places.String(), ",", ", ")
		if r.Places&web.PlaceAny != 0 {
			browser = "any"
		}
		who := map[web.SignOn]string{web.Unattended: "nobody need be", web.Anybody: "anybody"}[r.SignOn]
		if r.SignOn == web.WithDuty {
			who = strings.ReplaceAll(r.Duties.String(), ",", ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Pattern, r.For, browser, who)
	}
	return b.String()
}

func TestTheDocumentListsTheRightsAsTheyAre(t *testing.T) {
	const file = "../docs/rights.md"
	now, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(now)
	for name, rights := range map[string][]web.Right{"gate": web.AtGate(), "board": web.AtBoard(), "district": web.AtDistrict()} {
		head, rest, ok1 := strings.Cut(want, "<!-- "+name+" -->\n")
		_, tail, ok2 := strings.Cut(rest, "<!-- end -->")
		if !ok1 || !ok2 {
			t.Fatalf("%s has no place for the table of the %s", file, name)
		}
		want = head + "<!-- " + name + " -->\n" + table(rights) + "<!-- end -->" + tail
	}
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(now) != want {
		t.Errorf("%s differs from the table: run this test with -update", file)
	}
}

// crowd is a roll in which number 100+n has the duties n, and 1234 is
// everybody's PIN and token.
type crowd struct{ roll }

func (c *crowd) CheckPIN(_ context.Context, _, pin string) (web.Person, error) {
	if pin != "1234" {
		return web.Person{}, web.ErrPIN
	}
	return web.Person{ID: 101, Duties: web.DutyGuard}, nil
}

func (c *crowd) Standing(id uint64) (web.Person, bool) {
	return web.Person{ID: id, Duties: web.Duty(id - 100)}, true
}

// still is a gate and a collector at which nothing happens.
type still struct{}

func (still) View() guard.View                               { return guard.View{} }
func (still) Watch(context.Context) <-chan struct{}          { return nil }
func (still) Changes() uint64                                { return 0 }
func (still) Do(context.Context, guard.Act) error            { return nil }
func (still) ConfirmClock(context.Context, web.Person) error { return nil }
func (still) TakeOffer(uint64) (web.Person, error)           { return web.Person{}, guard.ErrStale }
func (still) Holds() []desk.Hold                             { return nil }
func (still) Hold(context.Context, desk.Placing) error       { return nil }
func (still) Lift(context.Context, desk.Lifting) error       { return nil }
func (still) Visitors() desk.Visitors                        { return desk.Visitors{} }
func (still) Give(context.Context, desk.Giving) error        { return nil }
func (still) TakeBack(context.Context, desk.Return) error    { return nil }
func (still) Count(context.Context, desk.Count) error        { return nil }
func (still) Classes() []string                              { return nil }
func (still) Class(string, string) []desk.Person             { return nil }
func (still) Person(uint64) (desk.Person, bool)              { return desk.Person{}, false }
func (still) Name(context.Context, desk.Naming) error        { return nil }
func (still) Lately(int) []desk.Recent                       { return nil }
func (still) LooksIll(context.Context, desk.Illness) error   { return nil }
func (still) Undos(web.Person) []desk.Undo                   { return nil }
func (still) Undo(context.Context, uint64, web.Person) (bool, error) {
	return false, nil
}
func (still) BindBadge(context.Context, desk.Binding) error       { return nil }
func (stillDistrict) View(context.Context) (district.View, error) { return district.View{}, nil }
func (stillDistrict) Watch(context.Context) <-chan struct{}       { return nil }
func (stillDistrict) Stands(context.Context, web.Person) bool     { return true }

type stillDistrict struct{}

// stillRoom is an isolation room in which nobody is.
type stillRoom struct{}

func (stillRoom) View() isolation.View                                                   { return isolation.View{} }
func (stillRoom) Watch(context.Context) <-chan struct{}                                  { return nil }
func (stillRoom) Answer(context.Context, string, web.Person) error                       { return nil }
func (stillRoom) Mute(context.Context, web.Person) error                                 { return nil }
func (stillRoom) Step(context.Context, isolation.Step) error                             { return nil }
func (stillRoom) Open(context.Context, isolation.Opening) (int, error)                   { return 1, nil }
func (stillRoom) Paper(context.Context, isolation.Paper) (int, error)                    { return 1, nil }
func (stillRoom) Waiting(string) (isolation.Case, bool)                                  { return isolation.Case{}, false }
func (stillRoom) HandOver(context.Context, string, isolation.HandOver, web.Person) error { return nil }
func (stillRoom) People() []isolation.Person                                             { return nil }
func (stillRoom) Leaders() []isolation.Person                                            { return nil }

// stillClass is a school in which nobody owes a check.
type stillClass struct{}

func (stillClass) Today(web.Person) class.Today                          { return class.Today{} }
func (stillClass) Sheet(class.Key, web.Person) (class.Sheet, bool)       { return class.Sheet{}, false }
func (stillClass) Check(context.Context, class.Findings) (int, error)    { return 0, nil }
func (stillClass) TakeBack(context.Context, class.Key, web.Person) error { return nil }

// stillSetup is a new machine on which nothing is found.
type stillSetup struct{}

func (stillSetup) View(context.Context) setup.View                       { return setup.View{} }
func (stillSetup) Scan(context.Context) error                            { return nil }
func (stillSetup) Write(context.Context, int) error                      { return nil }
func (stillSetup) Restore(context.Context) error                         { return nil }
func (stillSetup) Mend(context.Context, string, bool) (string, error)    { return "", nil }
func (stillSetup) Restart() bool                                         { return true }
func (stillSetup) Address() string                                       { return "" }
func (stillSetup) BeginAcceptance(context.Context, string, string) error { return nil }
func (stillSetup) SayAcceptance(context.Context, string, string) error   { return nil }

func (stillSetup) Live(context.Context) (<-chan struct{}, func() []string) {
	return nil, func() []string { return nil }
}

func (stillSetup) Accepting(context.Context) (setup.Acceptance, error) {
	return setup.Acceptance{}, nil
}

// kinds are all that a browser can be paired as.
func kinds() []web.Place { return append(web.Places(), web.PlaceSetup) }

// withRoom puts the pages of classes and of the isolation room before the others.
func withRoom(w *walk, rest http.Handler) http.Handler {
	rest = class.New(class.Options{Checks: stillClass{}, Rest: rest, Sessions: w.sessions, Pairing: w.pairing, Hosts: []string{"example.com"}, Log: slog.New(slog.DiscardHandler)})
	rest = setup.New(setup.Options{Machine: stillSetup{}, Process: stillSetup{}, Acceptor: stillSetup{}, Rest: rest, Sessions: w.sessions, Pairing: w.pairing, Hosts: []string{"example.com"}, Log: slog.New(slog.DiscardHandler)})
	return isolation.New(isolation.Options{Room: stillRoom{}, Cases: stillRoom{}, Desk: stillRoom{}, People: stillRoom{}, Rest: rest, Sessions: w.sessions, Pairing: w.pairing,
		Hosts: []string{"example.com"}, Log: slog.New(slog.DiscardHandler)})
}

// walk is one set of pages and those who come to it.
type walk struct {
	handler  http.Handler
	sessions *web.Sessions
	pairing  *web.Pairing
	browsers map[string]func(*http.Request)
	people   map[string]web.Duty // signed on, with these duties
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	w := &walk{
		sessions: web.NewKeptSessions(t.Context(), &crowd{}, time.Now, log), pairing: (&shelf{}).start(),
		people: map[string]web.Duty{"none": 0, "guard": web.DutyGuard, "desk": web.DutyDesk, "nurse": web.DutyNurse, "leader": web.DutyLeader, "teacher": web.DutyTeacher},
		browsers: map[string]func(*http.Request){
			"at the gate": func(r *http.Request) { r.RemoteAddr = "127.0.0.1:9" },
			"unpaired":    func(*http.Request) {},
		},
	}
	for _, place := range kinds() {
		c, err := pair(w.pairing, newCode(t, w.pairing, place), "192.0.2.7:5")
		if err != nil {
			t.Fatal(err)
		}
		w.browsers[place.String()] = func(r *http.Request) { r.AddCookie(c) }
	}
	return w
}

// send asks for a route as somebody, nobody where duty is nil, and returns what
// came of it. Forms are such that whoever gets in is not refused for another reason.
func (w *walk) send(t *testing.T, right web.Right, browser func(*http.Request), duty *web.Duty) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(right.Pattern, " ")
	form := url.Values{}
	switch right.Pattern {
	case "POST /sign-on":
		form = url.Values{"badge": {"b1"}, "pin": {"1234"}, "take-over": {"yes"}, "token": {"1234"}}
	case "POST /pair":
		form.Set("code", newCode(t, w.pairing, web.PlaceDesk))
	}
	r := outside(method, strings.TrimSuffix(path, "{$}"), "192.0.2.9:7", form)
	over, cancel := context.WithCancel(r.Context())
	cancel() // a stream ends with its first event
	r = r.WithContext(over)
	browser(r)
	if duty != nil {
		signed := httptest.NewRecorder()
		if err := w.sessions.Begin(signed, r, web.Person{ID: 100 + uint64(*duty), Duties: *duty}, true); err != nil {
			t.Fatal(err)
		}
		r.AddCookie(signed.Result().Cookies()[0])
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}

// wanted is what a row answers by: 200 stands for being let in.
func wanted(right web.Right, browser string, duty *web.Duty) int {
	paired, isPaired := web.ParsePlace(browser)
	place := web.PlaceAny | paired
	if browser == "at the gate" {
		place |= web.PlaceGuard | web.PlaceDesk | web.PlaceRoom | web.PlaceClass | web.PlaceSetup
	}
	switch {
	case place&right.Places == 0 && isPaired:
		return http.StatusForbidden
	case place&right.Places == 0:
		return http.StatusUnauthorized
	case right.SignOn == web.Unattended:
		return http.StatusOK
	case duty == nil && strings.HasPrefix(right.Pattern, "GET ") && strings.HasSuffix(right.Pattern, "/{$}"):
		return http.StatusSeeOther
	case duty == nil:
		return http.StatusUnauthorized
	case right.SignOn == web.WithDuty && !duty.Any(right.Duties):
		return http.StatusForbidden
	}
	return http.StatusOK
}

func (w *walk) check(t *testing.T, right web.Right, browser, person string, duty *web.Duty) {
	t.Helper()
	answer, want := w.send(t, right, w.browsers[browser], duty), wanted(right, browser, duty)
	got := answer.Code
	if got == http.StatusBadRequest || got == http.StatusSeeOther && answer.Header().Get("Location") != "/sign-on" {
		got = http.StatusOK // an empty form was looked at, or an act was done
	}
	if got != want {
		t.Errorf("%s, browser %s, signed on %s: got %d, want %d", right.Pattern, browser, person, answer.Code, want)
	}
	for _, p := range w.pairing.List() { // what a walk through /pair has added
		if p.Number > len(kinds()) {
			if _, err := w.pairing.Remove(t.Context(), p.Number); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestEveryRouteLetsInWhomItsRowLetsIn(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	gate := newWalk(t)
	lanes := guard.New(guard.Options{Gate: still{}, Offers: still{}, Metrics: http.HandlerFunc(said), Sessions: gate.sessions, Pairing: gate.pairing,
		Language: web.English, Hosts: []string{"example.com"}, Log: log})
	gate.handler = desk.New(desk.Options{Gate: still{}, Holds: still{}, People: still{}, Lanes: still{}, Undos: still{}, Visits: still{}, Rest: lanes, Sessions: gate.sessions, Pairing: gate.pairing,
		Language: web.English, Hosts: []string{"example.com"}, Log: log})
	gate.handler = withRoom(gate, gate.handler)
	collector := newWalk(t)
	collector.handler = district.New(district.Options{Collector: stillDistrict{}, Sessions: collector.sessions, Language: web.English, Log: log})
	for _, tt := range []struct {
		name   string
		walk   *walk
		rights []web.Right
	}{{"gate", gate, web.AtGate()}, {"collector", collector, web.AtDistrict()}} {
		t.Run(tt.name, func(t *testing.T) {
			seen := map[string]bool{}
			for _, right := range tt.rights {
				if seen[right.Pattern] {
					t.Errorf("%s has two rows", right.Pattern)
				}
				seen[right.Pattern] = true
				for browser := range tt.walk.browsers {
					tt.walk.check(t, right, browser, "nobody", nil)
					for person, duty := range tt.walk.people {
						tt.walk.check(t, right, browser, person, &duty)
					}
				}
			}
		})
	}
}

func TestATabletIsLedToItsPage(t *testing.T) {
	w, log := newWalk(t), slog.New(slog.DiscardHandler)
	lanes := guard.New(guard.Options{Gate: still{}, Metrics: http.HandlerFunc(said), Sessions: w.sessions, Pairing: w.pairing, Hosts: []string{"example.com"}, Log: log})
	w.handler = desk.New(desk.Options{Gate: still{}, Holds: still{}, People: still{}, Lanes: still{}, Undos: still{}, Visits: still{}, Rest: lanes, Sessions: w.sessions, Pairing: w.pairing,
		Hosts: []string{"example.com"}, Log: log})
	w.handler = withRoom(w, w.handler)
	for browser, want := range map[string]string{"desk": "/desk/", "room": "/isolation/", "guard": "/guard/", "class": "/class/", "at the gate": "/guard/"} {
		if got := w.send(t, web.Right{Pattern: "GET /{$}"}, w.browsers[browser], nil).Header().Get("Location"); got != want {
			t.Errorf("%s is led to %q, want %q", browser, got, want)
		}
	}
}

func TestATeachersPhoneShowsNoArrivals(t *testing.T) {
	w := newWalk(t)
	w.handler = guard.New(guard.Options{Gate: still{}, Metrics: http.HandlerFunc(said), Sessions: w.sessions, Pairing: w.pairing, Hosts: []string{"example.com"}, Log: slog.New(slog.DiscardHandler)})
	teacher := web.DutyTeacher
	for _, path := range []string{"GET /guard/{$}", "GET /guard/events"} {
		if got := w.send(t, web.Right{Pattern: path}, w.browsers["class"], &teacher).Code; got != http.StatusForbidden {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestARouteWithoutARowCannotBeRegistered(t *testing.T) {
	site := web.NewSite(web.NewSessions(&staff{}), web.Chinese, slog.New(slog.DiscardHandler))
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "GET /admin") {
			t.Errorf("got %v, want a panic that names the route", p)
		}
	}()
	site.NewMux(web.AtGate()).HandleFunc("GET /admin", func(http.ResponseWriter, *http.Request) {})
}

func TestARowThatSaysNothingLetsNobodyIn(t *testing.T) {
	sessions := web.NewKeptSessions(t.Context(), &crowd{}, time.Now, slog.New(slog.DiscardHandler))
	site := web.NewSite(sessions, web.Chinese, slog.New(slog.DiscardHandler))
	for rule, right := range map[string]web.Right{
		"no browser": {Pattern: "GET /x", SignOn: web.Unattended},
		"no duty":    {Pattern: "GET /x", Places: web.PlaceAny},
	} {
		t.Run(rule, func(t *testing.T) {
			mux := site.NewMux([]web.Right{right})
			mux.HandleFunc("GET /x", func(http.ResponseWriter, *http.Request) { t.Error("somebody got in") })
			r, w := outside("GET", "/x", "127.0.0.1:1", nil), httptest.NewRecorder()
			if err := sessions.Begin(w, r, web.Person{ID: 100 + uint64(web.DutyLeader)}, true); err != nil {
				t.Fatal(err)
			}
			r.AddCookie(w.Result().Cookies()[0])
			if w := answer(mux, r); w.Code != http.StatusForbidden {
				t.Errorf("got %d, want 403", w.Code)
			}
		})
	}
}

func TestDutiesAndPlacesHaveWordsOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for d := range web.Duty(32) {
		seen[d.String()] = true
	}
	if len(seen) != 32 {
		t.Errorf("32 sets of duties have %d words", len(seen))
	}
	for _, place := range kinds() {
		if got, ok := web.ParsePlace(place.String()); !ok || got != place || !web.Known("place."+place.String()) {
			t.Errorf("%v reads as %v, %v", place, got, ok)
		}
	}
	for _, word := range []string{"", "any", "none", "guard,desk"} {
		if place, ok := web.ParsePlace(word); ok {
			t.Errorf("a browser can be paired for %q: %v", word, place)
		}
	}
}

// said answers with nothing.
func said(http.ResponseWriter, *http.Request) {}
