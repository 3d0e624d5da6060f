package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// newSecret makes what a browser is to show from now on, and its SHA-256, which
// is all that is kept of it.
func newSecret() (secret string, digest [sha256.Size]byte) {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b), sha256.Sum256(b)
}

// secretOf returns the SHA-256 of the secret that a request shows.
func secretOf(r *http.Request, cookie string) (digest [sha256.Size]byte, ok bool) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return digest, false
	}
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return digest, false
	}
	return sha256.Sum256(b), true
}

// setCookie gives the browser a value, or takes it away when it is empty. The
// cookie is Secure where the request came by TLS; a gate's own screen reads it
// by plain HTTP on loopback.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	seconds := int(life / time.Second)
	if value == "" {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}
