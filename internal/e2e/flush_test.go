package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// step is one thing in a trace, in its order.
type step int

const (
	walFrame step = iota + 1 // a frame of the WAL was begun
	walFlush                 // a flush of the WAL has returned
	ownFlush                 // a flush of another file of the journal has returned
	release                  // the write of a barrier's ON has begun
)

// readTrace finds the steps in what strace -f -y has written. A call that is
// cut in two counts where it ends, but a write to the relay board where it
// begins: each is taken at its worse moment. A write that a signal has broken
// off before its first byte, and that begins again, is one.
//
// A frame of the WAL begins with a header of 24 bytes. Where sectors may tear
// SQLite repeats the frame of the commit up to the end of a sector, flushes
// there, and writes the rest of the repetition afterwards: nothing depends on it.
func readTrace(trace string) []step {
	call := regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$`)
	resumed := regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>.* = (.+)$`)
	flushing := map[string]string{} // by thread: the file whose flush has begun
	releasing := map[string]bool{}  // by thread: such a write has begun
	again := false                  // the newest release was broken off
	var steps []step
	flushed := func(file string) {
		switch {
		case strings.HasSuffix(file, "/journal.db-wal"):
			steps = append(steps, walFlush)
		case strings.HasSuffix(file, "/journal.db"):
			steps = append(steps, ownFlush)
		}
	}
	for line := range strings.Lines(trace) {
		line = strings.TrimRight(line, "\n")
		if m := resumed.FindStringSubmatch(line); m != nil {
			switch {
			case strings.HasSuffix(m[2], "sync") && m[3] == "0":
				flushed(flushing[m[1]])
			case m[2] == "write" && releasing[m[1]]:
				again = brokenOff(m[3])
			}
			continue
		}
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, name, file, rest := m[1], m[2], m[3], m[4]
		switch {
		case strings.HasSuffix(name, "sync") && strings.HasSuffix(rest, "= 0"):
			flushed(file)
		case strings.HasSuffix(name, "sync"):
			flushing[thread] = file
		case strings.HasSuffix(file, "/journal.db-wal") && strings.HasSuffix(rest, " = 24"):
			steps = append(steps, walFrame)
		case name == "write":
			releasing[thread] = strings.HasPrefix(rest, `, "\240\1\1\242"`)
			if !releasing[thread] {
				break
			}
			if !again {
				steps = append(steps, release)
			}
			_, result, _ := strings.Cut(rest, ") = ")
			again = brokenOff(result)
		}
	}
	return steps
}

// brokenOff reports whether a call has done nothing and begins again.
func brokenOff(result string) bool {
	return strings.HasPrefix(result, "? ERESTART") || strings.HasPrefix(result, "-1 EAGAIN")
}

// unflushed returns how many releases began without a flush since the release
// before, or with a frame in the WAL that no flush had covered.
func unflushed(steps []step) int {
	wrong, flushes, dirty := 0, 0, false
	for _, s := range steps {
		switch s {
		case walFrame:
			dirty = true
		case walFlush:
			flushes, dirty = flushes+1, false
		case release:
			if flushes == 0 || dirty {
				wrong++
			}
			flushes = 0
		}
	}
	return wrong
}

func TestFlushPrecedesTheFrame(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	const pupils, others, commits = 10, 10, 220
	b := e2e.NewBench(t, e2e.Setup{})
	trace := filepath.Join(b.Dir, "trace")
	// -DD: the tracer is no ancestor of gated and not in its process group.
	g := b.Start(e2e.Launch{Under: []string{
		"strace", "-DD", "-f", "-y", "-qq", "-e", "trace=fdatasync,fsync,write,pwrite64", "-e", "signal=none", "-o", trace,
	}})
	g.WaitReady()
	b.Enrol(pupils + others)
	l := b.Lane(1)
	for n := 1; n <= pupils; n++ {
		l.Admit(n)
	}
	// From here on every entry is a commit of its own: each badge ends the
	// arrival before it, and the next one waits for that entry. More come only
	// from a thermometer whose answer strace holds up for too long.
	incomplete := func(e e2e.Entry) bool { return e.Arrival != nil && e.Arrival.End == entry.EndIncomplete }
	before, recorded := len(readTraceFile(t, trace)), len(b.Entries())
	l.Scanner.Scan(t, e2e.Badge(pupils+1))
	for n := 1; n <= commits; n++ {
		l.Scanner.Scan(t, e2e.Badge(pupils+1+n%others))
		b.AwaitEntry("the arrival before is incomplete", n, incomplete)
	}
	var steps []step
	e2e.Await(t, e2e.Soon, "the trace is written", func() bool {
		steps = readTraceFile(t, trace)
		return count(steps[before:], walFlush) >= commits
	})
	entries := len(b.Entries()) - recorded
	if n := count(steps, release); n != pupils {
		t.Errorf("the trace has %d releases, the board took %d, want %d", n, l.Ons(), pupils)
	}
	if n := unflushed(steps); n != 0 {
		t.Errorf("%d of %d releases began before their entry was flushed", n, pupils)
	}
	flushes := count(steps[before:], walFlush) + count(steps[before:], ownFlush)
	ratio := float64(flushes) / float64(entries)
	t.Logf("%d flushes for %d commits: %.3f, at most 1.02", flushes, entries, ratio)
	if ratio > 1.02 {
		t.Errorf("%.3f flushes for a commit", ratio)
	}
}

func readTraceFile(t *testing.T, name string) []step {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return readTrace(string(b))
}

func count(steps []step, want step) int {
	n := 0
	for _, s := range steps {
		if s == want {
			n++
		}
	}
	return n
}

func TestAPlantedTraceIsCaught(t *testing.T) {
	const (
		write  = "7 pwrite64(9</data/journal.db-wal>, \"x\", 24, 0) = 24\n"
		rest   = "7 pwrite64(9</data/journal.db-wal>, \"x\"..., 272, 4096) = 272\n"
		flush  = "7 fdatasync(9</data/journal.db-wal>) = 0\n"
		begin  = "7 fdatasync(9</data/journal.db-wal> <unfinished ...>\n"
		end    = "7 <... fdatasync resumed>) = 0\n"
		failed = "7 <... fdatasync resumed>) = -1 EIO (Input/output error)\n"
		other  = "7 fdatasync(4</data/roster.db-wal>) = 0\n"
		on     = "8 write(5</dev/pts/3>, \"\\240\\1\\1\\242\", 4) = 4\n"
		cut    = "8 write(5</dev/pts/3>, \"\\240\\1\\1\\242\", 4) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n"
		halfOn = "8 write(5</dev/pts/3>, \"\\240\\1\\1\\242\", 4 <unfinished ...>\n"
		broken = "8 <... write resumed>) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n"
		whole  = "8 <... write resumed>) = 4\n"
		lamp   = "8 write(5</dev/pts/3>, \"\\240\\2\\1\\243\", 4) = 4\n"
	)
	for _, c := range []struct {
		rule  string
		trace string
		wrong int
	}{
		{"flushed, then released", write + flush + on + lamp, 0},
		{"the rest of a repeated frame needs no flush", write + flush + rest + on, 0},
		{"the flush may be cut in two", write + begin + end + on, 0},
		{"released while the flush is under way", write + begin + on + end, 1},
		{"released after a flush that failed", write + begin + failed + on, 1},
		{"released before the flush", write + on + flush, 1},
		{"released twice for one flush", write + flush + on + on, 1},
		{"another file's flush is none", write + other + on, 1},
		{"a release that was broken off begins again", write + flush + cut + on, 0},
		{"also one that was cut in two", write + flush + halfOn + broken + on, 0},
		{"a release that was broken off has begun", write + cut + on, 1},
		{"released twice, and the first in two parts", write + flush + halfOn + whole + on, 1},
		{"a lamp is no release", write + lamp + flush, 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if wrong := unflushed(readTrace(c.trace)); wrong != c.wrong {
				t.Errorf("%d releases are wrong, want %d", wrong, c.wrong)
			}
		})
	}
}
