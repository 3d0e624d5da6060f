package guard

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/menshen/menshen/web"
)

// Why a gate did not do what was pressed, for the person to read.
var (
	// ErrStale says that the arrival or its version is no longer what the
	// page showed.
	ErrStale = errors.New("arrival has changed")
	// ErrNotAllowed says that this act is not open for this arrival.
	ErrNotAllowed = errors.New("act is not allowed")
	// ErrNoBadge says that nobody has a badge of that number.
	ErrNoBadge = errors.New("nobody has that badge")
	// ErrBusy says that the lane could not take the act now.
	ErrBusy = errors.New("lane is busy")
)

// Gate is what the page needs of a gate. All methods are called from many
// goroutines.
type Gate interface {
	// View returns the present state. It waits for no device and no disk. The
	// page does not write to what it returns.
	View() View
	// Watch ticks whenever the view may have changed, many changes in one
	// tick, until ctx ends. When the gate stops it closes the channel.
	Watch(ctx context.Context) <-chan struct{}
	// Changes counts what Watch ticks for. What time alone changes in a view is
	// not in it.
	Changes() uint64
	// Do takes one act, or returns ErrStale, ErrNotAllowed, ErrBusy, one of
	// web's PIN errors, or why it failed. The gate checks every rule itself:
	// that a button was shown proves nothing.
	Do(ctx context.Context, a Act) error
	// ConfirmClock takes the gate's present time for right, in the name of
	// who looked at it.
	ConfirmClock(ctx context.Context, by web.Person) error
}

// View is one gate at one moment.
type View struct {
	Gate, School string
	// Now is the gate's clock in the gate's time zone.
	Now time.Time
	// ClockTrusted says that Now was confirmed by a person or better.
	ClockTrusted bool
	// Problems, the worst first; the strip has one line for them.
	Problems []Problem
	// OnDuty are the names of who is signed on.
	OnDuty []string
	// Offer is what a scan has offered last, nil when nothing is. Pairing and
	// CanPair are the page's own to set: the code that stands, and whether
	// another may be asked for.
	Offer   *Offer
	Pairing *Pairing
	CanPair bool
	// Emergency is the emergency passage in force, nil when none is.
	Emergency *Emergency
	// Drill is for how many minutes a drill goes on, 0 where there is none.
	Drill int
	// Questions are asked until somebody answers.
	Questions []Question
	// CanDesk, CanRoom and CanEmergency are the page's own to set: where else
	// whoever is signed on here may go.
	CanDesk, CanRoom, CanEmergency bool
	Lanes                          []Lane
	// Asides in the order of their tickets.
	Asides []Aside
	// Held are the newest of those whom no lane admits and who wait under no ticket.
	Held []Held
	// Alarms, the oldest first.
	Alarms []Alarm
	// ArrivedToday subjects are in.
	ArrivedToday int
	// DoneAt is when the rest will be in at the present pace; zero while
	// nothing can be said.
	DoneAt time.Time
	// Policy is the limit in force, such as "≥ 37.3".
	Policy string
	// NoCodes says that no row in force looks at a health code, so that no page
	// speaks of one.
	NoCodes bool
	// Masks says that a row in force asks for them.
	Masks bool
	// Rules says which policy that is, and which comes next.
	Rules Rules
	// Attendance says that the policy in force asks for no temperature.
	Attendance bool
	// NotAccepted says that the gate was not accepted where it stands. CanSetUp says
	// that there is a page for that, to which the menu leads from this gate's own
	// screen while it was not accepted and nobody is signed on.
	NotAccepted, CanSetUp bool
	RosterSize            int
	// NotExpected of them have no school today.
	NotExpected int
}

// Expected is how many are to come today.
func (v View) Expected() int { return v.RosterSize - v.NotExpected }

// Held is somebody whom no lane admits.
type Held struct {
	// Name is masked: the screen faces the public.
	Name string
	// Reason stands in web's words behind "hold.".
	Reason string
}

// Rules is the policy in force by its number, 0 for the built-in one.
type Rules struct {
	Number uint32
	// Ended says that the built-in one is in force because no other is any more.
	Ended bool
	// Next has been taken and is in force from From on; both are zero where none
	// waits for its day.
	Next uint32
	From time.Time
	// SpacingCM is the distance in the queue in centimetres, and Staff how many stand
	// at each entrance; 0 where the policy asks for none. Nothing hangs on them.
	SpacingCM, Staff int
}

// Problem is one line of the strip: Key stands in web's words behind
// "problem.", Args are its {1}, {2}.
type Problem struct {
	Key  string
	Args []any
}

// Verdict is the picture of a lane. The zero value says nothing about anybody.
type Verdict uint8

// The verdicts.
const (
	None     Verdict = iota
	Wait             // something is still asked or being recorded
	Pass             // recorded and released: circle and tick
	Again            // measure again: triangle
	Stop             // step aside: octagon
	Unknown          // unknown code: square
	Attended         // the lane itself is out of order
)

// String returns the verdict's name as the page's style sheet uses it.
func (v Verdict) String() string {
	names := [...]string{"none", "wait", "pass", "again", "stop", "unknown", "attended"}
	if int(v) < len(names) {
		return names[v]
	}
	return "attended"
}

// Lane is one lane and the arrival in it.
type Lane struct {
	Number int
	// Direction is "in" or "out".
	Direction string
	// Phase is idle, gathering, recording, releasing, held or attended.
	Phase string
	// Arrival is "boot-counter", empty when there is none.
	Arrival string
	// Version rises with every change of the arrival; an act names the one
	// it was looking at.
	Version uint64
	Verdict Verdict
	// Word is the one large word, in web's words behind "word.".
	Word string
	// Reasons are the failed rows, in web's words behind "reason.", and Sentences
	// those that the policy has its own words for.
	Reasons   []string
	Sentences []Sentence
	// Temperature in degrees Celsius, "37.4"; empty when none was asked for.
	Temperature string
	// Limit is what Temperature was held against, "≥ 37.3".
	Limit string
	// Name is the full name; the page masks it.
	Name, Class string
	// Try of Tries measurements, both from 1; zero when there is one only.
	// The page shows them while another one may follow.
	Try, Tries int
	// Which acts the gate would take now.
	CanColour, CanType, CanOverride, CanAside, CanTurnAway, CanAcknowledge bool
	// CanBadge says that the lane goes on with badge numbers that are typed.
	CanBadge bool
	// CanMask and CanSymptoms may be noted of whoever stands there.
	CanMask, CanSymptoms bool
	// Colours may be said of a code, in the order of their buttons.
	Colours []string
	// Looks are the rows at which somebody may look.
	Looks []Look
	// Faults of the lane's devices, in web's words behind "fault.".
	Faults []string
	// UseLane is the lane that takes this lane's people while its scanner is
	// out; 0 when there is none.
	UseLane int
}

// Aside is a stopped arrival that was taken out of its lane. Whatever else the
// gate would take, it always takes that the person was turned away or, when it
// said isolate, that the person is in the isolation room (KindAcknowledge):
// nobody, not even one without a name, stays on the list for ever.
type Aside struct {
	// Ticket is the number by which staff call for the person.
	Ticket  int
	Arrival string
	Version uint64
	// Name is the full name; without a session the page masks it.
	Name, Class string
	// Reasons and Sentences are as a lane has them.
	Reasons     []string
	Sentences   []Sentence
	Temperature string
	Since       time.Time
	// Due is when somebody who was too cold to be judged may be measured again at
	// any lane; zero for everybody else.
	Due time.Time
	// Which acts the gate would take now.
	CanColour, CanType bool
	// Colours and Looks are as a lane has them.
	Colours []string
	Looks   []Look
	// Isolate says that the person goes to the isolation room.
	Isolate bool
}

// Sentence is what a guard can read out, in both languages; either may be empty.
type Sentence struct{ Zh, En string }

// Look is one row of the policy at which a person on duty can look.
type Look struct {
	// Row is its name.
	Row string
	// Say is the policy's own sentence, empty where it has none.
	Say Sentence
	// Evidence stands in web's words behind "evidence."; Name says which paper or
	// thing it is, where there are several.
	Evidence, Name string
}

// Alarm is one abnormal arrival that the isolation room must answer.
type Alarm struct {
	Arrival     string
	Name, Class string
	Since       time.Time
	// Recorded says that the alarm is durable; it sounds either way.
	Recorded bool
	// Acknowledged says that the isolation room has answered.
	Acknowledged bool
}

// The kinds of an act.
const (
	KindColour      = "colour"      // a code's colour was seen
	KindType        = "type"        // a temperature was typed
	KindTurnAway    = "turn-away"   // the person leaves the gate
	KindOverride    = "override"    // admit by name, PIN and reason
	KindAside       = "aside"       // out of the lane, under a ticket
	KindAcknowledge = "acknowledge" // the stop was seen
	KindSilence     = "silence"     // the isolation room has answered an alarm
	KindLook        = "look"        // what a row asks for was looked at
	KindNote        = "note"        // a mask is missing, or somebody looks ill
)

// What may be said of a code beside its colour.
const (
	Printed = "printed" // a green on paper
	PopUp   = "pop-up"  // it shows a pop-up in place of a colour
)

// What may be noted.
const (
	NoteMask     = "no-mask"
	NoteSymptoms = "symptoms"
)

// Act is one press of a person on duty.
type Act struct {
	// Arrival and Version are what the person was looking at.
	Arrival string
	Version uint64
	// Kind is one of the kinds; it says which of the next fields are set.
	Kind string
	// Colour is green, yellow, red, Printed or PopUp.
	Colour string
	// Row that was looked at, and whether it was in order.
	Row     string
	InOrder bool
	// Note is NoteMask or NoteSymptoms.
	Note string
	// Value is the typed temperature in thousandths of a degree Celsius,
	// 30000 to 43000.
	Value int32
	// Instrument is ear, axilla, mercury or hand.
	Instrument string
	// Reason of an override: identity-checked, parent-confirmed,
	// leader-approved or device-fault.
	Reason string
	// PIN of By, given again for an override; the gate checks it.
	PIN string
	By  web.Person
}

// LogValue leaves out the PIN, the colour and the temperature.
func (a Act) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", a.Kind), slog.String("arrival", a.Arrival),
		slog.Uint64("version", a.Version), slog.Any("by", a.By))
}

// visible returns the part of v that a screen may show. Everybody sees the
// lanes and the strip, and a gate's screen faces the public, so names there are
// masked for everybody. Without a session no evidence, no full name and no act is left:
// what is not in the page cannot be read from it.
func visible(v View, signedOn bool) View {
	v.Lanes = slices.Clone(v.Lanes)
	for i := range v.Lanes {
		lane := &v.Lanes[i]
		lane.Name = web.Mask(lane.Name)
		if !signedOn {
			lane.Arrival, lane.Version = "", 0
			lane.Reasons, lane.Sentences, lane.Temperature, lane.Limit = nil, nil, "", ""
			lane.CanMask, lane.CanSymptoms, lane.CanBadge, lane.Colours, lane.Looks = false, false, false, nil, nil
			lane.CanColour, lane.CanType, lane.CanOverride = false, false, false
			lane.CanAside, lane.CanTurnAway, lane.CanAcknowledge = false, false, false
		}
	}
	duty := make([]string, 0, len(v.OnDuty))
	for _, name := range v.OnDuty {
		duty = append(duty, web.Mask(name))
	}
	v.OnDuty = duty
	if signedOn {
		// The page asks about the clock; the question stands for the problem.
		v.Problems = slices.DeleteFunc(slices.Clone(v.Problems), func(p Problem) bool { return p.Key == "clock-untrusted" })
		return v
	}
	asides := make([]Aside, 0, len(v.Asides))
	for _, a := range v.Asides {
		asides = append(asides, Aside{Ticket: a.Ticket, Name: web.Mask(a.Name), Class: a.Class, Since: a.Since})
	}
	alarms := slices.Clone(v.Alarms)
	for i := range alarms {
		alarms[i].Arrival, alarms[i].Name = "", web.Mask(alarms[i].Name)
	}
	v.Asides, v.Alarms = asides, alarms
	return v
}
