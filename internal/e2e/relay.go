package e2e

import (
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Frame is one command that reached the relay board.
type Frame struct {
	At      time.Time
	Channel int
	On      bool
}

// sentinel is a channel that no board has; Drain writes it behind everything
// else.
const sentinel = 0xFE

// Relay is an LCUS board: it takes 4-byte frames and answers nothing.
type Relay struct {
	*Port

	mu      sync.Mutex
	frames  []Frame
	on      map[int]bool
	counts  map[Frame]int // with no time
	hook    func(Frame)
	broken  int // bytes that belong to no frame
	drained int
}

func newRelay(link string) *Relay {
	r := &Relay{on: map[int]bool{}, counts: map[Frame]int{}}
	r.Port = &Port{Link: link, serve: r.serve}
	return r
}

// serve takes frames in their order. The hook of one returns before the next is
// read.
func (r *Relay) serve(rw io.ReadWriter) {
	var frame []byte
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(rw, one); err != nil {
			return
		}
		frame = append(frame, one[0])
		if len(frame) < 4 {
			continue
		}
		if frame[0] != 0xA0 || frame[2] > 1 || frame[0]+frame[1]+frame[2] != frame[3] {
			r.mu.Lock()
			r.broken++
			r.mu.Unlock()
			frame = frame[1:]
			continue
		}
		r.take(Frame{At: time.Now(), Channel: int(frame[1]), On: frame[2] == 1})
		frame = frame[:0]
	}
}

func (r *Relay) take(f Frame) {
	r.mu.Lock()
	if f.Channel == sentinel {
		r.drained++
		r.mu.Unlock()
		return
	}
	r.frames = append(r.frames, f)
	r.on[f.Channel] = f.On
	r.counts[Frame{Channel: f.Channel, On: f.On}]++
	hook := r.hook
	r.mu.Unlock()
	if hook != nil {
		hook(f)
	}
}

// Hook has f called at every frame, before the next one is read; nil ends that.
func (r *Relay) Hook(f func(Frame)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hook = f
}

// Frames returns what has arrived so far.
func (r *Relay) Frames() []Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.frames)
}

// Count returns how many frames so far switched a channel on, or off.
func (r *Relay) Count(channel int, on bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[Frame{Channel: channel, On: on}]
}

// IsOn reports the state in which the frames have left a channel.
func (r *Relay) IsOn(channel int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on[channel]
}

// AwaitOn waits for a channel to be switched on for the n-th time.
func (r *Relay) AwaitOn(t testing.TB, channel, n int) {
	t.Helper()
	Await(t, Soon, "the relay is switched on", func() bool { return r.Count(channel, true) >= n })
}

// AwaitState waits until a channel is on, or off.
func (r *Relay) AwaitState(t testing.TB, channel int, on bool) {
	t.Helper()
	Await(t, Soon, "the relay is in the wanted state", func() bool { return r.IsOn(channel) == on })
}

// Drain waits until everything that was written to the port has been taken,
// and fails the test for bytes that were no frame.
func (r *Relay) Drain(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	before := r.drained
	r.mu.Unlock()
	f, err := os.OpenFile(r.path(), os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err == nil {
		_, err = f.Write([]byte{0xA0, sentinel, 0x00, 0x9E})
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatalf("drain relay: %v", err)
	}
	Await(t, Soon, "the relay board has taken every frame", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.drained > before
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken > 0 {
		t.Errorf("%d bytes at the relay board were no frame", r.broken)
	}
}
