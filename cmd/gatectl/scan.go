package main

import (
	"context"
	"flag"
	"io/fs"
	"log/slog"
	"net"
	"os"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/doctor"
)

// machine is the root of this machine's files.
func machine() fs.FS { return os.DirFS("/") }

// quiet opens the hardware of a profile and logs nothing.
func quiet(p config.Profile) *board.Board { return board.New(p, slog.New(slog.DiscardHandler)) }

// scan prints what is on the buses, ports and inputs, and the lines for it.
func (t *tool) scan(ctx context.Context, args []string) error {
	var probe bool
	if _, err := t.flagsOf("scan", args, 0, func(f *flag.FlagSet) { f.BoolVar(&probe, "probe", false, "") }); err != nil {
		return err
	}
	found := doctor.Search{
		Root: machine(), Opener: func(p config.Profile) device.Opener { return quiet(p) }, Chips: quiet(config.Profile{}).Chips,
		InUse: t.inUse(ctx), Probe: probe, Listen: doctor.ListenUsually,
	}.Scan(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	return doctor.PrintSections(t.stdout, found)
}

// inUse lists the ports and buses of a gate that runs.
func (t *tool) inUse(ctx context.Context) []string {
	cfg, err := t.load()
	if err != nil || !runs(ctx, cfg) {
		return nil
	}
	var all []string
	for _, p := range cfg.Board.Ports {
		all = append(all, p.Path)
	}
	for _, b := range cfg.Board.Buses {
		all = append(all, b.Path+b.Adapter) // one of them is empty
	}
	return all
}

// runs reports whether a gate answers at its socket, or would answer somebody
// with more rights.
func runs(ctx context.Context, cfg *config.Config) bool {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", cfg.Socket)
	if err == nil {
		c.Close()
	}
	return err == nil || os.IsPermission(err)
}
