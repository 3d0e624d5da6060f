package district

import (
	"context"
	"time"

	"github.com/menshen/menshen/web"
)

// Collector is what the page needs of a collector. All methods are called from
// many goroutines.
type Collector interface {
	// View returns what is known now. The page does not write to it.
	View(ctx context.Context) (View, error)
	// Watch ticks whenever the view may have changed, many changes in one
	// tick, until ctx ends. When the collector stops it closes the channel.
	Watch(ctx context.Context) <-chan struct{}
	// Stands reports whether the token by which somebody signed in has not been
	// revoked since.
	Stands(ctx context.Context, p web.Person) bool
}

// State is how a gate is seen from its district.
type State uint8

// The states, the worst first: in this order gates stand on the page.
const (
	Diverged State = iota // what it signs is not what was collected
	Lost                  // its connection broke, and it did not say that it stops
	Quiet                 // connected, and nothing comes
	Never                 // admitted, and never heard of
	Unknown               // not heard of since the collector started
	Behind                // connected, and has more than is collected
	Stopped               // it stopped in good order: switched off
	Up                    // connected, and all that it has is here
	Revoked               // nothing is taken from it any more
)

// String returns the state's name, which stands in web's words behind "state.".
func (s State) String() string {
	names := [...]string{"diverged", "lost", "quiet", "never", "unknown", "behind", "stopped", "up", "revoked"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Bad says that somebody must see to the gate.
func (s State) Bad() bool { return s <= Never }

// View is what a collector knows at one moment. It names no person.
type View struct {
	// Name is the collector's, Title the district's.
	Name, Title string
	// Now is the collector's clock in its time zone.
	Now time.Time
	// Connected says that there is a session with the broker.
	Connected bool
	// Gates, the worst first.
	Gates []Gate
	// Alarms that were announced and whose entries are not here, the oldest first.
	Alarms []Alarm
	// Divergences and Refusals, the newest first.
	Divergences []Divergence
	Refusals    []Refusal
}

// Gate is one gate.
type Gate struct {
	Name, School string
	// Duty is whom to call.
	Duty  string
	State State
	// Since is when the state began, as far as it is known.
	Since time.Time
	// Last is the gate's own time of its newest entry here.
	Last time.Time
	// Backlog is how many entries the gate is known to have that are not here;
	// of a gate that is not connected nothing is known.
	Backlog uint64
	// BacklogKnown says that Backlog is the gate's word.
	BacklogKnown bool
	Today        Counts
}

// Counts are arrivals of one day, decided and inward, by outcome.
type Counts struct {
	Admit, Recheck, Refer, Refuse, Isolate uint64
}

// Alarm is one abnormal arrival that a gate announced.
type Alarm struct {
	Gate, School string
	// Seq is the number of its entry.
	Seq uint64
	// At is the gate's time of it, and Received the collector's.
	At, Received time.Time
}

// Divergence is one journal that is not what was collected of it.
type Divergence struct {
	Gate          string
	Epoch         uint32
	Noticed       time.Time
	Held, Claimed uint64
}

// Refusal is one message that was not let in. Anybody may have sent it: Gate
// and Reason are text from outside.
type Refusal struct {
	Gate, Reason string
	Received     time.Time
}
