package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	screenRounds = 7
	scansRound   = 30
	// seenWithin is the longest from the last byte of a scan to its word on the
	// page that still feels like none; greyWithin the longest that a page may show
	// what nobody vouches for.
	seenWithin = 100 * time.Millisecond
	greyWithin = 2500 * time.Millisecond
)

// watchLane notes when the page shows another person in lane 1.
const watchLane = `(() => {
	const person = () => document.querySelector('#lane-1 .person')?.textContent.trim();
	window.seen = {}; let last = person();
	new MutationObserver(() => {
		if (person() !== last) seen[last = person()] = performance.timeOrigin + performance.now();
	}).observe(document.body, { childList: true, subtree: true, characterData: true });
	return '';
})()`

// BenchmarkTheScreenFollowsTheLastByte times the way from the last byte of a
// badge at the scanner's port to the change of the page in a real browser. Beside
// it stands what the same browser takes for an event of the same size from a
// server that does nothing else.
func BenchmarkTheScreenFollowsTheLastByte(b *testing.B) {
	bench := NewBench(b, Setup{Pulse: 50 * time.Millisecond})
	g := bench.Run()
	bench.Enrol(screenRounds * scansRound)
	w := g.Window()
	bare := newEcho(b)
	for b.Loop() {
		var all, bares, p95, bare95 []time.Duration
		pupil, worst := 0, time.Duration(0)
		for range screenRounds {
			var seen, echoed []time.Duration
			w.Visit("/guard/")
			w.MustAwait("!document.getElementById('live').inert")
			offset, within := w.watch(watchLane)
			for range scansRound {
				pupil++
				sent := time.Now()
				bench.Scanners[1].Scan(b, Badge(pupil))
				seen = append(seen, w.saw(Class(pupil), offset).Sub(sent))
			}
			w.Must(w.Open(bare.URL))
			w.MustAwait("events.readyState === EventSource.OPEN")
			offset, bareWithin := w.watch(watchLane)
			for i := range scansRound {
				sent := time.Now()
				bare.events <- Class(i)
				echoed = append(echoed, w.saw(Class(i), offset).Sub(sent))
			}
			worst = max(worst, within, bareWithin)
			all, bares = append(all, seen...), append(bares, echoed...)
			p95, bare95 = append(p95, percentile(seen, 95)), append(bare95, percentile(echoed, 95))
		}
		figure, floor := percentile(p95, 50), percentile(bare95, 50)
		b.Logf("p50 %v, of an event and nothing else %v; the clocks agree to %v", percentile(all, 50), percentile(bares, 50), worst/2)
		b.Logf("p95 of all rounds together %v, of an event and nothing else %v", percentile(all, 95), percentile(bares, 95))
		ratio := float64(figure) / float64(seenWithin)
		b.Logf("last byte to page, median p95 of %d rounds: %v, limit %v, ratio %.2f, goal 1; %v of it an event takes by itself",
			screenRounds, figure, seenWithin, ratio, floor)
		b.ReportMetric(ratio, "ratio")
		if ratio > 2 {
			b.Errorf("ratio %.2f is over twice the goal", ratio)
		}
	}
	g.StopCleanly()
}

// watch begins to note what a script notes, and compares the clocks.
func (w *Window) watch(script string) (offset, within time.Duration) {
	w.t.Helper()
	_, err := w.Text(script)
	w.Must(err)
	return w.clock()
}

// saw waits for a person of a class and returns when the page had changed.
func (w *Window) saw(class string, offset time.Duration) time.Time {
	w.t.Helper()
	w.MustAwait(fmt.Sprintf("Object.keys(seen).some((p) => p.startsWith(%q))", class+" "))
	text, err := w.Text(fmt.Sprintf("((p) => { const at = String(seen[p]); delete seen[p]; return at })(Object.keys(seen).find((p) => p.startsWith(%q)))", class+" "))
	w.Must(err)
	return w.moment(text).Add(offset)
}

// echo is a server of events that draws nothing and asks nobody.
type echo struct {
	*httptest.Server
	events chan string // classes to be shown
}

func newEcho(t testing.TB) *echo {
	e := &echo{events: make(chan string)}
	var one sync.Mutex // the stream of a page that was left takes no event of the next
	// As much around the person as a view has.
	lane := func(class string) string {
		return `<section id="lane-1"><p class="person">` + class + ` x</p>` + strings.Repeat(`<p>0123456789</p>`, 400) + `</section>`
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		w.Header().Set("Content-Type", "text/event-stream")
		for flush := http.NewResponseController(w); flush.Flush() == nil; {
			select {
			case <-r.Context().Done():
				return
			case class := <-e.events:
				fmt.Fprintf(w, "data: %s\n\n", lane(class))
			}
		}
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<!doctype html><body>%s<script>
			const events = new EventSource('/events');
			addEventListener('pagehide', () => events.close()); // a page that is kept for coming back to keeps its stream
			events.onmessage = (e) => { document.querySelector('#lane-1').outerHTML = e.data };
		</script>`, lane(""))
	})
	e.Server = httptest.NewServer(mux)
	t.Cleanup(func() { e.CloseClientConnections(); e.Close() })
	return e
}

// BenchmarkAPageThatIsCutOffTurnsGrey times the way from the moment in which the
// gate stands still to the grey page.
func BenchmarkAPageThatIsCutOffTurnsGrey(b *testing.B) {
	bench := NewBench(b, Setup{})
	g := bench.Run()
	w := g.Window()
	w.Visit("/guard/")
	const alive = "document.getElementById('lost').hidden && !document.getElementById('live').inert"
	for b.Loop() {
		var took []time.Duration
		for range screenRounds {
			w.MustAwait(alive)
			offset, _ := w.watch(`(() => {
				window.grey = 0;
				new MutationObserver(() => { if (!document.getElementById('lost').hidden) grey ||= performance.timeOrigin + performance.now() })
					.observe(document.getElementById('lost'), { attributes: true });
				return '';
			})()`)
			g.Signal(syscall.SIGSTOP)
			stopped := time.Now()
			w.MustAwait("window.grey > 0")
			g.Signal(syscall.SIGCONT)
			text, err := w.Text("String(window.grey)")
			w.Must(err)
			took = append(took, w.moment(text).Add(offset).Sub(stopped))
		}
		figure := percentile(took, 100)
		ratio := float64(figure) / float64(greyWithin)
		b.Logf("standstill to grey, longest of %d: %v, limit %v, ratio %.2f, goal 1", screenRounds, figure, greyWithin, ratio)
		b.ReportMetric(ratio, "ratio")
		if ratio > 2 {
			b.Errorf("ratio %.2f is over twice the goal", ratio)
		}
	}
	g.StopCleanly()
}
