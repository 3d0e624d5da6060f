package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Document is one TOML file with the line of every key, so that a fault of
// meaning names its place as a fault of syntax does.
type Document struct {
	// Name is what faults call the file.
	Name string
	// Faults is all that was found so far, in the order in which it was found.
	Faults Faults

	values map[string]any
	// lines maps a key's place, such as lane[1].barrier.pulse, to its line.
	lines map[string]int
}

// Parse reads a file of at most so many bytes. The error is Faults, with the one
// fault that keeps it from being TOML.
func Parse(name string, src []byte, most int) (*Document, error) {
	if len(src) > most {
		return nil, Faults{{File: name, Line: 1, Problem: fmt.Sprintf("%d bytes are too long", len(src)),
			Remedy: fmt.Sprintf("keep it under %d bytes", most)}}
	}
	d := &Document{Name: name, values: map[string]any{}, lines: map[string]int{"": 1}}
	if err := toml.Unmarshal(src, &d.values); err != nil {
		return nil, Faults{syntaxFault(name, src, err)}
	}
	d.index(src)
	return d, nil
}

// Err returns all faults in the order of their lines, nil if there are none.
func (d *Document) Err() error {
	if len(d.Faults) == 0 {
		return nil
	}
	return Join(d.Faults)
}

// syntaxFault puts the decoder's error at its line.
func syntaxFault(name string, src []byte, err error) Fault {
	fault := Fault{File: name, Line: 1, Remedy: "correct this line"}
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &decode):
		fault.Line, _ = decode.Position()
		fault.Problem = strings.TrimPrefix(decode.Error(), "toml: ")
	case !utf8.Valid(src):
		fault.Problem, fault.Remedy = "not UTF-8", "save the file as UTF-8"
	default:
		fault.Problem = strings.TrimPrefix(err.Error(), "toml: ")
	}
	// The decoder quotes what it found, and a fault is one line.
	fault.Problem = strings.Join(strings.Fields(fault.Problem), " ")
	return fault
}

// maxPlace bounds the places that are noted; known ones have at most 80 bytes.
const maxPlace = 200

// index notes the line of every key of a source that is known to parse.
func (d *Document) index(src []byte) {
	p := &unstable.Parser{}
	p.Reset(src)
	lines := lineCounter{src: src, line: 1}
	arrays := map[string]int{} // array of tables → elements seen so far
	base := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			base = d.place("", e.Key(), arrays, e.Kind == unstable.ArrayTable, &lines)
		case unstable.KeyValue:
			d.keyValue(base, e, arrays, &lines)
		}
	}
}

// keyValue notes a key and, where its value is an inline table, those in it.
func (d *Document) keyValue(base string, e *unstable.Node, arrays map[string]int, lines *lineCounter) {
	place := d.place(base, e.Key(), arrays, false, lines)
	if e.Value().Kind != unstable.InlineTable {
		return
	}
	for it := e.Value().Children(); it.Next(); {
		d.keyValue(place, it.Node(), arrays, lines)
	}
}

// place notes the line of every part of a dotted key and returns the whole
// key's place. A part that names an array of tables means its last element;
// a header in double brackets begins a new one. What is too deep or too long to
// be a known key is left out, or 64 KiB of dots would need gigabytes.
func (d *Document) place(base string, key unstable.Iterator, arrays map[string]int, element bool, lines *lineCounter) string {
	at := base
	for key.Next() {
		if len(at)+len(key.Node().Data) > maxPlace {
			return at
		}
		at = under(at, string(key.Node().Data))
		if element && key.IsLast() {
			arrays[at]++
		}
		if n := arrays[at]; n > 0 {
			at = fmt.Sprintf("%s[%d]", at, n-1)
		}
		if _, seen := d.lines[at]; !seen || key.IsLast() {
			d.lines[at] = lines.at(int(key.Node().Raw.Offset))
		}
	}
	return at
}

// under joins a place and a key.
func under(place, key string) string {
	if place == "" {
		return key
	}
	return place + "." + key
}

// lineCounter turns rising offsets into lines in one pass over the source.
type lineCounter struct {
	src  []byte
	done int
	line int
}

// at returns the line of an offset that is not below the previous one.
func (c *lineCounter) at(offset int) int {
	if offset > c.done {
		c.line += bytes.Count(c.src[c.done:offset], []byte("\n"))
		c.done = offset
	}
	return c.line
}

// line finds the line of a key, or of the nearest table around a key that is
// missing.
func (d *Document) line(place string) int {
	for {
		if n, ok := d.lines[place]; ok {
			return n
		}
		i := strings.LastIndexAny(place, ".[")
		place = place[:max(i, 0)]
	}
}

// Root is the table of the whole document.
func (d *Document) Root() *Table { return &Table{doc: d, values: d.values} }
