package guard_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// offers has one offer of number 18, under the number 5.
type offers struct{ taken bool }

func (o *offers) TakeOffer(id uint64) (web.Person, error) {
	if id != 5 || o.taken {
		return web.Person{}, guard.ErrStale
	}
	o.taken = true
	return web.Person{ID: 18, Name: "孙晓娟", Duties: web.DutyGuard}, nil
}

// shelf keeps no paired browser.
type shelf struct{}

func (shelf) Paired(context.Context) ([]web.Paired, error)   { return nil, nil }
func (shelf) KeepPaired(context.Context, []web.Paired) error { return nil }

// outposts is a gate whose pages other machines reach: its own screen, one that
// is paired as a second screen of the guard, and one that is paired as a desk.
type outposts struct {
	rig
	sessions *web.Sessions
	pairing  *web.Pairing
	second   *http.Cookie
	desk     *http.Cookie
}

func newOutposts(t *testing.T) *outposts {
	t.Helper()
	s := &outposts{rig: newRig(t, web.Chinese), sessions: web.NewSessions(staff{})}
	s.pairing = web.NewPairing(t.Context(), shelf{}, time.Now, slog.New(slog.DiscardHandler))
	s.handler = guard.New(guard.Options{Gate: s.gate, Offers: &offers{}, Questions: s.questions, Sessions: s.sessions, Pairing: s.pairing,
		Hosts: []string{"example.com"}, Log: slog.New(slog.DiscardHandler)})
	s.second, s.desk = s.pair(t, web.PlaceGuard), s.pair(t, web.PlaceDesk)
	s.gate.set(func(v *guard.View) {
		v.OnDuty, v.Offer = nil, &guard.Offer{ID: 5, Person: 18, Name: "孙晓娟", Open: 3}
	})
	return s
}

func (s *outposts) pair(t *testing.T, place web.Place) *http.Cookie {
	t.Helper()
	s.pairing.Begin(place)
	code, _, _ := s.pairing.Code()
	w := httptest.NewRecorder()
	if err := s.pairing.Pair(w, httptest.NewRequest("POST", "/pair", nil), code); err != nil {
		t.Fatal(err)
	}
	return w.Result().Cookies()[0]
}

// ask sends a request of the gate's own screen, or of a paired one.
func (s *outposts) ask(method, path string, form url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := atTheGate(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
		if c == s.second || c == s.desk {
			r.RemoteAddr = "192.0.2.9:7"
		}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// signedOn is the cookie of a session of number 17.
func (s *outposts) signedOn(t *testing.T, id uint64) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.sessions.Begin(w, atTheGate("POST", "/", nil), web.Person{ID: id, Duties: web.DutyLeader}, false); err != nil {
		t.Fatal(err)
	}
	return w.Result().Cookies()[0]
}

const offered = `name="offer" value="5"`

func TestAnOfferStandsOnTheGatesOwnScreenOnly(t *testing.T) {
	s := newOutposts(t)
	for rule, tt := range map[string]struct {
		cookies []*http.Cookie
		want    bool
	}{
		"the gate's screen":                   {nil, true},
		"a second screen at the lanes":        {[]*http.Cookie{s.second}, true},
		"a desk":                              {[]*http.Cookie{s.desk}, false},
		"where somebody else is signed on":    {[]*http.Cookie{s.signedOn(t, 17)}, true},
		"where the very person is signed on":  {[]*http.Cookie{s.signedOn(t, 18)}, false},
		"a desk where somebody is signed on":  {[]*http.Cookie{s.desk, s.signedOn(t, 17)}, false},
		"a forged pairing is the gate's name": {[]*http.Cookie{{Name: s.desk.Name, Value: "x"}}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			body := s.ask("GET", "/guard/", nil, tt.cookies...).Body.String()
			if got := strings.Contains(body, offered); got != tt.want {
				t.Errorf("offered: %v, want %v", got, tt.want)
			}
			if strings.Contains(body, "孙晓娟") {
				t.Error("the full name is on a screen that faces the public")
			}
		})
	}
}

func TestWhatAnOfferSays(t *testing.T) {
	for rule, tt := range map[string]struct {
		offer guard.Offer
		want  []string
		not   []string
	}{
		"nobody on duty": {guard.Offer{}, []string{"孙*娟", `value="join" aria-keyshortcuts="+">上岗`}, []string{"take-over", "交班"}},
		"hand-over": {guard.Offer{Handover: true, Open: 3},
			[]string{"孙*娟", "交班: 待处理 3", `value="take-over" aria-keyshortcuts="+">接班`, `value="join" aria-keyshortcuts="*">一起值班`}, []string{">上岗<"}},
		"no place beside two": {guard.Offer{Handover: true, Full: true}, []string{`value="take-over" aria-keyshortcuts="+">接班`}, []string{"一起值班"}},
	} {
		t.Run(rule, func(t *testing.T) {
			s := newOutposts(t)
			tt.offer.ID, tt.offer.Name = 5, "孙晓娟"
			s.gate.set(func(v *guard.View) { v.Offer = &tt.offer })
			_, form, _ := strings.Cut(s.ask("GET", "/guard/", nil).Body.String(), `action="/guard/sign-on"`)
			form, _, _ = strings.Cut(form, "</form>")
			for _, text := range tt.want {
				if !strings.Contains(form, text) {
					t.Errorf("%q is not in %s", text, form)
				}
			}
			for _, text := range tt.not {
				if strings.Contains(form, text) {
					t.Errorf("%q is in %s", text, form)
				}
			}
		})
	}
}

func TestAPressOnAnOffer(t *testing.T) {
	for rule, tt := range map[string]struct {
		form     string
		place    func(*outposts) []*http.Cookie
		others   int
		status   int
		location string
		on       []uint64
	}{
		"puts on duty":                        {"offer=5&how=join", nil, 0, 303, "/guard/", []uint64{18}},
		"at a second screen at the lanes too": {"offer=5&how=join", func(s *outposts) []*http.Cookie { return []*http.Cookie{s.second} }, 0, 303, "/guard/", []uint64{18}},
		"not at a desk":                       {"offer=5&how=join", func(s *outposts) []*http.Cookie { return []*http.Cookie{s.desk} }, 0, 403, "", nil},
		"beside another":                      {"offer=5&how=join", nil, 1, 303, "/guard/", []uint64{1, 18}},
		"in place of the others":              {"offer=5&how=take-over", nil, 2, 303, "/guard/", []uint64{18}},
		"not beside two":                      {"offer=5&how=join", nil, 2, 303, "/guard/?said=full", []uint64{1, 2}},
		"not another offer":                   {"offer=6&how=join", nil, 0, 303, "/guard/?said=stale", nil},
		"not without saying how":              {"offer=5", nil, 0, 400, "", nil},
		"not without an offer":                {"how=join", nil, 0, 400, "", nil},
	} {
		t.Run(rule, func(t *testing.T) {
			s := newOutposts(t)
			for id := range tt.others {
				s.signedOn(t, uint64(id)+1)
			}
			var cookies []*http.Cookie
			if tt.place != nil {
				cookies = tt.place(s)
			}
			form, _ := url.ParseQuery(tt.form)
			w := s.ask("POST", "/guard/sign-on", form, cookies...)
			if w.Code != tt.status || w.Header().Get("Location") != tt.location {
				t.Errorf("got %d to %q, want %d to %q", w.Code, w.Header().Get("Location"), tt.status, tt.location)
			}
			var on []uint64
			for _, p := range s.sessions.OnDuty() {
				on = append(on, p.ID)
			}
			if len(on) != len(tt.on) || len(on) > 0 && (on[0] != tt.on[0] || on[len(on)-1] != tt.on[len(on)-1]) {
				t.Errorf("on duty %v, want %v", on, tt.on)
			}
		})
	}
}

func TestAnOfferServesOnce(t *testing.T) {
	s := newOutposts(t)
	form := url.Values{"offer": {"5"}, "how": {"join"}}
	s.ask("POST", "/guard/sign-on", form)
	if w := s.ask("POST", "/guard/sign-on", form); w.Header().Get("Location") != "/guard/?said=stale" {
		t.Errorf("a second press leads to %q", w.Header().Get("Location"))
	}
}

func TestACodeStandsOnTheGatesOwnScreenForWhoIsSignedOn(t *testing.T) {
	s := newOutposts(t)
	on := s.signedOn(t, 17)
	if w := s.ask("POST", "/guard/pair", url.Values{"place": {"room"}}, on); w.Code != http.StatusSeeOther {
		t.Fatalf("got %d", w.Code)
	}
	code, place, ok := s.pairing.Code()
	if !ok || place != web.PlaceRoom {
		t.Fatalf("got a code for %v, %v", place, ok)
	}
	for rule, tt := range map[string]struct {
		cookies []*http.Cookie
		want    bool
	}{
		"signed on":                {[]*http.Cookie{on}, true},
		"nobody signed on":         {nil, false},
		"at a desk":                {[]*http.Cookie{s.desk, on}, false},
		"at the second screen too": {[]*http.Cookie{s.second, on}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := strings.Contains(s.ask("GET", "/guard/", nil, tt.cookies...).Body.String(), code); got != tt.want {
				t.Errorf("shown: %v, want %v", got, tt.want)
			}
		})
	}
	for _, place := range []string{"", "any", "gate"} {
		if w := s.ask("POST", "/guard/pair", url.Values{"place": {place}}, on); w.Code != http.StatusBadRequest {
			t.Errorf("a code for %q: got %d", place, w.Code)
		}
	}
}

func TestWithoutOtherMachinesNothingIsPaired(t *testing.T) {
	r := newRig(t, web.Chinese) // without Pairing
	if body := r.get("/guard/", true).Body.String(); strings.Contains(body, "/guard/pair") {
		t.Error("pairing is offered")
	}
	if w := r.post("/guard/pair", "place=desk", true); w.Code != http.StatusBadRequest {
		t.Errorf("got %d", w.Code)
	}
}

func TestAStreamEndsWithItsPairing(t *testing.T) {
	s := newOutposts(t)
	r := httptest.NewRequest("GET", "/guard/events", nil)
	r.AddCookie(s.desk)
	r.RemoteAddr = "192.0.2.9:7"
	ended, w := make(chan struct{}), httptest.NewRecorder()
	go func() { defer close(ended); s.handler.ServeHTTP(w, r) }()
	if _, err := s.pairing.Remove(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	s.gate.ticks <- struct{}{}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the stream goes on")
	}
}

// TestWhatIsOfferedCanBeReadAndTouchedOnEveryScreen writes a picture of each to
// the directory MENSHEN_SCREENSHOTS, if it is set.
func TestWhatIsOfferedCanBeReadAndTouchedOnEveryScreen(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, tt := range map[string]struct {
			offer    *guard.Offer
			signedOn bool
			click    string
			path     string
			state    string // 14-asides unless said
		}{
			"40-offer":     {offer: &guard.Offer{ID: 5, Name: longName}},
			"41-hand-over": {offer: &guard.Offer{ID: 5, Name: longName, Handover: true, Open: 12}, signedOn: true},
			"42-full":      {offer: &guard.Offer{ID: 5, Name: longName, Handover: true, Full: true, Open: 12}, signedOn: true},
			"43-code":      {signedOn: true},
			"44-both":      {offer: &guard.Offer{ID: 5, Name: longName, Handover: true, Open: 12}, signedOn: true},
			"45-menu":      {signedOn: true, state: "29-menu", click: "#menu summary"},
			"46-place":     {signedOn: true, path: "pair"},
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				s := newOutposts(t)
				on := s.signedOn(t, 17)
				if name == "43-code" || name == "44-both" {
					s.pairing.Begin(web.PlaceRoom)
				}
				view := states()[cmp.Or(tt.state, "14-asides")].view
				view.Offer = tt.offer
				s.gate.set(func(v *guard.View) { *v = view })
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.AddCookie(&http.Cookie{Name: "menshen_language", Value: language.Tag()})
					if tt.signedOn {
						r.AddCookie(on)
					}
					s.handler.ServeHTTP(w, r)
				}))
				defer server.Close()
				defer server.CloseClientConnections() // streams have no end of their own
				if err := b.Open(server.URL + "/guard/" + tt.path); err != nil {
					t.Fatal(err)
				}
				if tt.click != "" {
					if _, err := b.Text(fmt.Sprintf("document.querySelector(%q).click(), ''", tt.click)); err != nil {
						t.Fatal(err)
					}
				}
				b.Look(t, name+"."+language.Tag(), alive, []browser.Screen{{800, 480, 154}, {480, 800, 93}, {1280, 800, 0}}...)
			})
		}
	}
}

func FuzzOfferForm(f *testing.F) {
	for _, body := range []string{"", "offer=5&how=join", "offer=5&how=take-over", "offer=5", "offer=-5&how=join", "offer=5&offer=6&how=join&how=x", "%"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		sessions := web.NewSessions(staff{})
		h := guard.New(guard.Options{Gate: &gate{}, Offers: &offers{}, Sessions: sessions, Log: slog.New(slog.DiscardHandler)})
		r := atTheGate("POST", "/guard/sign-on", strings.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		form, err := url.ParseQuery(body)
		meant := err == nil && strings.TrimLeft(form.Get("offer"), "0") == "5" && (form.Get("how") == "join" || form.Get("how") == "take-over")
		if on := len(sessions.OnDuty()) == 1; on != meant {
			t.Errorf("%q: got %d, somebody on duty: %v", body, w.Code, on)
		}
	})
}
