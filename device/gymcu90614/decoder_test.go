package gymcu90614

import (
	"bytes"
	"errors"
	"testing"

	"github.com/menshen/menshen/device"
)

// vector is 36.60 °C object, 25.31 °C ambient.
var vector = []byte{0x5A, 0x5A, 0x45, 0x04, 0x0E, 0x4C, 0x09, 0xE3, 0x43}

// encode is the frame that a module would send.
func encode(object, ambient int16) []byte {
	p := []byte{0x5A, 0x5A, 0x45, 0x04, byte(object >> 8), byte(object), byte(ambient >> 8), byte(ambient)}
	return append(p, sum(p))
}

// decode pushes everything and returns the frames and the number of faults.
func decode(p []byte) (frames []frame, faults int) {
	var d decoder
	for _, b := range p {
		f, ok, err := d.push(b)
		if ok {
			frames = append(frames, f)
		}
		if err != nil {
			faults++
		}
	}
	return frames, faults
}

func TestDecoderFindsFrames(t *testing.T) {
	bad := bytes.Clone(vector)
	bad[8]++
	for _, c := range []struct {
		name           string
		in             []byte
		frames, faults int
	}{
		{"one frame", vector, 1, 0},
		{"two frames", bytes.Repeat(vector, 2), 2, 0},
		{"the stream begins mid-frame", append(bytes.Clone(vector[3:]), vector...), 1, 0},
		{"a stray header byte before the frame", append([]byte{0x5A}, vector...), 1, 0},
		{"a cut frame swallows nothing of the next", append(bytes.Clone(vector[:6]), vector...), 1, 1},
		{"a wrong sum", bad, 0, 1},
		{"a wrong sum, then a sound frame", append(bytes.Clone(bad), vector...), 1, 1},
		{"another type of frame", []byte{0x5A, 0x5A, 0x15, 0x04, 0, 0, 0, 0, 0xCD}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames, faults := decode(c.in)
			if len(frames) != c.frames || faults != c.faults {
				t.Fatalf("got %d frames and %d faults, want %d and %d", len(frames), faults, c.frames, c.faults)
			}
			for _, f := range frames {
				if f != (frame{0x0E4C, 0x09E3}) {
					t.Errorf("got %+v", f)
				}
			}
		})
	}
}

func TestFlippedBitIsNeverAFrame(t *testing.T) {
	for bit := range len(vector) * 8 {
		p := bytes.Clone(vector)
		p[bit/8] ^= 1 << (bit % 8)
		if frames, _ := decode(p); len(frames) != 0 {
			t.Errorf("bit %d: % x decoded as %+v", bit, p, frames)
		}
	}
}

// After any noise, two sound frames in a row bring at least one of them out,
// and what is pending never fills a frame.
func FuzzDecoderResynchronises(f *testing.F) {
	f.Add([]byte{})
	f.Add(vector[:5])
	f.Add(vector[4:])
	f.Add(bytes.Repeat([]byte{0x5A}, 20))
	f.Add([]byte{0x5A, 0x5A, 0x45, 0x04, 0, 0, 0, 0x5A})
	f.Fuzz(func(t *testing.T, noise []byte) {
		var d decoder
		found := false
		for i, b := range append(bytes.Clone(noise), bytes.Repeat(vector, 2)...) {
			got, ok, err := d.push(b)
			if d.n >= frameLen {
				t.Fatalf("%d bytes pending", d.n)
			}
			if err != nil && (ok || !errors.Is(err, device.ErrCorrupt)) {
				t.Fatalf("ok %v beside %v", ok, err)
			}
			found = found || i >= len(noise) && ok && got == frame{0x0E4C, 0x09E3}
		}
		if !found {
			t.Fatal("no frame found after the noise")
		}
	})
}
