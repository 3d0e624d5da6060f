package rig_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
)

// TestEveryProfileRunsAGate plays an admission and a stop at every lane of every
// profile that is shipped, by the parts that it names: a gate's own, and the board
// of an isolation room beside one.
func TestEveryProfileRunsAGate(t *testing.T) {
	files, err := fs.Glob(firmwareconfig.Profiles(), "*.toml")
	if err != nil || len(files) < 5 {
		t.Fatalf("profiles: %v, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".toml")
		t.Run(name, func(t *testing.T) {
			if name == "isolation-room" {
				play(t, name, []byte("Beside a gate.\n\n-- board --\n"+name+"\n-- script --\nscan 1 A\nsee 1 39\nwait 2s\nexpect entry arrival 1 A isolate\nexpect board on\nexpect board rings 1\n"), "")
				return
			}
			script := ""
			for _, l := range lanesOf(t, name) {
				script += admission(l)
			}
			play(t, name, []byte("At its own lanes.\n\n-- profile --\n"+name+"\n-- script --\n"+script), "")
		})
	}
}

// lanesOf are the lanes of a profile that is shipped.
func lanesOf(t *testing.T, name string) []config.Lane {
	t.Helper()
	gated := filepath.Join(t.TempDir(), "gated.toml")
	if err := os.WriteFile(gated, []byte("gate = \"east\"\nprofile = \""+name+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(gated, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Board.Lanes
}

// admission lets one in and stops another; who that is differs between lanes.
func admission(l config.Lane) string {
	who := []string{"", "A", "C"}[min(l.Number, 2)]
	other := []string{"", "B", "D"}[min(l.Number, 2)]
	comes, goes := "", ""
	if l.Presence != nil {
		comes, goes = "presence %[1]d on\n", "presence %[1]d off\n"
	}
	return fmt.Sprintf("wait 1s\n"+comes+"scan %[1]d %[2]s\nsee %[1]d 36.5\nwait 2s\nexpect entry arrival %[1]d %[2]s admit\nexpect on %[1]d\n"+goes+
		"empty %[1]d\nwait 2s\nexpect barrier %[1]d off\n"+comes+
		"scan %[1]d %[3]s\nsee %[1]d 39\nwait 2s\nexpect entry arrival %[1]d %[3]s isolate\nexpect no-on %[1]d\nexpect red %[1]d on\nexpect beacon on\n", l.Number, who, other)
}
