package policy_test

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// asking returns the shortest policy with one more row.
func asking(t testing.TB, row string) screening.Policy {
	t.Helper()
	p, err := screening.Compile(parse(t, least+row).Spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func recorded(list ...policy.Recorded) iter.Seq2[policy.Recorded, error] {
	return func(yield func(policy.Recorded, error) bool) {
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// came is somebody as a journal keeps it: measured, and decided so.
func came(id uint64, peak screening.MilliC, under screening.Policy, o screening.Outcome, rows ...string) policy.Recorded {
	return policy.Recorded{
		Arrival: screening.Arrival{
			Subject:  screening.Subject{ID: id, Role: screening.Staff},
			Readings: []screening.Reading{{Value: peak, Peak: peak, Instrument: "lens", Quality: screening.Valid}}, ClockTrusted: true,
		},
		Decision: screening.ReadDecision(o, rows), Under: under,
	}
}

func replayed(t *testing.T, p screening.Policy, list ...policy.Recorded) policy.Replayed {
	t.Helper()
	out, err := policy.Replay(p, recorded(list...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReplayCountsOutcomesRowsAndPeople(t *testing.T) {
	old := asking(t, "")
	strict, err := screening.Compile(parse(t, strings.Replace(least, "37.3", "36.8", 1)).Spec)
	if err != nil {
		t.Fatal(err)
	}
	got := replayed(t, strict,
		came(1, 36_500, old, screening.Admit), came(1, 36_900, old, screening.Admit), came(1, 36_900, old, screening.Admit),
		came(2, 36_500, old, screening.Admit), came(3, 37_400, old, screening.Recheck, "temperature:high-once"),
		came(0, 36_500, old, screening.Refer, "identity:no-identity"),
	)
	if got.Arrivals != 6 || got.People != 3 || got.Stopped != 1 || got.Share() != 1.0/3 {
		t.Errorf("got %+v", got)
	}
	if got.Before[screening.Admit] != 4 || got.After[screening.Admit] != 2 || got.After[screening.Recheck] != 3 || got.After[screening.Refer] != 1 {
		t.Errorf("outcomes %+v", got)
	}
	if want := []policy.RowCount{{Row: "temperature", Arrivals: 2}}; !slices.Equal(got.Rows, want) {
		t.Errorf("rows %+v", got.Rows)
	}
}

func TestReplayTakesForShownWhatARowAskedForThatHeld(t *testing.T) {
	const paper = "[[row]]\nid = \"%\"\nask = { evidence = \"document\", name = \"letter\" }\nfail = \"refer\"\n"
	old := asking(t, strings.Replace(paper, "%", "letter", 1))
	same := asking(t, strings.Replace(paper, "%", "renamed", 1))
	other := asking(t, strings.NewReplacer("%", "letter", `"letter" }`, `"card" }`).Replace(paper))
	held, failed := came(1, 36_500, old, screening.Admit), came(2, 36_500, old, screening.Refer, "letter:not-shown")
	for name, c := range map[string]struct {
		p       screening.Policy
		r       policy.Recorded
		outcome screening.Outcome
	}{
		"the same is asked, and it held":       {same, held, screening.Admit},
		"the same is asked, and it failed":     {same, failed, screening.Refer},
		"something else is asked":              {other, held, screening.Refer},
		"nobody knows what was asked":          {same, came(1, 36_500, screening.Policy{}, screening.Admit), screening.Refer},
		"nothing was asked":                    {same, came(1, 36_500, asking(t, ""), screening.Admit), screening.Refer},
		"what failed before is asked no more":  {asking(t, ""), failed, screening.Admit},
		"the lane itself refers it once again": {same, came(1, 36_500, old, screening.Refer, "lane:lane-attended"), screening.Refer},
	} {
		if got := replayed(t, c.p, c.r); got.After[c.outcome] != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestReplayEndsWithTheFirstFaultOfTheRecord(t *testing.T) {
	broken := errors.New("broken")
	got, err := policy.Replay(asking(t, ""), func(yield func(policy.Recorded, error) bool) {
		yield(policy.Recorded{}, broken)
	})
	if !errors.Is(err, broken) || got.Arrivals != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if none := replayed(t, asking(t, "")); none.Share() != 0 {
		t.Errorf("of nobody: %+v", none)
	}
}
