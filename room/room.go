// Package room assembles the board of one isolation room: a beacon, a buzzer, a
// button and a page away from the gates, which follow one or more gates over
// the school's network. It rings while a gate has sent somebody whom nobody has
// answered, and says so itself when it hears nothing of a gate.
//
// It knows what its gates told it, what was answered here, and what the lamp
// therefore shows. It has no lane, no journal and no roster; it decides about
// nobody. An answer given here is an entry at the gate, or it is still owed.
package room

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/board"
)

// Gate is one gate that a board follows.
type Gate struct {
	// Name is the gate's, as it stands in its messages.
	Name string
	// Address is host:port at which it meets boards.
	Address string
	// Key is the gate's, as wire.ParsePublicKey returned it.
	Key ed25519.PublicKey
	// Phone is whom to call when the gate is lost; it may be empty.
	Phone string
}

// Options are what a board is built from.
type Options struct {
	Config *config.Config
	// Gates are followed; no two have the same name.
	Gates []Gate
	// Key is the board's own device key.
	Key ed25519.PrivateKey
	// Identity is the public half as people pass it on, for gatectl.
	Identity string
	// OpenRelay opens a relay group of the profile, every channel at rest.
	OpenRelay func(config.Relay) (relay.Board, error)
	// Opener opens the button's line.
	Opener device.Opener
	// Dial reaches the gates; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Web and Control are where the page and gatectl are served; either may be
	// nil.
	Web, Control net.Listener
	Log          *slog.Logger
	// Version is the program's.
	Version string
	// Banner says why the present configuration was not taken, where the board
	// runs on its last good one.
	Banner string
}

// Board is one board. Its zero value is not usable.
type Board struct {
	o       Options
	log     *slog.Logger
	ward    *ward
	callers []*caller
	staff   *staff
	owners  map[string]*relay.Owner
	dark    atomic.Int32 // relay groups that are lost
	turned  chan struct{}
}

// stateFile is what a board keeps below its data directory.
const stateFile = "board.json"

// New builds a board. Nothing is opened before Run, but what it has kept is
// read: what rang before a restart rings again, whether or not a gate is there.
func New(o Options) (*Board, error) {
	b := &Board{o: o, log: o.Log.With("component", "room"), owners: map[string]*relay.Owner{}, turned: make(chan struct{})}
	b.ward = newWard(o.Gates, b.log)
	b.ward.load(filepath.Join(o.Config.Data, stateFile))
	for _, g := range o.Gates {
		c, err := newCaller(b, g)
		if err != nil {
			return nil, fmt.Errorf("follow gate %s: %w", g.Name, err)
		}
		b.callers = append(b.callers, c)
	}
	b.staff = &staff{callers: b.callers}
	iso, roles := o.Config.Board.Isolation, map[string]map[int]relay.Role{}
	for _, c := range []config.Channel{iso.Beacon, iso.Buzzer} {
		if c.Relay == "" {
			continue
		}
		if roles[c.Relay] == nil {
			roles[c.Relay] = map[int]relay.Role{}
		}
		roles[c.Relay][c.Number] = relay.Signal
	}
	for name, channels := range roles {
		b.owners[name] = b.owner(name, channels)
	}
	return b, nil
}

// owner makes the owner of one relay group.
func (b *Board) owner(name string, channels map[int]relay.Role) *relay.Owner {
	lost := false // the owner's goroutine alone
	return relay.New(relay.Config{
		Open:     func() (relay.Board, error) { return b.o.OpenRelay(b.o.Config.Board.Relays[name]) },
		Channels: channels,
		Lost: func(err error) {
			lost = true
			b.dark.Add(1)
			b.log.Error("beacon and buzzer lost", "relay", name, "err", err)
			b.ward.changed()
		},
		Back: func() {
			if lost {
				b.dark.Add(-1)
				b.log.Info("beacon and buzzer are back", "relay", name)
			}
			lost = false
			b.ward.changed()
		},
		Log: b.log.With("relay", name),
	})
}

// Rest writes OFF to beacon and buzzer, from any goroutine, within 100 ms. They
// stay off afterwards.
func (b *Board) Rest() error {
	var errs []error
	for _, o := range b.owners {
		errs = append(errs, o.Rest())
	}
	return errors.Join(errs...)
}

// Run runs the board until the context ends or something makes going on
// pointless. On the way out beacon and buzzer rest, and what was answered is
// kept.
func (b *Board) Run(ctx context.Context) error {
	running, ctx := errgroup.WithContext(ctx)
	run := func(name string, f func(context.Context) error) {
		running.Go(func() error {
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	for name, o := range b.owners {
		run("relay "+name, o.Run)
	}
	run("signals", b.signal)
	run("button", b.button)
	run("state", b.ward.keep)
	for _, c := range b.callers {
		run("gate "+c.gate.Name, c.follow)
		run("answers to "+c.gate.Name, c.deliver)
	}
	if b.o.Web != nil {
		run("pages", func(ctx context.Context) error { return serve(ctx, b.o.Web, b.pages()) })
	}
	if b.o.Control != nil {
		run("control", func(ctx context.Context) error { return serve(ctx, b.o.Control, b.control()) })
	}
	b.log.Info("board open", "board", b.o.Config.Gate, "gates", len(b.callers))
	err := running.Wait()
	for _, c := range b.callers {
		c.client.CloseIdleConnections()
	}
	return err
}

// Alive reports whether the signals were looked at within the context: what a
// watchdog is to be fed by.
func (b *Board) Alive(ctx context.Context) error {
	select {
	case <-b.turned:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("signals: %w", ctx.Err())
	}
}

// pages returns the board's page.
func (b *Board) pages() http.Handler {
	language := web.Chinese
	if b.o.Config.Language == config.LanguageEnglish {
		language = web.English
	}
	return board.New(board.Options{
		Board: b, Sessions: web.NewSessions(b.staff), Language: language, ScreenMM: b.o.Config.Web.ScreenMM, Log: b.o.Log,
	})
}

// serve serves until the context ends, and does not wait for open pages.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %v: %w", l.Addr(), err)
	}
	return nil
}
