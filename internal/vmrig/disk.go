package vmrig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// disk is the file that a machine has for a disk: one ext4 without partitions.
type disk struct{ image string }

// diskSize has room for the programs and a journal of many thousand arrivals.
const diskSize = 192 << 20

// makeDisk makes a disk with what is in a directory. Nothing is mounted.
func makeDisk(image, from string) (disk, error) {
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return disk{}, err
	}
	if err := os.Truncate(image, diskSize); err != nil {
		return disk{}, err
	}
	return disk{image}, tool("mkfs.ext4", "-q", "-F", "-d", from, image)
}

// surviving copies a directory of the disk as the next start finds it: the file
// system's own journal is replayed first, in a copy of the disk, so that what
// was cut stays as it was.
func (d disk) surviving(dir, to string) error {
	image := filepath.Join(to, "image")
	defer os.Remove(image)
	if err := tool("cp", "--sparse=always", d.image, image); err != nil {
		return err
	}
	// 1: errors corrected, which a replay counts as.
	out, err := exec.Command("e2fsck", "-fp", image).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() > 1) {
		return fmt.Errorf("e2fsck: %w\n%s", err, out)
	}
	// debugfs ends with 0 whatever happens.
	out, err = exec.Command("debugfs", "-R", fmt.Sprintf("rdump %s %s", dir, to), image).CombinedOutput()
	if _, missing := os.Stat(filepath.Join(to, filepath.Base(dir))); err != nil || missing != nil {
		return fmt.Errorf("debugfs: %w\n%s", err, out)
	}
	return nil
}

// tool runs a program of the system.
func tool(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
