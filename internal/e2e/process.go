package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// process is one program beside the gate, which no test outlives.
type process struct {
	t      testing.TB
	what   string
	cmd    *exec.Cmd
	log    *buffer
	exited chan struct{} // closed when the process is gone
}

// launch starts a program and returns at once.
func launch(t testing.TB, what string, argv ...string) *process {
	t.Helper()
	p := &process{t: t, what: what, cmd: exec.Command(argv[0], argv[1:]...), log: &buffer{}, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // what it ended with stands in ProcessState
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", what, p.log)
		}
	})
	return p
}

// Alive reports whether the process runs.
func (p *process) Alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Kill ends the process as kill -9 does, and waits for it. One that is gone
// already stays so.
func (p *process) Kill() {
	if p.Alive() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // ESRCH: it went by itself
	}
	<-p.exited
}

// Pause stops the process in its tracks until Resume.
func (p *process) Pause() { p.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *process) Resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %s: %v", p.what, err)
	}
}

// ExitCode waits for the end of the process.
func (p *process) ExitCode() int {
	p.t.Helper()
	Await(p.t, Soon, p.what+" ends", func() bool { return !p.Alive() })
	return p.cmd.ProcessState.ExitCode()
}

// Said returns everything that the process has printed.
func (p *process) Said() string { return p.log.String() }

// awaitSaid waits until the process has printed what a pattern matches, and
// returns the pattern's only group.
func (p *process) awaitSaid(pattern string) string {
	p.t.Helper()
	wanted := regexp.MustCompile(pattern)
	var found []string
	Await(p.t, Soon, fmt.Sprintf("%s says %s, or ends", p.what, pattern), func() bool {
		found = wanted.FindStringSubmatch(p.Said())
		return found != nil || !p.Alive()
	})
	if found == nil {
		p.t.Fatalf("%s ended: %v", p.what, p.cmd.ProcessState)
	}
	return found[1]
}

// Peak returns the most memory that the process ever had, in bytes.
func (p *process) Peak() int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kib int
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		p.t.Fatalf("VmHWM: %v", err)
	}
	return kib << 10
}
