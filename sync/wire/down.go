package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ScopeAll is the scope of what goes down to every gate of a collector.
const ScopeAll = "*"

// Down is a document on its way from a collector to a gate. The collector's
// signature says who passed it on; what the document may do is for its own
// reader to judge.
type Down struct {
	// Kind is KindPolicy, KindRoster or KindHold.
	Kind Kind
	// Number is from 1 and rises with every document of a kind and scope; a
	// gate takes none that is not above the last it took.
	Number uint64
	// Scope is the name of a gate, or ScopeAll.
	Scope string
	// Body is the document.
	Body []byte
}

type downMessage struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Down
	Signature signature
}

// UnverifiedDown is a document that anybody may have sent.
type UnverifiedDown struct{ m downMessage }

// Sign returns the message under the collector's key.
func (d Down) Sign(key ed25519.PrivateKey) ([]byte, error) {
	b, err := seal(&downMessage{Format: format, Down: d, Signature: sign(key, d.statement())}, MaxPayload)
	if err != nil {
		return nil, fmt.Errorf("sign %v: %w", d.Kind, err)
	}
	return b, nil
}

// ParseDown bounds and reads a policy, a roster or a hold, but for its body.
func ParseDown(b []byte) (UnverifiedDown, error) {
	var u UnverifiedDown
	if err := parse(b, MaxPayload, &u.m); err != nil {
		return UnverifiedDown{}, fmt.Errorf("parse down: %w", err)
	}
	return u, nil
}

// Verify returns the document if the collector whose public key is pub sent it
// to the named gate or to all. Its Kind is signed: it counts, not the topic.
func (u UnverifiedDown) Verify(pub ed25519.PublicKey, gate string) (Down, error) {
	d := u.m.Down
	if err := u.m.Signature.verify(pub, d.statement()); err != nil {
		return Down{}, fmt.Errorf("verify %v: %w", d.Kind, err)
	}
	if d.Scope != gate && d.Scope != ScopeAll {
		return Down{}, fmt.Errorf("verify %v: scope is %q, not %q", d.Kind, d.Scope, gate)
	}
	return d, nil
}

func (d Down) statement() []byte {
	return statement("menshen down v1", d.Kind, d.Scope, d.Number, sha256.Sum256(d.Body))
}

func (m *downMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindPolicy, KindRoster, KindHold); err != nil {
		return err
	}
	if m.Number == 0 {
		return errors.New("no number")
	}
	if m.Scope != ScopeAll {
		if err := checkName("scope", m.Scope); err != nil {
			return err
		}
	}
	return checkCount("number", m.Number)
}
