package pull

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/district/store"
)

// outline returns the dotted places of all keys in openapi.yaml, as far as
// they stand on lines of their own; a list's elements are their names.
func outline(t *testing.T) map[string]bool {
	t.Helper()
	places := map[string]bool{}
	var keys []string
	var indents []int
	for line := range strings.Lines(string(openAPI)) {
		key, _, ok := strings.Cut(strings.TrimSpace(line), ":")
		if name, element := strings.CutPrefix(strings.TrimSpace(line), "- name: "); element {
			key, ok = name, true
		}
		if !ok {
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		for len(indents) > 0 && indents[len(indents)-1] >= indent {
			keys, indents = keys[:len(keys)-1], indents[:len(indents)-1]
		}
		keys, indents = append(keys, strings.Trim(key, `"`)), append(indents, indent)
		places[strings.Join(keys, ".")] = true
	}
	return places
}

// children returns the keys right below a place.
func children(places map[string]bool, place string) (names []string) {
	for p := range places {
		if name, ok := strings.CutPrefix(p, place+"."); ok && !strings.Contains(strings.TrimPrefix(name, "/api/v1/openapi"), ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func document(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/pull-api.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryRouteIsDescribedAndEveryDescriptionIsARoute(t *testing.T) {
	var routes []string
	for pattern := range (&handler{}).routes() {
		method, path, _ := strings.Cut(pattern, " ")
		routes = append(routes, path+"."+strings.ToLower(method))
	}
	var described []string
	for place := range outline(t) {
		rest, ok := strings.CutPrefix(place, "paths.")
		if ok && (strings.HasSuffix(rest, ".get") || strings.HasSuffix(rest, ".post")) {
			described = append(described, rest)
		}
	}
	slices.Sort(routes)
	slices.Sort(described)
	if !slices.Equal(routes, described) {
		t.Errorf("routes %q, described %q", routes, described)
	}
}

func TestEveryParameterIsDescribed(t *testing.T) {
	c := open(t)
	for _, name := range children(outline(t), "paths./api/v1/entries.get.parameters") {
		// An empty value may be refused, but not as a parameter that is unknown.
		if w := c.get("/api/v1/entries?" + name + "="); strings.Contains(w.Body.String(), "not known") {
			t.Errorf("%s: %s", name, w.Body)
		}
		if !strings.Contains(document(t), "`"+name+"`") {
			t.Errorf("docs/pull-api.md does not name %s", name)
		}
	}
	if got := children(outline(t), "paths./api/v1/entries.get.parameters"); !slices.Equal(got, []string{"after", "format", "limit", "names"}) {
		t.Errorf("got %q", got)
	}
}

func TestEveryFieldOfALineIsDescribed(t *testing.T) {
	l, _, err := read(named{store.Row{Gate: "east", Epoch: 1, Leaf: arrival(t, 1)}, Person{"name", "class", "number"}})
	must(t, err)
	b, err := json.Marshal(l)
	must(t, err)
	var fields map[string]any
	must(t, json.Unmarshal(b, &fields))
	if got, want := children(outline(t), "components.schemas.Entry.properties"), slices.Sorted(maps.Keys(fields)); !slices.Equal(got, want) {
		t.Errorf("described %q, written %q", got, want)
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(fields)), columns(), nameColumns()) {
		if !strings.Contains(document(t), "`"+name+"`") {
			t.Errorf("docs/pull-api.md does not name %s", name)
		}
	}
}

func TestTheDescriptionIsServedWithoutAToken(t *testing.T) {
	c := open(t)
	w := c.get("/api/v1/openapi.yaml", "Authorization", "")
	if w.Code != 200 || w.Body.String() != string(openAPI) {
		t.Errorf("got %d", w.Code)
	}
}

// Whatever a request says, it is a pull within its bounds or a refusal that is
// described.
func FuzzParseQuery(f *testing.F) {
	f.Add("after=&limit=1", "text/csv")
	f.Add("limit=-1&names=x", "*/*;q=x")
	f.Add("after=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA&format=csv;", "application/x-ndjson;q=0.1,,")
	f.Fuzz(func(t *testing.T, raw, accept string) {
		r := &http.Request{URL: &url.URL{RawQuery: raw}, Header: http.Header{"Accept": {accept}}}
		q, status, err := parseQuery(r)
		switch {
		case err != nil && status != http.StatusBadRequest && status != http.StatusNotAcceptable:
			t.Errorf("got status %d, %v", status, err)
		case err == nil && (q.limit < 1 || q.limit > maxLimit || q.form > table):
			t.Errorf("got %+v", q)
		}
	})
}
