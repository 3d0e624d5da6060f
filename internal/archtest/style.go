package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// longest is the number of lines that a file may have.
const longest = 600

// styleRules keep out what makes code act at a distance or hard to find.
func styleRules() []rule {
	return []rule{{
		"no-init",
		"what happens at import cannot be ordered, tested or left out",
		findInit,
	}, {
		"short-files",
		"a longer file holds more than one thing",
		findLongFiles,
	}, {
		"telling-package-names",
		"a package is named for what it provides, not for being shared",
		findVagueNames,
	}, {
		"no-sleep-in-tests",
		"a sleeping test is slow when it passes and wrong on a loaded machine; wait for the condition, or let testing/synctest move the clock",
		findSleeps,
	}, {
		"exit-only-in-main",
		"an exit elsewhere skips the resting frames and every deferred close",
		findExits,
	}, {
		"constant-package-variables",
		"state of a package is state of every test and every lane at once",
		findMutableVariables,
	}}
}

func findInit(t *tree, say report) {
	for _, p := range t.pkgs {
		for _, f := range p.files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					say(fn.Pos(), "func init")
				}
			}
		}
	}
}

func findLongFiles(t *tree, say report) {
	for _, p := range t.pkgs {
		for _, f := range p.files {
			tf := t.fset.File(f.Package)
			// The last newline begins a line that holds nothing.
			lines := tf.LineCount()
			if tf.Line(f.FileEnd) == lines && tf.LineStart(lines) == f.FileEnd {
				lines--
			}
			if lines > longest {
				say(tf.LineStart(longest+1), fmt.Sprintf("%d lines, at most %d are allowed", lines, longest))
			}
		}
	}
}

func findVagueNames(t *tree, say report) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"}
	for _, p := range t.pkgs {
		for _, f := range p.files {
			name := strings.TrimSuffix(f.Name.Name, "_test")
			if slices.Contains(vague, name) || slices.Contains(vague, path.Base(p.dir)) {
				say(f.Package, "package "+name+" in "+p.dir)
				break
			}
		}
	}
}

// findSleeps lets a test sleep only in a function that speaks to
// testing/synctest, itself or through another of its package: there a sleep
// moves a virtual clock and costs nothing.
func findSleeps(t *tree, say report) {
	for _, p := range t.pkgs {
		virtual := virtualFuncs(p)
		for _, f := range p.files {
			if !f.test {
				continue
			}
			for _, d := range f.Decls {
				if virtual[d] {
					continue
				}
				for _, call := range uses(f, d, "time", "Sleep") {
					say(call.Pos(), "time.Sleep")
				}
			}
		}
	}
}

// virtualFuncs follows the names of a package's test functions up from those
// that use testing/synctest to those that use these.
func virtualFuncs(p *pkg) map[ast.Decl]bool {
	virtual := make(map[ast.Decl]bool)
	names := make(map[string]bool)
	for grown := true; grown; {
		grown = false
		for _, f := range p.files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil || !f.test || virtual[d] {
					continue
				}
				if mentions(fn.Body, names) || len(uses(f, d, "testing/synctest", "Test", "Wait")) > 0 {
					virtual[d], names[fn.Name.Name], grown = true, true, true
				}
			}
		}
	}
	return virtual
}

// mentions reports whether one of the names stands in a function's body.
func mentions(body *ast.BlockStmt, names map[string]bool) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if x, ok := n.(*ast.Ident); ok && names[x.Name] {
			found = true
		}
		return !found
	})
	return found
}

// findExits lets only func main of a command end the process. Tests may, in
// the process that they start in order to see it die.
func findExits(t *tree, say report) {
	for _, p := range t.pkgs {
		for _, f := range p.code() {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "main" && f.Name.Name == "main" {
					continue
				}
				for _, call := range slices.Concat(
					uses(f, d, "os", "Exit"),
					uses(f, d, "syscall", "Exit"),
					uses(f, d, "log", "Fatal", "Fatalf", "Fatalln"),
				) {
					say(call.Pos(), call.Sel.Name+" outside func main")
				}
			}
		}
	}
}

// uses finds where a node names one of an imported package's functions, under
// whatever name the file imports it.
func uses(f *file, n ast.Node, pkgPath string, names ...string) []*ast.SelectorExpr {
	local := ""
	for _, spec := range f.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name == pkgPath {
			local = path.Base(pkgPath)
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	var found []*ast.SelectorExpr
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
			if x, ok := sel.X.(*ast.Ident); ok && local != "" && x.Name == local {
				found = append(found, sel)
			}
		}
		return true
	})
	return found
}
