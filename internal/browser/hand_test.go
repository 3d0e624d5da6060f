package browser_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/browser"
)

const buttons = `<button onclick="document.title += 'a'">a</button><button hidden onclick="document.title += 'b'">b</button>
<div style="position: relative"><button id="under">c</button><p style="position: absolute; inset: 0; background: #fff">over</p></div>
<a id="link" href="#there" style="position: absolute; top: 1500px" onclick="document.title += 'd'">d</a>`

func opened(t *testing.T) *browser.Browser {
	t.Helper()
	b := browser.StartFor(t)
	if err := b.Size(400, 600); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(serve(t, buttons)); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestATapTouchesWhatAFingerWould(t *testing.T) {
	b := opened(t)
	for _, tt := range []struct{ rule, selector, fault string }{
		{"what can be seen", "button", ""},
		{"what lies below the screen's edge, after scrolling", "#link", ""},
		{"what is covered", "#under", "under p"},
		{"what is hidden", "button[hidden]", "nothing is there"},
		{"what there is not", "#nothing", "nothing is there"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			if err := b.Tap(tt.selector); tt.fault == "" && err != nil || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("got %v, want %q", err, tt.fault)
			}
		})
	}
	if title, err := b.Text("document.title"); err != nil || title != "ad" {
		t.Errorf("touched %q, %v", title, err)
	}
}

func TestKeysAloneReachAndPress(t *testing.T) {
	b := opened(t)
	for _, selector := range []string{"#link", "button"} {
		if err := b.Reach(selector); err != nil {
			t.Fatal(err)
		}
		if err := b.Press("\r"); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Await("document.title === 'da'"); err != nil {
		t.Error(err)
	}
	if err := b.Reach("#nothing"); err == nil {
		t.Error("what is not there was reached")
	}
}

func TestASteadyPageDoesNotAge(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Steady(); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(serve(t, `<script>window.born = [performance.now(), Date.now()].join(); setTimeout(() => { document.title = 'later' }, 50)</script>`)); err != nil {
		t.Fatal(err)
	}
	if err := b.Await("document.title === 'later'"); err != nil {
		t.Fatal(err)
	}
	if same, err := b.Text("String([performance.now(), Date.now()].join() === born)"); err != nil || same != "true" {
		t.Errorf("it aged: %s, %v", same, err)
	}
}
