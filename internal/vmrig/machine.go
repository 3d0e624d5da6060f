package vmrig

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// parts is what one machine is made of.
type parts struct {
	// dir holds its sockets and its console; the name of a socket has room for
	// about 100 bytes.
	dir               string
	kernel, initramfs string
	disk              disk
}

// machine is one life of the guest, from power to power cut.
type machine struct {
	p      parts
	cmd    *exec.Cmd
	exited chan struct{} // closed when QEMU is gone

	control net.Conn // QMP
	replies *bufio.Scanner

	shellMu  sync.Mutex
	shellEnd net.Conn
	shellIn  *bufio.Reader
	asked    int
}

// The sockets of a machine, by what hangs on them.
const (
	scanSocket  = "scan" // the serial scanner
	i2cSocket   = "i2c"
	gpioSocket  = "gpio"
	keysSocket  = "keys"
	shellSocket = "shell"
	qmpSocket   = "qmp"
)

// quiet is the least that a kernel has to do at its start: this one is
// emulated, trusted, and not looked at.
const quiet = "console=ttyAMA0 quiet panic=-1 nokaslr mitigations=off rodata=off audit=0 apparmor=0 cryptomgr.notests"

// wrongClock is when every life of the guest believes to begin, as a clock does
// whose battery is empty. The first entry of a bench is younger.
const (
	wrongClock = "2020-01-01T00:00:00"
	wrongYear  = 2020
)

func (p parts) args() []string {
	args := []string{
		"-accel", "tcg,thread=multi", "-M", "virt,gic-version=2", "-cpu", "cortex-a72", "-smp", "1", "-m", "256",
		"-display", "none", "-nodefaults", "-no-reboot", "-kernel", p.kernel, "-initrd", p.initramfs, "-append", quiet,
		"-chardev", "file,id=con,append=on,path=" + p.path("console"), "-serial", "chardev:con",
		"-device", "qemu-xhci,id=xhci,p2=8",
		"-drive", "file=" + p.disk.image + ",if=none,id=d0,format=raw,cache=writeback", "-device", "virtio-blk-pci,drive=d0",
		"-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,romfile=,id=nic0",
		"-device", "i6300esb", "-action", "watchdog=reset", "-rtc", "base=" + wrongClock,
		"-device", "virtio-serial-pci", "-device", "usb-serial,chardev=" + scanSocket + ",bus=xhci.0",
		"-qmp", "unix:" + p.path(qmpSocket) + ",server=on,wait=off",
	}
	for _, name := range []string{i2cSocket, gpioSocket, keysSocket} {
		args = append(args, "-device", "usb-redir,chardev="+name+",bus=xhci.0")
	}
	args = append(args, "-device", "virtserialport,chardev="+shellSocket+",name=shell")
	for _, name := range []string{scanSocket, i2cSocket, gpioSocket, keysSocket, shellSocket} {
		args = append([]string{"-chardev", "socket,id=" + name + ",path=" + p.path(name) + ",server=on,wait=off"}, args...)
	}
	return args
}

func (p parts) path(name string) string { return filepath.Join(p.dir, name) }

// start puts a machine under power.
func start(p parts) (*machine, error) {
	said, err := os.OpenFile(p.path("qemu"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer said.Close()
	m := &machine{p: p, cmd: exec.Command("qemu-system-aarch64", p.args()...), exited: make(chan struct{})}
	m.cmd.Stdout, m.cmd.Stderr = said, said
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(m.exited)
		_ = m.cmd.Wait() // how it ended stands in ProcessState
	}()
	if err := m.connect(); err != nil {
		m.cut()
		return nil, fmt.Errorf("start machine: %w", err)
	}
	return m, nil
}

// connect meets the machine's control and the shell in the guest.
func (m *machine) connect() (err error) {
	if m.control, err = m.dial(qmpSocket); err != nil {
		return err
	}
	m.replies = bufio.NewScanner(m.control)
	if !m.replies.Scan() { // its greeting
		return fmt.Errorf("no greeting: %w", m.replies.Err())
	}
	if err := m.order("qmp_capabilities", nil); err != nil {
		return err
	}
	if m.shellEnd, err = m.dial(shellSocket); err != nil {
		return err
	}
	m.shellIn = bufio.NewReader(m.shellEnd)
	return nil
}

// dial connects to a socket of the machine, which makes them as it starts.
func (m *machine) dial(name string) (net.Conn, error) {
	for limit := time.Now().Add(patience); ; {
		conn, err := net.Dial("unix", m.p.path(name))
		if err == nil {
			return conn, nil
		}
		if time.Now().After(limit) {
			return nil, err
		}
		select {
		case <-m.exited:
			return nil, errors.Join(errors.New("the machine has ended"), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// order gives QEMU a command and waits until it is done.
func (m *machine) order(command string, arguments map[string]any) error {
	text, err := json.Marshal(struct {
		Execute   string         `json:"execute"`
		Arguments map[string]any `json:"arguments,omitempty"`
	}{command, arguments})
	if err != nil {
		return err
	}
	if _, err := m.control.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	for m.replies.Scan() {
		var reply struct {
			Return json.RawMessage
			Error  *struct{ Desc string }
		}
		if err := json.Unmarshal(m.replies.Bytes(), &reply); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		switch {
		case reply.Error != nil:
			return fmt.Errorf("%s: %s", command, reply.Error.Desc)
		case reply.Return != nil:
			return nil
		} // anything else is an event
	}
	return fmt.Errorf("%s: %w", command, errors.Join(errors.New("no answer"), m.replies.Err()))
}

// network pulls the network cable, or puts it back.
func (m *machine) network(up bool) error {
	return m.order("set_link", map[string]any{"name": "nic0", "up": up})
}

// shell runs a command in the guest and returns what it prints and whether it
// ended well. It waits for the guest to have started.
func (m *machine) shell(command string) (out string, ok bool, err error) {
	m.shellMu.Lock()
	defer m.shellMu.Unlock()
	m.asked++
	mark := "===" + strconv.Itoa(m.asked) + "==="
	if err := m.shellEnd.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", false, err
	}
	if _, err := fmt.Fprintf(m.shellEnd, "%s\necho %s $?\n", command, mark); err != nil {
		return "", false, fmt.Errorf("ask the guest %q: %w", command, err)
	}
	for {
		line, err := m.shellIn.ReadString('\n')
		if err != nil {
			return out, false, fmt.Errorf("ask the guest %q: %w after %q", command, err, out+line)
		}
		if _, code, done := strings.Cut(line, mark); done {
			return out, strings.TrimSpace(code) == "0", nil
		}
		out += line
	}
}

// kill takes the power from the machine and waits for nothing.
func (m *machine) kill() { _ = m.cmd.Process.Kill() } // it may have ended by itself

// cut takes the power from the machine. What QEMU had been told to write is in
// the disk's image, whatever the host does later; what was in the guest's memory
// is gone.
func (m *machine) cut() {
	m.kill()
	<-m.exited
	for _, c := range []net.Conn{m.control, m.shellEnd} {
		if c != nil {
			c.Close()
		}
	}
}

// ended reports whether the machine has no power any more.
func (m *machine) ended() bool {
	select {
	case <-m.exited:
		return true
	default:
		return false
	}
}
