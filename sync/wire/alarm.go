package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/menshen/menshen/entry"
)

// maxAlarm leaves room for an entry of any size.
const maxAlarm = entry.MaxSize + maxShort

// Alarm announces one committed entry ahead of all that were committed before
// it. It is shown and not counted: the entry counts when its turn comes.
type Alarm struct {
	// Origin is the gate's name.
	Origin string
	// Epoch and Seq are the entry's place in the gate's journals.
	Epoch uint32
	Seq   uint64
	// Leaf is the entry as it was hashed; in an Alarm that Verify returned,
	// entry.Unmarshal accepts it.
	Leaf []byte
}

type alarmMessage struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	Alarm
	Signature signature
}

// UnverifiedAlarm is an alarm that anybody may have written.
type UnverifiedAlarm struct{ m alarmMessage }

// Sign returns the message under the gate's key.
func (a Alarm) Sign(key ed25519.PrivateKey) ([]byte, error) {
	b, err := seal(&alarmMessage{Format: format, Kind: KindAlarm, Alarm: a, Signature: sign(key, a.statement())}, maxAlarm)
	if err != nil {
		return nil, fmt.Errorf("sign alarm: %w", err)
	}
	return b, nil
}

// ParseAlarm bounds and reads an alarm, but for its entry.
func ParseAlarm(b []byte) (UnverifiedAlarm, error) {
	var u UnverifiedAlarm
	if err := parse(b, maxAlarm, &u.m); err != nil {
		return UnverifiedAlarm{}, fmt.Errorf("parse alarm: %w", err)
	}
	return u, nil
}

// Verify returns the alarm if the gate origin, whose public key is pub, wrote
// it and its leaf is an entry.
func (u UnverifiedAlarm) Verify(pub ed25519.PublicKey, origin string) (Alarm, error) {
	a := u.m.Alarm
	if err := u.m.Signature.verify(pub, a.statement()); err != nil {
		return Alarm{}, fmt.Errorf("verify alarm: %w", err)
	}
	if a.Origin != origin {
		return Alarm{}, fmt.Errorf("verify alarm: origin is %q, not %q", a.Origin, origin)
	}
	if _, err := entry.Unmarshal(a.Leaf); err != nil {
		return Alarm{}, fmt.Errorf("verify alarm: %w", err)
	}
	return a, nil
}

func (a Alarm) statement() []byte {
	return statement("menshen alarm v1", a.Origin, a.Epoch, a.Seq, sha256.Sum256(a.Leaf))
}

func (m *alarmMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindAlarm); err != nil {
		return err
	}
	if err := checkName("origin", m.Origin); err != nil {
		return err
	}
	if m.Epoch == 0 {
		return errors.New("no epoch")
	}
	if len(m.Leaf) > entry.MaxSize {
		return fmt.Errorf("entry of %d bytes, at most %d are allowed", len(m.Leaf), entry.MaxSize)
	}
	return checkCount("sequence number", m.Seq)
}
