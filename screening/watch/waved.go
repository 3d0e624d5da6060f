package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// Pass is one person whom a gate let in.
type Pass struct {
	Lane    uint8
	Subject uint64 // a roster number, 0 where nobody knows who it was
	At      time.Time
	// By is the roster number of who let them in, 0 where the gate did by itself.
	By uint64
	// Asked says that the policy asks such a person for a temperature, Measured
	// that there was one.
	Asked, Measured bool
	// Value was measured; Typed says that a person read it off.
	Value screening.MilliC
	Typed bool
	// Low says that the skin was too cold to be judged before they were let in.
	Low bool
	// Override says that they were let in against what the policy said.
	Override bool
}

// Limits are from where on somebody should look.
type Limits struct {
	// Unmeasured passes of a day where a temperature is asked.
	Unmeasured int
	// Row is how many people in a row have the same value at one lane, to 0.1 °C:
	// a frozen sensor. Typed is the same of what one person has typed.
	Row, Typed int
	// LowPercent of those who passed a lane were too cold to be judged, and at
	// least LowLeast.
	LowPercent, LowLeast int
	// Overrides by one person in a day.
	Overrides int
}

// DefaultLimits are what a gate begins with; a full morning of honest screening
// stays below all but the rarest runs of equal values.
func DefaultLimits() Limits {
	return Limits{Unmeasured: 1, Row: 5, Typed: 5, LowPercent: 10, LowLeast: 5, Overrides: 5}
}

// The kinds of findings.
const (
	Unmeasured = "unmeasured"
	Frozen     = "frozen"
	LowShare   = "low-share"
	Overrides  = "overrides"
	TypedAlike = "typed-alike"
)

// Finding is one reason to look.
type Finding struct {
	// Kind is one of the kinds.
	Kind string
	// Lane of frozen and low-share, By of overrides and typed-alike; otherwise 0.
	Lane uint8
	By   uint64
	// N is how many, and Of of how many where that says something.
	N, Of int
	// Value of frozen and typed-alike.
	Value screening.MilliC
}

// Waved returns what a day's passes give reason for, in the order of kind, lane
// and person.
func Waved(passes []Pass, l Limits) []Finding {
	passes = slices.Clone(passes)
	slices.SortStableFunc(passes, func(a, b Pass) int { return a.At.Compare(b.At) })
	var all []Finding
	unmeasured, asked := 0, 0
	lanes, people := map[uint8][]Pass{}, map[uint64][]Pass{}
	for _, p := range passes {
		lanes[p.Lane] = append(lanes[p.Lane], p)
		if p.By != 0 {
			people[p.By] = append(people[p.By], p)
		}
		if p.Asked {
			asked++
			if !p.Measured {
				unmeasured++
			}
		}
	}
	if unmeasured > 0 && unmeasured >= l.Unmeasured {
		all = append(all, Finding{Kind: Unmeasured, N: unmeasured, Of: asked})
	}
	for lane, list := range lanes {
		all = append(all, ofLane(lane, list, l)...)
	}
	for by, list := range people {
		all = append(all, ofPerson(by, list, l)...)
	}
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.By, b.By))
	})
	return all
}

func ofLane(lane uint8, list []Pass, l Limits) (out []Finding) {
	low := 0
	var values []Pass
	for _, p := range list {
		if p.Low {
			low++
		}
		if p.Measured && !p.Typed {
			values = append(values, p)
		}
	}
	if n, value := longestRun(values); n > 1 && n >= l.Row {
		out = append(out, Finding{Kind: Frozen, Lane: lane, N: n, Value: value})
	}
	if low > 0 && low >= l.LowLeast && low*100 >= l.LowPercent*len(list) {
		out = append(out, Finding{Kind: LowShare, Lane: lane, N: low, Of: len(list)})
	}
	return out
}

func ofPerson(by uint64, list []Pass, l Limits) (out []Finding) {
	overrides := 0
	var values []Pass
	for _, p := range list {
		if p.Override {
			overrides++
		}
		if p.Typed {
			values = append(values, p)
		}
	}
	if overrides > 0 && overrides >= l.Overrides {
		out = append(out, Finding{Kind: Overrides, By: by, N: overrides})
	}
	if n, value := longestRun(values); n > 1 && n >= l.Typed {
		out = append(out, Finding{Kind: TypedAlike, By: by, N: n, Value: value})
	}
	return out
}

// longestRun returns how many different people in a row had the same value, to
// 0.1 °C, and which. Somebody who comes twice in a row is one person; those whom
// nobody knows are different ones.
func longestRun(list []Pass) (longest int, value screening.MilliC) {
	n := 0
	for i, p := range list {
		switch {
		case i == 0 || p.Value.String() != list[i-1].Value.String():
			n = 1
		case p.Subject == 0 || p.Subject != list[i-1].Subject:
			n++
		}
		if n > longest {
			longest, value = n, p.Value
		}
	}
	return longest, value
}
