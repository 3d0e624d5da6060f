package feed

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"net"
	"testing"
)

func keyOf(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func public(b byte) ed25519.PublicKey { return keyOf(b).Public().(ed25519.PublicKey) }

// meet lets a board and a gate shake hands over loopback, and returns what each
// end has to say about the other.
func meet(t *testing.T, board, gate *tls.Config) (atBoard, atGate error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", gate)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = c.Write([]byte("x")) // shakes hands first
			c.Close()
		}
		heard <- err
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	c := tls.Client(raw, board)
	// By TLS 1.3 a client is through before the server has looked at it.
	_, atBoard = c.Read(make([]byte, 1))
	raw.Close()
	return atBoard, <-heard
}

func TestOnlyTheTwoWhoNameEachOtherMeet(t *testing.T) {
	for rule, c := range map[string]struct {
		board, expects byte   // the board's key, and that of the gate it expects
		gate           byte   // the gate's key
		admits         []byte // the boards that the gate admits
		refused        bool
	}{
		"both know each other":           {1, 2, 2, []byte{1}, false},
		"one of several boards":          {1, 2, 2, []byte{3, 1}, false},
		"a board that nobody admitted":   {1, 2, 2, []byte{3}, true},
		"a gate that admits no board":    {1, 2, 2, nil, true},
		"another gate at that address":   {1, 2, 4, []byte{1}, true},
		"the gate's own key as a client": {2, 2, 2, []byte{1}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			board, err1 := Client(keyOf(c.board), public(c.expects))
			var admits []ed25519.PublicKey
			for _, k := range c.admits {
				admits = append(admits, public(k))
			}
			gate, err2 := Server(keyOf(c.gate), admits)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if atBoard, atGate := meet(t, board, gate); (atBoard != nil) != c.refused {
				t.Errorf("the board says %v, the gate %v", atBoard, atGate)
			}
		})
	}
}

func TestNobodyMeetsAGateWithoutACertificateOrByAnOldTLS(t *testing.T) {
	gate, err := Server(keyOf(2), []ed25519.PublicKey{public(1)})
	if err != nil {
		t.Fatal(err)
	}
	for rule, change := range map[string]func(*tls.Config){
		"no certificate": func(c *tls.Config) { c.Certificates = nil },
		"TLS 1.2":        func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
	} {
		t.Run(rule, func(t *testing.T) {
			board, err := Client(keyOf(1), public(2))
			if err != nil {
				t.Fatal(err)
			}
			change(board)
			if atBoard, _ := meet(t, board, gate); atBoard == nil {
				t.Error("they meet")
			}
		})
	}
}
