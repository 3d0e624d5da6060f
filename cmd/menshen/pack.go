package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/menshen/menshen/install"
)

// pack writes one file that begins as the launcher does, so that it runs, and
// ends as an archive of the programs. The launcher is one of them: it stays on
// the gate.
func pack(out, launcher string, programs fs.FS) (err error) {
	f, err := os.OpenFile(out, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head, err := os.Open(launcher)
	if err != nil {
		return err
	}
	defer head.Close()
	n, err := io.Copy(f, head)
	if err != nil {
		return fmt.Errorf("copy launcher: %w", err)
	}
	z := zip.NewWriter(f)
	z.SetOffset(n)
	for _, name := range install.Programs() {
		b, err := fs.ReadFile(programs, name)
		if err != nil {
			return err
		}
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}

// unpack opens the archive behind a launcher.
func unpack(name string) (programs fs.FS, shut func() error, err error) {
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}
