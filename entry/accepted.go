package entry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"
)

// acceptedFormat is the first element of the blob: a later program may write more.
const acceptedFormat = 1

// Accepted is who tried a gate where it stands: the private blob of an answer
// with [ActAccepted]. It is the canonical CBOR of the array [1, name, name].
// Printed or logged it shows nothing.
type Accepted struct {
	// Installer and Witness are as they were said, each at most MaxVisitorText
	// bytes.
	Installer, Witness string
}

// Format prints no personal data, whatever the verb.
func (Accepted) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "accepted") }

// LogValue keeps personal data out of the log.
func (Accepted) LogValue() slog.Value { return slog.StringValue("accepted") }

// Blob returns the blob, not yet salted.
func (a Accepted) Blob() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("encode acceptance: %w", err)
	}
	b, err := encoding.Marshal([]any{acceptedFormat, a.Installer, a.Witness})
	if err != nil {
		return nil, fmt.Errorf("encode acceptance: %w", err)
	}
	return b, nil
}

// ReadAccepted reads the blob in the salted form in which a journal keeps it, and
// refuses all that Blob does not write.
func ReadAccepted(salted []byte) (Accepted, error) {
	if len(salted) < saltSize {
		return Accepted{}, errors.New("read acceptance: no salt")
	}
	r := elements{rest: salted[saltSize:]}
	r.array(3)
	if f := r.next(0, acceptedFormat); r.err == nil && f != acceptedFormat {
		r.err = fmt.Errorf("unknown format %d", f)
	}
	a := Accepted{Installer: r.text(), Witness: r.text()}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes behind it", len(r.rest))
	}
	if r.err == nil {
		r.err = a.check()
	}
	if r.err != nil {
		return Accepted{}, fmt.Errorf("read acceptance: %w", r.err)
	}
	return a, nil
}

func (a Accepted) check() error {
	for _, s := range []string{a.Installer, a.Witness} {
		if s == "" || len(s) > MaxVisitorText || !utf8.ValidString(s) {
			return fmt.Errorf("a name is no text of 1 to %d bytes", MaxVisitorText)
		}
	}
	return nil
}
