package wire

import (
	"crypto/ed25519"
	"fmt"
)

// Have is what a collector has stored of one gate's journal: acknowledgement,
// refusal and the place to go on from in one.
type Have struct {
	// Collector is the name of the collector.
	Collector string
	// Checkpoint is of what is committed there, as the collector computed it.
	Checkpoint
	// Wall is the collector's Unix time in milliseconds.
	Wall int64
}

type haveMessage struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	Have
	Signature signature
}

// UnverifiedHave is a have that anybody may have written.
type UnverifiedHave struct{ m haveMessage }

// Sign returns the message under the collector's key. To send it before what
// it says is committed is a lie that loses entries.
func (h Have) Sign(key ed25519.PrivateKey) ([]byte, error) {
	b, err := seal(&haveMessage{Format: format, Kind: KindHave, Have: h, Signature: sign(key, h.statement())}, maxShort)
	if err != nil {
		return nil, fmt.Errorf("sign have: %w", err)
	}
	return b, nil
}

// ParseHave bounds and reads a have.
func ParseHave(b []byte) (UnverifiedHave, error) {
	var u UnverifiedHave
	if err := parse(b, maxShort, &u.m); err != nil {
		return UnverifiedHave{}, fmt.Errorf("parse have: %w", err)
	}
	return u, nil
}

// Verify returns the have if the collector whose public key is pub wrote it
// about the gate origin.
func (u UnverifiedHave) Verify(pub ed25519.PublicKey, origin string) (Have, error) {
	h := u.m.Have
	if err := u.m.Signature.verify(pub, h.statement()); err != nil {
		return Have{}, fmt.Errorf("verify have: %w", err)
	}
	if err := h.from(origin); err != nil {
		return Have{}, fmt.Errorf("verify have: %w", err)
	}
	return h, nil
}

func (h Have) statement() []byte {
	return statement("menshen have v1", h.Collector, h.Origin, h.Epoch, h.Size, h.Root, h.Wall)
}

func (m *haveMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindHave); err != nil {
		return err
	}
	if err := checkName("collector", m.Collector); err != nil {
		return err
	}
	return m.Checkpoint.check()
}
