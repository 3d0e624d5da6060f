package archtest

import (
	"go/ast"
	"regexp"
)

// documentRules demand words where a reader looks for them. What the words say
// is the reviewer's to judge.
func documentRules() []rule {
	return []rule{{
		"package-comment",
		"a reader learns first what a package knows and what it does not",
		findBarePackages,
	}, {
		"exported-comment",
		"an exported name is a contract: units, ranges, errors, source",
		findBareNames,
	}, {
		"cited-tests-exist",
		"a document that cites a test promises that it is run",
		findMissingTests,
	}}
}

func findBarePackages(t *tree, say report) {
	for _, p := range t.pkgs {
		code := p.code()
		documented := false
		for _, f := range code {
			documented = documented || f.Doc.Text() != ""
		}
		if len(code) > 0 && !documented {
			say(code[0].Package, "package "+code[0].Name.Name+" has no comment")
		}
	}
}

func findBareNames(t *tree, say report) {
	for _, p := range t.pkgs {
		for _, f := range p.code() {
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if exported(d) && d.Doc.Text() == "" {
						say(d.Name.Pos(), d.Name.Name+" has no comment")
					}
				case *ast.GenDecl:
					findBareSpecs(d, say)
				}
			}
		}
	}
}

// exported reports whether a function, or a method and its receiver's type,
// can be named from outside.
func exported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return d.Name.IsExported()
	}
	receiver := d.Recv.List[0].Type
	for {
		switch x := receiver.(type) {
		case *ast.StarExpr:
			receiver = x.X
		case *ast.ParenExpr:
			receiver = x.X
		case *ast.IndexExpr:
			receiver = x.X
		case *ast.IndexListExpr:
			receiver = x.X
		case *ast.Ident:
			return d.Name.IsExported() && x.IsExported()
		default:
			return false
		}
	}
}

// findBareSpecs accepts one comment for a whole group, as go doc does.
func findBareSpecs(d *ast.GenDecl, say report) {
	if d.Doc.Text() != "" {
		return
	}
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc.Text() == "" {
				say(s.Name.Pos(), s.Name.Name+" has no comment")
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && s.Doc.Text() == "" && s.Comment.Text() == "" {
					say(name.Pos(), name.Name+" has no comment")
				}
			}
		}
	}
}

// testName is how a document names what go test runs.
var testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)

func findMissingTests(t *tree, say report) {
	there := map[string]bool{}
	for _, p := range t.pkgs {
		for _, f := range p.files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && f.test && fn.Recv == nil {
					there[fn.Name.Name] = true
				}
			}
		}
	}
	for _, d := range t.documents {
		for _, at := range testName.FindAllIndex(d.text, -1) {
			if name := string(d.text[at[0]:at[1]]); !there[name] {
				say(d.at.Pos(at[0]), "no test is called "+name)
			}
		}
	}
}
