package district

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile holds the collector's private key, PKCS #8 in PEM, below the data
// directory. Whoever has it can tell gates that their entries are kept; if it
// is lost, every gate must be told a new one.
const KeyFile = "collector.key"

// LoadKey reads the collector's key, and makes it if there is none.
func LoadKey(data string) (ed25519.PrivateKey, error) {
	name := filepath.Join(data, KeyFile)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(name); err == nil || errors.Is(err, fs.ErrExist) {
			b, err = os.ReadFile(name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("collector's key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("collector's key: no PEM in %s", name)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("collector's key: %w", err)
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("collector's key: %s holds a key that is not Ed25519", name)
	}
	return key, nil
}

// makeKey writes a key that is there whole or not at all. Of two processes that
// make one at the same time, the second finds fs.ErrExist.
func makeKey(name string) (err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), KeyFile+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a key that gates know already. A
	// crash after this line may still lose both names: nobody knows the key yet.
	return os.Link(f.Name(), name)
}
