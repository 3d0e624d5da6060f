package mqtt

import (
	"math"
	"testing"

	"github.com/menshen/menshen/sync/wire"
)

// longest returns the greatest remaining length (MQTT 3.1.1 §2.2.3) in a
// stream, and its packet's type.
func longest(b []byte) (kind byte, length int) {
	for len(b) > 0 {
		k, n, shift := b[0]>>4, 0, 0
		b = b[1:]
		for more := true; more; shift += 7 {
			if len(b) == 0 {
				return kind, length
			}
			if shift > 21 {
				return k, math.MaxInt // a length has four bytes at most
			}
			n |= int(b[0]&0x7f) << shift
			more = b[0]&0x80 != 0
			b = b[1:]
		}
		if n > length {
			kind, length = k, n
		}
		b = b[min(n, len(b)):]
	}
	return kind, length
}

func FuzzNoPacketPassesThatIsOutOfBounds(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0x90, 3, 0, 1, 1, 0x30, 5, 0, 1, 'a', 0, 1}, uint8(3))
	f.Add([]byte{0x30, 0x81, 0x80, 0x80, 0x03}, uint8(1))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x7f}, uint8(2))
	f.Add([]byte{0xd0, 0x80, 0x80, 0x00, 0x40, 2, 0, 1}, uint8(5))
	f.Add([]byte{0x00}, uint8(0))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8) {
		whole := guard{subscriptions: 2}
		err := whole.follow(stream)

		pieces := guard{subscriptions: 2}
		var piecemeal error
		for rest := stream; len(rest) > 0 && piecemeal == nil; {
			n := min(int(cut)+1, len(rest))
			piecemeal = pieces.follow(rest[:n])
			rest = rest[n:]
		}
		if (err == nil) != (piecemeal == nil) || err == nil && whole != pieces {
			t.Fatalf("whole: %v and %+v; in pieces: %v and %+v", err, whole, piecemeal, pieces)
		}
		if kind, n := longest(stream); err == nil && (n > maxHeader+wire.MaxPayload || kind != publish && n > 4) {
			t.Fatalf("a packet of type %d with %d bytes passed", kind, n)
		}
	})
}
