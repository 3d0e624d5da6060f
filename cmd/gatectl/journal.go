package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/journal"
)

func (t *tool) journal(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "rebase" {
		return t.rebase(ctx, args[1:])
	}
	if len(args) == 0 || !slices.Contains([]string{"verify", "export", "tail"}, args[0]) {
		return errUsage
	}
	var file string
	var n uint64
	var follow bool
	define := func(f *flag.FlagSet) {
		f.StringVar(&file, "file", "", "")
		if args[0] == "tail" {
			f.Uint64Var(&n, "n", 20, "")
			f.BoolVar(&follow, "f", false, "")
		}
	}
	if _, err := t.flagsOf(args[0], args[1:], 0, define); err != nil {
		return err
	}
	if file == "" {
		cfg, err := t.load()
		if err != nil {
			return err
		}
		file = filepath.Join(cfg.Data, "journal.db")
	}
	r, err := journal.OpenReadOnly(file)
	if err != nil {
		return err
	}
	defer r.Close()
	switch args[0] {
	case "verify":
		return t.verify(ctx, r)
	case "export":
		_, err := t.print(ctx, r, 0)
		return err
	}
	return t.tail(ctx, r, n, follow)
}

func (t *tool) verify(ctx context.Context, r *journal.Reader) error {
	began := time.Now()
	last := began
	report, err := r.Verify(ctx, func(done, total uint64) {
		if time.Since(last) > time.Second {
			last = time.Now()
			fmt.Fprintf(t.stderr, "%d of %d entries\r", done, total)
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d entries, root %x: every leaf and every hash is as it was written (%v)\n",
		report.Head.Size, report.Head.Root, time.Since(began).Round(time.Millisecond))
	return nil
}

// tail prints the newest n entries. It goes on with what is added until it is
// interrupted, if it is to follow.
func (t *tool) tail(ctx context.Context, r *journal.Reader, n uint64, follow bool) error {
	head, err := r.Head(ctx)
	if err != nil {
		return err
	}
	from := head.Size - min(head.Size, n)
	for {
		from, err = t.print(ctx, r, from)
		if follow && ctx.Err() != nil {
			return nil
		}
		if err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// lookEvery is how often tail looks for new entries.
const lookEvery = 500 * time.Millisecond

// rest writes OFF to every channel of the profile: the unit calls it when gated
// has ended, however it ended. Beside a running gate it would silence alarms,
// so it refuses.
func (t *tool) rest(ctx context.Context) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	if c, err := (&net.Dialer{}).DialContext(ctx, "unix", cfg.Socket); err == nil {
		return errors.Join(errors.New("gated is running and rests its barriers itself: stop it first with 'systemctl stop gated'"), c.Close())
	}
	return gate.RestBoards(cfg.Board, board.New(cfg.Board, slog.New(slog.DiscardHandler)))
}
