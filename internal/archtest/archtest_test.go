package archtest

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

func TestThisModuleKeepsItsRules(t *testing.T) {
	found, err := Check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// want marks a line of a planted tree with the rules that it breaks. It is cut
// out before the check, so that it is no comment on anything.
var want = regexp.MustCompile(`[ \t]*// want ([a-z -]+)`)

// planted reads a small module with violations and returns it with the
// findings it must give, as "file:line rule".
func planted(t *testing.T, name string) (fs.FS, []string) {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{"go.mod": {Data: []byte("module example.org/planted\n")}}
	var wants []string
	for _, f := range a.Files {
		for i, line := range strings.Split(string(f.Data), "\n") {
			if m := want.FindStringSubmatch(line); m != nil {
				for rule := range strings.FieldsSeq(m[1]) {
					wants = append(wants, fmt.Sprintf("%s:%d %s", f.Name, i+1, rule))
				}
			}
		}
		tree[f.Name] = &fstest.MapFile{Data: want.ReplaceAll(f.Data, nil)}
	}
	return tree, wants
}

func TestEveryRuleCatchesItsPlantedViolation(t *testing.T) {
	for _, r := range rules() {
		if r.name == "short-files" {
			continue // TestAFileHasAtMost600Lines makes its own
		}
		t.Run(r.name, func(t *testing.T) {
			tree, wants := planted(t, "testdata/"+r.name+".txtar")
			if !slices.ContainsFunc(wants, func(w string) bool { return strings.HasSuffix(w, " "+r.name) }) {
				t.Fatalf("no violation of %s is planted", r.name)
			}
			found, err := Check(tree)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, fmt.Sprintf("%s:%d %s", f.Pos.Filename, f.Pos.Line, f.Rule))
			}
			slices.Sort(got)
			slices.Sort(wants)
			if !slices.Equal(got, wants) {
				t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(wants, "\n\t"))
			}
		})
	}
}

func TestAFileHasAtMost600Lines(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines int
		end   string
		want  string
	}{
		{"600 lines", 600, "\n", "[]"},
		{"601 lines", 601, "\n", "[a.go:601: short-files: 601 lines, at most 600 are allowed (a longer file holds more than one thing)]"},
		{"601 lines, the last one open", 601, "", "[a.go:601: short-files: 601 lines, at most 600 are allowed (a longer file holds more than one thing)]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := "// Package a is long.\npackage a\n"
			src := head + strings.Repeat("//\n", c.lines-3) + "//" + c.end
			found, err := Check(fstest.MapFS{
				"go.mod": {Data: []byte("module example.org/planted\n")},
				"a.go":   {Data: []byte(src)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(found); got != c.want {
				t.Errorf("found %s, want %s", got, c.want)
			}
		})
	}
}

func TestAFindingNamesPlaceRuleAndReason(t *testing.T) {
	tree, _ := planted(t, "testdata/product-without-simulation.txtar")
	found, err := Check(tree)
	if err != nil {
		t.Fatal(err)
	}
	const line = "gate/gate.go:4: product-without-simulation: cmd/gated → district → gate → device/sim " +
		"(a gate that can be linked with made-up chips can be run with them)"
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.String() == line }) {
		t.Errorf("found %v, none is %q", found, line)
	}
}

func TestATreeThatCannotBeReadIsAnError(t *testing.T) {
	module := &fstest.MapFile{Data: []byte("module example.org/planted\n")}
	for name, tree := range map[string]fstest.MapFS{
		"no go.mod":             {},
		"go.mod without name":   {"go.mod": {Data: []byte("go 1.26\n")}},
		"a file does not parse": {"go.mod": module, "a.go": {Data: []byte("package")}},
	} {
		t.Run(name, func(t *testing.T) {
			if found, err := Check(tree); err == nil {
				t.Errorf("found %v and no error", found)
			}
		})
	}
}

func TestWhatTheGoCommandIgnoresIsNotJudged(t *testing.T) {
	bad := &fstest.MapFile{Data: []byte("package util")}
	found, err := Check(fstest.MapFS{
		"go.mod":          {Data: []byte("module example.org/planted\n")},
		"a/testdata/a.go": bad,
		".hidden/a.go":    bad,
		"_draft/a.go":     bad,
	})
	if err != nil || len(found) > 0 {
		t.Errorf("found %v, %v; want nothing", found, err)
	}
}
