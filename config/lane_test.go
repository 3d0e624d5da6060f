package config

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// section is the good profile with one table of lane 1 replaced.
func section(t *testing.T, name, body string) []byte {
	t.Helper()
	before, rest, ok := bytes.Cut(readTestdata(t, "good-profile.toml"), []byte("["+name+"]\n"))
	_, after, more := bytes.Cut(rest, []byte("\n["))
	if !ok || !more {
		t.Fatalf("no table %s, or it is the last", name)
	}
	return []byte(string(before) + "[" + name + "]\n" + body + "\n[" + string(after))
}

func TestKeysOfEveryKindOfThermometer(t *testing.T) {
	std := Thermometer{Bus: "thermometer-1", Period: 150 * time.Millisecond, Ambient: [2]float64{0, 40}}
	for _, c := range []struct {
		rule, body string
		want       func(Thermometer) Thermometer
		fault      string
	}{
		{"an MLX90632 looks at skin unless told otherwise", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\n",
			func(t Thermometer) Thermometer { t.Kind, t.Address, t.Emissivity = "mlx90632", 0x3A, 0.98; return t }, ""},
		{"its other address, and a black body", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\naddress = 0x3B\nemissivity = 1\n",
			func(t Thermometer) Thermometer { t.Kind, t.Address, t.Emissivity = "mlx90632", 0x3B, 1; return t }, ""},
		{"no third address", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\naddress = 0x5A\n", nil,
			"lane.thermometer.address: 90 is out of range · set 58 to 59"},
		{"a mirror is no object", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\nemissivity = 0.1\n", nil,
			"lane.thermometer.emissivity: 0.1 is not in range · set 0.9 to 1"},
		{"zero is no emissivity", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\nemissivity = 0\n", nil,
			"lane.thermometer.emissivity: 0 is not in range · set 0.9 to 1"},
		{"an emissivity is a number", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\nemissivity = \"skin\"\n", nil,
			`lane.thermometer.emissivity: "skin" is not in range · set 0.9 to 1`},
		{"it has no check byte", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\npec = \"off\"\n", nil,
			"lane.thermometer.pec: unknown key"},
		{"an MLX90614 has one zone unless told otherwise", "kind = \"mlx90614\"\nbus = \"thermometer-1\"\n",
			func(t Thermometer) Thermometer { t.Kind, t.Address, t.PEC = "mlx90614", 0x5A, "strict"; return t }, ""},
		{"or two", "kind = \"mlx90614\"\nbus = \"thermometer-1\"\ndual = true\n",
			func(t Thermometer) Thermometer {
				t.Kind, t.Address, t.PEC, t.Dual = "mlx90614", 0x5A, "strict", true
				return t
			}, ""},
		{"an MLX90632 has one", "kind = \"mlx90632\"\nbus = \"thermometer-1\"\ndual = true\n", nil,
			"lane.thermometer.dual: unknown key"},
		{"a serial module is queried", "kind = \"cjmcu-90614\"\nport = \"scanner-3\"\n",
			func(t Thermometer) Thermometer {
				t.Kind, t.Bus, t.Port, t.Mode = "cjmcu-90614", "", "scanner-3", "query"
				return t
			}, ""},
		{"or sends by itself", "kind = \"gy-614v3\"\nport = \"scanner-3\"\nmode = \"stream\"\n",
			func(t Thermometer) Thermometer {
				t.Kind, t.Bus, t.Port, t.Mode = "gy-614v3", "", "scanner-3", "stream"
				return t
			}, ""},
		{"no thermometer types", "kind = \"gy-614v3\"\nport = \"keyboard\"\n", nil,
			`lane.thermometer.port: port "keyboard" is a keyboard`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			profile := string(section(t, "lane.thermometer", c.body))
			for _, name := range []string{"scanner-3", "keyboard"} {
				if path := map[string]string{"scanner-3": "/dev/spare", "keyboard": "hid:1:2"}[name]; strings.Contains(c.body, name) {
					profile += "\n[port." + name + "]\npath = \"" + path + "\"\n"
				}
			}
			cfg, err := parseWith(t, map[string][]byte{"profile.toml": []byte(profile)})
			if c.want == nil {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := *cfg.Board.Lanes[0].Thermometer; got != c.want(std) {
				t.Errorf("got %+v, want %+v", got, c.want(std))
			}
		})
	}
}

func TestKeysOfEveryKindOfScanner(t *testing.T) {
	std := Scanner{Kind: "line", Port: "scanner-1", Silence: 80 * time.Millisecond, Card: "text"}
	for _, c := range []struct {
		rule, body string
		want       func(Scanner) Scanner
		fault      string
	}{
		{"a scanner that scans by itself", `kind = "line"`, func(s Scanner) Scanner { return s }, ""},
		{"trigger bytes of a Honeywell", "kind = \"line\"\ntrigger = \"16 54 0D\"",
			func(s Scanner) Scanner { s.Trigger = []byte{0x16, 0x54, 0x0D}; return s }, ""},
		{"a reader of chip cards", "kind = \"line\"\ncard = \"wiegand-26\"", func(s Scanner) Scanner { s.Card = "wiegand-26"; return s }, ""},
		{"a card's number is no code of any bytes", "kind = \"line\"\ncard = \"hex\"\nbinary = true", nil, "lane.scanner.card: a code of any bytes is no card's number"},
		{"an engine reads no cards", "kind = \"gm65\"\ncard = \"hex\"", nil, "lane.scanner.card: unknown key"},
		{"binary codes end by silence", "kind = \"line\"\nbinary = true\nsilence = \"50ms\"",
			func(s Scanner) Scanner { s.Binary, s.Silence = true, 50*time.Millisecond; return s }, ""},
		{"an engine keeps its mode", `kind = "gm65"`, func(s Scanner) Scanner { s.Kind, s.Mode = "gm65", "as-set"; return s }, ""},
		{"or is set to one", "kind = \"gm67\"\nmode = \"sensor\"",
			func(s Scanner) Scanner { s.Kind, s.Mode = "gm67", "sensor"; return s }, ""},
		{"binary codes hide acknowledgements", "kind = \"gm65\"\nmode = \"command\"\nbinary = true", nil, "lane.scanner.binary: the engine's"},
		{"an engine has its own trigger", "kind = \"gm65\"\ntrigger = \"16\"", nil, "lane.scanner.trigger: unknown key"},
		{"a line has no mode", "kind = \"line\"\nmode = \"sensor\"", nil, "lane.scanner.mode: unknown key"},
		{"no such mode", "kind = \"gm67\"\nmode = \"always\"", nil, `lane.scanner.mode: "always" is not known`},
		{"half a byte", "kind = \"line\"\ntrigger = \"16 5\"", nil, `lane.scanner.trigger: "16 5" is not 1 to 16 bytes`},
		{"no byte", "kind = \"line\"\ntrigger = \"\"", nil, `lane.scanner.trigger: "" is not 1 to 16 bytes`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			cfg, err := parseWith(t, map[string][]byte{"profile.toml": section(t, "lane.scanner", c.body+"\nport = \"scanner-1\"\n")})
			if c.want == nil {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := *cfg.Board.Lanes[0].Scanner, c.want(std); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestAPortMayBeAKeyboardForALineScannerOnly(t *testing.T) {
	const hid = "/dev/serial/by-id/usb-scanner" // replaced in gated.toml
	for _, c := range []struct {
		rule, path, scanner string
		fault               string
	}{
		{"found by its numbers", "hid:1eab:8203", "", ""},
		{"found by its name", "hid:Newland Auto-ID", "", ""},
		{"a path of udev's", "/dev/input/by-path/usb-0:1.1-event-kbd", "", ""},
		{"found by nothing", "hid:", "", `ports.scanner-1: "hid:" is not an absolute path`},
		{"takes no trigger", "hid:1eab:8203", "trigger = \"16\"\n", "is a keyboard, which types text"},
		{"types no binary codes", "hid:1eab:8203", "binary = true\n", "is a keyboard, which types text"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			gated := bytes.Replace(readTestdata(t, "good-gated.toml"), []byte(hid), []byte(c.path), 1)
			profile := section(t, "lane.scanner", "kind = \"line\"\nport = \"scanner-1\"\n"+c.scanner)
			cfg, err := parseWith(t, map[string][]byte{"gated.toml": gated, "profile.toml": profile})
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := cfg.Board.Ports["scanner-1"]; p.Path != c.path || !p.Keyboard() {
				t.Errorf("got %+v", p)
			}
		})
	}
	t.Run("no relay types", func(t *testing.T) {
		profile := bytes.Replace(readTestdata(t, "good-profile.toml"), []byte("/dev/menshen-relay"), []byte("/dev/input/event3"), 1)
		_, err := parseWith(t, map[string][]byte{"profile.toml": profile})
		if err == nil || !strings.Contains(err.Error(), `relay.board.port: port "relay" is a keyboard`) {
			t.Errorf("got %v", err)
		}
	})
}
