package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of go test -json, as `go doc test2json` describes it. A
// build that fails has an import path in place of a package.
type event struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string

	Elapsed float64 // seconds
}

// suite is a package whose tests are running.
type suite struct {
	tests  int
	order  []string // tests with output, in order of their first line; "" is the package itself
	output map[string]*strings.Builder
}

// skip is a test that did not run.
type skip struct {
	pkg, test, reason string
}

// summary is what has been learnt so far. Output is kept only until its test
// has passed.
type summary struct {
	out     io.Writer
	running map[string]*suite
	builds  map[string]*strings.Builder // compiler's words by import path
	skips   []skip

	tests, passed, failed int // tests run, packages passed and failed
}

func newSummary(out io.Writer) *summary {
	return &summary{
		out:     out,
		running: make(map[string]*suite),
		builds:  make(map[string]*strings.Builder),
	}
}

// read takes events to the end of r. A line that is no event is the go
// command's own word and is passed on.
func (s *summary) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
				fmt.Fprintln(s.out, strings.TrimRight(line, "\n"))
			} else {
				s.take(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event) {
	if e.Package == "" {
		if e.Action == "build-output" {
			if s.builds[e.ImportPath] == nil {
				s.builds[e.ImportPath] = new(strings.Builder)
			}
			s.builds[e.ImportPath].WriteString(e.Output)
		}
		return
	}
	p := s.running[e.Package]
	if p == nil {
		p = &suite{output: make(map[string]*strings.Builder)}
		s.running[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.keep(e.Test, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e, p)
		} else {
			s.endTest(e, p)
		}
	}
}

func (p *suite) keep(test, output string) {
	if p.output[test] == nil {
		p.output[test] = new(strings.Builder)
		p.order = append(p.order, test)
	}
	p.output[test].WriteString(output)
}

func (s *summary) endTest(e event, p *suite) {
	p.tests++
	if e.Action == "fail" {
		return
	}
	if e.Action == "skip" {
		reason := ""
		if p.output[e.Test] != nil {
			reason = spoken(p.output[e.Test].String())
		}
		s.skips = append(s.skips, skip{e.Package, e.Test, reason})
	}
	delete(p.output, e.Test)
}

// spoken is what a test itself said, without the marks that go test puts
// around it.
func spoken(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	return strings.Join(said, "; ")
}

func (s *summary) endPackage(e event, p *suite) {
	delete(s.running, e.Package)
	s.tests += p.tests
	switch e.Action {
	case "pass":
		s.passed++
		fmt.Fprintf(s.out, "ok    %s  %d tests  %.1f s\n", e.Package, p.tests, e.Elapsed)
	case "skip":
		fmt.Fprintf(s.out, "-     %s  no tests\n", e.Package)
	case "fail":
		s.failed++
		fmt.Fprintf(s.out, "FAIL  %s  %d tests  %.1f s\n", e.Package, p.tests, e.Elapsed)
		s.quote(e.FailedBuild, p)
	}
}

// quote prints what is kept of a package: of its build, and of every test that
// did not pass.
func (s *summary) quote(build string, p *suite) {
	if b := s.builds[build]; b != nil {
		s.indent(b.String())
	}
	for _, test := range p.order {
		if b := p.output[test]; b != nil {
			s.indent(b.String())
		}
	}
}

func (s *summary) indent(text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(s.out, "      %s\n", strings.TrimRight(line, "\n"))
	}
}

// finish prints what could not be run and the sum, and reports whether the run
// counts as passed. A package that began and never ended has failed: the go
// command was stopped, or its words were lost.
func (s *summary) finish(full bool) bool {
	for _, name := range slices.Sorted(maps.Keys(s.running)) {
		s.failed++
		fmt.Fprintf(s.out, "FAIL  %s  did not end\n", name)
		s.quote("", s.running[name])
	}
	if len(s.skips) > 0 {
		fmt.Fprintf(s.out, "\ncould not be run here:\n")
		for _, k := range s.skips {
			fmt.Fprintf(s.out, "      %s %s: %s\n", k.pkg, k.test, k.reason)
		}
	}
	fmt.Fprintf(s.out, "\n%d packages passed, %d failed; %d tests, %d could not be run\n",
		s.passed, s.failed, s.tests, len(s.skips))
	switch {
	case s.passed+s.failed == 0:
		fmt.Fprintln(s.out, "FAIL: no test was run")
		return false
	case full && len(s.skips) > 0:
		fmt.Fprintln(s.out, "FAIL: a full run leaves no test out")
		return false
	}
	return s.failed == 0
}
