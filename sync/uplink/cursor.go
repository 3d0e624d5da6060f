package uplink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// saveEvery is how often the cursor is written while entries flow: a card has
// better things to do.
const saveEvery = 10 * time.Minute

// loadCursor returns how much was acknowledged when it was last written down.
// It is for the screen of a gate that has no network yet. Whatever stands in
// the file, nothing is sent or left out for it.
func (u *Uplink) loadCursor() uint64 {
	if u.o.CursorPath == "" {
		return 0
	}
	text, err := os.ReadFile(u.o.CursorPath)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	var epoch uint32
	var acked uint64
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d %d\n", &epoch, &acked)
	}
	if err != nil {
		u.log.Warn("cursor not read", "err", err)
		return 0
	}
	if epoch != u.o.Source.Epoch() || acked > u.o.Source.Head().Size {
		return 0 // of another journal
	}
	return acked
}

// saveCursor writes down what is acknowledged. It is not flushed: a power cut
// leaves an older or no hint.
func (u *Uplink) saveCursor() {
	s := u.State()
	if u.o.CursorPath == "" || s.Heard.IsZero() {
		return
	}
	u.saved = u.now()
	next := u.o.CursorPath + ".new"
	err := os.WriteFile(next, fmt.Appendf(nil, "%d %d\n", u.o.Source.Epoch(), s.Acked), 0o600)
	if err == nil {
		err = os.Rename(next, u.o.CursorPath)
	}
	if err != nil {
		u.log.Warn("cursor not written", "err", err)
	}
}
