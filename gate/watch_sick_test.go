package gate

import (
	"slices"
	"testing"

	"github.com/menshen/menshen/entry"
)

func TestWhatACaseTellsTheTableOfClusters(t *testing.T) {
	opened := func(found ...string) entry.Case { return entry.Case{Step: entry.CaseOpened, Found: found} }
	measured := func(peak int32) entry.Case {
		return entry.Case{Step: entry.CaseMeasured, Reading: &entry.Reading{Peak: peak}, Limit: 37_300}
	}
	diagnosed := func(disease string) entry.Case { return entry.Case{Step: entry.CaseDiagnosed, Reason: disease} }
	corrects := func(step uint16) entry.Case { return entry.Case{Step: entry.CaseCorrected, Corrects: step} }
	for rule, tt := range map[string]struct {
		steps []entry.Case
		want  []string
	}{
		"a fever at the gate":                  {[]entry.Case{opened("high-twice")}, []string{"fever"}},
		"a red code is no illness":             {[]entry.Case{opened("red-code")}, nil},
		"a fever that the room has measured":   {[]entry.Case{opened("cough"), measured(38_000)}, []string{"fever", "cough", "ili"}},
		"at the limit it is one":               {[]entry.Case{opened("cough"), measured(37_300)}, []string{"fever", "cough", "ili"}},
		"below the limit it is none":           {[]entry.Case{opened("cough"), measured(37_299)}, []string{"cough"}},
		"one that was typed wrong is none":     {[]entry.Case{opened("cough"), measured(38_000), corrects(2)}, []string{"cough"}},
		"what the doctor says counts":          {[]entry.Case{opened("vomiting"), diagnosed("norovirus")}, []string{"vomiting", "norovirus"}},
		"what the doctor took back does not":   {[]entry.Case{opened("vomiting"), diagnosed("norovirus"), corrects(2), diagnosed("cold")}, []string{"vomiting", "cold"}},
		"nothing infectious is no illness":     {[]entry.Case{opened("vomiting"), diagnosed("no-disease")}, nil},
		"back to class is no illness":          {[]entry.Case{opened("high-twice"), {Step: entry.CaseBackToClass}}, nil},
		"nor is somebody else":                 {[]entry.Case{opened("high-twice"), {Step: entry.CaseNotThisPerson}}, nil},
		"a drill is none":                      {[]entry.Case{opened("drill"), measured(39_000)}, nil},
		"who went home was ill all the same":   {[]entry.Case{opened("fever"), {Step: entry.CaseHome}}, []string{"fever"}},
		"an end that was taken back is no end": {[]entry.Case{opened("fever"), {Step: entry.CaseNotThisPerson}, corrects(2)}, []string{"fever"}},
	} {
		t.Run(rule, func(t *testing.T) {
			e, ill := (&sickness{subject: 7, at: sevenNineteen, steps: tt.steps}).event()
			if ill != (tt.want != nil) || !slices.Equal(e.Syndromes, tt.want) {
				t.Errorf("got %v, %v", e.Syndromes, ill)
			}
		})
	}
}
