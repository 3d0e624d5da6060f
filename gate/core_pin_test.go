package gate

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// TestAPINIsKeptAsArgon2idWithSevenMiB: a cost that is written down and not
// paid would be noticed by nobody but a thief.
func TestAPINIsKeptAsArgon2idWithSevenMiB(t *testing.T) {
	const pin, memory, passes, threads, size = "274916", 7 << 10, 3, 1, 32 // memory in KiB
	dir := t.TempDir()
	crewed(t, dir)
	db, err := sql.Open("sqlite3", filepath.Join(dir, "roster.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var kept string
	if err := db.QueryRow("SELECT pin_hash FROM person WHERE number = 'T1'").Scan(&kept); err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(kept, "$")
	if len(fields) != 6 || strings.Join(fields[:4], "$") != "$argon2id$v=19$m=7168,t=3,p=1" {
		t.Fatalf("kept as %q", kept)
	}
	salt, err := base64.RawStdEncoding.DecodeString(fields[4])
	if err != nil || len(salt) != 16 {
		t.Fatalf("salt of %d bytes, %v", len(salt), err)
	}
	key, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil || !bytes.Equal(key, argon2.IDKey([]byte(pin), salt, passes, memory, threads, size)) {
		t.Errorf("the key is not that of 7 MiB and three passes: %v", err)
	}
}
