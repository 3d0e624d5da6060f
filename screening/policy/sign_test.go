package policy_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"github.com/menshen/menshen/screening/policy"
)

// keyOf makes the same key of the same letter.
func keyOf(letter byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{letter}, ed25519.SeedSize))
}

func public(keys ...ed25519.PrivateKey) (list []ed25519.PublicKey) {
	for _, k := range keys {
		list = append(list, k.Public().(ed25519.PublicKey))
	}
	return list
}

func TestASignedFileIsStillAPolicy(t *testing.T) {
	file := policy.Sign([]byte(least), keyOf('a'))
	if d := parse(t, string(file)); d.Spec.Name != "least" {
		t.Errorf("got %+v", d)
	}
	s, err := policy.Verify(file, public(keyOf('a')))
	if err != nil || string(s.Body) != least || len(s.By) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAValidSignatureWidensNoBound(t *testing.T) {
	file := policy.Sign([]byte(strings.Replace(least, "37.3", "45.0", 1)), keyOf('a'))
	s, err := policy.Verify(file, public(keyOf('a')))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := policy.Parse("p.toml", s.Body); err == nil {
		t.Errorf("taken: %+v", d)
	}
}

func TestSigningTwiceChangesNothing(t *testing.T) {
	once := policy.Sign([]byte(least), keyOf('a'))
	both := policy.Sign(once, keyOf('b'))
	if again := policy.Sign(policy.Sign(both, keyOf('a')), keyOf('b')); !bytes.Equal(again, both) {
		t.Errorf("got\n%s\nwant\n%s", again, both)
	}
}

func TestSigningWhatWasChangedReplacesTheOldSignature(t *testing.T) {
	changed := bytes.Replace(policy.Sign([]byte(least), keyOf('a')), []byte("37.3"), []byte("37.2"), 1)
	if _, err := policy.Verify(changed, public(keyOf('a'))); !errors.Is(err, policy.ErrForged) {
		t.Errorf("changed: %v", err)
	}
	if _, err := policy.Verify(policy.Sign(changed, keyOf('a')), public(keyOf('a'))); err != nil {
		t.Errorf("signed again: %v", err)
	}
}

func TestOnlyARightSignatureOfATrustedKeyCounts(t *testing.T) {
	a, b := keyOf('a'), keyOf('b')
	signed := string(policy.Sign([]byte(least), a))
	both := string(policy.Sign([]byte(signed), b))
	line := signed[len(least):]
	for name, c := range map[string]struct {
		file    string
		trusted []ed25519.PublicKey
		by      int
		err     error
	}{
		"nobody":                                  {least, public(a), 0, policy.ErrUnsigned},
		"one who is trusted":                      {signed, public(a, b), 1, nil},
		"two who are trusted":                     {both, public(a, b), 2, nil},
		"one of two is trusted":                   {both, public(b), 1, nil},
		"the same one twice":                      {signed + line, public(a), 1, nil},
		"one who is not trusted":                  {signed, public(b), 0, policy.ErrUntrusted},
		"nobody is trusted":                       {signed, nil, 0, policy.ErrUntrusted},
		"a body that was changed":                 {strings.Replace(signed, "37.3", "37.9", 1), public(a), 0, policy.ErrForged},
		"a body that got longer":                  {least + "\n" + line, public(a), 0, policy.ErrForged},
		"a changed body beside another signature": {strings.Replace(both, "37.3", "37.9", 1), public(b), 0, policy.ErrForged},
		"a signature with text behind it":         {signed + "number = 2\n", public(a), 0, policy.ErrUnsigned},
		"a signature in the middle":               {line + least, public(a), 0, policy.ErrUnsigned},
		"a signature without its end":             {strings.TrimSuffix(signed, "\n"), public(a), 0, policy.ErrUnsigned},
		"a line that is no signature":             {least + "# menshen-signature: ed25519 QQ== QQ==\n", public(a), 0, policy.ErrForged},
		"another spelling of the line ends":       {strings.ReplaceAll(signed, "\n", "\r\n"), public(a), 0, policy.ErrForged},
		"nine lines":                              {least + strings.Repeat(line, 9), public(a), 0, policy.ErrForged},
		"too long to be looked at":                {strings.Repeat("#", 100_000) + signed, public(a), 0, policy.ErrForged},
		"nothing at all":                          {"", public(a), 0, policy.ErrUnsigned},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := policy.Verify([]byte(c.file), c.trusted)
			if !errors.Is(err, c.err) || len(s.By) != c.by {
				t.Errorf("%d keys, %v", len(s.By), err)
			}
			if err != nil && s.Body != nil {
				t.Error("a body beside an error")
			}
		})
	}
}

// FuzzVerify: what is taken is what was signed, to the byte, whatever stands
// around it; and a file that was signed here is always taken.
func FuzzVerify(f *testing.F) {
	trusted := public(keyOf('a'))
	f.Add([]byte(least))
	f.Add(policy.Sign([]byte(least), keyOf('a')))
	f.Add(policy.Sign(policy.Sign([]byte(least), keyOf('b')), keyOf('a')))
	f.Add([]byte("# menshen-signature: ed25519 \n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := policy.Verify(file, trusted)
		if err == nil && !bytes.HasPrefix(file, policy.Sign(s.Body, keyOf('a'))[:len(s.Body)]) {
			t.Fatal("the body does not begin the file")
		}
		signed := policy.Sign(file, keyOf('a'))
		if again := policy.Sign(signed, keyOf('a')); !bytes.Equal(again, signed) {
			t.Fatalf("signed twice: %q, once: %q", again, signed)
		}
		// Lines that stood there before may be too many, or no signatures.
		if _, err := policy.Verify(signed, trusted); err != nil && !bytes.Contains(file, []byte("# menshen-signature")) && len(file) < policy.MaxSize {
			t.Fatalf("%q: %v", signed, err)
		}
	})
}
