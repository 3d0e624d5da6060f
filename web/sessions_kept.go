package web

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"
)

// Roll is a Staff that says who may be signed on at all, and keeps who is.
type Roll interface {
	Staff
	// Standing returns a person as of now, or false when there is nothing at
	// the gate for them to do. It waits for nothing.
	Standing(id uint64) (Person, bool)
	// Sessions returns what KeepSessions was given last, before a restart too.
	Sessions(ctx context.Context) ([]KeptSession, error)
	// KeepSessions keeps these sessions and no others.
	KeepSessions(ctx context.Context, list []KeptSession) error
}

// KeptSession is one session as it outlives a restart.
type KeptSession struct {
	// Digest is the SHA-256 of the browser's secret.
	Digest [sha256.Size]byte
	// Person is the roster number.
	Person uint64
	// Began and Until are wall time.
	Began, Until time.Time
}

// kept is what sessions need to outlive a restart.
type kept struct {
	roll Roll
	now  func() time.Time
	log  *slog.Logger
}

// NewKeptSessions returns a gate's sessions with those of before the restart
// that still count: the person may be on duty, and the session would not be
// over. Now is wall time that should not go back from one start to the next: by
// a clock that was set back a session never outlives its 12 hours twice, and one
// that has yet to begin is none.
//
// Who loses every duty or leaves the roster is signed off at once. What cannot
// be kept goes on until the next restart and is logged.
func NewKeptSessions(ctx context.Context, roll Roll, now func() time.Time, log *slog.Logger) *Sessions {
	s := NewSessions(roll)
	s.kept = &kept{roll, now, log.With("component", "web")}
	list, err := roll.Sessions(ctx)
	if err != nil {
		s.kept.log.Error("sessions not read; everybody signs on again", "err", err)
		return s
	}
	for _, k := range list {
		left := k.Until.Sub(now())
		if k.Began.After(now()) || left <= 0 || left > SessionLife {
			continue
		}
		s.open = append(s.open, session{k.Digest, Person{ID: k.Person}, k.Began, time.Now().Add(left)})
	}
	s.expire()
	return s
}

// wall is the beginning of a session that begins now.
func (s *Sessions) wall() time.Time {
	if s.kept == nil {
		return time.Time{} // nobody reads it
	}
	return s.kept.now()
}

// keep writes the sessions down. The caller holds changing, so that an older
// list never replaces a newer one. The browser may leave meanwhile; what it
// asked for was done.
func (s *Sessions) keep(ctx context.Context) {
	if s.kept == nil {
		return
	}
	s.mu.Lock()
	list := make([]KeptSession, 0, len(s.open))
	for _, o := range s.open {
		list = append(list, KeptSession{o.digest, o.person.ID, o.began, o.began.Add(SessionLife)})
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepWithin)
	defer cancel()
	if err := s.kept.roll.KeepSessions(ctx, list); err != nil {
		s.kept.log.Error("sessions not kept; the next restart forgets the change", "err", err)
	}
}
