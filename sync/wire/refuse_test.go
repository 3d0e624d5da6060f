package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

func TestNothingIsSignedThatTheOtherHalfWouldRefuse(t *testing.T) {
	all, head := leaves(t, 5)
	long := strings.Repeat("x", 201)
	// Each spoils one field of messages that are sound otherwise.
	type parts struct {
		hello wire.Hello
		have  wire.Have
		alarm wire.Alarm
		down  wire.Down
		state wire.Status
		hail  wire.Announce
	}
	hello := func(p parts) error { _, err := p.hello.Sign(key(1)); return err }
	have := func(p parts) error { _, err := p.have.Sign(key(1)); return err }
	alarm := func(p parts) error { _, err := p.alarm.Sign(key(1)); return err }
	down := func(p parts) error { _, err := p.down.Sign(key(1)); return err }
	state := func(p parts) error { _, err := p.state.Encode(); return err }
	hail := func(p parts) error { _, err := p.hail.Encode(); return err }
	tests := map[string]struct {
		seal  func(parts) error
		spoil func(*parts)
	}{
		"hello without origin":            {hello, func(p *parts) { p.hello.Checkpoint.Origin = "" }},
		"hello without epoch":             {hello, func(p *parts) { p.hello.Checkpoint.Epoch = 0 }},
		"hello with a long program":       {hello, func(p *parts) { p.hello.Program = long }},
		"hello with a long reason":        {hello, func(p *parts) { p.hello.Reason = long }},
		"hello with text not in UTF-8":    {hello, func(p *parts) { p.hello.Reason = "\xff" }},
		"hello without encodings":         {hello, func(p *parts) { p.hello.Encodings = nil }},
		"hello with nine encodings":       {hello, func(p *parts) { p.hello.Encodings = []byte("123456789") }},
		"hello with an encoding twice":    {hello, func(p *parts) { p.hello.Encodings = []byte{1, 1} }},
		"hello with an unknown clock":     {hello, func(p *parts) { p.hello.Clock = entry.ClockSynced + 1 }},
		"hello with a boot of 64 bits":    {hello, func(p *parts) { p.hello.Boot = math.MaxUint64 }},
		"have of nobody":                  {have, func(p *parts) { p.have.Collector = "" }},
		"have with a capital":             {have, func(p *parts) { p.have.Collector = "District" }},
		"have with a long name":           {have, func(p *parts) { p.have.Origin = strings.Repeat("g", 33) }},
		"have with a size of 64 bits":     {have, func(p *parts) { p.have.Size = math.MaxUint64 }},
		"have of nothing with a root":     {have, func(p *parts) { p.have.Size = 0 }},
		"alarm without origin":            {alarm, func(p *parts) { p.alarm.Origin = "" }},
		"alarm without epoch":             {alarm, func(p *parts) { p.alarm.Epoch = 0 }},
		"alarm with a place of 64 bits":   {alarm, func(p *parts) { p.alarm.Seq = math.MaxUint64 }},
		"alarm longer than an entry":      {alarm, func(p *parts) { p.alarm.Leaf = make([]byte, entry.MaxSize+1) }},
		"down of a kind that goes up":     {down, func(p *parts) { p.down.Kind = wire.KindHello }},
		"down without kind":               {down, func(p *parts) { p.down.Kind = 0 }},
		"down without number":             {down, func(p *parts) { p.down.Number = 0 }},
		"down with a number of 64 bits":   {down, func(p *parts) { p.down.Number = math.MaxUint64 }},
		"down without scope":              {down, func(p *parts) { p.down.Scope = "" }},
		"down longer than a message":      {down, func(p *parts) { p.down.Body = make([]byte, wire.MaxPayload) }},
		"status with a long program":      {state, func(p *parts) { p.state.Program = long }},
		"status with a boot of 64 bits":   {state, func(p *parts) { p.state.Boot = math.MaxUint64 }},
		"announcement of nobody":          {hail, func(p *parts) { p.hail.Collector = "" }},
		"announcement of a topic's level": {hail, func(p *parts) { p.hail.Collector = "a/b" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: head}
			p := parts{
				hello: wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: c}, Encodings: []byte{1}},
				have:  wire.Have{Collector: collector, Checkpoint: c},
				alarm: wire.Alarm{Origin: gate, Epoch: 1, Leaf: all[0]},
				down:  wire.Down{Kind: wire.KindHold, Number: 1, Scope: gate},
				hail:  wire.Announce{Collector: collector},
			}
			if err := tt.seal(p); err != nil {
				t.Fatalf("the sound message is refused: %v", err)
			}
			tt.spoil(&p)
			if err := tt.seal(p); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestEveryOtherSpellingIsRefused(t *testing.T) {
	tests := map[string]string{
		"another format":             "83020161" + "63",
		"another kind":               "83010261" + "63",
		"format spelled long":        "8318010161" + "63",
		"format as null":             "83f60161" + "63",
		"format as a float":          "83f93c000161" + "63",
		"array of indefinite length": "9f010161" + "63ff",
		"text of indefinite length":  "8301017f6163ff",
		"text as bytes":              "83010141" + "63",
		"text under a tag":           "830101c061" + "63",
		"text not in UTF-8":          "83010161" + "ff",
		"one element more":           "8401016163" + "00",
		"one element less":           "820101",
		"a map":                      "a0",
		"an array within":            "8301018161" + "63",
		"longer than 1 KiB":          "830101590400" + strings.Repeat("63", 1024),
	}
	read := func(text string) error {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = wire.ParseAnnounce(b)
		return err
	}
	if err := read("8301016163"); err != nil {
		t.Fatalf("the sound spelling is refused: %v", err)
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if read(text) == nil {
				t.Error("accepted")
			}
		})
	}
	t.Run("a status of another kind", func(t *testing.T) {
		if _, err := wire.ParseStatus(array(t, 1, 1, true, 0, "", 0)); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("a signature of 63 bytes", func(t *testing.T) {
		b := golden(t, "have")
		n := len(b) - ed25519.SignatureSize
		short := append(append(bytes.Clone(b[:n-1]), 63), b[n:len(b)-1]...)
		if _, err := wire.ParseHave(short); err == nil {
			t.Error("accepted")
		}
	})
}

func TestABatchIsNotSignedBeyondItsBounds(t *testing.T) {
	all, head := leaves(t, 5)
	c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: head}
	big := make([]byte, entry.MaxSize)
	tests := map[string]struct {
		size   uint64
		leaves [][]byte
	}{
		"no entries":               {5, nil},
		"more than there are":      {4, all},
		"5,001 entries":            {9000, slicesOf(all[0], wire.MaxEntries+1)},
		"content of 8 MiB and one": {9000, append(slicesOf(big, wire.MaxContent/entry.MaxSize), []byte{0})},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := c
			c.Size = tt.size
			if _, err := wire.SignBatch(key(1), c, tt.leaves); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func slicesOf(b []byte, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = b
	}
	return all
}

// pack compresses as another program might: with a checksum, for one.
func pack(content []byte) []byte { return zstd.EncodeTo(nil, content) }

// foreign is a batch of a gate that signs whatever it likes.
func foreign(t testing.TB, first, n, size uint64, content []byte) []byte {
	t.Helper()
	root := bytes.Repeat([]byte{7}, 32)
	sum := sha256.Sum256(content)
	checkpoint := []any{gate, 1, size, root, ed25519.Sign(key(1), array(t, "menshen checkpoint v1", gate, 1, size, root))}
	return signed(t, 1, []any{"menshen batch v1", gate, 1, size, root, first, n, sum[:]}, 1, 3, checkpoint, first, n, content)
}

func TestASignedBatchIsStillBounded(t *testing.T) {
	all, _ := leaves(t, 3)
	content := bytes.Join(all, nil)
	good := pack(content)
	if _, err := readBatch(foreign(t, 4, 3, 7, good), 1, gate); err != nil {
		t.Fatalf("the sound batch is refused: %v", err)
	}
	long := append(bytes.Clone(content[:len(content)-1]), 0x1a, 0, 0, 3, 0xe8)
	tests := map[string][]byte{
		"no entries":                        foreign(t, 7, 0, 7, good),
		"5,001 entries":                     foreign(t, 0, 5001, 5001, good),
		"ends before its checkpoint":        foreign(t, 3, 3, 7, good),
		"ends behind its checkpoint":        foreign(t, 5, 3, 7, good),
		"begins behind its checkpoint":      foreign(t, 8, 3, 7, good),
		"overflows":                         foreign(t, math.MaxUint64, 3, 2, good),
		"size of 64 bits":                   foreign(t, math.MaxUint64-3, 3, math.MaxUint64, good),
		"fewer entries than it says":        foreign(t, 4, 4, 8, good),
		"more entries than it says":         foreign(t, 4, 2, 6, good),
		"something behind the last":         foreign(t, 4, 3, 7, pack(append(bytes.Clone(content), 0))),
		"an entry cut short":                foreign(t, 4, 3, 7, pack(content[:len(content)-1])),
		"an entry in another spelling":      foreign(t, 4, 3, 7, pack(long)),
		"a value that is no entry":          foreign(t, 4, 3, 7, pack([]byte{1, 2, 3})),
		"content that is not packed":        foreign(t, 4, 3, 7, content),
		"content that is empty":             foreign(t, 4, 3, 7, nil),
		"content that unpacks to 8 MiB + 1": foreign(t, 4, 3, 7, pack(make([]byte, wire.MaxContent+1))),
		"content that claims 8 EiB": foreign(t, 4, 3, 7,
			[]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0}),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			used := allocated(func() {
				if _, err := readBatch(b, 1, gate); err == nil {
					t.Error("accepted")
				}
			})
			if used > 3*wire.MaxContent {
				t.Errorf("%d bytes made the reader allocate %d", len(b), used)
			}
		})
	}
}

func TestAStrangersBatchIsNotUnpacked(t *testing.T) {
	b := foreign(t, 4, 3, 7, pack(make([]byte, wire.MaxContent)))
	used := allocated(func() {
		if _, err := readBatch(b, 2, gate); err == nil {
			t.Error("accepted")
		}
	})
	if used > 64<<10 {
		t.Errorf("allocated %d bytes for a batch that nobody signed", used)
	}
}

func TestOtherEntriesUnderATrueCheckpointAreAStrangers(t *testing.T) {
	all, head := leaves(t, 5)
	c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: head}.Sign(key(1))
	content := pack(bytes.Join([][]byte{all[0], all[0], all[0]}, nil))
	sum := sha256.Sum256(content)
	b := signed(t, 2, []any{"menshen batch v1", gate, 1, 5, head.Root[:], 2, 3, sum[:]},
		1, 3, []any{gate, 1, 5, head.Root[:], c.Signature[:]}, 2, 3, content)
	if _, err := readBatch(b, 1, gate); err == nil {
		t.Error("accepted")
	}
	if err := c.Verify(public(1)); err != nil {
		t.Errorf("the checkpoint alone: %v", err)
	}
}

func TestAnAlarmThatIsNoEntryIsRefused(t *testing.T) {
	b, err := wire.Alarm{Origin: gate, Epoch: 1, Seq: 1, Leaf: []byte{1}}.Sign(key(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAlarm(b, 1, gate); err == nil {
		t.Error("accepted")
	}
}

// largest is an entry of the most bytes that one can have, of which none can
// be compressed.
func largest(t testing.TB) []byte {
	t.Helper()
	var random [entry.MaxSize]byte
	for i := 0; i < len(random); i += sha256.Size {
		sum := sha256.Sum256(random[max(0, i-sha256.Size):i])
		copy(random[i:], sum[:])
	}
	const overhead = 9 + 3 // the entry's fields, and the head of a body of 64 KiB
	body := append([]byte{0x59, 0xff, 0xf4}, random[:entry.MaxSize-overhead]...)
	leaf, err := entry.Entry{Kind: entry.KindHeartbeat, Body: body}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if len(leaf) != entry.MaxSize {
		t.Fatalf("%d bytes are not the most", len(leaf))
	}
	return leaf
}

func TestTheLargestEntriesAndDocumentsFit(t *testing.T) {
	leaf := largest(t)
	b, err := wire.Alarm{Origin: strings.Repeat("g", 32), Epoch: math.MaxUint32, Seq: math.MaxInt64, Leaf: leaf}.Sign(key(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAlarm(b, 1, strings.Repeat("g", 32)); err != nil {
		t.Error(err)
	}
	n := wire.SureContent / len(leaf)
	c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: entry.Head{Size: uint64(n), Root: [32]byte{1}}}
	if b, err = wire.SignBatch(key(1), c, slicesOf(leaf, n)); err != nil {
		t.Fatal(err)
	}
	if _, err := readBatch(b, 1, gate); err != nil {
		t.Error(err)
	}
	text := strings.Repeat("字", 66)
	hello := wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: c}, Program: text, Reason: text,
		Boot: math.MaxInt64, Encodings: []byte("12345678"), Wall: math.MinInt64}
	if _, err := hello.Sign(key(1)); err != nil {
		t.Error(err)
	}
	down := wire.Down{Kind: wire.KindRoster, Number: math.MaxInt64, Scope: gate, Body: make([]byte, wire.MaxPayload-128)}
	if _, err := down.Sign(key(1)); err != nil {
		t.Error(err)
	}
}
