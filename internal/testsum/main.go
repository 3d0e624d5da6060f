// Testsum reads what go test -json prints and says what a person wants to
// know: a line for each package, the output of what failed and, at the end,
// which tests could not be run here and why. With -full a test that could not
// be run fails the whole.
//
// It runs no test and knows no package of this module.
//
//	go test -json ./... | go run ./internal/testsum [-full]
//
// It exits with 0 if everything passed, 1 if anything failed or nothing was
// run, and 2 if it was called wrongly.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("testsum", flag.ContinueOnError)
	flags.SetOutput(stderr)
	full := flags.Bool("full", false, "fail if a test could not be run")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	s := newSummary(stdout)
	if err := s.read(stdin); err != nil {
		fmt.Fprintf(stderr, "testsum: read test events: %v\n", err)
		return 1
	}
	if !s.finish(*full) {
		return 1
	}
	return 0
}
