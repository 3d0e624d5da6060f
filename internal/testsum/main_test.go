package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recorded joins runs of the go command that are kept in testdata.
func recorded(t testing.TB, names ...string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// cut returns the events before the first that matches.
func cut(t *testing.T, events, pattern string) string {
	t.Helper()
	at := regexp.MustCompile(pattern).FindStringIndex(events)
	if at == nil {
		t.Fatalf("no %s in the events", pattern)
	}
	return events[:strings.LastIndexByte(events[:at[0]], '\n')+1]
}

func TestWhatARunComesTo(t *testing.T) {
	for _, c := range []struct {
		rule   string
		args   []string
		events string
		exit   int
		says   []string
		never  []string
	}{
		{
			rule:   "everything passed: passed output is not shown",
			events: recorded(t, "good", "empty"),
			says: []string{
				"ok    example.org/recorded/good  1 tests",
				"-     example.org/recorded/empty  no tests",
				"1 packages passed, 0 failed; 1 tests, 0 could not be run",
			},
			never: []string{"nobody reads this", "FAIL"},
		}, {
			rule:   "a skipped test is named with its reason, after everything else",
			events: recorded(t, "skips", "good"),
			says: []string{
				"ok    example.org/recorded/good",
				"could not be run here:\n      example.org/recorded/skips TestMount/as_root: a_test.go:6: mount needs root\n",
				"2 packages passed, 0 failed; 4 tests, 1 could not be run",
			},
		}, {
			rule:   "a skipped test fails a full run",
			args:   []string{"-full"},
			events: recorded(t, "skips", "good"),
			exit:   1,
			says:   []string{"TestMount/as_root: a_test.go:6: mount needs root", "FAIL: a full run leaves no test out"},
		}, {
			rule:   "a full run without a skip passes",
			args:   []string{"-full"},
			events: recorded(t, "good", "empty"),
			never:  []string{"FAIL"},
		}, {
			rule:   "a failed test is shown with what it said, and only it",
			events: recorded(t, "good", "fails"),
			exit:   1,
			says:   []string{"FAIL  example.org/recorded/fails  2 tests", "37.3 is not 37.2", "1 packages passed, 1 failed"},
			never:  []string{"nobody reads this"},
		}, {
			rule:   "a panic is shown with its stack",
			events: recorded(t, "panics"),
			exit:   1,
			says:   []string{"panic: boom", "panics/a_test.go:5"},
		}, {
			rule:   "a build that fails is shown with the compiler's words",
			events: recorded(t, "broken"),
			exit:   1,
			says:   []string{"FAIL  example.org/recorded/broken", "broken/a_test.go:5:33: undefined"},
		}, {
			rule:   "a package that does not end has failed, with what it had said",
			events: recorded(t, "good") + cut(t, recorded(t, "fails"), `"Action":"fail","Package":"[^"]*","Elapsed"`),
			exit:   1,
			says:   []string{"FAIL  example.org/recorded/fails  did not end", "37.3 is not 37.2"},
		}, {
			rule: "a run of nothing is no success",
			exit: 1,
			says: []string{"no test was run"},
		}, {
			rule:   "words of the go command that are no events are passed on",
			events: "go: cannot find main module\n" + recorded(t, "good") + "signal: killed",
			says:   []string{"go: cannot find main module\n", "signal: killed\n"},
		}, {
			rule: "an unknown flag is a wrong call",
			args: []string{"-fast"},
			exit: 2,
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var out, errs bytes.Buffer
			if exit := run(c.args, strings.NewReader(c.events), &out, &errs); exit != c.exit {
				t.Errorf("exit %d, want %d", exit, c.exit)
			}
			for _, s := range c.says {
				if !strings.Contains(out.String(), s) {
					t.Errorf("does not say %q", s)
				}
			}
			for _, s := range c.never {
				if strings.Contains(out.String(), s) {
					t.Errorf("says %q", s)
				}
			}
			if t.Failed() {
				t.Logf("said:\n%s%s", out.String(), errs.String())
			}
		})
	}
}

// The recordings show how the go command speaks; this shows that it still
// speaks so.
func TestAPlantedSkipFailsAFullRunOfTheRealGoCommand(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"go.mod":    "module example.org/planted\n\ngo 1.26\n",
		"a_test.go": "package planted\n\nimport \"testing\"\n\nfunc TestSkips(t *testing.T) { t.Skip(\"planted\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", "./...")
	cmd.Dir = dir
	events, err := cmd.Output()
	if err != nil {
		t.Fatalf("go test: %v\n%s", err, events)
	}
	for _, c := range []struct {
		args []string
		exit int
	}{{nil, 0}, {[]string{"-full"}, 1}} {
		var out bytes.Buffer
		exit := run(c.args, bytes.NewReader(events), &out, &out)
		if exit != c.exit || !strings.Contains(out.String(), "example.org/planted TestSkips: a_test.go:5: planted") {
			t.Errorf("%v: exit %d, want %d, and the reason:\n%s", c.args, exit, c.exit, &out)
		}
	}
}

// Whatever it is fed, a full run never accepts what a plain run rejects.
func FuzzEvents(f *testing.F) {
	for _, name := range []string{"good", "skips", "fails", "panics", "broken", "empty"} {
		f.Add(recorded(f, name))
	}
	f.Add("{\"Action\":\"pass\",\"Package\":\"a\"}")
	f.Add("{\"Action\":\"skip\",\"Package\":\"a\",\"Test\":\"T\"}\n{\"Action\":\"fail\",\"Package\":\"a\",\"FailedBuild\":\"b\"}\n")
	f.Fuzz(func(t *testing.T, events string) {
		var plainOut, fullOut bytes.Buffer
		plain := run(nil, strings.NewReader(events), &plainOut, &plainOut)
		full := run([]string{"-full"}, strings.NewReader(events), &fullOut, &fullOut)
		if full == 0 && plain != 0 {
			t.Errorf("full accepts, plain does not:\n%s", &plainOut)
		}
	})
}
