// Package e2e runs the programs themselves, as they are installed, against
// hardware made of pseudo-terminals: scanners that type, thermometers that
// answer, a relay board whose frames are timed, a page that is pressed.
//
// It knows the bytes on the ports, the forms on the page and the entries in the
// journal, and holds the one against the other. It knows nothing of what goes
// on inside a gate and reaches it by no other way than its ports, its socket,
// its page and its files.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// programsEnv names the directory of the programs under test; Main makes and
// removes it.
const programsEnv = "MENSHEN_TEST_PROGRAMS"

// Programs are the paths of what is under test.
type Programs struct{ Gated, Gatectl string }

// Main runs the tests of a package with a place for the programs, which it
// removes at the end, and returns the exit code.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "menshen-programs-")
	if err == nil {
		err = os.Setenv(programsEnv, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	return m.Run()
}

// Build builds the programs, once in a process and without the race detector:
// what runs at a gate is what is tested.
func Build(t testing.TB) Programs {
	t.Helper()
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var build = sync.OnceValues(func() (Programs, error) {
	dir := os.Getenv(programsEnv)
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"github.com/menshen/menshen/cmd/gated", "github.com/menshen/menshen/cmd/gatectl")
	if os.Getenv("CGO_CFLAGS") == "" {
		// Without it SQLite flushes with fsync, which is not what ships.
		cmd.Env = append(os.Environ(), "CGO_CFLAGS=-O2 -g -DHAVE_FDATASYNC=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return Programs{}, fmt.Errorf("build programs: %w\n%s", err, out)
	}
	return Programs{Gated: filepath.Join(dir, "gated"), Gatectl: filepath.Join(dir, "gatectl")}, nil
})
