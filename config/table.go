package config

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/menshen/menshen/tomlfile"
)

// names are what a gate, a profile and its parts may be called.
var names = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// nameRemedy says what names asks for.
const nameRemedy = "use 1 to 32 of a-z, 0-9 and -"

// readName reads a name that must be there.
func readName(t *tomlfile.Table, key string) string {
	s := t.Required(key, nameRemedy)
	if s != "" && !names.MatchString(s) {
		t.Fault(key, tomlfile.Quote(s)+" is not a name", nameRemedy)
	}
	return s
}

// readPath reads an absolute path.
func readPath(t *tomlfile.Table, key, def string) string {
	s := t.Text(key, def)
	if s != "" && !filepath.IsAbs(s) {
		t.Fault(key, tomlfile.Quote(s)+" is not an absolute path", "begin it with /")
	}
	return s
}

// maxWords is how long most lists of texts may be.
const maxWords = 16

// readBytes reads 1 to 16 bytes written as "16 54 0D"; nil where they are left out.
func readBytes(t *tomlfile.Table, key string) []byte {
	s, ok := tomlfile.Read[string](t, key, "a text in quotes")
	if !ok {
		return nil
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil || len(b) < 1 || len(b) > 16 {
		t.Fault(key, tomlfile.Quote(s)+" is not 1 to 16 bytes", `write them as "16 54 0D"`)
		return nil
	}
	return b
}

// readFraction reads a number from lo to hi that need not be whole.
func readFraction(t *tomlfile.Table, key string, def, lo, hi float64) float64 {
	v, there := t.Take(key)
	if !there {
		return def
	}
	if n, whole := v.(int64); whole {
		v = float64(n)
	}
	f, ok := v.(float64)
	if !ok || !(lo <= f && f <= hi) { // not-a-number is a fault too
		t.Fault(key, tomlfile.Show(v)+" is not in range", fmt.Sprintf("set %g to %g", lo, hi))
		return def
	}
	return f
}

// readPair reads a range of two numbers within lo and hi.
func readPair(t *tomlfile.Table, key string, def [2]float64, lo, hi float64) [2]float64 {
	list, ok := tomlfile.Read[[]any](t, key, "a list of two numbers")
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
		t.Fault(key, "not a range", fmt.Sprintf("write [low, high] within %g and %g", lo, hi))
		return def
	}
	return [2]float64(p)
}

// readEach reads the tables of a table of names in the order of the names.
func readEach(t *tomlfile.Table, key string, f func(name string, t *tomlfile.Table)) {
	group := t.Table(key)
	if group == nil {
		return
	}
	for _, name := range group.Keys() {
		if !names.MatchString(name) {
			group.Fault(name, tomlfile.Quote(name)+" is not a name", nameRemedy)
		}
		if one := group.Table(name); one != nil {
			f(name, one)
			one.End()
		}
	}
}
