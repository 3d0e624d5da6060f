package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

// A test that must lose its process or its disk runs this binary again with
// one of these set to the path to write.
const (
	writerEnv   = "MENSHEN_TEST_JOURNAL_WRITER"    // a journal
	carelessEnv = "MENSHEN_TEST_CARELESS_WRITER"   // a file that nobody flushes
	holderEnv   = "MENSHEN_TEST_JOURNAL_LOCK_ONLY" // opens, says so, waits
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(writerEnv) != "":
		err = writeForEver(os.Getenv(writerEnv))
	case os.Getenv(carelessEnv) != "":
		err = writeCarelessly(os.Getenv(carelessEnv))
	case os.Getenv(holderEnv) != "":
		err = holdForEver(os.Getenv(holderEnv))
	default:
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// stamp is a moment that no test depends on.
func stamp() entry.Stamp {
	return entry.Stamp{Mono: time.Second, Wall: time.UnixMilli(1663200000000), Clock: entry.ClockRTC}
}

func options(path string) journal.Options {
	return journal.Options{Path: path, Boot: entry.Boot{Version: "test"}, Now: stamp}
}

// arrival is a draft that its counter tells from others.
func arrival(counter uint32) journal.Draft {
	return journal.Draft{Kind: entry.KindArrival, Stamp: stamp(), Lane: 1, Body: entry.Arrival{
		Counter: counter, End: entry.EndDecided, Outcome: 1, Subject: 1042, Role: 1, Policy: 7, Roster: 9,
		Reading: &entry.Reading{Value: 36400, Peak: 36500, Ambient: 18000, Site: 1, Instrument: "wrist-1",
			Formula: "skin/1", Quality: 1, Samples: 3},
		Staff: []uint64{5, 6},
	}}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "journal.db") }

// mustOpen opens the journal and closes it at the end of the test, if the test
// does not.
func mustOpen(t testing.TB, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), options(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func mustClose(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustAppend(t testing.TB, j *journal.Journal, counter uint32) journal.Receipt {
	t.Helper()
	r, err := j.Append(t.Context(), arrival(counter))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustRead(t testing.TB, path string) *journal.Reader {
	t.Helper()
	r, err := journal.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// mustVerify recomputes the whole file.
func mustVerify(t testing.TB, path string) journal.Report {
	t.Helper()
	r := mustRead(t, path)
	defer r.Close()
	report, err := r.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// counters returns the arrivals of the file by sequence number.
func counters(t testing.TB, path string) map[uint64]uint32 {
	t.Helper()
	r := mustRead(t, path)
	defer r.Close()
	found := make(map[uint64]uint32)
	for row, err := range r.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Entry.Kind == entry.KindArrival {
			found[row.Seq] = counterOf(t, row)
		}
	}
	return found
}

func counterOf(t testing.TB, row journal.Row) uint32 {
	t.Helper()
	var a entry.Arrival
	if err := row.Entry.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a.Counter
}

// writeForEver appends from four goroutines and says "seq counter" on standard
// output after each receipt, in one write each.
func writeForEver(path string) error {
	j, err := journal.Open(context.Background(), options(path))
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for lane := range uint32(4) {
		wg.Go(func() {
			for n := lane; ; n += 4 {
				r, err := j.Append(context.Background(), arrival(n))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Printf("%d %d\n", r.Seq(), n)
			}
		})
	}
	wg.Wait()
	return nil
}

// writeCarelessly acknowledges what it wrote and never flushed.
func writeCarelessly(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := fmt.Fprintf(f, "%0*d\n", 99, n); err != nil {
			return err
		}
		fmt.Printf("%d %d\n", n, n)
	}
}

func holdForEver(path string) error {
	j, err := journal.Open(context.Background(), options(path))
	if err != nil {
		return err
	}
	fmt.Println("0 0")
	_, err = io.Copy(io.Discard, os.Stdin)
	return fmt.Errorf("%w, %w", err, j.Close())
}

// process is a writer in a process of its own.
type process struct {
	cmd *exec.Cmd
	// acked receives every line that arrived, until the process is gone.
	mu    sync.Mutex
	acked map[uint64]uint32
	read  chan struct{} // closed at the end of its output
	some  chan struct{} // receives when a line arrived
}

// start runs this binary again as env says; it is killed at the end of the test.
func start(t testing.TB, env, path string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env+"="+path)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, acked: make(map[uint64]uint32), read: make(chan struct{}), some: make(chan struct{}, 1)}
	go p.collect(out)
	t.Cleanup(p.kill)
	return p
}

func (p *process) collect(out io.Reader) {
	defer close(p.read)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seq, counter, ok := strings.Cut(lines.Text(), " ")
		s, err := strconv.ParseUint(seq, 10, 64)
		n, err2 := strconv.ParseUint(counter, 10, 32)
		if !ok || err != nil || err2 != nil {
			continue // the kill cut the last line
		}
		p.mu.Lock()
		p.acked[s] = uint32(n)
		p.mu.Unlock()
		select {
		case p.some <- struct{}{}:
		default:
		}
	}
}

// await waits until n lines more than now have arrived.
func (p *process) await(t testing.TB, n int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for goal := len(p.snapshot()) + n; len(p.snapshot()) < goal; {
		select {
		case <-p.some:
		case <-p.read:
			t.Fatal("the writer ended by itself")
		case <-deadline:
			t.Fatal("the writer does not write")
		}
	}
}

// snapshot returns what was acknowledged so far.
func (p *process) snapshot() map[uint64]uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	acked := make(map[uint64]uint32, len(p.acked))
	for s, n := range p.acked {
		acked[s] = n
	}
	return acked
}

// kill ends the process with SIGKILL and reads what it had said.
func (p *process) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.read
	p.cmd.Wait()
}

// checkAcked demands that every acknowledged entry is where its receipt said.
func checkAcked(t testing.TB, path string, acked map[uint64]uint32) {
	t.Helper()
	found := counters(t, path)
	missing := 0
	for seq, n := range acked {
		if got, ok := found[seq]; !ok || got != n {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged entries are missing", missing, len(acked))
	}
}
