package config

import (
	"fmt"
	"time"
)

// lane reads one [[lane]].
func (r *profileReader) lane(t *table) Lane {
	t.require("number", "set 1 to 16")
	l := Lane{
		Number:    t.number("number", 0, 1, 16),
		Direction: t.choice("direction", "", DirectionIn, DirectionOut),
		Presence:  r.input(t.table("presence")),
		Button:    r.input(t.table("button")),
	}
	if l.Number != 0 {
		r.claim(t, "number", fmt.Sprint("lane number ", l.Number))
	}
	if !t.has("scanner") && !t.has("thermometer") {
		t.fault("", "has neither scanner nor thermometer", "add [lane.scanner] or [lane.thermometer]")
	}
	if s := t.table("scanner"); s != nil {
		l.Scanner = r.scanner(s)
		s.end()
	}
	if th := t.table("thermometer"); th != nil {
		l.Thermometer = r.thermometer(th)
		th.end()
	}
	if b := t.table("barrier"); b != nil {
		if l.Direction == DirectionOut {
			t.fault("barrier", "a lane with direction \"out\" has a barrier, and exits never bar", `remove [lane.barrier], or set direction = "in"`)
		}
		l.Barrier = &Barrier{Pulse: b.duration("pulse", defaultPulse, 50*time.Millisecond, 3*time.Second)}
		l.Barrier.Channel = r.channel(b)
		b.end()
	}
	if lamps := t.table("lamps"); lamps != nil {
		l.Lamps = Lamps{Green: r.signal(lamps, "green"), Red: r.signal(lamps, "red"), Buzzer: r.signal(lamps, "buzzer")}
		lamps.end()
	}
	return l
}

// scanner reads [lane.scanner].
func (r *profileReader) scanner(t *table) *Scanner {
	return &Scanner{
		Kind:    t.choice("kind", "", ScannerLine, ScannerGM65),
		Port:    r.ownPort(t),
		Silence: t.duration("silence", defaultSilence, 20*time.Millisecond, 500*time.Millisecond),
	}
}

// thermometer reads [lane.thermometer]; its keys depend on the kind.
func (r *profileReader) thermometer(t *table) *Thermometer {
	th := &Thermometer{
		Kind:    t.choice("kind", "", ThermometerMLX90614, ThermometerGYMCU90614),
		Period:  t.duration("period", defaultPeriod, 50*time.Millisecond, time.Second),
		Ambient: t.pair("ambient", defaultAmbient(), -40, 125), // what the part survives, MLX90614 data sheet
	}
	switch th.Kind {
	case ThermometerMLX90614:
		th.Bus = t.required("bus", "name one of the profile's buses")
		// 0x00 is the general call, below 0x08 and above 0x77 are reserved.
		th.Address = uint16(t.number("address", defaultAddress, 0x08, 0x77))
		th.PEC = t.choice("pec", defaultPEC, PECStrict, PECLog, PECOff)
		if use(r, t, "bus", "bus", th.Bus, r.p.Buses) {
			r.claim(t, "address", fmt.Sprintf("address 0x%02x of bus %s", th.Address, quote(th.Bus)))
		}
	case ThermometerGYMCU90614:
		th.Port = r.ownPort(t)
		th.Mode = t.choice("mode", defaultMode, ModeQuery, ModeStream)
	default:
		t.values = nil // nothing can be said of the other keys
	}
	return th
}

// input reads a table with the key pin; nil where it is left out.
func (r *profileReader) input(t *table) *Input {
	if t == nil {
		return nil
	}
	defer t.end()
	in := &Input{Pin: t.required("pin", "name one of the profile's pins")}
	if in.Pin != "" {
		r.usePin(t, "pin", in.Pin)
	}
	return in
}

// signal reads a table that is a channel; the zero Channel where it is left out.
func (r *profileReader) signal(t *table, key string) Channel {
	s := t.table(key)
	if s == nil {
		return Channel{}
	}
	defer s.end()
	return r.channel(s)
}

// channel reads the keys relay and channel, which have one user.
func (r *profileReader) channel(t *table) Channel {
	c := Channel{Relay: t.required("relay", "name one of the profile's relays")}
	t.require("channel", "set the number of the channel, from 1")
	if !use(r, t, "relay", "relay", c.Relay, r.p.Relays) {
		t.take("channel")
		return c
	}
	most := r.p.Relays[c.Relay].Channels
	if most == 0 {
		t.take("channel") // the relay itself is at fault
		return c
	}
	if c.Number = t.number("channel", 0, 1, most); c.Number != 0 {
		r.claim(t, "channel", fmt.Sprintf("channel %d of relay %s", c.Number, quote(c.Relay)))
	}
	return c
}

// isolation reads [isolation].
func (r *profileReader) isolation(t *table) Isolation {
	return Isolation{
		Beacon: r.signal(t, "beacon"),
		Buzzer: r.signal(t, "buzzer"),
		Button: r.input(t.table("button")),
	}
}
