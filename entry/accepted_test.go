package entry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
)

func saltedNames(t testing.TB, a entry.Accepted) []byte {
	t.Helper()
	b, err := a.Blob()
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := entry.Commit(b)
	return kept
}

func TestWhoAcceptedReadsBackFromTheSaltedBlob(t *testing.T) {
	for _, a := range []entry.Accepted{{Installer: "王工", Witness: "李校长"}, {Installer: strings.Repeat("x", 200), Witness: "y"}} {
		if got, err := entry.ReadAccepted(saltedNames(t, a)); err != nil || got != a {
			t.Errorf("reads back as another: %v", err)
		}
	}
}

func TestAnAcceptanceHasTwoNames(t *testing.T) {
	for rule, a := range map[string]entry.Accepted{
		"none": {}, "one": {Installer: "王工"}, "the other": {Witness: "李校长"}, "one without end": {Installer: strings.Repeat("x", 201), Witness: "y"}, "no text": {Installer: "\xff", Witness: "y"},
	} {
		if _, err := a.Blob(); err == nil {
			t.Errorf("%s: written", rule)
		}
	}
}

func TestWhoAcceptedIsNeitherPrintedNorLogged(t *testing.T) {
	a, log := entry.Accepted{Installer: "王工", Witness: "李校长"}, new(bytes.Buffer)
	slog.New(slog.NewTextHandler(log, nil)).Info("x", "accepted", a)
	fmt.Fprintf(log, "%v %+v %#v %s %q %x", a, a, a, a, a, a)
	if strings.Contains(log.String(), "王工") || strings.Contains(log.String(), fmt.Sprintf("%x", "李校长")) {
		t.Errorf("a name stands in %q", log)
	}
}

// FuzzAccepted: what is read is written again byte for byte, and is bounded.
func FuzzAccepted(f *testing.F) {
	good := saltedNames(f, entry.Accepted{Installer: "王工", Witness: "李校长"})
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(bytes.Clone(good), 0))
	f.Add(bytes.Repeat([]byte{0x83}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := entry.ReadAccepted(b)
		if err != nil {
			return
		}
		again, err := a.Blob()
		if err != nil || !bytes.Equal(again, b[16:]) {
			t.Errorf("%x is read and written as %x, %v", b, again, err)
		}
	})
}
