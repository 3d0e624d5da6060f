package sim

import (
	"testing"
	"time"
)

func FuzzGM65HoldsOneFrameAtMost(f *testing.F) {
	f.Add([]byte("\x7E\x00\x07\x01\x00\x0A\x01\xEE\x8A"))
	f.Add([]byte("\x7E\x00\x07\x01\xFF\xFF\xFF\xAB\xCD"))
	f.Add([]byte("\x7E\x7E\x00\x08\xFF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g := newGM65()
		for _, c := range b {
			answer := g.take([]byte{c})
			if len(g.buf) > 8+255 || len(answer) > 6+255 {
				t.Fatalf("holds %d, answers %d bytes", len(g.buf), len(answer))
			}
		}
	})
}

func FuzzGM67HoldsOneFrameAtMost(f *testing.F) {
	f.Add([]byte("\x05\xC7\x04\x00\x8A\xFE\xA6"))
	f.Add([]byte("\x07\xC6\x04\x08\x00\xEC\x00\xFE\x3B"))
	f.Add([]byte("\xFF\xC6\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g := newGM67()
		g.last = time.Now() // awake
		for _, c := range b {
			answer := g.take([]byte{c})
			if len(g.buf) > 255+2 || len(answer) > 9 {
				t.Fatalf("holds %d, answers %d bytes", len(g.buf), len(answer))
			}
		}
	})
}

func FuzzTheBoardFindsASoundFrameAfterNoise(f *testing.F) {
	f.Add([]byte{}, byte(1), true)
	f.Add([]byte{0xA0, 0x01}, byte(1), false)
	f.Add([]byte{0xA0, 0xA0, 0x01, 0x41}, byte(4), true)
	f.Fuzz(func(t *testing.T, noise []byte, channel byte, on bool) {
		var d lcusDecoder
		for _, c := range noise {
			d.step(c)
		}
		// Noise can be the beginning of a sound frame; three zeros are not
		// part of any that would hide the next one.
		for range 3 {
			d.step(0)
		}
		frame := []byte{0xA0, channel, 0, 0xA0 + channel}
		if on {
			frame[2], frame[3] = 1, frame[3]+1
		}
		for i, c := range frame {
			gotChannel, gotOn, ok := d.step(c)
			if ok != (i == 3) {
				t.Fatalf("byte %d: found %t", i, ok)
			}
			if ok && (gotChannel != int(channel) || gotOn != on) {
				t.Fatalf("got %d %t", gotChannel, gotOn)
			}
		}
	})
}
