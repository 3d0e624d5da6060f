package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/sync/wire"
)

// open opens the store beside the collector, or without one.
func (t *tool) open(ctx context.Context) (*store.Store, error) {
	if err := t.beOwner(); err != nil {
		return nil, err
	}
	return district.OpenStore(ctx, t.config, slog.New(slog.DiscardHandler))
}

// beOwner refuses to make files that the collector could not open: it makes
// the data directory if there is none, and otherwise wants to be its owner.
func (t *tool) beOwner() error {
	info, err := os.Stat(t.config.Data)
	if errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(t.config.Data, 0o750)
	}
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user: run this as its owner, sudo -u '#%d' districtd …", t.config.Data, owner.Uid)
	}
	return nil
}

// key prints the collector's public key, and makes a key if there is none.
func (t *tool) key(context.Context) error {
	if err := t.beOwner(); err != nil {
		return err
	}
	key, err := district.LoadKey(t.config.Data)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.stdout, wire.FormatPublicKey(key.Public().(ed25519.PublicKey)))
	return nil
}

func (t *tool) admit(ctx context.Context, args []string) (err error) {
	flags := quiet("admit")
	school, duty := flags.String("school", "", ""), flags.String("duty", "", "")
	given := flags.Bool("password-stdin", false, "")
	if flags.Parse(args) != nil || flags.NArg() != 2 {
		return errUsage
	}
	g := store.Gate{Name: flags.Arg(0), School: *school, Duty: *duty, Admitted: time.Now()}
	if !wire.ValidName(g.Name) || g.Name == t.config.Name {
		return fmt.Errorf("%q cannot be a gate's name: use 1 to 32 of a-z, 0-9 and -, and not the collector's", g.Name)
	}
	if g.Key, err = wire.ParsePublicKey(flags.Arg(1)); err != nil {
		return err
	}
	password, err := t.password(*given)
	if err != nil {
		return err
	}
	if password != "" {
		g.Password = district.HashPassword(g.Name, password)
	}
	err = t.with(ctx, func(s *store.Store) error {
		if err := keepWords(ctx, s, &g); err != nil {
			return err
		}
		return s.Admit(ctx, g)
	})
	if err != nil {
		return err
	}
	if password != "" && !*given {
		fmt.Fprintln(t.stdout, password)
	}
	return t.office(ctx, func(o *district.Office) error { return o.Supply(ctx, g) })
}

// password returns the gate's password at the collector's own broker, given or
// made; none where the broker is another one.
func (t *tool) password(given bool) (string, error) {
	switch {
	case t.config.Broker.URL != "" && given:
		return "", errors.New("the broker is another one: set the gate's password there, and leave -password-stdin out")
	case t.config.Broker.URL != "":
		return "", nil
	case !given:
		return rand.Text(), nil
	}
	line, err := bufio.NewReader(io.LimitReader(t.stdin, 256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); len(line) < district.MinPassword {
		return "", fmt.Errorf("the password has %d characters: use at least %d random ones, or let districtd make it", len(line), district.MinPassword)
	}
	return line, nil
}

// keepWords leaves school and duty of a gate that is let in again as they
// were, where they are not said anew.
func keepWords(ctx context.Context, s *store.Store, g *store.Gate) error {
	gates, err := s.Gates(ctx)
	for _, was := range gates {
		if was.Name == g.Name {
			g.School, g.Duty = cmp.Or(g.School, was.School), cmp.Or(g.Duty, was.Duty)
		}
	}
	return err
}

func (t *tool) revoke(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return t.with(ctx, func(s *store.Store) error {
		return unknown(s.Revoke(ctx, args[0], time.Now()), "no gate of this name is let in")
	})
}

func (t *tool) gates(ctx context.Context) error {
	return t.with(ctx, func(s *store.Store) error {
		gates, err := s.Gates(ctx)
		if err != nil {
			return err
		}
		return t.table("GATE\tSCHOOL\tDUTY\tLET IN\tENTRIES\tKEY", func(out io.Writer) error {
			for _, g := range gates {
				size := uint64(0)
				journals, err := s.Streams(ctx, g.Name)
				if err != nil {
					return err
				}
				if n := len(journals); n > 0 {
					size = journals[n-1].Tree.Size()
				}
				since := g.Admitted.Format(time.DateTime)
				if !g.Revoked.IsZero() {
					since = "revoked " + g.Revoked.Format(time.DateTime)
				}
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%s\n", g.Name, g.School, g.Duty, since, size, wire.FormatPublicKey(g.Key))
			}
			return nil
		})
	})
}

func (t *tool) addToken(ctx context.Context, args []string) error {
	flags := quiet("token add")
	names := flags.Bool("names", false, "")
	if flags.Parse(args) != nil || flags.NArg() != 1 {
		return errUsage
	}
	if n := len(flags.Arg(0)); n < 1 || n > 64 {
		return fmt.Errorf("a token's name has 1 to 64 characters, not %d", n)
	}
	token := pull.NewToken()
	err := t.with(ctx, func(s *store.Store) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, was := range tokens {
			if was.Name == flags.Arg(0) {
				return errors.New("a token of this name is there: revoke it first, or choose another name")
			}
		}
		return s.Grant(ctx, store.Token{Name: flags.Arg(0), Hash: pull.Hash(token), Names: *names, Issued: time.Now()})
	})
	if err == nil {
		fmt.Fprintln(t.stdout, token)
	}
	return err
}

func (t *tool) tokens(ctx context.Context) error {
	return t.with(ctx, func(s *store.Store) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		return t.table("NAME\tISSUED\tNAMES", func(out io.Writer) error {
			for _, k := range tokens {
				fmt.Fprintf(out, "%s\t%s\t%t\n", k.Name, k.Issued.Format(time.DateTime), k.Names)
			}
			return nil
		})
	})
}

func (t *tool) revokeToken(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return t.with(ctx, func(s *store.Store) error {
		return unknown(s.Withdraw(ctx, args[0]), "no token has this name")
	})
}

// with opens the store for one act.
func (t *tool) with(ctx context.Context, act func(*store.Store) error) (err error) {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return act(s)
}

// table prints rows in columns.
func (t *tool) table(head string, rows func(io.Writer) error) error {
	out := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, head)
	return errors.Join(rows(out), out.Flush())
}

// unknown says in words for a person that there is no such thing.
func unknown(err error, words string) error {
	if errors.Is(err, store.ErrUnknown) {
		return errors.New(words)
	}
	return err
}

func quiet(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}
