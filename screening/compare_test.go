package screening

import (
	"slices"
	"testing"
	"time"
)

func TestCompareSaysWhatWasChanged(t *testing.T) {
	mask := Requirement{ID: "mask", Ask: Ask{Evidence: NotBarred}, Fail: Refer}
	for rule, tt := range map[string]struct {
		change func(*Spec)
		want   []Change
	}{
		"nothing":                         {func(*Spec) {}, nil},
		"name, number and source alone":   {func(s *Spec) { s.Name, s.Number, s.Requirements[0].Source = "x", 9, Source{Document: "y"} }, nil},
		"a lower threshold":               {func(s *Spec) { s.Threshold = 37_000 }, []Change{{Kind: LimitChanged, From: "≥ 37.3", To: "≥ 37.0"}}},
		"the boundary":                    {func(s *Spec) { s.Boundary = Exceeds }, []Change{{Kind: LimitChanged, From: "≥ 37.3", To: "> 37.3"}}},
		"the lowest skin temperature":     {func(s *Spec) { s.Low = 34_500 }, []Change{{Kind: LowChanged, From: "35.0", To: "34.5"}}},
		"how old a green may be":          {func(s *Spec) { s.CodeAge = 48 * time.Hour }, []Change{{Kind: CodeAgeChanged, From: "24", To: "48"}}},
		"a new row":                       {func(s *Spec) { s.Requirements = append(s.Requirements, mask) }, []Change{{Kind: RowAdded, Row: "mask"}}},
		"a row that is gone":              {func(s *Spec) { s.Requirements = s.Requirements[:3] }, []Change{{Kind: RowRemoved, Row: "green"}}},
		"a row that only warns now":       {func(s *Spec) { s.Requirements[3].Warn = true }, []Change{{Kind: RowWarns, Row: "green"}}},
		"a row for other people":          {func(s *Spec) { s.Requirements[3].Roles = RolesOf(Visitor) }, []Change{{Kind: RowAsksDifferent, Row: "green"}}},
		"no temperature, only attendance": {func(s *Spec) { s.Kind, s.Threshold = Attendance, 36_500 }, []Change{{Kind: KindChanged, From: "entry", To: "attendance"}}},
		"another limit of the wrist":      {func(s *Spec) { s.WristThreshold = 36_500 }, []Change{{Kind: WristChanged, From: "36.7", To: "36.5"}}},
		"no wrists any more": {func(s *Spec) { s.WristThreshold, s.WristLow = 0, 0 }, []Change{
			{Kind: WristChanged, From: "36.7", To: "–"}, {Kind: WristLowChanged, From: "35.0", To: "–"}}},
		"several, limits first, gone last": {func(s *Spec) { s.Threshold, s.Requirements = 37_000, append(s.Requirements[:2:2], mask) }, []Change{{Kind: LimitChanged, From: "≥ 37.3", To: "≥ 37.0"}, {Kind: RowAdded, Row: "mask"}, {Kind: RowRemoved, Row: "colour"}, {Kind: RowRemoved, Row: "green"}}},
	} {
		t.Run(rule, func(t *testing.T) {
			after := Default()
			tt.change(&after)
			if got := Compare(Default(), after); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestARowThatStopsAgainIsAChange(t *testing.T) {
	before := Default()
	before.Requirements[3].Warn = true
	if got := Compare(before, Default()); !slices.Equal(got, []Change{{Kind: RowEnforced, Row: "green"}}) {
		t.Errorf("got %+v", got)
	}
}
