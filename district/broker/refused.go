package broker

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/sync/wire"
)

// RefusalKind says what was refused.
type RefusalKind uint8

// The kinds of refusal. Of the first two anybody may have been the sender; in
// the others Name had shown its password.
const (
	RefusedLogin  RefusalKind = iota // an unknown name, or a wrong password
	RefusedID                        // the client id of another; Detail is it
	RefusedSpeak                     // to speak on a topic; Detail is it
	RefusedHear                      // to hear a topic filter; Detail is it, as the server writes it
	RefusedLength                    // a message over the limit; Detail is its length in bytes
)

// String returns the kind's word in lower case.
func (k RefusalKind) String() string {
	names := [...]string{"login", "client-id", "speak", "hear", "length"}
	if int(k) < len(names) {
		return names[k]
	}
	return ""
}

// Refusal is what one name was refused in one way.
type Refusal struct {
	// Name is the user's, empty where it is none that a gate may have.
	Name string
	Kind RefusalKind
	// Detail is text from outside of at most 128 bytes, of the last time.
	Detail string
	// Times is how often, and Last when last.
	Times uint64
	Last  time.Time
}

const (
	maxRefusals = 64  // names and kinds
	maxDetail   = 128 // bytes
)

// refused counts refusals. It is told of log-ins by the guard, and of what a
// session may not do by the server's log, the only place where the server says
// it. What nobody knows: who sent a message over the limit as the very first,
// and what was refused before this process began.
type refused struct {
	mu  sync.Mutex
	all []Refusal // the newest last
}

// add counts one refusal.
func (r *refused) add(name string, kind RefusalKind, detail string) {
	if !wire.ValidName(name) {
		name = ""
	}
	now := Refusal{Name: name, Kind: kind, Detail: strings.ToValidUTF8(detail[:min(len(detail), maxDetail)], ""), Times: 1, Last: time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.all, func(a Refusal) bool { return a.Name == name && a.Kind == kind })
	switch {
	case i >= 0:
		now.Times += r.all[i].Times
		r.all = slices.Delete(r.all, i, i+1)
	case len(r.all) == maxRefusals:
		// What costs a stranger nothing gives way first, and of that the oldest.
		i = slices.IndexFunc(r.all, func(a Refusal) bool { return a.Kind < RefusedSpeak })
		r.all = slices.Delete(r.all, max(i, 0), max(i, 0)+1)
	}
	r.all = append(r.all, now)
}

// newest returns a copy, the newest first.
func (r *refused) newest() []Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.all)
	slices.Reverse(all)
	return all
}

// Refusals returns what was refused since the broker started, the newest
// first: at most 64 names and kinds.
func (b *Broker) Refusals() []Refusal { return b.guard.refused.newest() }
