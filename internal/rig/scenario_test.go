package rig_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/menshen/menshen/internal/rig"
)

const testdata = "../../testdata"

// TestScenarios plays every file of testdata/scenarios; each says in prose what
// must hold.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata, "scenarios", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, name, text, "")
		})
	}
}

// play plays a scenario in a bubble; an empty wrong wants it to hold, any other
// wants it to fail and say so.
func play(t *testing.T, name string, text []byte, wrong string) {
	t.Helper()
	s, err := rig.ParseScenario(name, text)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		err := s.Play(t.Context(), rig.PlayOptions{
			Dir: dir, Profiles: os.DirFS(filepath.Join(testdata, "profiles")), Settle: synctest.Wait,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%v\n%s", err, log.String())
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("got %v, want something about %q", err, wrong)
		}
	})
}
