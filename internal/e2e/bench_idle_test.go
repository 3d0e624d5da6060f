package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	idleFor = 30 * time.Second
	tick    = 10 * time.Millisecond // of utime and stime in /proc/PID/stat
	// openTicks is what one open page may cost in that time, and residentMost is
	// VmRSS in kB. These are goals on a machine that does nothing else: other
	// work makes the same turns dearer, so that the test fails at a multiple.
	openTicks    = 2
	residentMost = 32 << 10
	idleFails    = 5 // ticks with no page open, where the goal is none
	openFails    = 5 * openTicks
	// morning is how many are let in before anything is looked at.
	morning = 200
)

// TestIdleCostsNothing waits for a minute on the clock of the wall: after its
// morning a gate with every port open lies still for 30 s, and then for 30 s
// more with a page open.
func TestIdleCostsNothing(t *testing.T) {
	Long(t)
	b := NewBench(t, Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
	g := b.Run()
	b.Enrol(3000)
	before := g.cpu(t)
	letIn(b, 1, morning)
	t.Logf("an arrival takes %v of processor time", (g.cpu(t)-before)/morning)
	p := g.SignOn()
	g.settle(t)
	if used := g.idle(t, "nobody comes"); used > idleFails*tick {
		t.Errorf("%v of processor time in %v, want less than one tick of %v", used, idleFor, tick)
	}
	beats := p.follow(t)
	if used := g.idle(t, "a page is open"); used > openFails*tick {
		t.Errorf("%v of processor time in %v, the goal is %d ticks", used, idleFor, openTicks)
	}
	if n := beats(); n < int(idleFor/time.Second)/2 {
		t.Errorf("the page heard %d heartbeats", n)
	}
	resident := g.resident(t)
	t.Logf("%d kB are resident, goal %d", resident, residentMost)
	if resident > 2*residentMost {
		t.Errorf("%d kB are resident, over twice the goal", resident)
	}
	g.StopCleanly()
}

// letIn walks pupils through, the last included, by both lanes at once.
func letIn(b *Bench, first, last int) {
	var lanes sync.WaitGroup
	for lane := range Lanes {
		lanes.Go(func() {
			for pupil := first + lane; pupil <= last; pupil += Lanes {
				b.Lane(lane + 1).Admit(pupil)
			}
		})
	}
	lanes.Wait()
}

// settle waits for the first second of quiet, and not for ever: freeing what a
// morning used is work for that morning.
func (g *Gate) settle(t testing.TB) {
	t.Helper()
	last := g.cpu(t)
	Poll(Soon, func() bool {
		<-time.After(time.Second)
		before := last
		last = g.cpu(t)
		return last-before < tick/50
	})
}

// idle waits and returns the processor time that gated has used meanwhile.
func (g *Gate) idle(t *testing.T, while string) time.Duration {
	t.Helper()
	before := g.cpu(t)
	<-time.After(idleFor)
	used := g.cpu(t) - before
	t.Logf("%s: %v of processor time in %v, %d ticks", while, used, idleFor, used/tick)
	return used
}

// cpu returns the processor time that the process has used. It is the clock of
// clock_getcpuclockid(3): the sum of which utime and stime are the ticks, and
// so free of where a tick happens to begin.
func (g *Gate) cpu(t testing.TB) time.Duration {
	t.Helper()
	const cpuclockSched = 2
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^g.cmd.Process.Pid<<3|cpuclockSched), &now); err != nil {
		t.Fatalf("processor time of gated: %v", err)
	}
	return time.Duration(now.Nano())
}

// resident returns how much of gated is in memory, in kB.
func (g *Gate) resident(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(g.cmd.Process.Pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb
		}
	}
	t.Fatal("gated has no VmRSS")
	return 0
}

// follow keeps the page open until the end of the test and returns how to
// learn how many heartbeats it has heard.
func (p *Guard) follow(t *testing.T) (beats func() int) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.g.url("/guard/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	forEver := *p.client
	forEver.Timeout = 0
	resp, err := forEver.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("events: %s", resp.Status)
	}
	var n atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() == "event: beat" {
				n.Add(1)
			}
		}
	}()
	t.Cleanup(func() {
		leave()
		<-ended
		resp.Body.Close()
	})
	return func() int { return int(n.Load()) }
}
