package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestLastGoodIsTheConfigurationThatRan(t *testing.T) {
	data := t.TempDir()
	cfg, err := parseWith(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second replaces the first
		if err := KeepLastGood(data, cfg); err != nil {
			t.Fatal(err)
		}
	}
	got, err := LoadLastGood(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, cfg) {
		t.Errorf("got %+v, want %+v", got, cfg)
	}
	left, err := os.ReadDir(filepath.Join(data, "last-good"))
	if err != nil || len(left) != 1 {
		t.Errorf("got %v, %v; want one file and nothing temporary", left, err)
	}
}

func TestNoLastGoodIsNotExist(t *testing.T) {
	if _, err := LoadLastGood(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedLastGoodIsAnError(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "last-good"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "{", "{}", `{"gated":{"name":"gated.toml","text":"gate = 1"}}`} {
		write(t, lastGoodPath(data), []byte(damage))
		if cfg, err := LoadLastGood(data); err == nil || cfg != nil {
			t.Errorf("%q: got %v, %v", damage, cfg, err)
		}
	}
}

func TestFailedKeepLeavesThePreviousOne(t *testing.T) {
	data := t.TempDir()
	cfg, err := parseWith(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A directory in the file's place cannot be renamed over.
	if err := os.MkdirAll(filepath.Join(lastGoodPath(data), "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := KeepLastGood(data, cfg); err == nil {
		t.Error("got no error")
	}
	left, err := os.ReadDir(filepath.Join(data, "last-good"))
	if err != nil || len(left) != 1 {
		t.Errorf("got %v, %v; want nothing temporary", left, err)
	}
}

func TestDataDirSurvivesOtherFaults(t *testing.T) {
	good := readTestdata(t, "good-gated.toml")
	for rule, c := range map[string]struct {
		gated []byte
		want  string
	}{
		"of a sound file":               {good, "/srv/menshen"},
		"of a file with another fault":  {bytes.Replace(good, []byte(`"east"`), []byte("7"), 1), "/srv/menshen"},
		"default if relative":           {bytes.Replace(good, []byte("/srv"), []byte("srv"), 1), DefaultData},
		"default if the key is missing": {[]byte("gate = \"east\"\n"), DefaultData},
		"default if it is no TOML":      {[]byte("gate ="), DefaultData},
	} {
		t.Run(rule, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "gated.toml")
			write(t, name, c.gated)
			if got := DataDir(name); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if got := DataDir(filepath.Join(t.TempDir(), "none")); got != DefaultData {
		t.Errorf("without a file: got %s", got)
	}
}
