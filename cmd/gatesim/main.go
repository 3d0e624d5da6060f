// Command gatesim plays a school's morning on simulated lanes: the product's
// own gate, drivers, journal and pages over scanners, thermometers and relays
// made of software. It is a demonstration and no product; no gate is built
// with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/internal/rig"
)

var version = "devel"

const usage = `gatesim demo [--seed N] [--speed N] [--listen ADDRESS] [--pupils N]
  plays a winter Monday at two lanes and serves the guard's page:
  speed from 0.1 to 1000 times, 20 to 5000 pupils
`

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] != "demo" {
		fmt.Fprintf(stderr, "gatesim %s\n%s", version, usage)
		return exitUsage
	}
	var s script
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	flags.Uint64Var(&s.seed, "seed", 1, "")
	flags.Float64Var(&s.speed, "speed", 10, "")
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8630", "")
	flags.IntVar(&s.pupils, "pupils", 400, "")
	switch err := flags.Parse(args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0 || !(s.speed >= 0.1 && s.speed <= 1000) || s.pupils < 20 || s.pupils > 5000:
		flags.Usage()
		return exitUsage
	}
	if err := demo(ctx, s, stdout); err != nil {
		fmt.Fprintln(stderr, "gatesim:", err)
		return exitFailed
	}
	return 0
}

// demo runs the gate and the script side by side until the context ends.
func demo(ctx context.Context, s script, stdout io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "menshen-demo")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logFile, err := os.Create(filepath.Join(dir, "gate.log"))
	if err != nil {
		return err
	}
	defer logFile.Close()
	r, err := rig.New(rig.Options{
		Dir: dir, Listen: s.listen, Profile: "all-serial-2", Seed: s.seed,
		Log: slog.New(slog.NewTextHandler(logFile, nil)),
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.Run(ctx) })
	group.Go(func() error {
		err := s.play(ctx, r, stdout)
		if ctx.Err() != nil {
			return nil // it was interrupted, or the gate's own error says why
		}
		return err
	})
	return group.Wait()
}
