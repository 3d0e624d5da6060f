// Package tomlfile reads strict TOML: every table key by key, so that a key that
// nobody reads is a fault, and all faults of a file are found at once, each with
// its line and what to write instead.
//
// It knows the sorts of values that files of this product hold. It does not know
// what any of them means.
package tomlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong and what to do about it.
type Fault struct {
	// File is the base name of the file, Line the line in it, counted from 1.
	File string
	Line int
	// Key is the dotted key, such as lane.barrier.pulse; empty where the file
	// is no TOML.
	Key string
	// Problem says what is wrong, Remedy what to write instead.
	Problem, Remedy string
}

// String prints a fault on one line.
func (f Fault) String() string {
	key := f.Key
	if key != "" {
		key += ": "
	}
	return fmt.Sprintf("%s:%d: %s%s · %s", f.File, f.Line, key, f.Problem, f.Remedy)
}

// Faults is everything that is wrong with a file, or with several; never empty as
// an error.
type Faults []Fault

// Error prints one fault a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Join puts the faults of several files behind each other, each file's in the
// order of its lines. They are sorted where they stand.
func Join(files ...Faults) Faults {
	var all Faults
	for _, faults := range files {
		slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
		all = append(all, faults...)
	}
	return all
}
