package policy

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A signed file is the body with one line for each signature at its end, so that
// it stays a TOML file that a person can read.
const (
	signatureMark = "# menshen-signature: ed25519 "
	maxSignatures = 8
	// maxSignature bounds one line: mark, key, blank, signature, line feed.
	maxSignature = len(signatureMark) + 44 + 1 + 88 + 1
)

// Why a file is not taken for signed.
var (
	ErrUnsigned  = errors.New("the file bears no signature")
	ErrUntrusted = errors.New("no key that is trusted here has signed the file")
	ErrForged    = errors.New("a signature is not of this file")
)

// Signed is a file with a right signature by at least one trusted key.
type Signed struct {
	// Body is what was signed, without the lines of the signatures.
	Body []byte
	// By are the trusted keys with a right signature, each once.
	By []ed25519.PublicKey
}

// Sign appends the signature of a key to a file, in place of an earlier one by
// the same key. Signing again what was not changed changes nothing.
func Sign(file []byte, key ed25519.PrivateKey) []byte {
	if n := len(file); n > 0 && file[n-1] != '\n' {
		file = append(bytes.Clone(file), '\n')
	}
	body, lines := split(file)
	by := signatureMark + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + " "
	line := by + base64.StdEncoding.EncodeToString(ed25519.Sign(key, body))
	if slices.Contains(lines, line) {
		return file
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, by) })
	return append(bytes.Clone(body), strings.Join(append(lines, line), "\n")+"\n"...)
}

// Verify returns the body of a file that a trusted key has signed. A wrong
// signature by a trusted key makes the whole file forged; those by other keys say
// nothing. The error is ErrUnsigned, ErrUntrusted or ErrForged.
func Verify(file []byte, trusted []ed25519.PublicKey) (Signed, error) {
	if len(file) > MaxSize+maxSignatures*maxSignature {
		return Signed{}, fmt.Errorf("%d bytes are too many: %w", len(file), ErrForged)
	}
	body, lines := split(file)
	if len(lines) == 0 {
		return Signed{}, ErrUnsigned
	}
	if len(lines) > maxSignatures {
		return Signed{}, fmt.Errorf("%d signatures are too many: %w", len(lines), ErrForged)
	}
	s := Signed{Body: body}
	for _, line := range lines {
		public, signature, ok := readSignature(line)
		if !ok {
			return Signed{}, fmt.Errorf("a signature cannot be read: %w", ErrForged)
		}
		if !contains(trusted, public) {
			continue
		}
		if !ed25519.Verify(public, body, signature) {
			return Signed{}, ErrForged
		}
		if !contains(s.By, public) {
			s.By = append(s.By, public)
		}
	}
	if len(s.By) == 0 {
		return Signed{}, ErrUntrusted
	}
	return s, nil
}

// split parts the lines of signatures at the end of a file from the body.
func split(file []byte) (body []byte, lines []string) {
	body = file
	for bytes.HasSuffix(body, []byte("\n")) {
		begin := bytes.LastIndexByte(body[:len(body)-1], '\n') + 1
		line := string(body[begin : len(body)-1])
		if !strings.HasPrefix(line, signatureMark) {
			break
		}
		lines = append(lines, line)
		body = body[:begin]
	}
	slices.Reverse(lines)
	return body, lines
}

// readSignature reads a line strictly: there is one way to write a signature.
func readSignature(line string) (ed25519.PublicKey, []byte, bool) {
	key, signature, _ := strings.Cut(strings.TrimPrefix(line, signatureMark), " ")
	k, err := base64.StdEncoding.Strict().DecodeString(key)
	s, err2 := base64.StdEncoding.Strict().DecodeString(signature)
	ok := err == nil && err2 == nil && len(k) == ed25519.PublicKeySize && len(s) == ed25519.SignatureSize
	return k, s, ok && len(line)+1 == maxSignature
}

func contains(keys []ed25519.PublicKey, key ed25519.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return k.Equal(key) })
}
