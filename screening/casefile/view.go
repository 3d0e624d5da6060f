package casefile

import (
	"cmp"
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// Phase returns how far the case has come.
func (c Case) Phase() Phase { return c.phase }

// Open reports whether the person is in the room or on the way to it.
func (c Case) Open() bool { return c.phase == Coming || c.phase == Here }

// Owing reports whether the person went away and is not back.
func (c Case) Owing() bool { return c.phase == Away || c.phase == Cleared }

// Version rises with every step; a press names the one that it was looking at.
func (c Case) Version() int { return len(c.Events) }

// Since is when the case was opened; zero of no case.
func (c Case) Since() time.Time {
	if len(c.Events) == 0 {
		return time.Time{}
	}
	return c.Events[0].At
}

// last returns the newest event of a step, as corrections left it.
func (c Case) last(s Step) (Event, bool) {
	for _, e := range slices.Backward(c.now) {
		if e.Step == s {
			return e, true
		}
	}
	return Event{}, false
}

// Round returns with how many different instruments somebody measured in the room:
// the same one again is the same round.
func (c Case) Round() int { return rounds(c.now) }

func rounds(events []Event) int {
	var by []string
	for _, e := range events {
		if e.Step == Measured && !slices.Contains(by, e.with()) {
			by = append(by, e.with())
		}
	}
	return len(by)
}

// with returns the instrument of a measurement.
func (e Event) with() string { return cmp.Or(e.Instrument, Axilla) }

// Rounded reports whether as many rounds were measured as the rules ask for.
func (c Case) Rounded() bool { return c.Round() >= int(c.Rounds) }

// Temperature returns what was measured last and with what, and whether anything
// was.
func (c Case) Temperature() (value screening.MilliC, instrument string, ok bool) {
	e, ok := c.last(Measured)
	return e.Value, e.with(), ok
}

// Fever reports whether any measurement of the case was at its limit or above:
// a lower one afterwards takes nothing back.
func (c Case) Fever() bool { return slices.ContainsFunc(c.now, Event.fever) }

func (e Event) fever() bool { return e.Step == Measured && e.Value >= e.Limit }

// CountsAsFever reports whether a report counts the case as a fever: not one that
// ended with a normal recheck, nor one that was nobody's, nor a drill.
func (c Case) CountsAsFever() bool {
	_, stood := c.stood()
	end := c.End().Step
	return stood && end != BackToClass && end != NotThisPerson && !slices.Contains(c.Found, Drill)
}

// Barred reports whether nothing that is measured now sends the person back to
// class: after a fever, and for a code of which a thermometer knows nothing.
func (c Case) Barred() bool {
	return c.Fever() || slices.Contains(c.Found, screening.RedCode.String()) || slices.Contains(c.Found, screening.YellowCode.String())
}

// MayGoBack reports whether BackToClass is taken now.
func (c Case) MayGoBack() bool { return c.phase == Here && c.Rounded() && !c.Barred() }

// Reached reports whether a guardian has answered.
func (c Case) Reached() bool {
	return slices.ContainsFunc(c.now, func(e Event) bool { return e.Step == Called && e.Call == Reached })
}

// LastCall returns what came of the last call to a guardian, zero for none.
func (c Case) LastCall(guardian uint8) Call {
	for _, e := range slices.Backward(c.now) {
		if e.Step == Called && e.Guardian == guardian {
			return e.Call
		}
	}
	return 0
}

// By returns who took a step last, nobody if it was not taken.
func (c Case) By(s Step) []uint64 {
	e, _ := c.last(s)
	return e.By
}

// Next is the step that comes next as a rule, and 0 of a case that has ended.
func (c Case) Next() Step {
	switch c.phase {
	case None, Closed:
		return 0
	case Coming:
		return Arrived
	case Cleared:
		return Returned
	case Away:
		if word, _ := c.Diagnosis(); word == "" {
			return Diagnosed
		}
		return ReturnCleared
	}
	switch {
	case c.Subject == 0:
		return Identified
	case !c.Rounded():
		return Measured
	case c.MayGoBack():
		return BackToClass
	case !c.Reached():
		return Called
	}
	return HomeWithGuardian
}

// Place returns the bed, 0 for none.
func (c Case) Place() uint8 {
	e, _ := c.last(Placed)
	return e.Place
}

// Diagnosis returns the word that was said last of what it is, empty for none,
// and whether it is no more than suspected.
func (c Case) Diagnosis() (word string, suspected bool) {
	for _, e := range slices.Backward(c.now) {
		if e.Step == Suspected || e.Step == Diagnosed {
			return e.Reason, e.Step == Suspected
		}
	}
	return "", false
}

// End returns the last step of a case that has ended; zero of one that has not.
func (c Case) End() Event {
	if c.phase != Closed {
		return Event{}
	}
	return c.Events[len(c.Events)-1]
}

// Clearance returns on what the person may come back; false where they may not.
func (c Case) Clearance() (Event, bool) {
	if c.phase != Cleared {
		return Event{}, false
	}
	return c.last(ReturnCleared)
}

// ExitUntil returns until when the way out stands open to a child that was
// handed over; zero where it does not.
func (c Case) ExitUntil() time.Time {
	if e, ok := c.last(HomeWithGuardian); ok {
		return e.At.Add(ExitFor)
	}
	return time.Time{}
}

// Void reports whether a correction took the i-th of Events back.
func (c Case) Void(i int) bool { return c.now[i].Step == 0 }

// MayCorrect reports whether the i-th of Events may be corrected now.
func (c Case) MayCorrect(i int) bool {
	x := c.now[i]
	_, err := c.correcting(Event{Step: Corrected, Reason: "not-done", Corrects: uint16(i + 1), Value: x.Value, Limit: x.Limit})
	return err == nil && c.phase != Closed
}
