package casefile

import (
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// Phase returns how far the case has come.
func (c Case) Phase() Phase { return c.phase }

// Open reports whether the case takes steps.
func (c Case) Open() bool { return c.phase == Coming || c.phase == Here }

// Version rises with every step; a press names the one that it was looking at.
func (c Case) Version() int { return len(c.Events) }

// Since is when the case was opened; zero of no case.
func (c Case) Since() time.Time {
	if len(c.Events) == 0 {
		return time.Time{}
	}
	return c.Events[0].At
}

// last returns the newest event of a step.
func (c Case) last(s Step) (Event, bool) {
	for _, e := range slices.Backward(c.Events) {
		if e.Step == s {
			return e, true
		}
	}
	return Event{}, false
}

func (c Case) measured() bool {
	_, ok := c.last(Measured)
	return ok
}

// Temperature returns what was measured last, and whether anything was.
func (c Case) Temperature() (screening.MilliC, bool) {
	e, ok := c.last(Measured)
	return e.Value, ok
}

// Fever reports whether any measurement of the case was at its limit or above:
// a lower one afterwards takes nothing back.
func (c Case) Fever() bool {
	return slices.ContainsFunc(c.Events, func(e Event) bool { return e.Step == Measured && e.Value >= e.Limit })
}

// Barred reports whether nothing that is measured now sends the person back to
// class: after a fever, and for a code of which a thermometer knows nothing.
func (c Case) Barred() bool {
	return c.Fever() || slices.Contains(c.Found, screening.RedCode.String()) || slices.Contains(c.Found, screening.YellowCode.String())
}

// MayGoBack reports whether BackToClass is taken now.
func (c Case) MayGoBack() bool { return c.phase == Here && c.measured() && !c.Barred() }

// Reached reports whether a guardian has answered.
func (c Case) Reached() bool {
	return slices.ContainsFunc(c.Events, func(e Event) bool { return e.Step == Called && e.Call == Reached })
}

// LastCall returns what came of the last call to a guardian, zero for none.
func (c Case) LastCall(guardian uint8) Call {
	for _, e := range slices.Backward(c.Events) {
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

// Next is the step that comes next as a rule, and 0 of a case that takes none.
func (c Case) Next() Step {
	switch {
	case !c.Open():
		return 0
	case c.phase == Coming:
		return Arrived
	case c.Subject == 0:
		return Identified
	case !c.measured():
		return Measured
	case c.MayGoBack():
		return BackToClass
	case !c.Reached():
		return Called
	}
	return HomeWithGuardian
}

// ExitUntil returns until when the way out stands open to a child that was
// handed over; zero where it does not.
func (c Case) ExitUntil() time.Time {
	if e, ok := c.last(HomeWithGuardian); ok {
		return e.At.Add(ExitFor)
	}
	return time.Time{}
}
