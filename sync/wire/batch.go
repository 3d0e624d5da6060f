package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/menshen/menshen/entry"
)

// The bounds of one batch.
const (
	// MaxEntries is the most entries in a batch.
	MaxEntries = 5000
	// MaxContent is the most bytes that a batch's entries have together.
	MaxContent = 8 << 20
	// SureContent is how many bytes of entries fit into MaxPayload even when
	// nothing about them can be compressed.
	SureContent = 3 << 20
)

// Batch is a run of entries whose gate, order and bytes are its gate's word.
// That they continue what a collector has, only the root over both says.
type Batch struct {
	// Checkpoint is of the journal as it was after the batch's last entry.
	Checkpoint SignedCheckpoint
	// First is the sequence number of the first entry.
	First uint64
	// Leaves are the entries as they were hashed, at least one.
	Leaves [][]byte
	// Entries are what Leaves say, one for one.
	Entries []entry.Entry
}

type batchMessage struct {
	_          struct{} `cbor:",toarray"`
	Format     uint8
	Kind       Kind
	Checkpoint SignedCheckpoint
	First      uint64
	N          uint32
	Content    []byte
	Signature  signature
}

// UnverifiedBatch is a batch that anybody may have written. Its content is
// still compressed: a stranger makes nobody unpack anything.
type UnverifiedBatch struct{ m batchMessage }

// SignBatch returns the message that carries leaves, which are the newest
// entries that c is over, in order. Both c and the batch are signed: without
// the second signature a stranger could put other entries under a true
// checkpoint, and the gate would seem to contradict itself.
func SignBatch(key ed25519.PrivateKey, c Checkpoint, leaves [][]byte) ([]byte, error) {
	n := uint64(len(leaves))
	content := bytes.Join(leaves, nil)
	if n > c.Size || len(content) > MaxContent {
		return nil, fmt.Errorf("sign batch: %d entries of %d bytes at size %d", n, len(content), c.Size)
	}
	m := batchMessage{Format: format, Kind: KindBatch, Checkpoint: c.Sign(key), First: c.Size - n, N: uint32(n),
		Content: packer.EncodeAll(content, nil)}
	m.Signature = sign(key, m.statement())
	b, err := seal(&m, MaxPayload)
	if err != nil {
		return nil, fmt.Errorf("sign batch: %w", err)
	}
	return b, nil
}

// ParseBatch bounds and reads a batch, but for its content.
func ParseBatch(b []byte) (UnverifiedBatch, error) {
	var u UnverifiedBatch
	if err := parse(b, MaxPayload, &u.m); err != nil {
		return UnverifiedBatch{}, fmt.Errorf("parse batch: %w", err)
	}
	return u, nil
}

// Verify returns the batch if the gate origin, whose public key is pub, wrote
// it and signed its checkpoint, and if it holds as many entries as it says and
// nothing else.
func (u UnverifiedBatch) Verify(pub ed25519.PublicKey, origin string) (Batch, error) {
	m := &u.m
	if err := m.Signature.verify(pub, m.statement()); err != nil {
		return Batch{}, fmt.Errorf("verify batch: %w", err)
	}
	if err := m.Checkpoint.Verify(pub); err != nil {
		return Batch{}, fmt.Errorf("verify batch: %w", err)
	}
	if err := m.Checkpoint.from(origin); err != nil {
		return Batch{}, fmt.Errorf("verify batch: %w", err)
	}
	content, err := unpacker.DecodeAll(m.Content, nil)
	if err != nil {
		return Batch{}, fmt.Errorf("verify batch: content: %w", err)
	}
	b := Batch{Checkpoint: m.Checkpoint, First: m.First}
	if b.Leaves, b.Entries, err = split(content, int(m.N)); err != nil {
		return Batch{}, fmt.Errorf("verify batch: %w", err)
	}
	return b, nil
}

func (m *batchMessage) statement() []byte {
	c := m.Checkpoint
	return statement("menshen batch v1", c.Origin, c.Epoch, c.Size, c.Root, m.First, m.N, sha256.Sum256(m.Content))
}

func (m *batchMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindBatch); err != nil {
		return err
	}
	if err := m.Checkpoint.check(); err != nil {
		return err
	}
	if m.N == 0 || m.N > MaxEntries {
		return fmt.Errorf("%d entries, at most %d are allowed", m.N, MaxEntries)
	}
	if size := m.Checkpoint.Size; m.First > size || size-m.First != uint64(m.N) {
		return fmt.Errorf("%d entries from %d do not end at size %d", m.N, m.First, size)
	}
	return nil
}

// split takes a CBOR sequence (RFC 8742) of exactly n entries apart. The
// leaves, and what of the entries is bytes, lie in content.
func split(content []byte, n int) (leaves [][]byte, entries []entry.Entry, err error) {
	leaves, entries = make([][]byte, n), make([]entry.Entry, n)
	for i := range n {
		var rest []byte
		if entries[i], rest, err = entry.Cut(content); err != nil {
			return nil, nil, fmt.Errorf("entry %d of %d: %w", i, n, err)
		}
		end := len(content) - len(rest)
		leaves[i], content = content[:end:end], rest
	}
	if len(content) > 0 {
		return nil, nil, fmt.Errorf("%d bytes behind %d entries", len(content), n)
	}
	return leaves, entries, nil
}

// Content is packed by zstd (RFC 8878) without a dictionary. Both work on
// whole messages, keep nothing from one to the next and are safe for
// concurrent use.
var (
	packer   = newPacker()
	unpacker = newUnpacker()
)

func newPacker() *zstd.Encoder {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false)) // the signature is the better checksum
	if err != nil {
		panic(err) // the options above contradict each other: no input can cause it
	}
	return w
}

func newUnpacker() *zstd.Decoder {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(MaxContent), zstd.WithDecoderMaxWindow(MaxContent))
	if err != nil {
		panic(err) // as in newPacker
	}
	return r
}
