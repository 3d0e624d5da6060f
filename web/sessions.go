package web

import (
	"context"
	"crypto/sha256"
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
	// keepWithin bounds how long a sign-on waits to be kept: whoever signs on
	// must be able to work with a disk that stores nothing.
	keepWithin = 5 * time.Second

	sessionCookie = "menshen_session"
)

// Sessions knows who is signed on at one gate (or collector) and at which
// screens. Only the SHA-256 of a session's secret is kept. It starts no
// goroutine and no timer, is safe for concurrent use, and who only asks never
// waits for a disk.
type Sessions struct {
	staff Staff
	most  int // people at a time
	kept  *kept

	changing sync.Mutex // from before a change until it is kept; taken before mu
	mu       sync.Mutex
	open     []session // in the order of the sign-ons; at most most*maxScreens
}

type session struct {
	digest [sha256.Size]byte
	person Person
	began  time.Time // by the wall, to be kept
	ends   time.Time // carries the monotonic clock: setting the clock prolongs nothing
}

// NewSessions returns a gate's sessions, which ask staff for badge and PIN. A
// restart signs everybody off.
func NewSessions(staff Staff) *Sessions { return NewSessionsOf(staff, MaxOnDuty) }

// NewSessionsOf returns sessions of at most so many people at a time, for a
// screen at which nobody is on duty. A restart signs everybody off.
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
	return s.Begin(w, r, person, false)
}

// TakeOver signs on as SignOn does, and takes everybody else off duty at every
// screen: the shift that leaves has forgotten to. It never returns ErrFull, and
// nobody is taken off duty by a wrong PIN.
func (s *Sessions) TakeOver(w http.ResponseWriter, r *http.Request, badge, pin string) error {
	person, err := s.check(r.Context(), badge, pin)
	if err != nil {
		return err
	}
	return s.Begin(w, r, person, true)
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

// Begin opens a session in this browser for somebody whom the caller knows, by a
// PIN or otherwise, alone on duty or beside who is. It returns ErrFull as SignOn
// does.
func (s *Sessions) Begin(w http.ResponseWriter, r *http.Request, person Person, alone bool) error {
	secret, digest := newSecret()
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.enter(digest, person, alone); err != nil {
		return err
	}
	s.keep(r.Context())
	setCookie(w, r, sessionCookie, secret, SessionLife)
	return nil
}

func (s *Sessions) enter(digest [sha256.Size]byte, person Person, alone bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if alone && person.counts() {
		s.open = slices.DeleteFunc(s.open, func(o session) bool { return o.person.counts() && !person.same(o.person) })
	}
	duty := s.onDuty()
	if person.counts() && len(duty) >= s.most && !slices.ContainsFunc(duty, person.same) {
		return ErrFull
	}
	s.boundScreens(person)
	s.open = append(s.open, session{digest, person, s.wall(), time.Now().Add(SessionLife)})
	return nil
}

// Who returns the person whose screen sent r.
func (s *Sessions) Who(r *http.Request) (Person, bool) {
	digest, ok := secretOf(r, sessionCookie)
	if !ok {
		return Person{}, false
	}
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
		s.changing.Lock()
		defer s.changing.Unlock()
		s.mu.Lock()
		s.open = slices.DeleteFunc(s.open, func(o session) bool { return person.same(o.person) })
		s.mu.Unlock()
		s.keep(r.Context())
	}
	setCookie(w, r, sessionCookie, "", 0)
}

// OnDuty returns who is on duty at the gate, each person once, the first to sign
// on first. Whoever has the isolation room alone is not.
func (s *Sessions) OnDuty() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return s.onDuty()
}

func (s *Sessions) onDuty() []Person {
	var duty []Person
	for _, o := range s.open {
		if o.person.counts() && !slices.ContainsFunc(duty, o.person.same) {
			duty = append(duty, o.person)
		}
	}
	return duty
}

// expire ends what is over: a session's life, or what its person may do.
func (s *Sessions) expire() {
	now, open := time.Now(), s.open[:0]
	for _, o := range s.open {
		stands := now.Before(o.ends)
		if s.kept != nil && stands {
			o.person, stands = s.kept.roll.Standing(o.person.ID)
		}
		if stands {
			open = append(open, o)
		}
	}
	s.open = open
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

// counts reports whether somebody who is signed on is on duty at the gate. A
// nurse has the isolation room and a teacher a class, and nothing else: the gate's
// two places are not theirs to take, and no change of shift there signs them off.
func (p Person) counts() bool { return p.Duties == 0 || p.Duties&^(DutyNurse|DutyTeacher) != 0 }
