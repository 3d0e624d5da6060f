package screening_test

import (
	"testing"

	"github.com/menshen/menshen/screening"
)

func wrist(peak screening.MilliC) screening.Reading {
	r := lens(peak)
	r.Site = screening.Wrist
	return r
}

func TestAWristHasFiguresOfItsOwn(t *testing.T) {
	p := compiled(t, nil)
	exceeds := compiled(t, func(s *screening.Spec) { s.Boundary = screening.Exceeds })
	none := compiled(t, func(s *screening.Spec) { s.WristThreshold, s.WristLow = 0, 0 })
	for rule, tt := range map[string]struct {
		policy   screening.Policy
		readings []screening.Reading
		want     screening.Outcome
		why      screening.Reason
	}{
		"below its threshold":                         {p, []screening.Reading{wrist(36_699)}, screening.Admit, screening.NoReason},
		"at its threshold":                            {p, []screening.Reading{wrist(36_700)}, screening.Recheck, screening.HighOnce},
		"at it, where the boundary exceeds":           {exceeds, []screening.Reading{wrist(36_700)}, screening.Admit, screening.NoReason},
		"above it, where the boundary exceeds":        {exceeds, []screening.Reading{wrist(36_701)}, screening.Recheck, screening.HighOnce},
		"a forehead at that value":                    {p, []screening.Reading{lens(36_700)}, screening.Admit, screening.NoReason},
		"no forehead is cleared by the same lens":     {p, []screening.Reading{lens(37_400), wrist(36_000)}, screening.Recheck, screening.HighOnce},
		"another instrument clears a wrist":           {p, []screening.Reading{wrist(36_900), ear(36_500)}, screening.Admit, screening.NoReason},
		"another that is high makes two":              {p, []screening.Reading{wrist(36_900), ear(37_300)}, screening.Isolate, screening.HighTwice},
		"a policy that does not ask for it":           {none, []screening.Reading{wrist(36_000)}, screening.Refer, screening.NoTemperature},
		"high is high, whether or not it is asked of": {none, []screening.Reading{wrist(37_300)}, screening.Recheck, screening.HighOnce},
		"a scattered one that is high":                {p, []screening.Reading{quality(wrist(36_700), screening.Scattered)}, screening.Recheck, screening.HighOnce},
	} {
		t.Run(rule, func(t *testing.T) {
			a := whole(screening.Student)
			a.Readings = tt.readings
			d := tt.policy.Decide(a)
			if d.Outcome != tt.want || tt.why != screening.NoReason && !d.Has(tt.why) {
				t.Errorf("got %v %v", d.Outcome, d.Failures)
			}
		})
	}
}

// FuzzAWristLetsPassNoMoreThanAForehead: a lens cannot tell which it sees.
func FuzzAWristLetsPassNoMoreThanAForehead(f *testing.F) {
	f.Add(int32(36_700), int32(37_300), int32(36_700), int32(35_000), uint8(1), false)
	f.Add(int32(36_650), int32(36_600), int32(36_600), int32(35_000), uint8(1), true)
	f.Fuzz(func(t *testing.T, peak, threshold, wristThreshold, wristLow int32, q uint8, exceeds bool) {
		s := screening.Default()
		s.Threshold, s.WristThreshold, s.WristLow = screening.MilliC(threshold), screening.MilliC(wristThreshold), screening.MilliC(wristLow)
		if exceeds {
			s.Boundary = screening.Exceeds
		}
		p, err := screening.Compile(s)
		if err != nil {
			return
		}
		forehead := whole(screening.Student)
		forehead.Readings = []screening.Reading{quality(lens(screening.MilliC(peak)), screening.Quality(q))}
		other := forehead
		other.Readings = []screening.Reading{quality(wrist(screening.MilliC(peak)), screening.Quality(q))}
		if p.Decide(other).Outcome == screening.Admit && p.Decide(forehead).Outcome != screening.Admit {
			t.Errorf("%d at the wrist passes", peak)
		}
		if p.LowAt(screening.Wrist) < p.Low() {
			t.Errorf("a forehead too cold passes for a wrist")
		}
	})
}
