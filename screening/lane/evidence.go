package lane

import (
	"slices"
	"strings"

	"github.com/menshen/menshen/screening"
)

// This file knows what a person on duty can say of a stop beside a temperature:
// the colour of a code, that what a row asks for is in order or not, that a mask
// is missing, and that somebody looks ill.

// Looks returns the rows for which a decision stopped somebody and at which a
// person can look, but for those that ask for a green alone: a colour is said by
// its name. Of somebody unknown there are none: no look gives a name.
func Looks(p screening.Policy, d screening.Decision) (rows []screening.Requirement) {
	if d.Has(screening.NoIdentity) {
		return nil
	}
	for _, f := range d.Failures {
		row, ok := p.Row(f.Row)
		if ok && !f.Warn && slices.ContainsFunc(asks(row), func(a screening.Ask) bool {
			return a.Evidence.Lookable() && a.Evidence != screening.PositiveGreen
		}) {
			rows = append(rows, row)
		}
	}
	return rows
}

func mayLook(p screening.Policy, d screening.Decision, row string) bool {
	return slices.ContainsFunc(Looks(p, d), func(r screening.Requirement) bool { return r.ID == row })
}

func asks(r screening.Requirement) []screening.Ask {
	return append([]screening.Ask{r.Ask}, r.Or...)
}

// Show returns what was shown so far with what a person says of a row now: the
// last word counts, so that one is kept of each row.
func Show(shown []screening.Shown, row string, inOrder bool) []screening.Shown {
	rest := slices.DeleteFunc(slices.Clone(shown), func(s screening.Shown) bool { return s.Row == row })
	return append(rest, screening.Shown{Row: row, InOrder: inOrder})
}

// What stands behind the row in the Reason of a Looked record.
const (
	inOrder    = ":in-order"
	notInOrder = ":not-in-order"
)

// LookedAt returns the Reason of a Looked record.
func LookedAt(row string, good bool) string {
	if good {
		return row + inOrder
	}
	return row + notInOrder
}

// ParseLooked reads what LookedAt wrote of a row that a policy can have; false
// for anything else.
func ParseLooked(reason string) (s screening.Shown, ok bool) {
	s.Row, ok = strings.CutSuffix(reason, notInOrder)
	if !ok {
		s.Row, s.InOrder = strings.CutSuffix(reason, inOrder)
	}
	if !ok && !s.InOrder || s.Row == "" || len(s.Row) > 40 {
		return screening.Shown{}, false
	}
	return s, true
}

// AsksColour reports whether a decision stopped somebody for want of a green.
func AsksColour(p screening.Policy, d screening.Decision) bool {
	return slices.ContainsFunc(d.Failures, func(f screening.Failure) bool {
		switch f.Reason {
		case screening.NoGreen, screening.GreenTooOld:
			return !f.Warn
		case screening.ClockUntrusted:
			row, _ := p.Row(f.Row)
			return !f.Warn && slices.ContainsFunc(asks(row), func(a screening.Ask) bool { return a.Evidence == screening.PositiveGreen })
		}
		return false
	})
}

// Colours is what may be said of a code beside green, yellow and red: what no
// row looks at is on no screen.
type Colours struct{ PopUp, Printed bool }

// ColoursOf returns it for a policy.
func ColoursOf(p screening.Policy) (c Colours) {
	for _, row := range p.Spec().Requirements {
		for _, a := range asks(row) {
			pops := a.Colours == 0 || a.Colours&screening.ColoursOf(screening.PopUp) != 0
			c.PopUp = c.PopUp || a.Evidence == screening.NotBarred && pops
			c.Printed = c.Printed || a.Paper
		}
	}
	return c
}

// Has reports whether a colour may be said. Only a green is said of paper.
func (c Colours) Has(colour screening.Colour, printed bool) bool {
	switch {
	case printed:
		return c.Printed && colour == screening.Green
	case colour == screening.PopUp:
		return c.PopUp
	}
	return colour >= screening.Green && colour <= screening.Red
}

// SeenHow says how a colour that a person names became known.
func SeenHow(printed bool) screening.How {
	if printed {
		return screening.SeenPrinted
	}
	return screening.SeenByName
}

// NotedReason returns what a note about a mask or about symptoms fails, NoReason
// where nobody notes that evidence.
func NotedReason(of screening.Evidence) screening.Reason {
	switch of {
	case screening.Mask:
		return screening.NoMask
	case screening.Symptoms:
		return screening.SymptomsSeen
	}
	return screening.NoReason
}

// ParseNoted returns the evidence of which the Reason of a Noted record speaks.
func ParseNoted(reason string) (of screening.Evidence, ok bool) {
	for _, of := range []screening.Evidence{screening.Mask, screening.Symptoms} {
		if NotedReason(of).String() == reason {
			return of, true
		}
	}
	return 0, false
}

// notable reports whether a note about the open arrival is taken, which is so
// once, and where a row asks.
func (m *Machine) notable(of screening.Evidence) bool {
	return m.cur != nil && (m.phase == Gathering || m.phase == Held) && NotedReason(of) != screening.NoReason && m.policy.Asks(of) &&
		!slices.ContainsFunc(m.cur.proofs, func(p screening.Proof) bool { return p.Of == of && p.Bad })
}

// note takes what somebody sees of whoever is being served. It can only speak
// against them, so that it need not name a version: within 8 s nobody could.
func (m *Machine) note(ev Answer) error {
	a := m.cur
	if a == nil || a.id != ev.Arrival || m.phase != Gathering && m.phase != Held {
		return ErrStale
	}
	if !m.notable(ev.Of) || len(ev.By) == 0 {
		return ErrNotAllowed
	}
	a.proofs = append(a.proofs, screening.Proof{Of: ev.Of, Bad: true, At: m.now.Wall})
	m.bump()
	if m.phase == Gathering {
		return nil // its decision will say so
	}
	a.by = ev.By
	before := a.decision.Outcome
	a.decision = Worsen(a.decision, m.policy.Decide(m.arrival()), NotedReason(ev.Of))
	if a.decision.Outcome == screening.Isolate && before != screening.Isolate {
		m.emit(Alarm{a.id, a.subject.ID})
	}
	r := m.record(Noted)
	r.Reason = NotedReason(ev.Of).String()
	m.emit(Append{r})
	return nil
}

// Worsen returns a decision with the failures of a later one that have a reason,
// so that what a note brings takes nothing away.
func Worsen(d, later screening.Decision, why screening.Reason) screening.Decision {
	d.Failures = slices.Clone(d.Failures)
	for _, f := range later.Failures {
		if f.Reason != why || slices.Contains(d.Failures, f) {
			continue
		}
		d.Failures = append(d.Failures, f)
		if !f.Warn {
			d.Outcome = screening.Worse(d.Outcome, f.Outcome)
		}
	}
	return d
}
