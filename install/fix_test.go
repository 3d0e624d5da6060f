package install_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/install"
)

// aPi is a Raspberry Pi as it leaves the shop.
func aPi(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t, "boot/firmware", "var/lib/menshen")
	for name, text := range map[string]string{
		"config.txt":  "dtparam=audio=on\n[pi4]\narm_boost=1\n",
		"cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=1 rootwait\n",
	} {
		if err := os.WriteFile(filepath.Join(m.root, "boot/firmware", name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestEveryFixIsDoneOnceAndTakenBack(t *testing.T) {
	for name, want := range map[string]struct{ file, has, lacks string }{
		install.FixI2C:       {"config.txt", "[all]\ndtparam=i2c_arm=on\n", "\x00"},
		install.FixUART:      {"config.txt", "[all]\nenable_uart=1\n", "\x00"},
		install.FixBluetooth: {"config.txt", "[all]\ndtoverlay=disable-bt\n", "\x00"},
		install.FixConsole:   {"cmdline.txt", "console=tty1 root=PARTUUID=1 rootwait", "serial0"},
	} {
		t.Run(name, func(t *testing.T) {
			m := aPi(t)
			file := "boot/firmware/" + want.file
			before := m.text(t, file)
			for range 2 {
				if _, err := install.Fix(t.Context(), m.options(), name, false); err != nil {
					t.Fatal(err)
				}
			}
			if done := install.Done(os.DirFS(m.root)); !slices.Equal(done, []string{name}) {
				t.Errorf("done: %q", done)
			}
			got := m.text(t, file)
			if strings.Count(got, want.has) != 1 || strings.Contains(got, want.lacks) {
				t.Errorf("got %q", got)
			}
			if _, err := install.Fix(t.Context(), m.options(), name, true); err != nil {
				t.Fatal(err)
			}
			if done := install.Done(os.DirFS(m.root)); done != nil {
				t.Errorf("still done: %q", done)
			}
			if got := m.text(t, file); got != before {
				t.Errorf("taken back: got %q, want %q", got, before)
			}
		})
	}
}

func TestOneFixIsTakenBackWithoutTheOther(t *testing.T) {
	m := aPi(t)
	for _, name := range []string{install.FixI2C, install.FixUART} {
		if _, err := install.Fix(t.Context(), m.options(), name, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := install.Fix(t.Context(), m.options(), install.FixI2C, true); err != nil {
		t.Fatal(err)
	}
	if got := m.text(t, "boot/firmware/config.txt"); strings.Contains(got, "i2c") || !strings.Contains(got, "enable_uart=1") {
		t.Errorf("got %q", got)
	}
}

func TestOnAPCNothingOfAPiIsMended(t *testing.T) {
	m := newMachine(t)
	if _, err := install.Fix(t.Context(), m.options(), install.FixI2C, false); err == nil || !strings.Contains(err.Error(), "not a Raspberry Pi") {
		t.Errorf("got %v", err)
	}
}

func (m *machine) ask(t *testing.T, text string) error {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.root, "var/lib/menshen", install.AskedFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return install.Asked(t.Context(), m.options(), "/var/lib/menshen")
}

func TestWhatTheDaemonAsksForIsDoneOnceAndAnswered(t *testing.T) {
	m := aPi(t)
	if err := m.ask(t, "i2c\n"); err != nil {
		t.Fatal(err)
	}
	if got := m.text(t, "var/lib/menshen/"+install.DoneFile); !strings.Contains(got, "+ dtparam=i2c_arm=on") {
		t.Errorf("answered %q", got)
	}
	if _, err := os.Stat(filepath.Join(m.root, "var/lib/menshen", install.AskedFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still asked: %v", err)
	}
	if err := m.ask(t, "i2c undo"); err != nil || strings.Contains(m.text(t, "boot/firmware/config.txt"), "i2c") {
		t.Errorf("undo: %v", err)
	}
	if err := m.ask(t, "restart"); err != nil || !slices.Contains(m.ran, "systemctl reboot") {
		t.Errorf("%v, ran %q", err, m.ran)
	}
}

// The daemon has fewer rights than who answers it: nothing but a word of the
// list does anything, and it is asked once only.
func TestWhatIsNoFixIsNeitherDoneNorTriedAgain(t *testing.T) {
	for rule, asked := range map[string]string{
		"another word": "format", "two words": "i2c uart", "a path": "../../etc/passwd", "nothing": "", "too long": strings.Repeat("i2c ", 40),
	} {
		t.Run(rule, func(t *testing.T) {
			m := aPi(t)
			before := m.tree(t)
			if err := m.ask(t, asked); !errors.Is(err, install.ErrUnknownFix) {
				t.Errorf("got %v", err)
			}
			after := m.tree(t)
			delete(after, "var/lib/menshen/"+install.DoneFile)
			if len(after) != len(before) || after["boot/firmware/config.txt"] != before["boot/firmware/config.txt"] {
				t.Errorf("left %q", after)
			}
		})
	}
}

func TestALinkIsNotFollowed(t *testing.T) {
	m := aPi(t)
	secret := filepath.Join(m.root, "secret")
	if err := os.WriteFile(secret, []byte("i2c"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(m.root, "var/lib/menshen", install.AskedFile)); err != nil {
		t.Fatal(err)
	}
	if err := install.Asked(t.Context(), m.options(), "/var/lib/menshen"); !errors.Is(err, install.ErrUnknownFix) {
		t.Errorf("got %v", err)
	}
	if m.text(t, "secret") != "i2c" {
		t.Error("the file that it led to is another")
	}
}

func FuzzAskedNeverTouchesAnythingElse(f *testing.F) {
	for _, s := range []string{"i2c", "console undo", "restart undo", "\x00", "i2c\nuart"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		m := aPi(t)
		before := m.tree(t)
		_ = m.ask(t, asked) // whatever it says
		for name, text := range m.tree(t) {
			switch name {
			case "boot/firmware/config.txt", "boot/firmware/cmdline.txt", "boot/firmware/cmdline.txt.before-menshen", "var/lib/menshen/" + install.DoneFile:
			default:
				if before[name] != text {
					t.Errorf("%q changed %s", asked, name)
				}
			}
		}
	})
}
