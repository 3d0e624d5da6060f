package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// profileReader reads a profile in the order in which names are declared
// before they are used, so that every name is checked where it stands.
type profileReader struct {
	p *Profile
	// ports is [ports] of gated.toml, nil if there is none.
	ports *table
	// claims says where a thing that has one user is used.
	claims map[string]string
	// used has the parts that something uses.
	used map[string]bool
}

// readProfile reads a whole profile and returns its warnings.
func readProfile(t, ports *table, p *Profile) Faults {
	*p = Profile{Ports: map[string]Port{}, Buses: map[string]Bus{}, Pins: map[string]Pin{}, Relays: map[string]Relay{}}
	r := &profileReader{p: p, ports: ports, claims: map[string]string{}, used: map[string]bool{}}
	p.Name = t.name("name")
	p.Describe = t.text("describe", "")
	t.each("port", r.port)
	if ports != nil {
		ports.end()
	}
	t.each("bus", r.bus)
	t.each("pin", r.pin)
	t.each("relay", r.relay)
	lanes := t.tables("lane")
	if len(lanes) == 0 && !t.has("lane") {
		t.fault("lane", "missing", "describe at least one lane in [[lane]]")
	}
	for _, lane := range lanes {
		p.Lanes = append(p.Lanes, r.lane(lane))
		lane.end()
	}
	if isolation := t.table("isolation"); isolation != nil {
		p.Isolation = r.isolation(isolation)
		isolation.end()
	}
	if sound := t.table("sound"); sound != nil {
		p.Sound = readSound(sound)
		sound.end()
	}
	t.end()
	return r.unused(t)
}

// port reads [port.NAME], with the path that gated.toml puts in its place.
func (r *profileReader) port(name string, t *table) {
	path := t.path("path", "")
	at, key := t, "path"
	if r.ports != nil {
		if _, ok := r.ports.take(name); ok {
			at, key = r.ports, name
			path = at.path(key, path)
		}
	}
	if path == "" {
		at.fault(key, "missing", "write the path of the port")
	} else {
		r.claim(at, key, "path "+quote(path))
	}
	baud := t.number("baud", defaultBaud, 1200, 921600)
	if !slices.Contains([]int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}, baud) {
		t.fault("baud", fmt.Sprintf("%d is not a standard rate", baud), "set 9600 or 115200, as the device's manual says")
	}
	r.p.Ports[name] = Port{Path: path, Baud: baud}
}

// bus reads [bus.NAME].
func (r *profileReader) bus(name string, t *table) {
	b := Bus{Path: t.path("path", ""), Adapter: t.text("adapter", "")}
	switch {
	case b.Path != "" && b.Adapter == "":
		r.claim(t, "path", "path "+quote(b.Path))
	case b.Path == "" && b.Adapter != "":
		r.claim(t, "adapter", "adapter "+quote(b.Adapter))
	default:
		t.fault("", "needs one of path and adapter", `write path = "/dev/i2c-1", or adapter = a name from /sys/class/i2c-dev/*/name`)
	}
	r.p.Buses[name] = b
}

// pin reads [pin.NAME].
func (r *profileReader) pin(name string, t *table) {
	p := Pin{
		Chips:     t.words("chips", maxWords),
		Line:      t.number("line", 0, 0, 1023),
		Name:      t.text("name", ""),
		ActiveLow: t.flag("active_low"),
		Bias:      t.choice("bias", defaultBias, BiasNone, BiasUp, BiasDown),
		Debounce:  t.duration("debounce", 0, 0, time.Second),
	}
	if chip := t.text("chip", ""); chip != "" {
		p.Chips = append(p.Chips, chip)
	}
	if t.has("chip") == t.has("chips") {
		t.fault("", "needs one of chip and chips", `write chip = a label that gpiodetect shows`)
	}
	if t.has("line") == t.has("name") {
		t.fault("", "needs one of line and name", "write line = an offset on the chip, or name = the line's name")
	}
	line := fmt.Sprint("line ", p.Line)
	if p.Name != "" {
		line = "line " + quote(p.Name)
	}
	for _, chip := range p.Chips {
		r.claim(t, "", line+" of chip "+quote(chip))
	}
	r.p.Pins[name] = p
}

// relay reads [relay.NAME].
func (r *profileReader) relay(name string, t *table) {
	rl := Relay{Kind: t.choice("kind", "", RelayLCUS, RelayPins)}
	switch rl.Kind {
	case RelayLCUS:
		rl.Port = r.ownPort(t)
		t.require("channels", "set 1 to 8, as printed on the board")
		rl.Channels = t.number("channels", 0, 1, 8)
	case RelayPins:
		t.require("pins", "list the pins; the first is channel 1")
		rl.Pins = t.words("pins", maxWords)
		for _, pin := range rl.Pins {
			r.usePin(t, "pins", pin)
		}
		rl.Channels = len(rl.Pins)
	default:
		t.values = nil // nothing can be said of the other keys
	}
	r.p.Relays[name] = rl
}

// ownPort reads the key port of a device that needs one of its own.
func (r *profileReader) ownPort(t *table) string {
	name := t.required("port", "name one of the profile's ports")
	if use(r, t, "port", "port", name, r.p.Ports) {
		r.claim(t, "port", "port "+quote(name))
	}
	return name
}

// usePin notes the one use of a pin.
func (r *profileReader) usePin(t *table, key, name string) {
	if use(r, t, key, "pin", name, r.p.Pins) {
		r.claim(t, key, "pin "+quote(name))
	}
}

// use checks that a name is declared, and notes that it is used. An empty name
// has been reported already.
func use[V any](r *profileReader, t *table, key, kind, name string, declared map[string]V) bool {
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
		t.fault(key, fmt.Sprintf("there is no %s %s", kind, quote(name)), remedy)
	}
	return ok
}

// claim notes the only user of a thing; a second one is a fault.
func (r *profileReader) claim(t *table, key, thing string) {
	if first, taken := r.claims[thing]; taken {
		t.fault(key, thing+" is in use already, at "+first, "give each its own")
		return
	}
	at := t.note(key, "", "")
	r.claims[thing] = fmt.Sprintf("%s:%d", at.File, at.Line)
}

// readSound reads [sound].
func readSound(t *table) *Sound {
	s := &Sound{Device: t.text("device", defaultSound)}
	if s.Device == "" {
		t.fault("device", "empty", `write a name that 'aplay -L' lists, or leave it out for "`+defaultSound+`"`)
	}
	return s
}

// unused warns of parts that are declared and used by nothing.
func (r *profileReader) unused(t *table) Faults {
	var w Faults
	warn := func(kind, name string) {
		if part := kind + "." + name; !r.used[part] {
			w = append(w, t.note(part, "nothing uses this "+kind, "remove it, or name it where it belongs"))
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
	return join(w)
}
