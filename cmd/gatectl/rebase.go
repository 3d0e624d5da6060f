package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/journal"
)

// rebase begins the next journal in the place of one that a collector has found
// to contradict what it holds. The journal's lock keeps it from a running gate.
func (t *tool) rebase(ctx context.Context, args []string) error {
	var reason string
	_, err := t.flagsOf("rebase", args, 0, func(f *flag.FlagSet) { f.StringVar(&reason, "reason", "", "") })
	if err != nil || reason == "" {
		return errUsage
	}
	cfg, err := t.load()
	if err != nil {
		return err
	}
	kept, err := gate.Rebase(ctx, gate.Options{
		Config: cfg, Now: gate.NewClock().Now, Version: "gatectl " + version, Log: slog.New(slog.DiscardHandler),
	}, reason)
	switch {
	case errors.Is(err, journal.ErrLocked):
		return errors.New("gated is running: stop it first with 'systemctl stop gated'")
	case err != nil:
		return err
	}
	fmt.Fprintf(t.stdout, "the next journal has begun, every hold stands in it; the old one is kept as %s\n", kept)
	return nil
}
