package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/tomlfile"
)

// profileReader reads a profile in the order in which names are declared
// before they are used, so that every name is checked where it stands.
type profileReader struct {
	p *Profile
	// ports is [ports] of gated.toml, nil if there is none.
	ports *tomlfile.Table
	// claims says where a thing that has one user is used.
	claims map[string]string
	// used has the parts that something uses.
	used map[string]bool
}

// readProfile reads a whole profile, of a gate with lanes or of a board that
// follows gates, and returns its warnings.
func readProfile(t, ports *tomlfile.Table, follows bool, p *Profile) Faults {
	*p = Profile{Ports: map[string]Port{}, Buses: map[string]Bus{}, Pins: map[string]Pin{}, Relays: map[string]Relay{}}
	r := &profileReader{p: p, ports: ports, claims: map[string]string{}, used: map[string]bool{}}
	p.Name = readName(t, "name")
	p.Describe = t.Text("describe", "")
	readEach(t, "port", r.port)
	if ports != nil {
		ports.End()
	}
	readEach(t, "bus", r.bus)
	readEach(t, "pin", r.pin)
	readEach(t, "relay", r.relay)
	lanes := t.Tables("lane")
	for _, lane := range lanes {
		p.Lanes = append(p.Lanes, r.lane(lane))
		lane.End()
	}
	if isolation := t.Table("isolation"); isolation != nil {
		p.Isolation = r.isolation(isolation)
		isolation.End()
	}
	p.Fire = r.input(t.Table("fire"))
	if sound := t.Table("sound"); sound != nil {
		p.Sound = readSound(sound)
		sound.End()
	}
	r.board(t, lanes, follows)
	t.End()
	return r.unused(t)
}

// port reads [port.NAME], with the path that gated.toml puts in its place.
func (r *profileReader) port(name string, t *tomlfile.Table) {
	path := portPath(t, "path", "")
	at, key := t, "path"
	if r.ports != nil {
		if _, ok := r.ports.Take(name); ok {
			at, key = r.ports, name
			path = portPath(at, key, path)
		}
	}
	if path == "" {
		at.Fault(key, "missing", "write the path of the port")
	} else {
		r.claim(at, key, "path "+tomlfile.Quote(path))
	}
	baud := t.Number("baud", defaultBaud, 1200, 921600)
	if !slices.Contains([]int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}, baud) {
		t.Fault("baud", fmt.Sprintf("%d is not a standard rate", baud), "set 9600 or 115200, as the device's manual says")
	}
	r.p.Ports[name] = Port{Path: path, Baud: baud}
}

// portPath reads an absolute path, or what a keyboard is found by.
func portPath(t *tomlfile.Table, key, def string) string {
	if s, _ := t.Peek(key).(string); len(s) > len(HIDPrefix) && strings.HasPrefix(s, HIDPrefix) {
		return t.Text(key, def)
	}
	return readPath(t, key, def)
}

// bus reads [bus.NAME].
func (r *profileReader) bus(name string, t *tomlfile.Table) {
	b := Bus{Path: readPath(t, "path", ""), Adapter: t.Text("adapter", "")}
	switch {
	case b.Path != "" && b.Adapter == "":
		r.claim(t, "path", "path "+tomlfile.Quote(b.Path))
	case b.Path == "" && b.Adapter != "":
		r.claim(t, "adapter", "adapter "+tomlfile.Quote(b.Adapter))
	default:
		t.Fault("", "needs one of path and adapter", `write path = "/dev/i2c-1", or adapter = a name from /sys/class/i2c-dev/*/name`)
	}
	r.p.Buses[name] = b
}

// pin reads [pin.NAME].
func (r *profileReader) pin(name string, t *tomlfile.Table) {
	p := Pin{
		Chips:     t.Words("chips", maxWords),
		Line:      t.Number("line", 0, 0, 1023),
		Name:      t.Text("name", ""),
		ActiveLow: t.Flag("active_low"),
		Bias:      t.Choice("bias", defaultBias, BiasNone, BiasUp, BiasDown),
		Debounce:  t.Duration("debounce", 0, 0, time.Second),
	}
	if chip := t.Text("chip", ""); chip != "" {
		p.Chips = append(p.Chips, chip)
	}
	if t.Has("chip") == t.Has("chips") {
		t.Fault("", "needs one of chip and chips", `write chip = a label that gpiodetect shows`)
	}
	if t.Has("line") == t.Has("name") {
		t.Fault("", "needs one of line and name", "write line = an offset on the chip, or name = the line's name")
	}
	line := fmt.Sprint("line ", p.Line)
	if p.Name != "" {
		line = "line " + tomlfile.Quote(p.Name)
	}
	for _, chip := range p.Chips {
		r.claim(t, "", line+" of chip "+tomlfile.Quote(chip))
	}
	r.p.Pins[name] = p
}

// relay reads [relay.NAME].
func (r *profileReader) relay(name string, t *tomlfile.Table) {
	rl := Relay{Kind: t.Choice("kind", "", RelayLCUS, RelayPins)}
	switch rl.Kind {
	case RelayLCUS:
		rl.Port = r.ownPort(t)
		t.Require("channels", "set 1 to 8, as printed on the board")
		rl.Channels = t.Number("channels", 0, 1, 8)
	case RelayPins:
		t.Require("pins", "list the pins; the first is channel 1")
		rl.Pins = t.Words("pins", maxWords)
		for _, pin := range rl.Pins {
			r.usePin(t, "pins", pin)
		}
		rl.Channels = len(rl.Pins)
	default:
		t.Forget() // nothing can be said of the other keys
	}
	r.p.Relays[name] = rl
}

// ownPort reads the key port of a device that needs one of its own.
func (r *profileReader) ownPort(t *tomlfile.Table) string {
	name := r.anyPort(t)
	if r.p.Ports[name].Keyboard() {
		t.Fault("port", "port "+tomlfile.Quote(name)+" is a keyboard", "name a serial port; only a scanner of kind \"line\" types")
	}
	return name
}

// anyPort is ownPort for a device that may be a keyboard.
func (r *profileReader) anyPort(t *tomlfile.Table) string {
	name := t.Required("port", "name one of the profile's ports")
	if use(r, t, "port", "port", name, r.p.Ports) {
		r.claim(t, "port", "port "+tomlfile.Quote(name))
	}
	return name
}

// usePin notes the one use of a pin.
func (r *profileReader) usePin(t *tomlfile.Table, key, name string) {
	if use(r, t, key, "pin", name, r.p.Pins) {
		r.claim(t, key, "pin "+tomlfile.Quote(name))
	}
}

// use checks that a name is declared, and notes that it is used. An empty name
// has been reported already.
func use[V any](r *profileReader, t *tomlfile.Table, key, kind, name string, declared map[string]V) bool {
	if name == "" {
		return false
	}
	r.used[kind+"."+name] = true
	_, ok := declared[name]
	if !ok {
		remedy := fmt.Sprintf("declare [%s.NAME]", kind)
		if len(declared) > 0 {
			remedy += " or name one of " + strings.Join(slices.Sorted(maps.Keys(declared)), ", ")
		}
		t.Fault(key, fmt.Sprintf("there is no %s %s", kind, tomlfile.Quote(name)), remedy)
	}
	return ok
}

// claim notes the only user of a thing; a second one is a fault.
func (r *profileReader) claim(t *tomlfile.Table, key, thing string) {
	if first, taken := r.claims[thing]; taken {
		t.Fault(key, thing+" is in use already, at "+first, "give each its own")
		return
	}
	at := t.Note(key, "", "")
	r.claims[thing] = fmt.Sprintf("%s:%d", at.File, at.Line)
}

// readSound reads [sound].
func readSound(t *tomlfile.Table) *Sound {
	s := &Sound{Device: t.Text("device", defaultSound)}
	if s.Device == "" {
		t.Fault("device", "empty", `write a name that 'aplay -L' lists, or leave it out for "`+defaultSound+`"`)
	}
	return s
}

// unused warns of parts that are declared and used by nothing.
func (r *profileReader) unused(t *tomlfile.Table) Faults {
	var w Faults
	warn := func(kind, name string) {
		if part := kind + "." + name; !r.used[part] {
			w = append(w, t.Note(part, "nothing uses this "+kind, "remove it, or name it where it belongs"))
		}
	}
	for name := range r.p.Ports {
		warn("port", name)
	}
	for name := range r.p.Buses {
		warn("bus", name)
	}
	for name := range r.p.Pins {
		warn("pin", name)
	}
	for name := range r.p.Relays {
		warn("relay", name)
	}
	slices.SortFunc(w, func(a, b Fault) int { return strings.Compare(a.Key, b.Key) })
	return tomlfile.Join(w)
}
