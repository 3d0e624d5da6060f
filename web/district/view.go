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

// The states, the worst first: in this order gates stand on the page, those
// that are urgent before the others.
const (
	Diverged State = iota // what it signs is not what was collected
	Lost                  // its connection broke in an arrival window, and it did not say that it stops
	Idle                  // connected, and nobody has arrived in this window
	Quiet                 // connected, and nothing comes
	Never                 // admitted, and never heard of
	Unknown               // nobody has said whether it is connected
	Behind                // connected, and has more than is collected
	Stopped               // switched off: in good order, or outside the arrival windows
	Closed                // not there, and it is no school day
	Up                    // connected, and all that it has is here
	Revoked               // nothing is taken from it any more
)

// String returns the state's name, which stands in web's words behind "state.",
// and behind "todo." if the state can be urgent.
func (s State) String() string {
	names := [...]string{"diverged", "lost", "idle", "quiet", "never", "unknown", "behind", "stopped", "closed", "up", "revoked"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// View is what a collector knows at one moment. It names no person.
type View struct {
	// Name is the collector's, Title the district's.
	Name, Title string
	// Now is the collector's clock in its time zone.
	Now time.Time
	// Connected says that there is a session with the broker.
	Connected bool
	// Gates, those first that somebody must see to.
	Gates []Gate
	// Policies are those that were published, the newest first.
	Policies []Policy
	// Alarms that were announced and whose entries are not here, the oldest
	// first, and how many more there are.
	Alarms     []Alarm
	MoreAlarms int
	// Divergences, Refusals and Attempts, the newest first.
	Divergences []Divergence
	Refusals    []Refusal
	Attempts    []Attempt
}

// Gate is one gate.
type Gate struct {
	Name, School string
	// Duty is whom to call.
	Duty  string
	State State
	// Since is when the state began, as far as it is known.
	Since time.Time
	// Urgent says that somebody must see to the gate now.
	Urgent bool
	// Last is the gate's own time of its newest entry here.
	Last time.Time
	// Backlog is how many entries the gate is known to have that are not here;
	// of a gate that is not connected nothing is known.
	Backlog uint64
	// BacklogKnown says that Backlog is the gate's word.
	BacklogKnown bool
	Today        Counts
	Documents    Documents
	// Emergency is the emergency passage in force there, zero if none is.
	Emergency Emergency
}

// Emergency says since when, and until when, a gate lets people in by their
// temperature alone, by the gate's own clock.
type Emergency struct{ Since, Until time.Time }

// Documents is what stands at a gate of what was sent down.
type Documents struct {
	// Roster is the version of the roster in force, as the gate counts them; 0
	// where nothing is known, or nothing sent.
	Roster uint32
	// Policy is the number of the policy in force, 0 for the built-in one, and
	// Since since when; zero where no entry says it.
	Policy uint32
	Since  time.Time
	// Next is the policy that waits for From; both are zero where none does.
	Next uint32
	From time.Time
	// Missing is when the list of people was posted that the gate does not have
	// as it was posted; zero if it has, or none was.
	Missing time.Time
	// Refused is the gate's word of the newest document that it refused, text
	// from outside, at RefusedAt; empty if it refuses none.
	Refused   string
	RefusedAt time.Time
}

// Policy is one that was published.
type Policy struct {
	Number uint32
	// Zh and En are its title.
	Zh, En string
	// From is when it begins, zero for at once, and At when it was published.
	From, At time.Time
	// Of is to how many gates, Have how many of them have it or a newer one.
	Of, Have int
	// Missing are those that have said nothing of it, Refused those that have
	// refused it; what they say stands at the gate's own line.
	Missing, Refused []string
}

// Counts are arrivals of one day, decided and inward, by outcome.
type Counts struct {
	Admit, Recheck, Refer, Refuse, Isolate uint64
}

// Alarm is one abnormal arrival that a gate announced.
type Alarm struct {
	Gate, School string
	// Duty is whom to call.
	Duty string
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

// Attempt is what the broker did not let somebody do. Anybody may have tried.
type Attempt struct {
	// Gate is what they called themselves, empty if that is no gate's name.
	Gate string
	// Kind is login, client-id, speak, hear or length; it stands in web's words
	// behind "attempt.".
	Kind string
	// Detail is what they wanted, the last time: text from outside.
	Detail string
	// Times is how often, since the collector started.
	Times uint64
	Last  time.Time
}
