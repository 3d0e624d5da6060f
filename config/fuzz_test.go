package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Whatever the two files hold, the answer is a configuration within its bounds
// or faults of one line each with a place and a remedy.
func FuzzParse(f *testing.F) {
	gated, profile := readTestdata(f, "good-gated.toml"), readTestdata(f, "good-profile.toml")
	f.Add(gated, profile)
	files, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		seed := map[string][]byte{"gated.toml": gated, "profile.toml": profile}
		for _, part := range txtar.Parse(b).Files {
			seed[part.Name] = part.Data
		}
		f.Add(seed["gated.toml"], seed["profile.toml"])
	}
	f.Fuzz(func(t *testing.T, gated, profile []byte) {
		cfg, err := Parse(File{"gated.toml", gated}, func(string) (File, error) { return File{"profile.toml", profile}, nil })
		if err == nil {
			checkBounds(t, cfg)
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 || cfg != nil {
			t.Fatalf("got %v, %v", cfg, err)
		}
		for _, fault := range faults {
			if fault.File == "" || fault.Line < 1 || fault.Problem == "" || fault.Remedy == "" || strings.ContainsAny(fault.String(), "\n\r") {
				t.Errorf("not a fault to read: %q", fault.String())
			}
		}
	})
}

// checkBounds states what the rest of a gate relies on.
func checkBounds(t *testing.T, cfg *Config) {
	t.Helper()
	if !names.MatchString(cfg.Gate) || !filepath.IsAbs(cfg.Data) || len(cfg.Board.Lanes) == 0 {
		t.Errorf("accepted %+v", cfg)
	}
	if len(cfg.Collectors) > maxCollectors {
		t.Errorf("accepted %d collectors", len(cfg.Collectors))
	}
	for _, c := range cfg.Collectors {
		if !names.MatchString(c.Name) || !publicKey.MatchString(c.Key) || !filepath.IsAbs(c.PasswordFile) || !strings.HasPrefix(c.URL, "mqtt") {
			t.Errorf("accepted collector %+v", c)
		}
	}
	for _, l := range cfg.Board.Lanes {
		if l.Number < 1 || l.Number > 16 || l.Scanner == nil && l.Thermometer == nil {
			t.Errorf("accepted lane %+v", l)
		}
		if l.Scanner != nil && cfg.Board.Ports[l.Scanner.Port].Path == "" {
			t.Errorf("accepted scanner %+v", l.Scanner)
		}
		if b := l.Barrier; b != nil && (b.Number < 1 || b.Number > cfg.Board.Relays[b.Relay].Channels || b.Pulse <= 0) {
			t.Errorf("accepted barrier %+v", b)
		}
	}
}
