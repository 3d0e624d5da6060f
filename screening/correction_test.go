package screening

import "testing"

func TestACorrectionMovesThePivotAndSpreadsTheRest(t *testing.T) {
	for rule, tt := range map[string]struct {
		c        Correction
		in, want MilliC
	}{
		"no correction changes nothing":          {Correction{}, 36_512, 36_512},
		"the offset is added":                    {Correction{180, 1_000_000}, 36_512, 36_692},
		"and taken away":                         {Correction{-300, 1_000_000}, 37_600, 37_300},
		"above the pivot it spreads up":          {Correction{0, 1_050_000}, 39_000, 39_100},
		"below the pivot it spreads down":        {Correction{0, 1_050_000}, 35_000, 34_900},
		"a rest is rounded up":                   {Correction{0, 1_000_001}, 37_001, 37_002},
		"below the pivot too":                    {Correction{0, 1_050_000}, 36_999, 36_999},
		"the least slope is 1":                   {Correction{0, 999_999}, 39_000, 39_000},
		"the most is 1.1":                        {Correction{0, 1_100_001}, 39_000, 39_000},
		"nothing is lowered by more than 0.5 K":  {Correction{-501, 1_000_000}, 39_000, 39_000},
		"nothing is raised by more than 1 K":     {Correction{1_001, 1_000_000}, 39_000, 39_000},
		"half a degree down is the bound itself": {Correction{-500, 1_000_000}, 39_000, 38_500},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := tt.c.Of(tt.in); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestTheFormulaKeepsWhatTheInstrumentShowed(t *testing.T) {
	if got := FormulaCalibrated(1042, 36_512, 36_540); got != "skin/1 cal/1042 raw/36512/36540" {
		t.Errorf("got %s", got)
	}
}
