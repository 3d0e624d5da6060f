package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
)

const (
	arrivalRounds = 7
	arrivalsRound = 100
	// ownPath is what a gate may spend between the deciding byte and the frame
	// beside the commit.
	ownPath = time.Millisecond
	// samplePeriod is the least that a profile may say.
	samplePeriod = 50 * time.Millisecond
)

// asked notes when the gate's questions were read. The thermometer's answer leaves
// behind that, so what is counted from it errs against the gate.
type asked struct {
	io.ReadWriter
	mu    sync.Mutex
	times []time.Time
}

func (a *asked) Read(p []byte) (int, error) {
	n, err := a.ReadWriter.Read(p)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times = append(a.times, time.Now())
	return n, err
}

// quiet reports whether no question was read for a while.
func (a *asked) quiet(d time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.times) == 0 || time.Since(a.times[len(a.times)-1]) > d
}

// decided returns how long before on the deciding question was read: the newest
// that leaves time for the commit. While that went on, the gate has asked again.
func (a *asked) decided(on time.Time, commit time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range slices.Backward(a.times) {
		if took := on.Sub(at); took >= commit {
			return took
		}
	}
	return 0
}

// watchQuestions puts the thermometer back with an eye on what it is asked.
func watchQuestions(b *testing.B, th *Thermometer) *asked {
	b.Helper()
	if err := th.Unplug(); err != nil {
		b.Fatal(err)
	}
	a := &asked{}
	th.Port.serve = func(rw io.ReadWriter) {
		a.ReadWriter = rw
		th.serve(a)
	}
	if err := th.Plug(); err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkTheFrameFollowsTheDecidingByte times the way from the answer that
// completes a measurement to the ON of the barrier, on the programs as they
// are installed. Its limit is the commit of the same admission, as the gate's
// metrics tell it, with 1 ms for everything else. A commit of this process, right
// after each arrival, shows that the gate's commits are what the disk takes.
func BenchmarkTheFrameFollowsTheDecidingByte(b *testing.B) {
	bench := NewBench(b, Setup{Pulse: 50 * time.Millisecond, Period: samplePeriod})
	question := watchQuestions(b, bench.Thermometers[1])
	freed := make(chan time.Time, 1)
	bench.Relay.Hook(func(f Frame) {
		if f.On && f.Channel == Barrier(1) {
			freed <- f.At
		}
	})
	g := bench.Run()
	bench.Enrol(arrivalRounds * arrivalsRound)
	own := ownJournal(b, bench)
	for b.Loop() {
		var frames, commits, rests, heres [2][]time.Duration // p50 and p99 of each round
		note := func(to *[2][]time.Duration, d []time.Duration) {
			to[0], to[1] = append(to[0], percentile(d, 50)), append(to[1], percentile(d, 99))
		}
		spent, stolen, began := g.effort(), steal(b), time.Now()
		for round := range arrivalRounds {
			var frame, commit, rest, here []time.Duration
			for i := range arrivalsRound {
				pupil := round*arrivalsRound + i + 1
				on := question.admit(b, bench.Lane(1), pupil, freed)
				before := spent
				if spent = g.effort(); spent.Commits != before.Commits+1 {
					b.Fatalf("pupil %d: %d commits for one admission", pupil, spent.Commits-before.Commits)
				}
				waited := spent.Took - before.Took
				took := question.decided(on, waited)
				frame, commit, rest = append(frame, took), append(commit, waited), append(rest, took-waited)
				here = append(here, commitTimed(b, own))
			}
			note(&frames, frame)
			note(&commits, commit)
			note(&rests, rest)
			note(&heres, here)
		}
		for i, p := range []int{50, 99} {
			b.Logf("median p%d of %d rounds: deciding byte to ON %v, commit %v, rest %v, commit of this process %v", p, arrivalRounds,
				percentile(frames[i], 50), percentile(commits[i], 50), percentile(rests[i], 50), percentile(heres[i], 50))
		}
		b.Logf("the host took the processors away for %v of %v", steal(b)-stolen, time.Since(began).Round(time.Second))
		figure, limit := percentile(frames[1], 50), percentile(commits[1], 50)+ownPath
		ratio := float64(figure) / float64(limit)
		b.Logf("deciding byte to ON, p99: %v, limit commit + %v = %v, ratio %.2f, goal 1", figure, ownPath, limit, ratio)
		b.ReportMetric(ratio, "ratio")
		if ratio > 2 {
			b.Errorf("ratio %.2f is over twice the goal", ratio)
		}
	}
	g.StopCleanly()
}

// admit walks a pupil through and returns when the barrier was freed.
func (a *asked) admit(b *testing.B, l Lane, pupil int, freed <-chan time.Time) (on time.Time) {
	b.Helper()
	// A lane that asks nothing has done with whoever was there before, and when
	// it asks again it has the badge: a forehead before that would not count.
	Await(b, Soon, "the lane asks no more", func() bool { return a.quiet(2 * samplePeriod) })
	l.Scanner.Scan(b, Badge(pupil))
	l.Thermometer.Show(Empty)
	l.Thermometer.AwaitSeen(b, 1)
	l.Thermometer.Show(Healthy)
	select {
	case on = <-freed:
	case <-time.After(Soon):
		b.Fatalf("pupil %d is not let in", pupil)
	}
	if n := l.Thermometer.Seen(); n < screening.SamplesPerReading {
		b.Fatalf("pupil %d was let in after %d answers", pupil, n)
	}
	l.Thermometer.Clear()
	l.b.Relay.AwaitState(b, Barrier(l.Number), false)
	return on
}

// steal returns how long the host of a virtual machine has kept its processors
// from it since the start, see proc_stat(5): ticks of 10 ms. What it takes while
// somebody stands in a lane is in the figures.
func steal(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		b.Fatal(err)
	}
	var ticks [8]int64
	if _, err := fmt.Sscanf(string(stat), "cpu %d %d %d %d %d %d %d %d", &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]); err != nil {
		b.Fatalf("/proc/stat: %v", err)
	}
	return time.Duration(ticks[7]) * tick
}

// ownJournal opens a journal of this process beside the gate's.
func ownJournal(b *testing.B, bench *Bench) *journal.Journal {
	b.Helper()
	j, err := journal.Open(b.Context(), journal.Options{
		Path: filepath.Join(bench.Dir, "limit.db"), Boot: entry.Boot{Version: "bench"}, Now: benchStamp,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	return j
}

// benchStamp is a moment that nothing depends on.
func benchStamp() entry.Stamp {
	return entry.Stamp{Mono: time.Second, Wall: time.UnixMilli(1663200000000), Clock: entry.ClockRTC}
}

// commitTimed appends what an admission weighs.
func commitTimed(b *testing.B, j *journal.Journal) time.Duration {
	b.Helper()
	d := journal.Draft{Kind: entry.KindArrival, Stamp: benchStamp(), Lane: 1, Body: entry.Arrival{
		Counter: 16, End: entry.EndDecided, Outcome: Admit, Subject: 2, Role: 1, Policy: 1, Roster: 1,
		Reading: &entry.Reading{Value: 36500, Peak: 36520, Ambient: 23000, Instrument: "gy-mcu90614@1", Formula: "skin/1", Samples: 3},
	}}
	began := time.Now()
	if _, err := j.Append(b.Context(), d); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// percentile returns the nearest rank; it sorts d.
func percentile(d []time.Duration, p int) time.Duration {
	slices.Sort(d)
	return d[(len(d)*p+99)/100-1]
}
