package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/roster"
)

// ask calls the running gate over its socket and reads its answer into out.
func (t *tool) ask(ctx context.Context, method, path string, body io.Reader, out any) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", cfg.Socket)
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://gate"+path, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no gate answers at %s: start it with 'systemctl start gated'", cfg.Socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: run this as root or as a member of the group menshen", cfg.Socket)
	case err != nil:
		return fmt.Errorf("ask gate: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var fault struct{ Error string }
		if err := json.NewDecoder(resp.Body).Decode(&fault); err != nil || fault.Error == "" {
			return fmt.Errorf("gate answers %s", resp.Status)
		}
		return errors.New(fault.Error)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the gate's answer: %w", err)
	}
	return nil
}

func (t *tool) status(ctx context.Context) error {
	var s gate.Status
	if err := t.ask(ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return err
	}
	p := func(format string, args ...any) { fmt.Fprintf(t.stdout, format+"\n", args...) }
	p("gate %s, gated %s", s.Gate, s.Version)
	p("time      %s (%s)", s.Now.Format("2006-01-02 15:04:05"), s.Clock)
	p("journal   %d entries, boot %d, root %s", s.Entries, s.Boot, s.Root)
	if s.Waiting > 0 || s.Lost > 0 {
		p("  NOT STORED: %d entries wait, %d lost. Free space on the disk, or see whether it is read-only", s.Waiting, s.Lost)
	}
	p("roster    %d people, %d arrived today", s.Roster, s.Arrived)
	p("open      %d set aside, %d alarms, %d on hold, %d on duty", s.Asides, s.Alarms, s.Holds, s.OnDuty)
	for _, l := range s.Lanes {
		p("lane %-4d %s, %s %s", l.Number, l.Direction, l.Phase, strings.Join(l.Faults, " "))
	}
	for _, problem := range s.Problems {
		p("! %s", problem)
	}
	if s.Banner != "" {
		p("! runs on the last good configuration, because:\n%s", s.Banner)
	}
	return nil
}

func (t *tool) roster(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "import":
		return t.importRoster(ctx, args[1:])
	case "undo":
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
	case "badges":
		return t.badges(ctx, args[1:])
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

func (t *tool) hold(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "list":
		var list []gate.Hold
		if err := t.ask(ctx, http.MethodGet, "/v1/holds", nil, &list); err != nil {
			return err
		}
		for _, h := range list {
			how := "a recheck by another instrument, or a lift, ends it"
			if h.Grave {
				how = "only a lift ends it"
			}
			fmt.Fprintf(t.stdout, "%s %s since arrival %s: %s\n", h.Number, h.Class, h.Arrival, how)
		}
		return nil
	case "lift":
		var by string
		rest, err := t.flagsOf("lift", args[1:], 1, func(f *flag.FlagSet) { f.StringVar(&by, "by", "", "") })
		if err != nil || by == "" {
			return errUsage
		}
		pin, err := t.line("PIN of " + by + ": ")
		if err != nil {
			return err
		}
		return t.post(ctx, "/v1/holds/lift", struct{ Number, By, PIN string }{rest[0], by, pin})
	}
	return errUsage
}

// post sends a value and wants no answer but that it was taken.
func (t *tool) post(ctx context.Context, path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.ask(ctx, http.MethodPost, path, bytes.NewReader(b), &struct{}{})
}

// line reads one line from standard input; a secret never stands in the
// arguments, where every user of the machine can read it.
func (t *tool) line(prompt string) (string, error) {
	fmt.Fprint(t.stderr, prompt)
	s, err := bufio.NewReader(io.LimitReader(t.stdin, 256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return strings.TrimSpace(s), nil
}
