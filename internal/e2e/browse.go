package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
)

// Window is a real browser at the gate's page.
type Window struct {
	*browser.Browser

	t testing.TB
	g *Gate
}

// Window opens a browser with nobody signed on.
func (g *Gate) Window() *Window {
	g.b.t.Helper()
	w := &Window{browser.StartFor(g.b.t), g.b.t, g}
	w.Must(w.Show(browser.Screen{1280, 800, 151}))
	return w
}

// Must fails the test for an error.
func (w *Window) Must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Visit opens a page of the gate.
func (w *Window) Visit(path string) {
	w.t.Helper()
	w.Must(w.Open(w.g.url(path)))
}

// MustAwait waits until a JavaScript expression holds of the page.
func (w *Window) MustAwait(expression string) {
	w.t.Helper()
	w.Must(w.Await("!!(" + expression + ")"))
}

// clock compares the page's clock with this process's: both are the machine's,
// but the browser rounds its own, and took its beginning when the page opened.
// offset is what is to be added to a time of the page, in which it errs by no
// more than half of within.
func (w *Window) clock() (offset, within time.Duration) {
	w.t.Helper()
	for try := range 20 {
		before := time.Now()
		text, err := w.Text("String(performance.timeOrigin + performance.now())")
		took := time.Since(before)
		w.Must(err)
		if try == 0 || took < within {
			offset, within = before.Add(took/2).Sub(w.moment(text)), took
		}
	}
	return offset, within
}

// moment reads the milliseconds since 1970 that a page says.
func (w *Window) moment(text string) time.Time {
	w.t.Helper()
	var ms float64
	if _, err := fmt.Sscan(text, &ms); err != nil {
		w.t.Fatalf("moment %q: %v", text, err)
	}
	return time.UnixMicro(int64(ms * 1000))
}

// The crew of a school beside the guard: who relieves the guard, and the nurse.
const (
	Relief = 900_001
	Nurse  = 900_002
)

// EnrolCrew imports the guard, who works at the desk too, n pupils, and the crew,
// all with a PIN, whose roster numbers follow those of the pupils.
func (b *Bench) EnrolCrew(n int) {
	b.t.Helper()
	list := school(n)
	for i, badge := range []int{Relief, Nurse} {
		list += fmt.Sprintf("T%d,值班%d,,staff,%s\n", i+1, i+1, Badge(badge))
	}
	b.enrol(list)
	for number, duties := range map[string]string{guardNumber: "guard,desk", "T1": "guard", "T2": "nurse"} {
		b.Gatectl(PIN+"\n", "roster", "pin", number)
		b.Gatectl("", "roster", "duty", number, duties)
	}
}

// Hand does at a window what a person does, by touch or by keys alone, and
// counts: a tap and a key that presses something are one each. The tab key, and
// moving the eyes, are none.
type Hand struct {
	*Window

	keys  bool
	count int
}

// Hand returns a hand at the window. The page does not turn grey under it.
func (w *Window) Hand(keys bool) *Hand {
	w.t.Helper()
	w.Must(w.Steady())
	return &Hand{Window: w, keys: keys}
}

// pressLost is how long after a press nothing has come of it: the page has
// changed under the finger, which presses again. That is not counted.
const pressLost = 20 * time.Second

// Do presses the first visible element that a CSS selector names, as soon as it
// may be pressed, and waits for the page to which that leads.
func (h *Hand) Do(selector string) {
	h.t.Helper()
	h.count++
	Await(h.t, 3*pressLost, "a page after "+selector, func() bool {
		h.ready(selector)
		_, err := h.Text("window.left = true, ''")
		h.Must(err)
		h.press(selector)
		if Poll(pressLost, func() bool {
			left, err := h.Text("String(!!window.left)")
			return err == nil && left == "false"
		}) {
			return true
		}
		h.t.Logf("%s: pressed again", selector)
		return false
	})
}

// Into puts the cursor into a field.
func (h *Hand) Into(selector string) {
	h.t.Helper()
	h.count++
	h.ready(selector)
	if h.keys {
		h.Must(h.Reach(selector))
		return
	}
	h.Must(h.Tap(selector))
}

// ready waits until something can be seen and may be pressed.
func (h *Hand) ready(selector string) {
	h.t.Helper()
	h.MustAwait(fmt.Sprintf("document.readyState === 'complete' && [...document.querySelectorAll(%q)].some((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('[inert]'))", selector))
}

// press taps, or presses the key that the element bears where keys are heard,
// or else goes to it and presses enter.
func (h *Hand) press(selector string) {
	h.t.Helper()
	if !h.keys {
		h.Must(h.Tap(selector))
		return
	}
	key, err := h.Text(fmt.Sprintf("document.querySelector('script[src=\"/assets/guard.js\"]') && document.querySelector(%q).getAttribute('aria-keyshortcuts') || ''", selector))
	h.Must(err)
	if key == "" {
		h.Must(h.Reach(selector))
		key = "\r"
	}
	h.rest()
	h.Must(h.Press(key))
}

// rest waits as long as fingers do between two keys: what comes faster is taken
// for a scanner that types.
func (h *Hand) rest() {
	h.t.Helper()
	_, err := h.Text("window.rested = false, setTimeout(() => { rested = true }, 120), ''")
	h.Must(err)
	h.MustAwait("window.rested")
}

// Type types digits: on the pad of the page, or on the keys.
func (h *Hand) Type(digits string) {
	h.t.Helper()
	h.MustAwait("document.readyState === 'complete' && document.querySelector('.pad button') && document.activeElement.matches('input')")
	for _, digit := range digits {
		h.count++
		if h.keys {
			h.Must(h.Press(string(digit)))
			continue
		}
		h.Must(h.Tap(fmt.Sprintf(".pad button:nth-child(%d)", (digit-'0'+9)%10+1)))
	}
}

// Took fails the test if more was pressed since it was asked last than people
// were promised.
func (h *Hand) Took(what string, most int) {
	h.t.Helper()
	if h.count > most {
		h.t.Errorf("%s took %d, want at most %d", what, h.count, most)
	}
	h.count = 0
}

// WindowOf turns a window of the process before to this one, as a browser that
// stays open is.
func (g *Gate) WindowOf(w *Window) *Window { return &Window{w.Browser, w.t, g} }
