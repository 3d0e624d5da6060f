package lane

import (
	"time"

	"github.com/menshen/menshen/screening"
)

// Event is what happens to a lane.
type Event interface{ event() }

// Scan is one code, looked up against the roster, the holds and the rechecks
// of the last minutes by whoever delivers it.
type Scan struct {
	// Subject is who has the badge; the zero Subject when nobody has it.
	Subject screening.Subject
	// Opaque says that the text is no badge: a provincial health code or
	// something else that can be read and not verified.
	Opaque bool
	// Digest is the first 16 bytes of SHA-256 of the text.
	Digest []byte
	// Code is the colour that the roster knows.
	Code screening.Code
	// Named says that somebody at the desk named the subject, who has yet to
	// walk up to the lane.
	Named bool
	// Held says that a hold stands against the subject.
	Held bool
	// Recheckable says that a normal temperature, typed in by name and taken
	// with another instrument than HighBy, ends that hold.
	Recheckable bool
	HighBy      string
	// Carried is a normal reading by another instrument, taken with a name in
	// the last minutes: it serves instead of a new measurement.
	Carried *screening.Reading
	// Proofs are what roster, passes and visits say of all other evidence.
	Proofs []screening.Proof
	// Case and Again are what is known of the subject's cases and passages.
	Case  screening.CaseState
	Again screening.Again
	// Shown is what somebody looked at in the last minutes, away from the lane.
	Shown []screening.Shown
	// NoSchool says that the school does not teach today.
	NoSchool bool
}

// Sample is one measurement of the lane's thermometer. Fault says that there
// is none: an error, or no answer.
type Sample struct {
	screening.Sample
	Fault bool
}

// Presence is a change of the presence input.
type Presence struct{ On bool }

// Deadline is a timer that the lane asked for.
type Deadline struct{ Timer Timer }

// Recorded says that the record of an Append is durable.
type Recorded struct {
	Arrival uint32
	Act     Act
	Admits  bool
	Seq     uint64
}

// AppendFailed says that the record of an Append could not be stored. Whoever
// delivers it keeps every record that does not admit and tries it again.
type AppendFailed struct {
	Arrival uint32
	Act     Act
	Admits  bool
}

// Rested answers Release and Shut: OFF has been written, or why not. An answer
// to any Order but the newest is ignored, so that a late one never passes for
// the end of the pulse that runs.
type Rested struct {
	Order uint64
	Err   error
}

// Answer is what a person did about the current stop.
type Answer struct {
	// Token returns in Reply.
	Token uint64
	// Arrival and Version are what the person saw; anything else is stale.
	Arrival uint32
	Version uint64
	Act     Act
	// Colour that was seen, and Printed where that was on paper; Reading that was
	// typed.
	Colour  screening.Colour
	Printed bool
	Reading screening.Reading
	// Row that somebody looked at, and whether what it asks for was in order.
	Row     string
	InOrder bool
	// Of is what a note speaks of: a mask that is missing, or symptoms.
	Of screening.Evidence
	// Ticket under which the arrival is set aside.
	Ticket uint16
	// By are the roster numbers of who answers; never empty.
	By []uint64
	// Reason of an override, from the page's closed list.
	Reason string
}

// HoldPlaced says that a hold now stands against a subject. The lane whose own
// stop placed it is not told.
type HoldPlaced struct{ Subject uint64 }

// SeenMeanwhile says that the subject of the open arrival passes or stands
// somewhere else while it waits here, as Scan.Again would have said it. After the
// decision it changes nothing.
type SeenMeanwhile struct {
	Subject uint64
	Again   screening.Again
}

// Role of a lane's hardware.
type Role uint8

// The roles.
const (
	RoleScanner Role = iota + 1
	RoleThermometer
	RoleBarrier
	RolePresence
	RoleJournal
)

// String returns the role's name as entries and pages use it.
func (r Role) String() string {
	names := [...]string{"", "scanner", "thermometer", "barrier", "presence", "journal"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// DeviceLost and DeviceBack say that hardware vanished or returned. A barrier
// is back only after OFF has been written to it.
type (
	DeviceLost struct{ Role Role }
	DeviceBack struct{ Role Role }
)

// PolicyChanged brings a policy, taken when no arrival is open.
type PolicyChanged struct{ Policy screening.Policy }

// Stop lets the current arrival finish and begins no other.
type Stop struct{}

func (Scan) event()          {}
func (Sample) event()        {}
func (Presence) event()      {}
func (Deadline) event()      {}
func (Recorded) event()      {}
func (AppendFailed) event()  {}
func (Rested) event()        {}
func (Answer) event()        {}
func (HoldPlaced) event()    {}
func (SeenMeanwhile) event() {}
func (DeviceLost) event()    {}
func (DeviceBack) event()    {}
func (PolicyChanged) event() {}
func (Stop) event()          {}

// Effect is what a lane wants done.
type Effect interface{ effect() }

// Measure starts or ends sampling of the thermometer.
type Measure struct{ On bool }

// Append stores a record. Recorded or AppendFailed answers it.
type Append struct{ Record Record }

// Release pulses the barrier, or is the green lamp where none is fitted. With
// a barrier, Rested answers it.
type Release struct {
	Arrival uint32
	Seq     uint64
	// Order returns in Rested; it rises with every Release and Shut.
	Order uint64
}

// Shut writes OFF to the barrier at once; Rested answers it.
type Shut struct{ Order uint64 }

// Pattern is what lamps and buzzer of the lane show.
type Pattern uint8

// The patterns.
const (
	Dark   Pattern = iota
	Pass           // green, one beep
	Again          // amber, two low tones: not yet
	Halt           // red, until answered
	Attend         // red, the lane is out of service
)

// Signal shows a pattern.
type Signal struct{ Pattern Pattern }

// Alarm calls the isolation room. It follows the decision, not the record.
type Alarm struct {
	Arrival uint32
	Subject uint64
}

// SetTimer asks for a Deadline. A later timer of the same kind replaces it.
type SetTimer struct {
	Timer Timer
	After time.Duration
}

// SetAside says that a stopped arrival left the lane under a ticket.
type SetAside struct {
	Ticket   uint16
	Record   Record
	Arrival  screening.Arrival
	Decision screening.Decision
}

// Reply tells the person whether the answer was taken.
type Reply struct {
	Token uint64
	Err   error
}

func (Measure) effect()  {}
func (Append) effect()   {}
func (Release) effect()  {}
func (Shut) effect()     {}
func (Signal) effect()   {}
func (Alarm) effect()    {}
func (SetTimer) effect() {}
func (SetAside) effect() {}
func (Reply) effect()    {}

// timerKind tells a lane's timers apart.
type timerKind uint8

const (
	timerPrompt timerKind = iota
	timerWindow
	timerRecord
	timerGuard
	timerShow
	timerSettle
	timerGrace
	timerEmergency
	timerWrist
	timerKinds
)

// Timer names one setting of one timer. A Deadline with any other than the
// newest of its kind is ignored.
type Timer struct {
	kind timerKind
	gen  uint64
}

// Kind returns a small number per kind of timer, so that whoever runs the
// timers can keep one of each.
func (t Timer) Kind() int { return int(t.kind) }

// TimerKinds is how many kinds of timer a lane has.
const TimerKinds = int(timerKinds)

func (m *Machine) set(k timerKind, after time.Duration) {
	m.timers[k]++
	m.emit(SetTimer{Timer{k, m.timers[k]}, after})
}

func (m *Machine) cancel(kinds ...timerKind) {
	for _, k := range kinds {
		m.timers[k]++
	}
}

func (m *Machine) deadline(t Timer) {
	if t.kind >= timerKinds || t.gen != m.timers[t.kind] {
		return
	}
	switch t.kind {
	case timerPrompt:
		if m.cur != nil {
			m.cur.prompted = true
		}
		m.body.prompted = m.cfg.Presence && m.body.present
		m.bump()
	case timerWindow:
		if m.phase == Gathering {
			m.windowEnded()
		}
	case timerRecord:
		m.recordLate()
	case timerGuard:
		m.restOverdue()
	case timerShow:
		m.showOver()
	case timerSettle:
		m.body.settling = false
	case timerGrace:
		if m.phase == Gathering && m.cfg.Presence && !m.body.present {
			m.endUnfinished()
		}
	case timerEmergency:
		m.emergencyOver()
	case timerWrist:
		m.setWristFirst(WristFirst{})
	}
}

// showOver takes a result off the screen, but never while its barrier moves.
// The lamp of the one before goes dark even when the next is being served.
func (m *Machine) showOver() {
	switch {
	case m.phase == Releasing:
		m.set(timerShow, ShowPass)
	case m.phase == Gathering, m.phase == Recording:
		m.emit(Signal{Dark})
	case m.cur == nil:
		m.shown = nil
		if m.phase == Idle {
			m.emit(Signal{Dark})
		}
		m.bump()
	}
}
