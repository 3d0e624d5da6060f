package screening_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

func TestCompileRefusesWhatLiesOutsideTheBounds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*screening.Spec)
		fault  string
	}{
		"threshold below 36.0":              {func(s *screening.Spec) { s.Threshold = 35_999 }, "threshold"},
		"threshold above 38.5":              {func(s *screening.Spec) { s.Threshold = 38_501 }, "threshold"},
		"skin below 30.0":                   {func(s *screening.Spec) { s.Low = 29_999 }, "lowest skin"},
		"skin above 36.0":                   {func(s *screening.Spec) { s.Low = 36_001 }, "lowest skin"},
		"skin not below the threshold":      {func(s *screening.Spec) { s.Low, s.Threshold = 36_000, 36_000 }, "lowest skin"},
		"wrist above the forehead":          {func(s *screening.Spec) { s.WristThreshold = 37_301 }, "threshold of the wrist"},
		"wrist below 36.0":                  {func(s *screening.Spec) { s.WristThreshold = 35_999 }, "threshold of the wrist"},
		"wrist without a threshold":         {func(s *screening.Spec) { s.WristThreshold = 0 }, "threshold of the wrist"},
		"colder than a forehead may be":     {func(s *screening.Spec) { s.WristLow = 34_999 }, "lowest temperature of the wrist"},
		"wrist not below its threshold":     {func(s *screening.Spec) { s.WristThreshold, s.WristLow = 36_000, 36_000 }, "lowest temperature of the wrist"},
		"wrist above 36.0":                  {func(s *screening.Spec) { s.WristLow = 36_001 }, "lowest temperature of the wrist"},
		"unknown kind":                      {func(s *screening.Spec) { s.Kind = 2 }, "kind 2"},
		"unknown boundary":                  {func(s *screening.Spec) { s.Boundary = 2 }, "boundary 2"},
		"negative code age":                 {func(s *screening.Spec) { s.CodeAge = -1 }, "code age"},
		"code age over 14 days":             {func(s *screening.Spec) { s.CodeAge = 14*24*time.Hour + 1 }, "code age"},
		"more than 64 rows":                 {func(s *screening.Spec) { s.Requirements = append(s.Requirements, many(61)...) }, "65 rows"},
		"row without a name":                {func(s *screening.Spec) { s.Requirements[2].ID = "" }, "row 3"},
		"row with a long name":              {func(s *screening.Spec) { s.Requirements[2].ID = strings.Repeat("a", 41) }, "row 3"},
		"two rows of one name":              {func(s *screening.Spec) { s.Requirements[2].ID = "identity" }, "stands twice"},
		"row with an unknown direction":     {func(s *screening.Spec) { s.Requirements[2].Direction = 3 }, "direction 3"},
		"row with no evidence":              {func(s *screening.Spec) { s.Requirements[2].Evidence = 0 }, "evidence 0"},
		"row with unknown evidence":         {func(s *screening.Spec) { s.Requirements[2].Evidence = 20 }, "evidence 20"},
		"row whose failure admits":          {func(s *screening.Spec) { s.Requirements[2].Fail = screening.Admit }, "must stop"},
		"row with an unknown outcome":       {func(s *screening.Spec) { s.Requirements[2].Fail = 5 }, "must stop"},
		"identity only warns":               {func(s *screening.Spec) { s.Requirements[0].Warn = true }, "identity"},
		"identity for some only":            {func(s *screening.Spec) { s.Requirements[0].Roles = screening.RolesOf(screening.Student) }, "identity"},
		"identity on the way out only":      {func(s *screening.Spec) { s.Requirements[0].Direction = screening.Out }, "identity"},
		"temperature only warns":            {func(s *screening.Spec) { s.Requirements[1].Warn = true }, "temperature"},
		"attendance without identity":       {func(s *screening.Spec) { s.Kind, s.Requirements = screening.Attendance, nil }, "identity"},
		"a signed policy with nobody in it": {func(s *screening.Spec) { s.Requirements = nil }, "temperature"},
	} {
		t.Run(name, func(t *testing.T) {
			s := screening.Default()
			c.change(&s)
			p, err := screening.Compile(s)
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Fatalf("error %v does not name %q", err, c.fault)
			}
			if d := p.Decide(whole(screening.Student)); d.Outcome != screening.Refer {
				t.Errorf("a refused policy decides %v", d.Outcome)
			}
		})
	}
}

func many(n int) []screening.Requirement {
	rows := make([]screening.Requirement, n)
	for i := range rows {
		rows[i] = screening.Requirement{ID: fmt.Sprint("row ", i), Ask: screening.Ask{Evidence: screening.NotBarred}, Fail: screening.Refer}
	}
	return rows
}

func TestCompileReportsEveryFaultAtOnce(t *testing.T) {
	_, err := screening.Compile(screening.Spec{Kind: 3, Boundary: 3, CodeAge: -1, Requirements: []screening.Requirement{{}, {}}})
	for _, fault := range []string{"kind 3", "threshold", "lowest skin", "boundary 3", "code age", "row 1", "row 2", "stands twice", "identity"} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not reported in %v", fault, err)
		}
	}
}

func TestBoundsThemselvesAreAllowed(t *testing.T) {
	compiled(t, func(s *screening.Spec) {
		s.Threshold, s.Low, s.CodeAge = screening.ThresholdMost, screening.LowLeast, screening.CodeAgeMost
		s.WristThreshold, s.WristLow = screening.ThresholdMost, screening.LowLeast
		s.Requirements = append(s.Requirements, many(60)...)
	})
	compiled(t, func(s *screening.Spec) {
		s.Threshold, s.Low, s.CodeAge = screening.ThresholdLeast, 35_999, 0
		s.WristThreshold, s.WristLow = screening.ThresholdLeast, 35_999
	})
	compiled(t, func(s *screening.Spec) { s.Threshold, s.WristThreshold, s.WristLow = screening.ThresholdLeast, 0, 0 })
}

func TestCompiledPolicyDoesNotChangeWithItsSpec(t *testing.T) {
	s := screening.Default()
	p, err := screening.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Requirements[1].Warn = true
	p.Spec().Requirements[1].Warn = true
	a := whole(screening.Student)
	a.Readings = nil
	if d := p.Decide(a); d.Outcome != screening.Refer {
		t.Errorf("outcome %v after its spec was changed", d.Outcome)
	}
}

func TestNeedsAsksForNoMoreThanTheRowsInForce(t *testing.T) {
	p := compiled(t, nil)
	attendance := compiled(t, func(s *screening.Spec) { s.Kind, s.Requirements = screening.Attendance, s.Requirements[:1] })
	for name, c := range map[string]struct {
		got, want screening.Needs
	}{
		"pupil":            {p.Needs(coming(screening.Student, screening.In)), screening.Needs{Identity: true, Temperature: true}},
		"visitor":          {p.Needs(coming(screening.Visitor, screening.In)), screening.Needs{Identity: true, Temperature: true, Green: true}},
		"nobody known yet": {p.Needs(coming(screening.RoleUnknown, screening.In)), screening.Needs{Identity: true, Temperature: true, Green: true}},
		"on the way out":   {p.Needs(coming(screening.Student, screening.Out)), screening.Needs{}},
		"attendance":       {attendance.Needs(coming(screening.Staff, screening.In)), screening.Needs{Identity: true}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", name, c.got, c.want)
		}
	}
}

func coming(r screening.Role, d screening.Direction) screening.Arrival {
	return screening.Arrival{Subject: screening.Subject{Role: r}, Direction: d}
}

func TestOnlyAValidNormalReadingOfAnotherInstrumentClears(t *testing.T) {
	p := compiled(t, nil)
	for name, c := range map[string]struct {
		r    screening.Reading
		want bool
	}{
		"another, normal":     {ear(36_500), true},
		"another, high":       {ear(37_300), false},
		"another, cold":       {ear(34_000), false},
		"another, not a body": {ear(20_000), false},
		"the same, normal":    {lens(36_500), false},
	} {
		if got := p.Clears(c.r, "lens"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
