package policy_test

import (
	"crypto/sha256"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// decideGoal is the most that one decision may cost in hashes of one entry.
const decideGoal = 5

// largest returns the preset with most rows and those of its cases that are
// admitted without a word.
func largest(t testing.TB) (screening.Policy, []screening.Arrival) {
	var most policy.Document
	for _, name := range policy.Presets(presets) {
		d, err := policy.Preset(presets, name)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Spec.Requirements) > len(most.Spec.Requirements) {
			most = d
		}
	}
	body, err := fs.ReadFile(cases, most.Spec.Name+".toml")
	if err != nil {
		t.Fatal(err)
	}
	list, err := policy.ParseCases(most.Spec.Name, body, most)
	if err != nil {
		t.Fatal(err)
	}
	p, err := screening.Compile(most.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var arrivals []screening.Arrival
	for _, c := range list {
		if d := p.Decide(c.Arrival); d.Outcome == screening.Admit && len(d.Failures) == 0 {
			arrivals = append(arrivals, c.Arrival)
		}
	}
	if len(arrivals) == 0 {
		t.Fatalf("%s admits nobody", most.Spec.Name)
	}
	return p, arrivals
}

func TestADecisionAllocatesNothingButItsReasons(t *testing.T) {
	p, arrivals := largest(t)
	for _, a := range arrivals {
		if n := testing.AllocsPerRun(100, func() { p.Decide(a) }); n != 0 {
			t.Errorf("%v allocations for %+v", n, a)
		}
	}
}

// BenchmarkDecideUnderTheLargestPreset measures a decision against one SHA-256
// over 120 bytes, which is what the journal spends on the smallest entry in any
// case. It fails at twice the goal.
func BenchmarkDecideUnderTheLargestPreset(b *testing.B) {
	p, arrivals := largest(b)
	block := make([]byte, 120)
	const rounds, turns = 7, 20_000
	var decides, hashes []time.Duration
	for b.Loop() {
		for range rounds {
			start := time.Now()
			for i := range turns {
				if p.Decide(arrivals[i%len(arrivals)]).Outcome != screening.Admit {
					b.Fatal("the arrival is not admitted")
				}
			}
			middle := time.Now()
			for i := range turns {
				block[0] = byte(i)
				block[1] = sha256.Sum256(block)[0]
			}
			decides, hashes = append(decides, middle.Sub(start)), append(hashes, time.Since(middle))
		}
	}
	slices.Sort(decides)
	slices.Sort(hashes)
	decide, hash := decides[len(decides)/2]/turns, hashes[len(hashes)/2]/turns
	ratio := float64(decide) / float64(hash)
	b.Logf("decide %v with %d rows, sha-256 of 120 bytes %v, ratio %.2f, goal %d", decide, len(p.Spec().Requirements), hash, ratio, decideGoal)
	b.ReportMetric(ratio, "hashes/decision")
	if ratio > 2*decideGoal {
		b.Fatalf("a decision costs %.1f hashes, more than twice the goal of %d", ratio, decideGoal)
	}
}
