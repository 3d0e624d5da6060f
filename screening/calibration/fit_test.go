package calibration

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/screening"
)

// at makes a quiet point.
func at(reference, shown screening.MilliC) Point {
	return Point{Reference: reference, Shown: shown, Spread: 40, Samples: LeastSamples}
}

// three are the usual references, as a part shows them.
func three(a, b, c screening.MilliC) []Point {
	return []Point{at(35_000, a), at(37_000, b), at(39_000, c)}
}

func TestFitFindsOffsetAndSlopeOfAStraightPart(t *testing.T) {
	for rule, tt := range map[string]struct {
		points []Point
		want   screening.Correction
		left   screening.MilliC
	}{
		"a part that is right is left alone":                 {three(35_000, 37_000, 39_000), screening.Correction{Offset: 0, Slope: 1_000_000}, 0},
		"a part that shows 0.2 K too little is raised":       {three(34_800, 36_800, 38_800), screening.Correction{Offset: 200, Slope: 1_000_000}, 0},
		"a part that shows 0.3 K too much is lowered":        {three(35_300, 37_300, 39_300), screening.Correction{Offset: -300, Slope: 1_000_000}, 0},
		"a part that shows 0.95 K of each kelvin is spread":  {three(35_100, 37_000, 38_900), screening.Correction{Offset: 0, Slope: 1_052_632}, 1},
		"a part that exaggerates is moved and never flatter": {three(34_900, 37_000, 39_100), screening.Correction{Offset: 0, Slope: 1_000_000}, 100},
		"the order in which points come does not matter":     {[]Point{at(39_000, 38_800), at(35_000, 34_800), at(37_000, 36_800)}, screening.Correction{Offset: 200, Slope: 1_000_000}, 0},
	} {
		t.Run(rule, func(t *testing.T) {
			c, left, err := Fit(tt.points)
			if err != nil || c != tt.want {
				t.Fatalf("got %+v, %v; want %+v", c, err, tt.want)
			}
			for _, x := range left {
				if max(x, -x) > tt.left {
					t.Errorf("left %v, want at most %d", left, tt.left)
				}
			}
		})
	}
}

func TestAPartThatCannotBeCorrectedIsRefused(t *testing.T) {
	noisy, few := at(37_000, 37_000), at(37_000, 37_000)
	noisy.Spread, few.Samples = MostSpread+1, LeastSamples-1
	for rule, tt := range map[string]struct {
		points []Point
		why    string
	}{
		"one that pulls everything towards 36.6":      {three(36_200, 36_600, 37_000), "normalises"},
		"one that shows the same for ever":            {three(36_600, 36_600, 36_600), "normalises"},
		"one just below the least gain":               {three(35_204, 37_000, 38_796), "normalises"},
		"one that draws a fever in":                   {three(35_000, 37_000, 38_600), "normalises: between 37.0"},
		"one that lifts the cold to the normal":       {three(36_500, 37_000, 39_000), "normalises"},
		"one that is flat about the normal only":      {[]Point{at(34_000, 34_000), at(35_000, 35_000), at(36_000, 35_900), at(37_000, 36_500), at(39_000, 38_700)}, "normalises: between 36.0"},
		"one that exaggerates":                        {three(34_700, 37_000, 39_300), "exaggerates"},
		"one that is bent":                            {[]Point{at(34_000, 34_300), at(36_000, 36_000), at(38_000, 37_720), at(40_000, 40_000)}, "bent"},
		"one that shows a whole kelvin too little":    {three(33_900, 35_900, 37_900), "out of bounds"},
		"one that shows more than half a kelvin more": {three(35_600, 37_600, 39_600), "out of bounds"},
		"a noisy one":                  {[]Point{at(35_000, 35_000), noisy, at(39_000, 39_000)}, "noisy"},
		"too few samples":              {[]Point{at(35_000, 35_000), few, at(39_000, 39_000)}, "samples"},
		"two points":                   {[]Point{at(35_000, 35_000), at(39_000, 39_000)}, "2 points"},
		"a span that is too small":     {[]Point{at(36_000, 36_000), at(37_000, 37_000), at(38_900, 38_900)}, "span 2.9"},
		"a reference that no skin has": {[]Point{at(20_000, 20_000), at(37_000, 37_000), at(39_000, 39_000)}, "reference 20.0"},
		"one reference three times":    {[]Point{at(37_000, 37_000), at(37_000, 37_000), at(37_000, 37_000)}, "span 0.0"},
	} {
		t.Run(rule, func(t *testing.T) {
			if c, _, err := Fit(tt.points); err == nil || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %+v, %v; want %s", c, err, tt.why)
			}
		})
	}
}

// Whatever was measured: a correction that is taken spreads readings, and
// never draws two of them together.
func TestNoCorrectionPullsTowardsNormal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 20_000 {
		points := three(35_000, 37_000, 39_000)
		gain, offset := 0.85+0.3*r.Float64(), screening.MilliC(r.IntN(2400)-1200)
		for i := range points {
			d := float64(points[i].Reference - 37_000)
			points[i].Shown = 37_000 + offset + screening.MilliC(gain*d) + screening.MilliC(r.IntN(80)-40)
		}
		c, left, err := Fit(points)
		if err != nil {
			continue
		}
		taken++
		for i := range left {
			if max(left[i], -left[i]) > MostResidual {
				t.Fatalf("%+v leaves %v", points, left)
			}
		}
		for v := screening.MilliC(34_000); v < 41_000; v += 500 {
			if c.Of(v+500)-c.Of(v) < 500 {
				t.Fatalf("%+v: %+v draws %v and %v together", points, c, v, v+500)
			}
		}
	}
	if taken < 1000 {
		t.Errorf("only %d of the parts were taken", taken)
	}
}

func TestAPointIsTheMedianOfItsSamples(t *testing.T) {
	got := Sum(37_000, []screening.MilliC{37_100, 36_900, 37_000, 37_020, 36_980})
	if got != (Point{37_000, 37_000, 200, 5}) {
		t.Errorf("got %+v", got)
	}
	if Sum(37_000, nil) != (Point{}) {
		t.Error("no sample makes a point")
	}
}

func TestThreePeopleMustAgreeWithinHalfADegree(t *testing.T) {
	c := screening.Correction{Offset: 300, Slope: 1_000_000}
	people := []Point{at(36_500, 36_300), at(36_800, 36_000), at(36_200, 36_400)}
	if err := Field(people, c); err != nil {
		t.Error(err)
	}
	for rule, change := range map[string]func() ([]Point, screening.Correction){
		"without the correction one is 0.8 K off": func() ([]Point, screening.Correction) { return people, screening.Correction{} },
		"two people": func() ([]Point, screening.Correction) { return people[:2], c },
		"one who is 0.501 K above": func() ([]Point, screening.Correction) {
			p := slices.Clone(people)
			p[2].Shown = 36_401
			return p, c
		},
		"nobody was measured": func() ([]Point, screening.Correction) {
			p := slices.Clone(people)
			p[0].Samples = 0
			return p, c
		},
	} {
		t.Run(rule, func(t *testing.T) {
			if Field(change()) == nil {
				t.Error("taken")
			}
		})
	}
}

func TestThreeHeightsMustBeSeenAlike(t *testing.T) {
	good := []Height{{1_000, 34_100}, {1_280, 34_400}, {1_700, 34_200}}
	if err := CheckHeights(good); err != nil {
		t.Error(err)
	}
	for rule, tt := range map[string]struct {
		list []Height
		why  string
	}{
		"the small one is not seen":   {[]Height{{1_000, 21_000}, {1_300, 34_400}, {1_700, 34_200}}, "nobody is seen at 1000 mm"},
		"they differ by 0.301 K":      {[]Height{{1_000, 34_100}, {1_300, 34_401}, {1_700, 34_200}}, "differ"},
		"one of them is missing":      {good[:2], "2 heights"},
		"a small one was not so tall": {[]Height{{1_300, 34_100}, {1_300, 34_100}, {1_700, 34_200}}, "want about 1000"},
	} {
		t.Run(rule, func(t *testing.T) {
			if err := CheckHeights(tt.list); err == nil || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v", err)
			}
		})
	}
	if got := HeightsText(good); got != "1000:34100 1280:34400 1700:34200" {
		t.Errorf("got %s", got)
	}
}
