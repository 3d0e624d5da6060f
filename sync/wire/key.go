package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

const keyPrefix = "ed25519:"

// FormatPublicKey returns the text in which people pass a public key on:
// "ed25519:" and the key in base64 (RFC 4648 §4, padded).
func FormatPublicKey(pub ed25519.PublicKey) string {
	return keyPrefix + base64.StdEncoding.EncodeToString(pub)
}

// ParsePublicKey reads what FormatPublicKey writes, and no other spelling of
// it. It refuses keys that are not the one encoding of a point of the curve,
// and points of low order: under those, anybody can make signatures.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	encoded, ok := strings.CutPrefix(text, keyPrefix)
	if !ok {
		return nil, fmt.Errorf("parse public key: does not begin with %q", keyPrefix)
	}
	pub, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	if len(pub) != ed25519.PublicKeySize || FormatPublicKey(pub) != text {
		return nil, fmt.Errorf("parse public key: not %d bytes in base64", ed25519.PublicKeySize)
	}
	if err := checkPoint(pub); err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	return pub, nil
}

// checkPoint says whether pub is the canonical encoding of a point of
// edwards25519 (RFC 8032 §5.1) whose order is not low.
func checkPoint(pub []byte) error {
	little := slices.Clone(pub)
	little[31] &= 0x7f // the highest bit is x's sign
	if slices.Contains(lowOrder(), hex.EncodeToString(little)) {
		return errors.New("a point of low order")
	}
	slices.Reverse(little)
	y := new(big.Int).SetBytes(little)
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 255)
	p.Sub(p, big.NewInt(19))
	if y.Cmp(p) >= 0 {
		return errors.New("not in canonical form")
	}
	// x² = (y²-1)/(dy²+1) with d = -121665/121666. A quotient is a square where
	// the product is, and a factor of 121666² changes nothing.
	y2 := new(big.Int).Mul(y, y)
	above := new(big.Int).Sub(y2, one)
	below := new(big.Int).Sub(big.NewInt(121666), new(big.Int).Mul(big.NewInt(121665), y2))
	below.Mul(below, big.NewInt(121666))
	if big.Jacobi(above.Mul(above, below).Mod(above, p), p) < 0 {
		return errors.New("not a point of the curve")
	}
	return nil
}

// lowOrder lists y of every point whose order divides 8, in hex as it is
// encoded, without x's sign.
func lowOrder() []string {
	return []string{
		"0100000000000000000000000000000000000000000000000000000000000000", // order 1
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
		"0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
	}
}
