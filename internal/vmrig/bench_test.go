package vmrig

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/e2e"
)

var (
	//go:embed guest/init
	guestInit []byte
	//go:embed guest/gated.toml
	guestConfig string
	//go:embed guest/board.toml
	guestBoard string
)

// aptLine installs what the rig needs beside a compiler.
const aptLine = "sudo apt-get update && sudo apt-get install -y qemu-system-arm qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross kmod e2fsprogs"

// need skips a test where a program is missing, and says how it is installed.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: %s", name, aptLine)
		}
	}
}

// cross builds the programs for another processor, once in a process.
func cross(t testing.TB, arch string) (dir string) {
	t.Helper()
	dir = filepath.Join(os.Getenv("MENSHEN_TEST_PROGRAMS"), arch)
	if _, err := os.Stat(filepath.Join(dir, "gatectl")); err == nil {
		return dir
	}
	began := time.Now()
	if out, err := exec.Command("../../scripts/cross.sh", arch, dir).CombinedOutput(); err != nil {
		t.Fatalf("build for %s: %v\n%s", arch, err, out)
	}
	t.Logf("built for %s in %.0f s", arch, time.Since(began).Seconds())
	return dir
}

// fetchKernel returns the kernel that the rig boots, which is kept for the next
// time.
func fetchKernel(t testing.TB) kernel {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "menshen-rig")
	if out, err := exec.Command("../../scripts/rig-kernel.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("fetch the kernel: %v\n%s", err, out)
	}
	return kernel{dir}
}

// bench is a gate's hardware, its disk, and the machine that is on.
type bench struct {
	*hardware
	*machine

	t     testing.TB
	began time.Time
	parts parts
	// lives counts the machines, from 1, and entries what was in the journal
	// after the last one.
	lives, entries int

	mu sync.Mutex // of what is below, which edges use
	// standing is who has come to a lane last in this life; 0 is nobody.
	standing [lanes + 1]int
	rises    []rise
	// atRise cuts the power at the next rise of a barrier.
	atRise bool
}

// setupOf is how a bench differs from the guest's files.
type setupOf struct {
	pupils int
	// pulse of the barriers; empty is 50 ms.
	pulse string
	// district is told everything; nil is nobody.
	district *e2e.District
}

// newBench makes a disk with the programs and a school of pupils, whose journal
// a gate on this machine has begun.
func newBench(t testing.TB, s setupOf) *bench {
	t.Helper()
	e2e.Long(t)
	need(t, "qemu-system-aarch64", "aarch64-linux-gnu-gcc", "modprobe", "mkfs.ext4", "e2fsck", "debugfs")
	dir, err := os.MkdirTemp("", "vmrig-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	k := fetchKernel(t)
	ram, err := k.initramfs(guestInit)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "initramfs"), ram, 0o600))
	root := filepath.Join(dir, "root")
	must(t, os.Mkdir(root, 0o750))
	must(t, tool("cp", "-r", cross(t, "arm64")+"/.", root))
	enrol(t, root, s)
	d, err := makeDisk(filepath.Join(dir, "disk"), root)
	must(t, err)
	h, err := newHardware()
	must(t, err)
	b := &bench{hardware: h, t: t, began: time.Now(), parts: parts{dir: dir, kernel: k.image(), initramfs: filepath.Join(dir, "initramfs"), disk: d}}
	h.lines.onEdge(b.edge)
	t.Cleanup(b.end)
	return b
}

// enrol writes data and configuration of a gate with a school into a directory.
func enrol(t testing.TB, root string, s setupOf) {
	t.Helper()
	host := e2e.NewBench(t, e2e.Setup{})
	g := host.Run()
	host.Enrol(s.pupils)
	g.StopCleanly()
	must(t, tool("cp", "-r", host.Data, filepath.Join(root, "data")))
	config := guestConfig
	if s.district != nil {
		host.Report(s.district)
		config += reporting(t, host, root)
	}
	must(t, os.WriteFile(filepath.Join(root, "gated.toml"), []byte(config), 0o600))
	board := guestBoard
	if s.pulse != "" {
		board = strings.ReplaceAll(board, `pulse = "50ms"`, fmt.Sprintf("pulse = %q", s.pulse))
	}
	must(t, os.WriteFile(filepath.Join(root, "board.toml"), []byte(board), 0o600))
}

// reporting is how the guest finds the collector that a gate on this machine
// was introduced to: this machine is 10.0.2.2 there.
func reporting(t testing.TB, host *e2e.Bench, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(host.Dir, "gated.toml"))
	must(t, err)
	_, section, _ := strings.Cut(string(text), "[[collector]]")
	password := regexp.MustCompile(`password_file = "(.*)"`).FindStringSubmatch(section)
	if password == nil {
		t.Fatalf("no collector in %s", text)
	}
	must(t, tool("cp", password[1], filepath.Join(root, "password")))
	return "[[collector]]\ninsecure = true\n" + strings.NewReplacer("127.0.0.1", "10.0.2.2", password[1], "/mnt/password").Replace(section)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// end takes the power away and shows what the guest said to whoever has to find
// out why a test failed.
func (b *bench) end() {
	if b.machine != nil {
		b.cutPower()
	}
	if !b.t.Failed() {
		return
	}
	b.tell()
	for _, name := range []string{"qemu", "console"} {
		said, _ := os.ReadFile(b.parts.path(name))
		b.t.Logf("%s:\n%s", name, said[max(0, len(said)-16<<10):])
	}
}

// lastWords is how many entries stand in the log of a failed test.
const lastWords = 20

// tell logs what was recorded last and which lines are high.
func (b *bench) tell() {
	dir := b.t.TempDir()
	if err := b.parts.disk.surviving("/data", dir); err != nil {
		b.t.Log(err)
		return
	}
	list, err := e2e.Entries(context.WithoutCancel(b.t.Context()), filepath.Join(dir, "data", "journal.db"))
	b.t.Logf("the last entries of %d, %v:", len(list), err)
	for _, e := range list[max(0, len(list)-lastWords):] {
		b.t.Log(e)
	}
	edges := b.lines.log()
	for _, e := range edges[max(0, len(edges)-lastWords):] {
		b.t.Logf("%v: line %d high %v", e.at.Format(time.StampMilli), e.line, e.high)
	}
}

// boot starts the next life.
func (b *bench) boot() {
	b.t.Helper()
	b.clear()
	m, err := start(b.parts)
	must(b.t, err)
	b.mu.Lock()
	b.machine, b.lives, b.standing, b.atRise = m, b.lives+1, [lanes + 1]int{}, false
	b.mu.Unlock()
	must(b.t, b.plug(m))
}

// cutPower ends a life at once.
func (b *bench) cutPower() {
	b.machine.cut()
	b.off()
	b.machine = nil
}

// run asks the guest for something that must succeed.
func (b *bench) run(command string) string {
	b.t.Helper()
	out, ok, err := b.shell(command)
	must(b.t, err)
	if !ok {
		b.t.Fatalf("the guest: %s: %s", command, out)
	}
	return strings.TrimSpace(out)
}
