package wire_test

import (
	"bytes"
	"math"
	"runtime"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// seeds gives a fuzz target every sound message and some that lie about
// their length.
func seeds(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.bytes)
	}
	f.Add([]byte{0x9a, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x88, 1, 3, 0x5b, 0x10, 0, 0, 0, 0, 0, 0, 0})
	f.Add(bytes.Repeat([]byte{0x81}, 1000))
}

// fuzzSigned lets a target find a message that verifies and is not the one
// that was signed.
func fuzzSigned(f *testing.F, signer byte, read func([]byte, byte, string) (any, error)) {
	seeds(f)
	var sound [][]byte
	for _, s := range samples(f) {
		sound = append(sound, s.bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var err error
		used := allocated(func() { _, err = read(b, signer, gate) })
		if limit := uint64(64<<10 + 16*len(b)); err != nil && used > limit {
			t.Errorf("%d bytes made the reader allocate %d", len(b), used)
		}
		if err == nil && !contains(sound, b) {
			t.Errorf("verified what nobody signed: %x", b)
		}
	})
}

func contains(all [][]byte, b []byte) bool {
	for _, s := range all {
		if bytes.Equal(s, b) {
			return true
		}
	}
	return false
}

func FuzzHello(f *testing.F) { fuzzSigned(f, 1, readHello) }
func FuzzBatch(f *testing.F) { fuzzSigned(f, 1, readBatch) }
func FuzzHave(f *testing.F)  { fuzzSigned(f, 2, readHave) }
func FuzzAlarm(f *testing.F) { fuzzSigned(f, 1, readAlarm) }
func FuzzDown(f *testing.F)  { fuzzSigned(f, 2, readDown) }

// FuzzStatus and FuzzAnnounce: what is accepted is what the same message would
// be written as.
func FuzzStatus(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := wire.ParseStatus(b)
		if err != nil {
			return
		}
		if again, err := s.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted %x, written as %x, %v", b, again, err)
		}
	})
}

func FuzzAnnounce(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := wire.ParseAnnounce(b)
		if err != nil {
			return
		}
		if again, err := a.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted %x, written as %x, %v", b, again, err)
		}
	})
}

// FuzzContent is a gate that signs any entries at all: those that come back
// are exactly what it signed.
func FuzzContent(f *testing.F) {
	all, _ := leaves(f, 3)
	f.Add(bytes.Join(all, nil), uint16(3))
	f.Add(bytes.Join(all, nil), uint16(2))
	f.Add([]byte{0x9a, 0xff, 0xff, 0xff, 0xff}, uint16(1))
	f.Fuzz(func(t *testing.T, content []byte, n uint16) {
		b, err := readBatch(foreign(t, 0, uint64(n), uint64(n), pack(content)), 1, gate)
		if err != nil {
			return
		}
		batch := b.(wire.Batch)
		if len(batch.Leaves) != int(n) || len(batch.Entries) != int(n) || !bytes.Equal(bytes.Join(batch.Leaves, nil), content) {
			t.Errorf("%d entries of %x became %x", n, content, batch.Leaves)
		}
		for i, e := range batch.Entries {
			if leaf, err := e.Marshal(); err != nil || !bytes.Equal(leaf, batch.Leaves[i]) {
				t.Errorf("entry %d: %x became %x, %v", i, batch.Leaves[i], leaf, err)
			}
		}
	})
}

// FuzzPacked is a gate that signs any compressed bytes at all: they unpack to
// no more than the bound.
func FuzzPacked(f *testing.F) {
	all, _ := leaves(f, 3)
	f.Add(pack(bytes.Join(all, nil)))
	f.Add(pack(make([]byte, 1<<20)))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0})
	f.Fuzz(func(t *testing.T, packed []byte) {
		b := foreign(t, 0, 3, 3, packed)
		used := allocated(func() { _, _ = readBatch(b, 1, gate) })
		if used > 4*wire.MaxContent {
			t.Errorf("%d bytes made the reader allocate %d", len(packed), used)
		}
	})
}

// FuzzHaveFields and FuzzHelloFields: whatever can be signed can be read, and
// says the same.
func FuzzHaveFields(f *testing.F) {
	f.Add(collector, gate, uint32(1), uint64(5), []byte{1}, int64(1663200000000))
	f.Add("-", "0", uint32(math.MaxUint32), uint64(math.MaxInt64), []byte{}, int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, name, origin string, epoch uint32, size uint64, root []byte, wall int64) {
		have := wire.Have{Collector: name, Checkpoint: wire.Checkpoint{Origin: origin, Epoch: epoch}, Wall: wall}
		have.Size = size
		copy(have.Root[:], root)
		b, err := have.Sign(key(1))
		if err != nil {
			return
		}
		if got, err := readHave(b, 1, origin); err != nil || got != have {
			t.Errorf("%+v became %+v, %v", have, got, err)
		}
	})
}

func FuzzHelloFields(f *testing.F) {
	f.Add("1.0.0", uint64(3), []byte{1}, int64(1663200000000), uint8(4), "card replaced")
	f.Add("", uint64(0), []byte{1, 2, 250}, int64(-1), uint8(0), "")
	_, head := leaves(f, 5)
	c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: head}
	f.Fuzz(func(t *testing.T, program string, boot uint64, encodings []byte, wall int64, clock uint8, reason string) {
		hello := wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: c}, Program: program, Boot: boot,
			Encodings: encodings, Wall: wall, Clock: entry.Clock(clock), Reason: reason}
		b, err := hello.Sign(key(1))
		if err != nil {
			return
		}
		read, err := readHello(b, 1, gate)
		if err != nil {
			t.Fatalf("%+v is signed and refused: %v", hello, err)
		}
		if again, err := read.(wire.Hello).Sign(key(1)); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%+v became %+v, %v", hello, read, err)
		}
	})
}
