package screening

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds that no policy can widen, whoever signed it.
const (
	ThresholdLeast MilliC = 36_000
	ThresholdMost  MilliC = 38_500
	// HardFever never admits, in any mode and under any policy.
	HardFever MilliC = 38_500
	// LowLeast and LowMost bound the lowest temperature taken for skin.
	LowLeast MilliC = 30_000
	LowMost  MilliC = 36_000
	// CodeAgeMost bounds how old a colour may be.
	CodeAgeMost = 14 * 24 * time.Hour
	// RowsMost bounds the rows of a policy.
	RowsMost    = 64
	windowsMost = 64
)

// Boundary says whether the threshold itself is high.
type Boundary uint8

// The boundaries. The zero value is the stricter one.
const (
	Reaches Boundary = 0 // ≥
	Exceeds Boundary = 1 // >
)

// Sign returns the boundary as a mathematical sign.
func (b Boundary) Sign() string {
	if b == Exceeds {
		return ">"
	}
	return "≥"
}

// Kind is what a policy is for. The zero value is entry screening.
type Kind uint8

// The kinds of policy.
const (
	EntryScreening Kind = 0
	Attendance     Kind = 1 // who came; no temperature; every screen says so
)

// Roles is a set of roles; the zero value is everybody.
type Roles uint8

// RolesOf makes a set.
func RolesOf(roles ...Role) Roles {
	var s Roles
	for _, r := range roles {
		s |= 1 << r
	}
	return s
}

// has reports whether a row for these roles applies to r. Somebody of whom
// nothing is known is asked everything.
func (s Roles) has(r Role) bool {
	return s == 0 || r == RoleUnknown || r > Visitor || s&(1<<r) != 0
}

// Spec is a policy as somebody wrote it: not yet checked, and no lane takes it.
type Spec struct {
	Number    uint32 // rises with every policy; 0 is the built-in default
	Name      string
	Kind      Kind
	Threshold MilliC
	Boundary  Boundary
	// Low is the lowest value taken for skin; below it the reading is Cold.
	Low MilliC
	// WristThreshold and WristLow are the same for a wrist; with both 0 none is
	// measured. A lens cannot tell a wrist from a forehead, so that neither may
	// let pass what the forehead's figures stop: WristThreshold is at most
	// Threshold and WristLow at least Low.
	WristThreshold, WristLow MilliC

	CodeAge      time.Duration
	Requirements []Requirement
	// Windows serve the rows that ask for Window.
	Windows []ArrivalWindow
}

// Policy is a Spec that passed the bounds. Its zero value admits nobody.
type Policy struct {
	spec  Spec
	valid bool
}

// Compile checks a Spec against the compiled-in bounds and reports every fault.
func Compile(s Spec) (Policy, error) {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if s.Kind > Attendance {
		fault("kind %d is unknown", s.Kind)
	}
	if s.Threshold < ThresholdLeast || s.Threshold > ThresholdMost {
		fault("threshold %v lies outside %v to %v", s.Threshold, ThresholdLeast, ThresholdMost)
	}
	if s.Low < LowLeast || s.Low > LowMost || s.Low >= s.Threshold {
		fault("lowest skin temperature %v lies outside %v to %v or is not below the threshold", s.Low, LowLeast, LowMost)
	}
	if s.wrist() && (s.WristThreshold < ThresholdLeast || s.WristThreshold > s.Threshold) {
		fault("threshold of the wrist %v lies outside %v to that of the forehead %v", s.WristThreshold, ThresholdLeast, s.Threshold)
	}
	if s.wrist() && (s.WristLow < s.Low || s.WristLow > LowMost || s.WristLow >= s.WristThreshold) {
		fault("lowest temperature of the wrist %v lies outside that of the forehead %v to %v or is not below its threshold", s.WristLow, s.Low, LowMost)
	}
	if s.Boundary > Exceeds {
		fault("boundary %d is unknown", s.Boundary)
	}
	if s.CodeAge < 0 || s.CodeAge > CodeAgeMost {
		fault("code age %v lies outside 0 to %v", s.CodeAge, CodeAgeMost)
	}
	if len(s.Requirements) > RowsMost {
		fault("%d rows are more than %d", len(s.Requirements), RowsMost)
	}
	if len(s.Windows) > windowsMost {
		fault("%d windows are more than %d", len(s.Windows), windowsMost)
	}
	for i, w := range s.Windows {
		if err := w.Check(); err != nil {
			fault("window %d: %w", i+1, err)
		}
	}
	seen := map[string]bool{}
	for i, r := range s.Requirements {
		if err := r.Check(); err != nil {
			fault("row %d (%q): %w", i+1, r.ID, err)
		}
		if seen[r.ID] {
			fault("row %d: %q stands twice", i+1, r.ID)
		}
		seen[r.ID] = true
	}
	if !s.enforcesForAll(Identity) {
		fault("no enforced row asks everybody who comes in for identity")
	}
	if s.Kind == EntryScreening && !s.enforcesForAll(Temperature) {
		fault("no enforced row asks everybody who comes in for a temperature, and the kind is not attendance")
	}
	if len(faults) > 0 {
		return Policy{}, fmt.Errorf("policy %d: %w", s.Number, errors.Join(faults...))
	}
	return Policy{spec: s.clone(), valid: true}, nil
}

func (s Spec) wrist() bool { return s.WristThreshold != 0 || s.WristLow != 0 }

func (s Spec) enforcesForAll(e Evidence) bool {
	for _, r := range s.Requirements {
		if r.Evidence == e && len(r.Or) == 0 && r.always() && r.everybody() && !r.Warn {
			return true
		}
	}
	return false
}

// clone copies what a caller could change.
func (s Spec) clone() Spec {
	s.Requirements, s.Windows = slices.Clone(s.Requirements), slices.Clone(s.Windows)
	for i := range s.Requirements {
		r := &s.Requirements[i]
		r.Or, r.Grades, r.Source.Rules = slices.Clone(r.Or), slices.Clone(r.Grades), slices.Clone(r.Source.Rules)
	}
	for i := range s.Windows {
		w := &s.Windows[i]
		w.Lanes, w.Grades = slices.Clone(w.Lanes), slices.Clone(w.Grades)
	}
	return s
}

// Spec returns a copy of what was compiled.
func (p Policy) Spec() Spec { return p.spec.clone() }

// Row returns the row with an ID.
func (p Policy) Row(id string) (Requirement, bool) {
	i := slices.IndexFunc(p.spec.Requirements, func(r Requirement) bool { return r.ID == id })
	if i < 0 {
		return Requirement{}, false
	}
	return p.spec.Requirements[i], true
}

// Asks reports whether any row asks anybody for the evidence, at any time. What
// none asks for is on no screen.
func (p Policy) Asks(e Evidence) bool {
	return slices.ContainsFunc(p.spec.Requirements, func(r Requirement) bool {
		return r.Ask.Evidence == e || slices.ContainsFunc(r.Or, func(a Ask) bool { return a.Evidence == e })
	})
}

// Number returns the policy's number; 0 is the built-in default.
func (p Policy) Number() uint32 { return p.spec.Number }

// Low returns the lowest temperature taken for skin.
func (p Policy) Low() MilliC { return p.spec.Low }

// Threshold returns the threshold and its boundary.
func (p Policy) Threshold() (MilliC, Boundary) { return p.spec.Threshold, p.spec.Boundary }

// High reports whether a temperature stands at or above the threshold, or
// above it, as the boundary says. Under the zero Policy every value is high.
func (p Policy) High(t MilliC) bool {
	if t >= HardFever || !p.valid {
		return true
	}
	if p.spec.Boundary == Exceeds {
		return t > p.spec.Threshold
	}
	return t >= p.spec.Threshold
}

// Wrist reports whether a wrist may be measured in place of a forehead.
func (p Policy) Wrist() bool { return p.valid && p.spec.wrist() }

// HighAt is High of a temperature that was taken at a site.
func (p Policy) HighAt(s Site, t MilliC) bool {
	if s != Wrist || !p.Wrist() || p.High(t) {
		return p.High(t)
	}
	return t > p.spec.WristThreshold || t == p.spec.WristThreshold && p.spec.Boundary == Reaches
}

// LowAt is Low of a site.
func (p Policy) LowAt(s Site) MilliC {
	if s == Wrist && p.Wrist() {
		return p.spec.WristLow
	}
	return p.spec.Low
}

// Clears reports whether a reading that a person typed in answers a high one by
// the instrument highBy: valid, not high, and by another instrument.
func (p Policy) Clears(r Reading, highBy string) bool {
	return r.Quality == Valid && !p.High(r.Peak) && r.Instrument != "" && r.Instrument != highBy
}

// Needs is what a lane waits for.
type Needs struct{ Identity, Temperature, Green bool }

// Needs returns the evidence that the rows in force ask of whoever arrives, by
// subject, direction, place and time. What no row asks for is not waited for,
// not shown and not reported.
func (p Policy) Needs(a Arrival) Needs {
	var n Needs
	for i := range p.spec.Requirements {
		r := &p.spec.Requirements[i]
		if !r.When.has(&a) || !r.Who.has(a.Subject) {
			continue
		}
		switch r.Evidence {
		case Identity:
			n.Identity = true
		case Temperature:
			n.Temperature = true
		case PositiveGreen:
			n.Green = true
		}
	}
	return n
}

// Default is the built-in policy: everybody shows a badge and a valid
// temperature; a known yellow or red stops; a positive green is asked of staff,
// service and visitors only, because pupils carry no phones. The threshold is
// that of rule 3 ("reaches or exceeds 37.3 °C", document 002 line 1247). At the
// wrist 36.75 to 36.8 °C were found to be worth that under the arm; the default
// stays below. Its lowest temperature is the forehead's: a forehead that is too
// cold must not pass for a wrist.
func Default() Spec {
	return Spec{
		Name:      "default",
		Threshold: 37_300,
		Boundary:  Reaches,
		Low:       35_000,

		WristThreshold: 36_700, WristLow: 35_000,

		CodeAge: 24 * time.Hour,
		Requirements: []Requirement{
			{ID: "identity", Ask: Ask{Evidence: Identity}, Fail: Refer, Source: Source{Document: "002", Line: 1332, Rules: []uint8{13}}},
			{ID: "temperature", Ask: Ask{Evidence: Temperature}, Fail: Recheck, Source: Source{Document: "002", Line: 1247, Rules: []uint8{3}}},
			{ID: "colour", Ask: Ask{Evidence: NotBarred}, Fail: Refer, Source: Source{Document: "002", Line: 1320, Rules: []uint8{33}}},
			{ID: "green", Who: Who{Roles: RolesOf(Staff, Service, Visitor)}, Ask: Ask{Evidence: PositiveGreen}, Fail: Refer, Source: Source{Document: "002", Line: 835, Rules: []uint8{32}}},
		},
	}
}
