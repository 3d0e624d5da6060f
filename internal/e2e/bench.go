package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	firmwareconfig "github.com/menshen/menshen/firmware-config"
)

// What is wired to which channel of the board of profile all-serial-2. Lanes
// count from 1.
const (
	Beacon = 7 // isolation room
	Buzzer = 8
)

// Barrier, Green and Red return the relay channels of a lane.
func Barrier(lane int) int { return 3*lane - 2 }

// Green returns the lane's green lamp.
func Green(lane int) int { return 3*lane - 1 }

// Red returns the lane's red lamp.
func Red(lane int) int { return 3 * lane }

// Lanes is how many lanes a bench has.
const Lanes = 2

// Bench is the hardware of a gate with two lanes, its configuration and its
// directories. It outlives the processes that are started on it.
type Bench struct {
	// Dir holds everything; Data is the gate's data directory.
	Dir, Data    string
	Scanners     [Lanes + 1]*Scanner     // by lane, from 1
	Thermometers [Lanes + 1]*Thermometer // by lane, from 1
	Relay        *Relay

	t        testing.TB
	programs Programs
	config   string
}

// Setup is how a bench differs from the shipped profile.
type Setup struct {
	// Pulse of the barriers and period of the thermometers; zero keeps what the
	// profile has.
	Pulse, Period time.Duration
	// Stream is the spacing of the frames that thermometers send by themselves;
	// zero leaves them to be asked.
	Stream time.Duration
	// Data is where the gate keeps its files; empty means a directory below
	// the bench's own.
	Data string
}

// NewBench plugs everything in and writes the configuration. The directory is
// in no test's own: the name of a unix socket has room for 100 bytes.
func NewBench(t testing.TB, s Setup) *Bench {
	t.Helper()
	dir, err := os.MkdirTemp("", "menshen-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &Bench{Dir: dir, Data: s.Data, t: t, programs: Build(t), config: filepath.Join(dir, "gated.toml")}
	if b.Data == "" {
		b.Data = filepath.Join(dir, "data")
	}
	t.Cleanup(b.tell)
	for lane := 1; lane <= Lanes; lane++ {
		b.Scanners[lane] = newScanner(filepath.Join(dir, fmt.Sprintf("scanner-%d", lane)))
		b.Thermometers[lane] = newThermometer(filepath.Join(dir, fmt.Sprintf("thermometer-%d", lane)), s.Stream)
	}
	b.Relay = newRelay(filepath.Join(dir, "relay"))
	for _, p := range b.Ports() {
		if err := p.Plug(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Unplug(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := b.configure(s); err != nil {
		t.Fatal(err)
	}
	return b
}

// lastWords is how many entries of a journal stand in the log of a failed test.
const lastWords = 20

// tell logs what the gate recorded last, if the test has failed.
func (b *Bench) tell() {
	if !b.t.Failed() {
		return
	}
	list, err := Entries(context.WithoutCancel(b.t.Context()), b.JournalPath())
	b.t.Logf("the last entries of %d, %v:", len(list), err)
	for _, e := range list[max(0, len(list)-lastWords):] {
		b.t.Log(e)
	}
}

// Ports returns every port of the gate.
func (b *Bench) Ports() []*Port {
	ports := []*Port{b.Relay.Port}
	for lane := 1; lane <= Lanes; lane++ {
		ports = append(ports, b.Scanners[lane].Port, b.Thermometers[lane].Port)
	}
	return ports
}

// configure writes gated.toml beside the shipped profile, in which nothing but
// what Setup names is changed.
func (b *Bench) configure(s Setup) error {
	profile, err := fs.ReadFile(firmwareconfig.Profiles(), "all-serial-2.toml")
	if err != nil {
		return err
	}
	for _, change := range []struct {
		wanted      bool
		line, value string
	}{
		{s.Pulse > 0, `pulse = "300ms"`, s.Pulse.String()},
		{s.Period > 0, `period = "150ms"`, s.Period.String()},
		{s.Stream > 0, `mode = "query"`, "stream"},
	} {
		if !change.wanted {
			continue
		}
		if bytes.Count(profile, []byte(change.line)) != Lanes {
			return fmt.Errorf("profile all-serial-2: %s does not stand there for every lane", change.line)
		}
		key, _, _ := strings.Cut(change.line, " ")
		profile = bytes.ReplaceAll(profile, []byte(change.line), fmt.Appendf(nil, "%s = %q", key, change.value))
	}
	var gated bytes.Buffer
	fmt.Fprintf(&gated, "gate = \"e2e\"\nschool = \"实验小学\"\ndata = %q\nsocket = %q\nprofile = \"board.toml\"\nlanguage = \"en\"\n",
		b.Data, filepath.Join(b.Dir, "s"))
	fmt.Fprintf(&gated, "[web]\nlisten = \"127.0.0.1:0\"\n[ports]\n")
	for _, p := range b.Ports() {
		fmt.Fprintf(&gated, "%s = %q\n", filepath.Base(p.Link), p.Link)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(b.Dir, "board.toml"), profile, 0o600),
		os.WriteFile(b.config, gated.Bytes(), 0o600),
	)
}

// Gatectl runs the admin tool, which must succeed, and returns what it printed,
// without the progress of what takes long.
func (b *Bench) Gatectl(stdin string, args ...string) string {
	b.t.Helper()
	cmd := exec.Command(b.programs.Gatectl, slices.Concat([]string{"-config", b.config}, args)...)
	cmd.Stdin = strings.NewReader(stdin)
	var progress bytes.Buffer
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("gatectl %s: %v\n%s%s", strings.Join(args, " "), err, out, &progress)
	}
	return string(out)
}

// The badges of the school: Badge(0) is the guard's, who has PIN.
const (
	guardNumber = "T0"
	PIN         = "294716"
)

// Badge returns the badge of pupil n, from 1, or of the guard, 0.
func Badge(n int) string { return fmt.Sprintf("70%014d", n) }

// Class returns the class of pupil n.
func Class(n int) string { return fmt.Sprintf("%d班", n%20+1) }

// Pupil returns the number of the pupil with a roster number: the guard is the
// first of the list.
func Pupil(subject uint64) int { return int(subject) - 1 }

// Subject returns the roster number of pupil n.
func Subject(n int) uint64 { return uint64(n) + 1 }

// Enrol imports a school of one guard and n pupils into the gate that runs on
// the bench, and gives the guard a PIN.
func (b *Bench) Enrol(n int) {
	b.t.Helper()
	b.enrol(school(n))
	b.Gatectl(PIN+"\n", "roster", "pin", guardNumber)
}

// school is the list of one guard and n pupils.
func school(n int) string {
	var list strings.Builder
	list.WriteString("number,name,class,role,badge\n" + guardNumber + ",门卫,,staff," + Badge(0) + "\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&list, "S%d,学生%d,%s,student,%s\n", i, i, Class(i), Badge(i))
	}
	return list.String()
}

// enrol imports a list into the gate that runs on the bench.
func (b *Bench) enrol(list string) {
	b.t.Helper()
	file := filepath.Join(b.Dir, "roster.csv")
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.Gatectl("", "roster", "import", file)
}

// JournalPath is the gate's journal.
func (b *Bench) JournalPath() string { return filepath.Join(b.Data, "journal.db") }

// holdsPorts reports whether a process has every port open.
func (b *Bench) holdsPorts(pid int) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	open := map[string]bool{}
	for _, fd := range fds {
		if target, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil {
			open[target] = true
		}
	}
	for _, p := range b.Ports() {
		if path := p.path(); path != "" && !open[path] {
			return false
		}
	}
	return true
}
