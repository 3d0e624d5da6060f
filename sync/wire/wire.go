// Package wire says what a gate and its collectors tell each other: topics,
// messages, the bytes that are signed, and the bounds of all of them.
//
// It knows how a message is written, bounded, read and verified; what is read
// answers nothing before it is verified. It does not know when a message is
// sent, who is connected, what is stored or whose key is trusted: it does no
// I/O, asks no clock and makes no key. The protocol stands in sync/DESIGN.md.
package wire

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Kind is the second element of every message and the last level of its topic.
// Numbers are on the wire for ever.
type Kind uint8

// The kinds of message. Zero is none.
const (
	KindAnnounce Kind = 1 // a collector is there, Announce
	KindHello    Kind = 2 // a gate is there, Hello
	KindBatch    Kind = 3 // entries, Batch
	KindHave     Kind = 4 // what a collector has stored, Have
	KindAlarm    Kind = 5 // one entry ahead of its turn, Alarm
	KindStatus   Kind = 6 // connected or not, Status
	KindPolicy   Kind = 7 // a policy goes down, Down
	KindRoster   Kind = 8 // a roster goes down, Down
	KindHold     Kind = 9 // a hold goes down, Down
)

// String returns the kind's word in topics; "kind 10" for one that is not known.
func (k Kind) String() string {
	names := [...]string{KindAnnounce: "collector", KindHello: "hello", KindBatch: "batch", KindHave: "have",
		KindAlarm: "alarm", KindStatus: "status", KindPolicy: "policy", KindRoster: "roster", KindHold: "hold"}
	if k == 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return names[k]
}

// MaxPayload is the most bytes that any message has. A transport may drop
// what is longer unread.
const MaxPayload = 4 << 20

const (
	// maxShort bounds the messages that carry no entries and no documents.
	maxShort = 1 << 10
	// maxText bounds one text in such a message, in bytes.
	maxText = 200
	// format is the first element of every message of this layout.
	format = 1
)

// message is one message as it stands on the wire, with its signature.
type message interface {
	// check says whether every field lies in its range.
	check() error
}

// Both halves write RFC 8949 §4.2.1 core deterministic CBOR and refuse to read
// anything else.
var (
	encoding = encodingMode()
	decoding = decodingMode()
)

func encodingMode() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	o.TagsMd = cbor.TagsForbidden
	m, err := o.EncMode()
	if err != nil {
		panic(err) // the options above contradict each other: no input can cause it
	}
	return m
}

func decodingMode() cbor.DecMode {
	m, err := cbor.DecOptions{
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  4,
		MaxArrayElements: 16, // the longest message has ten
		MaxMapPairs:      16, // the least that can be set; no message holds a map
	}.DecMode()
	if err != nil {
		panic(err) // as in encodingMode
	}
	return m
}

// parse reads b into m and refuses every spelling but the one that seal writes.
func parse(b []byte, limit int, m message) error {
	if len(b) > limit {
		return fmt.Errorf("%d bytes are more than %d", len(b), limit)
	}
	if err := decoding.Unmarshal(b, m); err != nil {
		return err
	}
	again, err := seal(m, limit)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return errors.New("not in canonical form")
	}
	return nil
}

// seal writes m and refuses what parse would refuse, so that nothing is sent
// that the other half must drop.
func seal(m message, limit int) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	b, err := encoding.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%d bytes are more than %d", len(b), limit)
	}
	return b, nil
}

// signature is Ed25519's (RFC 8032) over a statement.
type signature [ed25519.SignatureSize]byte

// statement returns the bytes that are signed: a canonical array that begins
// with its domain, so that no signature means something in another place. Its
// fields are texts, integers and byte strings.
func statement(domain string, fields ...any) []byte {
	b, err := encoding.Marshal(append([]any{domain}, fields...))
	if err != nil {
		panic(err) // a field of another type: no input can cause it
	}
	return b
}

func sign(key ed25519.PrivateKey, statement []byte) signature {
	return signature(ed25519.Sign(key, statement))
}

func (s signature) verify(pub ed25519.PublicKey, statement []byte) error {
	if len(pub) != ed25519.PublicKeySize {
		return fmt.Errorf("public key of %d bytes", len(pub))
	}
	if !ed25519.Verify(pub, statement, s[:]) {
		return errors.New("signature does not verify")
	}
	return nil
}

// checkFormat says whether a message is of this layout and of one of kinds.
func checkFormat(f uint8, k Kind, kinds ...Kind) error {
	switch {
	case f != format:
		return fmt.Errorf("unknown format %d", f)
	case !slices.Contains(kinds, k):
		return fmt.Errorf("is a message of %v", k)
	}
	return nil
}

func checkName(what, s string) error {
	if !ValidName(s) {
		return fmt.Errorf("%s is not of 1 to 32 of a-z, 0-9 and hyphen", what)
	}
	return nil
}

func checkText(what, s string) error {
	if len(s) > maxText || !utf8.ValidString(s) {
		return fmt.Errorf("%s is not UTF-8 of at most %d bytes", what, maxText)
	}
	return nil
}

// checkCount keeps sizes, places and numbers within what a database's signed
// integer holds.
func checkCount(what string, n uint64) error {
	if n > math.MaxInt64 {
		return fmt.Errorf("%s %d is beyond 63 bits", what, n)
	}
	return nil
}
