// Package casefile knows one case: somebody who was taken out of the school's
// day because of what was found, from the moment it was opened until the person
// is back in class, at home or in hospital. It is a pure state machine: a step
// goes in, the next state or a refusal comes out.
//
// It does not know what a step is written to, who shows it, what time it is or
// what anybody is called. What is asked of a person who comes back later will
// be further steps, from Away to Closed.
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
)

// String returns the step's word.
func (s Step) String() string {
	names := [...]string{
		"none", "opened", "escorted", "arrived", "measured", "called", "back-to-class", "not-this-person", "home", "hospital", "identified",
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
	// Call and Guardian, 1 or 2 as the roster lists them, of Called.
	Call     Call
	Guardian uint8
	// Relation of HomeWithGuardian.
	Relation Relation
	// Reason is a closed word: of NotThisPerson why, of HomeWithGuardian how it
	// is known who took the child.
	Reason string
	// Subject of Identified is a roster number.
	Subject uint64
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
	At    time.Time
	Late  bool
	By    []uint64
}

// Phase is how far a case has come.
type Phase uint8

// The phases. The zero value takes no step.
const (
	None   Phase = iota
	Coming       // on the way to the room
	Here         // in the room
	Away         // at home or in hospital: the return is owed
	Closed
)

// Case is one case. It is never changed: Step returns the next one.
type Case struct {
	Number  uint16
	Origin  Origin
	Subject uint64
	Found   []string
	// Events begins with Opened.
	Events []Event
	phase  Phase
}

// Open begins a case.
func Open(o Opening) (Case, error) {
	bad := func(word string) bool {
		return word == "" || len(word) > maxWord || slices.ContainsFunc([]byte(word), func(c byte) bool { return (c < 'a' || c > 'z') && c != '-' })
	}
	if o.Number < 1 || o.Number > 999 || o.Origin < FromGate || o.Origin > FromOffice ||
		len(o.By) > maxBy || len(o.Found) > maxFound || slices.ContainsFunc(o.Found, bad) {
		return Case{}, ErrEvent
	}
	c := Case{
		Number: o.Number, Origin: o.Origin, Subject: o.Subject, Found: slices.Clone(o.Found), phase: Coming,
		Events: []Event{{Step: Opened, At: o.At, Late: o.Late, By: slices.Clone(o.By), Value: o.Value, Subject: o.Subject}},
	}
	if o.Origin == FromRoom {
		c.phase = Here
	}
	return c, nil
}

// Step returns the case after a step, or why the step is not taken: then the
// case is as it was. It is total.
func (c Case) Step(e Event) (Case, error) {
	if c.phase != Coming && c.phase != Here {
		return c, ErrOver
	}
	if len(e.By) < 1 || len(e.By) > maxBy || len(e.Reason) > maxWord || len(c.Events) >= maxEvents {
		return c, ErrEvent
	}
	next, err := c.after(e)
	if err != nil {
		return c, err
	}
	if e.Step == Identified {
		c.Subject = e.Subject
	}
	e.By = slices.Clone(e.By)
	c.Events = append(slices.Clip(c.Events), e)
	c.phase = next
	return c, nil
}

// after returns the phase that a step leads to.
func (c Case) after(e Event) (Phase, error) {
	switch e.Step {
	case Escorted, Arrived:
		if c.phase != Coming {
			return c.phase, ErrOrder
		}
		if e.Step == Arrived {
			return Here, nil
		}
	case Measured:
		if c.phase != Here {
			return c.phase, ErrOrder
		}
		if e.Value < lowest || e.Value > highest || e.Limit < lowest || e.Limit > highest {
			return c.phase, ErrEvent
		}
	case Called:
		if c.Subject == 0 {
			return c.phase, ErrOrder
		}
		if e.Call < Reached || e.Call > Busy || e.Guardian < 1 || e.Guardian > 2 {
			return c.phase, ErrEvent
		}
	case Identified:
		if c.Subject != 0 {
			return c.phase, ErrOrder
		}
		if e.Subject == 0 {
			return c.phase, ErrEvent
		}
	default:
		return c.ending(e)
	}
	return c.phase, nil
}

// ending returns the phase after a step that ends the stay.
func (c Case) ending(e Event) (Phase, error) {
	switch e.Step {
	case BackToClass:
		switch {
		case c.Barred():
			return c.phase, ErrFever
		case c.phase != Here || !c.measured():
			return c.phase, ErrOrder
		}
		return Closed, nil
	case NotThisPerson:
		if e.Reason == "" {
			return c.phase, ErrEvent
		}
		return Closed, nil
	case HomeWithGuardian:
		switch {
		case c.Subject == 0: // nobody is handed over who is not known
			return c.phase, ErrOrder
		case e.Relation < Mother || e.Relation > Other || e.Reason == "":
			return c.phase, ErrEvent
		}
		return Away, nil
	case ToHospital:
		return Away, nil
	}
	return c.phase, ErrEvent
}
