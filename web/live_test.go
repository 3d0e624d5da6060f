package web_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
)

// The promise of a page that is kept up to date: it is grey this long after the
// last word of the program, in milliseconds.
const greyWithin = 2500

// living is a page with nothing but what live.js needs. Its clocks are the
// test's where fake is true.
func living(fake bool) string {
	clocks := ""
	if fake {
		clocks = `<script src="/clocks.js"></script>`
	}
	return `<!doctype html>` + clocks + `<script src="/assets/live.js" defer></script><div id="live" data-events="/events"><p>old</p><p>same</p></div>
<div id="lost" hidden><p class="late" data-from="5" data-to="60" hidden>later</p></div>`
}

// clocks stands still until advance is called: 1 ms after the other, so that
// every order of a beat and a look is as it would be.
const clocks = `'use strict';
let now = 1000, stream, again;
const every = [];
performance.now = () => now;
Date.now = () => 1e12 + now;
setInterval = (f, ms) => every.push({ f, ms, due: now + ms });
setTimeout = (f) => { again = f; return 0; };
EventSource = class {
  static CLOSED = 2;
  readyState = 1;
  heard = {};
  constructor(url) { this.url = url; stream = this; }
  addEventListener(name, f) { this.heard[name] = f; }
  close() { this.readyState = 2; }
};
const grey = () => document.body.classList.contains('lost') && live.inert && !lost.hidden;
const advance = (ms) => {
  for (let end = now + ms; now < end;) {
    now++;
    for (const t of every) if (now >= t.due) { t.due += t.ms; t.f(); }
  }
};
// silence returns after how long without a word the page is grey.
const silence = () => { const from = now; while (!grey() && now - from < 60000) advance(1); return now - from; };
`

// open serves a living page and keeps it up to date until held is set:
// then the connection stands, and nothing comes.
func open(t *testing.T, b *browser.Browser, fake bool, held *atomic.Bool) {
	t.Helper()
	site := web.NewSite(web.NewSessions(&staff{}), web.Chinese, slog.New(slog.DiscardHandler))
	routes := http.NewServeMux()
	mux := site.NewMux(web.AtGate())
	site.Mount(mux)
	routes.Handle("/assets/", mux)
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, living(fake))
	})
	routes.HandleFunc("GET /clocks.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, clocks)
	})
	routes.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		web.Live(w, r, make(chan struct{}), func(out io.Writer) error {
			if held.Load() {
				<-r.Context().Done()
			}
			_, err := io.WriteString(out, "<p>new</p><p>same</p>")
			return err
		})
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "127.0.0.1:9"
		routes.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // streams have no end of their own
		server.Close()
	})
	if err := b.Open(server.URL + "/"); err != nil {
		t.Fatal(err)
	}
}

func TestAPageIsGreyWithinTwoAndAHalfSecondsOfTheLastWord(t *testing.T) {
	b := browser.StartFor(t)
	const beat = "stream.heard.beat(); "
	tests := map[string]struct {
		script   string
		min, max int
	}{
		"a beat every second keeps it":           {"let was = false; for (let i = 0; i < 60; i++) { advance(1000); " + beat + "was ||= grey(); } return was ? 1 : 0", 0, 0},
		"one beat that comes late is no silence": {beat + "advance(1999); " + beat + "return grey() ? 1 : 0", 0, 0},
		"whenever the cut falls between two looks": {`let worst = 0;
			for (let i = 0; i < 300; i++) { advance(1); stream.heard.beat(); worst = Math.max(worst, silence()); again(); stream.heard.view({ data: '<p>back</p>' }); }
			return grey() ? 0 : worst`, 2001, greyWithin},
		"a clock that was set is a silence":                  {beat + "Date.now = () => 5e12; const s = silence(); Date.now = () => 1e12 + now; return s", 1, greyWithin},
		"a word that waited while the machine slept is none": {beat + "now += 3000; " + beat + "return grey() ? 1 : 0", 1, 1},
		"a broken connection is grey at once":                {beat + "stream.onerror(); return grey() ? 1 : 0", 1, 1},
		"it says more when it stays away":                    {"stream.onerror(); advance(5000); const late = document.querySelector('.late').hidden; return late ? 1 : 0", 0, 0},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			open(t, b, true, new(atomic.Bool))
			got, err := b.Text("(() => { " + tt.script + " })().toString()")
			if err != nil {
				t.Fatal(err)
			}
			if n, err := strconv.Atoi(got); err != nil || n < tt.min || n > tt.max {
				t.Errorf("got %s, want %d to %d", got, tt.min, tt.max)
			}
		})
	}
}

// TestAPageWhoseStreamIsSilentTurnsGreyByItself holds a real stream. How long it
// took is logged and not judged: that depends on the machine.
func TestAPageWhoseStreamIsSilentTurnsGreyByItself(t *testing.T) {
	var held atomic.Bool
	b := browser.StartFor(t)
	open(t, b, false, &held)
	if err := b.Await("live.textContent === 'newsame' && lost.hidden"); err != nil {
		t.Fatal(err)
	}
	const watch = `const look = () => { if (document.body.classList.contains('lost')) window.greyAt ??= performance.now(); };
		new MutationObserver(look).observe(document.body, { attributes: true }); look(); `
	held.Store(true)
	if _, err := b.Text(fmt.Sprintf("(() => { %s window.cutAt = performance.now(); return ''; })()", watch)); err != nil {
		t.Fatal(err)
	}
	if err := b.Await("window.greyAt !== undefined && live.inert"); err != nil {
		t.Fatal(err)
	}
	took, err := b.Text("Math.round(greyAt - cutAt).toString()")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("grey %s ms after the cut; promised within %d of the last word", took, greyWithin)
	held.Store(false)
	if err := b.Await("lost.hidden && !live.inert"); err != nil {
		t.Error("it does not come back:", err)
	}
}

func TestAPartThatDidNotChangeStaysTheSame(t *testing.T) {
	b := browser.StartFor(t)
	open(t, b, true, new(atomic.Bool))
	got, err := b.Text(`(() => { const same = live.children[1]; stream.heard.view({ data: '<p>new</p><p>same</p>' }); return String(live.textContent === 'newsame' && live.children[1] === same); })()`)
	if err != nil || got != "true" {
		t.Errorf("got %s, %v", got, err)
	}
}
