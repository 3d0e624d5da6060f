package sim_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

func TestTheBoardObeysSoundFramesOnly(t *testing.T) {
	for _, c := range []struct {
		rule, bytes string
		on          []int
		rejected    int
	}{
		{"on", "A0 01 01 A2", []int{1}, 0},
		{"another channel", "A0 02 01 A3", []int{2}, 0},
		{"on and off", "A0 01 01 A2 A0 01 00 A1", nil, 0},
		{"a wrong sum", "A0 01 01 A3", nil, 4},
		{"a state that is neither", "A0 01 02 A3", nil, 4},
		{"a channel that it does not have", "A0 05 01 A6", nil, 0},
		{"noise before", "00 FF A0 01 01 A2", []int{1}, 2},
		{"a torn frame before", "A0 01 A0 01 01 A2", []int{1}, 2},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := sim.NewWorld()
			board := w.AddRelayBoard("relay", 4)
			write(t, stream(t, w, "relay"), bytes(t, c.bytes))
			var on []int
			for ch := range 6 {
				if board.On(ch) {
					on = append(on, ch)
				}
			}
			if !slices.Equal(on, c.on) || board.Rejected() != c.rejected {
				t.Fatalf("on %v, rejected %d", on, board.Rejected())
			}
		})
	}
}

func TestTheBoardKeepsItsStateWhenUnplugged(t *testing.T) {
	w := sim.NewWorld()
	board := w.AddRelayBoard("relay", 1)
	write(t, stream(t, w, "relay"), bytes(t, "A0 01 01 A2"))
	board.Unplug()
	if !board.On(1) {
		t.Error("let go when unplugged")
	}
	board.Plug()
	stream(t, w, "relay")
	if !board.On(1) {
		t.Error("let go when opened")
	}
}

func TestFramesAreAllActsAndEdgesAreChanges(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		board := w.AddRelayBoard("relay", 1)
		s := stream(t, w, "relay")
		var heard []sim.Edge
		board.Subscribe(func(e sim.Edge) {
			if board.On(e.Channel) != e.On {
				t.Error("told before it was done")
			}
			heard = append(heard, e)
		})
		start := time.Now()
		for _, act := range []struct {
			after time.Duration
			frame string
		}{
			{0, "A0 01 00 A1"},
			{150 * time.Millisecond, "A0 01 00 A1"},
			{time.Second, "A0 01 01 A2"},
			{300 * time.Millisecond, "A0 01 00 A1"},
		} {
			<-time.After(act.after)
			write(t, s, bytes(t, act.frame))
		}
		on := sim.Edge{At: start.Add(1150 * time.Millisecond), Channel: 1, On: true}
		off := sim.Edge{At: start.Add(1450 * time.Millisecond), Channel: 1}
		if got := board.Edges(); !slices.Equal(got, []sim.Edge{on, off}) || !slices.Equal(got, heard) {
			t.Errorf("edges %v, heard %v", got, heard)
		}
		first := sim.Edge{At: start, Channel: 1}
		second := sim.Edge{At: start.Add(150 * time.Millisecond), Channel: 1}
		if got := board.Frames(); !slices.Equal(got, []sim.Edge{first, second, on, off}) {
			t.Errorf("frames %v", got)
		}
	})
}

func openLine(t *testing.T, w *sim.World, output bool) device.Line {
	t.Helper()
	l, err := w.Line("line", device.LineOpts{Output: output})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestAnOutputRestsWhenOpenedAndWhenClosed(t *testing.T) {
	w := sim.NewWorld()
	line := w.AddLine("line")
	for range 2 {
		l := openLine(t, w, true)
		if line.On() {
			t.Fatal("opened on")
		}
		if err := l.Set(true); err != nil {
			t.Fatal(err)
		}
		if on, err := l.Get(); !on || err != nil || !line.On() {
			t.Fatalf("get: %t, %v", on, err)
		}
		for range 2 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if line.On() {
			t.Fatal("closed on")
		}
		if err := l.Set(true); !errors.Is(err, os.ErrClosed) {
			t.Fatalf("set after close: %v", err)
		}
	}
	if n := len(line.Edges()); n != 4 {
		t.Fatalf("%d edges", n)
	}
}

func TestAnOutputThatIsPulledKeepsItsLevelUntilItIsOpenedAgain(t *testing.T) {
	w := sim.NewWorld()
	line := w.AddLine("line")
	l := openLine(t, w, true)
	if err := l.Set(true); err != nil {
		t.Fatal(err)
	}
	line.Unplug()
	if err := l.Set(false); !errors.Is(err, device.ErrAbsent) {
		t.Fatalf("set: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Line("line", device.LineOpts{}); !errors.Is(err, device.ErrAbsent) {
		t.Fatalf("open: %v", err)
	}
	if !line.On() {
		t.Fatal("the level changed")
	}
	line.Plug()
	openLine(t, w, true)
	if line.On() {
		t.Fatal("opened on")
	}
}

func TestAnInputTellsEachChange(t *testing.T) {
	w := sim.NewWorld()
	line := w.AddLine("line")
	line.Drive(true)
	l := openLine(t, w, false)
	if on, err := l.Get(); !on || err != nil {
		t.Fatalf("get: %t, %v", on, err)
	}
	line.Drive(true) // no change
	line.Drive(false)
	line.Drive(true)
	for _, want := range []bool{false, true} {
		if on, err := l.Wait(t.Context()); on != want || err != nil {
			t.Fatalf("wait: %t, %v", on, err)
		}
	}
}

func TestAnInputForgetsItsOldestChangesFirst(t *testing.T) {
	w := sim.NewWorld()
	line := w.AddLine("line")
	l := openLine(t, w, false)
	for i := range 21 {
		line.Drive(i%2 == 0)
	}
	var got []bool
	for range 16 {
		on, err := l.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, on)
	}
	if last := got[15]; !last {
		t.Fatal("the last change is not the present level")
	}
}

func TestAWaitForAnInputEnds(t *testing.T) {
	for _, c := range []struct {
		rule string
		end  func(*sim.Line, device.Line, context.CancelFunc)
		want error
	}{
		{"with the context", func(_ *sim.Line, _ device.Line, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"when it is unplugged", func(l *sim.Line, _ device.Line, _ context.CancelFunc) { l.Unplug() }, device.ErrAbsent},
		{"when it is closed", func(_ *sim.Line, h device.Line, _ context.CancelFunc) { h.Close() }, os.ErrClosed},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				line := w.AddLine("line")
				l := openLine(t, w, false)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error)
				go func() {
					_, err := l.Wait(ctx)
					ended <- err
				}()
				synctest.Wait()
				c.end(line, l, cancel)
				if err := <-ended; !errors.Is(err, c.want) {
					t.Fatalf("wait: %v", err)
				}
			})
		})
	}
}

func TestALineIsOpenOnceAndInOneDirection(t *testing.T) {
	w := sim.NewWorld()
	w.AddLine("line")
	in := openLine(t, w, false)
	if _, err := w.Line("line", device.LineOpts{}); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("second open: %v", err)
	}
	if err := in.Set(true); err == nil {
		t.Error("set an input")
	}
	in.Close()
	out := openLine(t, w, true)
	if _, err := out.Wait(t.Context()); err == nil {
		t.Error("waited for an output")
	}
}
