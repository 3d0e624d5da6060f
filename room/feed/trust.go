package feed

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// errStranger says that the other end shows a key that the configuration does
// not name.
var errStranger = errors.New("shows another device key than the configuration names")

// Server returns how a gate with a device key meets its boards and the school's
// other gates, and nobody else. Which of them may ask for what, Shows says.
func Server(key ed25519.PrivateKey, others []ed25519.PublicKey) (*tls.Config, error) {
	c, err := config(key, others)
	if err != nil {
		return nil, err
	}
	c.ClientAuth = tls.RequireAnyClientCert
	c.SessionTicketsDisabled = true // every connection proves its key
	return c, nil
}

// Client returns how a board, or a gate, with a device key meets one gate.
func Client(key ed25519.PrivateKey, gate ed25519.PublicKey) (*tls.Config, error) {
	c, err := config(key, []ed25519.PublicKey{gate})
	if err != nil {
		return nil, err
	}
	// No authority vouches for a gate and no name stands in its certificate:
	// VerifyConnection looks at the key itself.
	c.InsecureSkipVerify = true
	return c, nil
}

func config(key ed25519.PrivateKey, others []ed25519.PublicKey) (*tls.Config, error) {
	own, err := certificate(key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own},
		MinVersion:   tls.VersionTLS13, // both ends sign the handshake
		VerifyConnection: func(s tls.ConnectionState) error {
			if !Shows(&s, others) {
				return errStranger
			}
			return nil
		},
	}, nil
}

// Shows reports whether the other end of a connection has proved one of the keys.
func Shows(s *tls.ConnectionState, keys []ed25519.PublicKey) bool {
	if s == nil || len(s.PeerCertificates) == 0 {
		return false
	}
	shown, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	return ok && slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return k.Equal(shown) })
}

// certificate wraps a device key in what TLS wants to carry it. Nobody looks at
// its dates: a gate whose clock was lost is the same gate.
func certificate(key ed25519.PrivateKey) (tls.Certificate, error) {
	blank := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, blank, blank, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("wrap device key: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
