package wire

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/menshen/menshen/entry"
)

// EncodingEntries is the encoding of a batch as this package writes it: the
// entries' own bytes. It is also the format number of such a batch.
const EncodingEntries = format

// Hello is how a gate begins: after it has connected, and when a collector
// announces itself.
type Hello struct {
	// Checkpoint is of the whole journal.
	Checkpoint SignedCheckpoint
	// Program is the program's version, at most 200 bytes.
	Program string
	// Boot is the sequence number of the process's boot entry.
	Boot uint64
	// Encodings are the encodings of batches that the gate can write, rising,
	// at most eight.
	Encodings []byte
	// Wall is Unix time in milliseconds, as far as Clock may be trusted.
	Wall  int64
	Clock entry.Clock
	// Reason says why the newest epoch was begun, at most 200 bytes; empty for
	// the first one.
	Reason string
}

type helloMessage struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	Hello
	Signature signature
}

// UnverifiedHello is a hello that anybody may have written.
type UnverifiedHello struct{ m helloMessage }

// Sign returns the message. It signs the checkpoint too, whatever signature h
// has there.
func (h Hello) Sign(key ed25519.PrivateKey) ([]byte, error) {
	h.Checkpoint = h.Checkpoint.Sign(key)
	b, err := seal(&helloMessage{Format: format, Kind: KindHello, Hello: h, Signature: sign(key, h.statement())}, maxShort)
	if err != nil {
		return nil, fmt.Errorf("sign hello: %w", err)
	}
	return b, nil
}

// ParseHello bounds and reads a hello.
func ParseHello(b []byte) (UnverifiedHello, error) {
	var u UnverifiedHello
	if err := parse(b, maxShort, &u.m); err != nil {
		return UnverifiedHello{}, fmt.Errorf("parse hello: %w", err)
	}
	return u, nil
}

// Verify returns the hello if the gate origin, whose public key is pub, wrote
// it and signed its checkpoint.
func (u UnverifiedHello) Verify(pub ed25519.PublicKey, origin string) (Hello, error) {
	h := u.m.Hello
	if err := u.m.Signature.verify(pub, h.statement()); err != nil {
		return Hello{}, fmt.Errorf("verify hello: %w", err)
	}
	if err := h.Checkpoint.Verify(pub); err != nil {
		return Hello{}, fmt.Errorf("verify hello: %w", err)
	}
	if err := h.Checkpoint.from(origin); err != nil {
		return Hello{}, fmt.Errorf("verify hello: %w", err)
	}
	return h, nil
}

func (h Hello) statement() []byte {
	c := h.Checkpoint
	return statement("menshen hello v1", c.Origin, c.Epoch, c.Size, c.Root,
		h.Program, h.Boot, h.Encodings, h.Wall, h.Clock, h.Reason)
}

func (m *helloMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindHello); err != nil {
		return err
	}
	if err := m.Checkpoint.check(); err != nil {
		return err
	}
	if err := checkText("program", m.Program); err != nil {
		return err
	}
	if err := checkCount("boot", m.Boot); err != nil {
		return err
	}
	if len(m.Encodings) == 0 || len(m.Encodings) > 8 {
		return fmt.Errorf("%d encodings", len(m.Encodings))
	}
	for i := 1; i < len(m.Encodings); i++ {
		if m.Encodings[i-1] >= m.Encodings[i] {
			return errors.New("encodings do not rise")
		}
	}
	if m.Clock > entry.ClockSynced {
		return fmt.Errorf("unknown clock quality %d", uint8(m.Clock))
	}
	return checkText("reason", m.Reason)
}
