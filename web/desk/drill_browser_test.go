package desk_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

func TestWhatALeaderIsToldAndDrillsFitATablet(t *testing.T) {
	b := browser.StartFor(t)
	for name, step := range map[string]struct {
		path    string
		form    url.Values
		minutes int
	}{
		"30-told":     {"/desk/", nil, 60},
		"31-drill":    {"/desk/drill", url.Values{"reason": {"inspection"}, "minutes": {"45"}}, 0},
		"32-drilling": {"/desk/drill", url.Values{}, 60},
		"33-aside":    {"/desk/aside?arrival=3-1", nil, 60},
	} {
		for _, language := range []web.Language{web.Chinese, web.English} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				tab, d, w := led(t, principals{}, language)
				*tab.gate = *full()
				tab.gate.view.Drill, d.minutes = step.minutes, step.minutes
				*w = told{
					Closed: "国庆节、中秋节", Counted: true, Missing: 112, Late: 23,
					Clusters: []web.Cluster{{Syndrome: "hand-foot-mouth", Place: longClass, People: 12, Days: 14, Since: tab.gate.view.Now, New: true}, {Syndrome: "ili", People: 10, Days: 7, Since: tab.gate.view.Now}},
					Signs:    []desk.Sign{{Kind: "unmeasured", N: 200, Of: 1861}, {Kind: "frozen", Lane: 2, N: 16, Value: "36.5"}, {Kind: "overrides", Name: longName, N: 17}},
					Warned:   []desk.Warned{{Policy: 20261122, Row: strings.Repeat("nucleic-acid-", 3), People: 1041}},
				}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/step" {
						method := "GET"
						if step.form != nil {
							method = "POST"
						}
						r = httptest.NewRequest(method, step.path, strings.NewReader(step.form.Encode()))
						r.Host = "localhost"
						r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					}
					r.RemoteAddr = "127.0.0.1:40000"
					r.AddCookie(tab.cookie)
					tab.handler.ServeHTTP(w, r)
				}))
				t.Cleanup(func() {
					server.CloseClientConnections() // streams have no end of their own
					server.Close()
				})
				if err := b.Open(server.URL + "/step"); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "document.querySelectorAll('.pad').length === document.querySelectorAll('.pad:has(button)').length",
					browser.Screen{1280, 800}, browser.Screen{800, 1280})
			})
		}
	}
}
