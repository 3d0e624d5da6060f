package e2e

import (
	"sync"
	"testing"
	"time"
)

const (
	paceFor = time.Minute
	// paceEvery is thirty arrivals a minute at a lane.
	paceEvery = 2 * time.Second
	// paceMost is the share of one core that a lane may use.
	paceMost = 0.05
)

// BenchmarkALaneAtThirtyArrivalsAMinute takes a minute on the clock of the wall:
// two lanes as they are shipped, each with an arrival every two seconds, and what
// the program uses of one core for each of them.
func BenchmarkALaneAtThirtyArrivalsAMinute(b *testing.B) {
	bench := NewBench(b, Setup{})
	g := bench.Run()
	bench.Enrol(Lanes * int(paceFor/paceEvery))
	for b.Loop() {
		before, began := g.cpu(b), time.Now()
		var lanes sync.WaitGroup
		for lane := range Lanes {
			lanes.Go(func() {
				for n := range int(paceFor / paceEvery) {
					<-time.After(time.Until(began.Add(time.Duration(n) * paceEvery)))
					bench.Lane(lane + 1).Admit(n*Lanes + lane + 1)
				}
			})
		}
		lanes.Wait()
		took := time.Since(began)
		share := (g.cpu(b) - before).Seconds() / took.Seconds() / Lanes
		ratio := share / paceMost
		b.Logf("%d arrivals at each of %d lanes in %v: %.2f %% of one core for a lane, limit %.0f %%, ratio %.2f",
			int(paceFor/paceEvery), Lanes, took, 100*share, 100*paceMost, ratio)
		b.ReportMetric(ratio, "ratio")
		if ratio > 2 {
			b.Errorf("ratio %.2f is over twice the goal", ratio)
		}
	}
	g.StopCleanly()
}
