// Package journal is a gate's append-only record in SQLite: it commits entries
// durably, one flush for everything that waited, hands out receipts for what
// is on disk, reads back in order and proves that nothing was changed.
//
// It knows how an entry is stored and hashed. It does not know what an entry
// means, who is sent it, what has been acknowledged elsewhere, or what opens
// on a receipt.
package journal

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/menshen/menshen/entry"
)

// Faults on which a caller branches.
var (
	// ErrNotStored: no receipt was issued. The cause is wrapped beside it. The
	// entry may nevertheless be on disk, and is then kept. The journal stays
	// open; a later append may succeed.
	ErrNotStored = errors.New("entry not stored")
	// ErrBusy: the queue is full, which means that the disk does not answer.
	ErrBusy = errors.New("journal busy")
	// ErrClosed: the journal was closed before the entry was taken.
	ErrClosed = errors.New("journal closed")
	// ErrLocked: another process has the journal open for writing.
	ErrLocked = errors.New("journal locked by another process")
	// ErrNewer: a newer program has written the file.
	ErrNewer = errors.New("journal written by a newer program")
	// ErrDamaged: the file is not what was committed. No retry helps.
	ErrDamaged = errors.New("journal damaged")
)

// Options say where the journal lies and who opens it.
type Options struct {
	// Path is the database file. Beside it live Path-wal, Path-shm and Path.lock.
	Path string
	// Boot is the body of the entry that Open appends.
	Boot entry.Boot
	// Now stamps that entry. Required.
	Now func() entry.Stamp
	// Log receives what no caller is told: opened, and storing again after a
	// fault. nil discards.
	Log *slog.Logger
	// QueueLen is how many entries may wait for the committer; 0 means 256.
	QueueLen int
}

// Journal is open for writing by this process alone. Its methods may be called
// from any goroutine.
type Journal struct {
	log     *slog.Logger
	lock    *os.File
	writer  *sql.DB // used by the committer, and by Open before it starts
	insert  *sql.Stmt
	readers *sql.DB
	epoch   uint32
	reason  string
	boot    uint64

	// sending is held for reading while an entry enters the queue, and for
	// writing to close it: so nothing is sent into a closed queue, and nothing
	// that was sent stays unanswered.
	sending sync.RWMutex
	closed  bool
	queue   chan item
	stopped chan struct{} // closed when the committer has ended
	finish  func() error  // Close, once

	mu     sync.Mutex // guards tree and effort
	tree   entry.Tree // of what is committed; only the committer writes it
	effort Effort
	// doubt says that a commit failed and the file may hold more than tree.
	// It belongs to the committer.
	doubt bool
}

// verifiedAtOpen is how many of the newest entries Open recomputes: those that
// a crash or a torn write would have hit, and few enough for a start in
// milliseconds. Reader.Verify recomputes all.
const verifiedAtOpen = 1000

// Open opens or creates the journal, verifies its newest entries, appends the
// boot entry and starts the committer. Nobody else can write until Close.
func Open(ctx context.Context, o Options) (*Journal, error) {
	j, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

func open(ctx context.Context, o Options) (_ *Journal, err error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, err
	}
	j := &Journal{log: o.Log, queue: make(chan item, cmp.Or(o.QueueLen, 256)), stopped: make(chan struct{})}
	if j.log == nil {
		j.log = slog.New(slog.DiscardHandler)
	}
	j.finish = sync.OnceValue(j.drain)
	defer func() {
		if err != nil {
			err = errors.Join(err, j.release())
		}
	}()
	if j.lock, err = lock(path + ".lock"); err != nil {
		return nil, err
	}
	if err := j.openStore(ctx, path); err != nil {
		return nil, classify(err)
	}
	if err := j.appendBoot(o); err != nil {
		return nil, err
	}
	j.log.Info("journal opened", "epoch", j.epoch, "boot", j.boot)
	go j.run()
	return j, nil
}

// lock takes the file that says who writes. It is a file of its own because
// closing any descriptor of the database would drop SQLite's own locks on it.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// openStore opens the connections, brings the schema up to date and recovers
// the tree. It leaves what it opened in j, for release.
func (j *Journal) openStore(ctx context.Context, path string) (err error) {
	if err := create(path); err != nil {
		return err
	}
	j.writer = connect(path, true)
	if err := migrate(ctx, j.writer); err != nil {
		return err
	}
	if j.epoch, j.reason, err = readOrigin(ctx, j.writer); err != nil {
		return err
	}
	if j.tree, err = recoverTree(ctx, j.writer, verifiedAtOpen); err != nil {
		return err
	}
	if j.insert, err = j.writer.PrepareContext(ctx, insertEntry); err != nil {
		return err
	}
	j.readers = connect(path, false)
	return j.readers.PingContext(ctx) // opens one, whose settings are then read back
}

// appendBoot commits the boot entry, in which Boot is its own number.
func (j *Journal) appendBoot(o Options) error {
	j.boot = j.tree.Size()
	it, err := j.encode(Draft{Kind: entry.KindBoot, Stamp: o.Now(), Body: o.Boot})
	if err != nil {
		return err
	}
	_, err = j.commit([]item{it})
	return err
}

// Boot returns the sequence number of this process's boot entry.
func (j *Journal) Boot() uint64 { return j.boot }

// Epoch returns which journal of this gate this is, from 1.
func (j *Journal) Epoch() uint32 { return j.epoch }

// Reason says why this journal was begun, empty for a gate's first.
func (j *Journal) Reason() string { return j.reason }

// Head returns size and root of what is committed.
func (j *Journal) Head() entry.Head {
	j.mu.Lock()
	tree := j.tree
	j.mu.Unlock()
	return tree.Head()
}

// Effort is what the commits since Open have taken.
type Effort struct {
	// Commits is how many there were; one of them may hold many entries.
	Commits uint64
	// Took is how long they took together, each from its first statement to the
	// end of its flush.
	Took time.Duration
}

// Effort returns what the commits since Open have taken.
func (j *Journal) Effort() Effort {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.effort
}

// HeadAt returns the head as it was after the first size entries, from the
// stored hashes: what a collector that has so many must agree with.
func (j *Journal) HeadAt(ctx context.Context, size uint64) (entry.Head, error) {
	if now := j.Head().Size; size > now {
		return entry.Head{}, fmt.Errorf("head at %d: the journal has %d entries", size, now)
	}
	return readHead(ctx, j.readers, size)
}

// Rows yields the committed entries from seq on, in order, to the newest at
// the time it gets there. It holds no transaction while the caller works.
// After an error, which wraps ErrDamaged where the file is at fault, it ends.
func (j *Journal) Rows(ctx context.Context, from uint64) iter.Seq2[Row, error] {
	return readRows(ctx, j.readers, from)
}

// Leaves yields what Rows has in Bytes, and reads nothing of it: for whoever
// sends entries on.
func (j *Journal) Leaves(ctx context.Context, from uint64) iter.Seq2[[]byte, error] {
	return readLeaves(ctx, j.readers, from)
}

// Close takes no more entries, commits those that wait, answers them and
// closes the file. Later calls return what the first one did. It must not be
// called from a done function.
func (j *Journal) Close() error { return j.finish() }

func (j *Journal) drain() error {
	j.sending.Lock()
	j.closed = true
	close(j.queue)
	j.sending.Unlock()
	<-j.stopped
	return j.release()
}

// release closes what is open, the newest first and the lock last: while a
// connection is open, nobody else may write.
func (j *Journal) release() error {
	var errs []error
	if j.readers != nil {
		errs = append(errs, j.readers.Close())
	}
	if j.insert != nil {
		errs = append(errs, j.insert.Close())
	}
	if j.writer != nil {
		errs = append(errs, j.writer.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
