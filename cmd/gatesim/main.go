// Command gatesim plays a winter Monday at a school: two gates, the school's
// collector and the district's, each the product's own, over scanners,
// thermometers, relays, cables and power made of software. It is a
// demonstration and no product; no gate is built with it.
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
  plays a winter Monday at two gates with their collectors, and serves the
  pages at ADDRESS and the three ports behind it; port 0 takes any:
  speed from 0.1 to 1000 times, 40 to 5000 pupils
`

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal waits for nothing
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
	listen := flags.String("listen", "127.0.0.1:8630", "")
	flags.IntVar(&s.pupils, "pupils", 400, "")
	switch err := flags.Parse(args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0 || !(s.speed >= 0.1 && s.speed <= 1000) || s.pupils < 40 || s.pupils > 5000:
		flags.Usage()
		return exitUsage
	}
	if err := demo(ctx, s, *listen, stdout); err != nil {
		fmt.Fprintln(stderr, "gatesim:", err)
		return exitFailed
	}
	return 0
}

// demo plays the script in a directory of its own, of which nothing is left.
func demo(ctx context.Context, s script, listen string, stdout io.Writer) (err error) {
	web, err := listenAll(listen)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "menshen-demo")
	if err != nil {
		return errors.Join(err, web.close())
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logFile, err := os.Create(filepath.Join(dir, "demo.log"))
	if err != nil {
		return errors.Join(err, web.close())
	}
	defer logFile.Close()
	return s.show(ctx, dir, web, slog.New(slog.NewTextHandler(logFile, nil)), stdout)
}

// show runs the school and plays the script in it until the context ends.
// Everything has ended when it returns.
func (s script) show(ctx context.Context, dir string, web pages, log *slog.Logger, out io.Writer) error {
	school, err := rig.OpenSchool(ctx, rig.SchoolOptions{
		Dir: dir, East: web[0], West: web[1], School: web[2], District: web[3], Seed: s.seed, Log: log,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // interrupted before it was open
		}
		return err
	}
	group, run := errgroup.WithContext(ctx)
	group.Go(func() error { return school.Wait(run) })
	group.Go(func() error {
		err := s.play(run, school, web, out)
		if run.Err() != nil {
			return nil // it was interrupted, or a part's own error says why
		}
		return err
	})
	err = group.Wait()
	fmt.Fprintln(out, "\n收工:通道里的人先走完。\nEnding: whoever stands in a lane goes first.")
	return errors.Join(err, school.Close())
}
