package doctor

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/gymcu90614"
)

// mostHeard bounds what is kept of what a port sends while it is listened to.
const mostHeard = 1024

// gm65Query asks a GM65 for its zone 0x0000, and gm65Answer is how one begins
// to answer (GM65 user manual, "Serial port instruction"). AB CD stands in for
// the check code.
const (
	gm65Query  = "\x7E\x00\x07\x01\x00\x00\x01\xAB\xCD"
	gm65Answer = "\x02\x00\x00\x01"
)

// ports looks at every serial port that can carry a device.
func (s search) ports(ctx context.Context) Section {
	sec := Section{Title: Text{"串口", "serial ports"}}
	names := s.byID()
	for _, tty := range s.list("/sys/class/tty") {
		if !s.carries(tty) {
			continue
		}
		sec.Things = append(sec.Things, s.port(ctx, tty, names["/dev/"+tty]))
	}
	if len(sec.Things) == 0 {
		f := noPort(s.files)
		sec.Missing = &f
	}
	return sec
}

// carries reports whether a terminal of the kernel is a port of the machine,
// and one at which something can be.
func (f files) carries(tty string) bool {
	for _, prefix := range []string{"ttyUSB", "ttyACM", "ttyAMA"} {
		if strings.HasPrefix(tty, prefix) {
			return true
		}
	}
	// The kernel lists ports of a PC that are not fitted; a board's own second
	// port is the one that serial0 leads to.
	return strings.HasPrefix(tty, "ttyS") && path.Base(f.follow("/dev/serial0")) == tty
}

// byID maps the node of every USB port to the name that does not move.
func (s search) byID() map[string]string {
	names := map[string]string{}
	for _, name := range s.list("/dev/serial/by-id") {
		link := path.Join("/dev/serial/by-id", name)
		names[s.follow(link)] = link
	}
	if serial0 := s.follow("/dev/serial0"); serial0 != "/dev/serial0" {
		names[serial0] = "/dev/serial0"
	}
	return names
}

// port looks at one port.
func (s search) port(ctx context.Context, tty, name string) Thing {
	node := "/dev/" + tty
	t := Thing{Where: node}
	if name != "" {
		t.Where = name + " (" + node + ")"
	} else {
		name = node
	}
	part := ""
	if vendor, product, what, ok := s.usb("/sys/class/tty/" + tty); ok {
		t.Facts = strings.TrimSpace(vendor + ":" + product + " " + what)
		if k, ok := knownAs(vendor, product); ok {
			t.Guess, part = k.guess, k.part
		}
	}
	t.Lines = portLines(part, name)
	if t.Trouble = s.busy(node, name); t.Trouble != nil {
		return t
	}
	s.listen(ctx, name, &t)
	return t
}

// listen hears at both usual rates what a port sends by itself. Nothing is sent
// to it but, where Probe allows it, one question.
func (s search) listen(ctx context.Context, name string, t *Thing) {
	for _, baud := range []int{9600, 115200} {
		heard, err := s.hear(ctx, name, baud)
		if err != nil {
			t.Trouble = err
			return
		}
		if m, ok := gymcu90614.Recognize(heard); ok {
			t.Guess = Text{"串口测温模块 " + m.String(), m.String() + " thermometer"}
			t.Lines = append(onPort("thermometer-1", name, baud),
				"[lane.thermometer]", fmt.Sprintf("kind = %q", strings.ToLower(m.String())), `port = "thermometer-1"`, `mode = "stream"`)
			return
		}
		if s.Probe && strings.Contains(string(heard), gm65Answer) {
			t.Guess = Text{"GM65 类扫码模块", "scan engine of the GM65 family"}
			t.Lines = append(onPort("scanner-1", name, baud), "[lane.scanner]", `kind = "gm65"`, `port = "scanner-1"`)
			return
		}
	}
}

// hear returns what a port sends within the time of listening.
func (s search) hear(ctx context.Context, name string, baud int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Listen)
	defer cancel()
	stream, err := s.Opener(config.Profile{Name: "scan", Ports: map[string]config.Port{"scan": {Path: name, Baud: baud}}}).Stream("scan")
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { stream.Close() })() // ends a read that waits
	if s.Probe {
		if _, err := stream.Write([]byte(gm65Query)); err != nil {
			return nil, err
		}
	}
	heard := make([]byte, mostHeard)
	n := 0
	for n < len(heard) && ctx.Err() == nil {
		k, err := stream.Read(heard[n:])
		n += k
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
	}
	return heard[:n], nil
}

func onPort(part, name string, baud int) []string {
	return []string{"[port." + part + "]", fmt.Sprintf("path = %q", name), fmt.Sprintf("baud = %d", baud)}
}

// portLines are the lines for a port of which only the numbers are known.
func portLines(part, name string) []string {
	switch part {
	case "scanner":
		return []string{"[ports]    # gated.toml", fmt.Sprintf("scanner-1 = %q", name)}
	case "relay":
		return []string{"[ports]    # gated.toml", fmt.Sprintf("relay = %q", name)}
	}
	return []string{"[ports]    # gated.toml", fmt.Sprintf("NAME = %q    # scanner-1, thermometer-1, relay", name)}
}

// ListenUsually is how long a port is listened to at each rate: a module that
// sends by itself does so ten times in it.
const ListenUsually = time.Second
