package gate

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheKeyIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadIdentity(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading makes a key, or says %v", err)
	}
	first, err := MakeIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 2*ed25519.SeedSize+1 {
		t.Errorf("file %v, %v", info, err)
	}
	second, err := MakeIdentity(dir)
	read, readErr := ReadIdentity(dir)
	if err != nil || readErr != nil || !first.Equal(second) || !first.Equal(read) {
		t.Errorf("another key later: %v, %v", err, readErr)
	}
	other, err := MakeIdentity(t.TempDir())
	if err != nil || other.Equal(first) {
		t.Errorf("two gates have one key, or %v", err)
	}
}

// A crash leaves what was written to a file that has not its name yet.
func TestACrashWhileTheKeyIsMadeLeavesNone(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, keyFile+".new")
	if err := os.WriteFile(half, []byte("00112233"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadIdentity(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a key is read: %v", err)
	}
	key, err := MakeIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := MakeIdentity(dir); err != nil || !again.Equal(key) {
		t.Errorf("the key does not last: %v", err)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the half is left: %v", err)
	}
}

func TestADamagedKeyIsNeitherReplacedNorRepeated(t *testing.T) {
	for rule, text := range map[string]string{"cut off": strings.Repeat("ab", 31), "empty": "", "no hex": strings.Repeat("zz", 32), "too long": strings.Repeat("ab", 33)} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, keyFile)
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := MakeIdentity(dir)
			if err == nil || !strings.Contains(err.Error(), "restore it") || strings.Contains(err.Error(), "abab") {
				t.Errorf("says %v", err)
			}
			if b, err := os.ReadFile(name); err != nil || !bytes.Equal(b, []byte(text)) {
				t.Errorf("file is now %q, %v", b, err)
			}
		})
	}
}
