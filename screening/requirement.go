package screening

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Evidence is what a requirement asks for: a closed vocabulary of two sorts. Of
// evidence that is *shown* an unknown one fails the row. Of evidence that
// *speaks* only what is known against somebody does: nobody can show that he
// does not cough.
type Evidence uint8

// The evidence. The numbers stand in no entry: rows are named there.
const (
	Identity    Evidence = 1 // shown: somebody on the roster, or a registered visitor
	Temperature Evidence = 2 // shown: a valid reading that is not high
	// NotBarred speaks: a known yellow, red or pop-up. See Ask.Colours.
	NotBarred Evidence = 3
	// PositiveGreen is shown: a green that is fresh, or that a person saw.
	PositiveGreen Evidence = 4
	TravelStar    Evidence = 5 // speaks: a star on the trip card is known
	// Tests are shown: Count negative nucleic-acid tests within Within, each two
	// Apart. A positive one speaks whatever else is shown.
	Tests        Evidence = 6
	Mask         Evidence = 7  // speaks: the guard saw that there is none
	Symptoms     Evidence = 8  // speaks: the guard or a parent said so
	Approval     Evidence = 9  // shown: a leader's, for a visit or a way out
	Registration Evidence = 10 // shown: on the roster, or in the book of visitors
	Window       Evidence = 11 // computed: the person's arrival window is open, see ArrivalWindow
	ReturnProof  Evidence = 12 // speaks: a case is open, or its proof of return is owed
	Household    Evidence = 13 // speaks: somebody at home is ill or barred
	Document     Evidence = 14 // shown: a paper by Name, a promise or a card
	History      Evidence = 15 // shown: the last Days days, in order
	Seen         Evidence = 16 // shown: something by Name that a person looked at
	Once         Evidence = 17 // computed: not in for the second time, nor at two lanes
	TripCard     Evidence = 18 // shown: a trip card without a star
	RiskArea     Evidence = 19 // speaks: a stay in an area of risk is known
)

func evidences() []string {
	return []string{"", "identity", "temperature", "not-barred", "green", "no-star", "tests", "mask", "no-symptoms", "approval",
		"registration", "window", "return-proof", "household", "document", "history", "seen", "once", "trip-card", "no-risk-area"}
}

// String returns the evidence's word, as policies write it.
func (e Evidence) String() string {
	if list := evidences(); int(e) < len(list) && e > 0 {
		return list[e]
	}
	return "unknown"
}

// ParseEvidence returns the evidence of a word that String returns.
func ParseEvidence(word string) (Evidence, bool) {
	i := slices.Index(evidences(), word)
	return Evidence(max(i, 0)), i > 0
}

// Lookable reports whether a person at the gate can look and say that it is in
// order. A thermometer, the roster and a case answer the rest.
func (e Evidence) Lookable() bool {
	switch e {
	case PositiveGreen, TripCard, Tests, Mask, Approval, Registration, Document, History, Seen:
		return true
	}
	return false
}

// Place is where a check stands. The zero value is the gate.
type Place uint8

// The places of rules 18 to 26.
const (
	Gate      Place = 0
	Dormitory Place = 1
	Canteen   Place = 2
	Bus       Place = 3
	Classroom Place = 4 // noon and evening checks
)

func places() []string { return []string{"gate", "dormitory", "canteen", "bus", "classroom"} }

// String returns the place's word.
func (p Place) String() string {
	if list := places(); int(p) < len(list) {
		return list[p]
	}
	return "unknown"
}

// ParsePlace returns the place of a word that String returns.
func ParsePlace(word string) (Place, bool) {
	i := slices.Index(places(), word)
	return Place(max(i, 0)), i >= 0
}

// Boarding says where a pupil sleeps. The zero value says that it is not known.
type Boarding uint8

// The ways to go to school.
const (
	BoardingUnknown Boarding = 0
	DayPupil        Boarding = 1
	Boarder         Boarding = 2
)

// Who is whom a row or a window is about; the zero value is everybody.
type Who struct {
	Roles Roles
	// Grades as the roster writes them; none is every grade.
	Grades   []string
	Boarding Boarding
}

// has reports whether s is meant. Somebody of whom nothing is known is asked
// everything.
func (w Who) has(s Subject) bool {
	return w.Roles.has(s.Role) &&
		(len(w.Grades) == 0 || s.Grade == "" || slices.Contains(w.Grades, s.Grade)) &&
		(w.Boarding == BoardingUnknown || s.Boarding == BoardingUnknown || s.Boarding == w.Boarding)
}

// everybody reports whether nobody is left out.
func (w Who) everybody() bool { return w.Roles == 0 && len(w.Grades) == 0 && w.Boarding == 0 }

// Minutes counts from midnight, 0 to 1440.
type Minutes int16

// DayLong is the last minute of a day.
const DayLong Minutes = 24 * 60

func minutesOf(t time.Time) Minutes {
	h, m, _ := t.Clock()
	return Minutes(h*60 + m)
}

// When is where and at which times a row is in force; the zero value is at the
// gate, on the way in, always. Where the clock cannot be trusted every date and
// hour counts as come.
type When struct {
	// Direction is In, Out or Both.
	Direction Direction
	Place     Place
	// SchoolDays leaves out days on which the school does not teach.
	SchoolDays bool
	// From and Until are days; the last one counts. Zero is no limit.
	From, Until time.Time
	// After and Before are minutes of the day; both 0 is the whole day.
	After, Before Minutes
}

func (w *When) has(a *Arrival) bool {
	if w.Direction != Both && w.Direction != a.Direction || w.Place != a.Place {
		return false
	}
	switch {
	case !a.ClockTrusted:
		return true
	case w.SchoolDays && a.NoSchool,
		!w.From.IsZero() && a.Now.Before(w.From),
		!w.Until.IsZero() && a.Now.Sub(w.Until) >= 24*time.Hour:
		return false
	case w.Before == 0:
		return true
	}
	now := minutesOf(a.Now)
	return now >= w.After && now < w.Before
}

// always reports whether the row is in force at every entry by the gate.
func (w When) always() bool {
	return w == When{Direction: w.Direction} && w.Direction != Out
}

// Colours is a set of colours.
type Colours uint8

// ColoursOf makes a set.
func ColoursOf(colours ...Colour) Colours {
	var s Colours
	for _, c := range colours {
		s |= 1 << c
	}
	return s
}

// barring is what NotBarred looks for unless Ask.Colours says otherwise.
const barring = Colours(1<<Yellow | 1<<Red | 1<<PopUp)

// Ask is one sort of evidence with what is asked of it.
type Ask struct {
	Evidence Evidence
	// Name of Document and Seen says which: a word of at most 40 bytes.
	Name string
	// Count of Tests, 1 to 4.
	Count uint8
	// Days of History, 1 to 30.
	Days uint8
	// Within is how old it may be; 0 is the policy's CodeAge of a green, and no
	// limit of anything else. Tests need one.
	Within time.Duration
	// Apart is the least time between two of the Tests.
	Apart time.Duration
	// Colours of NotBarred are those that speak; 0 is yellow, red and pop-up.
	Colours Colours
	// Paper lets a green count that was seen printed (rule 43).
	Paper bool
}

func (a Ask) check() error {
	named := a.Evidence == Document || a.Evidence == Seen
	switch {
	case a.Evidence < Identity || a.Evidence > RiskArea:
		return fmt.Errorf("evidence %d is unknown", a.Evidence)
	case named != (a.Name != "") || len(a.Name) > 40:
		return fmt.Errorf("%v: a document or a thing that is seen needs a name of at most 40 bytes, and nothing else has one", a.Evidence)
	case a.Evidence == Tests && (a.Count < 1 || a.Count > 4 || a.Within <= 0 || a.Apart < 0 || a.Apart*time.Duration(a.Count-1) > a.Within):
		return fmt.Errorf("tests: 1 to 4 of them, within a time in which they can stand apart")
	case a.Evidence != Tests && (a.Count != 0 || a.Apart != 0):
		return fmt.Errorf("%v has no count and nothing apart: tests have", a.Evidence)
	case a.Evidence == History && (a.Days < 1 || a.Days > 30), a.Evidence != History && a.Days != 0:
		return errors.New("a history has 1 to 30 days, and nothing else has days")
	case a.Within < 0 || a.Within > CodeAgeMost || a.Within != 0 && !a.Evidence.Lookable():
		return fmt.Errorf("%v may be 0 to %v old where it is shown, and has no age elsewhere", a.Evidence, CodeAgeMost)
	case a.Evidence != NotBarred && a.Colours != 0, a.Colours&^barring != 0:
		return errors.New("only not-barred names colours, of yellow, red and pop-up")
	case a.Paper && a.Evidence != PositiveGreen:
		return errors.New("only a green is seen printed")
	}
	return nil
}

// Source is the text that demands a row.
type Source struct {
	// Document and Line are as the index of sources has them, for example "002"
	// and 1247; an empty Document says that no text demands the row.
	Document string
	Line     int
	Quote    string
	// Rules are the numbers of the rules that the row carries out.
	Rules []uint8
}

// Requirement is one row of a policy. It holds when its Ask does, or one of Or.
type Requirement struct {
	// ID names the row in decisions and entries; 1–40 bytes, unique.
	ID string
	Who
	When
	Ask
	// Or are other evidence that serves as well: at most 7.
	Or []Ask
	// Fail is the outcome when the evidence speaks against the person. Missing
	// evidence is Refuse where Fail is, and else Refer, but for a cold forehead,
	// which is Recheck.
	Fail Outcome
	// Warn lists the row in the decision without deciding.
	Warn bool
	// Say is the sentence that a guard can read out when the row fails; empty is
	// the reason's own.
	Say    Text
	Source Source
}

// Check returns the first fault that the row has by itself.
func (r Requirement) Check() error {
	if r.ID == "" || len(r.ID) > 40 {
		return errors.New("its name must have 1 to 40 bytes")
	}
	if r.Direction > Both {
		return fmt.Errorf("direction %d is unknown", r.Direction)
	}
	if r.Place > Classroom || r.Boarding > Boarder || len(r.Grades) > 32 || len(r.Or) > 7 {
		return errors.New("its place or its people are unknown, or it names more than 32 grades or 8 sorts of evidence")
	}
	if r.After < 0 || r.Before > DayLong || r.Before != 0 && r.After >= r.Before || r.Before == 0 && r.After != 0 ||
		!r.From.IsZero() && !r.Until.IsZero() && r.Until.Before(r.From) {
		return errors.New("it ends before it begins")
	}
	for _, a := range append([]Ask{r.Ask}, r.Or...) {
		if err := a.check(); err != nil {
			return err
		}
	}
	if len(r.Or) > 0 && slices.ContainsFunc(append([]Ask{r.Ask}, r.Or...), func(a Ask) bool { return a.Evidence == Temperature }) {
		return errors.New("nothing else serves for a temperature")
	}
	if utf8.RuneCountInString(r.Say.Zh) > 40 || len(r.Say.En) > 120 {
		return errors.New("what the guard reads out has more than 40 Chinese characters or 120 English ones")
	}
	if r.Fail == Admit || r.Fail > Refuse {
		return fmt.Errorf("failing it must stop at a person, not %v", r.Fail)
	}
	return nil
}

// Lookable reports whether a person can answer the row by looking.
func (r Requirement) Lookable() bool {
	return r.Ask.Evidence.Lookable() || slices.ContainsFunc(r.Or, func(a Ask) bool { return a.Evidence.Lookable() })
}

// ArrivalWindow is when some people may come in, or go out. Whoever no window
// names may always.
type ArrivalWindow struct {
	Who
	Direction Direction // In or Out
	// From and To are minutes of the day.
	From, To Minutes
	// Lanes are those that serve it; none is all.
	Lanes []uint8
}

// Check returns what is wrong with the window.
func (w ArrivalWindow) Check() error {
	if w.Direction > Out || w.From < 0 || w.From >= w.To || w.To > DayLong || len(w.Lanes) > 16 || len(w.Grades) > 32 || w.Boarding > Boarder {
		return errors.New("it ends before it begins, or has a direction, people or lanes that nobody knows")
	}
	return nil
}
