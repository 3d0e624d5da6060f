package entry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
)

var update = flag.Bool("update", false, "write the golden vectors anew")

// golden returns the path of a vector in the corpus that all packages share.
func golden(name string) string { return filepath.Join("..", "testdata", "entry", name) }

// checkGolden compares got with the vector, or writes it with -update.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden(name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden(name))
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

func reading() *entry.Reading {
	return &entry.Reading{Value: 36400, Peak: 36500, Ambient: -5000, Site: 1, Instrument: "wrist-1",
		Formula: "skin/1", Quality: 1, Samples: 3}
}

func checkedBody() entry.Answer {
	a, _ := noon().Answer()
	a.By = []uint64{5}
	return a
}

func code() *entry.Code {
	return &entry.Code{Kind: 1, Colour: 2, AsOf: 1663200000000, How: 2, Digest: bytes.Repeat([]byte{0xc0}, 16)}
}

// bodies is one full and, where it differs, one bare value of every body.
func bodies() map[string]any {
	id := entry.ArrivalID{Boot: 17, Counter: 3}
	return map[string]any{
		"boot": entry.Boot{Kernel: [16]byte{1, 2}, Version: "1.0.0", Random: [16]byte{3}, Config: [32]byte{4}},
		"arrival": entry.Arrival{Counter: 3, Direction: 1, End: entry.EndDecided, Outcome: 1, Subject: 1042, Role: 1,
			Rows: []string{"temperature"}, Policy: 7, Roster: 9, Reading: reading(), Code: code(),
			Staff: []uint64{5, 6}, Badge: bytes.Repeat([]byte{0xba}, 16)},
		"arrival-bare": entry.Arrival{Counter: 1},
		"answer": entry.Answer{Arrival: id, Act: entry.ActOverride, Outcome: 1, Rows: []string{"green:no-green"}, Subject: 1042, By: []uint64{5},
			Reading: reading(), Code: code(), Ticket: 12, Reason: "identity-checked", Until: 1663257600000},
		"answer-accepted": entry.Answer{Act: entry.ActAccepted, Rows: []string{"badge:seen", "warm:yes", "power:skipped"}, By: []uint64{5}, Reason: "passed"},
		"answer-checked":  checkedBody(),
		"answer-calibrated": entry.Answer{Act: entry.ActCalibrated, By: []uint64{12, 15}, Until: 1694736000000,
			Reason: "cal/1 field mlx90614@1:i2c:5a:def09abc56781234 1663200000 12,15 200 1000000 36500:36300:40:20"},
		"case": entry.Case{Number: 12, Step: entry.CaseCalled, Arrival: id, Subject: 1042, By: []uint64{5, 6}, Origin: 1, Found: []string{"high-twice"},
			Reading: reading(), Limit: 37300, Call: 2, Guardian: 1, Relation: 3, Reason: "phone", At: 1663257600000},
		"case-bare": entry.Case{Step: entry.CaseMuted},
		"case-return": entry.Case{Number: 12, Step: entry.CaseCleared, Arrival: id, Subject: 1042, By: []uint64{5}, Rounds: 2, Proof: 3, Asked: 2,
			From: 1663000000000, On: 1663257600000, Wait: 172800, Place: 4, Corrects: 9},
		"device":    entry.Device{Lane: 1, Role: "thermometer", Event: entry.DeviceLost, Detail: "no acknowledgement"},
		"clock":     entry.ClockStep{StepMilli: -3600000, Clock: entry.ClockSynced},
		"policy":    entry.Policy{Number: 7, Name: "autumn", Text: []byte("threshold = 37.3\n")},
		"roster":    entry.Roster{Version: 9, Hash: [32]byte{9}, Added: 3, Changed: 2, Left: 1, By: "office"},
		"heartbeat": entry.Heartbeat{Size: 1000},
		"stop":      entry.Stop{Reason: "signal"},
	}
}

// sample wraps a body into an entry with every field set.
func sample(t testing.TB, body any) entry.Entry {
	t.Helper()
	b, err := entry.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := entry.KindOf(body)
	c := sha256.Sum256([]byte("private"))
	return entry.Entry{Kind: kind, Boot: 17, Mono: 60000, Wall: 1663200000123, Clock: entry.ClockSynced, Lane: 2,
		Commitment: c[:], Body: b}
}

func TestBytesOfEachKindNeverChange(t *testing.T) {
	for name, body := range bodies() {
		t.Run(name, func(t *testing.T) {
			leaf, err := sample(t, body).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, name+".hex", hex.EncodeToString(leaf)+"\n")
		})
	}
}

// The one vector that was written by hand from RFC 8949, so that the golden
// files cannot all be wrong in the same way.
func TestHeartbeatIsTheArrayThatTheDocumentSays(t *testing.T) {
	body, err := entry.Encode(entry.Heartbeat{Size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	got, err := entry.Entry{Kind: entry.KindHeartbeat, Boot: 24, Mono: 500, Wall: -1, Clock: entry.ClockFloor, Body: body}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := "89" + "01" + "0a" + "1818" + "1901f4" + "20" + "01" + "00" + "40" + "81" + "1903e8"
	if hex.EncodeToString(got) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

func TestEveryBodyComesBackAsItWentIn(t *testing.T) {
	for name, body := range bodies() {
		t.Run(name, func(t *testing.T) {
			e := sample(t, body)
			leaf, err := e.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			back, err := entry.Unmarshal(leaf)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, e) {
				t.Errorf("entry: got %+v, want %+v", back, e)
			}
			into := reflect.New(reflect.TypeOf(body))
			if err := back.Decode(into.Interface()); err != nil {
				t.Fatal(err)
			}
			again, err := entry.Encode(into.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, e.Body) {
				t.Errorf("body: got %+v, want %+v", into.Elem(), body)
			}
		})
	}
}

func TestMarshalRefusesWhatCouldNotBeReadBack(t *testing.T) {
	tests := map[string]func(*entry.Entry){
		"no kind":                     func(e *entry.Entry) { e.Kind = 0 },
		"negative monotonic time":     func(e *entry.Entry) { e.Mono = -1 },
		"clock better than synced":    func(e *entry.Entry) { e.Clock = entry.ClockSynced + 1 },
		"commitment of another size":  func(e *entry.Entry) { e.Commitment = e.Commitment[:31] },
		"empty commitment":            func(e *entry.Entry) { e.Commitment = []byte{} },
		"no body":                     func(e *entry.Entry) { e.Body = nil },
		"two bodies":                  func(e *entry.Entry) { e.Body = append(e.Body, 0) },
		"body with a long integer":    func(e *entry.Entry) { e.Body = []byte{0x18, 1} },
		"body of indefinite length":   func(e *entry.Entry) { e.Body = []byte{0x9f, 0xff} },
		"body with a tag":             func(e *entry.Entry) { e.Body = []byte{0xc1, 1} },
		"body with text not in UTF-8": func(e *entry.Entry) { e.Body = []byte{0x61, 0xff} },
		"body with a float":           func(e *entry.Entry) { e.Body = []byte{0xf9, 0x3c, 0} },
		"body with a map":             func(e *entry.Entry) { e.Body = []byte{0xa0} },
		"body with undefined":         func(e *entry.Entry) { e.Body = []byte{0xf7} },
		"body with a reserved head":   func(e *entry.Entry) { e.Body = []byte{0x1c} },
		"body cut in an integer":      func(e *entry.Entry) { e.Body = []byte{0x19, 1} },
		"body cut in a string":        func(e *entry.Entry) { e.Body = []byte{0x42, 1} },
		"body cut in an array":        func(e *entry.Entry) { e.Body = []byte{0x82, 1} },
		"body nested nine deep":       func(e *entry.Entry) { e.Body = append(bytes.Repeat([]byte{0x81}, 9), 0) },
		"body longer than an entry": func(e *entry.Entry) {
			e.Body = append([]byte{0x5a, 0, 1, 0, 0}, make([]byte, entry.MaxSize)...)
		},
		"body that leaves no room for the rest": func(e *entry.Entry) {
			e.Body = append([]byte{0x59, 0xff, 0xf0}, make([]byte, 0xfff0)...)
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			e := sample(t, entry.Stop{Reason: "x"})
			spoil(&e)
			if _, err := e.Marshal(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestUnmarshalRefusesEveryOtherSpelling(t *testing.T) {
	tests := map[string]string{
		"nothing":                      "",
		"another format":               "89020a000000000040811903e8",
		"format spelled long":          "8918010a000000000040811903e8",
		"array of indefinite length":   "9f010a000000000040811903e8ff",
		"one element short":            "88010a0000000000811903e8",
		"something behind it":          "89010a000000000040811903e800",
		"commitment as null":           "89010a0000000000f6811903e8",
		"kind as null":                 "8901f6000000000040811903e8",
		"lane as null":                 "89010a00000000f640811903e8",
		"body with a long integer":     "89010a000000000040811a000003e8",
		"lane that does not fit":       "89010a0000000019010040811903e8",
		"time as a float":              "89010a00f90000000040811903e8",
		"commitment of thirty-one":     "89010a0000000000581f" + strings.Repeat("00", 31) + "811903e8",
		"array that claims four Gi":    "9affffffff",
		"commitment that claims 1 EiB": "89010a00000000005b1000000000000000",
	}
	good, err := hex.DecodeString("89010a000000000040811903e8")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Unmarshal(good); err != nil {
		t.Fatalf("the sound spelling is refused: %v", err)
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			if e, err := entry.Unmarshal(b); err == nil {
				t.Errorf("accepted as %+v", e)
			}
		})
	}
	t.Run("longer than an entry", func(t *testing.T) {
		if _, err := entry.Unmarshal(make([]byte, entry.MaxSize+1)); err == nil {
			t.Error("accepted")
		}
	})
}

func TestAKindOfANewerProgramIsStoredAndProved(t *testing.T) {
	e := entry.Entry{Kind: 200, Body: []byte{0x84, 0x61, 'a', 0x3b, 255, 255, 255, 255, 255, 255, 255, 255, 0xf5, 0xf6}}
	leaf, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := entry.Unmarshal(leaf)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, e) {
		t.Errorf("got %+v, want %+v", back, e)
	}
}

func TestArraysMayStandEightDeepInABody(t *testing.T) {
	e := entry.Entry{Kind: 200, Body: append(bytes.Repeat([]byte{0x81}, 8), 0)}
	leaf, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Unmarshal(leaf); err != nil {
		t.Error(err)
	}
}

func TestDecodeRefusesAnotherTypeAndAnotherSpelling(t *testing.T) {
	e := sample(t, entry.Heartbeat{Size: 1})
	var stop entry.Stop
	if err := e.Decode(&stop); err == nil {
		t.Error("decoded a heartbeat into a stop")
	}
	var beat entry.Heartbeat
	if err := e.Decode(beat); err == nil {
		t.Error("decoded into a value")
	}
	if err := e.Decode(new(int)); err == nil {
		t.Error("decoded into an int")
	}
	for name, body := range map[string][]byte{
		"one field more": {0x82, 1, 1}, "one field less": {0x80}, "null": {0xf6}, "field as null": {0x81, 0xf6},
	} {
		e.Body = body
		if err := e.Decode(&beat); err == nil {
			t.Errorf("%s: accepted as %+v", name, beat)
		}
	}
}

// TestACaseHasOneSpelling: what a program before the last fields has written is
// read, and nothing is spelled both ways.
func TestACaseHasOneSpelling(t *testing.T) {
	before, err := entry.Encode(entry.Case{Number: 12, Step: entry.CaseHome, Reason: "phone"})
	if err != nil {
		t.Fatal(err)
	}
	after, err := entry.Encode(entry.Case{Number: 12, Step: entry.CasePlaced, Place: 4})
	if err != nil {
		t.Fatal(err)
	}
	if before[0] != 0x8e || after[0] != 0x96 {
		t.Errorf("arrays 0x%02x and 0x%02x, want 14 and 22 elements", before[0], after[0])
	}
	for name, body := range map[string][]byte{
		"the last fields spelled as zero": append(append([]byte{0x96}, before[1:]...), make([]byte, 8)...),
		"half of the last fields":         append(append([]byte{0x92}, before[1:]...), 0, 0, 1, 0),
		"the last fields cut off":         append([]byte{0x8e}, after[1:]...),
		"nothing":                         {0x80},
		"null":                            {0xf6},
	} {
		var c entry.Case
		if err := (entry.Entry{Kind: entry.KindCase, Body: body}).Decode(&c); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
}

func TestEncodeRefusesWhatIsNoBody(t *testing.T) {
	if _, err := entry.Encode(struct{ A int }{1}); err == nil {
		t.Error("accepted")
	}
}

func TestArrivalIDHasOneSpelling(t *testing.T) {
	id := entry.ArrivalID{Boot: 18446744073709551615, Counter: 4294967295}
	if back, err := entry.ParseArrivalID(id.String()); err != nil || back != id {
		t.Errorf("got %v, %v", back, err)
	}
	for _, s := range []string{"", "-", "1", "1-", "-1", "01-1", "1-+1", " 1-1", "1-4294967296", "1-1-1", "1--1"} {
		if id, err := entry.ParseArrivalID(s); err == nil {
			t.Errorf("%q: accepted as %v", s, id)
		}
	}
}

func TestEveryKindAndClockHasAName(t *testing.T) {
	for k := entry.KindBoot; k <= entry.KindStop; k++ {
		if strings.HasPrefix(k.String(), "kind") {
			t.Errorf("kind %d has no name", uint8(k))
		}
	}
	if got := entry.Kind(12).String(); got != "kind 12" {
		t.Errorf("unknown kind: %q", got)
	}
	if got := entry.ClockSynced.String(); got != "synced" {
		t.Errorf("best clock: %q", got)
	}
	if got := entry.Clock(9).String(); got != "clock 9" {
		t.Errorf("unknown clock: %q", got)
	}
}

func TestCommitmentIsOverSaltAndBlob(t *testing.T) {
	blob := []byte("visitor")
	salted, c := entry.Commit(blob)
	if len(salted) != 16+len(blob) || !bytes.Equal(salted[16:], blob) || sha256.Sum256(salted) != c {
		t.Errorf("salted %x, commitment %x", salted, c)
	}
	if _, other := entry.Commit(blob); other == c {
		t.Error("the same blob has the same commitment twice")
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, body := range bodies() {
		leaf, err := sample(f, body).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(leaf)
	}
	f.Add([]byte{0x9a, 0xff, 0xff, 0xff, 0xff})
	f.Add(bytes.Repeat([]byte{0x81}, 1000))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, err := entry.Unmarshal(b)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 256*entry.MaxSize {
			t.Errorf("%d bytes made Unmarshal allocate %d", len(b), used)
		}
		if err != nil {
			return
		}
		again, err := e.Marshal()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted %x, marshals to %x, %v", b, again, err)
		}
	})
}

func FuzzParseArrivalID(f *testing.F) {
	f.Add("17-3")
	f.Add("017-3")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := entry.ParseArrivalID(s); err == nil && id.String() != s {
			t.Errorf("%q is accepted and spelled %q", s, id)
		}
	})
}

func BenchmarkUnmarshal(b *testing.B) {
	leaf, err := sample(b, bodies()["arrival"]).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(leaf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := entry.Unmarshal(leaf); err != nil {
			b.Fatal(err)
		}
	}
}
