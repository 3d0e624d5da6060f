package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// ErrFull says that two people are on duty; a third must take over from them.
var ErrFull = errors.New("two people are on duty")

const (
	// MaxOnDuty is how many people are on duty at one gate: as many names as
	// stand in an entry.
	MaxOnDuty = 2
	// SessionLife is counted from the sign-on and is not prolonged by use.
	SessionLife = 12 * time.Hour

	// maxScreens bounds the screens of one person; the oldest is signed off.
	maxScreens = 4
	// maxBadge and maxPIN bound what is handed to Staff, in bytes.
	maxBadge, maxPIN = 64, 32

	sessionCookie = "menshen_session"
)

// Sessions knows who is signed on at one gate (or collector) and at which screens. Only the
// SHA-256 of a session's secret is kept, in memory: a restart signs everybody
// off. It starts no goroutine and no timer, and is safe for concurrent use.
type Sessions struct {
	staff Staff
	most  int // people at a time

	mu   sync.Mutex
	open []session // in the order of the sign-ons; at most most*maxScreens
}

type session struct {
	digest [sha256.Size]byte
	person Person
	until  time.Time // carries the monotonic clock: setting the clock prolongs nothing
}

// NewSessions returns a gate's sessions, which ask staff for badge and PIN.
func NewSessions(staff Staff) *Sessions { return NewSessionsOf(staff, MaxOnDuty) }

// NewSessionsOf returns sessions of at most so many people at a time, for a
// screen at which nobody is on duty.
func NewSessionsOf(staff Staff, most int) *Sessions { return &Sessions{staff: staff, most: most} }

// SignOn checks badge and PIN, puts the person on duty and gives this browser
// a cookie. It returns ErrPIN, ErrLocked or ErrFull for the person to read;
// ErrFull only when badge and PIN were right.
//
// A second person may sign on in the same browser: acts are then in the second
// name, and both stay on duty.
func (s *Sessions) SignOn(w http.ResponseWriter, r *http.Request, badge, pin string) error {
	person, err := s.check(r.Context(), badge, pin)
	if err != nil {
		return err
	}
	return s.begin(w, r, person, false)
}

// TakeOver signs on as SignOn does, and takes everybody else off duty at every
// screen: the shift that leaves has forgotten to. It never returns ErrFull, and
// nobody is taken off duty by a wrong PIN.
func (s *Sessions) TakeOver(w http.ResponseWriter, r *http.Request, badge, pin string) error {
	person, err := s.check(r.Context(), badge, pin)
	if err != nil {
		return err
	}
	return s.begin(w, r, person, true)
}

func (s *Sessions) check(ctx context.Context, badge, pin string) (Person, error) {
	if badge == "" || pin == "" || len(badge) > maxBadge || len(pin) > maxPIN {
		return Person{}, ErrPIN
	}
	person, err := s.staff.CheckPIN(ctx, badge, pin)
	if err != nil {
		return Person{}, fmt.Errorf("check PIN: %w", err)
	}
	return person, nil
}

// begin opens a session of the person in this browser, alone on duty or beside
// who is.
func (s *Sessions) begin(w http.ResponseWriter, r *http.Request, person Person, alone bool) error {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails: crypto/rand ends the process instead

	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if alone {
		s.open = slices.DeleteFunc(s.open, func(o session) bool { return !person.same(o.person) })
	}
	duty := s.onDuty()
	if len(duty) >= s.most && !slices.ContainsFunc(duty, person.same) {
		return ErrFull
	}
	s.boundScreens(person)
	s.open = append(s.open, session{sha256.Sum256(secret), person, time.Now().Add(SessionLife)})
	setSession(w, r, base64.RawURLEncoding.EncodeToString(secret), int(SessionLife/time.Second))
	return nil
}

// Who returns the person whose screen sent r.
func (s *Sessions) Who(r *http.Request) (Person, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return Person{}, false
	}
	secret, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return Person{}, false
	}
	digest := sha256.Sum256(secret)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	for _, o := range s.open {
		if o.digest == digest {
			return o.person, true
		}
	}
	return Person{}, false
}

// SignOff takes the person whose screen sent r off duty, at every screen.
func (s *Sessions) SignOff(w http.ResponseWriter, r *http.Request) {
	if person, ok := s.Who(r); ok {
		s.mu.Lock()
		s.open = slices.DeleteFunc(s.open, func(o session) bool { return person.same(o.person) })
		s.mu.Unlock()
	}
	setSession(w, r, "", -1)
}

// OnDuty returns who is signed on, each person once, the first to sign on
// first.
func (s *Sessions) OnDuty() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return s.onDuty()
}

func (s *Sessions) onDuty() []Person {
	var duty []Person
	for _, o := range s.open {
		if !slices.ContainsFunc(duty, o.person.same) {
			duty = append(duty, o.person)
		}
	}
	return duty
}

func (s *Sessions) expire() {
	now := time.Now()
	s.open = slices.DeleteFunc(s.open, func(o session) bool { return !now.Before(o.until) })
}

// boundScreens makes room for one more screen of the person.
func (s *Sessions) boundScreens(person Person) {
	screens := 0
	for _, o := range s.open {
		if person.same(o.person) {
			screens++
		}
	}
	if screens < maxScreens {
		return
	}
	oldest := slices.IndexFunc(s.open, func(o session) bool { return person.same(o.person) })
	s.open = slices.Delete(s.open, oldest, oldest+1)
}

func (p Person) same(o Person) bool { return p.ID == o.ID }

// setSession is Secure where the request came by TLS; a gate's own screen
// reads it by plain HTTP on loopback.
func setSession(w http.ResponseWriter, r *http.Request, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}
