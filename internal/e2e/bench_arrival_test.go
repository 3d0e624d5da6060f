package e2e

import (
	"io"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
)

const (
	arrivalsTimed = 420
	// ownPath is what a gate may spend between the deciding byte and the frame
	// beside the commit.
	ownPath = time.Millisecond
	// samplePeriod is the least that a profile may say.
	samplePeriod = 50 * time.Millisecond
)

// asked notes when the gate's newest question was read. The thermometer's
// answer leaves behind that, so what is counted from it errs against the gate.
type asked struct {
	io.ReadWriter
	began time.Time
	last  atomic.Int64 // ns since began
}

func (a *asked) Read(p []byte) (int, error) {
	n, err := a.ReadWriter.Read(p)
	a.last.Store(int64(time.Since(a.began)))
	return n, err
}

// since returns how long before t the newest question was read.
func (a *asked) since(t time.Time) time.Duration {
	return t.Sub(a.began) - time.Duration(a.last.Load())
}

// watchQuestions puts the thermometer back with an eye on what it is asked.
func watchQuestions(b *testing.B, th *Thermometer) *asked {
	b.Helper()
	if err := th.Unplug(); err != nil {
		b.Fatal(err)
	}
	a := &asked{began: time.Now()}
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
	freed := make(chan time.Duration, 1)
	bench.Relay.Hook(func(f Frame) {
		if f.On && f.Channel == Barrier(1) {
			freed <- question.since(f.At)
		}
	})
	g := bench.Run()
	bench.Enrol(arrivalsTimed)
	own := ownJournal(b, bench)
	for b.Loop() {
		var frames, commits, rest, here []time.Duration
		spent := g.effort()
		for i := range arrivalsTimed {
			frame := question.admit(b, bench.Lane(1), i+1, freed)
			before := spent
			if spent = g.effort(); spent.Commits != before.Commits+1 {
				b.Fatalf("pupil %d: %d commits for one admission", i+1, spent.Commits-before.Commits)
			}
			commit := spent.Took - before.Took
			frames, commits, rest = append(frames, frame), append(commits, commit), append(rest, frame-commit)
			here = append(here, commitTimed(b, own))
		}
		b.Logf("p50: deciding byte to ON %v, commit %v, rest %v, commit of this process %v",
			percentile(frames, 50), percentile(commits, 50), percentile(rest, 50), percentile(here, 50))
		b.Logf("p99: deciding byte to ON %v, commit %v, rest %v, commit of this process %v",
			percentile(frames, 99), percentile(commits, 99), percentile(rest, 99), percentile(here, 99))
		figure, limit := percentile(frames, 99), percentile(commits, 99)+ownPath
		ratio := float64(figure) / float64(limit)
		b.Logf("deciding byte to ON, p99 of %d: %v, limit commit + %v = %v, ratio %.2f, goal 1", arrivalsTimed, figure, ownPath, limit, ratio)
		b.ReportMetric(ratio, "ratio")
		if ratio > 2 {
			b.Errorf("ratio %.2f is over twice the goal", ratio)
		}
	}
	g.StopCleanly()
}

// admit walks a pupil through and returns how long after the deciding byte the
// barrier was freed. The newest answer decided, for the next question is a
// period away: the third, or a later one where two came too close together.
func (a *asked) admit(b *testing.B, l Lane, pupil int, freed <-chan time.Duration) time.Duration {
	b.Helper()
	// A lane that asks nothing has done with whoever was there before, and when
	// it asks again it has the badge: a forehead before that would not count.
	Await(b, Soon, "the lane asks no more", func() bool { return a.since(time.Now()) > 2*samplePeriod })
	l.Scanner.Scan(b, Badge(pupil))
	l.Thermometer.Show(Empty)
	l.Thermometer.AwaitSeen(b, 1)
	l.Thermometer.Show(Healthy)
	var took time.Duration
	select {
	case took = <-freed:
	case <-time.After(Soon):
		b.Fatalf("pupil %d is not let in", pupil)
	}
	if n := l.Thermometer.Seen(); n < screening.SamplesPerReading {
		b.Fatalf("pupil %d was let in after %d answers", pupil, n)
	}
	l.Thermometer.Clear()
	l.b.Relay.AwaitState(b, Barrier(l.Number), false)
	return took
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
