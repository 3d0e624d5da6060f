package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/menshen/menshen/entry"
)

// Reader is a journal that somebody else may be writing.
type Reader struct {
	db *sql.DB
}

// OpenReadOnly opens an existing journal beside its writer, or without one. It
// needs to be able to write the directory all the same: readers and writer
// meet in Path-shm. What it reads is the same in every schema so far: a journal
// that was kept by an older program's rebase is never opened for writing again.
func OpenReadOnly(path string) (*Reader, error) {
	r, err := openReader(path)
	if err != nil {
		return nil, fmt.Errorf("open journal read-only: %w", classify(err))
	}
	return r, nil
}

func openReader(path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil { // says more than SQLite would
		return nil, err
	}
	steps, err := fs.ReadDir(migrations, "schema")
	if err != nil {
		return nil, err
	}
	db := connect(path, false)
	version, err := checkVersion(context.Background(), db, len(steps))
	if err == nil && version == 0 {
		err = errors.New("a database, but not a journal that a gate began")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Reader{db}, nil
}

// Rows yields the committed entries from seq on, as Journal.Rows does.
func (r *Reader) Rows(ctx context.Context, from uint64) iter.Seq2[Row, error] {
	return readRows(ctx, r.db, from)
}

// Head returns size and root as the stored hashes have them; Verify says
// whether they are true.
func (r *Reader) Head(ctx context.Context) (entry.Head, error) {
	size, err := readSize(ctx, r.db)
	if err != nil {
		return entry.Head{}, fmt.Errorf("read head: %w", classify(err))
	}
	return readHead(ctx, r.db, size)
}

func readHead(ctx context.Context, db *sql.DB, size uint64) (entry.Head, error) {
	tree, err := readEdge(ctx, db, size)
	if err != nil {
		return entry.Head{}, fmt.Errorf("read head: %w", classify(err))
	}
	return tree.Head(), nil
}

// Report is what Verify found in a journal that is whole.
type Report struct {
	// Head is over every entry that was recomputed. Entries that were cut off
	// at the end leave no trace in the file: compare Head with one that
	// somebody else has kept.
	Head entry.Head
	// Boots counts starts of the process.
	Boots uint64
	// Private counts blobs that match their commitment, Shredded commitments
	// whose blob is gone.
	Private, Shredded uint64
}

// Verify recomputes the leaf, hashes and commitment of every entry that is
// stored when it begins, and the root. It calls progress, unless nil, now and
// then and at the end. An error wraps ErrDamaged when the file is at fault, and names the first entry.
func (r *Reader) Verify(ctx context.Context, progress func(done, total uint64)) (Report, error) {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	total, err := readSize(ctx, r.db)
	if err != nil {
		return Report{}, fmt.Errorf("verify journal: %w", classify(err))
	}
	var report Report
	var tree entry.Tree
	for row, err := range readRows(ctx, r.db, 0) {
		if err == nil {
			err = row.verify(&tree)
		}
		if err != nil {
			return Report{}, fmt.Errorf("verify journal: %w", err)
		}
		report.count(row)
		if tree.Size()%pageRows == 0 {
			progress(tree.Size(), total)
		}
		if tree.Size() == total {
			break
		}
	}
	progress(tree.Size(), total)
	report.Head = tree.Head()
	return report, nil
}

func (r *Report) count(row Row) {
	if row.Entry.Kind == entry.KindBoot {
		r.Boots++
	}
	switch {
	case row.Private != nil:
		r.Private++
	case row.Entry.Commitment != nil:
		r.Shredded++
	}
}

// Close closes the file.
func (r *Reader) Close() error { return r.db.Close() }
