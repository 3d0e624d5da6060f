package store

import (
	"bytes"
	"strings"
	"testing"
)

func TestOnlyWhatACursorWroteIsACursor(t *testing.T) {
	good, err := Cursor{store: [16]byte{1, 2}, batch: 3, place: 4}.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int, c byte) string { return string(good[:i]) + string(c) + string(good[i+1:]) }
	for name, text := range map[string]string{
		"one character less":  string(good[:len(good)-1]),
		"one character more":  string(good) + "A",
		"a line break":        string(good[:35]) + "\n",
		"no alphabet of ours": at(9, '+'),
		"another format":      at(0, 'B'),
		"batch 0":             strings.Replace(string(good), string(good[22:34]), "AAAAAAAAAAAA", 1),
		"a batch without end": at(24, '_'),
		"a place without end": at(33, '_'),
	} {
		t.Run(name, func(t *testing.T) {
			c := Cursor{batch: 9}
			if err := c.UnmarshalText([]byte(text)); err == nil || c != (Cursor{batch: 9}) {
				t.Errorf("%q gives %+v, %v", text, c, err)
			}
		})
	}
}

func FuzzCursor(f *testing.F) {
	for _, c := range []Cursor{{}, {batch: 1}, {store: [16]byte{255}, batch: 1 << 40, place: MaxBatch - 1}} {
		text, err := c.MarshalText()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Cursor
		if c.UnmarshalText(text) != nil {
			return
		}
		if again, err := c.MarshalText(); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q is read and written as %q, %v", text, again, err)
		}
		if c.id() < 0 || c.id()>>placeBits != int64(c.batch) {
			t.Errorf("%+v has id %d", c, c.id())
		}
	})
}
