package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// tree is a module's parsed source, whatever the build constraints: a rule
// holds on every platform.
type tree struct {
	module    string
	fset      *token.FileSet
	pkgs      []*pkg // by directory
	byDir     map[string]*pkg
	documents []document
}

// document is one Markdown file, with its place in the tree's file set.
type document struct {
	at   *token.File
	text []byte
}

// pkg is one directory with Go files, its tests of both kinds included.
type pkg struct {
	dir   string // slash-separated, "." for the module's root
	files []*file
}

// file is one Go file.
type file struct {
	*ast.File
	test bool
}

// code returns the files that are not tests.
func (p *pkg) code() []*file {
	return slices.DeleteFunc(slices.Clone(p.files), func(f *file) bool { return f.test })
}

// load parses every Go file of a module, and reads every document, but what the
// go command ignores too: testdata, and names that begin with a dot or an
// underscore.
func load(fsys fs.FS) (*tree, error) {
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("read module file: %w", err)
	}
	t := &tree{
		module: modfile.ModulePath(mod),
		fset:   token.NewFileSet(),
		byDir:  make(map[string]*pkg),
	}
	if t.module == "" {
		return nil, errors.New("read module file: go.mod names no module")
	}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored(d.Name()):
			return fs.SkipDir
		case d.IsDir() || ignored(d.Name()):
			return nil
		}
		switch path.Ext(name) {
		case ".go":
			return t.add(fsys, name)
		case ".md":
			return t.addDocument(fsys, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load module: %w", err)
	}
	for _, dir := range slices.Sorted(maps.Keys(t.byDir)) {
		t.pkgs = append(t.pkgs, t.byDir[dir])
	}
	return t, nil
}

func ignored(name string) bool {
	return name == "testdata" || name != "." && strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func (t *tree) add(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	if t.byDir[dir] == nil {
		t.byDir[dir] = &pkg{dir: dir}
	}
	p := t.byDir[dir]
	p.files = append(p.files, &file{syntax, strings.HasSuffix(name, "_test.go")})
	return nil
}

func (t *tree) addDocument(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	at := t.fset.AddFile(name, -1, len(text))
	at.SetLinesForContent(text)
	t.documents = append(t.documents, document{at, text})
	return nil
}

// target is what an import names.
type target struct {
	pos  token.Pos
	path string
	dir  string // in this module, "" for everything else
}

// std reports whether the target is of the standard library, whose import
// paths have no dot in their first element.
func (g target) std() bool {
	first, _, _ := strings.Cut(g.path, "/")
	return g.dir == "" && !strings.Contains(first, ".")
}

// imports lists what a file imports.
func (t *tree) imports(f *file) []target {
	var list []target
	for _, spec := range f.Imports {
		// The parser has accepted the literal.
		name, _ := strconv.Unquote(spec.Path.Value)
		g := target{pos: spec.Pos(), path: name}
		if name == t.module {
			g.dir = "."
		} else if dir, ok := strings.CutPrefix(name, t.module+"/"); ok {
			g.dir = dir
		}
		list = append(list, g)
	}
	return list
}

// within reports whether a slash-separated name is one of the roots or lies
// below one.
func within(name string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return name == root || strings.HasPrefix(name, root+"/")
	})
}
