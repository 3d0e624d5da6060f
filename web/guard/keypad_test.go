package guard_test

import (
	"sync/atomic"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// pad is a number pad at an open page.
type pad struct {
	*testing.T
	b *browser.Browser
	served
	down *atomic.Bool // the server answers nothing
}

// TestInTheBrowser runs what needs a living page, one rule after the other in
// one browser.
func TestInTheBrowser(t *testing.T) {
	b := browser.StartFor(t)
	tests := map[string]struct {
		state string
		rule  func(pad)
	}{
		"a number pad is enough":                                 {"07-high", padIsEnough},
		"the second lane has its own column of the pad":          {"10-unknown", secondColumn},
		"tickets are opened in turn":                             {"27-ticket", ticketsInTurn},
		"a key that is held or stray does nothing":               {"07-high", strayKeys},
		"enter neither chooses an instrument nor admits":         {"07-high", enterDoesNothing},
		"what is typed for one survives the arrival of another":  {"07-high", typingSurvives},
		"a change is spoken":                                     {"02-pass", changeIsSpoken},
		"a page that hears nothing is grey until it hears again": {"02-pass", greyWhileDeaf},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			var signedOff, down atomic.Bool
			p := pad{t, b, serve(t, web.Chinese, &signedOff, &down), &down}
			p.gate.set(func(v *guard.View) { *v = states()[tt.state].view })
			if err := b.Open(p.url); err != nil {
				t.Fatal(err)
			}
			tt.rule(p)
		})
	}
}

func (p pad) press(keys string) {
	p.Helper()
	for _, key := range keys {
		if err := p.b.Press(string(key)); err != nil {
			p.Fatal(err)
		}
	}
}

func (p pad) await(expression string) {
	p.Helper()
	if err := p.b.Await(expression); err != nil {
		p.Fatal(err)
	}
}

func (p pad) do(script string) {
	p.Helper()
	if _, err := p.b.Text(script + "; ''"); err != nil {
		p.Fatal(err)
	}
}

// trust stops the page's clocks, so that it takes no pause of a loaded machine
// for silence, and waits until it can be pressed.
func (p pad) trust() {
	p.Helper()
	p.await("document.readyState === 'complete'")
	p.do("{ const steady = performance.now(), wall = Date.now(); performance.now = () => steady; Date.now = () => wall }")
	p.await("!document.getElementById('live').inert")
}

// act presses keys that must end in one act, and returns it: the page is then
// a new one.
func (p pad) act(keys string) guard.Act {
	p.Helper()
	p.do("window.old = true")
	p.press(keys)
	p.await("!window.old && document.readyState === 'complete'")
	p.trust()
	acts := p.acted()
	if len(acts) != 1 {
		said, _ := p.b.Text("document.getElementById('said')?.textContent ?? ''")
		p.Fatalf("%s: got acts %v, want one; the page says %q", keys, acts, said)
	}
	return acts[0]
}

// acted returns what was done since it was asked last.
func (p pad) acted() []guard.Act {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	acts := p.gate.acts
	p.gate.acts = nil
	return acts
}

// pause lets every key that was pressed have its effect.
func (p pad) pause() {
	p.Helper()
	p.do("window.paused = false; setTimeout(() => { window.paused = true }, 400)")
	p.await("window.paused")
}

const typing = "document.activeElement.name === 'value'"

func padIsEnough(p pad) {
	p.trust()
	if a := p.act("1"); a.Kind != guard.KindAside {
		p.Errorf("1: got %v, want the arrival of lane 1 aside", a)
	}

	p.press("4")
	p.await(typing)
	p.press("369")
	p.await("document.activeElement.value === '369'")
	if a := p.act("/"); a.Kind != guard.KindType || a.Value != 36_900 || a.Instrument != "ear" {
		p.Errorf("4 369 /: got %v, want an ear's 36.9", a)
	}

	p.press("7")
	p.await("document.querySelector('#lane-1 .panel:last-child').open")
	if a := p.act("*"); a.Kind != guard.KindTurnAway {
		p.Errorf("7 *: got %v, want the person turned away", a)
	}
}

func secondColumn(p pad) {
	p.gate.set(func(v *guard.View) { v.Lanes[1].Arrival = "3-13" })
	if err := p.b.Open(p.url); err != nil {
		p.Fatal(err)
	}
	p.trust()
	if a := p.act("2"); a.Kind != guard.KindAside || a.Arrival != "3-13" {
		p.Errorf("2: got %v, want the arrival of lane 2 aside", a)
	}
	p.press("5")
	p.await("document.querySelector('#lane-2 .panel').open")
	if a := p.act("-"); a.Kind != guard.KindColour || a.Colour != "red" || a.Arrival != "3-13" {
		p.Errorf("5 -: got %v, want red in lane 2", a)
	}
}

func ticketsInTurn(p pad) {
	p.trust()
	for _, ticket := range []string{"#aside-3", "#aside-43", "#aside-83", "#aside-3"} {
		p.press("0")
		p.await("document.querySelector('" + ticket + " details').open && document.querySelectorAll('.ticket[open]').length === 1")
	}
	if a := p.act("-"); a.Kind != guard.KindAcknowledge || a.Arrival != "3-9" {
		p.Errorf("-: got %v, want ticket 3 in the isolation room", a)
	}
}

func strayKeys(p pad) {
	p.trust()
	if focus, err := p.b.Text("document.activeElement.localName"); err != nil || focus != "body" {
		p.Errorf("%s has the focus of a new page, %v", focus, err)
	}
	tests := []struct{ rule, script string }{
		{"a scanner that types a badge", `for (const key of '1234567890123456') dispatchEvent(new KeyboardEvent('keydown', { key }))`},
		{"a key that repeats itself", `dispatchEvent(new KeyboardEvent('keydown', { key: '1', repeat: true }))`},
		{"a shortcut of the browser", `dispatchEvent(new KeyboardEvent('keydown', { key: '1', ctrlKey: true }))`},
		{"the key of a lane that is not", `dispatchEvent(new KeyboardEvent('keydown', { key: '3' }))`},
		{"the key of a choice with no panel open", `dispatchEvent(new KeyboardEvent('keydown', { key: '/' }))`},
		{"the enter key", `dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))`},
	}
	for _, tt := range tests {
		p.do(tt.script)
		p.pause()
		if acts := p.acted(); len(acts) > 0 {
			p.Errorf("%s did %v", tt.rule, acts)
		}
	}
}

func enterDoesNothing(p pad) {
	p.trust()
	p.press("4")
	p.await(typing)
	p.press("369\r")
	p.pause()
	if acts := p.acted(); len(acts) > 0 {
		p.Errorf("enter did %v", acts)
	}
	p.do("dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))")
	p.await("!document.querySelector('details[open]')")
}

func typingSurvives(p pad) {
	p.trust()
	p.press("4")
	p.await(typing)
	p.press("36")
	p.gate.set(func(v *guard.View) { v.Lanes = []guard.Lane{v.Lanes[0], states()["10-unknown"].view.Lanes[1]} })
	p.gate.ticks <- struct{}{}
	p.await("document.querySelector('#lane-2.unknown') && " + typing + " && document.activeElement.value === '36'")
}

func changeIsSpoken(p pad) {
	p.trust()
	p.gate.set(func(v *guard.View) { v.Lanes = states()["07-high"].view.Lanes })
	p.gate.ticks <- struct{}{}
	p.await("document.getElementById('spoken').textContent.includes('1 号通道 请到旁边 37.4 复测')")
}

func greyWhileDeaf(p pad) {
	const grey = "!document.getElementById('lost').hidden && document.getElementById('live').inert"
	p.await("!(" + grey + ")")
	p.down.Store(true)
	p.server.CloseClientConnections()
	p.await(grey)
	p.await("!document.querySelector('.late').hidden && document.querySelector('.late').textContent.includes('重启中')")
	if faults, err := p.b.Check(); err != nil || len(faults) > 0 {
		p.Errorf("found %v, %v", faults, err)
	}
	p.down.Store(false)
	p.await("document.getElementById('lost').hidden && !document.getElementById('live').inert")
}
