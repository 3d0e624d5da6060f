// Package doctor looks at the machine on which a gate runs, or is to run: what
// is plugged in, what is missing, and what to type for it.
//
// It knows the files in which Linux and a Raspberry Pi say what they are, the
// numbers of common adapters and scanners, and the faults that a bare board
// shows first. It reads everything below a root that it is given, changes
// nothing, moves no output, and sends bytes to a device that it does not know
// only when it is told to. It does not know lanes, arrivals or people: what a
// running gate says of itself is handed in.
package doctor

import (
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode"
)

// Text says one thing twice.
type Text struct{ Chinese, English string }

// Mark says how a check ended. The zero value is Wrong: what nobody looked at
// is not good.
type Mark int

// How a check ends.
const (
	// Wrong: the gate does not work, or not as it is meant to, before this is mended.
	Wrong Mark = iota
	// Good: nothing is to be done.
	Good
	// Remind: no program can see it; a person has to look.
	Remind
)

// String returns the mark as it is printed.
func (m Mark) String() string {
	switch m {
	case Good:
		return "✓"
	case Remind:
		return "!"
	}
	return "✗"
}

// Finding is what one check found.
type Finding struct {
	Mark Mark
	// What was seen.
	What Text
	// Why it matters, and Fix how it is mended; both are empty where all is good.
	Why, Fix Text
	// Commands are what to type for that, in this order, as root where they begin
	// with sudo.
	Commands []string
	// Lines are what to write into a file; Fix says which.
	Lines []string
	// Mend is the name of the fix of package install that does it, or empty.
	Mend string
	// Large findings are printed so that nobody overlooks them.
	Large bool
}

func good(chinese, english string) Finding {
	return Finding{Mark: Good, What: Text{chinese, english}}
}

// files are a machine's files below its root; every name is absolute. What
// cannot be read is taken for missing: each check says itself what that means.
type files struct{ root fs.FS }

func inside(name string) string {
	if name = strings.TrimPrefix(path.Clean(name), "/"); name == "" {
		return "."
	}
	return name
}

// mostRead bounds what is read of one file.
const mostRead = 64 << 10

// text returns what a file holds, without the space around it.
func (f files) text(name string) string {
	return strings.Trim(f.head(name, mostRead), " \t\r\n\x00")
}

// head returns the first n bytes of a file, fewer where it is shorter.
func (f files) head(name string, n int64) string {
	file, err := f.root.Open(inside(name))
	if err != nil {
		return ""
	}
	defer file.Close()
	b, _ := io.ReadAll(io.LimitReader(file, n)) // what was read before a fault counts
	return string(b)
}

// label returns a name that a device gives itself, without what a terminal
// would take for a command.
func (f files) label(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, f.text(name))
}

// has reports whether something has this name, and opens nothing.
func (f files) has(name string) bool {
	_, err := fs.Stat(f.root, inside(name))
	return err == nil
}

// list returns the names in a directory, in their order.
func (f files) list(dir string) []string {
	entries, err := fs.ReadDir(f.root, inside(dir))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// follow returns the absolute name to which a link leads, and the name itself
// where it is none.
func (f files) follow(name string) string {
	to, err := fs.ReadLink(f.root, inside(name))
	if err != nil {
		return name
	}
	if !path.IsAbs(to) {
		to = path.Join(path.Dir(name), to)
	}
	return to
}

// first returns the first of some names that is there, and false if none is.
func (f files) first(names ...string) (string, bool) {
	for _, name := range names {
		if f.has(name) {
			return name, true
		}
	}
	return "", false
}

// bootFile returns the name of one of the firmware's files on a Raspberry Pi.
func (f files) bootFile(name string) (string, bool) {
	return f.first("/boot/firmware/"+name, "/boot/"+name)
}

// model returns what the board calls itself; empty on a PC.
func (f files) model() string { return f.text("/proc/device-tree/model") }

// raspberry reports whether the machine is a Raspberry Pi.
func (f files) raspberry() bool {
	if strings.HasPrefix(f.model(), "Raspberry Pi") {
		return true
	}
	_, ok := f.bootFile("config.txt")
	return ok
}

// holder names the program that has a device open, as far as this user may see
// it: empty if none has.
func (f files) holder(node string) string {
	for _, pid := range f.list("/proc") {
		if _, err := strconv.Atoi(pid); err != nil {
			continue
		}
		dir := path.Join("/proc", pid, "fd")
		for _, fd := range f.list(dir) {
			if to, err := fs.ReadLink(f.root, inside(path.Join(dir, fd))); err == nil && to == node {
				return f.label(path.Join("/proc", pid, "comm"))
			}
		}
	}
	return ""
}

// usb returns the numbers and names of the USB device that a class entry, such
// as /sys/class/tty/ttyUSB0, belongs to; ok is false where there is none.
func (f files) usb(class string) (vendor, product, name string, ok bool) {
	for dir := f.follow(class); len(dir) > len("/sys/devices"); dir = path.Dir(dir) {
		if vendor = f.label(path.Join(dir, "idVendor")); vendor != "" {
			name = strings.TrimSpace(f.label(path.Join(dir, "manufacturer")) + " " + f.label(path.Join(dir, "product")))
			return strings.ToLower(vendor), strings.ToLower(f.label(path.Join(dir, "idProduct"))), name, true
		}
	}
	return "", "", "", false
}
