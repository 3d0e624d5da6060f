package screening

import (
	"slices"
	"time"
)

// ask judges one sort of evidence.
func (p Policy) ask(row *Requirement, ask *Ask, a *Arrival) (Reason, Outcome) {
	missing := row.missing()
	switch ask.Evidence {
	case Identity, Registration:
		if a.Subject.ID != 0 {
			return NoReason, Admit
		}
		return NoIdentity, missing
	case Temperature:
		return p.judgeReadings(row, a.Readings)
	case NotBarred:
		return judgeColour(row, ask, a)
	case PositiveGreen:
		return p.judgeGreen(row, ask, a)
	case Tests:
		return judgeTests(row, ask, a)
	case TripCard, Approval, Document, History, Seen:
		return judgeShown(row, ask, a)
	case Window:
		return p.judgeWindow(row, a)
	case TravelStar:
		return speaks(row, a, TripCard, StarSeen)
	case RiskArea:
		return speaks(row, a, History, RiskAreaStay)
	case Mask:
		return speaks(row, a, Mask, NoMask)
	case Symptoms:
		return speaks(row, a, Symptoms, SymptomsSeen)
	case Household:
		return speaks(row, a, Household, HouseholdBad)
	case ReturnProof:
		return judgeCase(row, a)
	case Once:
		return judgeAgain(row, a)
	}
	return NoPolicy, missing
}

// missing is the outcome of evidence that is not there: nobody goes to the
// isolation room for what was not measured or not shown.
func (r *Requirement) missing() Outcome {
	if r.Fail == Refuse {
		return Refuse
	}
	return Refer
}

// judgeReadings lets a later valid reading by another instrument answer an
// earlier high one. The same instrument cannot contradict itself, and what has
// no name is no other instrument.
func (p Policy) judgeReadings(row *Requirement, readings []Reading) (Reason, Outcome) {
	why, o := NoTemperature, row.missing()
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
			why, o = AmbientOutside, row.missing()
		case r.Quality == Valid && (!high || another):
			high = false
			why, o = NoReason, Admit
		}
	}
	return why, o
}

// judgeColour fails on a colour that is known and speaks. A number that is no
// colour speaks as red does.
func judgeColour(row *Requirement, ask *Ask, a *Arrival) (Reason, Outcome) {
	speak := ask.Colours
	if speak == 0 {
		speak = barring
	}
	switch c := a.Code.Colour; {
	case c == ColourUnknown || c == Green:
		return NoReason, Admit
	case c <= PopUp && speak&(1<<c) == 0:
		return NoReason, Admit
	default:
		return colourReason(c), row.Fail
	}
}

func colourReason(c Colour) Reason {
	switch c {
	case Yellow:
		return YellowCode
	case PopUp:
		return PopUpCode
	}
	return RedCode
}

func (p Policy) judgeGreen(row *Requirement, ask *Ask, a *Arrival) (Reason, Outcome) {
	within := ask.Within
	if within == 0 {
		within = p.spec.CodeAge
	}
	switch {
	case a.Code.Colour > Green:
		return colourReason(a.Code.Colour), row.Fail
	case a.Code.Colour != Green, a.Code.How == SeenPrinted && !ask.Paper:
		return NoGreen, row.missing()
	case a.Code.How == SeenByName, a.Code.How == SeenPrinted:
		return NoReason, Admit
	case !a.ClockTrusted || a.Code.AsOf.After(a.Now):
		return ClockUntrusted, row.missing()
	case a.Code.AsOf.IsZero() || a.Now.Sub(a.Code.AsOf) > within:
		return GreenTooOld, row.missing()
	}
	return NoReason, Admit
}

// judgeTests takes negative tests from the newest back, each far enough from the
// one taken before it. A positive one speaks, whatever else is shown.
func judgeTests(row *Requirement, ask *Ask, a *Arrival) (Reason, Outcome) {
	missing, all := row.missing(), uint8(0)
	for i := range a.Proofs {
		switch q := &a.Proofs[i]; {
		case q.Of != Tests:
		case q.Bad:
			return TestPositive, Worse(row.Fail, Isolate)
		case !a.ClockTrusted || q.At.After(a.Now):
			return ClockUntrusted, missing
		default:
			all = min(all, 254) + 1
		}
	}
	taken, upTo := uint8(0), a.Now
	for taken < ask.Count {
		at := newestTest(a.Proofs, upTo)
		if at.IsZero() || a.Now.Sub(at) > ask.Within {
			break
		}
		taken++
		upTo = at.Add(-max(ask.Apart, 1))
	}
	switch {
	case taken >= ask.Count:
		return NoReason, Admit
	case all >= ask.Count && ask.Apart == 0:
		return TestsTooOld, missing
	}
	return TestsMissing, missing
}

// newestTest returns when the newest test was taken that is not after upTo, zero
// for none.
func newestTest(proofs []Proof, upTo time.Time) (at time.Time) {
	for i := range proofs {
		if q := &proofs[i]; q.Of == Tests && !q.At.After(upTo) && q.At.After(at) {
			at = q.At
		}
	}
	return at
}

// judgeShown asks for one good proof that is fresh. The newest word counts.
func judgeShown(row *Requirement, ask *Ask, a *Arrival) (Reason, Outcome) {
	missing, against := row.missing(), Worse(row.Fail, Refer)
	found := -1
	for i := range a.Proofs {
		q := &a.Proofs[i]
		if q.Of == ask.Evidence && q.Name == ask.Name && (found < 0 || !q.At.Before(a.Proofs[found].At)) {
			found = i
		}
	}
	switch {
	case found < 0:
		return NotShown, missing
	case a.Proofs[found].Bad && ask.Evidence == TripCard:
		return StarSeen, against
	case a.Proofs[found].Bad:
		return ShownBad, against
	case ask.Within == 0:
		return NoReason, Admit
	case !a.ClockTrusted || a.Proofs[found].At.After(a.Now):
		return ClockUntrusted, missing
	case a.Proofs[found].At.IsZero() || a.Now.Sub(a.Proofs[found].At) > ask.Within:
		return ShownTooOld, missing
	}
	return NoReason, Admit
}

// speaks fails when the newest word about the evidence is a bad one.
func speaks(row *Requirement, a *Arrival, of Evidence, why Reason) (Reason, Outcome) {
	bad, at := false, time.Time{}
	for i := range a.Proofs {
		if q := &a.Proofs[i]; q.Of == of && !q.At.Before(at) {
			bad, at = q.Bad, q.At
		}
	}
	if bad {
		return why, row.Fail
	}
	return NoReason, Admit
}

// judgeWindow asks for an open window where one names the person. A pupil who is
// late comes in: the entry says so. Between two windows a pupil is late for the
// one before or early for the next, whichever is nearer.
func (p Policy) judgeWindow(row *Requirement, a *Arrival) (Reason, Outcome) {
	now, named, elsewhere := minutesOf(a.Now), false, false
	toNext, sinceLast := DayLong, DayLong
	for i := range p.spec.Windows {
		w := &p.spec.Windows[i]
		if w.Direction != a.Direction || !w.Who.has(a.Subject) {
			continue
		}
		named = true
		switch {
		case now < w.From:
			toNext = min(toNext, w.From-now)
		case now >= w.To:
			sinceLast = min(sinceLast, now-w.To)
		case a.ClockTrusted && (len(w.Lanes) == 0 || a.Lane == 0 || slices.Contains(w.Lanes, a.Lane)):
			return NoReason, Admit
		default:
			elsewhere = true
		}
	}
	switch {
	case !named:
		return NoReason, Admit
	case !a.ClockTrusted:
		return ClockUntrusted, Worse(row.Fail, Refer)
	case elsewhere:
		return OtherLane, row.Fail
	case a.Direction == In && a.Subject.Role == Student && sinceLast <= toNext:
		return NoReason, Admit
	case a.Direction == In && toNext < DayLong:
		return TooEarly, row.Fail
	}
	return OutsideHours, row.Fail
}

func judgeCase(row *Requirement, a *Arrival) (Reason, Outcome) {
	switch a.Case {
	case NoCase:
		return NoReason, Admit
	case ReturnOwed:
		return ReturnNotProven, row.Fail
	}
	return OpenCase, row.Fail
}

func judgeAgain(row *Requirement, a *Arrival) (Reason, Outcome) {
	switch a.Again {
	case NotAgain:
		return NoReason, Admit
	case AgainInside:
		return StillInside, row.Fail
	}
	return SeenElsewhere, row.Fail
}
