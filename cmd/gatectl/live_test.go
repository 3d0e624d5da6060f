package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/internal/pty"
)

// waiting is an output that tells when it holds a text.
type waiting struct {
	mu    sync.Mutex
	text  bytes.Buffer
	want  string
	found chan struct{}
}

func (w *waiting) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	select {
	case <-w.found:
	default:
		if strings.Contains(w.text.String(), w.want) {
			close(w.found)
		}
	}
	return len(p), nil
}

// watchUntil runs 'gatectl live', does something again and again until it is
// seen, and ends the program as Ctrl-C does. It returns what was printed.
func watchUntil(t *testing.T, name, want string, again func()) string {
	t.Helper()
	ctx, interrupt := context.WithTimeout(t.Context(), 30*time.Second)
	defer interrupt()
	out := &waiting{want: want, found: make(chan struct{})}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"-config", name, "live"}, strings.NewReader(""), out, io.Discard)
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for seen := false; !seen; {
		select {
		case <-out.found:
			seen = true
		case code := <-ended:
			t.Fatalf("exit %d:\n%s", code, out.text.String())
		case <-tick.C:
			again()
		}
	}
	interrupt()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d after the interrupt", code)
	}
	return out.text.String()
}

const liveCode = "2026000000000001"

func TestLiveShowsWhatARunningGateReceives(t *testing.T) {
	b := start(t)
	out := watchUntil(t, b.config, "#"+gate.ScanShown([]byte(liveCode)).Digest, func() { b.Lanes[0].Scanner.Scan(liveCode) })
	if !strings.Contains(out, "lane 1  扫码 scan  2026… 16 bytes") || strings.Contains(out, liveCode) {
		t.Errorf("got %s", out)
	}
}

func TestLiveOpensTheDevicesItselfWhileNoGateRuns(t *testing.T) {
	port, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	dir := shortDir(t)
	name := configuration(t, dir, "[ports]", fmt.Sprintf("scanner-1 = %q", port.Path), fmt.Sprintf("thermometer-1 = %q", filepath.Join(dir, "missing")))
	out := watchUntil(t, name, "#"+gate.ScanShown([]byte(liveCode)).Digest, func() {
		if _, err := io.WriteString(port.Master, liveCode+"\r"); err != nil {
			t.Error(err)
		}
	})
	if !strings.Contains(out, "! thermometer: open port") {
		t.Errorf("says nothing of the thermometer:\n%s", out)
	}
	if err := port.Master.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, _ := port.Master.Read(make([]byte, 1)); n > 0 {
		t.Error("something was sent to the scanner")
	}
}

func TestLiveEndsAfterSoManyLines(t *testing.T) {
	dir := shortDir(t)
	name := configuration(t, dir, "[ports]", fmt.Sprintf("scanner-1 = %q", filepath.Join(dir, "a")), fmt.Sprintf("thermometer-1 = %q", filepath.Join(dir, "b")))
	c := gatectl(t, "", "-config", name, "live", "-n", "2")
	if c.want(t, 0, "! scanner: open port", "! thermometer: open port"); strings.Count(c.out, "\n") != 2 {
		t.Errorf("got %s", c.out)
	}
	gatectl(t, "", "-config", name, "live").want(t, exitFailed, "no device is left", "gatectl doctor")
}

func TestWrongCallsOfTheToolsForFaultsAreRefused(t *testing.T) {
	name := configuration(t, shortDir(t))
	for _, args := range []string{"scan now", "scan -probe now", "doctor now", "live now", "live -n few", "live -n -1"} {
		gatectl(t, "", append([]string{"-config", name}, strings.Fields(args)...)...).want(t, exitUsage, usage)
	}
}
