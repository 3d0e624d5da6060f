package main

import (
	"flag"
	"fmt"
	"strings"
	"testing"
)

// A refusal ends with the flag that allows what was refused, and whoever reads
// it types the flag at the end of the line.
func TestFlagsStandBeforeOrBehindTheFile(t *testing.T) {
	for args, want := range map[string]string{
		"list.csv":                          "[list.csv] 0 false",
		"-allow-left 20 list.csv":           "[list.csv] 20 false",
		"list.csv --allow-left 20":          "[list.csv] 20 false",
		"-preview list.csv --allow-left=20": "[list.csv] 20 true",
		"-- -list.csv":                      "[-list.csv] 0 false",
		"":                                  "usage",
		"list.csv other.csv":                "usage",
		"list.csv -allow-left many":         "usage",
		"list.csv -allow-left":              "usage",
		"list.csv -force":                   "usage",
	} {
		t.Run(args, func(t *testing.T) {
			var allow int
			var preview bool
			rest, err := new(tool).flagsOf("import", strings.Fields(args), 1, func(f *flag.FlagSet) {
				f.IntVar(&allow, "allow-left", 0, "")
				f.BoolVar(&preview, "preview", false, "")
			})
			got := fmt.Sprint(rest, " ", allow, " ", preview)
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestARefusedListIsImportedByTheRefusalsOwnWords(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	refused := b.call("", "roster", "import", b.list(20))
	refused.want(t, exitFailed, "--allow-left 20")
	_, remedy, _ := strings.Cut(refused.errors, "allow it with ")
	args := append([]string{"roster", "import", b.list(20)}, strings.Fields(remedy)...)
	b.call("", args...).want(t, 0, "20 left")
}
