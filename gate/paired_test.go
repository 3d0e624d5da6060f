package gate

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// lan is an address that other machines reach; it is only looked at here.
type lan struct{ net.Listener }

func (lan) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8630} }

// outside asks for a page from another machine.
func outside(g *Gate, method, path string, form url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "localhost", "192.0.2.9:40000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	(*g.front.Load()).ServeHTTP(w, r)
	return w
}

func TestATabletIsPairedByACodeOnTheGatesScreenUntilItIsEnded(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	begin := func() *Gate {
		g := opened(t, dir)
		g.o.Web = lan{}
		pages := g.pages()
		g.front.Store(&pages)
		return g
	}
	g := begin()
	if w := outside(g, "GET", "/guard/", nil); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "号通道") {
		t.Fatalf("an unpaired tablet: got %d %s", w.Code, w.Body)
	}
	own := &browser{t: t, g: g}
	if w := own.send("POST", "/guard/pair", url.Values{"place": {"desk"}}); w.Code != http.StatusUnauthorized {
		t.Errorf("nobody signed on asks for a code: got %d", w.Code)
	}
	meet(g, guardBadge)
	told := g.Changes()
	own.tap("join")
	if g.Changes() == told {
		t.Error("no open page is told who came on duty")
	}
	own.send("POST", "/guard/pair", url.Values{"place": {"desk"}})
	code, _, ok := g.pairing.Code()
	if !ok || !strings.Contains(own.send("GET", "/guard/", nil).Body.String(), code) {
		t.Fatalf("the code is not on the gate's screen: %v", ok)
	}
	told = g.Changes()
	w := outside(g, "POST", "/pair", url.Values{"code": {code}})
	if g.Changes() == told {
		t.Error("the gate's screen is not told that the code is used up")
	}
	if w.Code != http.StatusSeeOther {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	tablet := w.Result().Cookies()[0]
	shut(t, g)

	g = begin()
	defer shut(t, g)
	meet(g, cookBadge)
	page := outside(g, "GET", "/guard/", nil, tablet)
	if page.Code != http.StatusOK || strings.Contains(page.Body.String(), `name="offer"`) {
		t.Errorf("a paired desk after the restart: got %d, or an offer: %s", page.Code, page.Body)
	}
	if w := outside(g, "POST", "/guard/sign-on", url.Values{"offer": {"1"}, "how": {"join"}}, tablet); w.Code != http.StatusForbidden {
		t.Errorf("the desk takes the offer: got %d", w.Code)
	}
	if w := outside(g, "POST", "/guard/act", url.Values{"kind": {"aside"}}, tablet); w.Code != http.StatusUnauthorized {
		t.Errorf("the desk acts with nobody signed on: got %d", w.Code)
	}
	list, ended := httptest.NewRecorder(), httptest.NewRecorder()
	g.listPaired(list, httptest.NewRequest("GET", "/v1/web/paired", nil))
	var paired []PairedBrowser
	if err := json.Unmarshal(list.Body.Bytes(), &paired); err != nil || len(paired) != 1 || paired[0].Number != 1 || paired[0].Place != "desk" {
		t.Errorf("listed: %s, %v", list.Body, err)
	}
	if g.unpair(ended, httptest.NewRequest("POST", "/v1/web/unpair", strings.NewReader(`{"Number":1}`))); ended.Code != http.StatusOK {
		t.Errorf("got %d %s", ended.Code, ended.Body)
	}
	if w := outside(g, "GET", "/guard/", nil, tablet); w.Code != http.StatusUnauthorized {
		t.Errorf("an ended browser: got %d", w.Code)
	}
}
