package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// The names of what can be mended on a Raspberry Pi.
const (
	FixI2C       = "i2c"       // turn the header's bus on
	FixUART      = "uart"      // turn the header's port on
	FixConsole   = "console"   // take the system's console off that port
	FixBluetooth = "bluetooth" // give the port that keeps its rate to the scan engine
	FixRestart   = "restart"   // start the board again, which the others want
)

// ErrUnknownFix says that nothing has that name.
var ErrUnknownFix = errors.New("no such fix: i2c, uart, console, bluetooth, restart")

// lineOf is the line of config.txt that a fix adds (Raspberry Pi documentation,
// "config.txt" and "Configure UARTs"); empty for those that add none.
func lineOf(fix string) string {
	switch fix {
	case FixI2C:
		return "dtparam=i2c_arm=on"
	case FixUART:
		return "enable_uart=1"
	case FixBluetooth:
		return "dtoverlay=disable-bt"
	}
	return ""
}

// KnownFix reports whether a fix has that name.
func KnownFix(name string) bool {
	return lineOf(name) != "" || name == FixConsole || name == FixRestart
}

// mark stands before what a fix adds, so that the undo finds it.
func mark(fix string) string { return "# menshen fix " + fix }

// Fix mends one thing and returns what was done, or takes it back. Only Root and
// Run of the options are used. It may be called again: what is done stays so.
func Fix(ctx context.Context, o Options, name string, undo bool) (done string, err error) {
	if !KnownFix(name) {
		return "", fmt.Errorf("%w (%.20q)", ErrUnknownFix, name)
	}
	j, shut, err := o.open()
	if err != nil {
		return "", err
	}
	defer shut()
	switch {
	case name == FixRestart && undo:
		return "", errors.New("a start cannot be taken back")
	case name == FixRestart:
		return "正在重启 / starting again", j.run(ctx, "systemctl", "reboot")
	case name == FixConsole:
		return j.console(ctx, undo)
	}
	return j.setting(name, undo)
}

// Done lists the fixes that were made below a root and can be taken back.
func Done(root fs.FS) []string {
	var all []string
	for _, dir := range []string{"boot/firmware", "boot"} {
		settings, err := fs.ReadFile(root, dir+"/config.txt")
		if err != nil {
			continue
		}
		for _, fix := range []string{FixI2C, FixUART, FixBluetooth} {
			if strings.Contains(string(settings), mark(fix)+"\n") {
				all = append(all, fix)
			}
		}
		if _, err := fs.Stat(root, dir+"/"+consoleKept); err == nil {
			all = append(all, FixConsole)
		}
		break
	}
	return all
}

// bootFile returns the name of one of the firmware's files.
func (j *job) bootFile(name string) (string, error) {
	for _, file := range []string{"boot/firmware/" + name, "boot/" + name} {
		if j.has(file) {
			return file, nil
		}
	}
	return "", fmt.Errorf("没有 %s:不是树莓派 / no %s: not a Raspberry Pi", name, name)
}

// setting adds a line to config.txt, at its end and for every model, or takes it
// out.
func (j *job) setting(fix string, undo bool) (string, error) {
	file, err := j.bootFile("config.txt")
	if err != nil {
		return "", err
	}
	old, err := j.root.ReadFile(file)
	if err != nil {
		return "", err
	}
	block := mark(fix) + "\n[all]\n" + lineOf(fix) + "\n"
	text := strings.ReplaceAll(string(old), block, "")
	if !undo {
		text = strings.TrimRight(text, "\n") + "\n" + block
	}
	if err := j.put(file, []byte(text), 0o755); err != nil { // what the firmware's partition gives every file
		return "", err
	}
	if undo {
		return fmt.Sprintf("/%s: - %s;重启后生效 / takes a restart", file, lineOf(fix)), nil
	}
	return fmt.Sprintf("/%s: + %s;重启后生效 / takes a restart", file, lineOf(fix)), nil
}

// consoleKept is where cmdline.txt is kept as it was.
const consoleKept = "cmdline.txt.before-menshen"

// consoles finds the system's use of the port in cmdline.txt.
var consoles = regexp.MustCompile(`\bconsole=(serial0|ttyAMA0|ttyS0)(,[0-9a-z]*)? *`)

// console takes the system's console off the port, or gives the port back. What
// stood in cmdline.txt is kept beside it.
func (j *job) console(ctx context.Context, undo bool) (string, error) {
	file, err := j.bootFile("cmdline.txt")
	if err != nil {
		return "", err
	}
	kept, verb := path.Join(path.Dir(file), consoleKept), "mask"
	switch old, err := j.root.ReadFile(file); {
	case err != nil:
		return "", err
	case undo:
		verb = "unmask"
		before, err := j.root.ReadFile(kept)
		if err != nil {
			return "", err
		}
		if err := errors.Join(j.put(file, before, 0o755), j.root.Remove(kept)); err != nil {
			return "", err
		}
	default:
		if consoles.Match(old) {
			if err := j.put(kept, old, 0o755); err != nil {
				return "", err
			}
		}
		if err := j.put(file, consoles.ReplaceAll(old, nil), 0o755); err != nil {
			return "", err
		}
	}
	for _, unit := range []string{"serial-getty@ttyS0.service", "serial-getty@ttyAMA0.service"} {
		if err := j.run(ctx, "systemctl", verb, "--now", unit); err != nil && verb == "mask" {
			return "", err
		}
	}
	return fmt.Sprintf("/%s:重启后生效 / takes a restart", file), nil
}

// run starts a program where there is a running system.
func (j *job) run(ctx context.Context, name string, args ...string) error {
	if j.Run == nil {
		return nil
	}
	return j.Run(ctx, name, args...)
}

// AskedFile is where gated writes the name of what it wants mended, and DoneFile
// what became of it, below its data directory.
const (
	AskedFile = "fix.asked"
	DoneFile  = "fix.done"
)

// askedMost bounds what is read of AskedFile.
const askedMost = 64

// Asked does what stands in AskedFile below a data directory, and writes into
// DoneFile what became of it. The file is taken away first: what cannot be done is
// not tried for ever. Nothing there is followed that leads elsewhere: the
// directory belongs to somebody with fewer rights.
func Asked(ctx context.Context, o Options, data string) (err error) {
	j, shut, err := o.open()
	if err != nil {
		return err
	}
	defer shut()
	dir, err := j.root.OpenRoot(strings.TrimPrefix(data, "/"))
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Lstat(AskedFile)
	if err != nil {
		return fmt.Errorf("nothing is asked: %w", err)
	}
	var asked []byte
	if info.Mode().IsRegular() && info.Size() <= askedMost {
		asked, err = dir.ReadFile(AskedFile)
	}
	if err := errors.Join(err, dir.Remove(AskedFile)); err != nil {
		return err
	}
	words := strings.Fields(string(asked))
	undo := len(words) == 2 && words[1] == "undo"
	if len(words) == 0 || len(words) > 1 && !undo {
		return ErrUnknownFix
	}
	said, err := Fix(ctx, o, words[0], undo)
	if err != nil {
		said = err.Error()
	}
	if gone := dir.Remove(DoneFile); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		return errors.Join(err, gone)
	}
	return errors.Join(err, dir.WriteFile(DoneFile, []byte(said+"\n"), 0o644))
}
