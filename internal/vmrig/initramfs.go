package vmrig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// kernel is what scripts/rig-kernel.sh fetches into a directory.
type kernel struct{ dir string }

func (k kernel) image() string { return filepath.Join(k.dir, "vmlinuz") }

// initramfs packs busybox, init and the modules, whose names begin with the
// number of their turn, into the form that a kernel unpacks.
func (k kernel) initramfs(init []byte) ([]byte, error) {
	var a archive
	a.add("bin", 0o040755, nil)
	a.add("init", 0o100755, init)
	busybox, err := os.ReadFile(filepath.Join(k.dir, "busybox"))
	if err != nil {
		return nil, err
	}
	a.add("bin/busybox", 0o100755, busybox)
	for _, dir := range []string{"modules", "oracle"} {
		a.add(dir, 0o040755, nil)
		files, err := filepath.Glob(filepath.Join(k.dir, dir, "*.ko"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no modules in %s of %s: %v", dir, k.dir, err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			a.add(dir+"/"+filepath.Base(name), 0o100644, text)
		}
	}
	a.add("TRAILER!!!", 0, nil)
	return a.b.Bytes(), nil
}

// archive is a cpio in the format "newc" (initramfs buffer format, kernel
// documentation).
type archive struct {
	b     bytes.Buffer
	inode int
}

func (a *archive) add(name string, mode int, text []byte) {
	a.inode++
	fmt.Fprintf(&a.b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.inode, mode, 0, 0, 1, 0, len(text), 0, 0, 0, 0, len(name)+1, 0, name)
	a.pad()
	a.b.Write(text)
	a.pad()
}

func (a *archive) pad() {
	for a.b.Len()%4 != 0 {
		a.b.WriteByte(0)
	}
}
