package calibration

import (
	"slices"
	"testing"

	"github.com/menshen/menshen/screening"
)

func TestTheMedianIsTheMiddleReading(t *testing.T) {
	var h Histogram
	if h.Median() != (Median{}) {
		t.Errorf("of nothing: %+v", h.Median())
	}
	for _, v := range []screening.MilliC{36_100, 36_400, 36_410, 38_900, 36_420} {
		h.Add(v, 18_000)
	}
	h.Add(22_000, 18_000) // a wall
	if got := h.Median(); got != (Median{36_425, 18_000, 5}) {
		t.Errorf("got %+v", got)
	}
	var all Histogram
	all.Merge(&h)
	all.Merge(&h)
	if got := all.Median(); got != (Median{36_425, 18_000, 10}) {
		t.Errorf("merged: %+v", got)
	}
}

func TestALaneDriftsAgainstDaysThatWereAsWarm(t *testing.T) {
	like := Median{36_400, 18_000, 200}
	cold := Median{35_600, 2_000, 200}
	week := slices.Repeat([]Median{like}, 5)
	for rule, tt := range map[string]struct {
		today  Median
		before []Median
		by     screening.MilliC
		drifts bool
	}{
		"0.35 K lower":                 {Median{36_050, 18_000, 200}, week, -350, true},
		"0.35 K higher":                {Median{36_750, 20_900, 200}, week, 350, true},
		"0.3 K is within the limit":    {Median{36_700, 18_000, 200}, week, 300, false},
		"colder air is another day":    {Median{35_600, 2_000, 200}, week, 0, false},
		"against cold days alone":      {Median{35_200, 2_000, 200}, slices.Concat(week, slices.Repeat([]Median{cold}, 3)), -400, true},
		"too few readings today":       {Median{36_050, 18_000, DayReadings - 1}, week, 0, false},
		"too few days":                 {Median{36_050, 18_000, 200}, week[:2], 0, false},
		"days with too few readings":   {Median{36_050, 18_000, 200}, slices.Repeat([]Median{{36_400, 18_000, 5}}, 9), 0, false},
		"what is older than ten days":  {Median{36_050, 18_000, 200}, slices.Concat(week, slices.Repeat([]Median{{36_050, 18_000, 200}}, 10)), 0, false},
		"the first day of all is calm": {Median{36_050, 18_000, 200}, nil, 0, false},
	} {
		t.Run(rule, func(t *testing.T) {
			if by, drifts := Moved(tt.today, tt.before); by != tt.by || drifts != tt.drifts {
				t.Errorf("got %d %v, want %d %v", by, drifts, tt.by, tt.drifts)
			}
		})
	}
}

func TestTwoLanesDriftApartInOneHour(t *testing.T) {
	a := Median{36_900, 18_000, 60}
	for rule, tt := range map[string]struct {
		b      Median
		drifts bool
	}{
		"0.65 K apart":     {Median{36_250, 18_000, 60}, true},
		"0.6 K apart":      {Median{36_300, 18_000, 60}, false},
		"too few readings": {Median{36_250, 18_000, HourReadings - 1}, false},
	} {
		t.Run(rule, func(t *testing.T) {
			if by, drifts := Apart(a, tt.b); drifts != tt.drifts {
				t.Errorf("got %d %v", by, drifts)
			}
			if _, drifts := Apart(tt.b, a); drifts != tt.drifts {
				t.Error("the order matters")
			}
		})
	}
}
