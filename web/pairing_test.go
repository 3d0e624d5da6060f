package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
)

// shelf keeps paired browsers.
type shelf struct {
	list []web.Paired
	full bool
}

func (s *shelf) Paired(context.Context) ([]web.Paired, error) { return slices.Clone(s.list), nil }

func (s *shelf) KeepPaired(_ context.Context, list []web.Paired) error {
	if s.full {
		return errStore
	}
	s.list = slices.Clone(list)
	return nil
}

func (s *shelf) start() *web.Pairing {
	return web.NewPairing(context.Background(), s, time.Now, slog.New(slog.DiscardHandler))
}

// outside returns a request of another machine.
func outside(method, path, address string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.RemoteAddr = address
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// pair types a code at an address and returns the cookie.
func pair(p *web.Pairing, code, address string) (*http.Cookie, error) {
	w := httptest.NewRecorder()
	if err := p.Pair(w, outside("POST", "/pair", address, nil), code); err != nil {
		return nil, err
	}
	return w.Result().Cookies()[0], nil
}

func placeOf(p *web.Pairing, c *http.Cookie) web.Place {
	r := outside("GET", "/", "192.0.2.9:1", nil)
	if c != nil {
		r.AddCookie(c)
	}
	return p.Place(r)
}

func newCode(t *testing.T, p *web.Pairing, place web.Place) string {
	t.Helper()
	p.Begin(place)
	code, shown, ok := p.Code()
	if !ok || shown != place || !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
		t.Fatalf("the gate shows %q for %v, %v", code, shown, ok)
	}
	return code
}

// wrongs are codes that are not the given one.
func wrongs(code string, n int) []string {
	var list []string
	for i := 0; len(list) < n; i++ {
		if s := fmt.Sprintf("%06d", i); s != code {
			list = append(list, s)
		}
	}
	return list
}

func TestACodePairsOneBrowserForItsPlace(t *testing.T) {
	for _, place := range web.Places() {
		t.Run(place.String(), func(t *testing.T) {
			p := (&shelf{}).start()
			code := newCode(t, p, place)
			c, err := pair(p, code[:3]+" "+code[3:], "192.0.2.7:5")
			if err != nil || placeOf(p, c) != place {
				t.Fatalf("paired for %v: %v", placeOf(p, c), err)
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 180*24*3600 {
				t.Errorf("got cookie %v", c)
			}
			if _, _, ok := p.Code(); ok {
				t.Error("the code stands although it was used")
			}
			if _, err := pair(p, code, "192.0.2.8:5"); !errors.Is(err, web.ErrCode) {
				t.Errorf("a second browser used it: %v", err)
			}
		})
	}
}

func TestACodeEnds(t *testing.T) {
	tests := map[string]func(*web.Pairing, string){
		"after five minutes":         func(*web.Pairing, string) { advance(web.CodeLife) },
		"when another one is asked":  func(p *web.Pairing, _ string) { p.Begin(web.PlaceRoom) },
		"with the fifth wrong tries": func(p *web.Pairing, code string) { guess(p, code, 5) },
	}
	for rule, end := range tests {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := (&shelf{}).start()
				code := newCode(t, p, web.PlaceDesk)
				end(p, code)
				again, _, _ := p.Code()
				if again == code {
					return // the one new code in a million that is the old one
				}
				if _, err := pair(p, code, "192.0.2.7:5"); !errors.Is(err, web.ErrCode) {
					t.Errorf("it still pairs: %v", err)
				}
			})
		})
	}
}

// guess types wrong codes, each from another address.
func guess(p *web.Pairing, code string, n int) {
	for i, wrong := range wrongs(code, n) {
		_, _ = pair(p, wrong, fmt.Sprintf("198.51.100.%d:9", i+1))
	}
}

func TestACodeOutlivesFourWrongTriesAndSlips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := (&shelf{}).start()
		code := newCode(t, p, web.PlaceDesk)
		guess(p, code, 4)
		for range 10 {
			if _, err := pair(p, code[:5], "192.0.2.7:5"); !errors.Is(err, web.ErrCode) {
				t.Fatalf("five digits: %v", err)
			}
		}
		advance(web.CodeLife - time.Nanosecond)
		if _, err := pair(p, code, "192.0.2.7:5"); err != nil {
			t.Error(err)
		}
	})
}

func TestOneMachineIsLockedBeforeItCanEndACode(t *testing.T) {
	addresses := map[string][]string{
		"by its address":             {"192.0.2.7:1", "192.0.2.7:2"},
		"by its network in IPv6":     {"[2001:db8::1]:1", "[2001:db8::2]:1"},
		"by a double listener's too": {"192.0.2.7:1", "[::ffff:192.0.2.7]:1"},
		"by its link, of any zone":   {"[fe80::1%eth0]:1", "[fe80::2%eth1]:1"},
		"without an address":         {"@", "pipe"},
	}
	for rule, from := range addresses {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := (&shelf{}).start()
				code := newCode(t, p, web.PlaceDesk)
				for i, wrong := range wrongs(code, 4) {
					if _, err := pair(p, wrong, from[i%2]); !errors.Is(err, web.ErrCode) {
						t.Fatal(err)
					}
				}
				if _, err := pair(p, code, from[0]); !errors.Is(err, web.ErrTries) {
					t.Errorf("the right code is taken from there: %v", err)
				}
				if _, err := pair(p, code, "203.0.113.1:1"); err != nil {
					t.Errorf("it no longer works elsewhere: %v", err)
				}
				advance(5 * time.Minute)
				if _, err := pair(p, newCode(t, p, web.PlaceDesk), from[1]); err != nil {
					t.Errorf("still locked after five minutes: %v", err)
				}
			})
		})
	}
}

func TestAPairedBrowserOutlivesARestartAndEndsAfterHalfAYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		p := s.start()
		c, err := pair(p, newCode(t, p, web.PlaceRoom), "192.0.2.7:5")
		if err != nil {
			t.Fatal(err)
		}
		p = s.start()
		advance(web.PairedLife - time.Nanosecond)
		if placeOf(p, c) != web.PlaceRoom || len(p.List()) != 1 {
			t.Error("it ended early, or with the restart")
		}
		advance(time.Nanosecond)
		if placeOf(p, c) != 0 || len(p.List()) != 0 {
			t.Error("it outlived its time")
		}
	})
}

func TestAForgedPairingIsNone(t *testing.T) {
	p := (&shelf{}).start()
	c, err := pair(p, newCode(t, p, web.PlaceGuard), "192.0.2.7:5")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"", "x", c.Value[1:], c.Value + "AAAA"} {
		if placeOf(p, &http.Cookie{Name: c.Name, Value: value}) != 0 {
			t.Errorf("cookie %q is paired", value)
		}
	}
	if placeOf(p, nil) != 0 {
		t.Error("no cookie is paired")
	}
}

func TestOnePairingIsRemovedByItsNumber(t *testing.T) {
	s := &shelf{}
	p := s.start()
	var cookies []*http.Cookie
	for range 3 {
		c, err := pair(p, newCode(t, p, web.PlaceDesk), "192.0.2.7:5")
		if err != nil {
			t.Fatal(err)
		}
		cookies = append(cookies, c)
	}
	if found, err := p.Remove(t.Context(), 2); !found || err != nil {
		t.Fatal(found, err)
	}
	if found, err := p.Remove(t.Context(), 2); found || err != nil {
		t.Errorf("removed twice: %v, %v", found, err)
	}
	for _, p := range []*web.Pairing{p, s.start()} {
		if placeOf(p, cookies[0]) == 0 || placeOf(p, cookies[1]) != 0 || placeOf(p, cookies[2]) == 0 {
			t.Error("want the second gone and the others as before")
		}
	}
}

func TestNoMoreBrowsersThanBelongToAGate(t *testing.T) {
	s := &shelf{}
	for n := range web.MaxPaired {
		s.list = append(s.list, web.Paired{Number: n + 1, Digest: [32]byte{byte(n)}, Place: web.PlaceDesk, Until: time.Now().Add(time.Hour)})
	}
	p := s.start()
	if _, err := pair(p, newCode(t, p, web.PlaceDesk), "192.0.2.7:5"); !errors.Is(err, web.ErrManyPaired) {
		t.Errorf("got %v", err)
	}
}

func TestABrowserThatCannotBeKeptIsNotPaired(t *testing.T) {
	s := &shelf{full: true}
	p := s.start()
	if c, err := pair(p, newCode(t, p, web.PlaceDesk), "192.0.2.7:5"); !errors.Is(err, errStore) || placeOf(p, c) != 0 {
		t.Errorf("got %v", err)
	}
}

// newOutside is a site that browsers of other machines reach.
func newOutside(s *shelf) (http.Handler, *web.Pairing) {
	site := web.NewSite(web.NewSessions(&staff{}), web.English, slog.New(slog.DiscardHandler))
	site.Pairing = s.start()
	mux := site.NewMux(web.AtGate())
	site.Mount(mux)
	return web.Protect(mux, []string{"example.com"}), site.Pairing
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTheDigitsAreTypedOnAPage(t *testing.T) {
	tests := map[string]struct {
		s      shelf
		typed  func(code string) string
		status int
		says   string
	}{
		"right":          {shelf{}, func(c string) string { return c }, http.StatusSeeOther, ""},
		"wrong":          {shelf{}, func(c string) string { return wrongs(c, 1)[0] }, http.StatusForbidden, "Wrong digits"},
		"none":           {shelf{}, func(string) string { return "" }, http.StatusForbidden, "Wrong digits"},
		"cannot be kept": {shelf{full: true}, func(c string) string { return c }, http.StatusServiceUnavailable, "did not work"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			h, p := newOutside(&tt.s)
			page := answer(h, outside("GET", "/sign-on", "192.0.2.7:5", nil))
			if page.Code != http.StatusUnauthorized || !strings.Contains(page.Body.String(), `action="/pair"`) {
				t.Fatalf("before: got %d, want the page that asks", page.Code)
			}
			code := tt.typed(newCode(t, p, web.PlaceDesk))
			w := answer(h, outside("POST", "/pair", "192.0.2.7:5", url.Values{"code": {code}}))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if got := len(w.Result().Cookies()) == 1; got != (tt.status == http.StatusSeeOther) {
				t.Errorf("a cookie was given: %v", got)
			}
		})
	}
}

func TestWithoutPairingOtherMachinesSeeNothing(t *testing.T) {
	site := web.NewSite(web.NewSessions(&staff{}), web.English, slog.New(slog.NewTextHandler(io.Discard, nil)))
	mux := site.NewMux(web.AtGate())
	site.Mount(mux)
	for _, r := range []*http.Request{
		outside("GET", "/sign-on", "192.0.2.7:5", nil), outside("GET", "/pair", "192.0.2.7:5", nil),
		outside("POST", "/pair", "192.0.2.7:5", url.Values{"code": {"000000"}}),
	} {
		if w := answer(mux, r); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "<input") {
			t.Errorf("%s %s: got %d %s", r.Method, r.URL, w.Code, w.Body)
		}
	}
}

func FuzzPairingCode(f *testing.F) {
	for _, typed := range []string{"", "000000", "000 000", "12345", "1234567", "１２３４５６", "12345\x00", "      ", "-12345"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		p := (&shelf{}).start()
		p.Begin(web.PlaceDesk)
		code, _, _ := p.Code()
		_, err := pair(p, typed, "192.0.2.7:5")
		if right := strings.ReplaceAll(typed, " ", "") == code; right != (err == nil) {
			t.Errorf("%q for %s: %v", typed, code, err)
		}
	})
}
