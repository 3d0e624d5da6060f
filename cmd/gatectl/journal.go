package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/journal"
)

func (t *tool) journal(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	var file string
	var n int
	var follow bool
	define := func(f *flag.FlagSet) {
		f.StringVar(&file, "file", "", "")
		if args[0] == "tail" {
			f.IntVar(&n, "n", 20, "")
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
	case "tail":
		return t.tail(ctx, r, n, follow)
	}
	return errUsage
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

// tail prints the newest n entries, and goes on with what is added.
func (t *tool) tail(ctx context.Context, r *journal.Reader, n int, follow bool) error {
	head, err := r.Head(ctx)
	if err != nil {
		return err
	}
	from := head.Size - min(head.Size, uint64(max(n, 0)))
	for {
		if from, err = t.print(ctx, r, from); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// line is one entry as it is exported. Subjects are roster numbers; no name is
// in an entry.
type line struct {
	Seq   uint64
	Kind  string
	Boot  uint64
	Mono  int64 // milliseconds since the process started
	Wall  time.Time
	Clock string
	Lane  uint8 `json:",omitempty"`
	Body  any
	Leaf  string // hex of the canonical bytes
}

// print writes entries from a sequence number on and returns the next one.
func (t *tool) print(ctx context.Context, r *journal.Reader, from uint64) (uint64, error) {
	out := json.NewEncoder(t.stdout)
	for row, err := range r.Rows(ctx, from) {
		if err != nil {
			return from, err
		}
		e := row.Entry
		body, err := decode(e)
		if err != nil {
			body = nil // a newer program's kind: the leaf says it all
		}
		if err := out.Encode(line{
			Seq: row.Seq, Kind: e.Kind.String(), Boot: e.Boot, Mono: e.Mono, Wall: time.UnixMilli(e.Wall).UTC(),
			Clock: e.Clock.String(), Lane: e.Lane, Body: body, Leaf: hex.EncodeToString(row.Bytes),
		}); err != nil {
			return from, err
		}
		from = row.Seq + 1
	}
	return from, nil
}

// decode returns the body of an entry in the type of its kind.
func decode(e entry.Entry) (any, error) {
	body := map[entry.Kind]any{
		entry.KindBoot: &entry.Boot{}, entry.KindArrival: &entry.Arrival{}, entry.KindAnswer: &entry.Answer{},
		entry.KindDevice: &entry.Device{}, entry.KindClock: &entry.ClockStep{}, entry.KindPolicy: &entry.Policy{},
		entry.KindRoster: &entry.Roster{}, entry.KindHeartbeat: &entry.Heartbeat{}, entry.KindStop: &entry.Stop{},
	}[e.Kind]
	if body == nil {
		return nil, fmt.Errorf("kind %v has no body here", e.Kind)
	}
	return body, e.Decode(body)
}

// rest writes OFF to every barrier of the profile: the unit calls it when gated
// has ended, however it ended.
func (t *tool) rest() error {
	cfg, err := t.load()
	if err != nil {
		if last, lastErr := config.LoadLastGood(config.DataDir(t.config)); lastErr == nil {
			cfg, err = last, nil
		}
	}
	if err != nil {
		return err
	}
	return gate.RestBoards(cfg.Board, board.New(cfg.Board, slog.New(slog.DiscardHandler)))
}
