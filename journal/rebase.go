package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/menshen/menshen/entry"
)

// RebaseOptions say how a gate's next journal begins.
type RebaseOptions struct {
	// Path is the journal's, as for Open.
	Path string
	// Reason is why, of 1 to 200 bytes; it names no person.
	Reason string
	// Above is an epoch that the next one must be above too; 0 for none.
	Above uint32
	// Boot is the body of the first entry, which Now stamps.
	Boot entry.Boot
	Now  func() entry.Stamp
	// Carry is given every entry of the journal that ends, and returns what
	// the next one has to begin with. An error leaves everything as it was.
	Carry func(iter.Seq2[Row, error]) ([]Draft, error)
}

// Rebase ends the journal at Path and begins the next one in its place, one
// epoch above it and above RebaseOptions.Above. The old file is kept beside it under the name that is returned.
// It fails with ErrLocked while a gate has the journal open.
func Rebase(ctx context.Context, o RebaseOptions) (kept string, err error) {
	if o.Reason == "" || len(o.Reason) > 200 {
		return "", errors.New("rebase journal: give a reason of 1 to 200 bytes")
	}
	path, err := filepath.Abs(o.Path)
	if err == nil {
		o.Path = path
		kept, err = rebase(ctx, o)
	}
	if err != nil {
		return "", fmt.Errorf("rebase journal: %w", err)
	}
	return kept, nil
}

func rebase(ctx context.Context, o RebaseOptions) (kept string, err error) {
	old, err := os.Stat(o.Path)
	if err != nil {
		return "", err // a journal that is not there is not begun here
	}
	held, err := lock(o.Path + ".lock")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	epoch, drafts, err := end(ctx, o)
	if err != nil {
		return "", err
	}
	next := o.Path + ".next"
	if err := begin(ctx, o, next, max(epoch, o.Above)+1, drafts); err != nil {
		return "", err
	}
	if owner, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := os.Chown(next, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", err
		}
	}
	kept = fmt.Sprintf("%s-%d.db", strings.TrimSuffix(o.Path, ".db"), epoch)
	if err := keep(o.Path, kept, old); err != nil {
		return "", err
	}
	// A crash here: the old journal is in force under both of its names, and
	// the next rebase takes it from there.
	if err := os.Rename(next, o.Path); err != nil {
		return "", err
	}
	return kept, syncDir(filepath.Dir(o.Path))
}

// end reads the journal that ends and closes it, so that one file holds all of
// it: what still stood in a WAL would be lost with its name.
func end(ctx context.Context, o RebaseOptions) (epoch uint32, drafts []Draft, err error) {
	j := &Journal{}
	if err = j.openStore(ctx, o.Path); err == nil {
		epoch = j.epoch
		drafts, err = o.Carry(j.Rows(ctx, 0))
	}
	if err := errors.Join(classify(err), j.release()); err != nil {
		return 0, nil, err
	}
	return epoch, drafts, alone(o.Path)
}

// alone says whether SQLite has left nothing beside the file.
func alone(path string) error {
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("somebody else reads %s: end that first", path), err)
	}
	return nil
}

// begin makes a whole journal under another name. What a crash left there
// before is thrown away: nobody has seen it.
func begin(ctx context.Context, o RebaseOptions, path string, epoch uint32, drafts []Draft) (err error) {
	for _, leftover := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(path + leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := writeOrigin(ctx, path, epoch, o.Reason); err != nil {
		return err
	}
	j, err := open(ctx, Options{Path: path, Boot: o.Boot, Now: o.Now})
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if _, appendErr := j.Append(ctx, d); appendErr != nil {
			err = appendErr
			break
		}
	}
	if err := errors.Join(err, j.Close(), os.Remove(path+".lock")); err != nil {
		return err
	}
	return alone(path)
}

// writeOrigin makes an empty journal of an epoch.
func writeOrigin(ctx context.Context, path string, epoch uint32, reason string) (err error) {
	if err := create(path); err != nil {
		return err
	}
	db := connect(path, true)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE origin SET epoch = ?, reason = ?", epoch, reason)
	return err
}

// keep gives the old file its second name, unless a rebase that ended in
// between has done so.
func keep(path, kept string, old os.FileInfo) error {
	err := os.Link(path, kept)
	if errors.Is(err, fs.ErrExist) {
		if there, statErr := os.Stat(kept); statErr == nil && os.SameFile(old, there) {
			return nil
		}
		return fmt.Errorf("%s is there already and is another journal: move it away", kept)
	}
	return err
}

// syncDir makes a rename in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
