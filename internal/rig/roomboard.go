package rig

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/room"
	"github.com/menshen/menshen/sync/wire"
	"github.com/menshen/menshen/web"
)

// roomBoard is the board of the isolation room that follows a scenario's gate. It
// outlives the gate, as another machine does.
type roomBoard struct {
	*room.Board
	hw    *Hardware
	cfg   *config.Config
	key   ed25519.PrivateKey
	cable *patch
	ended chan error

	mu  sync.Mutex
	ons []time.Time // of the beacon
}

// newRoomBoard makes a board that follows the gate of a configuration.
func newRoomBoard(profile string, o PlayOptions, gated *config.Config) (*roomBoard, error) {
	own, err := gate.MakeIdentity(gated.Data)
	if err != nil {
		return nil, err
	}
	public := own.Public().(ed25519.PublicKey)
	dir := filepath.Join(o.Dir, "room")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	const address = "192.0.2.1:8631" // RFC 5737: nobody's
	cfg, err := configure(Options{
		Dir: dir, Gate: "room", Profile: profile, Profiles: o.Profiles,
		Settings: fmt.Sprintf("[[follow]]\ngate = %q\naddress = %q\nkey = %q\n", gated.Gate, address, wire.FormatPublicKey(public)),
	})
	if err != nil {
		return nil, err
	}
	b := &roomBoard{hw: NewHardware(cfg.Board, 1), cfg: cfg, key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), cable: &patch{plugged: true}, ended: make(chan error, 1)}
	b.Board, err = room.New(room.Options{
		Config: cfg, Gates: []room.Gate{{Name: gated.Gate, Address: address, Key: public}}, Key: b.key, Opener: b.hw.World, Dial: b.cable.dial,
		OpenRelay: func(c config.Relay) (relay.Board, error) { return gate.OpenBoard(b.hw.World, c) }, Log: o.Log.With("at", "room"),
	})
	if err != nil {
		return nil, err
	}
	b.hw.Watch(cfg.Board.Isolation.Beacon, func(on bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if on {
			b.ons = append(b.ons, time.Now())
		}
	})
	return b, nil
}

// met is where the gate meets the board; a gate without one meets none.
func (b *roomBoard) met() gate.Boards {
	if b == nil {
		return gate.Boards{}
	}
	return gate.Boards{Listen: b.cable.listen, Keys: []ed25519.PublicKey{b.key.Public().(ed25519.PublicKey)}}
}

// run runs the board until stop is called, which returns how it ended.
func (b *roomBoard) run(ctx context.Context) (stop func() error) {
	if b == nil {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() { b.ended <- b.Run(ctx) }()
	return func() error {
		cancel()
		return <-b.ended
	}
}

// silence answers the oldest alarm at the board.
func (b *roomBoard) silence() error {
	if b == nil {
		return errUsage
	}
	for _, a := range b.View().Alarms {
		if !a.Missed && !a.Answered && b.Answer(a.Gate, a.Arrival, web.Person{}) {
			return nil
		}
	}
	return errNothing
}

// expect holds what was expected against the board's beacon and its list.
func (b *roomBoard) expect(args []string) error {
	if b == nil {
		return errUsage
	}
	switch {
	case len(args) == 1:
		return b.expectBeacon(args[0])
	case len(args) != 2 || args[0] != "rings" && args[0] != "missed":
		return errUsage
	}
	want, err := strconv.Atoi(args[1])
	if err != nil {
		return errUsage
	}
	n := 0
	for _, a := range b.View().Alarms {
		if a.Missed == (args[0] == "missed") && (a.Missed || !a.Answered) {
			n++
		}
	}
	if n != want {
		return fmt.Errorf("there are %d", n)
	}
	return nil
}

// expectBeacon tells a beacon that is on without a break from one that blinks.
func (b *roomBoard) expectBeacon(want string) error {
	b.mu.Lock()
	blinks := 0
	for _, on := range b.ons {
		if time.Since(on) < 10*time.Second {
			blinks++
		}
	}
	b.mu.Unlock()
	is := "off"
	switch {
	case blinks > 1:
		is = "blinks"
	case b.hw.On(b.cfg.Board.Isolation.Beacon):
		is = "on"
	}
	if want != "on" && want != "off" && want != "blinks" {
		return errUsage
	}
	if is != want {
		return fmt.Errorf("it is %s", is)
	}
	return nil
}

// patch is the cable between a gate and the board that follows it.
type patch struct {
	mu      sync.Mutex
	plugged bool
	far     *pipes // of the gate that runs now; nil before
	carried []net.Conn
}

// listen is the gate's end.
func (p *patch) listen() (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.far = newPipes()
	return p.far, nil
}

// dial is the board's end.
func (p *patch) dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	far, plugged := p.far, p.plugged
	p.mu.Unlock()
	if !plugged || far == nil {
		return nil, errors.New("no route to host")
	}
	conn, err := far.dial(ctx, network, address)
	if err == nil {
		p.mu.Lock()
		p.carried = append(p.carried, conn)
		p.mu.Unlock()
	}
	return conn, err
}

// Plug implements part.
func (p *patch) Plug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plugged = true
}

// Unplug implements part: both ends learn of it.
func (p *patch) Unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plugged = false
	for _, conn := range p.carried {
		conn.Close()
	}
	p.carried = nil
}
