package archtest

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// findMutableVariables reports package variables that are assigned to, or that
// are declared without a value and so can only be of use when something
// changes them. Embedded files get theirs from the compiler.
func findMutableVariables(t *tree, say report) {
	for _, p := range t.pkgs {
		for _, f := range p.code() {
			for _, d := range f.Decls {
				if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.VAR {
					findUnset(d, say)
				}
			}
		}
		findAssignments(t, p, say)
	}
}

func findUnset(d *ast.GenDecl, say report) {
	for _, s := range d.Specs {
		s := s.(*ast.ValueSpec)
		if len(s.Values) == 0 && !embedded(d.Doc) && !embedded(s.Doc) {
			say(s.Pos(), "variable "+s.Names[0].Name+" begins without a value")
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// nowhere refuses every import: names of this package are resolved all the
// same, and a tree is judged without building what it depends on.
type nowhere struct{}

// Import implements types.Importer.
func (nowhere) Import(string) (*types.Package, error) {
	return nil, errors.New("imports are not followed")
}

func findAssignments(t *tree, p *pkg, say report) {
	var files []*ast.File
	for _, f := range p.code() {
		files = append(files, f.File)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	check := types.Config{Importer: nowhere{}, FakeImportC: true, Error: func(error) {}}
	// The error is of the imports that were not followed.
	self, _ := check.Check(p.dir, t.fset, files, info)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			for _, x := range assigned(n) {
				name := base(x)
				if name == nil {
					continue
				}
				switch o := info.Uses[name].(type) {
				case *types.Var:
					if o.Parent() == self.Scope() {
						say(x.Pos(), "variable "+name.Name+" is changed")
					}
				case *types.PkgName:
					say(x.Pos(), "a variable of package "+name.Name+" is changed")
				}
			}
			return true
		})
	}
}

// assigned lists the expressions that a statement writes to.
func assigned(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		return []ast.Expr{n.Key, n.Value}
	}
	return nil
}

// base is the variable at the root of an expression such as x, x.f, x[i], *x.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
