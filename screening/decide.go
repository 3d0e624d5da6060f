package screening

import "slices"

// Reason says in one closed word why a row failed; screens turn it into a
// sentence.
type Reason uint8

// The reasons.
const (
	NoReason       Reason = iota
	NoPolicy              // there is no valid policy
	OnHold                // a hold stands against the subject
	HardFeverSeen         // 38.5 °C or more
	RedCode               // a red code is known
	YellowCode            // a yellow code is known
	NoIdentity            // nobody known was scanned
	NoTemperature         // no valid reading
	TooCold               // the skin is too cold to be judged
	HighOnce              // at or above the threshold, one instrument
	HighTwice             // at or above the threshold, two instruments
	NoGreen               // no green is known
	GreenTooOld           // the green is older than the policy allows
	ClockUntrusted        // a dated proof cannot be judged by this clock
	LaneAttended          // the lane cannot record or cannot move its barrier
	AlreadyIn             // admitted less than 30 s ago and let in once more
	AmbientOutside        // the thermometer is outside its own temperature window
)

// String returns the reason's name as pages and exports use it.
func (r Reason) String() string {
	names := [...]string{
		"none", "no-policy", "on-hold", "hard-fever", "red-code", "yellow-code", "no-identity", "no-temperature",
		"too-cold", "high-once", "high-twice", "no-green", "green-too-old", "clock-untrusted", "lane-attended", "already-in", "ambient",
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

// Lasting reports whether the stop stays with the person, as a hold on every
// lane, when the arrival is over: fever, a barred colour, a standing hold.
func (d Decision) Lasting() bool {
	return d.enforced(OnHold, HardFeverSeen, RedCode, YellowCode, HighOnce, HighTwice)
}

// Repeated reports whether of what stays with the person the stop knows a
// standing hold and nothing that was found now.
func (d Decision) Repeated() bool {
	return d.enforced(OnHold) && !d.enforced(HardFeverSeen, RedCode, YellowCode, HighOnce, HighTwice)
}

// enforced reports whether a row failed for one of the reasons and does more
// than warn.
func (d Decision) enforced(why ...Reason) bool {
	return slices.ContainsFunc(d.Failures, func(f Failure) bool { return !f.Warn && slices.Contains(why, f.Reason) })
}

// Grave reports whether nothing but a lift by name ends the hold that the stop
// leaves: no recheck at the gate does.
func (d Decision) Grave() bool {
	return d.enforced(HardFeverSeen, RedCode, YellowCode, HighTwice)
}

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
	add := func(row string, why Reason, o Outcome, warn bool) {
		d.Failures = append(d.Failures, Failure{Row: row, Reason: why, Outcome: o, Warn: warn})
		if !warn {
			d.Outcome = Worse(d.Outcome, o)
		}
	}
	if a.Held {
		add(rowHold, OnHold, Refer, false)
	}
	if a.Code.Colour == Red {
		add(rowRed, RedCode, Isolate, false)
	}
	for _, r := range a.Readings {
		if r.Peak >= HardFever && r.seen() {
			add(rowFever, HardFeverSeen, Isolate, false)
			break
		}
	}
	for _, row := range p.spec.Requirements {
		if row.Direction != a.Direction || !row.Roles.has(a.Subject.Role) {
			continue
		}
		if why, o := p.judge(row, a); why != NoReason {
			add(row.ID, why, o, row.Warn)
		}
	}
	return d
}

// judge returns NoReason when the evidence of the row is there and speaks for
// the person.
func (p Policy) judge(row Requirement, a Arrival) (Reason, Outcome) {
	switch row.Evidence {
	case Identity:
		if a.Subject.ID == 0 {
			return NoIdentity, Worse(row.Fail, Refer)
		}
	case Temperature:
		return p.judgeReadings(row, a.Readings)
	case NotBarred:
		switch a.Code.Colour {
		case ColourUnknown, Green:
		case Yellow:
			return YellowCode, row.Fail
		default:
			return RedCode, row.Fail
		}
	case PositiveGreen:
		return p.judgeGreen(row, a)
	default:
		return NoPolicy, Refer
	}
	return NoReason, Admit
}

// judgeReadings lets a later valid reading by another instrument answer an
// earlier high one. The same instrument cannot contradict itself, and what has
// no name is no other instrument.
func (p Policy) judgeReadings(row Requirement, readings []Reading) (Reason, Outcome) {
	why, o := NoTemperature, Worse(row.Fail, Refer)
	high, by := false, ""
	for _, r := range readings {
		another := r.Instrument != by && r.Instrument != ""
		switch {
		case r.seen() && p.HighAt(r.Site, r.Peak):
			if high && another && r.Quality == Valid {
				return HighTwice, Isolate
			}
			if !high {
				high, by = true, r.Instrument
			}
			why, o = HighOnce, Worse(row.Fail, Recheck)
		case r.Site == Wrist && !p.Wrist(): // nobody has asked for it
		case r.Quality == Cold && !high:
			why, o = TooCold, Recheck
		case r.Quality == Ambient && !high:
			why, o = AmbientOutside, Worse(row.Fail, Refer)
		case r.Quality == Valid && (!high || another):
			high = false
			why, o = NoReason, Admit
		}
	}
	return why, o
}

func (p Policy) judgeGreen(row Requirement, a Arrival) (Reason, Outcome) {
	switch {
	case a.Code.Colour == Yellow:
		return YellowCode, row.Fail
	case a.Code.Colour == Red:
		return RedCode, row.Fail
	case a.Code.Colour != Green:
		return NoGreen, Worse(row.Fail, Refer)
	case a.Code.How == SeenByName:
		return NoReason, Admit
	case !a.ClockTrusted || a.Code.AsOf.After(a.Now):
		return ClockUntrusted, Worse(row.Fail, Refer)
	case a.Code.AsOf.IsZero() || a.Now.Sub(a.Code.AsOf) > p.spec.CodeAge:
		return GreenTooOld, Worse(row.Fail, Refer)
	}
	return NoReason, Admit
}

// ParseReason returns the reason with a name, NoPolicy for any other: a word
// that cannot be read never speaks for a person.
func ParseReason(name string) Reason {
	for r := NoReason; r <= AmbientOutside; r++ {
		if r.String() == name {
			return r
		}
	}
	return NoPolicy
}
