// Package config reads gated.toml and the board profile that it names into
// one value that a gate can be built from, districtd.toml into one that a
// collector can, or either into the list of everything that is wrong with it.
//
// It knows the keys, their ranges and their defaults, and which of the names
// in a profile refer to each other. It does not know whether the hardware is
// there, opens no device and holds no policy: who may pass stands in a signed
// policy, never here.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Config is a gate's configuration without a fault.
type Config struct {
	// Gate is the gate's name, [a-z0-9-]{1,32}: user name, client id and topic.
	Gate string
	// School is the name that pages show; it may be empty.
	School string
	// Data is the absolute directory of the journal, the roster and the key.
	Data string
	// Socket is the absolute path of the unix socket that gatectl asks.
	Socket string
	// Language is LanguageChinese or LanguageEnglish.
	Language string
	// Web says where pages are served.
	Web Web
	// VisitorsAfter is the time of day, since midnight, before which no visitor is
	// given a card: 0 where there is none.
	VisitorsAfter time.Duration
	// Isolation says whom to call where nobody answers in the isolation room.
	Isolation Phones
	// Collectors receive the journal; at most 4, and none is no fault.
	Collectors []Collector
	// Board is the profile, with the paths of [ports] already put in.
	Board Profile
	// Source is gated.toml as it was read.
	Source []byte
	// Warnings are oddities that keep no gate from running, such as a port that
	// nothing uses.
	Warnings Faults

	// board is the profile as it was read, kept for KeepLastGood.
	board File
	// name is what faults call gated.toml.
	name string
}

// Languages of the pages.
const (
	LanguageChinese = "zh"
	LanguageEnglish = "en"
)

// Web says where pages are served.
type Web struct {
	// Listen is host:port. Port 0 lets the system choose.
	Listen string
	// Insecure admits an address that other machines can reach without TLS.
	Insecure bool
	// ScreenMM is the visible width of the gate's screen as it stands, in
	// millimetres, 70 to 3000; 0 where nobody has measured it.
	ScreenMM int
}

// Phones are numbers that the gate's screen asks to call; either may be empty.
type Phones struct {
	// Phone is the isolation room's, LeaderPhone that of who is called next.
	Phone, LeaderPhone string
}

// Profile is what is wired to one board: buses, ports and lines by name, and
// which lane uses them for what.
type Profile struct {
	// Name is the profile's own name, [a-z0-9-]{1,32}.
	Name string
	// Describe says in a sentence what the board is.
	Describe string
	// Ports are serial ports, Buses I2C adapters, Pins GPIO lines, Relays
	// groups of switched channels; each by the name used in the lanes.
	Ports  map[string]Port
	Buses  map[string]Bus
	Pins   map[string]Pin
	Relays map[string]Relay
	// Lanes has at least one lane, in the order of the file.
	Lanes []Lane
	// Isolation is the alarm where a stopped person waits.
	Isolation Isolation
	// Sound is nil where nothing is to be heard.
	Sound *Sound
}

// Port is one serial port, always 8N1 without flow control.
type Port struct {
	// Path is absolute, e.g. /dev/menshen-scanner-1.
	Path string
	// Baud is a standard rate, 1200 to 921600.
	Baud int
}

// Bus is one I2C adapter: exactly one of the two is set.
type Bus struct {
	// Path is a device node or a link to one, e.g. /dev/i2c-1.
	Path string
	// Adapter is a name as in /sys/class/i2c-dev/*/name; numbers move between
	// boots, names do not.
	Adapter string
}

// Pin is one GPIO line.
type Pin struct {
	// Chips are the labels of which one must be there; several let one profile
	// serve several boards.
	Chips []string
	// Line is the offset on the chip, 0 to 1023; used only if Name is empty.
	Line int
	// Name is the line's name on the chip, e.g. GPIO17.
	Name string
	// ActiveLow means that on is 0 V.
	ActiveLow bool
	// Bias is BiasNone, BiasUp or BiasDown; it matters to inputs.
	Bias string
	// Debounce is 0 to 1 s; it matters to inputs.
	Debounce time.Duration
}

// Resistors inside the chip that an input may ask for.
const (
	BiasNone = "none"
	BiasUp   = "up"
	BiasDown = "down"
)

// Relay is a group of switched channels that one goroutine owns.
type Relay struct {
	// Kind is RelayLCUS or RelayPins.
	Kind string
	// Port is the serial port of an LCUS board.
	Port string
	// Channels is how many channels there are: 1 to 8 on an LCUS board, as many
	// as there are pins otherwise. Channels count from 1.
	Channels int
	// Pins are the lines of RelayPins; channel n is Pins[n-1].
	Pins []string
}

// Kinds of relay group.
const (
	RelayLCUS = "lcus"
	RelayPins = "pins"
)

// Lane is one queue. Parts that are not fitted are nil or zero; a scanner or a
// thermometer is always there.
type Lane struct {
	// Number is 1 to 16, unique at the gate.
	Number int
	// Direction is DirectionIn or DirectionOut.
	Direction   string
	Scanner     *Scanner
	Thermometer *Thermometer
	// Barrier is nil on a DirectionOut lane: exits never bar.
	Barrier *Barrier
	Lamps   Lamps
	// Presence is active while somebody stands in the lane.
	Presence *Input
	// Button acknowledges what the lane asks.
	Button *Input
}

// Directions of a lane: arrivals and departures.
const (
	DirectionIn  = "in"
	DirectionOut = "out"
)

// Scanner reads badges and codes from a serial port.
type Scanner struct {
	// Kind is ScannerLine or ScannerGM65.
	Kind string
	Port string
	// Silence ends a code that has no CR or LF, 20 to 500 ms.
	Silence time.Duration
}

// Kinds of scanner.
const (
	ScannerLine = "line"
	ScannerGM65 = "gm65"
)

// Thermometer is one infrared instrument. Bus, Address and PEC belong to the
// MLX90614 on I2C, Port and Mode to the serial GY-MCU90614.
type Thermometer struct {
	// Kind is ThermometerMLX90614 or ThermometerGYMCU90614.
	Kind string
	Bus  string
	// Address is 0x08 to 0x77.
	Address uint16
	// PEC is PECStrict, PECLog or PECOff.
	PEC  string
	Port string
	// Mode is ModeQuery or ModeStream.
	Mode string
	// Period is the spacing of samples, which is the part's refresh period:
	// 50 ms to 1 s.
	Period time.Duration
	// Ambient is the range, in degrees Celsius, in which the instrument is
	// trusted; the first is below the second.
	Ambient [2]float64
}

// Kinds of thermometer, treatments of a wrong check byte, and ways to ask.
const (
	ThermometerMLX90614   = "mlx90614"
	ThermometerGYMCU90614 = "gy-mcu90614"

	PECStrict = "strict"
	PECLog    = "log"
	PECOff    = "off"

	ModeQuery  = "query"
	ModeStream = "stream"
)

// Channel is one switched channel. The zero Relay means: not fitted.
type Channel struct {
	Relay string
	// Number counts from 1.
	Number int
}

// Barrier is the channel whose pulse lets one person pass.
type Barrier struct {
	Channel
	// Pulse is 50 ms to 3 s.
	Pulse time.Duration
}

// Lamps are a lane's signals.
type Lamps struct {
	Green, Red, Buzzer Channel
}

// Input is one input line.
type Input struct {
	Pin string
}

// Isolation is the alarm where a stopped person waits.
type Isolation struct {
	Beacon, Buzzer Channel
	// Button acknowledges the alarm.
	Button *Input
}

// Sound is the loudspeaker of a gate.
type Sound struct {
	// Device is a name of ALSA's, as 'aplay -L' lists them.
	Device string
}

// File is one source with the name by which faults call it.
type File struct {
	Name   string
	Source []byte
}

// maxSource bounds a file before it is parsed; the largest shipped profile has
// a tenth of it.
const maxSource = 64 << 10

// Load reads gated.toml at name and the profile that it names: one of
// profiles, which holds NAME.toml at its root, or a file beside gated.toml.
// The error is Faults if the files can be read and their content is wrong.
func Load(name string, profiles fs.FS) (*Config, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(File{Name: filepath.Base(name), Source: src}, func(profile string) (File, error) {
		return openProfile(filepath.Dir(name), profile, profiles)
	})
}

// openProfile finds a profile by the value of the key profile.
func openProfile(dir, profile string, profiles fs.FS) (File, error) {
	if !strings.HasSuffix(profile, ".toml") {
		src, err := fs.ReadFile(profiles, profile+".toml")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			err = fmt.Errorf("no built-in profile has this name; there are %s", builtIn(profiles))
		}
		return File{Name: profile + ".toml", Source: src}, err
	}
	if !filepath.IsAbs(profile) {
		profile = filepath.Join(dir, profile)
	}
	src, err := os.ReadFile(profile)
	return File{Name: filepath.Base(profile), Source: src}, err
}

// builtIn lists the names of the built-in profiles.
func builtIn(profiles fs.FS) string {
	files, err := fs.Glob(profiles, "*.toml")
	if err != nil || len(files) == 0 {
		return "none"
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".toml")
	}
	return strings.Join(files, ", ")
}

// Parse reads gated.toml from f and its profile through open, which is given
// the value of the key profile. The error is Faults, sorted by file and line.
func Parse(f File, open func(profile string) (File, error)) (*Config, error) {
	cfg := &Config{Source: f.Source, name: f.Name}
	gated := parseDocument(f)
	if !gated.parsed {
		return nil, gated.faults
	}
	root := gated.root()
	profile := readGated(root, cfg)

	board := &document{}
	ports := root.table("ports")
	if profile != "" {
		var err error
		if cfg.board, err = open(profile); err != nil {
			root.fault("profile", err.Error(), "name a built-in profile or the path of a .toml file")
		} else if board = parseDocument(cfg.board); board.parsed {
			cfg.Warnings = readProfile(board.root(), ports, &cfg.Board)
		}
	}
	root.end()
	if faults := join(gated.faults, board.faults); len(faults) > 0 {
		return nil, faults
	}
	return cfg, nil
}
