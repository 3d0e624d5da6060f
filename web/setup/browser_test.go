package setup_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
)

// TestThePageOfAnInstallationCanBeReadAndTouched writes a picture of each view to
// the directory MENSHEN_SCREENSHOTS, if it is set.
func TestThePageOfAnInstallationCanBeReadAndTouched(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, path := range map[string]string{"01-setup": "/setup/", "02-mark": "/setup/mark?part=C"} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				m := bare()
				m.accept = steps(1)
				s := at(t, m, here, "")
				s.send("POST", "/setup/phone", nil)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.RemoteAddr = here
					r.AddCookie(&http.Cookie{Name: "menshen_language", Value: language.Tag()})
					s.handler.ServeHTTP(w, r)
				}))
				t.Cleanup(func() {
					server.CloseClientConnections() // streams have no end of their own
					server.Close()
				})
				if err := b.Open(server.URL + path); err != nil {
					t.Fatal(err)
				}
				// The gate's own screen, and a phone held upright.
				b.Look(t, name+"."+language.Tag(), "", browser.Screen{1280, 800, 217}, browser.Screen{390, 844, 70})
			})
		}
	}
}
