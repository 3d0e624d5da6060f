package e2e

import (
	"io"
	"testing"
)

// Scanner is a desktop scanner: it types what it reads and a CR.
type Scanner struct{ *Port }

func newScanner(link string) *Scanner {
	return &Scanner{&Port{Link: link, serve: func(rw io.ReadWriter) {
		_, _ = io.Copy(io.Discard, rw) // a desktop scanner takes no commands
	}}}
}

// Scan shows one code. The CR in front ends whatever the port has carried
// before, as after a scanner was switched on.
func (s *Scanner) Scan(t testing.TB, text string) {
	t.Helper()
	if err := s.Send([]byte("\r" + text + "\r")); err != nil {
		t.Fatal(err)
	}
}
