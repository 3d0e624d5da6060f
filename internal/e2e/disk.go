package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Disk is a file that a loop device makes into a block device with ext4.
type Disk struct {
	// Dir is where it is mounted.
	Dir string

	image, device string
}

// NewDisk makes and mounts an empty disk until the end of the test, which it
// skips where that cannot be done.
func NewDisk(t testing.TB) Disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has loop devices")
	}
	for _, tool := range []string{"losetup", "mkfs.ext4", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	image := filepath.Join(t.TempDir(), "disk.img")
	run(t, "truncate", "--size=64M", image)
	run(t, "mkfs.ext4", "-q", "-F", image)
	return mount(t, image)
}

// mount attaches and mounts an image until the end of the test. Mounting
// replays the file system's own journal, as a start after a power cut does.
func mount(t testing.TB, image string) Disk {
	t.Helper()
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("no loop device: %v: %s", err, out)
	}
	d := Disk{Dir: t.TempDir(), image: image, device: strings.TrimSpace(string(out))}
	t.Cleanup(func() { run(t, "losetup", "--detach", d.device) })
	if err := unix.Mount(d.device, d.Dir, "ext4", 0, "errors=remount-ro"); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() { unmount(t, d.Dir) })
	return d
}

// Cut returns the disk as a power cut at this moment leaves it, mounted until
// the end of the test. It copies what the loop device has written into its
// image: what the kernel keeps for the device is not in there.
func (d Disk) Cut(t testing.TB) (at func(testing.TB) Disk) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "cut.img")
	run(t, "cp", "--sparse=always", d.image, image)
	return func(t testing.TB) Disk { return mount(t, image) }
}

// FailReadOnly makes the file system find an error in itself, after which it
// refuses every write, with the files still open.
func (d Disk) FailReadOnly(t testing.TB) {
	t.Helper()
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(d.device), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("test"), 0); err != nil {
		t.Skipf("cannot make ext4 fail: %v", err)
	}
}

// Memory mounts a file system of so many bytes until the end of the test.
func Memory(t testing.TB, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() { unmount(t, dir) })
	return dir
}

func unmount(t testing.TB, dir string) {
	t.Helper()
	if err := unix.Unmount(dir, 0); err != nil {
		t.Errorf("unmount: %v", err)
	}
}

// run runs a system tool that the test cannot do without.
func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}
