package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// table reads one TOML table key by key. Every reader notes a fault itself and
// returns the default beside it, so that reading goes on and all faults are
// found at once; end reports the keys that nobody read.
type table struct {
	doc    *document
	place  string
	values map[string]any
	asked  []string
	taken  map[string]bool
}

// element is the number of an array element in a place; people are shown the
// line instead.
var element = regexp.MustCompile(`\[\d+\]`)

// fault notes a fault of a key of the table, or of the table itself for "".
func (t *table) fault(key, problem, remedy string) {
	t.doc.faults = append(t.doc.faults, t.note(key, problem, remedy))
}

// note makes a fault without keeping it.
func (t *table) note(key, problem, remedy string) Fault {
	place := t.place
	if key != "" {
		place = under(place, key)
	}
	shown := element.ReplaceAllString(place, "")
	if len(shown) > maxPlace || strings.ContainsFunc(shown, unicode.IsControl) {
		shown = quote(shown)
	}
	return Fault{File: t.doc.name, Line: t.doc.line(place), Key: shown, Problem: problem, Remedy: remedy}
}

// take returns a value that is there and marks it as read.
func (t *table) take(key string) (any, bool) {
	if !slices.Contains(t.asked, key) {
		t.asked = append(t.asked, key)
	}
	v, ok := t.values[key]
	if ok {
		if t.taken == nil {
			t.taken = map[string]bool{}
		}
		t.taken[key] = true
	}
	return v, ok
}

// has reports whether a key is there, without reading it.
func (t *table) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// end reports what was not read.
func (t *table) end() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if !t.taken[key] {
			slices.Sort(t.asked)
			t.fault(key, "unknown key", "remove it; known here are "+strings.Join(t.asked, ", "))
		}
	}
}

// require notes a fault if a key is missing.
func (t *table) require(key, remedy string) {
	if !t.has(key) {
		t.fault(key, "missing", remedy)
	}
}

// read takes a value of type T; want names the type to a person.
func read[T any](t *table, key, want string) (T, bool) {
	v, there := t.take(key)
	x, ok := v.(T)
	if there && !ok {
		t.fault(key, fmt.Sprintf("%s is not %s", show(v), want), "write "+want)
	}
	return x, ok
}

// show prints a value of the file, shortened.
func show(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "a table"
	case []any:
		return "a list"
	case string:
		return quote(v)
	default:
		return fmt.Sprint(v)
	}
}

// quote prints a text in quotes, shortened so that a fault stays one readable line.
func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return strconv.Quote(s)
}

// text reads a text, of at most 200 bytes.
func (t *table) text(key, def string) string {
	s, ok := read[string](t, key, "a text in quotes")
	if !ok {
		return def
	}
	if len(s) > 200 {
		t.fault(key, fmt.Sprintf("%d bytes are too long", len(s)), "write at most 200 bytes")
		return def
	}
	return s
}

// required reads a text that must be there and not empty.
func (t *table) required(key, remedy string) string {
	t.require(key, remedy)
	s := t.text(key, "")
	if v, ok := t.values[key]; ok && v == "" {
		t.fault(key, "empty", remedy)
	}
	return s
}

// names are what a gate, a profile and its parts may be called.
var names = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// nameRemedy says what names asks for.
const nameRemedy = "use 1 to 32 of a-z, 0-9 and -"

// name reads a name that must be there.
func (t *table) name(key string) string {
	s := t.required(key, nameRemedy)
	if s != "" && !names.MatchString(s) {
		t.fault(key, quote(s)+" is not a name", nameRemedy)
	}
	return s
}

// path reads an absolute path.
func (t *table) path(key, def string) string {
	s := t.text(key, def)
	if s != "" && !filepath.IsAbs(s) {
		t.fault(key, quote(s)+" is not an absolute path", "begin it with /")
	}
	return s
}

// choice reads one of a few words; without a default it must be there.
func (t *table) choice(key, def string, words ...string) string {
	remedy := "set " + strings.Join(words, " or ")
	if def == "" {
		t.require(key, remedy)
	}
	s, ok := read[string](t, key, "a text in quotes")
	if !ok {
		return def
	}
	if !slices.Contains(words, s) {
		t.fault(key, quote(s)+" is not known", remedy)
		return def
	}
	return s
}

// flag reads true or false.
func (t *table) flag(key string) bool {
	b, _ := read[bool](t, key, "true or false")
	return b
}

// number reads a whole number from lo to hi.
func (t *table) number(key string, def, lo, hi int) int {
	n, ok := read[int64](t, key, "a whole number")
	if !ok {
		return def
	}
	if n < int64(lo) || n > int64(hi) {
		t.fault(key, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("set %d to %d", lo, hi))
		return def
	}
	return int(n)
}

// duration reads a time span such as "300ms" from lo to hi.
func (t *table) duration(key string, def, lo, hi time.Duration) time.Duration {
	s, ok := read[string](t, key, `a time such as "300ms"`)
	if !ok {
		return def
	}
	remedy := fmt.Sprintf("set %s to %s", lo, hi)
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		t.fault(key, quote(s)+" is not a time", remedy)
	case d < lo:
		t.fault(key, fmt.Sprintf("%s is shorter than %s", d, lo), remedy)
	case d > hi:
		t.fault(key, fmt.Sprintf("%s is longer than %s", d, hi), remedy)
	default:
		return d
	}
	return def
}

// maxWords is how long most lists of texts may be.
const maxWords = 16

// words reads a list of texts, of at most that many.
func (t *table) words(key string, most int) []string {
	list, ok := read[[]any](t, key, "a list of texts")
	if !ok {
		return nil
	}
	if len(list) == 0 || len(list) > most {
		t.fault(key, fmt.Sprintf("a list of %d", len(list)), fmt.Sprintf("write 1 to %d texts", most))
		return nil
	}
	words := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok || s == "" {
			t.fault(key, show(v)+" is not a text", "write a list of texts in quotes")
			return nil
		}
		words = append(words, s)
	}
	return words
}

// pair reads a range of two numbers within lo and hi.
func (t *table) pair(key string, def [2]float64, lo, hi float64) [2]float64 {
	list, ok := read[[]any](t, key, "a list of two numbers")
	if !ok {
		return def
	}
	var p []float64
	for _, v := range list {
		switch v := v.(type) {
		case float64:
			p = append(p, v)
		case int64:
			p = append(p, float64(v))
		}
	}
	// Written so that not-a-number, which TOML can say, is a fault too.
	if len(list) != 2 || len(p) != 2 || !(lo <= p[0] && p[0] < p[1] && p[1] <= hi) {
		t.fault(key, "not a range", fmt.Sprintf("write [low, high] within %g and %g", lo, hi))
		return def
	}
	return [2]float64(p)
}

// table reads a table within this one; nil if there is none.
func (t *table) table(key string) *table {
	m, ok := read[map[string]any](t, key, "a table")
	if !ok {
		return nil
	}
	return &table{doc: t.doc, place: under(t.place, key), values: m}
}

// tables reads a list of tables.
func (t *table) tables(key string) []*table {
	list, _ := read[[]any](t, key, "a list of tables")
	var all []*table
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			t.fault(key, show(v)+" is not a table", "write [["+key+"]]")
			return nil
		}
		all = append(all, &table{doc: t.doc, place: fmt.Sprintf("%s[%d]", under(t.place, key), i), values: m})
	}
	return all
}

// each reads the tables of a table of names in the order of the names.
func (t *table) each(key string, f func(name string, t *table)) {
	group := t.table(key)
	if group == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(group.values)) {
		if !names.MatchString(name) {
			group.fault(name, quote(name)+" is not a name", nameRemedy)
		}
		if one := group.table(name); one != nil {
			f(name, one)
			one.end()
		}
	}
}
