package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/journal"
)

// The goals are ratios to a limit that is measured in the same run, in rounds
// that take turns; a benchmark fails at twice its goal, because the machine is
// shared.
const (
	rounds       = 9
	appendsRound = 300
	wrapped      = 1200 // commits after which the WAL has wrapped and grows no more
)

// report prints a figure beside its limit and fails far beyond the goal.
func report(b *testing.B, what string, figure, limit, goal float64, unit string) {
	b.Helper()
	ratio := figure / limit
	b.Logf("%s: %.1f %s, limit %.1f %s, ratio %.2f, goal %.2f", what, figure, unit, limit, unit, ratio, goal)
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(0, "ns/op") // b.Loop's own figure would be that of a whole comparison
	if ratio > 2*goal {
		b.Errorf("%s: ratio %.2f is over twice the goal of %.2f", what, ratio, goal)
	}
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2]) / float64(time.Microsecond)
}

// timed submits lone entries as a lane does, which waits for nothing, and
// returns how long each took until its receipt was given out.
func timed(b *testing.B, j *journal.Journal, n int) []time.Duration {
	b.Helper()
	took := make([]time.Duration, n)
	answered := make(chan error, 1)
	for i := range took {
		draft, began := arrival(uint32(i)), time.Now()
		if err := j.Submit(draft, func(_ journal.Receipt, err error) {
			took[i] = time.Since(began)
			answered <- err
		}); err != nil {
			b.Fatal(err)
		}
		if err := <-answered; err != nil {
			b.Fatal(err)
		}
	}
	return took
}

// rawLog is the least that a durable append can be: write and fdatasync into
// a file whose blocks exist already.
type rawLog struct {
	f      *os.File
	record []byte
	at     int64
}

func newRawLog(b *testing.B, size int) *rawLog {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if _, err := f.Write(make([]byte, size*appendsRound*rounds)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return &rawLog{f: f, record: make([]byte, size)}
}

func (r *rawLog) timed(b *testing.B, n int) []time.Duration {
	b.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if _, err := r.f.WriteAt(r.record, r.at); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(r.f.Fd())); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(began)
		r.at += int64(len(r.record))
	}
	return took
}

// leafSize is what an arrival of this benchmark weighs.
func leafSize(b *testing.B, j *journal.Journal) int {
	b.Helper()
	r := mustAppend(b, j, 1)
	for row, err := range j.Rows(b.Context(), r.Seq()) {
		if err != nil {
			b.Fatal(err)
		}
		return len(row.Bytes)
	}
	b.Fatal("not there")
	return 0
}

func BenchmarkALoneAppendIsNearTheDisk(b *testing.B) {
	j := mustOpen(b, newPath(b))
	timed(b, j, wrapped)
	raw := newRawLog(b, leafSize(b, j))
	for range b.N {
		raw.at = 0
		var ours, limit, ours99, limit99 []time.Duration
		for range rounds {
			o, l := timed(b, j, appendsRound), raw.timed(b, appendsRound)
			slices.Sort(o)
			slices.Sort(l)
			ours, limit = append(ours, o[len(o)/2]), append(limit, l[len(l)/2])
			ours99, limit99 = append(ours99, o[len(o)*99/100]), append(limit99, l[len(l)*99/100])
		}
		b.Logf("p99: %.1f µs, limit %.1f µs", median(ours99), median(limit99))
		report(b, "append p50", median(ours), median(limit), 1.5, "µs")
	}
}

// BenchmarkALongJournalIsAsFastAsAShortOne compares with 10,000 entries a
// journal of MENSHEN_BENCH_ROWS (200,000 unless set; the goal is for ten million).
func BenchmarkALongJournalIsAsFastAsAShortOne(b *testing.B) {
	rows := 200_000
	if s := os.Getenv("MENSHEN_BENCH_ROWS"); s != "" {
		var err error
		if rows, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	short, long := grown(b, 10_000), grown(b, rows)
	for range b.N {
		var s, l []time.Duration
		for range rounds {
			s = append(s, timed(b, short, appendsRound)...)
			l = append(l, timed(b, long, appendsRound)...)
		}
		report(b, fmt.Sprintf("append p50 at %d rows", rows), median(l), median(s), 1.15, "µs")
	}
}

// grown makes a journal of n rows.
func grown(b *testing.B, n int) *journal.Journal {
	b.Helper()
	j := mustOpen(b, newPath(b))
	var waiting sync.WaitGroup
	room := make(chan struct{}, 200) // fewer than the queue holds
	for i := range n {
		room <- struct{}{}
		waiting.Add(1)
		if err := j.Submit(arrival(uint32(i)), func(_ journal.Receipt, err error) {
			if err != nil {
				b.Error(err)
			}
			<-room
			waiting.Done()
		}); err != nil {
			b.Fatal(err)
		}
	}
	waiting.Wait()
	timed(b, j, wrapped)
	return j
}

func BenchmarkBytesOnTheDeviceForALoneEntry(b *testing.B) {
	const goal, n = 8700, 6000 // bytes: 2.1 sectors
	d := newDisk(b)
	j := mustOpen(b, filepath.Join(d.dir, "journal.db"))
	timed(b, j, wrapped)
	for range b.N {
		unix.Sync() // what was written before is not this run's
		before := d.written(b)
		timed(b, j, n)
		unix.Sync()
		report(b, "device bytes for an entry", float64(d.written(b)-before)/n, goal, 1, "B")
	}
}
