package board

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
)

// fakeRequest is a line of a chip that can be pulled.
type fakeRequest struct {
	mu    sync.Mutex
	level int
	gone  error
	calls []string
}

func (r *fakeRequest) put(level int, gone error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.level, r.gone = level, gone
}

func (r *fakeRequest) Value() (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.level, r.gone
}

func (r *fakeRequest) SetValue(v int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.level = v
	r.calls = append(r.calls, []string{"off", "on"}[v])
	return r.gone
}

func (r *fakeRequest) Close() error {
	r.calls = append(r.calls, "close")
	return nil
}

func fakeLine(output bool) (*line, *fakeRequest) {
	r := &fakeRequest{}
	l := newLine("presence-1", output)
	l.req = r
	return l, r
}

func TestClosingAnOutputRestsItFirst(t *testing.T) {
	l, r := fakeLine(true)
	if err := errors.Join(l.Set(true), l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"on", "off", "close"}; !slices.Equal(r.calls, want) {
		t.Errorf("got %v, want %v", r.calls, want)
	}
	if err := l.Set(true); !errors.Is(err, os.ErrClosed) {
		t.Errorf("set after close: got %v", err)
	}
}

func TestOutputThatCannotRestIsReleasedAllTheSame(t *testing.T) {
	l, r := fakeLine(true)
	r.put(1, syscall.ENODEV)
	if err := l.Close(); !errors.Is(err, device.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	if want := []string{"off", "close"}; !slices.Equal(r.calls, want) {
		t.Errorf("got %v, want %v", r.calls, want)
	}
}

func TestClosingAnInputDrivesNothing(t *testing.T) {
	l, r := fakeLine(false)
	if err := l.Close(); err != nil || !slices.Equal(r.calls, []string{"close"}) {
		t.Errorf("got %v, %v", r.calls, err)
	}
}

func TestNewestEdgeWinsAndNoEdgeBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := fakeLine(false)
		for _, on := range []bool{true, false, true} {
			l.edge(on)
		}
		if on, err := l.Wait(t.Context()); !on || err != nil {
			t.Errorf("got %v, %v", on, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want no second edge", err)
		}
	})
}

func TestWaitFindsALevelWhoseEdgeWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := fakeLine(false)
		start := time.Now()
		r.put(1, nil)
		on, err := l.Wait(t.Context())
		if took := time.Since(start); !on || err != nil || took != lineProbe {
			t.Errorf("got %v, %v after %v", on, err, took)
		}
	})
}

func TestWaitEndsWithWhateverEndsTheLine(t *testing.T) {
	for rule, c := range map[string]struct {
		end  func(*line, *fakeRequest, context.CancelFunc)
		want error
	}{
		"cancelled":   {func(_ *line, _ *fakeRequest, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"chip pulled": {func(_ *line, r *fakeRequest, _ context.CancelFunc) { r.put(0, syscall.ENODEV) }, device.ErrAbsent},
		"closed":      {func(l *line, _ *fakeRequest, _ context.CancelFunc) { l.Close() }, device.ErrAbsent},
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, r := fakeLine(false)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() {
					_, err := l.Wait(ctx)
					ended <- err
				}()
				synctest.Wait()
				c.end(l, r, cancel)
				if err := <-ended; !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			})
		})
	}
}
