package policy

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
)

// OrderPrefix begins the text of a policy order; no badge and no health code
// begins so. The text is of the alphanumeric mode of QR codes.
const OrderPrefix = "MSPO1:"

// What a policy order is refused for, beside ErrUntrusted.
var (
	// ErrOrder: the text is none.
	ErrOrder = errors.New("the text is no policy order")
	// ErrEdition: it was written for a preset that says something else here.
	ErrEdition = errors.New("the policy order is for another edition of the preset")
)

// Bounds of an order: its text fits a QR code of version 10.
const (
	orderVersion = 1
	orderRows    = 8
	maxOrder     = 1 + 1 + 1 + 40 + 8 + 4 + 4 + 2 + 1 + orderRows + ed25519.SignatureSize
	// orderMark sets what is signed apart from everything else that a key signs.
	orderMark = "menshen policy order\x00"
)

// Order is a policy in so few words that it fits one QR code on paper: a preset
// with another number and a few other figures.
type Order struct {
	// Preset is the name of the preset, Edition that of the document that the order
	// was written for: a gate that holds another one refuses it.
	Preset  string
	Edition [8]byte
	// Number is the policy's, from 1.
	Number uint32
	// ValidFrom is when it begins, to the second, before 2106; zero is at once.
	ValidFrom time.Time
	// Threshold and Boundary are in place of the preset's; a Threshold of 0 leaves
	// both.
	Threshold screening.MilliC
	Boundary  screening.Boundary
	// Rows says of at most 8 rows, in rising order, that they warn or stop.
	Rows []RowMode
}

// RowMode says of one row of a preset whether it only warns.
type RowMode struct {
	Index uint8 // counts from 0
	Warn  bool
}

// Edition is the first 8 bytes of the SHA-256 of what Format writes: documents
// that say the same have the same.
func (d Document) Edition() [8]byte {
	sum := sha256.Sum256(d.Format())
	return [8]byte(sum[:8])
}

// Encode returns the signed text of the order.
func (o Order) Encode(key ed25519.PrivateKey) (string, error) {
	b, err := o.marshal()
	if err != nil {
		return "", err
	}
	b = append(b, ed25519.Sign(key, append([]byte(orderMark), b...))...)
	return OrderPrefix + orderText().EncodeToString(b), nil
}

func orderText() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// ParseOrder reads the text of an order that one of the trusted keys has signed.
// The error is ErrOrder or ErrUntrusted.
func ParseOrder(text string, trusted []ed25519.PublicKey) (Order, error) {
	encoded, ok := strings.CutPrefix(text, OrderPrefix)
	if !ok || len(encoded) > orderText().EncodedLen(maxOrder) || strings.ContainsAny(encoded, "\r\n") {
		return Order{}, ErrOrder
	}
	b, err := orderText().DecodeString(encoded)
	if err != nil || len(b) <= ed25519.SignatureSize || orderText().EncodeToString(b) != encoded {
		return Order{}, ErrOrder
	}
	payload, signature := b[:len(b)-ed25519.SignatureSize], b[len(b)-ed25519.SignatureSize:]
	o, ok := unmarshalOrder(payload)
	if !ok {
		return Order{}, ErrOrder
	}
	signed := append([]byte(orderMark), payload...)
	for _, key := range trusted {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, signed, signature) {
			return o, nil
		}
	}
	return Order{}, ErrUntrusted
}

func (o Order) marshal() ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	b := []byte{orderVersion, byte(o.Boundary), byte(len(o.Preset))}
	b = append(append(b, o.Preset...), o.Edition[:]...)
	b = binary.BigEndian.AppendUint32(b, o.Number)
	var from uint32
	if !o.ValidFrom.IsZero() {
		from = uint32(o.ValidFrom.Unix())
	}
	b = binary.BigEndian.AppendUint32(b, from)
	b = binary.BigEndian.AppendUint16(b, uint16(o.Threshold))
	b = append(b, byte(len(o.Rows)))
	for _, row := range o.Rows {
		mode := row.Index
		if row.Warn {
			mode |= 0x80
		}
		b = append(b, mode)
	}
	return b, nil
}

func (o Order) check() error {
	from := o.ValidFrom.Unix()
	switch {
	case !ids.MatchString(o.Preset):
		return errors.New("the order names no preset")
	case o.Number == 0:
		return errors.New("the order has no number: it must be higher than that of the policy in force")
	case !o.ValidFrom.IsZero() && (from <= 0 || from > 1<<32-1 || o.ValidFrom.Nanosecond() != 0):
		return errors.New("the order begins before 1970 or after 2105, or within a second")
	case o.Threshold == 0 && o.Boundary != screening.Reaches, o.Boundary > screening.Exceeds,
		o.Threshold != 0 && (o.Threshold < screening.ThresholdLeast || o.Threshold > screening.ThresholdMost):
		return fmt.Errorf("the threshold of the order lies outside %v to %v", screening.ThresholdLeast, screening.ThresholdMost)
	case len(o.Rows) > orderRows:
		return fmt.Errorf("the order changes more than %d rows: write a policy file", orderRows)
	}
	for i, row := range o.Rows {
		if row.Index >= screening.RowsMost || i > 0 && row.Index <= o.Rows[i-1].Index {
			return errors.New("the rows of the order do not rise")
		}
	}
	return nil
}

// unmarshalOrder reads what marshal writes, and no other spelling of it.
func unmarshalOrder(b []byte) (o Order, ok bool) {
	const figures = 8 + 4 + 4 + 2 + 1
	if len(b) < 3 || b[0] != orderVersion || len(b) < 3+int(b[2])+figures {
		return Order{}, false
	}
	at := 3 + int(b[2])
	o = Order{Preset: string(b[3:at]), Boundary: screening.Boundary(b[1]), Edition: [8]byte(b[at:])}
	o.Number = binary.BigEndian.Uint32(b[at+8:])
	if from := binary.BigEndian.Uint32(b[at+12:]); from != 0 {
		o.ValidFrom = time.Unix(int64(from), 0).UTC()
	}
	o.Threshold = screening.MilliC(binary.BigEndian.Uint16(b[at+16:]))
	for _, mode := range b[at+figures:] {
		o.Rows = append(o.Rows, RowMode{Index: mode &^ 0x80, Warn: mode&0x80 != 0})
	}
	again, err := o.marshal()
	return o, err == nil && bytes.Equal(again, b)
}

// Apply returns the policy that the order makes of its preset, and the file that
// says the same. The limit of the wrist follows where the forehead's falls below
// it.
func (o Order) Apply(d Document) (Document, []byte, error) {
	if d.Spec.Name != o.Preset || d.Edition() != o.Edition {
		return Document{}, nil, fmt.Errorf("%w: %s", ErrEdition, o.Preset)
	}
	s := &d.Spec
	s.Number, d.ValidFrom = o.Number, o.ValidFrom
	if o.Threshold != 0 {
		s.Threshold, s.Boundary = o.Threshold, o.Boundary
		s.WristThreshold = min(s.WristThreshold, s.Threshold)
	}
	s.Requirements = append([]screening.Requirement(nil), s.Requirements...)
	for _, row := range o.Rows {
		if int(row.Index) >= len(s.Requirements) {
			return Document{}, nil, fmt.Errorf("%w: it has no row %d", ErrEdition, row.Index)
		}
		s.Requirements[row.Index].Warn = row.Warn
	}
	body := d.Format()
	applied, err := Parse(o.Preset+".toml", body)
	if err != nil {
		return Document{}, nil, fmt.Errorf("apply policy order: %w", err)
	}
	return applied, body, nil
}
