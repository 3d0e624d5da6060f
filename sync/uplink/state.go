package uplink

import (
	"errors"
	"fmt"
	"time"
)

// Phase is how an uplink is.
type Phase uint8

// The phases. The zero value sends nothing.
const (
	Off        Phase = iota // not running
	Connecting              // no session, or no answer of the collector in it yet
	Silent                  // connected, but the collector has not answered for 30 s
	Streaming               // the collector answers
	Diverged                // the collector's word and the journal contradict each other
	Refused                 // the broker refuses the gate
)

// String names the phase in lower case.
func (p Phase) String() string {
	names := [...]string{"off", "connecting", "silent", "streaming", "diverged", "refused"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("phase %d", uint8(p))
}

// Cause is the key of the sentence that says why all is not well.
type Cause string

// The causes.
const (
	CauseNone        Cause = ""
	CauseUnreachable Cause = "broker-unreachable"    // no session, or it was lost
	CauseRefused     Cause = "broker-refuses"        // name, password or permission
	CauseSilent      Cause = "collector-silent"      // nothing came: permission at the broker, or no collector
	CauseKey         Cause = "collector-key"         // what came is not signed by the collector's key
	CauseStuck       Cause = "collector-takes-none"  // it answers, and stores nothing that is sent
	CauseRoot        Cause = "root-differs"          // at a size that both have
	CauseAhead       Cause = "collector-ahead"       // it has more than the gate
	CauseEpoch       Cause = "collector-newer-epoch" // it has a newer journal of this gate
	CauseJournal     Cause = "journal-unreadable"    // the gate's own
)

// State is what a page shows of an uplink.
type State struct {
	Phase Phase
	// Acked is how many entries the collector had when it last said so: in
	// another process, as long as Heard is zero. It can fall.
	Acked uint64
	// Size is how many entries there are.
	Size uint64
	// Heard is the gate's wall time of the collector's last signed word.
	Heard time.Time
	Cause Cause
}

// State returns the present state.
func (u *Uplink) State() State {
	size := u.o.Source.Head().Size
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.state
	s.Size = size
	return s
}

// change applies f to the state and tells who wants to know. It returns
// whether phase or cause are others than before.
func (u *Uplink) change(f func(*State)) bool {
	u.mu.Lock()
	before := u.state
	f(&u.state)
	after := u.state
	u.mu.Unlock()
	if after != before && u.o.Changed != nil {
		u.o.Changed()
	}
	turned := after.Phase != before.Phase || after.Cause != before.Cause
	if turned {
		u.log.Info("uplink changed", "phase", after.Phase.String(), "cause", string(after.Cause), "acked", after.Acked)
	}
	return turned
}

// enter changes phase and cause, but for an uplink that has diverged: that, no
// network can mend.
func (u *Uplink) enter(p Phase, c Cause) bool {
	return u.change(func(s *State) {
		if s.Phase != Diverged {
			s.Phase, s.Cause = p, c
		}
	})
}

func (u *Uplink) diverged() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state.Phase == Diverged
}

// lost says why there is no session, and logs it once.
func (u *Uplink) lost(err error) {
	phase, cause := Connecting, CauseUnreachable
	switch {
	case errors.Is(err, ErrRefused):
		phase, cause = Refused, CauseRefused
	case errors.Is(err, errJournal):
		cause = CauseJournal
	}
	if u.enter(phase, cause) {
		u.log.Warn("no session", "err", err)
	}
}
