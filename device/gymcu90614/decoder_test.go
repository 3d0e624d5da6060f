package gymcu90614

import (
	"bytes"
	"errors"
	"slices"
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

// The same, 36.60 °C in 25.31 °C, of the other modules: the GY-614V3 claims a
// body of 36.92 °C at an emissivity of 0.97; the CJMCU-90614 sums only its data.
var (
	gy614 = []byte{0xA4, 0x03, 0x07, 0x07, 0x61, 0x0E, 0x4C, 0x09, 0xE3, 0x0E, 0x6C, 0xD6}
	cjmcu = []byte{0x66, 0x66, 0x01, 0x04, 0x0E, 0x4C, 0x09, 0xE3, 0x46}
	// seen is a frame as it was met in the field.
	seen = []byte{0x66, 0x66, 0x01, 0x04, 0x0A, 0x83, 0x0A, 0x83, 0x1A}
)

// vectors has one frame of each module.
func vectors() map[Module][]byte {
	return map[Module][]byte{GYMCU90614: vector, GY614V3: gy614, CJMCU90614: cjmcu}
}

// decode pushes everything and returns the frames and the number of faults.
func decode(m Module, p []byte) (frames []frame, faults int) {
	d := decoder{p: m.protocol()}
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
	for module, vector := range vectors() {
		last := len(vector) - 1
		bad := bytes.Clone(vector)
		bad[last]++
		for _, c := range []struct {
			name           string
			in             []byte
			frames, faults int
		}{
			{"one frame", vector, 1, 0},
			{"two frames", bytes.Repeat(vector, 2), 2, 0},
			{"the stream begins mid-frame", append(bytes.Clone(vector[3:]), vector...), 1, 0},
			{"a stray header byte before the frame", append([]byte{vector[0]}, vector...), 1, 0},
			{"a cut frame swallows nothing of the next", append(bytes.Clone(vector[:6]), vector...), 1, 1},
			{"a wrong sum", bad, 0, 1},
			{"a wrong sum, then a sound frame", append(bytes.Clone(bad), vector...), 1, 1},
			{"another type of frame", []byte{0x5A, 0x5A, 0x15, 0x04, 0, 0, 0, 0, 0xCD}, 0, 0},
			{"another module's frames", slices.Concat(others(module)...), 0, 0},
		} {
			t.Run(module.String()+" "+c.name, func(t *testing.T) {
				frames, faults := decode(module, c.in)
				if len(frames) != c.frames || faults != c.faults {
					t.Fatalf("got %d frames and %d faults, want %d and %d", len(frames), faults, c.frames, c.faults)
				}
				for _, f := range frames {
					if f.object != 0x0E4C || f.ambient != 0x09E3 {
						t.Errorf("got %+v", f)
					}
				}
			})
		}
	}
}

func others(m Module) (frames [][]byte) {
	for other, frame := range vectors() {
		if other != m {
			frames = append(frames, frame)
		}
	}
	return frames
}

func TestFramesOfTheFieldAreRead(t *testing.T) {
	if frames, _ := decode(CJMCU90614, seen); len(frames) != 1 || frames[0] != (frame{object: 2691, ambient: 2691}) {
		t.Errorf("got %+v", frames)
	}
	if frames, _ := decode(GY614V3, gy614); len(frames) != 1 || frames[0].body != 3692 {
		t.Errorf("got %+v", frames)
	}
}

func TestFlippedBitIsNeverAFrame(t *testing.T) {
	for module, vector := range vectors() {
		for bit := range len(vector) * 8 {
			p := bytes.Clone(vector)
			p[bit/8] ^= 1 << (bit % 8)
			if frames, _ := decode(module, p); len(frames) != 0 {
				t.Errorf("%v, bit %d: % x decoded as %+v", module, bit, p, frames)
			}
		}
	}
}

// After any noise, two sound frames in a row bring at least one of them out,
// and what is pending never fills a frame.
func FuzzDecoderResynchronises(f *testing.F) {
	for m, v := range vectors() {
		f.Add([]byte{}, byte(m))
		f.Add(v[:5], byte(m))
		f.Add(v[4:], byte(m))
		f.Add(bytes.Repeat(v[:1], 20), byte(m))
	}
	f.Add([]byte{0x5A, 0x5A, 0x45, 0x04, 0, 0, 0, 0x5A}, byte(GYMCU90614))
	f.Fuzz(func(t *testing.T, noise []byte, m byte) {
		module := Module(m % 3)
		vector := vectors()[module]
		want, _ := decode(module, vector)
		d := decoder{p: module.protocol()}
		found := false
		for i, b := range append(bytes.Clone(noise), bytes.Repeat(vector, 2)...) {
			got, ok, err := d.push(b)
			if d.n >= len(vector) {
				t.Fatalf("%d bytes pending", d.n)
			}
			if err != nil && (ok || !errors.Is(err, device.ErrCorrupt)) {
				t.Fatalf("ok %v beside %v", ok, err)
			}
			found = found || i >= len(noise) && ok && got == want[0]
		}
		if !found {
			t.Fatal("no frame found after the noise")
		}
	})
}
