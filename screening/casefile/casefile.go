// Package casefile knows one case: somebody who was taken out of the school's
// day because of what was found, from the moment it was opened until the person
// is back in class, at home or in hospital. It is a pure state machine: a step
// goes in, the next state or a refusal comes out. A case whose person went away
// ends when they are back by the rule of their diagnosis. It knows the rules too:
// who is told of a case within which time, and what is asked of who comes back.
//
// It does not know what a step is written to, who shows it, what time it is or
// what anybody is called.
package casefile

import (
	"errors"
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// Why a step was not taken.
var (
	// ErrOver says that the case takes no steps: it has ended, or never began.
	ErrOver = errors.New("the case has ended")
	// ErrOrder says that the step does not come next.
	ErrOrder = errors.New("the step is not open now")
	// ErrFever says that nobody goes back to class after a fever was measured,
	// or for a reason that no thermometer answers.
	ErrFever = errors.New("not with what was found")
	// ErrEvent says that the step itself is incomplete or out of range.
	ErrEvent = errors.New("the step is incomplete")
	// ErrEarly says that the wait of the diagnosis is not over by then.
	ErrEarly = errors.New("the wait is not over")
	// ErrProof says that what was shown is less than what is asked.
	ErrProof = errors.New("the proof is not enough")
)

// Step is one kind of step. The numbers stand in the journal for ever.
type Step uint8

// The steps. Zero is none.
const (
	Opened           Step = 1
	Escorted         Step = 2  // somebody brings the person to the room
	Arrived          Step = 3  // received in the room, by name
	Measured         Step = 4  // under the arm
	Called           Step = 5  // a guardian was telephoned
	BackToClass      Step = 6  // the recheck was normal: no fever, no certificate
	NotThisPerson    Step = 7  // it was never about this person
	HomeWithGuardian Step = 8  // handed over
	ToHospital       Step = 9  // with an ambulance or with staff
	Identified       Step = 10 // who it is, where nobody knew
	_                Step = 11 // stands in the journal for what is about no case
	Told             Step = 12 // an addressee of a duty was told
	Suspected        Step = 13 // of a disease that is reported
	Diagnosed        Step = 14 // by whoever may say so, or by the guardian's word
	Dated            Step = 15 // when it began, or when the symptoms ended
	ReturnCleared    Step = 16 // may come back, on the proof that was shown
	Returned         Step = 17 // is back
	Corrected        Step = 18 // a step before it was not as it says
	Placed           Step = 19 // at a bed of the room
)

// String returns the step's word.
func (s Step) String() string {
	names := [...]string{
		"none", "opened", "escorted", "arrived", "measured", "called", "back-to-class", "not-this-person", "home", "hospital", "identified",
		"muted", "told", "suspected", "diagnosed", "dated", "return-cleared", "returned", "corrected", "placed",
	}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Origin is where a case was opened. The numbers stand in the journal.
type Origin uint8

// The origins. Zero is none.
const (
	FromGate   Origin = 1
	FromClass  Origin = 2
	FromRoom   Origin = 3 // the person is in the room already
	FromOffice Origin = 4
)

func origins() []string { return []string{"", "gate", "class", "room", "office"} }

// String returns the origin's word, empty for none.
func (o Origin) String() string {
	if list := origins(); int(o) < len(list) {
		return list[o]
	}
	return ""
}

// ParseOrigin returns the origin of a word that String returns.
func ParseOrigin(word string) (Origin, bool) {
	i := slices.Index(origins(), word)
	return Origin(max(i, 0)), i > 0
}

// Call is what came of a call to a guardian. The numbers stand in the journal.
type Call uint8

// The outcomes of a call. Zero is none.
const (
	Reached  Call = 1
	NoAnswer Call = 2
	Busy     Call = 3
)

func calls() []string { return []string{"", "reached", "no-answer", "busy"} }

// String returns the outcome's word, empty for none.
func (c Call) String() string {
	if list := calls(); int(c) < len(list) {
		return list[c]
	}
	return ""
}

// ParseCall returns the outcome of a word that String returns.
func ParseCall(word string) (Call, bool) {
	i := slices.Index(calls(), word)
	return Call(max(i, 0)), i > 0
}

// Relation is what an adult who takes a child home is to it. The numbers stand
// in the journal.
type Relation uint8

// The relations. Zero is none.
const (
	Mother      Relation = 1
	Father      Relation = 2
	Grandparent Relation = 3
	Other       Relation = 4
)

func relations() []string { return []string{"", "mother", "father", "grandparent", "other"} }

// String returns the relation's word, empty for none.
func (r Relation) String() string {
	if list := relations(); int(r) < len(list) {
		return list[r]
	}
	return ""
}

// ParseRelation returns the relation of a word that String returns.
func ParseRelation(word string) (Relation, bool) {
	i := slices.Index(relations(), word)
	return Relation(max(i, 0)), i > 0
}

const (
	// ArriveWithin is how soon after the case was opened the person is to be in
	// the room. A fevered child that walks to class by itself is the worst that
	// a morning brings.
	ArriveWithin = 5 * time.Minute
	// ExitFor is how long after the hand-over the way out stands open to a child
	// that goes home.
	ExitFor = 30 * time.Minute

	// The range of a temperature that a person reads off a thermometer.
	lowest, highest screening.MilliC = 30_000, 43_000
	// maxFound and maxWord bound what was found, in words and bytes each.
	maxFound, maxWord = 16, 32
	// maxEvents bounds a case; a day of calls that nobody answers has fewer.
	maxEvents = 200
	// maxBy is how many names stand in a step.
	maxBy = 2
	// Beds is how many places a room has, 1 and up.
	Beds = 20
)

// Axilla is the instrument of the room where nobody names another.
const Axilla = "axilla"

// Drill is the word in Found of a case that was opened to train.
const Drill = "drill"

// What Dated says, as the word in Reason.
const (
	Onset       = "onset"
	SymptomsEnd = "symptoms-end"
)

// Event is one step with what belongs to it.
type Event struct {
	Step Step
	// At is when it happened, which is before it was entered where Late.
	At   time.Time
	Late bool
	// By are the roster numbers of one or two who acted; a gate opens a case by
	// itself, and then there are none.
	By []uint64
	// Value of Opened and Measured, and Limit, the lowest temperature that was a fever under
	// the policy then in force, of Measured.
	Value, Limit screening.MilliC
	// Instrument of Measured is a word, Axilla where it is empty.
	Instrument string
	// Call and Guardian, 1 or 2 as the roster lists them, of Called.
	Call     Call
	Guardian uint8
	// Relation of HomeWithGuardian.
	Relation Relation
	// Reason is a closed word: of NotThisPerson and Corrected why, of
	// HomeWithGuardian how it is known who took the child, of Told the duty's ID, of
	// Suspected and Diagnosed the diagnosis, of Dated Onset or SymptomsEnd.
	Reason string
	// Subject of Identified is a roster number.
	Subject uint64
	// Proof of ReturnCleared is what was shown, and Asked what the rules in force
	// asked for.
	Proof, Asked Proof
	// From of Dated is the moment that it says. Of ReturnCleared Wait counts from it
	// by the rules in force, and On is the midnight that begins the day on which the
	// person may come.
	From, On time.Time
	Wait     time.Duration
	// Place of Placed is a bed, 1 to Beds.
	Place uint8
	// Corrects of Corrected is which step it is about: 1 is Opened. A measurement is
	// replaced by Value and Limit; anything else was never so.
	Corrects uint16
}

// Opening is what a case begins with.
type Opening struct {
	// Number by which staff call it, 1 to 999.
	Number uint16
	Origin Origin
	// Subject is a roster number, 0 while nobody knows who it is.
	Subject uint64
	// Found are closed words: reasons of a stop, or symptoms.
	Found []string
	// Value is what the gate measured, 0 where it measured nothing.
	Value screening.MilliC
	// Rounds is Rules.Rounds when the case was opened; 0 is 1.
	Rounds uint8
	At     time.Time
	Late   bool
	By     []uint64
}

// Phase is how far a case has come.
type Phase uint8

// The phases. The zero value takes no step.
const (
	None    Phase = iota
	Coming        // on the way to the room
	Here          // in the room
	Away          // at home or in hospital: the return is owed
	Cleared       // may come back
	Closed
)

// Case is one case. It is never changed: Step returns the next one.
type Case struct {
	Number  uint16
	Origin  Origin
	Subject uint64
	Found   []string
	// Rounds are how many measurements the rules asked for at its opening, 1 to 3.
	Rounds uint8
	// Events begins with Opened.
	Events []Event
	// now are the events as corrections left them, each in its place; Step is 0 of
	// one that was never so.
	now   []Event
	phase Phase
}

// Open begins a case.
func Open(o Opening) (Case, error) {
	bad := func(word string) bool { return !isWord(word) }
	if o.Number < 1 || o.Number > 999 || o.Origin < FromGate || o.Origin > FromOffice || o.Rounds > maxRounds ||
		len(o.By) > maxBy || len(o.Found) > maxFound || slices.ContainsFunc(o.Found, bad) {
		return Case{}, ErrEvent
	}
	c := Case{
		Number: o.Number, Origin: o.Origin, Subject: o.Subject, Found: slices.Clone(o.Found), Rounds: max(o.Rounds, 1), phase: Coming,
		Events: []Event{{Step: Opened, At: o.At, Late: o.Late, By: slices.Clone(o.By), Value: o.Value, Subject: o.Subject}},
	}
	c.now = slices.Clone(c.Events)
	if o.Origin == FromRoom {
		c.phase = Here
	}
	return c, nil
}

// Step returns the case after a step, or why the step is not taken: then the
// case is as it was. It is total.
func (c Case) Step(e Event) (Case, error) {
	if c.phase == None || c.phase == Closed {
		return c, ErrOver
	}
	if len(e.By) < 1 && e.Step != Returned || len(e.By) > maxBy || e.Reason != "" && !isWord(e.Reason) {
		return c, ErrEvent
	}
	next, err := c.after(e)
	if err != nil {
		return c, err
	}
	if next == c.phase && len(c.Events) >= maxEvents { // its end is always taken
		return c, ErrEvent
	}
	if e.Step == Identified {
		c.Subject = e.Subject
	}
	e.By = slices.Clone(e.By)
	c.Events = append(slices.Clip(c.Events), e)
	c.now = append(slices.Clone(c.now), e)
	if e.Step == Corrected {
		c.correct(e)
	}
	c.phase = next
	return c, nil
}

// correct takes a correction into c.now, which is the case's own.
func (c Case) correct(e Event) {
	x := &c.now[e.Corrects-1]
	if x.Step == Measured {
		x.Value, x.Limit = e.Value, e.Limit
		return
	}
	*x = Event{}
}

// after returns the phase that a step leads to.
func (c Case) after(e Event) (Phase, error) {
	inside := c.phase == Coming || c.phase == Here
	switch e.Step {
	case Escorted, Arrived:
		switch {
		case c.phase != Coming:
			return c.phase, ErrOrder
		case e.Step == Arrived:
			return Here, nil
		}
	case Measured:
		switch {
		case c.phase != Here:
			return c.phase, ErrOrder
		case !e.measures() || e.Instrument != "" && !isWord(e.Instrument):
			return c.phase, ErrEvent
		}
	case Called:
		switch {
		case c.Subject == 0:
			return c.phase, ErrOrder
		case e.Call < Reached || e.Call > Busy || e.Guardian < 1 || e.Guardian > 2:
			return c.phase, ErrEvent
		}
	case Identified:
		switch {
		case c.Subject != 0 || c.phase == Cleared:
			return c.phase, ErrOrder
		case e.Subject == 0:
			return c.phase, ErrEvent
		}
	case Placed:
		switch {
		case !inside:
			return c.phase, ErrOrder
		case e.Place < 1 || e.Place > Beds:
			return c.phase, ErrEvent
		}
	case Told, Suspected, Diagnosed, Dated, Corrected:
		return c.noting(e)
	case ReturnCleared, Returned:
		return c.returning(e)
	default:
		return c.ending(e, inside)
	}
	return c.phase, nil
}

// measures reports whether an event holds a temperature that may be one.
func (e Event) measures() bool {
	return e.Value >= lowest && e.Value <= highest && e.Limit >= lowest && e.Limit <= highest
}

// noting returns the phase after what is only written down.
func (c Case) noting(e Event) (Phase, error) {
	switch e.Step {
	case Corrected:
		return c.correcting(e)
	case Dated:
		switch {
		case c.phase == Cleared:
			return c.phase, ErrOrder // what was cleared rests on it
		case e.From.IsZero() || e.Reason != Onset && e.Reason != SymptomsEnd:
			return c.phase, ErrEvent
		}
	default:
		switch {
		case e.Reason == "":
			return c.phase, ErrEvent
		case e.Step != Told && c.phase == Cleared:
			return c.phase, ErrOrder
		}
	}
	return c.phase, nil
}

// correcting returns the phase after a correction: what leads from one phase to
// another is not corrected but undone by a further step, except that a clearance
// is taken back as long as nobody has come by it.
func (c Case) correcting(e Event) (Phase, error) {
	if e.Reason == "" || e.Corrects < 1 || int(e.Corrects) > len(c.now) {
		return c.phase, ErrEvent
	}
	switch x := c.now[e.Corrects-1]; x.Step {
	case Measured:
		if !e.measures() {
			return c.phase, ErrEvent
		}
	case Called, Told, Placed:
	case Suspected, Diagnosed, Dated:
		if c.phase == Cleared {
			return c.phase, ErrOrder
		}
	case ReturnCleared:
		return Away, nil // while it stands the case is Cleared
	default:
		return c.phase, ErrOrder
	}
	return c.phase, nil
}

// returning returns the phase after a step of the way back.
func (c Case) returning(e Event) (Phase, error) {
	if e.Step == Returned {
		if c.phase != Cleared {
			return c.phase, ErrOrder
		}
		return Closed, nil
	}
	switch {
	case c.phase != Away || c.Subject == 0:
		return c.phase, ErrOrder
	case e.Asked < GuardiansWord || e.Asked > IsolationRelease || e.Proof > IsolationRelease || e.On.IsZero() || e.Wait < 0 || e.Wait > maxWait:
		return c.phase, ErrEvent
	case e.Proof < e.Asked:
		return c.phase, ErrProof
	case e.Wait > 0 && (e.From.IsZero() || !OverBy(e.From.Add(e.Wait), e.On)):
		return c.phase, ErrEarly
	}
	return Cleared, nil
}

// OverBy reports whether a wait that ends at a moment is over in the course of
// the day that begins at the midnight day.
func OverBy(end, day time.Time) bool { return end.Before(day.Add(24 * time.Hour)) }

// ending returns the phase after a step that ends the stay.
func (c Case) ending(e Event, inside bool) (Phase, error) {
	switch {
	case e.Step < BackToClass || e.Step > ToHospital:
		return c.phase, ErrEvent
	case e.Step == NotThisPerson:
		if e.Reason == "" {
			return c.phase, ErrEvent
		}
		return Closed, nil
	case !inside:
		return c.phase, ErrOrder
	}
	switch e.Step {
	case BackToClass:
		switch {
		case c.Barred():
			return c.phase, ErrFever
		case !c.MayGoBack():
			return c.phase, ErrOrder
		}
		return Closed, nil
	case HomeWithGuardian:
		switch {
		case c.Subject == 0: // nobody is handed over who is not known
			return c.phase, ErrOrder
		case e.Relation < Mother || e.Relation > Other || e.Reason == "":
			return c.phase, ErrEvent
		}
	}
	return Away, nil
}
