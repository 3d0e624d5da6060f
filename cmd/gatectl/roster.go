package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/roster"
)

func (t *tool) roster(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "import":
		return t.importRoster(ctx, args[1:])
	case "undo":
		if len(args) > 1 {
			return errUsage
		}
		var c gate.RosterChange
		if err := t.ask(ctx, http.MethodPost, "/v1/roster/undo", nil, &c); err != nil {
			return err
		}
		t.printChange(c)
		return nil
	case "pin":
		rest, err := t.flagsOf("pin", args[1:], 1, nil)
		if err != nil {
			return err
		}
		pin, err := t.line("PIN (6 to 8 digits): ")
		if err != nil {
			return err
		}
		return t.post(ctx, "/v1/roster/pin", struct{ Number, PIN string }{rest[0], pin})
	case "duty":
		rest, err := t.flagsOf("duty", args[1:], 2, nil)
		if err != nil {
			return err
		}
		return t.post(ctx, "/v1/roster/duty", struct{ Number, Duties string }{rest[0], rest[1]})
	case "badges":
		return t.badges(ctx, args[1:])
	case "cards":
		return t.cards(ctx, args[1:])
	case "export":
		return t.exportRoster(ctx, args[1:])
	}
	return errUsage
}

func (t *tool) importRoster(ctx context.Context, args []string) error {
	var preview bool
	var allow int
	rest, err := t.flagsOf("import", args, 1, func(f *flag.FlagSet) {
		f.BoolVar(&preview, "preview", false, "")
		f.IntVar(&allow, "allow-left", 0, "")
	})
	if err != nil {
		return err
	}
	file, err := os.Open(rest[0])
	if err != nil {
		return err
	}
	defer file.Close()
	q := url.Values{}
	if preview {
		q.Set("preview", "1")
	}
	if allow > 0 {
		q.Set("allow_left", strconv.Itoa(allow))
	}
	var c gate.RosterChange
	if err := t.ask(ctx, http.MethodPost, "/v1/roster/import?"+q.Encode(), file, &c); err != nil {
		return err
	}
	t.printChange(c)
	if preview {
		fmt.Fprintln(t.stdout, "nothing was changed: this was a preview")
	}
	return nil
}

func (t *tool) printChange(c gate.RosterChange) {
	fmt.Fprintf(t.stdout, "roster %d: %d added, %d changed, %d left\n", c.Version, c.Added, c.Changed, c.Left)
	for _, class := range c.LeftClasses {
		fmt.Fprintf(t.stdout, "  the whole class %s leaves\n", class)
	}
	if c.Refused != "" {
		fmt.Fprintln(t.stdout, "would be refused:", c.Refused)
	}
}

// badges writes the pictures here, not in the gate: they are for a printer.
func (t *tool) badges(ctx context.Context, args []string) error {
	var class string
	rest, err := t.flagsOf("badges", args, 1, func(f *flag.FlagSet) { f.StringVar(&class, "class", "", "") })
	if err != nil {
		return err
	}
	var all, chosen []roster.Person
	if err := t.ask(ctx, http.MethodGet, "/v1/roster/people", nil, &all); err != nil {
		return err
	}
	for _, p := range all {
		if class == "" || p.Class == class {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return errors.New("nobody to print a badge for: import a roster first, or see the name of the class")
	}
	if err := roster.Badges(ctx, rest[0], chosen, roster.BadgeOpts{}); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d badges in %s; print badges.html\n", len(chosen), rest[0])
	return nil
}

// cards makes the visitors' cards that are missing and prints, where it is told
// where, all that there are.
func (t *tool) cards(ctx context.Context, args []string) error {
	var out string
	rest, err := t.flagsOf("cards", args, 1, func(f *flag.FlagSet) { f.StringVar(&out, "out", "", "") })
	if err != nil {
		return err
	}
	var c gate.CardsMade
	q := url.Values{"highest": {rest[0]}}
	if err := t.ask(ctx, http.MethodPost, "/v1/roster/cards?"+q.Encode(), nil, &c); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d cards made, %d there are\n", c.Made, len(c.Cards))
	if out == "" {
		return nil
	}
	if err := roster.PrintCards(ctx, out, c.Cards, roster.BadgeOpts{}); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%d cards in %s; print cards.html\n", len(c.Cards), out)
	return nil
}

// exportRoster writes the numbered list, with which a collector or another gate
// begins its roster. It holds everybody's badge: only its owner reads the file.
func (t *tool) exportRoster(ctx context.Context, args []string) error {
	var force bool
	rest, err := t.flagsOf("export", args, 1, func(f *flag.FlagSet) { f.BoolVar(&force, "force", false, "") })
	if err != nil {
		return err
	}
	var e gate.RosterExport
	if err := t.ask(ctx, http.MethodGet, "/v1/roster/export", nil, &e); err != nil {
		return err
	}
	if e.Version == 0 {
		return errors.New("the roster is empty: import a list first")
	}
	if force {
		// Replaced, not written over: another mode, or a link, would let others read it.
		if err := os.Remove(rest[0]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := writeNew(rest[0], e.List); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "roster %d: %d people in %s\n", e.Version, e.Present, rest[0])
	return nil
}

// writeNew writes a file that must not be there yet, or leaves none.
func writeNew(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: name another file, or replace this one with -force", err)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
