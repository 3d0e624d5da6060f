package wire_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/sync/wire"
)

// lowOrder is every point whose order divides 8 in every encoding that could
// pass for it: both signs of x, and y + p where that fits.
func lowOrder(t testing.TB) [][]byte {
	t.Helper()
	var all [][]byte
	for _, s := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p + 1
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		signed := slices.Clone(b)
		signed[31] |= 0x80
		all = append(all, b, signed)
	}
	return all
}

// Under such a key, a signature of an empty commitment and an empty scalar
// verifies for at least every eighth message: no secret is needed to make it.
func TestKeysUnderWhichAnybodyCanSignAreRefused(t *testing.T) {
	forged := make([]byte, ed25519.SignatureSize)
	forged[0] = 1
	for _, pub := range lowOrder(t) {
		works := false
		for i := range 200 {
			works = works || ed25519.Verify(pub, []byte{byte(i)}, forged)
		}
		if !works {
			t.Errorf("%x: nothing could be forged, so nothing is tested", pub)
		}
		if _, err := wire.ParsePublicKey(wire.FormatPublicKey(pub)); err == nil {
			t.Errorf("%x: accepted", pub)
		}
	}
}

func TestKeysThatAreNoPointOrSpelledOtherwiseAreRefused(t *testing.T) {
	good := wire.FormatPublicKey(public(1))
	if !strings.HasPrefix(good, "ed25519:") {
		t.Fatalf("a key is written %q", good)
	}
	raw := func(s string) string {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return "ed25519:" + base64.StdEncoding.EncodeToString(b)
	}
	tests := map[string]string{
		"nothing":              "",
		"no prefix":            strings.TrimPrefix(good, "ed25519:"),
		"another prefix":       "rsa:" + strings.TrimPrefix(good, "ed25519:"),
		"no padding":           strings.TrimRight(good, "="),
		"a space before it":    " " + good,
		"a line end behind it": good + "\n",
		"a line end within":    good[:20] + "\n" + good[20:],
		"URL alphabet":         "ed25519:" + base64.URLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 32))),
		"31 bytes":             raw(strings.Repeat("11", 31)),
		"33 bytes":             raw(strings.Repeat("11", 33)),
		"not on the curve":     raw("02" + strings.Repeat("00", 31)),
		"y of p + 3":           raw("f0" + strings.Repeat("ff", 30) + "7f"),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := wire.ParsePublicKey(text); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestEveryGeneratedKeyComesBack(t *testing.T) {
	for i := range 64 {
		pub := public(byte(i))
		if back, err := wire.ParsePublicKey(wire.FormatPublicKey(pub)); err != nil || !back.Equal(pub) {
			t.Errorf("%x: read as %x, %v", pub, back, err)
		}
	}
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add(wire.FormatPublicKey(public(1)))
	for _, pub := range lowOrder(f) {
		f.Add(wire.FormatPublicKey(pub))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if pub, err := wire.ParsePublicKey(text); err == nil && wire.FormatPublicKey(pub) != text {
			t.Errorf("%q is accepted and spelled %q", text, wire.FormatPublicKey(pub))
		}
	})
}
