package gate

import (
	"errors"
	"os"
	"path/filepath"
)

// replaceFile writes a file, readable by its owner only, so that its name means
// the old content or all of the new one, and the new one is on the disk when it
// returns. A crash before the rename leaves a file ending in .new, which the
// next call overwrites.
func replaceFile(name string, b []byte) error {
	next := name + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes what was renamed in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
