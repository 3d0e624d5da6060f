// Command gatectl is the gate's admin tool: it checks a configuration, shows
// the state and the key of a gate, imports the roster, prints badges, lifts
// holds, tries and signs policies, and reads and proves the journal.
//
// It asks gated over its unix socket; what only reads the journal reads the
// file. It exits 0 when all is well, 1 when something failed, 2 when called
// wrongly, 78 when the configuration is at fault.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/sync/wire"
	"github.com/menshen/menshen/tomlfile"
)

var version = "devel"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
	exitConfig = 78
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what waits for standard input
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// tool is one call of gatectl.
type tool struct {
	config         string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// errUsage: the call is wrong; the usage has been printed.
var errUsage = errors.New("usage")

const usage = `gatectl asks a gate, or reads its journal.

  gatectl [-config FILE] COMMAND

  check                        read the configuration; every fault with line and remedy
  status                       what the gate is doing and what is wrong with it
  scan [-probe]                what is on buses, ports and inputs, and the profile's lines for it;
                               -probe also sends bytes to what is not known: first see that no
                               relay hangs on it
  doctor                       every check of this machine: what is wrong, why it matters, what to type
  accept                       tries the gate where it stands, step by step, with two names; one
                               that is under way goes on
  live [-n N]                  raw temperatures and scans as they come, until Ctrl-C or N lines
  calibrate [-method blackbody|waterbath] [-n N] -by NUMBER,NUMBER LANE
                               compare a lane's thermometer with references of 35, 37 and 39 °C;
                               N samples of each; both PINs are read from standard input
  calibrate -field -by NUMBER,NUMBER LANE
                               with three people and a clinical thermometer, good for 30 days
  calibrate -heights -by NUMBER,NUMBER LANE
                               whether the lens sees a child as it sees an adult
  roster import [-preview] [-allow-left N] FILE.csv
                               replace the roster by a list; prints added, changed, left
  roster undo                  bring back the roster before the last change
  roster pin NUMBER            set a member of staff's PIN, read from standard input
  roster duty NUMBER DUTIES    what somebody does at the gate: guard, desk, nurse, leader,
                               teacher (checks a class); several with commas between, or none
  roster badges [-class C] DIR QR pictures and a sheet to print
  roster cards [-out DIR] N    make the visitors' cards V01 to VN that are missing; -out prints
                               all of them
  roster export [-force] FILE  the numbered list, for a collector or another gate to begin with
  key show                     name and public key of this gate, for its collectors
  hold list                    who is on hold
  hold lift -by NUMBER NUMBER  end a hold by name; the PIN is read from standard input
  calendar check FILE          every fault of a school calendar with line and remedy
  calendar load FILE           put it in force; its number must be higher than the one before
  calendar show [FILE]         what today is, and how many are expected
  web paired                   browsers of other machines that may show pages
  web unpair N                 end one of them at once
  journal verify [-file FILE]  recompute every hash and the root
  journal export [-file FILE]  every entry as one JSON object a line
  journal tail [-file FILE] [-n N] [-f]
                               the newest entries; -f goes on with what is added
  journal rebase -reason TEXT  begin the next journal, for a card that was restored or replaced
  policy check FILE...         every fault of a policy with line and remedy
  policy test [-cases DIR] [DIR]
                               run the cases of all policies; which rules they cover
  policy diff A B              what changes from one policy to another; a file or a preset
  policy replay -policy P [-journal J] [-roster LIST.csv]
                               what P would have decided in the last 7 days
  policy explain [-journal J] ARRIVAL
                               why an arrival, 12-345, was decided as it was
  policy sign -key FILE POLICY put a signature behind a policy; makes the key if there is none
  policy load FILE             bring a signed policy to this gate; its number must be higher than
                               the one before
  policy order -key FILE -qr FILE.png -number N [-from DAY] [-threshold T] [-boundary B]
               [-warn ROWS] [-enforce ROWS] PRESET
                               a policy as one QR code for a lane's scanner
  rest                         write OFF to every barrier; for when gated is not running
  version
`

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	t := &tool{stdin: stdin, stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("gatectl", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	flags.StringVar(&t.config, "config", "/etc/menshen/gated.toml", "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	err := t.command(ctx, flags.Args())
	var faults tomlfile.Faults
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, usage)
		return exitUsage
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, err)
		return exitConfig
	}
	fmt.Fprintln(stderr, "gatectl:", err)
	return exitFailed
}

func (t *tool) command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "check":
		return t.check(rest)
	case "roster":
		return t.roster(ctx, rest)
	case "hold":
		return t.hold(ctx, rest)
	case "calendar":
		return t.calendar(ctx, rest)
	case "web":
		return t.web(ctx, rest)
	case "journal":
		return t.journal(ctx, rest)
	case "key":
		return t.key(ctx, rest)
	case "policy":
		return t.policy(ctx, rest)
	case "scan":
		return t.scan(ctx, rest)
	case "live":
		return t.live(ctx, rest)
	case "accept":
		return t.accept(ctx, rest)
	case "calibrate":
		return t.calibrate(ctx, rest)
	}
	switch {
	case len(rest) > 0:
	case name == "version":
		fmt.Fprintln(t.stdout, "gatectl", version)
		return nil
	case name == "status":
		return t.status(ctx)
	case name == "rest":
		return t.rest(ctx)
	case name == "doctor":
		return t.doctor(ctx)
	}
	return errUsage
}

// load reads the configuration as gated does: one that cannot be used gives
// way to the last good one.
func (t *tool) load() (*config.Config, error) {
	cfg, err := config.Load(t.config, firmwareconfig.Profiles())
	if err == nil {
		return cfg, nil
	}
	if last, lastErr := config.LoadLastGood(config.DataDir(t.config)); lastErr == nil {
		return last, nil
	}
	return nil, err
}

// check prints every fault, or what the configuration means.
func (t *tool) check(args []string) error {
	if len(args) == 1 {
		t.config = args[0]
	} else if len(args) > 1 {
		return errUsage
	}
	cfg, err := config.Load(t.config, firmwareconfig.Profiles())
	if err != nil {
		return err
	}
	for _, c := range cfg.Collectors {
		if _, err := wire.ParsePublicKey(c.Key); err != nil {
			return fmt.Errorf("collector %s: %w", c.Name, err)
		}
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(t.stdout, "warning:", w)
	}
	fmt.Fprintf(t.stdout, "%s: gate %s, profile %s, %d lane(s), pages at %s\n", t.config, cfg.Gate, cfg.Board.Name, len(cfg.Board.Lanes), cfg.Web.Listen)
	for _, l := range cfg.Board.Lanes {
		fmt.Fprintf(t.stdout, "  lane %d (%s):", l.Number, l.Direction)
		for _, part := range []struct {
			fitted bool
			name   string
		}{
			{l.Scanner != nil, "scanner"}, {l.Thermometer != nil, "thermometer"}, {l.Barrier != nil, "barrier"},
			{l.Lamps.Green.Relay != "", "green"}, {l.Lamps.Red.Relay != "", "red"}, {l.Lamps.Buzzer.Relay != "", "buzzer"},
			{l.Presence != nil, "presence"}, {l.Button != nil, "button"},
		} {
			if part.fitted {
				fmt.Fprint(t.stdout, " ", part.name)
			}
		}
		fmt.Fprintln(t.stdout)
	}
	return nil
}

// flagsOf parses a subcommand's flags and wants exactly n arguments before,
// between or behind them: a remedy is typed at the end of the line that failed.
func (t *tool) flagsOf(name string, args []string, n int, define func(*flag.FlagSet)) (rest []string, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if define != nil {
		define(flags)
	}
	for {
		if flags.Parse(args) != nil {
			return nil, errUsage
		}
		if flags.NArg() == 0 {
			break
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
	if len(rest) != n {
		return nil, errUsage
	}
	return rest, nil
}
