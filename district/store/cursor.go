package store

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// Cursor is a place in the order of commits: behind one entry. The zero Cursor
// stands before the first. It is for this package to read: whoever pulls keeps
// its text and hands it back.
type Cursor struct {
	store [16]byte
	batch uint64
	place uint16
}

const (
	cursorFormat = 1
	cursorSize   = 1 + 16 + 8 + 2
)

// cursorText spells bytes in one way only, for use in URLs.
func cursorText() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// MarshalText returns 36 characters that need no escaping in a URL; none for
// the zero Cursor.
func (c Cursor) MarshalText() ([]byte, error) {
	if c == (Cursor{}) {
		return nil, nil
	}
	b := append(make([]byte, 0, cursorSize), cursorFormat)
	b = append(b, c.store[:]...)
	b = binary.BigEndian.AppendUint64(b, c.batch)
	b = binary.BigEndian.AppendUint16(b, c.place)
	return cursorText().AppendEncode(nil, b), nil
}

// UnmarshalText reads what MarshalText wrote and nothing else.
func (c *Cursor) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Cursor{}
		return nil
	}
	if want := cursorText().EncodedLen(cursorSize); len(text) != want {
		return fmt.Errorf("read cursor: %d characters, want %d", len(text), want)
	}
	b := make([]byte, cursorSize)
	if n, err := cursorText().Decode(b, text); err != nil || n != cursorSize {
		return errors.New("read cursor: not what was handed out")
	}
	got := Cursor{batch: binary.BigEndian.Uint64(b[17:]), place: binary.BigEndian.Uint16(b[25:])}
	copy(got.store[:], b[1:])
	if b[0] != cursorFormat || got.batch == 0 || got.batch>>(63-placeBits) != 0 || got.place >= MaxBatch {
		return errors.New("read cursor: not what was handed out")
	}
	*c = got
	return nil
}

// id is that of the entry behind which the cursor stands.
func (c Cursor) id() int64 { return int64(c.batch<<placeBits) + int64(c.place) }

// cursor returns the place behind an entry.
func (s *Store) cursor(id int64) Cursor {
	return Cursor{s.id, uint64(id) >> placeBits, uint16(id & (MaxBatch - 1))}
}
