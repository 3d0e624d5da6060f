package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected faults in testdata/bad")

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parseWith parses the good configuration with some of its files replaced.
func parseWith(t testing.TB, replaced map[string][]byte) (*Config, error) {
	t.Helper()
	get := func(name string) []byte {
		if b, ok := replaced[name]; ok {
			return b
		}
		return readTestdata(t, "good-"+name)
	}
	return Parse(File{"gated.toml", get("gated.toml")}, func(profile string) (File, error) {
		if profile != "bench" {
			return File{}, fs.ErrNotExist
		}
		return File{"profile.toml", get("profile.toml")}, nil
	})
}

// Each file of testdata/bad holds one fault, or how several are told apart,
// and what a person is to read about it.
func TestEveryFaultNamesLineKeyAndRemedy(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			replaced := map[string][]byte{}
			for _, f := range archive.Files {
				replaced[f.Name] = f.Data
			}
			cfg, err := parseWith(t, replaced)
			var faults Faults
			if !errors.As(err, &faults) || cfg != nil {
				t.Fatalf("got %v, %v; want no configuration and faults", cfg, err)
			}
			got := []byte(faults.Error() + "\n")
			if *update {
				rewrite(t, file, archive, got)
				return
			}
			if want := replaced["faults"]; !bytes.Equal(got, want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// rewrite puts the faults of this run into a file of testdata/bad.
func rewrite(t *testing.T, file string, archive *txtar.Archive, faults []byte) {
	t.Helper()
	kept := archive.Files[:0]
	for _, f := range archive.Files {
		if f.Name != "faults" {
			kept = append(kept, f)
		}
	}
	archive.Files = append(kept, txtar.File{Name: "faults", Data: faults})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

const collectorKey = "ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="

func TestEveryKeyArrivesInItsField(t *testing.T) {
	cfg, err := parseWith(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ got, want any }{
		"gate": {[]string{cfg.Gate, cfg.School, cfg.Data, cfg.Socket, cfg.Language},
			[]string{"east", "实验小学", "/srv/menshen", "/run/menshen/gated.sock", "en"}},
		"web":      {cfg.Web, Web{Listen: "[::1]:8631", ScreenMM: 152}},
		"phones":   {cfg.Isolation, Phones{Phone: "6123", LeaderPhone: "+86 138-0013-8000"}},
		"visitors": {cfg.VisitorsAfter, 8*time.Hour + 30*time.Minute},
		"collector": {cfg.Collectors[0], Collector{Name: "district", URL: "mqtts://broker.example:8884", Key: collectorKey,
			PasswordFile: "/etc/menshen/district.password", CA: "/etc/menshen/ca.pem", Cert: "/etc/menshen/east.pem", CertKey: "/etc/menshen/east.key"}},
		"second collector": {cfg.Collectors[1], Collector{Name: "school", URL: "mqtt://10.0.0.2", Key: collectorKey,
			PasswordFile: "/etc/menshen/school.password", Insecure: true}},
		"name":            {cfg.Board.Name + ": " + cfg.Board.Describe, "bench: every part once"},
		"replaced port":   {cfg.Board.Ports["scanner-1"], Port{Path: "/dev/serial/by-id/usb-scanner", Baud: 9600}},
		"port":            {cfg.Board.Ports["relay"], Port{Path: "/dev/menshen-relay", Baud: 115200}},
		"bus":             {cfg.Board.Buses["thermometer-1"], Bus{Adapter: "bcm2835 (i2c@7e804000)"}},
		"output":          {cfg.Board.Pins["green-2"], Pin{Chips: []string{"pinctrl-bcm2711"}, Line: 17, ActiveLow: true, Bias: "none"}},
		"input":           {cfg.Board.Pins["presence-1"], Pin{Chips: []string{"pinctrl-bcm2711", "pinctrl-rp1"}, Name: "GPIO27", Bias: "up", Debounce: 10 * time.Millisecond}},
		"serial relays":   {cfg.Board.Relays["board"], Relay{Kind: "lcus", Port: "relay", Channels: 8}},
		"pin relays":      {cfg.Board.Relays["lines"], Relay{Kind: "pins", Channels: 1, Pins: []string{"green-2"}}},
		"scanner":         {*cfg.Board.Lanes[0].Scanner, Scanner{Kind: "line", Port: "scanner-1", Silence: 100 * time.Millisecond, Card: "text"}},
		"I2C thermometer": {*cfg.Board.Lanes[0].Thermometer, Thermometer{Kind: "mlx90614", Bus: "thermometer-1", Address: 0x5B, PEC: "log", Period: 200 * time.Millisecond, Ambient: [2]float64{10, 35.5}}},
		"serial thermometer": {*cfg.Board.Lanes[1].Thermometer,
			Thermometer{Kind: "gy-mcu90614", Port: "thermometer-2", Mode: "query", Period: 150 * time.Millisecond, Ambient: [2]float64{0, 40}}},
		"barrier":    {*cfg.Board.Lanes[0].Barrier, Barrier{Channel: Channel{"board", 1}, Pulse: 500 * time.Millisecond}},
		"lamps":      {cfg.Board.Lanes[0].Lamps, Lamps{Green: Channel{"board", 2}, Red: Channel{"board", 3}, Buzzer: Channel{"board", 4}}},
		"inputs":     {*cfg.Board.Lanes[0].Presence, Input{"presence-1"}},
		"button":     {*cfg.Board.Lanes[0].Button, Input{"ack-1"}},
		"directions": {cfg.Board.Lanes[0].Direction + cfg.Board.Lanes[1].Direction, "inout"},
		"places":     {cfg.Board.Lanes[0].Place + cfg.Board.Lanes[1].Place, "gatedormitory"},
		"not fitted": {cfg.Board.Lanes[1].Barrier, (*Barrier)(nil)},
		"isolation":  {cfg.Board.Isolation, Isolation{Beacon: Channel{"board", 5}, Buzzer: Channel{"board", 6}}},
		"sound":      {*cfg.Board.Sound, Sound{Device: "plughw:1,0"}},
		"warnings":   {len(cfg.Warnings), 0},
	} {
		if fmt.Sprintf("%+v", c.got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s: got %+v, want %+v", what, c.got, c.want)
		}
	}
}

func TestSoundIsLeftOutOrHasADevice(t *testing.T) {
	profile, _, _ := bytes.Cut(readTestdata(t, "good-profile.toml"), []byte("[sound]"))
	for rule, c := range map[string]struct {
		table string
		want  *Sound
	}{
		"no table is no sound":                  {"", nil},
		"a table without a key has the default": {"[sound]\n", &Sound{Device: "default"}},
	} {
		t.Run(rule, func(t *testing.T) {
			cfg, err := parseWith(t, map[string][]byte{"profile.toml": append(bytes.Clone(profile), c.table...)})
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Board.Sound; (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestUnusedPartIsAWarning(t *testing.T) {
	extra := append(readTestdata(t, "good-profile.toml"), "\n[port.spare]\npath = \"/dev/spare\"\n"...)
	cfg, err := parseWith(t, map[string][]byte{"profile.toml": extra})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("profile.toml:%d: port.spare: nothing uses this port · remove it, or name it where it belongs", bytes.Count(extra, []byte("\n"))-1)
	if got := cfg.Warnings.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInsecureAdmitsOtherMachines(t *testing.T) {
	gated := bytes.Replace(readTestdata(t, "good-gated.toml"), []byte(`"[::1]:8631"`), []byte("\"0.0.0.0:8630\"\ninsecure = true"), 1)
	cfg, err := parseWith(t, map[string][]byte{"gated.toml": gated})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Web.Listen != "0.0.0.0:8630" {
		t.Errorf("got %q", cfg.Web.Listen)
	}
}

func TestTooLongAFileIsNotParsed(t *testing.T) {
	_, err := parseWith(t, map[string][]byte{"gated.toml": bytes.Repeat([]byte("#\n"), maxSource)})
	if want := "gated.toml:1: 131072 bytes are too long · keep it under 65536 bytes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Without a bound these need hundreds of megabytes; TOML itself allows them.
func TestHostileKeysCostLittle(t *testing.T) {
	for rule, gated := range map[string]string{
		"deep keys":        strings.Repeat("a.", maxSource/2-4) + "a=1",
		"long table names": "[ports]\n[" + strings.Repeat("a", maxSource/2) + "]\n" + strings.Repeat("b.", 4000) + "b=1\n",
		"many faults":      "[web]\n" + numbered(1500),
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := parseWith(t, map[string][]byte{"gated.toml": []byte(gated)})
			if err == nil || len(err.Error()) > 20*maxSource {
				t.Errorf("got an error of %d bytes", len(fmt.Sprint(err)))
			}
		})
	}
}

// numbered writes n different keys.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d=1\n", i)
	}
	return b.String()
}

func TestProfileIsBuiltInOrAFileBesideTheConfiguration(t *testing.T) {
	builtIn := fstest.MapFS{"bench.toml": {Data: readTestdata(t, "good-profile.toml")}}
	for rule, c := range map[string]struct{ profile, want string }{
		"a bare name is built in":         {"bench", ""},
		"a relative path is beside it":    {"own.toml", ""},
		"an absolute path is itself":      {"ABS/own.toml", ""},
		"an unknown name lists the known": {"wood", `there are bench`},
		"a name is no way out":            {"../bench", `there are bench`},
		"a missing file is named":         {"gone.toml", `gone.toml: no such file`},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			profile := strings.Replace(c.profile, "ABS", dir, 1)
			gated := bytes.Replace(readTestdata(t, "good-gated.toml"), []byte(`"bench"`), []byte(`"`+profile+`"`), 1)
			write(t, filepath.Join(dir, "gated.toml"), gated)
			write(t, filepath.Join(dir, "own.toml"), readTestdata(t, "good-profile.toml"))
			cfg, err := Load(filepath.Join(dir, "gated.toml"), builtIn)
			switch {
			case c.want == "" && (err != nil || cfg.Board.Name != "bench"):
				t.Errorf("got %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestUnreadableConfigurationIsNoFault(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "gated.toml"), fstest.MapFS{})
	var faults Faults
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &faults) {
		t.Errorf("got %v, want not exist", err)
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
