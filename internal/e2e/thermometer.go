package e2e

import (
	"io"
	"sync"
	"testing"
	"time"
)

// Centi is a temperature in hundredths of a degree Celsius: 36.50 °C is 3650.
type Centi int

// What a lens at a gate sees.
const (
	Empty   Centi = 2200 // the lane's wall
	Healthy Centi = 3650
	Cold    Centi = 3390 // a rider's forehead in winter
	Fever   Centi = 3780
)

// Ailment is what is wrong with a thermometer.
type Ailment int

// The ailments.
const (
	Sound    Ailment = iota
	Silent           // answers nothing
	BadCheck         // its frames have a wrong sum
	Frozen           // sends the same value to the bit
)

// Thermometer is a GY-MCU90614 module that is asked for every frame, or sends
// them by itself.
type Thermometer struct {
	*Port

	every time.Duration // between two frames sent by itself; 0: only when asked

	mu      sync.Mutex
	view    Centi
	ailment Ailment
	frames  int // until it falls silent; 0: it does not
	seen    int // frames due since the view changed
	flicker int
}

func newThermometer(link string, every time.Duration) *Thermometer {
	th := &Thermometer{view: Empty, every: every}
	th.Port = &Port{Link: link, serve: th.serve}
	return th
}

// serve answers A5 15 BA and is silent at A5 52 F7, which switches automatic
// output off, and at everything else.
func (th *Thermometer) serve(rw io.ReadWriter) {
	if th.every > 0 {
		gone := make(chan struct{})
		defer close(gone)
		go th.stream(gone)
	}
	var last [3]byte
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(rw, one); err != nil {
			return
		}
		last = [3]byte{last[1], last[2], one[0]}
		if th.every > 0 || last != [3]byte{0xA5, 0x15, 0xBA} {
			continue
		}
		if frame := th.answer(); frame != nil {
			if err := th.Send(frame); err != nil {
				return
			}
		}
	}
}

// stream sends frame after frame until the module is pulled. Frames that
// nobody takes are lost, as on a wire.
func (th *Thermometer) stream(gone <-chan struct{}) {
	tick := time.NewTicker(th.every)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
		}
		if frame := th.answer(); frame != nil {
			_ = th.Send(frame)
		}
	}
}

// answer makes the frame of what is in view. Skin and ambient always flicker:
// no two frames in a row are equal unless the module is frozen.
func (th *Thermometer) answer() []byte {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.seen++
	if th.ailment == Silent {
		return nil
	}
	if th.ailment != Frozen {
		th.flicker = (th.flicker + 1) % 5
	}
	frame := thermometerFrame(th.view+Centi(th.flicker-2), Empty+100)
	if th.ailment == BadCheck {
		frame[8]++
	}
	if th.frames > 0 {
		if th.frames--; th.frames == 0 {
			th.ailment = Silent
		}
	}
	return frame
}

// thermometerFrame is 5A 5A 45 04, object, ambient, sum.
func thermometerFrame(object, ambient Centi) []byte {
	frame := []byte{0x5A, 0x5A, 0x45, 0x04, byte(object >> 8), byte(object), byte(ambient >> 8), byte(ambient)}
	var sum byte
	for _, b := range frame {
		sum += b
	}
	return append(frame, sum)
}

// Show puts somebody before the lens, give or take 0.02 °C.
func (th *Thermometer) Show(c Centi) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.view, th.seen = c, 0
}

// Ail makes the module fail, or sound again.
func (th *Thermometer) Ail(a Ailment) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.ailment, th.frames, th.seen = a, 0, 0
}

// SilentAfter makes the module fall silent when it has sent so many frames.
func (th *Thermometer) SilentAfter(frames int) {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.frames = frames
}

// Seen returns how often the gate has looked since the view last changed; of a
// module that sends by itself, how many frames it has sent.
func (th *Thermometer) Seen() int {
	th.mu.Lock()
	defer th.mu.Unlock()
	return th.seen
}

// AwaitSeen waits until the gate has looked at the present view n times.
func (th *Thermometer) AwaitSeen(t testing.TB, n int) {
	t.Helper()
	Await(t, Soon, "the gate looks at what is in view", func() bool { return th.Seen() >= n })
}

// Clear empties the view and waits until the gate has seen that: whoever comes
// next is somebody else. A gate that decided before anybody stood in view has
// seen it empty already, and looks no more.
func (th *Thermometer) Clear() {
	th.Show(Empty)
	Poll(2*time.Second, func() bool { return th.Seen() > 0 })
}
