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

	"github.com/menshen/menshen/tomlfile"
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
	// Quiet are the parts of a day, at most 8, in which lanes make no noise.
	Quiet []Quiet
	// Collectors receive the journal; at most 4, and none is no fault.
	Collectors []Collector
	// PolicySigners are the public keys, as "ed25519:" and base64, whose policies
	// count beside those of the collectors; at most 16. Only their form has been
	// checked.
	PolicySigners []string
	// Siblings are the school's other gates, at most 8.
	Siblings []Sibling
	// Boards are those of isolation rooms that follow this gate.
	Boards Boards
	// Follow are the gates that this board of an isolation room follows, at most
	// 8; where there is one, there are no lanes.
	Follow []Follow
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
	// Lanes are in the order of the file; only a board that follows gates has
	// none.
	Lanes []Lane
	// Isolation is the alarm where a stopped person waits.
	Isolation Isolation
	// Fire is on while the fire alarm has released the barriers by wire.
	Fire *Input
	// Sound is nil where nothing is to be heard.
	Sound *Sound
}

// Port is one serial port, always 8N1 without flow control, or a scanner or
// card reader that is a keyboard.
type Port struct {
	// Path is absolute, e.g. /dev/menshen-scanner-1. A keyboard has a path below
	// /dev/input, or is found by what follows HIDPrefix: its USB numbers, such
	// as 1eab:8203, or its name.
	Path string
	// Baud is a standard rate, 1200 to 921600; a keyboard has none.
	Baud int
}

// HIDPrefix begins the path of a keyboard that is looked up.
const HIDPrefix = "hid:"

// Keyboard reports whether the port is a keyboard.
func (p Port) Keyboard() bool {
	return strings.HasPrefix(p.Path, HIDPrefix) || strings.HasPrefix(p.Path, "/dev/input/")
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
	// Place is where the check stands: one of the Place constants.
	Place string
	// Barrier is nil on a DirectionOut lane: exits never bar.
	Barrier *Barrier
	Lamps   Lamps
	// Presence is active while somebody stands in the lane.
	Presence *Input
	// Button acknowledges what the lane asks.
	Button *Input
	// Next makes the lane free for the next person.
	Next *Input
	// Open opens the barrier by hand; the reason is given afterwards.
	Open *Input
	// Counter is on for a moment at every opening of the turnstile inwards.
	Counter *Input
}

// Directions of a lane: arrivals and departures.
const (
	DirectionIn  = "in"
	DirectionOut = "out"
)

// The places at which a lane checks people, as policies name them.
const (
	PlaceGate      = "gate"
	PlaceDormitory = "dormitory"
	PlaceCanteen   = "canteen"
	PlaceBus       = "bus"
	PlaceClassroom = "classroom"
)

// Scanner reads badges and codes from a serial port or a keyboard.
type Scanner struct {
	// Kind is ScannerLine, ScannerGM65 or ScannerGM67.
	Kind string
	// Port is a keyboard for ScannerLine only.
	Port string
	// Silence ends a code that has no CR or LF, 20 to 500 ms.
	Silence time.Duration
	// Binary codes hold any bytes and end by silence only.
	Binary bool
	// Mode of an engine is ScannerAsSet, ScannerContinuous, ScannerSensor or
	// ScannerCommand.
	Mode string
	// Trigger asks a ScannerLine for one scan; nil if it scans by itself.
	Trigger []byte
	// Card is how a reader of chip cards prints a card's number: CardText where it
	// is no such reader.
	Card string
}

// How readers of chip cards print the number of a card: ten decimal digits of an
// EM4100 or Mifare card, of which only the low 24 bits count where readers of
// facility and number (Wiegand-26) stand beside it; facility and number; or the
// four bytes of a Mifare card in either order.
const (
	CardText        = "text"
	CardDecimal     = "decimal"
	CardDecimal24   = "decimal-24"
	CardWiegand     = "wiegand-26"
	CardHex         = "hex"
	CardHexReversed = "hex-reversed"
)

// Kinds of scanner, and what lets an engine scan: what was set in it before,
// always, its own sensor, or the gate.
const (
	ScannerLine = "line"
	ScannerGM65 = "gm65"
	ScannerGM67 = "gm67"

	ScannerAsSet      = "as-set"
	ScannerContinuous = "continuous"
	ScannerSensor     = "sensor"
	ScannerCommand    = "command"
)

// Thermometer is one infrared instrument. Bus and Address belong to those on
// I2C, PEC to the MLX90614 and Emissivity to the MLX90632, Port and Mode to the
// serial modules.
type Thermometer struct {
	// Kind is one of the kinds below.
	Kind string
	Bus  string
	// Address is 0x08 to 0x77; an MLX90632 has 0x3A or 0x3B.
	Address uint16
	// Emissivity of what is measured is 0.9 to 1.
	Emissivity float64
	// PEC is PECStrict, PECLog or PECOff.
	PEC string
	// Dual says that the MLX90614 has two zones.
	Dual bool
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
	ThermometerMLX90632   = "mlx90632"
	ThermometerGYMCU90614 = "gy-mcu90614"
	ThermometerGY614V3    = "gy-614v3"
	ThermometerCJMCU90614 = "cjmcu-90614"

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

// Fault is one thing that is wrong and what to do about it.
type Fault = tomlfile.Fault

// Faults is everything that is wrong with a configuration; never empty as an
// error.
type Faults = tomlfile.Faults

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
	gated, err := tomlfile.Parse(f.Name, f.Source, maxSource)
	if err != nil {
		return nil, err
	}
	root := gated.Root()
	profile := readGated(root, cfg)

	var board Faults
	ports := root.Table("ports")
	if profile != "" {
		if cfg.board, err = open(profile); err != nil {
			root.Fault("profile", err.Error(), "name a built-in profile or the path of a .toml file")
		} else {
			board = readBoard(cfg, ports)
		}
	}
	root.End()
	if faults := tomlfile.Join(gated.Faults, board); len(faults) > 0 {
		return nil, faults
	}
	return cfg, nil
}

// readBoard reads the profile into cfg and returns what is wrong with it.
func readBoard(cfg *Config, ports *tomlfile.Table) Faults {
	profile, err := tomlfile.Parse(cfg.board.Name, cfg.board.Source, maxSource)
	var faults Faults
	if errors.As(err, &faults) {
		return faults
	}
	cfg.Warnings = readProfile(profile.Root(), ports, len(cfg.Follow) > 0, &cfg.Board)
	return profile.Faults
}
