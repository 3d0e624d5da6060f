package screening

import "slices"

// Reason says in one closed word why a row failed; screens turn it into a
// sentence.
type Reason uint8

// The reasons.
const (
	NoReason        Reason = iota
	NoPolicy               // there is no valid policy
	OnHold                 // a hold stands against the subject
	HardFeverSeen          // 38.5 °C or more
	RedCode                // a red code is known
	YellowCode             // a yellow code is known
	NoIdentity             // nobody known was scanned
	NoTemperature          // no valid reading
	TooCold                // the skin is too cold to be judged
	HighOnce               // at or above the threshold, one instrument
	HighTwice              // at or above the threshold, two instruments
	NoGreen                // no green is known
	GreenTooOld            // the green is older than the policy allows
	ClockUntrusted         // a dated proof cannot be judged by this clock
	LaneAttended           // the lane cannot record or cannot move its barrier
	AlreadyIn              // admitted less than 30 s ago and let in once more
	AmbientOutside         // the thermometer is outside its own temperature window
	PopUpCode              // the code shows a pop-up
	StarSeen               // a star on the trip card is known
	TestPositive           // a positive nucleic-acid test is known
	TestsMissing           // too few tests, or too close together
	TestsTooOld            // there are enough tests, and not enough are fresh
	NoMask                 // the guard saw that there is none
	SymptomsSeen           // somebody looks ill
	NotShown               // what the row asks for was not shown
	ShownTooOld            // it was shown, and is too old
	ShownBad               // it was shown, and speaks against the person
	TooEarly               // the arrival window is not open yet
	OutsideHours           // the window is over, or it is not the hour to leave
	OtherLane              // the window is open at another lane
	OpenCase               // a case is open
	ReturnNotProven        // the proof of return is owed
	HouseholdBad           // somebody at home is ill or barred
	RiskAreaStay           // a stay in an area of risk is known
	StillInside            // came in today and did not go out since
	SeenElsewhere          // at another lane or gate within the last minutes
	reasons
)

// String returns the reason's name as pages and exports use it.
func (r Reason) String() string {
	names := [...]string{
		"none", "no-policy", "on-hold", "hard-fever", "red-code", "yellow-code", "no-identity", "no-temperature",
		"too-cold", "high-once", "high-twice", "no-green", "green-too-old", "clock-untrusted", "lane-attended", "already-in", "ambient",
		"pop-up", "star", "test-positive", "tests-missing", "tests-too-old", "no-mask", "symptoms", "not-shown", "shown-too-old", "shown-bad",
		"too-early", "outside-hours", "other-lane", "open-case", "return-not-proven", "household", "risk-area", "still-inside", "elsewhere",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Failure is one row that did not hold.
type Failure struct {
	Row     string
	Reason  Reason
	Outcome Outcome
	// Warn says that the row is only listed.
	Warn bool
}

// Decision is the outcome of one arrival with every row that failed. The zero
// Decision refers to a person.
type Decision struct {
	Outcome  Outcome
	Failures []Failure
}

// Has reports whether a failure with the reason is listed.
func (d Decision) Has(r Reason) bool {
	for _, f := range d.Failures {
		if f.Reason == r {
			return true
		}
	}
	return false
}

// Overridable reports whether a person may turn the decision into Admit by
// name, PIN and reason: only Refer, and never fever, red, or a hold.
func (d Decision) Overridable() bool {
	return d.Outcome == Refer && !d.Lasting() && !d.Has(LaneAttended)
}

// lasting are the reasons that stay with the person, grave those that no
// recheck at the gate answers.
func lasting(r Reason) bool { return r == HighOnce || r == OnHold || grave(r) }

func grave(r Reason) bool {
	switch r {
	case HardFeverSeen, RedCode, YellowCode, PopUpCode, HighTwice, TestPositive, SymptomsSeen, OpenCase, ReturnNotProven:
		return true
	}
	return false
}

// Lasting reports whether the stop stays with the person, as a hold on every
// lane, when the arrival is over: fever, a barred colour, a standing hold.
func (d Decision) Lasting() bool { return d.enforced(lasting) }

// Repeated reports whether of what stays with the person the stop knows a
// standing hold and nothing that was found now.
func (d Decision) Repeated() bool {
	stood := func(r Reason) bool { return r == OnHold || r == OpenCase || r == ReturnNotProven }
	return d.enforced(stood) && !d.enforced(func(r Reason) bool { return lasting(r) && !stood(r) })
}

// enforced reports whether a row failed for such a reason and does more than
// warn.
func (d Decision) enforced(such func(Reason) bool) bool {
	return slices.ContainsFunc(d.Failures, func(f Failure) bool { return !f.Warn && such(f.Reason) })
}

// Grave reports whether nothing but a lift by name ends the hold that the stop
// leaves: no recheck at the gate does.
func (d Decision) Grave() bool { return d.enforced(grave) }

// Stop returns the decision with one more failure, and the worse outcome. It
// is how a lane adds what lies outside every policy.
func (d Decision) Stop(row string, why Reason, o Outcome) Decision {
	failures := append(append([]Failure(nil), d.Failures...), Failure{Row: row, Reason: why, Outcome: o})
	return Decision{Outcome: Worse(d.Outcome, o), Failures: failures}
}

// Rows of the bounds that stand above every policy.
const (
	rowPolicy = "bound/policy"
	rowHold   = "bound/hold"
	rowCase   = "bound/case"
	rowFever  = "bound/fever"
	rowRed    = "bound/red"
)

// Decide is total: every arrival under every policy has a decision, and only
// complete, valid evidence of every enforced row admits. It reads no clock and
// does no I/O.
func (p Policy) Decide(a Arrival) Decision {
	if !p.valid {
		return Decision{Failures: []Failure{{Row: rowPolicy, Reason: NoPolicy, Outcome: Refer}}}
	}
	d := Decision{Outcome: Admit}
	p.bounds(&d, &a)
	identified := false
	for i := range p.spec.Requirements {
		row := &p.spec.Requirements[i]
		if !row.When.has(&a) || !row.Who.has(a.Subject) {
			continue
		}
		identified = identified || row.Evidence == Identity && !row.Warn
		if why, o := p.judge(row, &a); why != NoReason {
			d.fail(row.ID, why, o, row.Warn)
		}
	}
	if !identified && a.Direction != Out {
		d.fail(rowPolicy, NoPolicy, Refer, false) // no policy lets in whom it does not ask for a name
	}
	return d
}

func (d *Decision) fail(row string, why Reason, o Outcome, warn bool) {
	d.Failures = append(d.Failures, Failure{Row: row, Reason: why, Outcome: o, Warn: warn})
	if !warn {
		d.Outcome = Worse(d.Outcome, o)
	}
}

// bounds fails what no policy lets in.
func (p Policy) bounds(d *Decision, a *Arrival) {
	if a.Held {
		d.fail(rowHold, OnHold, Refer, false)
	}
	switch a.Case {
	case NoCase:
	case ReturnOwed:
		d.fail(rowCase, ReturnNotProven, Refer, false)
	default:
		d.fail(rowCase, OpenCase, Refer, false)
	}
	if a.Code.Colour == Red {
		d.fail(rowRed, RedCode, Isolate, false)
	}
	for i := range a.Readings {
		if r := &a.Readings[i]; r.Peak >= HardFever && r.seen() {
			d.fail(rowFever, HardFeverSeen, Isolate, false)
			break
		}
	}
}

// judge returns NoReason when the evidence of the row is there and speaks for
// the person. Of several sorts that serve one is enough, unless another says
// what nobody can answer; where none serves, the first says why.
func (p Policy) judge(row *Requirement, a *Arrival) (Reason, Outcome) {
	if len(a.Shown) > 0 && row.Lookable() {
		switch shown, inOrder := a.shown(row.ID); {
		case shown && !inOrder:
			return ShownBad, Worse(row.Fail, Refer)
		case shown && !p.known(row, a):
			return NoReason, Admit
		}
	}
	why, o := p.ask(row, &row.Ask, a)
	for i := range row.Or {
		other, worse := p.ask(row, &row.Or[i], a)
		switch {
		case grave(why): // nothing else serves
		case grave(other):
			why, o = other, worse
		case other == NoReason:
			why, o = NoReason, Admit
		}
	}
	return why, o
}

// known reports whether of the evidence of the row something is known that no
// look at it can answer: a bad colour, or a positive test.
func (p Policy) known(row *Requirement, a *Arrival) bool {
	why, _ := p.ask(row, &row.Ask, a)
	return grave(why) || slices.ContainsFunc(row.Or, func(ask Ask) bool {
		why, _ := p.ask(row, &ask, a)
		return grave(why)
	})
}

// shown returns what a person said last of a row.
func (a *Arrival) shown(row string) (shown, inOrder bool) {
	for _, s := range a.Shown {
		if s.Row == row {
			shown, inOrder = true, s.InOrder
		}
	}
	return shown, inOrder
}

// ParseReason returns the reason with a name, NoPolicy for any other: a word
// that cannot be read never speaks for a person.
func ParseReason(name string) Reason {
	for r := NoReason; r < reasons; r++ {
		if r.String() == name {
			return r
		}
	}
	return NoPolicy
}
