package entry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
)

func salted(t testing.TB, v entry.Visitor) []byte {
	t.Helper()
	b, err := v.Blob()
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := entry.Commit(b)
	return kept
}

func TestAVisitorReadsBackFromTheSaltedBlob(t *testing.T) {
	for _, v := range []entry.Visitor{{}, {Name: "赵敏", Phone: "13800000001", Host: 7}, {Name: strings.Repeat("x", 200), Host: 1<<64 - 1}} {
		if got, err := entry.ReadVisitor(salted(t, v)); err != nil || got != v {
			t.Errorf("reads back as another: %v", err)
		}
	}
}

func TestNoVisitorIsReadFromAnythingElse(t *testing.T) {
	good := salted(t, entry.Visitor{Name: "赵敏", Host: 7})
	for rule, b := range map[string][]byte{
		"nothing":                nil,
		"a salt alone":           good[:16],
		"cut short":              good[:len(good)-1],
		"something behind it":    append(bytes.Clone(good), 0),
		"another format":         append(append(bytes.Clone(good[:17]), 2), good[18:]...),
		"a longer spelling":      append(append(bytes.Clone(good[:len(good)-1]), 0x18), 7),
		"a name that goes on":    append(append(bytes.Clone(good[:16]), 0x84, 1, 0x78, 201), append(bytes.Repeat([]byte("x"), 201), 0x60, 0)...),
		"a text that is no text": append(bytes.Clone(good[:16]), 0x84, 1, 0x61, 0xff, 0x60, 0),
	} {
		t.Run(rule, func(t *testing.T) {
			if v, err := entry.ReadVisitor(b); err == nil || v != (entry.Visitor{}) {
				t.Errorf("read, %v", err)
			}
		})
	}
	if _, err := (entry.Visitor{Name: strings.Repeat("x", 201)}).Blob(); err == nil {
		t.Error("a name without end is written")
	}
}

func TestAVisitorIsNeitherPrintedNorLogged(t *testing.T) {
	v, log := entry.Visitor{Name: "赵敏", Phone: "13800000001", Host: 4711}, new(bytes.Buffer)
	slog.New(slog.NewTextHandler(log, nil)).Info("x", "visitor", v)
	fmt.Fprintf(log, "%v %+v %#v %s %q %x", v, v, v, v, v, v)
	for _, secret := range []string{"赵敏", "1380", "4711", fmt.Sprintf("%x", "赵敏")} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q stands in %q", secret, log)
		}
	}
}

// FuzzVisitor: what is read is written again byte for byte, and is bounded.
func FuzzVisitor(f *testing.F) {
	f.Add(salted(f, entry.Visitor{Name: "赵敏", Phone: "13800000001", Host: 7}))
	f.Add(salted(f, entry.Visitor{}))
	f.Add(bytes.Repeat([]byte{0x84}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := entry.ReadVisitor(b)
		if err != nil {
			return
		}
		again, err := v.Blob()
		if err != nil || !bytes.Equal(again, b[16:]) || len(v.Name) > entry.MaxVisitorText || len(v.Phone) > entry.MaxVisitorText {
			t.Errorf("%x is read and written as %x, %v", b, again, err)
		}
	})
}
