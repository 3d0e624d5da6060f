package tomlfile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Table reads one TOML table key by key. Every reader notes a fault itself and
// returns the default beside it, so that reading goes on and all faults are
// found at once; End reports the keys that nobody read.
type Table struct {
	doc    *Document
	place  string
	values map[string]any
	asked  []string
	taken  map[string]bool
}

// element is the number of an array element in a place; people are shown the
// line instead.
var element = regexp.MustCompile(`\[\d+\]`)

// Fault notes a fault of a key of the table, or of the table itself for "".
func (t *Table) Fault(key, problem, remedy string) {
	t.doc.Faults = append(t.doc.Faults, t.Note(key, problem, remedy))
}

// Note makes a fault without keeping it.
func (t *Table) Note(key, problem, remedy string) Fault {
	place := t.place
	if key != "" {
		place = under(place, key)
	}
	shown := element.ReplaceAllString(place, "")
	if len(shown) > maxPlace || strings.ContainsFunc(shown, unicode.IsControl) {
		shown = Quote(shown)
	}
	return Fault{File: t.doc.Name, Line: t.doc.line(place), Key: shown, Problem: problem, Remedy: remedy}
}

// Take returns a value that is there and marks it as read.
func (t *Table) Take(key string) (any, bool) {
	t.know(key)
	v, ok := t.values[key]
	if ok {
		if t.taken == nil {
			t.taken = map[string]bool{}
		}
		t.taken[key] = true
	}
	return v, ok
}

// Has reports whether a key is there, without reading it.
func (t *Table) Has(key string) bool {
	t.know(key)
	_, ok := t.values[key]
	return ok
}

// know keeps a key to be told to whoever writes one that is not known.
func (t *Table) know(key string) {
	if !slices.Contains(t.asked, key) {
		t.asked = append(t.asked, key)
	}
}

// End reports what was not read.
func (t *Table) End() {
	for _, key := range t.Keys() {
		if !t.taken[key] {
			slices.Sort(t.asked)
			t.Fault(key, "unknown key", "remove it; known here are "+strings.Join(t.asked, ", "))
		}
	}
}

// Require notes a fault if a key is missing.
func (t *Table) Require(key, remedy string) {
	if !t.Has(key) {
		t.Fault(key, "missing", remedy)
	}
}

// Read takes a value of type T; want names the type to a person.
func Read[T any](t *Table, key, want string) (T, bool) {
	v, there := t.Take(key)
	x, ok := v.(T)
	if there && !ok {
		t.Fault(key, fmt.Sprintf("%s is not %s", Show(v), want), "write "+want)
	}
	return x, ok
}

// Show prints a value of the file, shortened.
func Show(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "a table"
	case []any:
		return "a list"
	case string:
		return Quote(v)
	default:
		return fmt.Sprint(v)
	}
}

// Quote prints a text in quotes, shortened so that a fault stays one readable line.
func Quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return strconv.Quote(s)
}

// Text reads a text, of at most 200 bytes.
func (t *Table) Text(key, def string) string {
	s, ok := Read[string](t, key, "a text in quotes")
	if !ok {
		return def
	}
	if len(s) > 200 {
		t.Fault(key, fmt.Sprintf("%d bytes are too long", len(s)), "write at most 200 bytes")
		return def
	}
	return s
}

// Required reads a text that must be there and not empty.
func (t *Table) Required(key, remedy string) string {
	t.Require(key, remedy)
	s := t.Text(key, "")
	if v, ok := t.values[key]; ok && v == "" {
		t.Fault(key, "empty", remedy)
	}
	return s
}

// Choice reads one of a few words; without a default it must be there.
func (t *Table) Choice(key, def string, words ...string) string {
	remedy := "set " + strings.Join(words, " or ")
	if def == "" {
		t.Require(key, remedy)
	}
	s, ok := Read[string](t, key, "a text in quotes")
	if !ok {
		return def
	}
	if !slices.Contains(words, s) {
		t.Fault(key, Quote(s)+" is not known", remedy)
		return def
	}
	return s
}

// Flag reads true or false.
func (t *Table) Flag(key string) bool {
	b, _ := Read[bool](t, key, "true or false")
	return b
}

// Number reads a whole number from lo to hi.
func (t *Table) Number(key string, def, lo, hi int) int {
	n, ok := Read[int64](t, key, "a whole number")
	if !ok {
		return def
	}
	if n < int64(lo) || n > int64(hi) {
		t.Fault(key, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("set %d to %d", lo, hi))
		return def
	}
	return int(n)
}

// Duration reads a time span such as "300ms", or "14d", from lo to hi.
func (t *Table) Duration(key string, def, lo, hi time.Duration) time.Duration {
	s, ok := Read[string](t, key, `a time such as "300ms"`)
	if !ok {
		return def
	}
	remedy := fmt.Sprintf("set %s to %s", lo, hi)
	d, err := parseDuration(s)
	switch {
	case err != nil:
		t.Fault(key, Quote(s)+" is not a time", remedy)
	case d < lo:
		t.Fault(key, fmt.Sprintf("%s is shorter than %s", d, lo), remedy)
	case d > hi:
		t.Fault(key, fmt.Sprintf("%s is longer than %s", d, hi), remedy)
	default:
		return d
	}
	return def
}

// parseDuration knows days beside what time.ParseDuration knows.
func parseDuration(s string) (time.Duration, error) {
	if days, whole := strings.CutSuffix(s, "d"); whole {
		n, err := strconv.ParseUint(days, 10, 12)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// Words reads a list of texts, of at most that many.
func (t *Table) Words(key string, most int) []string {
	list, ok := Read[[]any](t, key, "a list of texts")
	if !ok {
		return nil
	}
	if len(list) == 0 || len(list) > most {
		t.Fault(key, fmt.Sprintf("a list of %d", len(list)), fmt.Sprintf("write 1 to %d texts", most))
		return nil
	}
	words := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok || s == "" {
			t.Fault(key, Show(v)+" is not a text", "write a list of texts in quotes")
			return nil
		}
		words = append(words, s)
	}
	return words
}

// List reads a list of texts that may be empty or left out, of at most that many.
func (t *Table) List(key string, most int) []string {
	if list, ok := t.values[key].([]any); ok && len(list) == 0 {
		t.Take(key)
		return nil
	}
	return t.Words(key, most)
}

// Table reads a table within this one; nil if there is none.
func (t *Table) Table(key string) *Table {
	m, ok := Read[map[string]any](t, key, "a table")
	if !ok {
		return nil
	}
	return &Table{doc: t.doc, place: under(t.place, key), values: m}
}

// Tables reads a list of tables.
func (t *Table) Tables(key string) []*Table {
	list, _ := Read[[]any](t, key, "a list of tables")
	var all []*Table
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			t.Fault(key, Show(v)+" is not a table", "write [["+key+"]]")
			return nil
		}
		all = append(all, &Table{doc: t.doc, place: fmt.Sprintf("%s[%d]", under(t.place, key), i), values: m})
	}
	return all
}

// Faults returns how many faults were noted of the whole file so far.
func (t *Table) Faults() int { return len(t.doc.Faults) }

// Peek returns a value without reading it, nil where there is none.
func (t *Table) Peek(key string) any { return t.values[key] }

// Line returns the line on which the table begins.
func (t *Table) Line() int { return t.doc.line(t.place) }

// Keys returns the keys that are there, in order.
func (t *Table) Keys() []string { return slices.Sorted(maps.Keys(t.values)) }

// Forget drops what was not read: nothing can be said of the keys of a table whose
// sort is not known.
func (t *Table) Forget() { t.values = nil }

// Sub reads a table within this one; an empty one if there is none.
func (t *Table) Sub(key string) *Table {
	if s := t.Table(key); s != nil {
		return s
	}
	return &Table{doc: t.doc, place: under(t.place, key)}
}
