package firmwareconfig_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
)

// read returns a file of this directory.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The profile without a lane, and the gate that it follows.
const (
	board  = "isolation-room"
	follow = "[[follow]]\ngate = \"west\"\naddress = \"192.168.1.20:8631\"\nkey = \"ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q=\"\n"
)

// load loads a gate with a profile.
func load(t *testing.T, profile string, profiles fs.FS) *config.Config {
	t.Helper()
	name, text := filepath.Join(t.TempDir(), "gated.toml"), "gate = \"east\"\nprofile = \""+profile+"\"\n"
	if profile == board {
		text += follow
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name, profiles)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) > 0 {
		t.Error(cfg.Warnings)
	}
	return cfg
}

// eachProfile runs f with every shipped profile.
func eachProfile(t *testing.T, f func(*testing.T, config.Profile)) {
	t.Helper()
	files, err := fs.Glob(firmwareconfig.Profiles(), "*.toml")
	if err != nil || len(files) < 3 {
		t.Fatalf("got profiles %v, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".toml")
		t.Run(name, func(t *testing.T) {
			p := load(t, name, firmwareconfig.Profiles()).Board
			if p.Name != name {
				t.Errorf("file %s is named %q inside", file, p.Name)
			}
			f(t, p)
		})
	}
}

func TestEveryProfileIsFitToGuardALane(t *testing.T) {
	eachProfile(t, func(t *testing.T, p config.Profile) {
		if p.Describe == "" || p.Isolation.Beacon.Relay == "" {
			t.Error("no description or no isolation beacon")
		}
		for _, l := range p.Lanes {
			if l.Scanner == nil || l.Thermometer == nil || l.Barrier == nil || l.Lamps.Red.Relay == "" {
				t.Errorf("lane %d lacks a part", l.Number)
			}
		}
	})
}

// Lines 9 to 27 of a Raspberry Pi are pulled down until somebody drives them,
// lines 0 to 8 up: an active-high relay on one of these would click at boot.
func TestNoRelayMovesWhileAPiBoots(t *testing.T) {
	p := load(t, "raspberry-pi", firmwareconfig.Profiles()).Board
	for _, name := range p.Relays["header"].Pins {
		if pin := p.Pins[name]; pin.ActiveLow || pin.Line < 9 || pin.Line > 27 {
			t.Errorf("%s: line %d, active low %v", name, pin.Line, pin.ActiveLow)
		}
	}
}

func TestEveryModelOfPiIsServed(t *testing.T) {
	for name, pin := range load(t, "raspberry-pi", firmwareconfig.Profiles()).Board.Pins {
		if want := []string{"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"}; !slices.Equal(pin.Chips, want) {
			t.Errorf("%s: got %v, want %v", name, pin.Chips, want)
		}
	}
}

func TestTheInputsOfEveryHeaderAreReadyToUse(t *testing.T) {
	for _, name := range []string{"raspberry-pi", "orange-pi"} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(strings.ReplaceAll(read(t, "profiles/"+name+".toml"), "#~\n", "\n"), "#~ ", "")
			p := load(t, name, fstest.MapFS{name + ".toml": {Data: []byte(text)}}).Board
			l := p.Lanes[0]
			for what, in := range map[string]*config.Input{"button": l.Button, "next": l.Next, "open": l.Open, "counter": l.Counter, "fire": p.Fire} {
				if in == nil {
					t.Errorf("no %s", what)
				} else if pin := p.Pins[in.Pin]; !pin.ActiveLow || pin.Bias != config.BiasUp || pin.Debounce == 0 {
					t.Errorf("%s: a broken wire acts, or a contact bounces: %+v", what, pin)
				}
			}
		})
	}
}

func TestSecondLaneOfAllSerialIsReadyToUse(t *testing.T) {
	lines := strings.Split(read(t, "profiles/all-serial.toml"), "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "#~"); ok {
			lines[i] = strings.TrimPrefix(rest, " ")
		}
	}
	p := load(t, "two", fstest.MapFS{"two.toml": {Data: []byte(strings.Join(lines, "\n"))}}).Board
	if len(p.Lanes) != 2 || p.Lanes[1].Number != 2 {
		t.Errorf("got %+v", p.Lanes)
	}
}

// TestTheBoardOfAnIsolationRoomHasNoLane: its button, too, is ready to use.
func TestTheBoardOfAnIsolationRoomHasNoLane(t *testing.T) {
	for rule, c := range map[string]struct {
		cut    string
		button bool
	}{"as it is shipped": {"", false}, "on a board with pins": {"#~ ", true}} {
		t.Run(rule, func(t *testing.T) {
			text := read(t, "profiles/"+board+".toml")
			if c.cut != "" {
				text = strings.ReplaceAll(strings.ReplaceAll(text, "#~\n", "\n"), c.cut, "")
			}
			p := load(t, board, fstest.MapFS{board + ".toml": {Data: []byte(text)}}).Board
			if len(p.Lanes) != 0 || p.Isolation.Beacon.Relay == "" || p.Isolation.Buzzer.Relay == "" || (p.Isolation.Button != nil) != c.button {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestTheExampleOfABoardIsReadyToUse(t *testing.T) {
	text := read(t, "gated.toml")
	for _, table := range []string{"[visitors]", "[isolation]", "[ports]"} {
		text = strings.Replace(text, "\n"+table+"\n", "\n", 1)
	}
	text = strings.ReplaceAll(strings.Replace(text, `"all-serial"`, `"`+board+`"`, 1), "#~ ", "")
	name := filepath.Join(t.TempDir(), "gated.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Follow) != 1 || cfg.Follow[0].Gate != "east" || cfg.Follow[0].Phone != "6123" {
		t.Errorf("got %+v", cfg.Follow)
	}
}

func TestTheSoundOfEveryProfileIsReadyToUse(t *testing.T) {
	eachProfile(t, func(t *testing.T, p config.Profile) {
		if p.Name == board {
			return // its buzzer is all that is heard
		}
		if p.Sound != nil {
			t.Error("a profile as shipped misses a loudspeaker that nobody has fitted")
		}
		text := strings.Replace(read(t, "profiles/"+p.Name+".toml"), "\n#[sound]\n#", "\n[sound]\n", 1)
		own := fstest.MapFS{p.Name + ".toml": {Data: []byte(text)}}
		if got := load(t, p.Name, own).Board.Sound; got == nil || *got != (config.Sound{Device: "default"}) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestExampleConfigurationLoads(t *testing.T) {
	cfg, err := config.Load("gated.toml", firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Gate != "east" || cfg.Board.Name != "all-serial" {
		t.Errorf("got %+v", cfg)
	}
}

// Every line that is commented out must be right, and must be the default as
// the example says, when it is taken in.
func TestExampleConfigurationShowsTheDefaults(t *testing.T) {
	want, err := config.Load("gated.toml", firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	taken := regexp.MustCompile(`(?m)^# ([a-z0-9-]+ = )`).ReplaceAllString(read(t, "gated.toml"), "$1")
	name := filepath.Join(t.TempDir(), "gated.toml")
	if err := os.WriteFile(name, []byte(taken), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(name, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	if got.Data != want.Data || got.Socket != want.Socket || got.Language != want.Language || got.Web != want.Web {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Board.Ports["scanner-1"] == want.Board.Ports["scanner-1"] {
		t.Error("the example of [ports] replaces nothing")
	}
}

func TestTheExampleOfACollectorIsReadyToUse(t *testing.T) {
	taken := regexp.MustCompile(`(?m)^#(\[|[a-z_]+ = )`).ReplaceAllString(read(t, "gated.toml"), "$1")
	name := filepath.Join(t.TempDir(), "gated.toml")
	if err := os.WriteFile(name, []byte(taken), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Collectors) != 1 || cfg.Collectors[0].Name != "district" || cfg.Collectors[0].CertKey == "" {
		t.Errorf("got %+v", cfg.Collectors)
	}
}

func TestEveryNamedPortHasARule(t *testing.T) {
	rules := read(t, "udev/60-menshen.rules")
	eachProfile(t, func(t *testing.T, p config.Profile) {
		for name, port := range p.Ports {
			if link, ok := strings.CutPrefix(port.Path, "/dev/menshen-"); ok && !strings.Contains(rules, `SYMLINK+="menshen-`+link+`"`) {
				t.Errorf("port %s: no rule makes %s", name, port.Path)
			}
		}
	})
}

func TestRulesAreWellFormed(t *testing.T) {
	term := `[A-Z_]+(\{[A-Za-z_]+\})?(==|\+?=)"[^"]*"`
	rule := regexp.MustCompile(`^#?` + term + `(, ` + term + `)+$`)
	for line := range strings.Lines(read(t, "udev/60-menshen.rules")) {
		line = strings.TrimSuffix(line, "\n")
		if prose := line == "" || line == "#" || strings.HasPrefix(line, "# "); !prose && !strings.HasPrefix(line, "#   ") && !rule.MatchString(line) {
			t.Errorf("not a rule: %s", line)
		}
	}
}

// unit reads a unit into section.Key → values.
func unit(text string) (map[string][]string, error) {
	keys := map[string][]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch key, value, ok := strings.Cut(line, "="); {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case ok:
			keys[section+"."+key] = append(keys[section+"."+key], value)
		default:
			return nil, errors.New("not a unit: " + line)
		}
	}
	return keys, nil
}

func TestUnitKeepsTheGateAlive(t *testing.T) {
	keys, err := unit(read(t, "systemd/gated.service"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"Service.Type":                     "notify",
		"Service.WatchdogSec":              "20s",
		"Service.Restart":                  "always",
		"Service.RestartPreventExitStatus": "78",
		"Service.ExecStopPost":             "/usr/bin/gatectl rest",
		"Service.StateDirectory":           filepath.Base(config.DefaultData),
		"Service.PrivateDevices":           "no",
		"Service.DevicePolicy":             "closed",
		"Service.NoNewPrivileges":          "yes",
		"Service.CapabilityBoundingSet":    "",
		"Service.ProtectSystem":            "strict",
		"Unit.StartLimitIntervalSec":       "0",
	} {
		if got := keys[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}

func TestUnitWaitsForNoNetworkAndNoClock(t *testing.T) {
	keys, err := unit(read(t, "systemd/gated.service"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"After", "Wants", "Requires", "BindsTo", "Requisite"} {
		for _, value := range keys["Unit."+key] {
			if strings.Contains(value, "network") || strings.Contains(value, "time-sync") {
				t.Errorf("%s=%s", key, value)
			}
		}
	}
}
