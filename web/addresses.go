package web

import (
	"net/http"
	"net/netip"
	"time"
)

const (
	// maxAddressTries wrong codes from one address lock it for addressLock,
	// counted from the first. It is below maxCodeTries: one machine alone never
	// ends a code that somebody else is about to type.
	maxAddressTries = 4
	addressLock     = 5 * time.Minute
	// maxAddresses bounds what is remembered. From more addresses at once only
	// the code's own limit holds.
	maxAddresses = 256
)

// addresses counts wrong pairing codes by where they came from.
type addresses map[netip.Prefix]wrongs

type wrongs struct {
	n     int
	since time.Time
}

func (a addresses) locked(from netip.Prefix, now time.Time) bool {
	return a[from].n >= maxAddressTries && now.Sub(a[from].since) < addressLock
}

func (a addresses) wrong(from netip.Prefix, now time.Time) {
	for p, w := range a {
		if now.Sub(w.since) >= addressLock {
			delete(a, p)
		}
	}
	w, known := a[from]
	if !known && len(a) >= maxAddresses {
		return
	}
	if !known {
		w.since = now
	}
	w.n++
	a[from] = w
}

// addressOf returns where a request came from: one address, or the network of
// one machine in IPv6, which has 2^64 to choose from.
func addressOf(r *http.Request) netip.Prefix {
	addr := remote(r)
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all such count together
	}
	return p
}

// remote returns the address of the other end, which is not valid where there
// is none.
func remote(r *http.Request) netip.Addr {
	end, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return end.Addr().Unmap().WithZone("")
}

// atTheGate reports whether the browser runs on the gate itself.
func atTheGate(r *http.Request) bool { return remote(r).IsLoopback() }
