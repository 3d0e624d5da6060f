package config_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
)

// newGate writes a gated.toml with a built-in profile.
func newGate(t testing.TB, profile string) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "gated.toml")
	text := "# of this gate\ngate = \"east\"\nprofile = \"" + profile + "\"   # of the shop\n\n[ports]\n# scanner-1 = \"/dev/x\"\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func loaded(t testing.TB, name string) *config.Config {
	t.Helper()
	cfg, err := config.Load(name, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func write(t testing.TB, name string, lines ...string) {
	t.Helper()
	if err := config.Write(name, firmwareconfig.Profiles(), lines); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAPortIsWrittenWithoutTouchingAnythingElse(t *testing.T) {
	name := newGate(t, "all-serial")
	old := read(t, name)
	line := `scanner-1 = "/dev/serial/by-id/usb-1"`
	write(t, name, "[ports]    # gated.toml", line)
	if got := loaded(t, name).Board.Ports["scanner-1"].Path; got != "/dev/serial/by-id/usb-1" {
		t.Errorf("got %q", got)
	}
	if got := strings.Replace(read(t, name), line+"\n", "", 1); got != old {
		t.Errorf("got %q", got)
	}
	write(t, name, "[ports]", `scanner-1 = "hid:1eab:8203"`)
	if got := read(t, name); strings.Count(got, "\nscanner-1") != 1 || !loaded(t, name).Board.Ports["scanner-1"].Keyboard() {
		t.Errorf("got %q", got)
	}
}

// What was set for the place, such as the ambient range, stays with another
// device; what belongs to the device goes.
func TestAnotherThermometerIsWrittenIntoAProfileOfItsOwn(t *testing.T) {
	name := newGate(t, "raspberry-pi")
	lines := []string{"[port.thermometer-1]", `path = "/dev/ttyUSB0"`, "baud = 9600",
		"[lane.thermometer]", `kind = "gy-mcu90614"`, `port = "thermometer-1"`, `mode = "stream"`}
	if config.Holds(name, firmwareconfig.Profiles(), lines) {
		t.Error("it is there before it is written")
	}
	write(t, name, lines...)
	cfg := loaded(t, name)
	th := cfg.Board.Lanes[0].Thermometer
	if th.Kind != config.ThermometerGYMCU90614 || th.Mode != config.ModeStream || th.Bus != "" || th.Ambient != [2]float64{0, 40} {
		t.Errorf("got %+v", th)
	}
	if cfg.Board.Lanes[0].Scanner.Kind != config.ScannerGM65 || !strings.Contains(read(t, name), `profile = "board.toml"`) {
		t.Errorf("got %s", read(t, name))
	}
	board := read(t, filepath.Join(filepath.Dir(name), "board.toml"))
	if !strings.Contains(board, "# EVERY PIN IS 3.3 V AND TAKES 3.3 V.") {
		t.Error("the profile lost its warning")
	}
	if !config.Holds(name, firmwareconfig.Profiles(), lines) {
		t.Error("it is not there after it was written")
	}
}

func TestAPartThatTheProfileLacksIsAddedToItsFirstLane(t *testing.T) {
	name := newGate(t, "own.toml")
	own := filepath.Join(filepath.Dir(name), "own.toml")
	text := "name = \"own\"\n[port.scanner-1]\npath = \"/dev/ttyACM0\"\n[[lane]]\nnumber = 1\ndirection = \"out\"\n[lane.scanner]\nkind = \"line\"\nport = \"scanner-1\"\n[[lane]]\nnumber = 2\ndirection = \"out\"\n[lane.thermometer]\nkind = \"mlx90614\"\nbus = \"b\"\n[bus.b]\npath = \"/dev/i2c-7\"\n"
	if err := os.WriteFile(own, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, name, "[bus.a]", `path = "/dev/i2c-1"`, "[lane.thermometer]", `kind = "mlx90614"`, `bus = "a"`, "[sound]", `device = "plughw:CARD=X"`)
	b := loaded(t, name).Board
	if b.Sound == nil || b.Sound.Device != "plughw:CARD=X" || b.Lanes[0].Thermometer == nil || b.Lanes[0].Thermometer.Bus != "a" || b.Lanes[1].Thermometer.Bus != "b" {
		t.Errorf("got %s", read(t, own))
	}
}

func TestNothingIsWrittenThatWouldNotLoad(t *testing.T) {
	name := newGate(t, "all-serial")
	old := read(t, name)
	for rule, lines := range map[string][]string{
		"a port that nobody has": {"[ports]", `NAME = "/dev/ttyUSB0"`},
		"a path that is none":    {"[ports]", `scanner-1 = "ttyUSB0"`},
		"one device twice":       {"[ports]", `scanner-1 = "/dev/menshen-relay"`},
		"a pin with no line":     {"[pin.NAME]", `chip = "x"`},
	} {
		t.Run(rule, func(t *testing.T) {
			var faults config.Faults
			if err := config.Write(name, firmwareconfig.Profiles(), lines); !errors.As(err, &faults) {
				t.Errorf("got %v", err)
			}
			left, err := os.ReadDir(filepath.Dir(name))
			if err != nil || len(left) != 1 || read(t, name) != old {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func TestWhatStoodThereBeforeComesBack(t *testing.T) {
	name := newGate(t, "raspberry-pi")
	old := read(t, name)
	write(t, name, "[bus.thermometer-1]", `adapter = "bcm2835"`)
	if loaded(t, name).Board.Buses["thermometer-1"] != (config.Bus{Adapter: "bcm2835"}) {
		t.Errorf("got %+v", loaded(t, name).Board.Buses)
	}
	if err := config.Restore(name); err != nil || read(t, name) != old {
		t.Errorf("%v: %s", err, read(t, name))
	}
	if err := config.Restore(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("restored twice: %v", err)
	}
}

// FuzzWrite: what is written loads, says the same when it is written again, and
// whatever does not load is not written.
func FuzzWrite(f *testing.F) {
	f.Add("[ports]\nscanner-1 = \"/dev/x\"")
	f.Add("[lane.thermometer]\nkind = \"mlx90614\"\nbus = \"thermometer-1\"")
	f.Add("[[lane]]\nnumber = 3\n[lane.scanner]\n#\n[")
	f.Add("profile = \"x.toml\"\n[sound]\ndevice = \"a # b\"")
	f.Fuzz(func(t *testing.T, fragment string) {
		name := newGate(t, "raspberry-pi")
		old := read(t, name)
		lines := strings.Split(fragment, "\n")
		if config.Write(name, firmwareconfig.Profiles(), lines) != nil {
			if read(t, name) != old {
				t.Fatalf("%q is refused, and written", fragment)
			}
			return
		}
		loaded(t, name)
		once := [][]byte{[]byte(read(t, name))}
		if err := config.Write(name, firmwareconfig.Profiles(), lines); err != nil {
			t.Fatalf("%q is written once only: %v", fragment, err)
		}
		if again := []byte(read(t, name)); !slices.ContainsFunc(once, func(b []byte) bool { return bytes.Equal(b, again) }) {
			t.Fatalf("%q: %q, then %q", fragment, once[0], again)
		}
	})
}
