package web_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
)

func newSite(log io.Writer) (http.Handler, *web.Sessions) {
	sessions := web.NewSessions(&staff{})
	site := web.NewSite(sessions, web.Chinese, slog.New(slog.NewTextHandler(log, nil)))
	mux := site.NewMux(web.AtGate())
	site.Mount(mux)
	return web.Protect(mux, []string{"example.com"}), sessions
}

func post(h http.Handler, path string, form url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.RemoteAddr = "127.0.0.1:40000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	h, _ := newSite(io.Discard)
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	for _, path := range []string{"/sign-on", "/healthz", "/assets/base.css", "/not-there"} {
		header := get(h, path).Header()
		if got := header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s: policy %q", path, got)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: header %v", path, header)
		}
		// "no-referrer" would turn the origin of our own forms into "null".
		if got := header.Get("Referrer-Policy"); got != "same-origin" {
			t.Errorf("%s: referrer policy %q", path, got)
		}
	}
}

func TestAnotherSitesPagesCannotPost(t *testing.T) {
	good := url.Values{"badge": {"b1"}, "pin": {"1234"}}
	tests := map[string]struct {
		key, value string
		want       int
	}{
		"the browser says cross-site":        {"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		"the origin is another host":         {"Origin", "https://evil.example", http.StatusForbidden},
		"an opaque origin":                   {"Origin", "null", http.StatusForbidden},
		"our own page over plain HTTP":       {"Origin", "http://example.com", http.StatusSeeOther},
		"our own page, as the browser tells": {"Sec-Fetch-Site", "same-origin", http.StatusSeeOther},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			h, sessions := newSite(io.Discard)
			w := post(h, "/sign-on", good, func(r *http.Request) { r.Header.Set(tt.key, tt.value) })
			if w.Code != tt.want {
				t.Errorf("got %d, want %d", w.Code, tt.want)
			}
			if on := len(sessions.OnDuty()) == 1; on != (tt.want == http.StatusSeeOther) {
				t.Errorf("somebody on duty: %v", on)
			}
		})
	}
}

func TestABodyBeyondTheLimitIsRefused(t *testing.T) {
	h, _ := newSite(io.Discard)
	if w := post(h, "/sign-on", url.Values{"badge": {strings.Repeat("x", web.MaxBody)}}); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, want 413", w.Code)
	}
}

func TestSignOnSaysWhyItWasRefused(t *testing.T) {
	tests := map[string]struct {
		badge, pin string
		status     int
		said       string
	}{
		"wrong PIN":            {"b1", "9", http.StatusForbidden, "卡号或密码不对"},
		"unknown badge, alike": {"b9", "1234", http.StatusForbidden, "卡号或密码不对"},
		"locked out":           {"locked", "1234", http.StatusTooManyRequests, "已锁定"},
		"staff cannot be read": {"broken", "1234", http.StatusServiceUnavailable, "没有成功"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			h, sessions := newSite(io.Discard)
			signOn(t, sessions, "b1")
			signOn(t, sessions, "b2")
			w := post(h, "/sign-on", url.Values{"badge": {tt.badge}, "pin": {tt.pin}})
			body := w.Body.String()
			if w.Code != tt.status || !strings.Contains(body, tt.said) {
				t.Errorf("got %d %s, want %d with %q", w.Code, body, tt.status, tt.said)
			}
			if len(w.Result().Cookies()) != 0 {
				t.Error("a refused sign-on set a cookie")
			}
			if strings.Contains(body, tt.badge+`"`) {
				t.Error("the page shows the badge number")
			}
		})
	}
}

func TestAThirdPersonIsToldWhyAndNeedNotScanTheBadgeAgain(t *testing.T) {
	h, sessions := newSite(io.Discard)
	signOn(t, sessions, "b1")
	if strings.Contains(get(h, "/sign-on").Body.String(), "take-over") {
		t.Error("taking over is offered although there is a place")
	}
	signOn(t, sessions, "b2")
	if !strings.Contains(get(h, "/sign-on").Body.String(), `name="take-over" value="yes"`) {
		t.Error("taking over is not offered to the third")
	}
	w := post(h, "/sign-on", url.Values{"badge": {"b3"}, "pin": {"1234"}})
	body := w.Body.String()
	if w.Code != http.StatusConflict || !strings.Contains(body, "已有两人在岗") || len(w.Result().Cookies()) != 0 {
		t.Errorf("got %d %s, want 409 with the reason and no cookie", w.Code, body)
	}
	if !strings.Contains(body, `name="badge" value="b3"`) || strings.Contains(body, "1234") || strings.Contains(body, "checked") {
		t.Errorf("want the badge kept, the PIN gone and nothing ticked: %s", body)
	}
	if len(sessions.OnDuty()) != 2 {
		t.Errorf("got %v on duty, want both as before", sessions.OnDuty())
	}
}

func TestAThirdPersonTakesOverByTheBoxOnly(t *testing.T) {
	tests := map[string]struct {
		box, pin string
		want     []uint64
	}{
		"ticked":                       {"yes", "1234", []uint64{3}},
		"not ticked":                   {"", "1234", []uint64{1, 2}},
		"ticked, but the PIN is wrong": {"yes", "9", []uint64{1, 2}},
		"another value is not the box": {"on", "1234", []uint64{1, 2}},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			h, sessions := newSite(io.Discard)
			signOn(t, sessions, "b1")
			signOn(t, sessions, "b2")
			post(h, "/sign-on", url.Values{"badge": {"b3"}, "pin": {tt.pin}, "take-over": {tt.box}})
			var got []uint64
			for _, p := range sessions.OnDuty() {
				got = append(got, p.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v on duty, want %v", got, tt.want)
			}
		})
	}
}

func TestNoBadgePINOrNameReachesTheLog(t *testing.T) {
	var log bytes.Buffer
	h, _ := newSite(&log)
	for _, badge := range []string{"b1", "b9", "locked", "broken"} {
		post(h, "/sign-on", url.Values{"badge": {badge}, "pin": {"1234"}})
	}
	if got := log.String(); !strings.Contains(got, errStore.Error()) {
		t.Errorf("the store's fault is not in the log: %q", got)
	}
	for _, secret := range []string{"b9", "1234", "王建国", "locked"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func TestABrowserKeepsTheLanguageItChose(t *testing.T) {
	h, _ := newSite(io.Discard)
	if body := get(h, "/sign-on").Body.String(); !strings.Contains(body, `lang="zh-CN"`) || !strings.Contains(body, "卡号和密码上岗") {
		t.Error("the gate's language is not spoken before a choice")
	}
	w := post(h, "/language", url.Values{"language": {"en"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("got %d", w.Code)
	}
	body := get(h, "/sign-on", w.Result().Cookies()...).Body.String()
	if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "Sign on by badge and PIN") {
		t.Errorf("the choice is not kept: %s", body)
	}
	if w := post(h, "/language", url.Values{"language": {"fr"}}); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown language: got %d, want 400", w.Code)
	}
}

func TestHealthzAnswersWithoutASession(t *testing.T) {
	h, _ := newSite(io.Discard)
	if w := get(h, "/healthz"); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestAssetsAreNotListed(t *testing.T) {
	h, _ := newSite(io.Discard)
	if w := get(h, "/assets/"); w.Code != http.StatusNotFound {
		t.Errorf("got %d, want 404", w.Code)
	}
}

func TestNothingInAPageIsInline(t *testing.T) {
	h, _ := newSite(io.Discard)
	body := get(h, "/sign-on").Body.String()
	for _, inline := range []string{"<style", " style=", "<script>", " onclick="} {
		if strings.Contains(body, inline) {
			t.Errorf("the page holds %q, which its own policy forbids", inline)
		}
	}
}

func TestAScreenIsMadeAtItsFirstRequestAndOnce(t *testing.T) {
	made := 0
	h := web.First(func() { made++ }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, made) }))
	if made != 0 {
		t.Error("made before anybody asked")
	}
	for range 2 {
		if w := get(h, "/"); w.Body.String() != "1" {
			t.Errorf("made %s times", w.Body)
		}
	}
}
