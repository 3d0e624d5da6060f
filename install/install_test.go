package install_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/install"
)

// machine is a root to install into, and what was started there.
type machine struct {
	root  string
	ran   []string
	lacks []string // programs that it has not
	fails string   // a program that fails
	said  []install.Step
}

func newMachine(t *testing.T, dirs ...string) *machine {
	t.Helper()
	m := &machine{root: t.TempDir()}
	for _, dir := range dirs {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *machine) run(_ context.Context, name string, args ...string) error {
	m.ran = append(m.ran, strings.Join(append([]string{name}, args...), " "))
	switch {
	case slices.Contains(m.lacks, name):
		return fmt.Errorf("start %s: %w", name, exec.ErrNotFound)
	case name == m.fails:
		return errors.New("it failed")
	}
	return nil
}

func (m *machine) options() install.Options {
	programs := fstest.MapFS{}
	for _, name := range install.Programs() {
		programs[name] = &fstest.MapFile{Data: []byte("program " + name)}
	}
	return install.Options{
		Root: m.root, Programs: programs, System: firmwareconfig.System(), Profiles: firmwareconfig.Profiles(), Gate: "east", Run: m.run,
	}
}

func (m *machine) say(s install.Step) { m.said = append(m.said, s) }

func (m *machine) install(t *testing.T, o install.Options) error {
	t.Helper()
	m.said, m.ran = nil, nil
	return install.Install(t.Context(), o, m.say)
}

func (m *machine) text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tree lists every file below the root with its content.
func (m *machine) tree(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(m.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(m.root, name)
		if err != nil {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			all[rel], err = os.Readlink(name)
			return err
		}
		b, err := os.ReadFile(name)
		all[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestInstallPutsEveryFileInItsPlaceAndStartsTheGate(t *testing.T) {
	m := newMachine(t, "run/systemd/system", "run/udev")
	if err := m.install(t, m.options()); err != nil {
		t.Fatal(err, m.said)
	}
	for _, name := range []string{
		"usr/bin/gated", "usr/bin/gatectl", "usr/bin/menshen", "usr/lib/systemd/system/gated.service", "usr/lib/udev/rules.d/60-menshen.rules",
		"usr/lib/modules-load.d/menshen.conf", "usr/lib/sysusers.d/menshen.conf", "usr/lib/tmpfiles.d/menshen.conf", "etc/menshen/gated.toml",
	} {
		if m.text(t, name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	if info, err := os.Stat(filepath.Join(m.root, "usr/bin/gated")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("gated: %v, %v", info.Mode(), err)
	}
	if to := m.tree(t)["etc/systemd/system/multi-user.target.wants/gated.service"]; to != "/usr/lib/systemd/system/gated.service" {
		t.Errorf("gated.service is started by %q", to)
	}
	want := []string{"systemd-sysusers /usr/lib/sysusers.d/menshen.conf", "udevadm trigger", "modprobe i2c-dev", "systemctl daemon-reload", "systemctl restart gated.service"}
	for _, line := range want {
		if !slices.Contains(m.ran, line) {
			t.Errorf("%q was not started: %q", line, m.ran)
		}
	}
	for _, s := range m.said {
		if s.Err != nil || !strings.HasPrefix(s.String(), "✓ ") {
			t.Errorf("said %q", s)
		}
	}
}

// The unit starts what was installed, from where it was installed.
func TestTheUnitNamesTheInstalledPrograms(t *testing.T) {
	m := newMachine(t, "run/systemd/system", "run/udev")
	if err := m.install(t, m.options()); err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{"gated.service", "menshen-fix.service"} {
		for line := range strings.Lines(m.text(t, "usr/lib/systemd/system/"+unit)) {
			if key, value, _ := strings.Cut(strings.TrimSpace(line), "="); strings.HasPrefix(key, "Exec") {
				m.text(t, strings.Fields(value)[0]) // fails where there is none
			}
		}
	}
}

func TestASecondInstallChangesNothingAndRestartsNothing(t *testing.T) {
	m := newMachine(t, "run/systemd/system", "run/udev")
	if err := m.install(t, m.options()); err != nil {
		t.Fatal(err)
	}
	before := m.tree(t)
	if err := m.install(t, m.options()); err != nil {
		t.Fatal(err)
	}
	after := m.tree(t)
	if len(after) != len(before) {
		t.Errorf("%d files, then %d", len(before), len(after))
	}
	for name, text := range before {
		if after[name] != text {
			t.Errorf("%s is another", name)
		}
	}
	if !slices.Contains(m.ran, "systemctl start gated.service") || slices.Contains(m.ran, "systemctl restart gated.service") {
		t.Errorf("ran %q", m.ran)
	}
}

func TestAConfigurationThatIsThereStays(t *testing.T) {
	for name, text := range map[string]string{"a good one": "gate = \"west\"\nprofile = \"all-serial\"\n", "a faulty one": "gat = 1\n"} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "etc/menshen")
			if err := os.WriteFile(filepath.Join(m.root, "etc/menshen/gated.toml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := m.install(t, m.options()); err != nil && !strings.Contains(err.Error(), "1 steps") { // no systemd runs here
				t.Fatal(err)
			}
			if got := m.text(t, "etc/menshen/gated.toml"); got != text {
				t.Errorf("got %q", got)
			}
			if !slices.ContainsFunc(m.said, func(s install.Step) bool { return strings.Contains(s.String(), "已有,不动") }) {
				t.Errorf("not said: %v", m.said)
			}
		})
	}
}

func TestTheFirstConfigurationIsOneThatLoads(t *testing.T) {
	for rule, c := range map[string]struct {
		dirs    []string
		change  func(*install.Options)
		profile string
		listen  string
	}{
		"a machine of no known kind": {nil, func(*install.Options) {}, "all-serial", "127.0.0.1:8630"},
		"a Raspberry Pi":             {[]string{"boot/firmware/config.txt"}, func(*install.Options) {}, "raspberry-pi", "127.0.0.1:8630"},
		"what was asked for":         {nil, func(o *install.Options) { o.Profile, o.School, o.LAN = "all-serial-2", `"实验"小学`, true }, "all-serial-2", "0.0.0.0:8630"},
	} {
		t.Run(rule, func(t *testing.T) {
			m := newMachine(t, c.dirs...)
			o := m.options()
			o.Run = nil
			c.change(&o)
			if err := m.install(t, o); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(filepath.Join(m.root, "etc/menshen/gated.toml"), firmwareconfig.Profiles())
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Gate != "east" || cfg.Board.Name != c.profile || cfg.Web.Listen != c.listen || cfg.School != o.School {
				t.Errorf("got %+v", cfg)
			}
			if len(m.ran) > 0 {
				t.Errorf("an image ran %q", m.ran)
			}
		})
	}
}

func TestAStepThatFailsIsSaidWithWhatToTypeAndNothingIsStarted(t *testing.T) {
	m := newMachine(t, "run/systemd/system", "run/udev")
	m.fails = "udevadm"
	err := m.install(t, m.options())
	if err == nil || !strings.Contains(err.Error(), "1 steps failed") {
		t.Errorf("got %v", err)
	}
	var lines []string
	for _, s := range m.said {
		lines = append(lines, s.String())
	}
	all := strings.Join(lines, "\n")
	for _, part := range []string{"✗ 设备名 · names of devices: it failed", "$ sudo udevadm control --reload", "- 启动 · started"} {
		if !strings.Contains(all, part) {
			t.Errorf("does not say %q:\n%s", part, all)
		}
	}
	if slices.ContainsFunc(m.ran, func(s string) bool { return strings.HasPrefix(s, "systemctl") }) {
		t.Errorf("ran %q", m.ran)
	}
}

func TestWithoutSystemdTheUserIsMadeByHandAndTheLastStepSaysHowToStart(t *testing.T) {
	m := newMachine(t)
	m.lacks = []string{"systemd-sysusers", "systemd-tmpfiles"}
	if err := m.install(t, m.options()); err == nil {
		t.Error("nothing runs, and no error says so")
	}
	for _, line := range []string{"groupadd --system --force input", "id -u menshen", "chown -R root:menshen /etc/menshen"} {
		if !slices.Contains(m.ran, line) {
			t.Errorf("%q was not started: %q", line, m.ran)
		}
	}
	if last := m.said[len(m.said)-1].String(); !strings.Contains(last, "no systemd runs here") || !strings.Contains(last, "gated -config") {
		t.Errorf("said %q", last)
	}
}

func TestAProgramThatIsMissingIsNamed(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.Programs = fstest.MapFS{"gated": {Data: []byte("x")}}
	if err := m.install(t, o); err == nil || !strings.Contains(m.said[0].String(), "gatectl") {
		t.Errorf("got %v, said %v", err, m.said)
	}
}

func TestUninstallLeavesConfigurationAndData(t *testing.T) {
	m := newMachine(t, "run/systemd/system", "var/lib/menshen")
	journal := filepath.Join(m.root, "var/lib/menshen/journal.db")
	if err := os.WriteFile(journal, []byte("entries"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.install(t, m.options()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing is left to do, which is no fault
		if err := install.Remove(t.Context(), m.options(), m.say); err != nil {
			t.Fatal(err)
		}
	}
	if left := slices.Sorted(func(yield func(string) bool) {
		for name := range m.tree(t) {
			if !yield(name) {
				return
			}
		}
	}); !slices.Equal(left, []string{"etc/menshen/gated.toml", "var/lib/menshen/journal.db"}) {
		t.Errorf("left: %q", left)
	}
	if !slices.Contains(m.ran, "systemctl disable --now gated.service menshen-fix.path") {
		t.Errorf("ran %q", m.ran)
	}
}

func TestAMachinesNameBecomesAGates(t *testing.T) {
	for host, want := range map[string]string{"East-Gate.school.cn": "east-gate", "校门": "gate", "": "gate", "raspberrypi": "raspberrypi", strings.Repeat("a", 40): strings.Repeat("a", 32)} {
		if got := install.GateName(host); got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}
