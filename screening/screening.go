// Package screening knows what a person at a school gate brings as evidence,
// what a policy asks of that person, and which outcome follows: the pure
// function from an arrival to a decision.
//
// It knows no device, no clock, no database and no screen. It imports nothing
// but the standard library, so that the rules of admission can be read, tested
// and replayed by themselves.
package screening

import (
	"fmt"
	"time"
)

// MilliC is a temperature in thousandths of a degree Celsius: 37.3 °C is
// 37300.
type MilliC int32

// String writes one decimal, rounded half up: "37.3".
func (t MilliC) String() string { return t.format(1) }

// Near writes two decimals when t lies within 0.1 °C of the limit, three where
// two would round it onto the limit, and otherwise one.
func (t MilliC) Near(limit MilliC) string {
	if d := t - limit; d < -100 || d > 100 {
		return t.format(1)
	}
	s := t.format(2)
	if t != limit && s == limit.format(2) {
		return t.format(3)
	}
	return s
}

// Exact writes as few decimals as say it exactly, at least one.
func (t MilliC) Exact() string {
	switch {
	case t%100 == 0:
		return t.format(1)
	case t%10 == 0:
		return t.format(2)
	}
	return t.format(3)
}

func (t MilliC) format(decimals int) string {
	unit, sign, v := int64(100), "", int64(t)
	for range decimals - 1 {
		unit /= 10
	}
	if v < 0 {
		sign, v = "-", -v
	}
	v = (v + unit/2) / unit
	whole := 1000 / unit
	return fmt.Sprintf("%s%d.%0*d", sign, v/whole, decimals, v%whole)
}

// Outcome is what happens to an arrival. The zero value is Refer: a person
// must look.
type Outcome uint8

// The outcomes; their numbers stand in the journal and never change.
const (
	Refer   Outcome = 0 // a person must look
	Admit   Outcome = 1 // go in
	Recheck Outcome = 2 // measure again, with another instrument
	Isolate Outcome = 3 // isolation room
	Refuse  Outcome = 4 // no entry
)

// severity orders the outcomes: Admit < Recheck < Refer < Refuse < Isolate.
// A number that is no outcome is as severe as Isolate, so that it is never
// outvoted by a milder one.
func (o Outcome) severity() int {
	switch o {
	case Admit:
		return 0
	case Recheck:
		return 1
	case Refer:
		return 2
	case Refuse:
		return 3
	default:
		return 4
	}
}

// Worse returns the more severe of two outcomes.
func Worse(a, b Outcome) Outcome {
	if b.severity() > a.severity() {
		return b
	}
	return a
}

// String returns the outcome's name in lower case.
func (o Outcome) String() string {
	names := [...]string{"refer", "admit", "recheck", "isolate", "refuse"}
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Role is why a person comes to the school. The zero value is somebody of
// whom nothing is known; every row of a policy that names any role applies.
type Role uint8

// The roles; their numbers stand in the journal and never change.
const (
	RoleUnknown Role = 0
	Student     Role = 1
	Staff       Role = 2
	Service     Role = 3
	Visitor     Role = 4
)

// Direction of a lane. The zero value is In, the stricter one.
type Direction uint8

// The directions.
const (
	In  Direction = 0
	Out Direction = 1
	// Both is a row's alone: no lane and no arrival has it.
	Both Direction = 2
)

// Colour of a health code.
type Colour uint8

// The colours; the zero value says that none is known.
const (
	ColourUnknown Colour = 0
	Green         Colour = 1
	Yellow        Colour = 2
	Red           Colour = 3
	PopUp         Colour = 4 // the code shows a pop-up in place of a colour (rule 34)
)

// How a colour became known.
type How uint8

// The ways in which a colour becomes known. No scan verifies a colour: a
// provincial code is an opaque token, so either the list says it or a person
// looked at the phone.
const (
	HowUnknown How = 0
	FromRoster How = 1
	SeenByName How = 2
	// SeenPrinted: a person saw it on paper, which some policies let count.
	SeenPrinted How = 3
)

// Code is what is known of a health code.
type Code struct {
	Colour Colour
	// AsOf is when the colour was true; zero when unknown.
	AsOf time.Time
	How  How
	// Digest is the first 16 bytes of SHA-256 of an opaque scan, nil when
	// nothing was scanned. The scan itself is kept nowhere.
	Digest []byte
}

// Subject is the person as far as the roster knows.
type Subject struct {
	// ID is the roster number, assigned once and never reused; zero when the
	// person is not known.
	ID   uint64
	Role Role
	// Grade is as the roster writes it, "" when it is not known.
	Grade    string
	Boarding Boarding
}

// Proof is one thing that the roster, a pass or a person on duty says about
// somebody's evidence.
type Proof struct {
	// Of is the evidence; a star belongs to TripCard, a stay in an area of risk
	// to History.
	Of Evidence
	// Name of a Document or of something Seen.
	Name string
	// Bad says that it speaks against the person: a positive test, a star, a
	// missing mask.
	Bad bool
	// At is when it was true, taken or signed; zero when that is not known.
	At time.Time
}

// Shown says that a person on duty looked at what a row asks for.
type Shown struct {
	Row     string
	InOrder bool
}

// CaseState is what the person's case says.
type CaseState uint8

// The states of a case. Neither an open one nor an owed proof ever admits.
const (
	NoCase     CaseState = 0
	CaseOpen   CaseState = 1
	ReturnOwed CaseState = 2 // at home or in hospital; the proof of return was not seen
)

// Again says whether the same person was here before.
type Again uint8

// The ways of coming again.
const (
	NotAgain       Again = 0
	AgainInside    Again = 1 // came in today and did not go out since
	AgainElsewhere Again = 2 // at another lane or gate within the last 10 minutes
)

// Arrival is one subject at one lane with the evidence gathered for it.
type Arrival struct {
	Direction Direction
	Subject   Subject
	// Readings in the order in which they were taken; later ones by another
	// instrument answer earlier high ones.
	Readings []Reading
	Code     Code
	// Held says that a hold stands against the subject.
	Held bool
	// Place and Lane are where the check stands; lanes count from 1, 0 is none.
	Place Place
	Lane  uint8
	// Proofs and Shown are the evidence beside identity, temperature and colour.
	Proofs []Proof
	Shown  []Shown
	Case   CaseState
	Again  Again
	// NoSchool says that the school does not teach today.
	NoSchool bool
	// Now is when the evidence is judged, and ClockTrusted whether that time
	// was confirmed by a person or better. Time-limited evidence needs it.
	Now          time.Time
	ClockTrusted bool
}
