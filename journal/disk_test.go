package journal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tmpfs mounts size bytes of memory until the end of the test.
func tmpfs(t testing.TB, size int) (dir string) {
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
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// disk is a file that a loop device makes into a block device with ext4.
type disk struct {
	image, device, dir string
}

// newDisk makes and mounts an empty disk until the end of the test.
func newDisk(t testing.TB) disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has loop devices")
	}
	for _, tool := range []string{"losetup", "mkfs.ext4", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s", tool)
		}
	}
	image := filepath.Join(t.TempDir(), "disk.img")
	run(t, "truncate", "--size=96M", image)
	run(t, "mkfs.ext4", "-q", "-F", image)
	return mountDisk(t, image)
}

// mountDisk attaches and mounts an image, which replays the file system's own
// journal, until the end of the test.
func mountDisk(t testing.TB, image string) disk {
	t.Helper()
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("no loop device: %v: %s", err, out)
	}
	d := disk{image, strings.TrimSpace(string(out)), t.TempDir()}
	t.Cleanup(func() { run(t, "losetup", "--detach", d.device) })
	if err := unix.Mount(d.device, d.dir, "ext4", 0, "errors=remount-ro"); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() { unmount(t, d.dir) })
	return d
}

// copyImage copies what the device has been sent so far, and nothing that the
// kernel still keeps for it.
func (d disk) copyImage(t testing.TB) (image string) {
	t.Helper()
	image = filepath.Join(t.TempDir(), "cut.img")
	run(t, "cp", "--sparse=always", d.image, image)
	return image
}

// written returns how many bytes the device has been sent since it exists.
func (d disk) written(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(d.device), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	sectors, err := strconv.ParseInt(strings.Fields(string(b))[6], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return sectors * 512
}

// failReadOnly makes the file system find an error in itself, after which it
// refuses every write (EROFS), with the files still open.
func (d disk) failReadOnly(t testing.TB) {
	t.Helper()
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(d.device), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("test"), 0); err != nil {
		t.Skipf("cannot make ext4 fail: %v", err)
	}
}
