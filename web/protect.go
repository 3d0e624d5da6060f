package web

import "net/http"

// MaxBody bounds a request's body, in bytes.
const MaxBody = 16 << 10

// policy allows nothing that does not come from the gate itself and no inline
// script or style, so that a hostile name on a badge stays text even if a
// template should fail to escape it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Protect puts in front of h what every route of every screen needs: security
// headers, the refusal of what other sites' pages send, and bounded bodies.
func Protect(h http.Handler) http.Handler {
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
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		crossOrigin.ServeHTTP(w, r)
	})
}
