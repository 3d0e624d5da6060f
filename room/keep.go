package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/menshen/menshen/room/feed"
)

const (
	keptFormat = 1
	// maxKept bounds the file before it is read, in bytes.
	maxKept = 16 << 20
	// keepAgain is how long a disk that does not store is left alone.
	keepAgain = 5 * time.Second
)

// kept is what outlives a restart.
type kept struct {
	Format int
	Gates  map[string]*followed
}

// load brings back what was kept. A file that cannot be read costs the memory of
// what was answered, and no alarm that stands: the gates list them.
func (w *ward) load(path string) {
	w.path = path
	b, err := readKept(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var k kept
	if err == nil {
		k, err = parseKept(b)
	}
	if err != nil {
		w.log.Error("state of the board not read; it begins with what the gates list", "err", err)
		return
	}
	for _, f := range w.gates {
		if was := k.Gates[f.name]; was != nil {
			f.Next, f.Alarms, f.Lost = was.Next, was.Alarms, was.Lost
		}
	}
}

func readKept(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKept+1))
	if err == nil && len(b) > maxKept {
		err = fmt.Errorf("%s has more than %d bytes", path, maxKept)
	}
	return b, err
}

func parseKept(b []byte) (k kept, err error) {
	if err := feed.Decode(bytes.NewReader(b), &k); err != nil {
		return kept{}, err
	}
	if k.Format != keptFormat {
		return kept{}, fmt.Errorf("format %d, want %d", k.Format, keptFormat)
	}
	return k, nil
}

// keep writes what is to be kept whenever it has changed, and once more at the
// end. Nothing waits for it: a crash before it is written lets an alarm ring
// that was answered, never the reverse.
func (w *ward) keep(ctx context.Context) error {
	ticks := w.watch(ctx)
	var again <-chan time.Time
	failed := false
	for {
		err := w.write()
		if again = nil; err != nil {
			again = time.After(keepAgain)
			if !failed {
				w.log.Error("state of the board not kept", "err", err)
			}
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return w.write()
		case <-ticks:
		case <-again:
		}
	}
}

// write keeps what is known, if it differs from what is kept.
func (w *ward) write() error {
	b, err := w.snapshot()
	if b == nil || err != nil {
		return err
	}
	if err := replaceFile(w.path, b); err != nil {
		w.mu.Lock()
		w.dirty = true
		w.mu.Unlock()
		return fmt.Errorf("keep state of the board: %w", err)
	}
	return nil
}

// snapshot returns what is to be kept, nil where that is kept already.
func (w *ward) snapshot() ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dirty {
		return nil, nil
	}
	k := kept{Format: keptFormat, Gates: map[string]*followed{}}
	for _, f := range w.gates {
		k.Gates[f.name] = f
	}
	b, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encode state of the board: %w", err)
	}
	w.dirty = false
	return b, nil
}

// replaceFile writes a file, readable by its owner only because names stand in
// it, so that its name means the old content or all of the new one.
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
	dir, err := os.Open(filepath.Dir(name)) // what was renamed must last
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
