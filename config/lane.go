package config

import (
	"fmt"
	"time"

	"github.com/menshen/menshen/tomlfile"
)

// lane reads one [[lane]].
func (r *profileReader) lane(t *tomlfile.Table) Lane {
	t.Require("number", "set 1 to 16")
	l := Lane{
		Number:    t.Number("number", 0, 1, 16),
		Direction: t.Choice("direction", "", DirectionIn, DirectionOut),
		Place:     t.Choice("place", PlaceGate, PlaceGate, PlaceDormitory, PlaceCanteen, PlaceBus, PlaceClassroom),
		Presence:  r.input(t.Table("presence")),
		Button:    r.input(t.Table("button")),
		Next:      r.input(t.Table("next")),
		Open:      r.input(t.Table("open")),
		Counter:   r.input(t.Table("counter")),
	}
	if l.Number != 0 {
		r.claim(t, "number", fmt.Sprint("lane number ", l.Number))
	}
	if !t.Has("scanner") && !t.Has("thermometer") {
		t.Fault("", "has neither scanner nor thermometer", "add [lane.scanner] or [lane.thermometer]")
	}
	if s := t.Table("scanner"); s != nil {
		l.Scanner = r.scanner(s)
		s.End()
	}
	if th := t.Table("thermometer"); th != nil {
		l.Thermometer = r.thermometer(th)
		th.End()
	}
	if b := t.Table("barrier"); b != nil {
		if l.Direction == DirectionOut {
			t.Fault("barrier", "a lane with direction \"out\" has a barrier, and exits never bar", `remove [lane.barrier], or set direction = "in"`)
		}
		l.Barrier = &Barrier{Pulse: b.Duration("pulse", defaultPulse, 50*time.Millisecond, 3*time.Second)}
		l.Barrier.Channel = r.channel(b)
		b.End()
	}
	if l.Open != nil && l.Barrier == nil {
		t.Fault("open", "a button opens a barrier, and the lane has none", "add [lane.barrier], or remove [lane.open]")
	}
	if lamps := t.Table("lamps"); lamps != nil {
		l.Lamps = Lamps{Green: r.signal(lamps, "green"), Red: r.signal(lamps, "red"), Buzzer: r.signal(lamps, "buzzer")}
		lamps.End()
	}
	return l
}

// scanner reads [lane.scanner].
func (r *profileReader) scanner(t *tomlfile.Table) *Scanner {
	s := &Scanner{
		Kind:    t.Choice("kind", "", ScannerLine, ScannerGM65, ScannerGM67),
		Silence: t.Duration("silence", defaultSilence, 20*time.Millisecond, 500*time.Millisecond),
		Binary:  t.Flag("binary"),
		Card:    CardText,
	}
	switch s.Kind {
	case ScannerLine:
		s.Port = r.anyPort(t)
		s.Trigger = readBytes(t, "trigger")
		s.Card = t.Choice("card", CardText, CardText, CardDecimal, CardDecimal24, CardWiegand, CardHex, CardHexReversed)
		if s.Binary && s.Card != CardText {
			t.Fault("card", "a code of any bytes is no card's number", "remove binary or card")
		}
		if r.p.Ports[s.Port].Keyboard() && (s.Binary || s.Trigger != nil) {
			t.Fault("port", "port "+tomlfile.Quote(s.Port)+" is a keyboard, which types text and takes nothing", "remove binary and trigger")
		}
	case ScannerGM65, ScannerGM67:
		s.Port = r.ownPort(t)
		s.Mode = t.Choice("mode", ScannerAsSet, ScannerAsSet, ScannerContinuous, ScannerSensor, ScannerCommand)
		if s.Binary && s.Mode == ScannerCommand {
			t.Fault("binary", "the engine's acknowledgements cannot be told from binary codes", "set mode = \"continuous\" or \"sensor\"")
		}
	default:
		t.Forget() // nothing can be said of the other keys
	}
	return s
}

// thermometer reads [lane.thermometer]; its keys depend on the kind.
func (r *profileReader) thermometer(t *tomlfile.Table) *Thermometer {
	th := &Thermometer{
		Kind:    t.Choice("kind", "", ThermometerMLX90614, ThermometerMLX90632, ThermometerGYMCU90614, ThermometerGY614V3, ThermometerCJMCU90614),
		Period:  t.Duration("period", defaultPeriod, 50*time.Millisecond, time.Second),
		Ambient: readPair(t, "ambient", defaultAmbient(), -40, 125), // what the part survives, MLX90614 data sheet
	}
	switch th.Kind {
	case ThermometerMLX90614:
		// 0x00 is the general call, below 0x08 and above 0x77 are reserved.
		r.onBus(t, th, defaultAddress, 0x08, 0x77)
		th.PEC = t.Choice("pec", defaultPEC, PECStrict, PECLog, PECOff)
		th.Dual = t.Flag("dual")
	case ThermometerMLX90632:
		r.onBus(t, th, defaultMLX32, defaultMLX32, defaultMLX32+1)
		th.Emissivity = readFraction(t, "emissivity", defaultEmissivity, 0.9, 1)
	case ThermometerGYMCU90614, ThermometerGY614V3, ThermometerCJMCU90614:
		th.Port = r.ownPort(t)
		th.Mode = t.Choice("mode", defaultMode, ModeQuery, ModeStream)
	default:
		t.Forget() // nothing can be said of the other keys
	}
	return th
}

// onBus reads where on which bus a thermometer is.
func (r *profileReader) onBus(t *tomlfile.Table, th *Thermometer, def, lo, hi int) {
	th.Bus = t.Required("bus", "name one of the profile's buses")
	th.Address = uint16(t.Number("address", def, lo, hi))
	if use(r, t, "bus", "bus", th.Bus, r.p.Buses) {
		r.claim(t, "address", fmt.Sprintf("address 0x%02x of bus %s", th.Address, tomlfile.Quote(th.Bus)))
	}
}

// input reads a table with the key pin; nil where it is left out.
func (r *profileReader) input(t *tomlfile.Table) *Input {
	if t == nil {
		return nil
	}
	defer t.End()
	in := &Input{Pin: t.Required("pin", "name one of the profile's pins")}
	if in.Pin != "" {
		r.usePin(t, "pin", in.Pin)
	}
	return in
}

// signal reads a table that is a channel; the zero Channel where it is left out.
func (r *profileReader) signal(t *tomlfile.Table, key string) Channel {
	s := t.Table(key)
	if s == nil {
		return Channel{}
	}
	defer s.End()
	return r.channel(s)
}

// channel reads the keys relay and channel, which have one user.
func (r *profileReader) channel(t *tomlfile.Table) Channel {
	c := Channel{Relay: t.Required("relay", "name one of the profile's relays")}
	t.Require("channel", "set the number of the channel, from 1")
	if !use(r, t, "relay", "relay", c.Relay, r.p.Relays) {
		t.Take("channel")
		return c
	}
	most := r.p.Relays[c.Relay].Channels
	if most == 0 {
		t.Take("channel") // the relay itself is at fault
		return c
	}
	if c.Number = t.Number("channel", 0, 1, most); c.Number != 0 {
		r.claim(t, "channel", fmt.Sprintf("channel %d of relay %s", c.Number, tomlfile.Quote(c.Relay)))
	}
	return c
}

// isolation reads [isolation].
func (r *profileReader) isolation(t *tomlfile.Table) Isolation {
	return Isolation{
		Beacon: r.signal(t, "beacon"),
		Buzzer: r.signal(t, "buzzer"),
		Button: r.input(t.Table("button")),
	}
}
