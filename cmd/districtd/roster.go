package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/roster"
)

// office opens the store and what is kept beside it for one act.
func (t *tool) office(ctx context.Context, act func(*district.Office) error) error {
	return t.with(ctx, func(s *store.Store) error {
		o, err := district.NewOffice(t.config, s, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		return act(o)
	})
}

func (t *tool) importRoster(ctx context.Context, args []string) error {
	flags := quiet("roster import")
	school, allow, yes := flags.String("school", "", ""), flags.Int("allow-left", 0, ""), flags.Bool("yes", false, "")
	if flags.Parse(args) != nil || flags.NArg() != 1 || *school == "" || *allow < 0 {
		return errUsage
	}
	people, err := readList(flags.Arg(0))
	if err != nil {
		return err
	}
	return t.office(ctx, func(o *district.Office) error {
		if !*yes {
			c, err := o.Preview(ctx, *school, people)
			if err != nil {
				return err
			}
			t.printChange(c)
			if n := len(c.Left); c.TooManyLeft() && n > *allow {
				fmt.Fprintf(t.stdout, "so many leave only with -allow-left %d\n", n)
			}
			if !t.agrees("Make this the roster and send it to the school's gates? Type yes: ") {
				return errors.New("nothing was changed")
			}
		}
		c, err := o.ImportRoster(ctx, *school, people, *allow)
		if err != nil {
			return err
		}
		t.printChange(c)
		return t.printPosted(ctx, o, *school)
	})
}

func readList(name string) (people []roster.Person, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return roster.Parse(file)
}

// agrees asks on standard output and reads the answer from standard input.
func (t *tool) agrees(question string) bool {
	fmt.Fprint(t.stdout, question)
	line, err := bufio.NewReader(io.LimitReader(t.stdin, 64)).ReadString('\n')
	return (err == nil || errors.Is(err, io.EOF)) && strings.TrimSpace(line) == "yes"
}

func (t *tool) undoRoster(ctx context.Context, args []string) error {
	flags := quiet("roster undo")
	school := flags.String("school", "", "")
	if flags.Parse(args) != nil || flags.NArg() != 0 || *school == "" {
		return errUsage
	}
	return t.office(ctx, func(o *district.Office) error {
		c, err := o.UndoRoster(ctx, *school)
		if err == nil || errors.Is(err, district.ErrNobody) {
			t.printChange(c)
		}
		if err != nil {
			return err
		}
		return t.printPosted(ctx, o, *school)
	})
}

// printChange prints what gatectl prints of an import at a gate.
func (t *tool) printChange(c roster.Change) {
	fmt.Fprintf(t.stdout, "roster %d: %d added, %d changed, %d left\n", c.Version, len(c.Added), len(c.Changed), len(c.Left))
	for _, class := range c.LeftClasses {
		fmt.Fprintf(t.stdout, "  the whole class %s leaves\n", class)
	}
}

func (t *tool) printPosted(ctx context.Context, o *district.Office, school string) error {
	gates, err := o.Gates(ctx, school)
	if err != nil {
		return err
	}
	var names []string
	for _, g := range gates {
		names = append(names, g.Name)
	}
	fmt.Fprintf(t.stdout, "goes to %s; districtd roster list says who has it\n", strings.Join(names, ", "))
	return nil
}

func (t *tool) rosters(ctx context.Context) error {
	return t.office(ctx, func(o *district.Office) error {
		all, err := o.Rosters(ctx)
		if err != nil {
			return err
		}
		return t.table("SCHOOL\tROSTER\tPEOPLE\tSENT\tHAVE IT\tHAVE ANOTHER OR NONE", func(out io.Writer) error {
			for _, s := range all {
				sent := "-"
				if !s.Posted.IsZero() {
					sent = s.Posted.Format(time.DateTime)
				}
				fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%s\t%s\n", s.School, s.Version, s.People, sent, orNone(s.Have), orNone(s.Others))
			}
			return nil
		})
	})
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, " ")
}
