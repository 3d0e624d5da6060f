package screening_test

import (
	"math"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

var instrument = screening.Instrument{Name: "lens", Period: 100 * time.Millisecond, AmbientLow: 10_000, AmbientHigh: 35_000}

// series makes samples 100 ms apart, the last at one second.
func series(objects ...screening.MilliC) []screening.Sample {
	out := make([]screening.Sample, len(objects))
	for i, o := range objects {
		out[i] = screening.Sample{Object: o, Ambient: 20_000, At: time.Second - time.Duration(len(objects)-1-i)*100*time.Millisecond}
	}
	return out
}

func TestTakeNeverGivesANumberThatItCannotStandFor(t *testing.T) {
	cold := series(36_500, 36_500, 36_500)
	cold[2].Ambient = 9_999
	hot := series(36_500, 36_500, 36_500)
	hot[2].Ambient = 35_001
	for name, c := range map[string]struct {
		samples []screening.Sample
		peak    screening.MilliC
		now     time.Duration
		want    screening.Quality
		value   screening.MilliC
		highest screening.MilliC
	}{
		"no samples":                          {nil, 0, time.Second, screening.Missing, 0, 0},
		"two samples":                         {series(36_500, 36_500), 36_500, time.Second, screening.Missing, 0, 0},
		"three samples":                       {series(36_500, 36_600, 36_400), 36_600, time.Second, screening.Valid, 36_500, 36_600},
		"the peak may be older":               {series(36_500, 36_600, 36_400), 36_900, time.Second, screening.Valid, 36_500, 36_900},
		"the peak is never below the samples": {series(36_500, 36_600, 36_400), 0, time.Second, screening.Valid, 36_500, 36_600},
		"newest exactly 500 ms old":           {series(36_500, 36_500, 36_500), 0, 1500 * time.Millisecond, screening.Valid, 36_500, 36_500},
		"newest older than 500 ms":            {series(36_500, 36_500, 36_500), 0, 1500*time.Millisecond + 1, screening.Stale, 0, 0},
		"newest from the future":              {series(36_500, 36_500, 36_500), 0, time.Second - 1, screening.Stale, 0, 0},
		"too cold an ambient":                 {cold, 0, time.Second, screening.Ambient, 0, 0},
		"too hot an ambient":                  {hot, 0, time.Second, screening.Ambient, 0, 0},
		"spread of 0.5":                       {series(36_500, 36_000, 36_500), 0, time.Second, screening.Valid, 36_500, 36_500},
		"spread over 0.5":                     {series(36_501, 36_000, 36_500), 0, time.Second, screening.Scattered, 0, 36_501},
		"no skin above 43":                    {series(42_900, 43_001, 42_900), 0, time.Second, screening.Hot, 0, 0},
		"exactly the lowest skin":             {series(35_000, 35_000, 35_000), 0, time.Second, screening.Valid, 35_000, 35_000},
		"below the lowest skin":               {series(34_999, 34_999, 35_100), 0, time.Second, screening.Cold, 34_999, 35_100},
		"more samples than three are one too": {series(36_500, 36_500, 36_500, 36_600, 36_600), 0, time.Second, screening.Valid, 36_500, 36_600},
	} {
		t.Run(name, func(t *testing.T) {
			r := screening.Take(instrument, c.samples, c.peak, 35_000, c.now)
			if r.Quality != c.want || r.Value != c.value || r.Peak != c.highest {
				t.Errorf("%+v", r)
			}
			if r.Instrument != "lens" || r.Formula != screening.FormulaSkin1 || int(r.Samples) != len(c.samples) {
				t.Errorf("a reading does not say where it came from: %+v", r)
			}
		})
	}
}

func TestTypedValues(t *testing.T) {
	for v, want := range map[screening.MilliC]screening.Quality{
		29_999: screening.Missing, 30_000: screening.Cold, 34_999: screening.Cold, 35_000: screening.Valid,
		43_000: screening.Valid, 43_001: screening.Hot, -1: screening.Missing,
	} {
		if r := screening.Typed("ear", screening.Ear, v, 35_000); r.Quality != want || r.Peak != v || r.Site != screening.Ear {
			t.Errorf("%v: %+v", v, r)
		}
	}
}

func TestTemperaturesAreNeverRoundedOntoTheThreshold(t *testing.T) {
	for v, want := range map[screening.MilliC]string{
		36_500: "36.5", 37_199: "37.2", 37_200: "37.20", 37_249: "37.25", 37_280: "37.28",
		37_295: "37.295", 37_299: "37.299", 37_300: "37.30", 37_301: "37.301", 37_304: "37.304", 37_305: "37.31",
		37_400: "37.40", 37_401: "37.4", 38_960: "39.0",
	} {
		if got := v.Near(37_300); got != want {
			t.Errorf("%d: %s, want %s", int32(v), got, want)
		}
	}
	for v, want := range map[screening.MilliC]string{
		0: "0.0", 49: "0.0", 50: "0.1", -50: "-0.1", -1_250: "-1.3", 9_999: "10.0",
		math.MaxInt32: "2147483.6", math.MinInt32: "-2147483.6",
	} {
		if got := v.String(); got != want {
			t.Errorf("%d: %s, want %s", int32(v), got, want)
		}
	}
}
