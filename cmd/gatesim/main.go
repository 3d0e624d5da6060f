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
  plays a winter Monday at two lanes and serves the guard's page
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] != "demo" {
		fmt.Fprintf(stderr, "gatesim %s\n%s", version, usage)
		return 2
	}
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	seed := flags.Uint64("seed", 1, "")
	speed := flags.Float64("speed", 10, "")
	listen := flags.String("listen", "127.0.0.1:8630", "")
	pupils := flags.Int("pupils", 400, "")
	if flags.Parse(args[1:]) != nil || flags.NArg() > 0 || *speed <= 0 || *pupils < 20 || *pupils > 5000 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	if err := demo(ctx, script{seed: *seed, speed: *speed, pupils: *pupils, listen: *listen}, stdout); err != nil {
		fmt.Fprintln(stderr, "gatesim:", err)
		return 1
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
	group.Go(func() error { return s.play(ctx, r, stdout) })
	return group.Wait()
}
