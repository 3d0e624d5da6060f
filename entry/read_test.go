package entry

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzBodiesByHand: what is read by hand is read as the library reads it, and
// what the library refuses, or writes otherwise, is refused.
func FuzzBodiesByHand(f *testing.F) {
	for _, kind := range []string{"arrival", "arrival-bare", "answer", "case", "case-bare", "case-return"} {
		text, err := os.ReadFile(filepath.Join("..", "testdata", "entry", kind+".hex"))
		if err != nil {
			f.Fatal(err)
		}
		leaf, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			f.Fatal(err)
		}
		e, err := Unmarshal(leaf)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxSize {
			return
		}
		compare(t, body, new(Arrival), new(Arrival))
		compare(t, body, new(Answer), new(Answer))
		var c Case // read in either spelling, and written in the one that it had
		if decode(body, &c) != nil {
			return
		}
		if again, err := Encode(c); err != nil || !bytes.Equal(again, body) {
			t.Errorf("accepted %x, written as %x, %v", body, again, err)
		}
	})
}

func compare(t *testing.T, body []byte, byHand, byLibrary any) {
	err, want := decode(body, byHand), decodeAny(body, byLibrary)
	if (err == nil) != (want == nil) {
		t.Fatalf("%x into %T: by hand %v, by the library %v", body, byHand, err, want)
	}
	if err == nil && !reflect.DeepEqual(byHand, byLibrary) {
		t.Fatalf("%x: by hand %+v, by the library %+v", body, byHand, byLibrary)
	}
}

func TestASequenceIsCutWhereItsEntriesEnd(t *testing.T) {
	body, err := Encode(Stop{Reason: "signal"})
	if err != nil {
		t.Fatal(err)
	}
	var sequence []byte
	for lane := range uint8(3) {
		leaf, err := Entry{Kind: KindStop, Boot: 5, Lane: lane, Body: body}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		sequence = append(sequence, leaf...)
	}
	rest := sequence
	for lane := range uint8(3) {
		var e Entry
		if e, rest, err = Cut(rest); err != nil || e.Lane != lane {
			t.Fatalf("entry of lane %d: %+v, %v", lane, e, err)
		}
	}
	if len(rest) > 0 {
		t.Errorf("%d bytes are left", len(rest))
	}
	for n := 1; n < len(sequence)/3; n++ {
		if _, _, err := Cut(sequence[:n]); err == nil {
			t.Errorf("cut of %d bytes", n)
		}
	}
}
