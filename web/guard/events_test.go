package guard_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// listener keeps what a stream sends it until it is read.
type listener struct {
	mu     sync.Mutex
	header http.Header
	got    strings.Builder
	broken error
}

func (b *listener) Header() http.Header { return b.header }
func (b *listener) WriteHeader(int)     {}
func (b *listener) Flush()              {}

func (b *listener) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return 0, b.broken
	}
	return b.got.Write(p)
}

// read returns what was sent since the last call.
func (b *listener) read() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.got.Reset()
	return b.got.String()
}

// events returns the names of the events since the last call.
func (b *listener) events() string {
	var names []string
	for line := range strings.Lines(b.read()) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return strings.Join(names, " ")
}

// listen opens one stream; leave closes the browser and waits for the end.
func listen(t *testing.T, r rig) (b *listener, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request := atTheGate("GET", "/guard/events", nil).WithContext(ctx)
	request.AddCookie(r.cookie)
	b = &listener{header: http.Header{}}
	go r.handler.ServeHTTP(b, request)
	synctest.Wait()
	return b, func() { cancel(); synctest.Wait() }
}

func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAStreamBeginsWithTheViewAndBeatsOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		w, leave := listen(t, r)
		defer leave()
		if got := w.header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("got type %q", got)
		}
		first := w.read()
		if !strings.HasPrefix(first, "id: 1\nevent: view\ndata: <header") || !strings.HasSuffix(first, "\n\n") {
			t.Errorf("got %q", first)
		}
		advance(999 * time.Millisecond)
		if got := w.events(); got != "" {
			t.Errorf("got %q before the first second", got)
		}
		advance(time.Millisecond)
		if got := w.events(); got != "beat" {
			t.Errorf("got %q after a second, want a beat", got)
		}
		advance(10 * time.Second)
		if got := w.events(); got != strings.TrimSpace(strings.Repeat("beat ", 10)) {
			t.Errorf("got %q in ten quiet seconds, want ten beats and no view", got)
		}
	})
}

func TestAChangeReachesThePageWithoutWaitingForTheBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		w, leave := listen(t, r)
		defer leave()
		w.events()
		r.gate.set(func(v *guard.View) { v.Lanes[2].Verdict = guard.Stop })
		r.gate.ticks <- struct{}{}
		synctest.Wait()
		if got := w.events(); got != "view" {
			t.Errorf("got %q, want the view", got)
		}
		r.gate.ticks <- struct{}{}
		synctest.Wait()
		if got := w.events(); got != "" {
			t.Errorf("got %q for a tick without a change", got)
		}
	})
}

func TestALostTickCostsASecondAndNotAStaleGreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		w, leave := listen(t, r)
		defer leave()
		w.events()
		r.gate.set(func(v *guard.View) { v.Lanes[2].Verdict = guard.Stop })
		advance(time.Second)
		if got := w.events(); got != "view beat" {
			t.Errorf("got %q, want the view before the beat that vouches for it", got)
		}
	})
}

// drawn counts how often a problem's number is written out.
type drawn struct{ n int }

func (d *drawn) String() string { d.n++; return "37" }

func TestASecondThatChangesNothingIsNotDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, count := newRig(t, web.Chinese), &drawn{}
		start := r.gate.view.Now
		r.gate.set(func(v *guard.View) {
			v.Problems = []guard.Problem{{Key: "offline", Args: []any{count}}}
			v.DoneAt = start.Add(5 * time.Minute)
		})
		w, leave := listen(t, r)
		defer leave()
		w.events()
		count.n = 0
		for second := range 59 {
			passed := time.Duration(second+1) * time.Second
			r.gate.age(func(v *guard.View) { v.Now, v.DoneAt = start.Add(passed), start.Add(5*time.Minute+passed) })
			advance(time.Second)
			if got := w.events(); got != "beat" || count.n != 0 {
				t.Fatalf("%v past the minute: %q, drawn %d times", passed, got, count.n)
			}
		}
		if r.gate.views > 1+59/15 {
			t.Errorf("the gate was looked at %d times in 59 quiet seconds", r.gate.views)
		}
	})
}

func TestWhatTheTimeChangesReachesAnOpenPageWithTheNextBeat(t *testing.T) {
	at := morning().Now
	soon := at.Add(time.Second)
	for rule, tt := range map[string]struct {
		before, after func(*guard.View)
		beats         int // until the page has it
	}{
		"the minute": {func(v *guard.View) { v.Now = at.Add(59 * time.Second) }, func(v *guard.View) { v.Now = at.Add(time.Minute) }, 1},
		"the end of a wait": {
			func(v *guard.View) { v.Asides[0].Due = soon },
			func(v *guard.View) { v.Now = soon }, 1,
		},
		"the beginning of an order": {
			func(v *guard.View) { v.Questions = []guard.Question{{Kind: "order", Date: soon}} },
			func(v *guard.View) { v.Now = soon }, 1,
		},
		// What neither the gate has told nor the page foreseen is found when it
		// looks of itself.
		"when all will be in": {
			func(v *guard.View) { v.DoneAt = at.Add(time.Hour) },
			func(v *guard.View) { v.DoneAt = at.Add(time.Hour - time.Second) }, 15,
		},
		"a wait that is not over by a clock put back": {
			func(v *guard.View) { v.Asides[0].Due, v.Now = at.Add(30*time.Second), at.Add(40*time.Second) },
			func(v *guard.View) { v.Now = at.Add(20 * time.Second) }, 15,
		},
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, web.Chinese)
				r.gate.set(tt.before)
				w, leave := listen(t, r)
				defer leave()
				w.events()
				r.gate.age(tt.after)
				advance(time.Duration(tt.beats) * time.Second)
				if got, want := w.events(), strings.Repeat("beat ", tt.beats-1)+"view beat"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

func TestAnOpenPageIsMaskedWhenItsSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		advance(web.SessionLife - time.Second)
		w, leave := listen(t, r)
		defer leave()
		if !strings.Contains(w.read(), "张三丰") {
			t.Fatal("not in full while signed on")
		}
		advance(time.Second)
		if body := w.read(); !strings.Contains(body, "张*丰") || strings.Contains(body, "/guard/act") {
			t.Errorf("got %q, want a masked view without buttons", body)
		}
	})
}

func TestNothingRunsWhenNoPageIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble fails when a goroutine outlives it
		r := newRig(t, web.Chinese)
		_, leave := listen(t, r)
		leave()
		before := r.gate.views
		advance(time.Hour)
		if r.gate.views != before {
			t.Errorf("the view was read %d times with no page open", r.gate.views-before)
		}
	})
}

func TestAStreamEndsWhenTheGateStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		w, leave := listen(t, r)
		defer leave()
		close(r.gate.ticks)
		synctest.Wait()
		w.events()
		advance(5 * time.Second)
		if got := w.events(); got != "" {
			t.Errorf("got %q after the gate stopped", got)
		}
	})
}

func TestANameCannotForgeAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		r.gate.set(func(v *guard.View) { v.Asides[0].Name = "a\r\revent: beat\r\ndata: x\n\nid: 9" })
		w, leave := listen(t, r)
		defer leave()
		for line := range strings.SplitSeq(strings.ReplaceAll(w.read(), "\r", "\n"), "\n") {
			if line != "" && line != "id: 1" && line != "event: view" && !strings.HasPrefix(line, "data: ") {
				t.Errorf("forged line %q", line)
			}
		}
	})
}

func TestOneStreamTooManyIsRefusedAndAPlaceIsFreedByLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		_, leaveFirst := listen(t, r)
		for range 63 {
			_, leave := listen(t, r)
			defer leave()
		}
		if w := r.get("/guard/events", true); w.Code != http.StatusServiceUnavailable {
			t.Errorf("got %d for the 65th stream, want 503", w.Code)
		}
		leaveFirst()
		w, leave := listen(t, r)
		defer leave()
		if got := w.events(); got != "view" {
			t.Errorf("got %q after a place was freed", got)
		}
	})
}

func TestAStreamEndsWhenTheBrowserTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, web.Chinese)
		reset := &listener{header: http.Header{}, broken: errors.New("connection reset")}
		r.handler.ServeHTTP(reset, atTheGate("GET", "/guard/events", nil)) // returns
		if !strings.Contains(r.log.String(), "connection reset") {
			t.Errorf("got log %q", r.log)
		}
	})
}
