package tomlfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/tomlfile"
)

const most = 64 << 10

// root reads a file that is TOML.
func root(t testing.TB, body string) (*tomlfile.Document, *tomlfile.Table) {
	t.Helper()
	d, err := tomlfile.Parse("f.toml", []byte(body), most)
	if err != nil {
		t.Fatal(err)
	}
	return d, d.Root()
}

func TestEveryReaderTakesItsSortAndRefusesOthers(t *testing.T) {
	for name, c := range map[string]struct {
		read func(*tomlfile.Table) any
		good map[string]string // value to what is read
		bad  map[string]string // value to fault
		def  string            // what is read where the key is not there
	}{
		"Text": {
			func(t *tomlfile.Table) any { return t.Text("k", "def") },
			map[string]string{`"a"`: "a", `""`: ""},
			map[string]string{"1": "1 is not a text", `"` + strings.Repeat("x", 201) + `"`: "201 bytes are too long"}, "def",
		},
		"Choice": {
			func(t *tomlfile.Table) any { return t.Choice("k", "up", "up", "down") },
			map[string]string{`"down"`: "down"}, map[string]string{`"left"`: `"left" is not known · set up or down`, "true": "true is not"}, "up",
		},
		"Flag": {
			func(t *tomlfile.Table) any { return t.Flag("k") },
			map[string]string{"true": "true"}, map[string]string{`"yes"`: `"yes" is not true or false`}, "false",
		},
		"Number": {
			func(t *tomlfile.Table) any { return t.Number("k", 7, 1, 9) },
			map[string]string{"1": "1", "9": "9"}, map[string]string{"0": "0 is out of range · set 1 to 9", "1.0": "1 is not a whole number"}, "7",
		},
		"Duration": {
			func(t *tomlfile.Table) any { return t.Duration("k", time.Hour, time.Minute, 48*time.Hour) },
			map[string]string{`"90s"`: "1m30s", `"2d"`: "48h0m0s"},
			map[string]string{`"1s"`: "1s is shorter", `"3d"`: "72h0m0s is longer", `"1.5d"`: "is not a time", `"d"`: "is not a time", `"9999999999d"`: "is not a time"}, "1h0m0s",
		},
		"Words": {
			func(t *tomlfile.Table) any { return t.Words("k", 2) },
			map[string]string{`["a", "b"]`: "[a b]"}, map[string]string{"[]": "a list of 0", `["a", "b", "c"]`: "a list of 3", `["a", 1]`: "1 is not a text"}, "[]",
		},
		"List": {
			func(t *tomlfile.Table) any { return t.List("k", 2) },
			map[string]string{`["a"]`: "[a]", "[]": "[]"}, map[string]string{`["a", "b", "c"]`: "a list of 3"}, "[]",
		},
		"Table": {
			func(t *tomlfile.Table) any { return t.Table("k") != nil },
			map[string]string{"{ a = 1 }": "true"}, map[string]string{"1": "1 is not a table"}, "false",
		},
		"Tables": {
			func(t *tomlfile.Table) any { return len(t.Tables("k")) },
			map[string]string{"[{}, {}]": "2", "[]": "0"}, map[string]string{"[1]": "1 is not a table", "{}": "a table is not a list"}, "0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for value, want := range c.good {
				d, r := root(t, "k = "+value)
				if got := fmt.Sprint(c.read(r)); got != want || d.Err() != nil {
					t.Errorf("%s: got %s, %v", value, got, d.Err())
				}
			}
			for value, fault := range c.bad {
				d, r := root(t, "\nk = "+value)
				c.read(r)
				if err := d.Err(); err == nil || !strings.Contains(err.Error(), fault) || !strings.HasPrefix(err.Error(), "f.toml:2: k: ") {
					t.Errorf("%s: %v", value, err)
				}
			}
			d, r := root(t, "")
			if got := fmt.Sprint(c.read(r)); got != c.def || d.Err() != nil {
				t.Errorf("without the key: got %s, %v", got, d.Err())
			}
		})
	}
}

func TestWhatMustBeThereIsMissed(t *testing.T) {
	for body, fault := range map[string]string{"": "k: missing", `k = ""`: "k: empty"} {
		d, r := root(t, body)
		r.Required("k", "set it")
		if err := d.Err(); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q: %v", body, err)
		}
	}
	d, r := root(t, "")
	if r.Choice("k", "", "a", "b"); d.Err() == nil {
		t.Error("a choice without a default may be left out")
	}
}

func TestAKeyThatNobodyReadsIsAFaultThatNamesTheOthers(t *testing.T) {
	d, r := root(t, "a = 1\nb = 2\nc = 3\n")
	r.Number("c", 0, 0, 9)
	r.Text("d", "")
	r.Peek("a")
	r.End()
	if want := "f.toml:1: a: unknown key · remove it; known here are c, d\nf.toml:2: b: unknown key · remove it; known here are c, d"; d.Err() == nil || d.Err().Error() != want {
		t.Errorf("got  %v\nwant %v", d.Err(), want)
	}
}

func TestAKeyThatIsLookedForIsKnown(t *testing.T) {
	d, r := root(t, "a = 1\nb = 2\n")
	if _, there := r.Take("a"); !there || r.Has("c") {
		t.Error("a is there, and c is not")
	}
	r.End()
	if want := "f.toml:2: b: unknown key · remove it; known here are a, c"; d.Err() == nil || d.Err().Error() != want {
		t.Errorf("got  %v\nwant %v", d.Err(), want)
	}
}

func TestOfATableThatIsForgottenNothingIsSaid(t *testing.T) {
	d, r := root(t, "a = 1\n")
	r.Forget()
	if r.End(); d.Err() != nil || len(r.Keys()) != 0 {
		t.Errorf("%v, %v", d.Err(), r.Keys())
	}
}

func TestATableThatIsLeftOutMayBeReadAsAnEmptyOne(t *testing.T) {
	d, r := root(t, "[a]\nx = 1\n")
	if n := r.Sub("a").Number("x", 0, 0, 9); n != 1 {
		t.Errorf("got %d", n)
	}
	r.Sub("b").Require("x", "set it")
	if want := "f.toml:1: b.x: missing · set it"; d.Err() == nil || d.Err().Error() != want {
		t.Errorf("got %v", d.Err())
	}
}

func TestAWarningIsNoFault(t *testing.T) {
	d, r := root(t, "a = 1\n")
	if w := r.Note("a", "odd", "make it even"); w.String() != "f.toml:1: a: odd · make it even" || d.Err() != nil {
		t.Errorf("%v, %v", w, d.Err())
	}
}

func TestFaultsStandInTheOrderOfTheirLines(t *testing.T) {
	d, r := root(t, "a = 1\nb = 1\n[[c]]\nd = 1\n[[c]]\nd = 1\ne = { f = 1 }\n")
	for _, c := range slices.Backward(r.Tables("c")) {
		if e := c.Table("e"); e != nil {
			e.Text("f", "")
		}
		c.Text("d", "")
		c.Fault("", "odd", "make it even")
	}
	r.Text("b", "")
	r.Text("a", "")
	var faults tomlfile.Faults
	if !errors.As(d.Err(), &faults) || r.Faults() != len(faults) {
		t.Fatalf("%v", d.Err())
	}
	var at []string
	for _, f := range faults {
		at = append(at, fmt.Sprintf("%d %s", f.Line, f.Key))
	}
	if want := []string{"1 a", "2 b", "3 c", "4 c.d", "5 c", "6 c.d", "7 c.e.f"}; !slices.Equal(at, want) {
		t.Errorf("got %v, want %v", at, want)
	}
}

func TestATableKnowsItsLine(t *testing.T) {
	_, r := root(t, "\n\n[[c]]\n[[c]]\n")
	var lines []int
	for _, c := range r.Tables("c") {
		lines = append(lines, c.Line())
	}
	if !slices.Equal(lines, []int{3, 4}) {
		t.Errorf("got %v", lines)
	}
}

func TestWhatIsNoTOMLIsOneFault(t *testing.T) {
	for body, fault := range map[string]string{
		"a = 1\nb = = 2":            "f.toml:2: ",
		"a = \"\xff\"":              "f.toml:1: ",
		"a = 1\na = 2":              "f.toml:",
		strings.Repeat("#", most+1): "f.toml:1: 65537 bytes are too long",
	} {
		_, err := tomlfile.Parse("f.toml", []byte(body), most)
		var faults tomlfile.Faults
		if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(err.Error(), fault) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

// FuzzParse: every key of a file is found at a line of the file, and what is said
// of it stays in proportion to the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a = 1\n[b.c]\nd = { e = [ { f = 1 } ] }\n[[g]]\nh.i = 2\n"))
	f.Add([]byte(strings.Repeat("a.", 1000) + "a = 1"))
	f.Add([]byte("a = '''\n\n''' # b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := tomlfile.Parse("f.toml", body, most)
		if err == nil {
			r := d.Root()
			walk(r, 0)
			r.End()
			err = d.Err()
		}
		var faults tomlfile.Faults
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("an error without faults: %v", err)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > bytes.Count(body, []byte("\n"))+1 {
				t.Fatalf("no line of the file: %v", fault)
			}
			if text := fault.String(); len(text) > 4*len(body)+2000 || strings.Contains(text, "\n") {
				t.Fatalf("%d bytes about %d: %.200q", len(text), len(body), text)
			}
		}
	})
}

// walk reads some keys, in tables of tables too.
func walk(t *tomlfile.Table, depth int) {
	t.Text("a", "")
	if depth > 4 {
		return
	}
	for _, key := range []string{"b", "c", "d"} {
		if sub := t.Table(key); sub != nil {
			walk(sub, depth+1)
			sub.End()
		}
	}
	for _, sub := range t.Tables("g") {
		walk(sub, depth+1)
		sub.End()
	}
}
