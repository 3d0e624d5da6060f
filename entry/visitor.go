package entry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"
)

// MaxVisitorText is the most bytes that a visitor's name or phone may have.
const MaxVisitorText = 200

// visitorFormat is the first element of the blob: a later program may write more.
const visitorFormat = 1

// Visitor is who was lent a card: the private blob of an answer with
// [ActVisitIn]. It is the canonical CBOR of the array [1, name, phone, host].
// Printed or logged it shows nothing.
type Visitor struct {
	// Name and Phone are as they were said; either may be empty.
	Name, Phone string
	// Host is the roster number of whom they visit, 0 for the school.
	Host uint64
}

// Format prints no personal data, whatever the verb.
func (Visitor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "visitor") }

// LogValue keeps personal data out of the log.
func (Visitor) LogValue() slog.Value { return slog.StringValue("visitor") }

// Blob returns the blob, not yet salted.
func (v Visitor) Blob() ([]byte, error) {
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("encode visitor: %w", err)
	}
	b, err := encoding.Marshal([]any{visitorFormat, v.Name, v.Phone, v.Host})
	if err != nil {
		return nil, fmt.Errorf("encode visitor: %w", err)
	}
	return b, nil
}

// ReadVisitor reads the blob in the salted form in which a journal keeps it, and
// refuses all that Blob does not write.
func ReadVisitor(salted []byte) (Visitor, error) {
	if len(salted) < saltSize {
		return Visitor{}, errors.New("read visitor: no salt")
	}
	r := elements{rest: salted[saltSize:]}
	r.array(4)
	if f := r.next(0, visitorFormat); r.err == nil && f != visitorFormat {
		r.err = fmt.Errorf("unknown format %d", f)
	}
	v := Visitor{Name: r.text(), Phone: r.text(), Host: r.number()}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes behind it", len(r.rest))
	}
	if r.err == nil {
		r.err = v.check()
	}
	if r.err != nil {
		return Visitor{}, fmt.Errorf("read visitor: %w", r.err)
	}
	return v, nil
}

func (v Visitor) check() error {
	for _, s := range []string{v.Name, v.Phone} {
		if len(s) > MaxVisitorText || !utf8.ValidString(s) {
			return fmt.Errorf("name or phone is no text of at most %d bytes", MaxVisitorText)
		}
	}
	return nil
}
