package screening_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// chance makes policies and arrivals of which a good part fits together, the same
// ones for the same seed.
type chance struct{ *rand.Rand }

const seeds = 5_000

// forEachSeed runs f often. The share of those for which f returns true must not
// be so small that it proves nothing.
func forEachSeed(t *testing.T, f func(c chance) bool) {
	t.Helper()
	n := 0
	for seed := range uint64(seeds) {
		if f(chance{rand.New(rand.NewPCG(seed, 7))}) {
			n++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if n < seeds/100 {
		t.Errorf("only %d of %d have shown anything", n, seeds)
	}
}

func (c chance) often() bool { return c.IntN(5) > 0 }

func pick[T any](c chance, of ...T) T { return of[c.IntN(len(of))] }

func (c chance) ask(of ...screening.Evidence) screening.Ask {
	if len(of) == 0 {
		for e := screening.NotBarred; e <= screening.RiskArea; e++ {
			of = append(of, e)
		}
	}
	a := screening.Ask{Evidence: pick(c, of...)}
	switch a.Evidence {
	case screening.Document, screening.Seen:
		a.Name = pick(c, "card", "letter")
	case screening.Tests:
		a.Count, a.Within, a.Apart = uint8(1+c.IntN(2)), 48*time.Hour, time.Duration(c.IntN(2))*24*time.Hour
	case screening.History:
		a.Days = 14
	case screening.PositiveGreen:
		a.Paper = c.often()
	case screening.NotBarred:
		a.Colours = screening.Colours(c.IntN(8) << 2)
	}
	if a.Evidence.Lookable() && a.Within == 0 && !c.often() {
		a.Within = 24 * time.Hour
	}
	return a
}

func (c chance) who() screening.Who {
	w := screening.Who{Roles: screening.Roles(c.IntN(16) << 1), Boarding: screening.Boarding(c.IntN(3))}
	if !c.often() {
		w.Grades = []string{pick(c, "初一", "初三")}
	}
	return w
}

func (c chance) row(id string) screening.Requirement {
	r := screening.Requirement{
		ID: id, Ask: c.ask(), Fail: pick(c, screening.Refer, screening.Recheck, screening.Refuse, screening.Isolate), Warn: !c.often(),
		When: screening.When{Direction: screening.Direction(c.IntN(3)), SchoolDays: !c.often()},
	}
	if !c.often() {
		r.Who, r.Place = c.who(), screening.Place(c.IntN(5))
	}
	if !c.often() {
		r.Or = []screening.Ask{c.ask()}
	}
	if !c.often() {
		r.After, r.Before = screening.Minutes(c.IntN(420)), screening.Minutes(420+c.IntN(1000))
	}
	return r
}

// policy makes a policy that Compile takes.
func (c chance) policy(t *testing.T) screening.Spec {
	s := screening.Default()
	s.Threshold = 36_900 + screening.MilliC(c.IntN(12)*100)
	s.WristThreshold = min(s.WristThreshold, s.Threshold)
	s.Boundary = screening.Boundary(c.IntN(2))
	s.Requirements = s.Requirements[:2+c.IntN(3)]
	for i := range c.IntN(4) {
		s.Requirements = append(s.Requirements, c.row(fmt.Sprint("row-", i)))
	}
	if !c.often() {
		s.Windows = []screening.ArrivalWindow{{Who: c.who(), From: 400, To: 420, Lanes: []uint8{1}}}
	}
	if _, err := screening.Compile(s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (c chance) arrival() screening.Arrival {
	a := whole(pick(c, screening.Student, screening.Staff, screening.Visitor, screening.RoleUnknown))
	a.Readings[0] = lens(36_400 + screening.MilliC(c.IntN(18)*100))
	a.Direction, a.Lane = screening.Direction(c.IntN(2)), uint8(c.IntN(3))
	a.Subject.Grade, a.Subject.Boarding = pick(c, "", "初一", "初三"), screening.Boarding(c.IntN(3))
	if !c.often() {
		a.Readings = append(a.Readings, quality(ear(36_400+screening.MilliC(c.IntN(18)*100)), screening.Quality(c.IntN(7))))
	}
	if !c.often() {
		a.Code = screening.Code{Colour: screening.Colour(c.IntN(5)), How: screening.How(c.IntN(4)), AsOf: monday.Add(-time.Duration(c.IntN(40)) * time.Hour)}
	}
	for range c.IntN(8) {
		q := screening.Proof{
			Of: screening.Evidence(1 + c.IntN(19)), Bad: !c.often(), At: monday.Add(-time.Duration(c.IntN(60)) * time.Hour),
		}
		if q.Of == screening.Document || q.Of == screening.Seen {
			q.Name = pick(c, "card", "letter")
		}
		a.Proofs = append(a.Proofs, q)
	}
	for range c.IntN(3) {
		a.Shown = append(a.Shown, screening.Shown{Row: fmt.Sprint("row-", c.IntN(4)), InOrder: c.often()})
	}
	a.ClockTrusted = c.often()
	for _, change := range []func(){
		func() { a.Held = true }, func() { a.Case = screening.CaseState(c.IntN(3)) }, func() { a.Again = screening.Again(c.IntN(3)) },
		func() { a.NoSchool = true }, func() { a.Place = screening.Place(c.IntN(5)) }, func() { a.Subject.ID = 0 },
	} {
		if c.IntN(12) == 0 {
			change()
		}
	}
	return a
}

func compile(t *testing.T, s screening.Spec) screening.Policy {
	p, err := screening.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// softer reports whether an outcome is milder than another one.
func softer(o, than screening.Outcome) bool { return screening.Worse(o, than) != o }

// without takes away all that could show a sort of evidence.
func without(a screening.Arrival, ask screening.Ask) screening.Arrival {
	switch ask.Evidence {
	case screening.Identity, screening.Registration:
		a.Subject.ID = 0
	case screening.Temperature:
		a.Readings = nil
	case screening.PositiveGreen:
		a.Code = screening.Code{}
	}
	var rest []screening.Proof
	for _, q := range a.Proofs {
		if q.Of != ask.Evidence {
			rest = append(rest, q)
		}
	}
	a.Proofs, a.Shown = rest, nil
	return a
}

func TestMissingEvidenceOfAnEnforcedRowNeverAdmits(t *testing.T) {
	forEachSeed(t, func(c chance) bool {
		s, a := c.policy(t), c.arrival()
		row := screening.Requirement{
			ID: "shown", When: screening.When{Direction: screening.Both, Place: a.Place}, Fail: screening.Recheck,
			Ask: c.ask(screening.Identity, screening.Registration, screening.Temperature, screening.PositiveGreen, screening.Tests,
				screening.Approval, screening.Document, screening.History, screening.Seen, screening.TripCard),
		}
		before := compile(t, s).Decide(a)
		s.Requirements = append(s.Requirements, row)
		if d := compile(t, s).Decide(without(a, row.Ask)); d.Outcome == screening.Admit {
			t.Errorf("admitted without %v: %+v", row.Evidence, a)
		}
		return before.Outcome == screening.Admit
	})
}

func TestAStricterThresholdNeverAdmitsMore(t *testing.T) {
	forEachSeed(t, func(c chance) bool {
		s, a := c.policy(t), c.arrival()
		mild := compile(t, s).Decide(a)
		s.Threshold -= screening.MilliC(c.IntN(9) * 100)
		s.Threshold = max(s.Threshold, screening.ThresholdLeast)
		s.WristThreshold = min(s.WristThreshold, s.Threshold)
		s.Boundary = screening.Reaches
		strict := compile(t, s).Decide(a)
		if strict.Outcome == screening.Admit && mild.Outcome != screening.Admit {
			t.Errorf("%v admits what a milder one stops with %+v: %+v", s.Threshold, mild, a)
		}
		return strict.Outcome != mild.Outcome
	})
}

func TestOneMoreFailedRowNeverSoftensTheOutcome(t *testing.T) {
	forEachSeed(t, func(c chance) bool {
		s, a := c.policy(t), c.arrival()
		before := compile(t, s).Decide(a)
		s.Requirements = append(s.Requirements, c.row("more"))
		after := compile(t, s).Decide(a)
		failed := len(after.Failures) > 0 && after.Failures[len(after.Failures)-1].Row == "more"
		if failed && softer(after.Outcome, before.Outcome) {
			t.Errorf("%v became %v with one more failure: %+v", before.Outcome, after.Outcome, after.Failures)
		}
		if failed && softer(after.Outcome, after.Failures[len(after.Failures)-1].Outcome) && !after.Failures[len(after.Failures)-1].Warn {
			t.Errorf("%v is milder than its row: %+v", after.Outcome, after.Failures)
		}
		return failed
	})
}

func TestTheBoundsHoldUnderEveryPolicy(t *testing.T) {
	forEachSeed(t, func(c chance) bool {
		a := c.arrival()
		if compile(t, c.policy(t)).Decide(a).Outcome != screening.Admit {
			return false
		}
		if a.Held || a.Case != screening.NoCase || a.Code.Colour == screening.Red {
			t.Errorf("admitted: %+v", a)
		}
		for _, r := range a.Readings {
			if r.Quality == screening.Valid && r.Peak >= screening.HardFever {
				t.Errorf("admitted with a fever: %+v", a)
			}
		}
		return true
	})
}
