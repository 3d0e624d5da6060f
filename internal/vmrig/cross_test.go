package vmrig

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/menshen/menshen/internal/e2e"
)

// TestTheProgramsOfOtherProcessorsReadAndWriteOneJournal runs the static
// programs under an emulator of their processor: what one writes the others
// prove.
func TestTheProgramsOfOtherProcessorsReadAndWriteOneJournal(t *testing.T) {
	e2e.Long(t)
	need(t, "qemu-aarch64-static", "qemu-arm-static", "aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc")
	host := e2e.NewBench(t, e2e.Setup{})
	g := host.Run()
	host.Enrol(3)
	host.Lane(1).Admit(1)
	host.Lane(2).Admit(2)
	g.StopCleanly()
	journal := host.JournalPath()
	config := writeConfig(t, host.Data)
	for _, p := range []struct{ arch, emulator string }{{"arm64", "qemu-aarch64-static"}, {"armv7", "qemu-arm-static"}} {
		t.Run(p.arch, func(t *testing.T) {
			dir := cross(t, p.arch)
			said := func(program string, args ...string) string {
				t.Helper()
				out, err := exec.Command(p.emulator, append([]string{filepath.Join(dir, program)}, args...)...).CombinedOutput()
				if err != nil {
					t.Fatalf("%s %v: %v\n%s", program, args, err, out)
				}
				return string(out)
			}
			native, err := exec.Command(e2e.Build(t).Gatectl, "journal", "verify", "-file", journal).Output()
			must(t, err)
			if got := said("gatectl", "journal", "verify", "-file", journal); untimed(got) != untimed(string(native)) {
				t.Errorf("%s finds\n%s, this machine\n%s", p.arch, got, native)
			}
			said("gatectl", "check", config)
			if got := said("gated", "-version"); !strings.HasPrefix(got, "gated ") {
				t.Errorf("gated -version says %q", got)
			}
			before := len(entriesOf(t, journal))
			runOnce(t, p.emulator, filepath.Join(dir, "gated"), "-config", config)
			if after := len(entriesOf(t, journal)); after < before+2 {
				t.Errorf("of its start and its stop gated wrote %d entries", after-before)
			}
			if _, err := e2e.Verify(t.Context(), journal); err != nil {
				t.Error(err)
			}
		})
	}
}

// untimed is what gatectl prints of a journal, without how long it took.
func untimed(said string) string {
	before, _, _ := strings.Cut(said, " (")
	return before
}

// writeConfig writes the configuration of a gate whose devices are not there.
func writeConfig(t *testing.T, data string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vmrig-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	var text strings.Builder
	fmt.Fprintf(&text, "gate = %q\ndata = %q\nsocket = %q\nprofile = \"all-serial-2\"\n[web]\nlisten = \"127.0.0.1:0\"\n[ports]\n",
		e2e.GateName, data, filepath.Join(dir, "s"))
	for _, port := range []string{"scanner-1", "scanner-2", "thermometer-1", "thermometer-2", "relay"} {
		fmt.Fprintf(&text, "%s = %q\n", port, filepath.Join(dir, port))
	}
	name := filepath.Join(dir, "gated.toml")
	must(t, os.WriteFile(name, []byte(text.String()), 0o600))
	return name
}

// runOnce runs a gate until it is open, and stops it.
func runOnce(t *testing.T, argv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	stderr, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	var said strings.Builder
	opened := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if !opened && strings.Contains(lines.Text(), `msg="gate open"`) {
			opened = true
			must(t, cmd.Process.Signal(syscall.SIGTERM))
		}
	}
	if err := cmd.Wait(); err != nil || !opened {
		t.Errorf("gated: %v, open %v\n%s", err, opened, said.String())
	}
}

func entriesOf(t *testing.T, journal string) []e2e.Entry {
	t.Helper()
	list, err := e2e.Entries(t.Context(), journal)
	must(t, err)
	return list
}
