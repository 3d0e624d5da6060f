// Package archtest knows the rules of this module that no compiler keeps: who
// may import whom, what must be documented, what does not belong in the code
// at all, and which tests a document may name. It only reads, so a tree that
// does not build yet can be checked.
//
// It does not know what the packages do, it follows no pointer (a variable
// that is changed through its address escapes it), and it is never linked into
// a program: its own test is its only caller.
package archtest

import (
	"cmp"
	"fmt"
	"go/token"
	"io/fs"
	"slices"
)

// Finding is one place where a rule is broken.
type Finding struct {
	// Pos is the place; its file name is relative to the module's root.
	Pos token.Position
	// Rule is the short name of the rule, What the thing found, and Why the
	// reason for which the rule exists.
	Rule, What, Why string
}

// String formats the finding for a terminal: file:line, rule, what and why.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s (%s)", f.Pos.Filename, f.Pos.Line, f.Rule, f.What, f.Why)
}

// rule is one promise about the whole tree.
type rule struct {
	name, why string
	find      func(*tree, report)
}

// report receives each violation that a rule finds.
type report func(pos token.Pos, what string)

// rules lists every rule; each has a planted violation in testdata under its
// name.
func rules() []rule {
	return slices.Concat(importRules(), documentRules(), styleRules())
}

// Check applies every rule to the module whose go.mod stands at the root of
// fsys and returns what it found, in order of file and line. The error is of
// reading or parsing; broken rules are findings.
func Check(fsys fs.FS) ([]Finding, error) {
	t, err := load(fsys)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, r := range rules() {
		r.find(t, func(pos token.Pos, what string) {
			found = append(found, Finding{t.fset.Position(pos), r.name, what, r.why})
		})
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Rule, b.Rule),
		)
	})
	return found, nil
}
