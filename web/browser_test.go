package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
)

// typing serves the pages to type on, to a browser of another machine where
// outside is true.
func typing(t *testing.T, language web.Language, onDuty int, outside bool) string {
	t.Helper()
	sessions := web.NewSessions(&staff{})
	for _, badge := range []string{"b1", "b2"}[:onDuty] {
		signOn(t, sessions, badge)
	}
	site := web.NewSite(sessions, language, slog.New(slog.DiscardHandler))
	site.Pairing = (&shelf{}).start()
	mux := site.NewMux(web.AtGate())
	site.Mount(mux)
	mux.Handle("GET /assets/screen.css", web.Screen(0))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" { // what was typed stands in the address
			r = httptest.NewRequest("POST", r.URL.Path, strings.NewReader(r.URL.RawQuery))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.RemoteAddr = "127.0.0.1:9"
		}
		if outside {
			r.RemoteAddr = "192.0.2.9:7"
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPagesToTypeOnCanBeReadAndTouchedOnEveryScreen writes a picture of each to
// the directory MENSHEN_SCREENSHOTS, if it is set.
func TestPagesToTypeOnCanBeReadAndTouchedOnEveryScreen(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, page := range map[string]struct {
			path    string
			onDuty  int
			outside bool
		}{
			"sign-on":       {path: "/sign-on"},
			"sign-on-full":  {path: "/sign-on", onDuty: 2},
			"sign-on-third": {path: "/sign-on?badge=b3&pin=1234", onDuty: 2},
			"pair":          {path: "/sign-on", outside: true},
			"pair-wrong":    {path: "/pair?code=000000", outside: true},
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				if err := b.Open(typing(t, language, page.onDuty, page.outside) + page.path); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "document.querySelector('.pad button') !== null", []browser.Screen{
					{800, 480, 0}, {800, 480, 154}, {1280, 800, 0}, {1920, 1080, 0}, {480, 800, 0}, {480, 800, 93}, {800, 1280, 0}, {1080, 1920, 0},
				}...)
			})
		}
	}
}

func TestTheDigitsTypeWhereTheCursorWasLast(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Open(typing(t, web.Chinese, 0, false) + "/sign-on"); err != nil {
		t.Fatal(err)
	}
	if err := b.Await("document.querySelector('.pad button') !== null"); err != nil {
		t.Fatal(err)
	}
	got, err := b.Text(`(() => {
		const press = (keys) => { for (const k of keys) [...document.querySelectorAll('.pad button')].find((b) => b.textContent === k).click(); };
		const field = (name) => document.querySelector('[name=' + name + ']');
		press('107⌫');
		field('pin').focus();
		press('2749160⌫');
		return field('badge').value + ' ' + field('pin').value;
	})()`)
	if err != nil || got != "10 274916" {
		t.Errorf("typed %q, %v", got, err)
	}
}
