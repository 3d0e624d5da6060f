// Command menshen is the one file that makes a machine a gate: it carries the
// programs gated and gatectl, installs them with user, groups, udev rules, units
// and a first configuration, and takes them away again. On an installed gate it
// mends, as root, what the page /setup asks for.
//
// It exits 0 when all is well, 1 when a step failed, 2 when called wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/install"
)

var version = "devel"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

const usage = `menshen 把一台机器装成校门设备 · makes a machine a gate

  sudo ./menshen install [-gate NAME] [-school NAME] [-profile PROFILE] [-lan] [-root DIR]
                         程序、用户、设备名、配置、开机启动,一步一步说;再来一次也不坏
                         every step is said, and may be taken again; a configuration that is
                         there stays. -lan lets phones on the network reach the pages;
                         -root prepares an image instead of this machine
  sudo menshen uninstall 删程序和服务,留下配置和数据
                         programs and service go, configuration and data stay
  sudo menshen fix [-undo] i2c|uart|console|bluetooth|restart
                         树莓派的设置 · what a Raspberry Pi has switched the wrong way
  menshen pack OUT LAUNCHER DIR
                         makes the one file, of a launcher and the programs in a directory
  menshen version
`

// errUsage: the call is wrong.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "menshen: find this program:", err)
		os.Exit(exitFailed)
	}
	t := tool{self: self, machine: "/", start: started, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(t.run(ctx, os.Args[1:]))
}

// tool is one call of menshen.
type tool struct {
	// self is this program's own file, machine the root of the machine on which it
	// runs, and start starts programs there.
	self, machine  string
	start          install.Run
	stdout, stderr io.Writer
}

func (t tool) run(ctx context.Context, args []string) int {
	err := t.command(ctx, args)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(t.stdout, usage)
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(t.stderr, usage)
		return exitUsage
	}
	fmt.Fprintln(t.stderr, "menshen:", err)
	return exitFailed
}

func (t tool) command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	name, rest := args[0], args[1:]
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	switch name {
	case "install":
		return t.install(ctx, flags, rest)
	case "uninstall":
		root := flags.String("root", t.machine, "")
		if err := parse(flags, rest, 0); err != nil {
			return err
		}
		o, err := t.options(*root)
		if err != nil {
			return err
		}
		return install.Remove(ctx, o, t.say)
	case "fix":
		return t.fix(ctx, flags, rest)
	case "pack":
		if err := parse(flags, rest, 3); err != nil {
			return err
		}
		return pack(flags.Arg(0), flags.Arg(1), os.DirFS(flags.Arg(2)))
	case "version":
		_, err := fmt.Fprintln(t.stdout, "menshen", version)
		return err
	case "-h", "-help", "--help", "help":
		return flag.ErrHelp
	}
	return errUsage
}

func (t tool) say(s install.Step) { fmt.Fprintln(t.stdout, s) }

// options are those of this machine, which takes root, or of an image below
// another root, where nothing is started.
func (t tool) options(root string) (install.Options, error) {
	o := install.Options{System: firmwareconfig.System(), Profiles: firmwareconfig.Profiles()}
	var err error
	if o.Root, err = filepath.Abs(root); err != nil {
		return o, err
	}
	if o.Root != t.machine {
		return o, nil
	}
	if os.Geteuid() != 0 {
		return o, errors.New("要用 root / run it as root: sudo ./menshen install")
	}
	o.Run = t.start
	return o, nil
}

// parse wants exactly n arguments behind the flags.
func parse(flags *flag.FlagSet, args []string, n int) error {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil || flags.NArg() != n:
		return errUsage
	}
	return nil
}

func (t tool) install(ctx context.Context, flags *flag.FlagSet, args []string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "" // a gate has a name all the same
	}
	root := flags.String("root", t.machine, "")
	gate, school, profile := flags.String("gate", install.GateName(host), ""), flags.String("school", "", ""), flags.String("profile", "", "")
	lan := flags.Bool("lan", false, "")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	o, err := t.options(*root)
	if err != nil {
		return err
	}
	o.Gate, o.School, o.Profile, o.LAN = *gate, *school, *profile, *lan
	programs, shut, err := unpack(t.self)
	if err != nil { // it carries none: a build, where they stand beside it
		programs, shut = os.DirFS(filepath.Dir(t.self)), func() error { return nil }
	}
	defer shut()
	o.Programs = programs
	return install.Install(ctx, o, t.say)
}

func (t tool) fix(ctx context.Context, flags *flag.FlagSet, args []string) error {
	root := flags.String("root", t.machine, "")
	undo, asked := flags.Bool("undo", false, ""), flags.Bool("asked", false, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 1 || *asked != (flags.NArg() == 0) {
		return errUsage
	}
	o, err := t.options(*root)
	if err != nil {
		return err
	}
	if *asked {
		return install.Asked(ctx, o, config.DataDir(filepath.Join(o.Root, install.ConfigFile)))
	}
	done, err := install.Fix(ctx, o, flags.Arg(0), *undo)
	if err == nil {
		_, err = fmt.Fprintln(t.stdout, "✓", done)
	}
	return err
}

// started starts a program of the system; what it says is part of the error.
func started(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %.300s", name, err, out)
	}
	return nil
}
