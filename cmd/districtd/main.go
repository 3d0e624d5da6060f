// Command districtd runs one collector, of a district or a school: it takes
// the journals of gates, keeps them, and serves the page and the pull. It also
// says which gates and programs are let in, and sends rosters and policies to gates.
//
// It exits 0 after a stop by SIGTERM or interrupt, 1 after a failure, 2 when
// called wrongly, 78 when the configuration is at fault.
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
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // a small system has no table of time zones

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/systemd"
)

var version = "devel"

// Exit codes, as the unit knows them.
const (
	exitFailed = 1
	exitUsage  = 2
	exitConfig = 78
)

const usage = `districtd collects the journals of gates.

  districtd [-config FILE] [COMMAND]

  run                          run the collector; what it does without a command
  check                        read the configuration; every fault with line and remedy
  key                          print the collector's public key, which every gate must be told
  admit [-school NAME] [-duty PHONE] [-password-stdin] GATE ed25519:KEY
                               let a gate in, or in again; prints its password once, unless it
                               is read from standard input or the broker is another one
  gates                        who is let in
  revoke GATE                  let a gate in no more; what was collected stays
  roster import [-allow-left N] [-yes] -school NAME FILE.csv
                               make a list the roster of a school and send it to the school's gates;
                               says first what changes, and asks, unless -yes
  roster undo -school NAME     bring back the roster before the last change, and send it
  roster list                  the schools, and which of their gates have the newest list
  policy publish [-yes] FILE   try a policy on the last week, sign it with the collector's key and send
                               it to the gates that it is for; where it stops more than 5 % of the
                               people, 'gatectl policy sign' by a key of policy_signers comes first
  policy status                what was published, who has it, and what is in force where
  token add [-names] NAME      let a program or a person read; prints the token once
  token list
  token revoke NAME
  version

What runs beside the collector runs as its user, for example
  sudo -u menshen districtd gates
`

// garbage is how much, in hundredths of what a collector lives on, may pile up
// before it is collected: a collector has memory to spare, and takes a backlog
// for a sixth less.
const garbage = 400

func main() {
	debug.SetGCPercent(garbage)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal waits for nothing
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// tool is one call of districtd.
type tool struct {
	config         *config.District
	stdin          io.Reader
	stdout, stderr io.Writer
}

// errUsage: the call is wrong.
var errUsage = errors.New("usage")

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("districtd", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	name := flags.String("config", "/etc/menshen/districtd.toml", "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	if flags.NArg() == 1 && flags.Arg(0) == "version" {
		fmt.Fprintln(stdout, "districtd", version)
		return 0
	}
	command := commandOf(flags.Args())
	if command == nil {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	t := &tool{stdin: stdin, stdout: stdout, stderr: stderr}
	var err error
	if t.config, err = config.LoadDistrict(*name); err != nil {
		fmt.Fprintln(stderr, err)
		return exitConfig
	}
	switch err := command(t, ctx); {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, usage)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "districtd:", err)
		return exitFailed
	}
}

// commandOf finds the command of the arguments, nil if there is none such.
func commandOf(args []string) func(*tool, context.Context) error {
	if len(args) == 0 {
		return (*tool).serve
	}
	name, rest := args[0], args[1:]
	if len(rest) > 0 && (name == "token" || name == "roster" || name == "policy") {
		name, rest = name+" "+rest[0], rest[1:]
	}
	with := func(f func(*tool, context.Context, []string) error) func(*tool, context.Context) error {
		return func(t *tool, ctx context.Context) error { return f(t, ctx, rest) }
	}
	switch name {
	case "admit":
		return with((*tool).admit)
	case "revoke":
		return with((*tool).revoke)
	case "token add":
		return with((*tool).addToken)
	case "token revoke":
		return with((*tool).revokeToken)
	case "roster import":
		return with((*tool).importRoster)
	case "roster undo":
		return with((*tool).undoRoster)
	case "policy publish":
		return with((*tool).publishPolicy)
	}
	if len(rest) > 0 {
		return nil
	}
	return map[string]func(*tool, context.Context) error{
		"run": (*tool).serve, "check": (*tool).check, "key": (*tool).key, "gates": (*tool).gates, "token list": (*tool).tokens,
		"roster list": (*tool).rosters, "policy status": (*tool).policies,
	}[name]
}

// serve runs the collector until the context ends.
func (t *tool) serve(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(t.stderr, nil))
	pages, err := district.Listen(t.config.Web.Server)
	if err != nil {
		return err
	}
	defer pages.Close()
	d := district.New(district.Options{Config: t.config, Web: pages, Log: log})
	defer systemd.Tell(ctx, d.Alive, log)()
	log.Info("page and pull served", "address", pages.Addr().String(), "tls", t.config.Web.Cert != "")
	return d.Run(ctx)
}

// check prints what the configuration means.
func (t *tool) check(context.Context) error {
	c := t.config
	broker := c.Broker.URL
	if broker == "" {
		broker = "its own at " + c.Broker.Listen
	}
	fmt.Fprintf(t.stdout, "collector %s, record in %s, page and pull at %s, broker %s\n", c.Name, c.Data, c.Web.Listen, broker)
	return nil
}
