package web_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
)

func TestOnlyTheGatesOwnNamesAreAnswered(t *testing.T) {
	tests := map[string]struct {
		host  string
		local net.Addr
		want  int
	}{
		"the loopback's name":                   {"localhost:8630", nil, 200},
		"a loopback address":                    {"127.0.0.1:8630", nil, 200},
		"another loopback address":              {"127.0.0.53", nil, 200},
		"the loopback of IPv6":                  {"[::1]:8630", nil, 200},
		"the loopback of IPv6 without a port":   {"[::1]", nil, 200},
		"the address the request came in at":    {"192.0.2.7:8630", tcp("192.0.2.7"), 200},
		"the same through a double listener":    {"192.0.2.7", tcp("::ffff:192.0.2.7"), 200},
		"a link-local address, by its zone too": {"[fe80::1%25eth0]:8630", nil, 421},
		"another address":                       {"192.0.2.8:8630", tcp("192.0.2.7"), 421},
		"an address without a connection":       {"192.0.2.7:8630", nil, 421},
		"a name that was given":                 {"gate.school:8630", nil, 200},
		"a given name, in capitals, rooted":     {"GATE.School.", nil, 200},
		"a name of another site":                {"evil.example:8630", tcp("192.0.2.7"), 421},
		"a name that ends like ours":            {"evil.gate.school", nil, 421},
		"a name that ends like the loopback's":  {"localhost.evil.example", nil, 421},
		"no name":                               {"", nil, 421},
		"a name that is none":                   {"[:::", nil, 421},
	}
	h := web.Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), []string{"gate.school"})
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Host = tt.host
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, tt.local))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want || w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%q: got %d, want %d, with the security headers", tt.host, w.Code, tt.want)
			}
		})
	}
}

func tcp(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8630} }

func TestWithoutGivenNamesOnlyAddressesAndTheLoopbackAreAnswered(t *testing.T) {
	h := web.Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for host, want := range map[string]int{"gate.school": 421, "": 421, "localhost": 200} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: got %d, want %d", host, w.Code, want)
		}
	}
}

func FuzzHostOfARequest(f *testing.F) {
	for _, host := range []string{"", "localhost", "127.0.0.1:1", "[::1]:1", "evil.example", "[", "::1", "a:b:c", "127.0.0.1.evil.example"} {
		f.Add(host)
	}
	h := web.Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	f.Fuzz(func(t *testing.T, host string) {
		answer := func(host string) int {
			r := httptest.NewRequest("GET", "/", nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		answer(host) // never panics
		if !strings.Contains(host, ":") && answer(host+".evil.example") != http.StatusMisdirectedRequest {
			t.Errorf("%q is answered under another site's name", host)
		}
	})
}
