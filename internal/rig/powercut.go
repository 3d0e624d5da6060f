package rig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

// freeze copies a running gate's directory as a loss of power at one moment
// leaves it. The gate can store nothing while that lasts, and atMoment is called
// within, so that nothing which it begins meanwhile comes to anything.
//
// Both databases are locked against writers. A checkpoint may be under way: the
// copy then has part of it and the whole write-ahead log, as a card does that
// loses power then, and SQLite recovers it as it does there.
func freeze(ctx context.Context, from, to string, atMoment func()) (err error) {
	for _, name := range []string{"journal.db", "roster.db"} {
		unlock, lockErr := lockOut(ctx, filepath.Join(from, name))
		if lockErr != nil {
			return fmt.Errorf("lock %s: %w", name, lockErr)
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	atMoment()
	return copyFiles(from, to)
}

// lockOut keeps others from writing to a database until unlock is called.
func lockOut(ctx context.Context, path string) (unlock func() error, err error) {
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_busy_timeout": {"10000"}}.Encode()}
	db, err := sql.Open("sqlite3", dsn.String())
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// copyFiles copies what is on the card. A socket is not, and neither is what
// SQLite keeps in memory for a file. To close a copied database drops the locks
// that this process has on it, which only another process would miss.
func copyFiles(from, to string) error {
	skip := []string{"journal.db-shm", "roster.db-shm"}
	list, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o750); err != nil {
		return err
	}
	for _, f := range list {
		source, target := filepath.Join(from, f.Name()), filepath.Join(to, f.Name())
		switch {
		case f.IsDir():
			err = copyFiles(source, target)
		case f.Type().IsRegular() && !slices.Contains(skip, f.Name()):
			err = copyFile(source, target)
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", f.Name(), err)
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // new text for a file, which has its name by now: the power went before
	}
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
