package gate

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyFile holds the Ed25519 seed by which the gate signs, in hex. It never
// leaves the data directory; collectors know the public key.
const keyFile = "device.key"

// ReadIdentity returns the key by which the gate with this data directory
// signs. The error wraps fs.ErrNotExist where no gate has run there yet.
func ReadIdentity(data string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(filepath.Join(data, keyFile))
	if err != nil {
		return nil, fmt.Errorf("read device key: %w", err)
	}
	seed, err := hex.DecodeString(strings.TrimSuffix(string(b), "\n"))
	if err != nil || len(seed) != ed25519.SeedSize {
		// What stands there is not repeated: it may be most of a key.
		return nil, fmt.Errorf("read device key: %s is not %d hexadecimal digits: restore it, or remove it and let every collector admit the gate again",
			keyFile, 2*ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// MakeIdentity returns the key of a gate, or of an isolation room's board, made
// at the first start. The caller holds the journal's lock, or the socket of a
// board, so that two processes never make one each. A crash leaves no key, and
// then nobody has heard of one, or the whole key.
func MakeIdentity(data string) (ed25519.PrivateKey, error) {
	key, err := ReadIdentity(data)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails: it ends the process instead (crypto/rand)
	if err := replaceFile(filepath.Join(data, keyFile), []byte(hex.EncodeToString(seed)+"\n")); err != nil {
		return nil, fmt.Errorf("make device key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
