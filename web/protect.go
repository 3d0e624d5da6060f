package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// MaxBody bounds a request's body, in bytes.
const MaxBody = 16 << 10

// policy allows nothing that does not come from the gate itself and no inline
// script or style, so that a hostile name on a badge stays text even if a
// template should fail to escape it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Protect puts in front of h what every route of every screen needs: security
// headers, the refusal of names that are not the gate's and of what other
// sites' pages send, and bounded bodies.
//
// The gate's names are the loopback's, the address at which the request came
// in, and those given as hosts. Another site can point a name of its own at
// the gate, and the browser then takes the gate's pages for that site's; such
// a request is answered 421.
func Protect(h http.Handler, hosts []string) http.Handler {
	crossOrigin := http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		header.Set("Cache-Control", "no-store")
		// Not "no-referrer": a browser then sends "Origin: null" with our own
		// forms, and over plain HTTP the origin is all that tells them apart.
		header.Set("Referrer-Policy", "same-origin")
		if !ours(r, hosts) {
			text := Chinese.Text("refused.host") + "\n" + English.Text("refused.host")
			http.Error(w, text, http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		crossOrigin.ServeHTTP(w, r)
	})
}

// ours reports whether the Host header names this gate. The port does not
// matter: whoever can choose the name could choose the port too.
func ours(r *http.Request, hosts []string) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback() || addr.Unmap() == arrivedAt(r)
	}
	name := func(h string) bool { return strings.EqualFold(h, strings.TrimSuffix(host, ".")) }
	return name("localhost") || slices.ContainsFunc(hosts, name)
}

// arrivedAt returns the gate's own address of the connection, which is one of
// the machine's even when the listener takes all of them.
func arrivedAt(r *http.Request) netip.Addr {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return local.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
