package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/room"
	"github.com/menshen/menshen/sync/wire"
	"github.com/menshen/menshen/systemd"
)

// boards returns the boards that follow the gate, and where they meet it. The
// error is the configuration's.
func boards(cfg *config.Config) (b gate.Boards, err error) {
	if cfg.Boards.Listen != "" {
		b.Listen = func() (net.Listener, error) { return net.Listen("tcp", cfg.Boards.Listen) }
	}
	for _, text := range cfg.Boards.Keys {
		key, err := wire.ParsePublicKey(text)
		if err != nil {
			return gate.Boards{}, fmt.Errorf("boards.keys: %w · copy what 'gatectl key show' prints at the board", err)
		}
		b.Keys = append(b.Keys, key)
	}
	return b, nil
}

// follows returns the gates that a board follows. The error is the
// configuration's.
func follows(cfg *config.Config) (gates []room.Gate, err error) {
	for _, f := range cfg.Follow {
		key, err := wire.ParsePublicKey(f.Key)
		if err != nil {
			return nil, fmt.Errorf("follow %s: %w · copy what 'gatectl key show' prints at the gate", f.Gate, err)
		}
		gates = append(gates, room.Gate{Name: f.Gate, Address: f.Address, Key: key, Phone: f.Phone})
	}
	return gates, nil
}

// siblings returns the school's other gates. The error is the configuration's.
func siblings(cfg *config.Config) (all gate.Siblings, err error) {
	for _, s := range cfg.Siblings {
		key, err := wire.ParsePublicKey(s.Key)
		if err != nil {
			return gate.Siblings{}, fmt.Errorf("sibling %s: %w · copy what 'gatectl key show' prints at that gate", s.Gate, err)
		}
		all.All = append(all.All, gate.Sibling{Gate: s.Gate, Called: s.Called, Address: s.Address, Key: key})
	}
	return all, nil
}

// runBoard runs the board of an isolation room until the context ends or it
// fails.
func runBoard(ctx context.Context, cfg *config.Config, banner string, log *slog.Logger) error {
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	gates, err := follows(cfg)
	if err != nil {
		return err
	}
	// The socket keeps two boards apart, so that they never make two keys.
	control, err := listenControl(cfg.Socket)
	if err != nil {
		return err
	}
	defer control.Close()
	pages, err := net.Listen("tcp", cfg.Web.Listen)
	if err != nil {
		return fmt.Errorf("web.listen: %w", err)
	}
	defer pages.Close()
	key, err := gate.MakeIdentity(cfg.Data)
	if err != nil {
		return err
	}
	opener := board.New(cfg.Board, log.With("component", "board"))
	b, err := room.New(room.Options{
		Config: cfg, Gates: gates, Key: key, Identity: wire.FormatPublicKey(key.Public().(ed25519.PublicKey)), Opener: opener,
		OpenRelay: func(r config.Relay) (relay.Board, error) { return gate.OpenBoard(opener, r) },
		Web:       pages, Control: control, Log: log, Version: version, Banner: banner,
	})
	if err != nil {
		return err
	}
	again := make(chan os.Signal, 2)
	signal.Notify(again, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(again)
	defer systemd.Tell(ctx, b.Alive, log)()
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	return wait(cfg, banner, running{pages.Addr(), done, again, b.Rest}, log)
}

// running is a gate or a board that runs.
type running struct {
	pages net.Addr
	done  <-chan error
	again <-chan os.Signal
	rest  func() error
}

// wait keeps the configuration that runs as the last good one, and returns when
// the process has ended, or at once with a second signal.
func wait(cfg *config.Config, banner string, p running, log *slog.Logger) error {
	if banner == "" {
		if err := config.KeepLastGood(cfg.Data, cfg); err != nil {
			log.Warn("last good configuration not kept", "err", err)
		}
	}
	log.Info("pages served", "url", "http://"+p.pages.String()+"/")
	for signals := 0; ; {
		select {
		case err := <-p.done:
			return err
		case <-p.again:
			if signals++; signals > 1 {
				return errors.Join(errors.New("second signal: stopped at once"), p.rest())
			}
		}
	}
}
