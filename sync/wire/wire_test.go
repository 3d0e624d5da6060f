package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

var update = flag.Bool("update", false, "write the golden messages anew")

const (
	gate      = "gate-0001"
	collector = "district"
)

// key returns a key that everybody knows: its seed is 32 times the same byte,
// 1 for the gate, 2 for the collector.
func key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func public(b byte) ed25519.PublicKey { return key(b).Public().(ed25519.PublicKey) }

// leaves returns n entries of a journal, and its head after them.
func leaves(t testing.TB, n int) (all [][]byte, head entry.Head) {
	t.Helper()
	var tree entry.Tree
	for i := range n {
		body, err := entry.Encode(entry.Heartbeat{Size: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := entry.Entry{Kind: entry.KindHeartbeat, Mono: int64(i) * 300000, Wall: 1663200000000 + int64(i)*300000,
			Clock: entry.ClockRTC, Body: body}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		tree.Append(leaf)
		all = append(all, leaf)
	}
	return all, tree.Head()
}

// sample is one sound message and its one reader.
type sample struct {
	name string
	// bytes are the message, value is what read returns for it.
	bytes []byte
	value any
	// signer is 1 for the gate, 2 for the collector, 0 where nobody signs.
	signer byte
	// read parses a message and verifies it under the key of key(signer).
	read func(b []byte, signer byte, origin string) (any, error)
}

// samples holds one message of every kind, made by the functions under test.
func samples(t testing.TB) []sample {
	t.Helper()
	all, head := leaves(t, 5)
	c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: head}
	batch := wire.Batch{Checkpoint: c.Sign(key(1)), First: 2, Leaves: all[2:]}
	for _, leaf := range batch.Leaves {
		e, err := entry.Unmarshal(leaf)
		if err != nil {
			t.Fatal(err)
		}
		batch.Entries = append(batch.Entries, e)
	}
	hello := wire.Hello{Checkpoint: c.Sign(key(1)), Program: "1.0.0", Boot: 3, Encodings: []byte{wire.EncodingEntries},
		Wall: 1663200000123, Clock: entry.ClockSynced, Reason: "card replaced"}
	have := wire.Have{Collector: collector, Checkpoint: c, Wall: 1663200001000}
	alarm := wire.Alarm{Origin: gate, Epoch: 1, Seq: 4, Leaf: all[4]}
	policy := wire.Down{Kind: wire.KindPolicy, Number: 7, Scope: wire.ScopeAll, Body: []byte("number = 7\n")}
	hold := wire.Down{Kind: wire.KindHold, Number: 1, Scope: gate, Body: []byte{1}}
	status := wire.Status{Online: true, Boot: 3, Program: "1.0.0", Wall: 1663200000000}
	announce := wire.Announce{Collector: collector}

	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return []sample{
		{"announce", must(announce.Encode()), announce, 0, readAnnounce},
		{"hello", must(hello.Sign(key(1))), hello, 1, readHello},
		{"batch", must(wire.SignBatch(key(1), c, all[2:])), batch, 1, readBatch},
		{"have", must(have.Sign(key(2))), have, 2, readHave},
		{"alarm", must(alarm.Sign(key(1))), alarm, 1, readAlarm},
		{"status", must(status.Encode()), status, 0, readStatus},
		{"policy", must(policy.Sign(key(2))), policy, 2, readDown},
		{"hold", must(hold.Sign(key(2))), hold, 2, readDown},
	}
}

// verified is what all that ParseX returns has in common.
type verified[T any] interface {
	Verify(ed25519.PublicKey, string) (T, error)
}

func verify[T any](u verified[T], err error, signer byte, origin string) (any, error) {
	if err != nil {
		return nil, err
	}
	return u.Verify(public(signer), origin)
}

func readHello(b []byte, signer byte, origin string) (any, error) {
	u, err := wire.ParseHello(b)
	return verify[wire.Hello](u, err, signer, origin)
}

func readBatch(b []byte, signer byte, origin string) (any, error) {
	u, err := wire.ParseBatch(b)
	return verify[wire.Batch](u, err, signer, origin)
}

func readHave(b []byte, signer byte, origin string) (any, error) {
	u, err := wire.ParseHave(b)
	return verify[wire.Have](u, err, signer, origin)
}

func readAlarm(b []byte, signer byte, origin string) (any, error) {
	u, err := wire.ParseAlarm(b)
	return verify[wire.Alarm](u, err, signer, origin)
}

func readDown(b []byte, signer byte, origin string) (any, error) {
	u, err := wire.ParseDown(b)
	return verify[wire.Down](u, err, signer, origin)
}

func readStatus(b []byte, _ byte, _ string) (any, error)   { return wire.ParseStatus(b) }
func readAnnounce(b []byte, _ byte, _ string) (any, error) { return wire.ParseAnnounce(b) }

// golden returns a message of the corpus that all packages share.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "wire", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBytesOfEachMessageNeverChange(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			if *update {
				path := filepath.Join("..", "..", "testdata", "wire", s.name+".hex")
				if err := os.WriteFile(path, []byte(hex.EncodeToString(s.bytes)+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := golden(t, s.name)
			// A compressor may find another way to say the same.
			if s.name != "batch" && !bytes.Equal(s.bytes, want) {
				t.Errorf("\n got %x\nwant %x", s.bytes, want)
			}
			if got, err := s.read(want, s.signer, gate); err != nil || !reflect.DeepEqual(got, s.value) {
				t.Errorf("golden message is read as\n %+v, %v\nwant\n %+v", got, err, s.value)
			}
			if got, err := s.read(s.bytes, s.signer, gate); err != nil || !reflect.DeepEqual(got, s.value) {
				t.Errorf("read as\n %+v, %v\nwant\n %+v", got, err, s.value)
			}
		})
	}
}

func TestNoChangedBitOfASignedMessageVerifies(t *testing.T) {
	for _, s := range samples(t) {
		if s.signer == 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			for i := range s.bytes {
				for bit := range 8 {
					b := bytes.Clone(s.bytes)
					b[i] ^= 1 << bit
					if _, err := s.read(b, s.signer, gate); err == nil {
						t.Errorf("accepted with bit %d of byte %d changed", bit, i)
					}
				}
			}
		})
	}
}

func TestAMessageIsReadOnlyAsWhatItIs(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, other := range samples(t) {
				same := reflect.TypeOf(other.value) == reflect.TypeOf(s.value)
				if _, err := other.read(s.bytes, s.signer, gate); err == nil && !same {
					t.Errorf("read as %s", other.name)
				}
			}
			if _, err := s.read(s.bytes, 3-s.signer, gate); err == nil && s.signer != 0 {
				t.Error("verified under another key")
			}
			// What goes down to all gates has no origin.
			if _, err := s.read(s.bytes, s.signer, "gate-0002"); err == nil && s.signer != 0 && s.name != "policy" {
				t.Error("verified for another gate")
			}
			if _, err := s.read(append(bytes.Clone(s.bytes), 0), s.signer, gate); err == nil {
				t.Error("accepted with a byte behind it")
			}
			for n := range s.bytes {
				if _, err := s.read(s.bytes[:n], s.signer, gate); err == nil {
					t.Errorf("accepted when cut to %d bytes", n)
				}
			}
		})
	}
}

func TestAKeyOfAnotherLengthVerifiesNothing(t *testing.T) {
	u, err := wire.ParseHave(golden(t, "have"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pub := range []ed25519.PublicKey{nil, public(1)[:31], append(public(1), 0)} {
		if _, err := u.Verify(pub, gate); err == nil {
			t.Errorf("verified under a key of %d bytes", len(pub))
		}
	}
}

// The messages below are put together from the document alone: flat arrays,
// written by another encoder.

func array(t testing.TB, fields ...any) []byte {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := mode.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signed appends to fields the signature by key(signer) over said.
func signed(t testing.TB, signer byte, said []any, fields ...any) []byte {
	t.Helper()
	return array(t, append(fields, ed25519.Sign(key(signer), array(t, said...)))...)
}

// The one message that was written by hand from RFC 8949, so that the golden
// files cannot all be wrong in the same way.
func TestHaveIsTheArrayThatTheDocumentSays(t *testing.T) {
	var empty entry.Tree
	have := wire.Have{Collector: "c", Checkpoint: wire.Checkpoint{Origin: "g", Epoch: 1, Head: empty.Head()}, Wall: 1000}
	got, err := have.Sign(key(2))
	if err != nil {
		t.Fatal(err)
	}
	const root = "5820" + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	fields := "6163" + "6167" + "01" + "00" + root + "1903e8"
	said, err := hex.DecodeString("87" + "6f6d656e7368656e2068617665207631" + fields)
	if err != nil {
		t.Fatal(err)
	}
	want := "89" + "01" + "04" + fields + "5840" + hex.EncodeToString(ed25519.Sign(key(2), said))
	if hex.EncodeToString(got) != want {
		t.Errorf("\n got %x\nwant %s", got, want)
	}
}

func TestEveryMessageIsWhatTheDocumentSays(t *testing.T) {
	all, head := leaves(t, 5)
	sum := func(b string) []byte { h := sha256.Sum256([]byte(b)); return h[:] }
	root := head.Root[:]
	checkpoint := []any{gate, 1, 5, root,
		ed25519.Sign(key(1), array(t, "menshen checkpoint v1", gate, 1, 5, root))}
	content := batchContent(t, golden(t, "batch"))
	want := map[string][]byte{
		"announce": array(t, 1, 1, collector),
		"hello": signed(t, 1, []any{"menshen hello v1", gate, 1, 5, root, "1.0.0", 3, []byte{1}, 1663200000123, 4, "card replaced"},
			1, 2, checkpoint, "1.0.0", 3, []byte{1}, 1663200000123, 4, "card replaced"),
		"batch": signed(t, 1, []any{"menshen batch v1", gate, 1, 5, root, 2, 3, sum(string(content))},
			1, 3, checkpoint, 2, 3, content),
		"have": signed(t, 2, []any{"menshen have v1", collector, gate, 1, 5, root, 1663200001000},
			1, 4, collector, gate, 1, 5, root, 1663200001000),
		"alarm":  signed(t, 1, []any{"menshen alarm v1", gate, 1, 4, sum(string(all[4]))}, 1, 5, gate, 1, 4, all[4]),
		"status": array(t, 1, 6, true, 3, "1.0.0", 1663200000000),
		"policy": signed(t, 2, []any{"menshen down v1", 7, "*", 7, sum("number = 7\n")}, 1, 7, 7, "*", []byte("number = 7\n")),
		"hold":   signed(t, 2, []any{"menshen down v1", 9, gate, 1, sum("\x01")}, 1, 9, 1, gate, []byte{1}),
	}
	for name, b := range want {
		if got := golden(t, name); !bytes.Equal(got, b) {
			t.Errorf("%s:\n got %x\nwant %x", name, got, b)
		}
	}
}

// batchContent returns the compressed bytes of a batch.
func batchContent(t testing.TB, b []byte) []byte {
	t.Helper()
	var fields []any
	if err := cbor.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	return fields[5].([]byte)
}
