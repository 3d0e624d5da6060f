package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/menshen/menshen/journal"
)

// addressFile is where a gate writes at which address its page really is.
const addressFile = "web.addr"

// Gate is one process of gated on a bench.
type Gate struct {
	b      *Bench
	cmd    *exec.Cmd
	log    *buffer
	exited chan struct{} // closed when the process is gone
}

// buffer keeps what a process prints.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *buffer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *buffer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// Launch says how gated is started; the zero value is as the unit does it.
type Launch struct {
	// Under is a program with arguments that runs gated in its own place.
	Under []string
	// Env is added to the environment.
	Env []string
}

// Start starts gated in a process group of its own and returns at once.
func (b *Bench) Start(l Launch) *Gate {
	b.t.Helper()
	if err := os.Remove(filepath.Join(b.Data, addressFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err) // of the process before: what WaitReady finds must be of this one
	}
	argv := append(append([]string{}, l.Under...), b.programs.Gated, "-config", b.config)
	g := &Gate{b: b, cmd: exec.Command(argv[0], argv[1:]...), log: &buffer{}, exited: make(chan struct{})}
	g.cmd.Env = append(os.Environ(), l.Env...)
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	// A gate that outlived a test which crashed would open the ports of others:
	// the numbers of pseudo-terminals come back.
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := g.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		defer close(g.exited)
		_ = g.cmd.Wait() // what it ended with stands in ProcessState
	}()
	b.t.Cleanup(func() {
		g.Kill()
		if b.t.Failed() {
			b.t.Logf("gated said:\n%s", g.log)
		}
	})
	return g
}

// Run starts gated and waits until it is ready.
func (b *Bench) Run() *Gate {
	b.t.Helper()
	g := b.Start(Launch{})
	g.WaitReady()
	return g
}

// WaitReady waits until the page answers, every port that is plugged in is
// open, both thermometers have been asked, and no lane is out of service.
func (g *Gate) WaitReady() {
	g.b.t.Helper()
	ready := func() bool {
		if !g.Alive() {
			return true
		}
		return g.healthy() && g.b.holdsPorts(g.cmd.Process.Pid) && g.lanesServe()
	}
	Await(g.b.t, Soon, "gated is ready", ready)
	if !g.Alive() {
		g.b.t.Fatalf("gated ended: %v", g.cmd.ProcessState)
	}
}

func (g *Gate) healthy() bool {
	resp, err := http.Get(g.url("/healthz"))
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// effort reads what the gate's commits have taken from its metrics.
func (g *Gate) effort() (spent journal.Effort) {
	g.b.t.Helper()
	resp, err := http.Get(g.url("/metrics"))
	if err != nil {
		g.b.t.Fatal(err)
	}
	text, err := read(resp)
	if err != nil {
		g.b.t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "menshen_journal_commits_total":
			spent.Commits, err = strconv.ParseUint(value, 10, 64)
		case "menshen_journal_commit_seconds_total":
			spent.Took, err = time.ParseDuration(value + "s")
		}
		if err != nil {
			g.b.t.Fatalf("metrics: %v", err)
		}
	}
	return spent
}

func (g *Gate) lanesServe() bool {
	p, err := g.visitor().Read()
	if err != nil || len(p.Lanes) != Lanes {
		return false
	}
	for _, l := range p.Lanes {
		if l.Verdict == "attended" {
			return false
		}
	}
	return true
}

// url returns the address of a page; it leads nowhere while gated has none.
func (g *Gate) url(path string) string {
	addr, _ := os.ReadFile(filepath.Join(g.b.Data, addressFile))
	return "http://" + strings.TrimSpace(string(addr)) + path
}

// Alive reports whether the process runs.
func (g *Gate) Alive() bool {
	select {
	case <-g.exited:
		return false
	default:
		return true
	}
}

// Signal sends a signal to gated, unless it is gone.
func (g *Gate) Signal(s syscall.Signal) {
	g.b.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		g.b.t.Errorf("signal gated: %v", err)
	}
}

// Kill ends the process group as kill -9 does, and waits for it. A process
// that is gone already stays so.
func (g *Gate) Kill() {
	if g.Alive() {
		_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) // ESRCH: it went by itself
	}
	<-g.exited
}

// Stop ends gated as systemd does and returns its exit code.
func (g *Gate) Stop() int {
	g.b.t.Helper()
	g.Signal(syscall.SIGTERM)
	return g.ExitCode()
}

// ExitCode waits for the end of the process.
func (g *Gate) ExitCode() int {
	g.b.t.Helper()
	select {
	case <-g.exited:
	case <-time.After(Soon):
		g.b.t.Fatalf("gated does not end within %v", Soon)
	}
	return g.cmd.ProcessState.ExitCode()
}

// StopCleanly stops gated, which must exit with 0, and waits for the last frame
// at the relay board.
func (g *Gate) StopCleanly() {
	g.b.t.Helper()
	if code := g.Stop(); code != 0 {
		g.b.t.Errorf("gated exited with %d", code)
	}
	g.b.Relay.Drain(g.b.t)
}

// LogHolds fails the test unless gated has said something.
func (g *Gate) LogHolds(text string) {
	g.b.t.Helper()
	if !strings.Contains(g.log.String(), text) {
		g.b.t.Errorf("gated does not say %q", text)
	}
}

// String names the process.
func (g *Gate) String() string { return fmt.Sprintf("gated %d", g.cmd.Process.Pid) }
