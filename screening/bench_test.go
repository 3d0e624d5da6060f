package screening_test

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// decideGoal is the most that one decision may cost in hashes of one entry.
const decideGoal = 5

// BenchmarkDecide measures a decision against one SHA-256 over 120 bytes, which
// is what the journal spends on the smallest entry in any case. It fails at
// twice the goal.
func BenchmarkDecide(b *testing.B) {
	p, a := compiled(b, nil), whole(screening.Visitor)
	block := make([]byte, 120)
	const rounds, turns = 7, 20_000
	var decides, hashes []time.Duration
	for b.Loop() {
		for range rounds {
			start := time.Now()
			for range turns {
				if p.Decide(a).Outcome != screening.Admit {
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
	decide, hash := median(decides)/turns, median(hashes)/turns
	ratio := float64(decide) / float64(hash)
	b.Logf("decide %v, sha-256 of 120 bytes %v, ratio %.2f, goal %d", decide, hash, ratio, decideGoal)
	b.ReportMetric(ratio, "hashes/decision")
	if ratio > 2*decideGoal {
		b.Fatalf("a decision costs %.1f hashes, more than twice the goal of %d", ratio, decideGoal)
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
