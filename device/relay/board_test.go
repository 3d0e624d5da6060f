package relay

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// wire keeps every Write apart.
type wire struct {
	io.Reader
	writes []string
	short  bool
	err    error
	closed int
}

func (w *wire) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.writes = append(w.writes, hex.EncodeToString(p))
	if w.short {
		return len(p) - 1, nil
	}
	return len(p), nil
}

func (w *wire) Close() error { w.closed++; return nil }

func TestLCUSFramesMatchTheVendorPages(t *testing.T) {
	w := &wire{}
	b := NewLCUS(w, 255)
	for _, c := range []struct {
		channel int
		on      bool
	}{{1, true}, {1, false}, {2, true}, {255, true}} {
		if err := b.Set(c.channel, c.on); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"a00101a2", "a00100a1", "a00201a3", "a0ff01a0"}; !slices.Equal(w.writes, want) {
		t.Errorf("wrote %v, want %v, one write each", w.writes, want)
	}
	if err := b.Close(); err != nil || w.closed != 1 {
		t.Errorf("close: %v, %d times", err, w.closed)
	}
}

func TestLCUSReportsWhatWasNotWritten(t *testing.T) {
	broken := errors.New("broken")
	if err := NewLCUS(&wire{err: broken}, 2).Set(1, true); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := NewLCUS(&wire{short: true}, 2).Set(1, true); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}

func TestNoBoardHasAChannelOutsideItsRange(t *testing.T) {
	w := &wire{}
	for name, b := range map[string]Board{"lcus": NewLCUS(w, 2), "lines": NewLines(nil)} {
		for _, n := range []int{-1, 0, 3, 256} {
			if err := b.Set(n, true); err == nil {
				t.Errorf("%s: channel %d accepted", name, n)
			}
		}
	}
	if err := NewLCUS(w, 300).Set(256, true); err == nil || len(w.writes) != 0 {
		t.Errorf("channel 256: %v, wrote %v", err, w.writes)
	}
}

// line is one digital output.
type line struct {
	log      *[]string
	name     string
	setErr   error
	closeErr error
}

func (l *line) Set(on bool) error {
	*l.log = append(*l.log, l.name+map[bool]string{true: " on", false: " off"}[on])
	return l.setErr
}
func (l *line) Get() (bool, error)                 { return false, nil }
func (l *line) Wait(context.Context) (bool, error) { return false, nil }
func (l *line) Close() error                       { *l.log = append(*l.log, l.name+" close"); return l.closeErr }

func TestLinesAreChannelsFromOneAndAllAreClosed(t *testing.T) {
	var log []string
	setErr, closeErr := errors.New("set"), errors.New("close")
	b := NewLines(deviceLines(&line{log: &log, name: "a", closeErr: closeErr}, &line{log: &log, name: "b", setErr: setErr}))
	if err := b.Set(1, true); err != nil {
		t.Error(err)
	}
	if err := b.Set(2, false); !errors.Is(err, setErr) {
		t.Errorf("got %v", err)
	}
	if err := b.Close(); !errors.Is(err, closeErr) {
		t.Errorf("got %v", err)
	}
	if got, want := strings.Join(log, ", "), "a on, b off, a close, b close"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
