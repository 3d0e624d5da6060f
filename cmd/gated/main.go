// The processors of a board do not change while it runs, and to look for that
// each second is a good part of what an open page costs.
//
//go:debug updatemaxprocs=0

// Command gated runs one gate: it reads its configuration, opens the devices
// of the board profile, screens who arrives, records every arrival and serves
// the guard's page.
//
// It exits 0 after a stop by SIGTERM or interrupt, 1 after a failure, 2 when
// called wrongly, 78 when no configuration can be used and no page can say so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // a small system has no table of time zones

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/board"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/systemd"
)

var version = "devel"

// Exit codes, as the unit knows them.
const (
	exitFailed = 1
	exitUsage  = 2
	exitConfig = 78
)

// memoryMost is how much memory Go holds at most before it gives back what it
// does not use. A gate lives on 2 MB; a PIN takes 7 MiB and a roster import as
// much for a moment, and would otherwise stay resident all day. It is no hard
// limit: a school that needs more gets it.
const memoryMost = 16 << 20

func main() {
	debug.SetMemoryLimit(memoryMost)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("gated", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("config", "/etc/menshen/gated.toml", "configuration `file`")
	explainAt := flags.String("explain", "127.0.0.1:8630", "`address` of the page that says what to mend when no configuration can be used")
	show := flags.Bool("version", false, "print the version")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		flags.Usage()
		return exitUsage
	case *show:
		fmt.Fprintln(stderr, "gated", version)
		return 0
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	cfg, banner, err := configuration(*name, log)
	if err != nil {
		return explain(ctx, *explainAt, err, log)
	}
	runs := func(ctx context.Context, cfg *config.Config, banner string, log *slog.Logger) error {
		return runGate(ctx, *name, cfg, banner, log)
	}
	if len(cfg.Follow) > 0 {
		runs = runBoard
	}
	if err := runs(ctx, cfg, banner, log); err != nil {
		log.Error("gate ended", "err", err)
		return exitFailed
	}
	return 0
}

// configuration returns what to run with: the file, or the last one that was
// good with a banner that says why.
func configuration(name string, log *slog.Logger) (cfg *config.Config, banner string, err error) {
	cfg, err = config.Load(name, firmwareconfig.Profiles())
	var to []gate.Collector
	if err == nil {
		to, err = collectors(cfg, log)
	}
	if err == nil {
		_, err = rules(cfg, to)
	}
	if err == nil {
		_, err = boards(cfg)
	}
	if err == nil {
		_, err = follows(cfg)
	}
	if err == nil {
		_, err = siblings(cfg)
	}
	if err == nil {
		for _, w := range cfg.Warnings {
			log.Warn("configuration", "warning", w.String())
		}
		return cfg, "", nil
	}
	log.Error("configuration not taken", "err", err)
	last, lastErr := config.LoadLastGood(config.DataDir(name))
	if lastErr != nil {
		return nil, "", err
	}
	return last, err.Error(), nil
}

// runGate runs until the context ends, its page ends it, or the gate fails. Name is
// the file of the configuration, whether or not that is what runs.
func runGate(ctx context.Context, name string, cfg *config.Config, banner string, log *slog.Logger) error {
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	to, err := collectors(cfg, log)
	if err != nil {
		return err
	}
	signed, err := rules(cfg, to)
	if err != nil {
		return err
	}
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
	follow, err := boards(cfg)
	if err != nil {
		return err
	}
	others, err := siblings(cfg)
	if err != nil {
		return err
	}
	ctx, restart := context.WithCancel(ctx)
	defer restart()
	g, err := gate.New(gate.Options{
		Config: cfg, Opener: board.New(cfg.Board, log.With("component", "board")), Now: gate.NewClock().Now, Log: log,
		Version: version, Web: pages, Control: control, Collectors: to, Rules: signed, Boards: follow, Siblings: others, Setup: installation(name, restart), Banner: banner,
	})
	if err != nil {
		return err
	}
	// A second signal does not wait for anything: rest, and out.
	again := make(chan os.Signal, 2)
	signal.Notify(again, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(again)
	defer systemd.Tell(ctx, g.Alive, log)()
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	return wait(cfg, banner, running{pages.Addr(), done, again, g.Rest}, log)
}

// listenControl opens gatectl's socket. A socket file that a killed process
// left is in nobody's use: the journal's lock is what keeps two gates apart.
func listenControl(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("socket directory: %w", err)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("socket %s: another gated is running", path)
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("socket: %w", err)
	case info.Mode().Type() != os.ModeSocket:
		return nil, fmt.Errorf("socket %s: something else has that name", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("socket: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("socket: %w", err), l.Close())
	}
	return l, nil
}
