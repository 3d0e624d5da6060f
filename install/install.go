// Package install makes a Linux machine a gate, takes that back, and mends what
// a bare board has switched the wrong way.
//
// It knows where the programs, the units and the first configuration belong,
// and the firmware's files of a Raspberry Pi. It writes below a root that it is
// given and starts programs only through a function that it is given, so that an
// image on a desk is prepared like the machine that runs. It does not know what
// is wired to a board, reads no journal, and never touches a configuration or
// data that are there.
package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
)

// Where the programs and the configuration belong, below the root.
const (
	binaries = "usr/bin"
	// ConfigFile is the configuration that units name.
	ConfigFile = "/etc/menshen/gated.toml"
)

// Programs are what a gate consists of.
func Programs() []string { return []string{"gated", "gatectl", "menshen"} }

// Run starts a program and returns when it has ended; the error wraps
// exec.ErrNotFound where there is no such program.
type Run func(ctx context.Context, name string, args ...string) error

// Options say what is installed, and where.
type Options struct {
	// Root is the directory that is "/" on the gate.
	Root string
	// Programs holds the files of Programs, System those of the directory
	// firmware-config, Profiles the built-in profiles.
	Programs, System, Profiles fs.FS
	// Gate, School and Profile stand in the first configuration. Profile may be
	// empty: what suits the board is taken.
	Gate, School, Profile string
	// LAN lets other machines reach the pages; each is paired first.
	LAN bool
	// Run is nil for an image: what needs a running system is then left to its
	// first start.
	Run Run
}

// Step is one line of what was done.
type Step struct {
	// Chinese and English say what it was about.
	Chinese, English string
	// Note says what was done, or that nothing was to be done.
	Note string
	// Err is why it was not done, and Fix what to type then; Skipped says that it
	// was not tried.
	Err     error
	Fix     string
	Skipped bool
}

// String returns the line as it is printed, without its end.
func (s Step) String() string {
	what := s.Chinese + " · " + s.English
	switch {
	case s.Skipped:
		return "- " + what + ": 没有做 / not tried"
	case s.Err == nil:
		return "✓ " + what + ": " + s.Note
	case s.Fix == "":
		return fmt.Sprintf("✗ %s: %v", what, s.Err)
	}
	return fmt.Sprintf("✗ %s: %v\n    $ %s", what, s.Err, s.Fix)
}

// failure is an error with what to type about it.
type failure struct {
	error
	fix string
}

func (f failure) Unwrap() error { return f.error }

// job is an installation under way.
type job struct {
	Options
	root *os.Root
	// changed says that a program or a unit is another one than before.
	changed bool
}

// open opens the root of the options.
func (o Options) open() (j *job, shut func() error, err error) {
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return nil, nil, fmt.Errorf("open root: %w", err)
	}
	return &job{Options: o, root: root}, root.Close, nil
}

// task is one step before it is taken.
type task struct {
	chinese, english string
	do               func(context.Context) (note string, err error)
}

// Install takes every step and says each. What is there already stays, so that it
// may be called again at any time, and is how a newer program is brought. The
// error counts the steps that failed; those were said.
func Install(ctx context.Context, o Options, say func(Step)) error {
	return o.take(ctx, say, func(j *job) []task {
		return []task{
			{"程序", "programs", j.programs},
			{"用户和设备组", "user and groups of devices", j.users},
			{"设备名", "names of devices", j.rules},
			{"内核模块", "kernel modules", j.modules},
			{"配置", "configuration", j.config},
			{"开机启动", "starts by itself", j.units},
			{"启动", "started", j.start},
		}
	})
}

// Remove takes back what Install did. Configuration, data and the user stay.
func Remove(ctx context.Context, o Options, say func(Step)) error {
	return o.take(ctx, say, func(j *job) []task {
		return []task{
			{"停止", "stopped", j.stop},
			{"文件", "files", j.remove},
			{"保留", "kept", func(context.Context) (string, error) {
				return "/etc/menshen, /var/lib/menshen, 用户 user menshen", nil
			}},
		}
	})
}

// take opens the root and takes the steps in their order; after one that failed
// the last one is not tried, because it would run half of a gate.
func (o Options) take(ctx context.Context, say func(Step), tasks func(*job) []task) error {
	j, shut, err := o.open()
	if err != nil {
		return err
	}
	defer shut()
	failed, all := 0, tasks(j)
	for i, t := range all {
		s := Step{Chinese: t.chinese, English: t.english, Skipped: failed > 0 && i == len(all)-1}
		if !s.Skipped {
			s.Note, s.Err = t.do(ctx)
		}
		if s.Err != nil {
			failed++
			var f failure
			if errors.As(s.Err, &f) {
				s.Fix = f.fix
			}
		}
		say(s)
	}
	if failed > 0 {
		return fmt.Errorf("%d 步没有做成 / %d steps failed", failed, failed)
	}
	return nil
}

// programs copies the programs.
func (j *job) programs(context.Context) (string, error) {
	for _, name := range Programs() {
		b, err := fs.ReadFile(j.Programs, name)
		if err != nil {
			return "", fmt.Errorf("%w: take the one file menshen, or keep %s beside each other", err, strings.Join(Programs(), ", "))
		}
		if err := j.put(path.Join(binaries, name), b, 0o755); err != nil {
			return "", err
		}
	}
	return "/" + binaries + "/{" + strings.Join(Programs(), ",") + "}", nil
}

// place is one file of System and where it belongs.
type place struct{ from, to string }

// users makes the daemon's user and the groups of its devices.
func (j *job) users(ctx context.Context) (string, error) {
	if err := j.copies(place{"systemd/sysusers.conf", "usr/lib/sysusers.d/menshen.conf"}); err != nil {
		return "", err
	}
	if j.Run == nil {
		return "第一次开机时建 / made at the first start", nil
	}
	err := j.Run(ctx, "systemd-sysusers", "/usr/lib/sysusers.d/menshen.conf")
	if errors.Is(err, exec.ErrNotFound) {
		err = j.addUser(ctx)
	}
	if err != nil {
		return "", failure{err, "sudo systemd-sysusers /usr/lib/sysusers.d/menshen.conf"}
	}
	return "menshen", nil
}

// addUser does by hand what systemd-sysusers does.
func (j *job) addUser(ctx context.Context) error {
	for _, group := range []string{"menshen", "audio", "dialout", "gpio", "i2c", "input"} {
		if err := j.Run(ctx, "groupadd", "--system", "--force", group); err != nil {
			return err
		}
	}
	if j.Run(ctx, "id", "-u", "menshen") == nil {
		return nil
	}
	return j.Run(ctx, "useradd", "--system", "--gid", "menshen", "--home-dir", "/var/lib/menshen", "--shell", "/usr/sbin/nologin", "menshen")
}

// rules gives devices names that stay, and to the daemon's groups.
func (j *job) rules(ctx context.Context) (string, error) {
	if err := j.copies(place{"udev/60-menshen.rules", "usr/lib/udev/rules.d/60-menshen.rules"}); err != nil {
		return "", err
	}
	if j.Run != nil && j.has("run/udev") { // otherwise nobody is there to be told
		for _, args := range [][]string{{"control", "--reload"}, {"trigger"}} {
			if err := j.Run(ctx, "udevadm", args...); err != nil {
				return "", failure{err, "sudo udevadm control --reload && sudo udevadm trigger"}
			}
		}
	}
	return "/usr/lib/udev/rules.d/60-menshen.rules", nil
}

// modules are loaded at every start. One that this kernel has not is no fault:
// a PC has no I2C.
func (j *job) modules(ctx context.Context) (string, error) {
	if err := j.copies(place{"systemd/modules-load.conf", "usr/lib/modules-load.d/menshen.conf"}); err != nil {
		return "", err
	}
	text, err := fs.ReadFile(j.System, "systemd/modules-load.conf")
	if err != nil {
		return "", err
	}
	var loaded []string
	for line := range strings.Lines(string(text)) {
		name := strings.TrimSpace(line)
		if name != "" && name[0] != '#' && j.Run != nil && j.Run(ctx, "modprobe", name) == nil {
			loaded = append(loaded, name)
		}
	}
	if j.Run == nil {
		return "第一次开机时加载 / loaded at the first start", nil
	}
	return "已加载 loaded: " + strings.Join(loaded, " "), nil
}

// wanted is what systemd starts by itself.
func wanted() []string { return []string{"gated.service", "menshen-fix.path"} }

// units lets systemd start the gate by itself.
func (j *job) units(ctx context.Context) (string, error) {
	if err := j.copies(
		place{"systemd/gated.service", "usr/lib/systemd/system/gated.service"},
		place{"systemd/menshen-fix.service", "usr/lib/systemd/system/menshen-fix.service"},
		place{"systemd/menshen-fix.path", "usr/lib/systemd/system/menshen-fix.path"},
	); err != nil {
		return "", err
	}
	for _, name := range wanted() {
		link := path.Join("etc/systemd/system/multi-user.target.wants", name)
		if _, err := j.root.Lstat(link); err == nil {
			continue
		}
		if err := j.root.MkdirAll(path.Dir(link), 0o755); err != nil {
			return "", err
		}
		if err := j.root.Symlink("/usr/lib/systemd/system/"+name, link); err != nil {
			return "", err
		}
	}
	return strings.Join(wanted(), ", "), nil
}

// start starts the gate, again where a program or a unit is a new one.
func (j *job) start(ctx context.Context) (string, error) {
	switch {
	case j.Run == nil:
		return "第一次开机时启动 / at the first start", nil
	case !j.has("run/systemd/system"):
		return "", failure{errors.New("没有 systemd 在运行 / no systemd runs here"), "sudo -u menshen gated -config " + ConfigFile}
	}
	verb := "start"
	if j.changed {
		verb = "restart"
	}
	for _, args := range [][]string{{"daemon-reload"}, {"start", "menshen-fix.path"}, {verb, "gated.service"}} {
		if err := j.Run(ctx, "systemctl", args...); err != nil {
			return "", failure{err, "journalctl -u gated -n 30"}
		}
	}
	return "gated 正在运行 / gated runs; 下一步 next: gatectl doctor", nil
}

// stop stops the gate; its barriers go to rest as at every stop.
func (j *job) stop(ctx context.Context) (string, error) {
	if j.Run == nil || !j.has("run/systemd/system") {
		return "没有在运行 / did not run", nil
	}
	if err := j.Run(ctx, "systemctl", append([]string{"disable", "--now"}, wanted()...)...); err != nil {
		return "", failure{err, "sudo systemctl disable --now gated menshen-fix.path"}
	}
	return "gated", nil
}

// remove removes the files of Install.
func (j *job) remove(context.Context) (string, error) {
	names := []string{
		"usr/lib/systemd/system/gated.service", "usr/lib/systemd/system/menshen-fix.service", "usr/lib/systemd/system/menshen-fix.path",
		"usr/lib/udev/rules.d/60-menshen.rules", "usr/lib/modules-load.d/menshen.conf", "usr/lib/sysusers.d/menshen.conf", "usr/lib/tmpfiles.d/menshen.conf",
	}
	for _, name := range wanted() {
		names = append(names, path.Join("etc/systemd/system/multi-user.target.wants", name))
	}
	for _, name := range Programs() {
		names = append(names, path.Join(binaries, name))
	}
	n := 0
	var errs []error
	for _, name := range names {
		switch err := j.root.Remove(name); {
		case err == nil:
			n++
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	return fmt.Sprintf("%d 个已删 / %d removed", n, n), errors.Join(errs...)
}

// copies puts files of System where they belong.
func (j *job) copies(files ...place) error {
	for _, p := range files {
		b, err := fs.ReadFile(j.System, p.from)
		if err != nil {
			return err
		}
		if err := j.put(p.to, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// put gives a name a content, unless it has it. A crash leaves the old content or
// all of the new one, and at most a file that ends in .menshen-new.
func (j *job) put(name string, b []byte, mode fs.FileMode) error {
	if old, err := j.root.ReadFile(name); err == nil && bytes.Equal(old, b) {
		return j.root.Chmod(name, mode)
	}
	if err := j.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	next := name + ".menshen-new"
	f, err := j.root.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = j.root.Chmod(next, mode) // whatever the umask was
	}
	if err == nil {
		err = j.root.Rename(next, name)
	}
	if err != nil {
		return errors.Join(err, j.root.Remove(next))
	}
	j.changed = true
	return nil
}

// has reports whether something has a name.
func (j *job) has(name string) bool {
	_, err := j.root.Stat(name)
	return err == nil
}
