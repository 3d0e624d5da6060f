package isolation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/menshen/menshen/web"
)

// Why the gate did not do what was pressed, beside web's PIN errors.
var (
	// ErrStale says that the case is no longer what the page showed.
	ErrStale = errors.New("case has changed")
	// ErrNotAllowed says that the step is not open in this case.
	ErrNotAllowed = errors.New("step is not allowed")
	// ErrOpen says that somebody's case is open already.
	ErrOpen = errors.New("case is open already")
	// ErrNotStored says that the journal does not store now.
	ErrNotStored = errors.New("not recorded")
	// ErrDigits says that no guardian's phone ends so.
	ErrDigits = errors.New("no guardian's phone ends with these digits")
	// ErrTime says that the time that was typed lies in the future.
	ErrTime = errors.New("time lies in the future")
	// ErrClock says that nobody vouches for the gate's clock, so that no time of
	// day can be taken from paper, and no wait is known to be over.
	ErrClock = errors.New("clock is not confirmed")
	// ErrEarly says that the wait of the diagnosis is not over by then.
	ErrEarly = errors.New("wait is not over")
	// ErrProof says that what was shown is less than what is asked.
	ErrProof = errors.New("proof is not enough")
)

// Room is the isolation room as the gate knows it. All methods are called from
// many goroutines.
type Room interface {
	// View returns the present state. It waits for nothing.
	View() View
	// Watch ticks whenever the view may have changed, until ctx ends.
	Watch(ctx context.Context) <-chan struct{}
	// Answer silences one alarm. It returns ErrStale where there is none.
	Answer(ctx context.Context, arrival string, by web.Person) error
	// Mute makes the buzzer silent for two minutes.
	Mute(ctx context.Context, by web.Person) error
}

// Cases takes what is done about them. What it returns nil of is durable.
type Cases interface {
	// Step takes one step, or returns ErrStale, ErrNotAllowed, ErrNotStored,
	// ErrOpen, ErrDigits, ErrEarly, ErrProof, ErrClock, one of web's PIN errors, or
	// why it failed.
	Step(ctx context.Context, s Step) error
	// Open opens a case of somebody in the room.
	Open(ctx context.Context, o Opening) (number int, err error)
	// Paper enters what was written on paper: that somebody came to the room and
	// was measured. It opens the case where there is none.
	Paper(ctx context.Context, p Paper) (number int, err error)
}

// Desk hands over children who were set aside at the gate: a parent may still
// stand there.
type Desk interface {
	// Waiting returns who was set aside as an arrival: the ticket for a number,
	// with name and class.
	Waiting(arrival string) (Case, bool)
	// HandOver opens the case if there is none, and ends it with the hand-over. It
	// returns what Step does.
	HandOver(ctx context.Context, arrival string, h HandOver, by web.Person) error
}

// People are those on the roster.
type People interface {
	// People returns who is present, in the order of the school's list.
	People() []Person
	// Leaders returns who may vouch for a hand-over.
	Leaders() []Person
}

// Person is somebody on the roster.
type Person struct {
	// ID is the roster number.
	ID          uint64
	Name, Class string // Class is empty of staff
}

// View is the room at one moment.
type View struct {
	School, Gate string
	// Now is the gate's clock in the gate's time zone.
	Now          time.Time
	ClockTrusted bool
	// Emergency is for how many minutes emergency passage is still in force at the
	// gate, 0 when it is not, and Passed how many it has let in.
	Emergency, Passed int
	// Drill is for how many minutes a drill goes on, 0 where there is none.
	Drill int
	// Clusters of like illness, the newest first.
	Clusters []web.Cluster
	// Alarms that nobody has answered, the oldest first.
	Alarms []Alarm
	// Muted says that the buzzer is silent although an alarm stands.
	Muted bool
	// Cases that are open, the longest wait first.
	Cases []Case
	// Leaving are those who may leave the school now.
	Leaving []Leaving
	// Returns are the cases of those who are away, the next to come back first.
	Returns []Case
	// Ended are the cases that ended today, the newest first.
	Ended []Ended
	// Diagnoses are those of the policy in force.
	Diagnoses []Diagnosis
}

// Alarm is one arrival that the room has not answered.
type Alarm struct {
	Arrival     string
	Name, Class string
	Since       time.Time
	// Recorded says that the alarm is durable; it sounds either way.
	Recorded bool
}

// Leaving is a child that was handed over.
type Leaving struct {
	Name, Class string
	Until       time.Time
}

// Case is one open case.
type Case struct {
	// Number is the ticket's, on the person's sticker.
	Number int
	// Version rises with every step; a press names the one that it saw.
	Version int
	// Name is the full name, empty where nobody knows who it is.
	Name, Class string
	Since       time.Time
	// Here says that the person is in the room; Late that they should be.
	Here, Late bool
	// Found are words behind "found.", Gate what the gate measured, "38.6" or empty;
	// InClass says that it was not the gate but a check in class, dormitory or bus.
	Found   []string
	Gate    string
	InClass bool
	// Temperature was measured last in the room, "36.9" or empty, with Instrument, a
	// word; Fever says that one of them was.
	Temperature string
	Instrument  string
	Fever       bool
	// Bring and Receive are the names of who brings and of who received.
	Bring, Receive string
	// Guardians as the roster lists them.
	Guardians []Guardian
	// Next is the step that comes next as a rule: arrived, identified, measured,
	// called, back-to-class or home.
	Next string
	// CanBack says that the person may go back to class.
	CanBack bool
	// Stored says that the entry which opened it is durable.
	Stored bool
	// Bed in the room, 1 and up, 0 for none.
	Bed int
	// Rounds are with how many instruments somebody is to be measured, and Round with
	// how many it was done.
	Round, Rounds int
	// Duties are who is to be told, in their order.
	Duties []Duty
	// Diagnosis is what was said last of what it is, empty for nothing; Suspected
	// says that it is no more than that.
	Diagnosis Words
	Suspected bool
	// Away says that the person went home or to hospital.
	Away bool
	Return
	// Log are the steps, the oldest first.
	Log []Logged
}

// Return is what is known of the way back of somebody who is away.
type Return struct {
	// When is "today", which is also what should have been before, "tomorrow",
	// "later", or "unknown" while something is to be said first.
	When string
	// Day is the one on which the person may come back; zero where it is unknown or
	// nothing is waited for.
	Day time.Time
	// Asked is the proof that is asked for.
	Asked string
	// From is the day from which the wait counts and which may be said: onset,
	// symptoms-end, or empty. AsksEnd says that nothing is known before it was.
	From    string
	AsksEnd bool
	// Cleared says that the person may come back on Day, by the proof Shown.
	Cleared bool
	Shown   string
}

// Words is one text in both languages, where it is not the page's own.
type Words struct{ Zh, En string }

// In returns the text in a language.
func (w Words) In(l web.Language) string {
	if l == web.English {
		return w.En
	}
	return w.Zh
}

// Duty is one addressee who is to be told of a case.
type Duty struct {
	// ID is a word.
	ID    string
	Name  Words
	Phone string // empty: the school's own list
	// Until is when the time runs out, on the gate's clock.
	Until time.Time
	// Soon says that three quarters of the time have passed, Over that all of it has.
	Soon, Over bool
	// Told says that it was done, By whom and At what time; By is empty where another
	// step did it.
	Told bool
	By   string
	At   time.Time
}

// Diagnosis is one that may be chosen.
type Diagnosis struct {
	// Word names it in entries.
	Word string
	Name Words
}

// Ended is a case that has ended.
type Ended struct {
	Number      int
	Name, Class string
	// How is the step that ended it.
	How string
	At  time.Time
}

// Logged is one step of a case.
type Logged struct {
	// Step counts from 1, Kind is its word.
	Step int
	Kind string
	At   time.Time
	By   string
	// Value was measured, "36.9" or empty.
	Value string
	// Void says that a correction took it back, Open that one may.
	Void, Open bool
}

// Guardian is an adult to be called.
type Guardian struct {
	// Number is 1 or 2.
	Number      uint8
	Name, Phone string
	// Call is what came of the last call, behind "call.", or empty.
	Call string
}

// Called reports whether any guardian was called. Until then, and again by a
// press, their phones are shown.
func (c Case) Called() bool {
	return slices.ContainsFunc(c.Guardians, func(g Guardian) bool { return g.Call != "" })
}

// The steps that a press takes, as words of package casefile.
const (
	StepEscorted   = "escorted"
	StepArrived    = "arrived"
	StepMeasured   = "measured"
	StepCalled     = "called"
	StepBack       = "back-to-class"
	StepNotThis    = "not-this-person"
	StepHome       = "home"
	StepHospital   = "hospital"
	StepIdentified = "identified"
	StepTold       = "told"
	StepSuspected  = "suspected"
	StepDiagnosed  = "diagnosed"
	StepDated      = "dated"
	StepCleared    = "return-cleared"
	StepReturned   = "returned"
	StepCorrected  = "corrected"
	StepPlaced     = "placed"
)

// Step is one press about a case.
type Step struct {
	Number, Version int
	// Kind is one of the steps; it says which of the next fields are set.
	Kind string
	// Value of measured, and of corrected where it is about one, in thousandths of a
	// degree Celsius, 30000 to 43000; Instrument of measured is axilla, ear or mercury.
	Value      int32
	Instrument string
	// Call is reached, no-answer or busy, and Guardian 1 or 2.
	Call     string
	Guardian uint8
	// Reason of not-this-person and corrected, one of the page's closed lists; the
	// duty of told, and the diagnosis of suspected and diagnosed, as View has them;
	// onset or symptoms-end of dated.
	Reason string
	// HandOver of home.
	HandOver
	// Subject of identified is a roster number.
	Subject uint64
	// Days of dated: the day that Reason names, as in Return, was so many days ago.
	Days int
	// Proof of return-cleared is what was shown, and Tomorrow says that it is for
	// tomorrow and not for today.
	Proof    string
	Tomorrow bool
	// Bed of placed, 1 to Beds.
	Bed int
	// Corrects of corrected is which step it is about.
	Corrects int
	By       web.Person
}

// Beds is how many places the room has.
const Beds = 20

// String names the step, and nothing that was typed.
func (s Step) String() string { return s.Kind }

// HandOver says who takes a child home, and how that is known: by Digits, the
// last four of a guardian's phone, or by the Leader who vouches with PIN.
type HandOver struct {
	// Relation is mother, father, grandparent or other.
	Relation string
	Digits   string
	Leader   uint64 // roster number, 0 where the digits are given
	PIN      string
}

// Opening is a case that is opened in the room.
type Opening struct {
	Subject uint64
	Found   []string
	By      web.Person
}

// Paper is what was written on paper while the pages could not be used.
type Paper struct {
	Subject uint64
	// Hour and Minute of today.
	Hour, Minute int
	Value        int32 // as in Step
	By           web.Person
}
