package gate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening/lane"
)

// errNoReceipt: somebody asked for a release without a durable entry.
var errNoReceipt = errors.New("release without a receipt of the journal")

// barrier is the only way to a barrier's relay, and it takes a receipt: a value
// that nobody but the journal can make, after a commit.
type barrier struct {
	owner *relay.Owner
	cfg   config.Barrier
}

// release pulses the relay for an entry that is durable. Done hears when OFF
// has been written, or why not.
func (b barrier) release(receipt journal.Receipt, done func(error)) {
	if !receipt.Valid() {
		done(errNoReceipt)
		return
	}
	b.owner.Pulse(b.cfg.Number, b.cfg.Pulse, done)
}

// shut writes OFF now.
func (b barrier) shut(done func(error)) { b.owner.Shut(b.cfg.Number, done) }

// channels returns the channels in use of every relay group, with their roles.
func channels(board config.Profile) map[string]map[int]relay.Role {
	roles := map[string]map[int]relay.Role{}
	add := func(c config.Channel, r relay.Role) {
		if c.Relay == "" {
			return
		}
		if roles[c.Relay] == nil {
			roles[c.Relay] = map[int]relay.Role{}
		}
		roles[c.Relay][c.Number] = r
	}
	for _, l := range board.Lanes {
		if l.Barrier != nil {
			add(l.Barrier.Channel, relay.Barrier)
		}
		add(l.Lamps.Green, relay.Signal)
		add(l.Lamps.Red, relay.Signal)
		add(l.Lamps.Buzzer, relay.Signal)
	}
	add(board.Isolation.Beacon, relay.Signal)
	add(board.Isolation.Buzzer, relay.Signal)
	return roles
}

// RestBoards writes OFF, twice, to every channel of a profile: what is left to
// do when the process that owned the boards is dead.
func RestBoards(board config.Profile, o device.Opener) error {
	var faults []error
	for name, used := range channels(board) {
		b, err := OpenBoard(o, board.Relays[name])
		if err != nil {
			faults = append(faults, fmt.Errorf("relay %s: %w", name, err))
			continue
		}
		for range 2 {
			for number := range used {
				if err := b.Set(number, false); err != nil {
					faults = append(faults, fmt.Errorf("relay %s: %w", name, err))
				}
			}
		}
		if err := b.Close(); err != nil {
			faults = append(faults, fmt.Errorf("relay %s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

// buildOwners makes one owner for each relay board or group of lines.
func (g *Gate) buildOwners() {
	board := g.o.Config.Board
	for name, channels := range channels(board) {
		lost := false // the owner's goroutine alone
		var owner *relay.Owner
		noticePull := func() {
			for number, role := range channels {
				if role == relay.Barrier {
					owner.Shut(number, func(error) {})
				}
			}
			owner.Refresh() // of a board that has lamps only
		}
		owner = relay.New(relay.Config{
			Open: func() (relay.Board, error) {
				return OpenBoard(pulls{g.o.Opener, noticePull}, board.Relays[name])
			},
			Channels: channels,
			Lost: func(err error) {
				lost = true
				g.tellLanes(name, lane.DeviceLost{Role: lane.RoleBarrier})
				g.deviceEntry(0, "relay "+name, err)
			},
			Back: func() {
				g.tellLanes(name, lane.DeviceBack{Role: lane.RoleBarrier})
				if lost {
					g.deviceEntry(0, "relay "+name, nil)
				}
				lost = false
			},
			Log: g.log.With("component", "relay", "relay", name),
		})
		g.owners[name] = owner
	}
}

// pulls opens streams that notice when their plug is pulled: a relay board says
// nothing, so only the end of what can be read from it tells. The write that
// follows fails, and the owner opens the board anew before anybody needs it.
type pulls struct {
	device.Opener
	pulled func()
}

func (p pulls) Stream(name string) (io.ReadWriteCloser, error) {
	s, err := p.Opener.Stream(name)
	if err != nil {
		return nil, err
	}
	go func() {
		_, err := io.Copy(io.Discard, s)
		if !errors.Is(err, os.ErrClosed) {
			p.pulled()
		}
	}()
	return s, nil
}

// OpenBoard opens a relay group of a profile, with every line at rest.
func OpenBoard(o device.Opener, r config.Relay) (relay.Board, error) {
	if r.Kind == config.RelayLCUS {
		stream, err := o.Stream(r.Port)
		if err != nil {
			return nil, err
		}
		return relay.NewLCUS(stream, r.Channels), nil
	}
	lines := make([]device.Line, 0, len(r.Pins))
	for _, pin := range r.Pins {
		line, err := o.Line(pin, device.LineOpts{Output: true})
		if err != nil {
			for _, l := range lines {
				err = errors.Join(err, l.Close())
			}
			return nil, err
		}
		lines = append(lines, line)
	}
	return relay.NewLines(lines), nil
}

// tellLanes sends an event to every lane whose barrier hangs on the board.
func (g *Gate) tellLanes(board string, ev lane.Event) {
	for _, l := range g.lanes {
		if l.cfg.Barrier != nil && l.cfg.Barrier.Relay == board {
			l.send(ev)
		}
	}
	g.changed()
}

// deviceEntry writes that a part vanished, or returned (nil error). What
// happens before the journal is open is written when it is.
func (g *Gate) deviceEntry(laneNumber uint8, role string, err error) {
	d := entry.Device{Lane: laneNumber, Role: role, Event: entry.DeviceBack}
	if err != nil {
		d.Event, d.Detail = entry.DeviceLost, clip(err.Error(), 200)
	}
	g.lost.note(laneNumber, role, err != nil)
	g.early.mu.Lock()
	open := g.early.open
	if !open {
		g.early.notes = append(g.early.notes, d)
	}
	g.early.mu.Unlock()
	if open {
		g.recorder.note(d, laneNumber)
	}
	g.changed()
}

// early keeps what happens before the journal is open. A board that comes and
// goes for the second that opening takes cannot fill it.
type early struct {
	mu    sync.Mutex
	open  bool
	notes []entry.Device
}

// flushEarly writes what was kept.
func (g *Gate) flushEarly() {
	g.early.mu.Lock()
	notes := g.early.notes
	g.early.open, g.early.notes = true, nil
	g.early.mu.Unlock()
	for _, d := range notes {
		g.recorder.note(d, d.Lane)
	}
}

// clip shortens text to at most n bytes without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
