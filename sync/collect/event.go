package collect

import (
	"context"
	"sync"
	"time"

	"github.com/menshen/menshen/sync/wire"
)

// EventKind says what became of a message.
type EventKind uint8

// The kinds of event. A message that brings nothing new makes none.
const (
	EventHello     EventKind = iota + 1 // a gate is there, and Hello says how it is
	EventCommitted                      // Added entries are stored
	EventRefused                        // not let in, for Reason
	EventDiverged                       // signed by the gate, and not what is stored
	EventAlarm                          // Alarm is announced; repeated while its entry is not there
	EventStatus                         // Status, which nobody signed
	EventFailed                         // the store, for Reason; the gate comes again
)

// String returns the kind's word in lower case.
func (k EventKind) String() string {
	names := [...]string{EventHello: "hello", EventCommitted: "committed", EventRefused: "refused",
		EventDiverged: "diverged", EventAlarm: "alarm", EventStatus: "status", EventFailed: "failed"}
	if int(k) >= len(names) {
		return ""
	}
	return names[k]
}

// Event is what became of a message. It repeats what the store has, for pages
// that are open, and adds what is not worth storing.
type Event struct {
	Kind EventKind
	At   time.Time
	// Gate is an admitted gate, but for EventRefused and EventFailed: there it
	// is whatever the topic said. Empty where it named none.
	Gate string
	// Epoch and Size are of what is stored of the gate's newest journal; both
	// are 0 for EventRefused and EventFailed.
	Epoch uint32
	Size  uint64
	// Added is how many entries EventCommitted stored.
	Added int
	// Reason is a sentence without a name. In EventHello it is empty unless
	// something is wrong with the gate's journal.
	Reason string
	// Hello, Alarm and Status are those of the event of that name.
	Hello  wire.Hello
	Alarm  wire.Alarm
	Status wire.Status
}

// event begins an event about an admitted gate.
func (c *Collector) event(kind EventKind, g Gate) Event {
	return Event{Kind: kind, At: c.now(), Gate: g.Name, Epoch: g.Epoch, Size: g.Tree.Size()}
}

// fail tells of a fault. Nothing is answered: the gate keeps what it has.
func (c *Collector) fail(gate string, err error) {
	c.log.Error("message not dealt with", "gate", gate, "err", err)
	c.observe(Event{Kind: EventFailed, At: c.now(), Gate: gate, Reason: err.Error()})
}

// refuse tells of a message that is not let in, and keeps it apart while the
// allowance lasts.
func (c *Collector) refuse(ctx context.Context, gate string, payload []byte, reason error) {
	now := c.now()
	c.observe(Event{Kind: EventRefused, At: now, Gate: gate, Reason: reason.Error()})
	if !c.keep.take(now) {
		return
	}
	c.log.Warn("message refused", "gate", gate, "reason", reason)
	if err := c.store.Refuse(ctx, gate, reason.Error(), payload, now); err != nil {
		c.fail(gate, err)
	}
}

// keptPerSecond is how many refused messages are written down in a second. To
// write one costs a flush, for which the batches of honest gates wait.
const keptPerSecond = 10

// allowance counts what was written down in the present second.
type allowance struct {
	mu     sync.Mutex
	second int64
	taken  int
}

func (a *allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := now.Unix(); s != a.second {
		a.second, a.taken = s, 0
	}
	a.taken++
	return a.taken <= keptPerSecond
}
