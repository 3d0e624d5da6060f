package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/menshen/menshen/install"
)

// at is a call on a machine that is a directory, from which no flag leads to the
// one on which the test runs.
func at(t *testing.T, self string) (c tool, out *bytes.Buffer) {
	t.Helper()
	out = &bytes.Buffer{}
	return tool{self: self, machine: t.TempDir(), stdout: out, stderr: out, start: func(context.Context, string, ...string) error {
		return errors.New("started on the machine")
	}}, out
}

func TestTheOneFileInstallsWhatItCarries(t *testing.T) {
	dir := t.TempDir()
	launcher, one, root := filepath.Join(dir, "launcher"), filepath.Join(dir, "menshen"), t.TempDir()
	if err := os.WriteFile(launcher, []byte("#!/bin/sh\necho runs\nexit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	programs := fstest.MapFS{}
	for _, name := range install.Programs() {
		programs[name] = &fstest.MapFile{Data: bytes.Repeat([]byte(name), 1000)}
	}
	if err := pack(one, launcher, programs); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), one).Output(); err != nil || string(out) != "runs\n" {
		t.Errorf("the launcher does not run: %v, %q", err, out)
	}
	c, out := at(t, one)
	for range 2 {
		if code := c.run(t.Context(), []string{"install", "-root", root, "-gate", "west"}); code != 0 || strings.Contains(out.String(), "✗") {
			t.Fatalf("exit %d: %s", code, out)
		}
	}
	for _, name := range install.Programs() {
		got, err := os.ReadFile(filepath.Join(root, "usr/bin", name))
		if err != nil || !bytes.Equal(got, programs[name].Data) {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "etc/menshen/gated.toml"))
	if err != nil || !strings.Contains(string(text), "\ngate = \"west\"\n") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestACallThatIsWrongPrintsTheUsage(t *testing.T) {
	for rule, args := range map[string][]string{
		"nothing": {}, "an unknown command": {"instal"}, "an unknown flag": {"install", "-rooot", "x"}, "more than there is": {"uninstall", "all"},
		"no fix": {"fix"}, "two fixes": {"fix", "i2c", "uart"}, "a fix and what was asked": {"fix", "-asked", "i2c"},
	} {
		t.Run(rule, func(t *testing.T) {
			c, out := at(t, "")
			if code := c.run(t.Context(), args); code != exitUsage || !strings.Contains(out.String(), "sudo ./menshen install") {
				t.Errorf("exit %d: %s", code, out)
			}
		})
	}
}

func TestAFixSaysWhatItDid(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "boot"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "boot/config.txt"), []byte("dtparam=audio=on\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, out := at(t, "")
	if code := c.run(t.Context(), []string{"fix", "-root", root, "i2c"}); code != 0 || !strings.Contains(out.String(), "✓ /boot/config.txt: + dtparam=i2c_arm=on") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code := c.run(t.Context(), []string{"fix", "-root", root, "format"}); code != exitFailed || !strings.Contains(out.String(), "no such fix") {
		t.Errorf("exit %d: %s", code, out)
	}
}
