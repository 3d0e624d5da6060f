package e2e

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

const (
	// memoryStarts is how often gated is started on the same journal.
	memoryStarts = 3
	// everyone is how many different people a backlog tells of: who came today
	// is remembered, however often, as at any gate.
	everyone = 3000
	// few is a backlog of some days: enough for Go's first collection, which
	// comes at 4 MB, however little of that is still in use.
	few = 10 * everyone
)

// BenchmarkABacklogTakesNoMemory compares what is resident of gated, some
// seconds after its start, with and without a journal that its collector,
// which is away, has nothing of: MENSHEN_BENCH_ROWS entries, 1,000,000 unless
// set.
func BenchmarkABacklogTakesNoMemory(b *testing.B) {
	const goal = 4 << 10 // kB
	rows := 1_000_000
	if s := os.Getenv("MENSHEN_BENCH_ROWS"); s != "" {
		var err error
		if rows, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	bench := NewBench(b, Setup{})
	bench.Run().StopCleanly() // makes its key
	away := NewDistrict(b, DistrictSetup{})
	bench.Report(away)
	away.Kill()
	for b.Loop() {
		none, took := bench.restingSize(b)
		b.Logf("no backlog: %d kB are resident, open after %v", none, took)
		bench.backlogs(few)
		some, _ := bench.restingSize(b)
		b.Logf("backlog of %d: %d kB are resident", few, some)
		bench.backlogs(rows - few)
		full, took := bench.restingSize(b)
		b.Logf("backlog of %d: %d kB are resident, %d kB more than with none, goal %d, %d kB more than with %d; open after %v",
			rows, full, full-none, goal, full-some, few, took)
		b.ReportMetric(float64(full-none), "kB")
		if full-none > 2*goal {
			b.Errorf("%d kB are over twice the goal of %d kB", full-none, goal)
		}
	}
}

// backlogs writes about n arrivals of the same people.
func (b *Bench) backlogs(n int) {
	b.t.Helper()
	for range n / everyone {
		b.Backlog(everyone)
	}
}

// restingSize returns the medians of what is resident of gated once it is
// quiet, in kB, and of how long it took to be open.
func (b *Bench) restingSize(t testing.TB) (kB int, took time.Duration) {
	t.Helper()
	var sizes []int
	var starts []time.Duration
	for range memoryStarts {
		began := time.Now()
		g := b.Start(Launch{})
		Await(t, 10*time.Minute, "gated is open, or ends", func() bool { return g.Open() || !g.Alive() })
		starts = append(starts, time.Since(began))
		g.WaitReady()
		g.settle(t)
		sizes = append(sizes, g.resident(t))
		g.StopCleanly()
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2], percentile(starts, 50)
}
