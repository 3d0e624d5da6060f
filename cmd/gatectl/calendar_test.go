package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestACalendarIsLoadedIntoARunningGate(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	b.call("", "calendar", "show").want(t, 0, "no calendar: every day is a school day")
	always := "issued = 2020-08-20\nschool_days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n"
	first := write(t, filepath.Join(b.Config.Data, "first.toml"), "number = 1\n"+always)
	b.call("", "calendar", "load", first).want(t, 0, "calendar 1 of 2020-08-20: today school-day", "42 of 42 are expected")
	b.call("", "calendar", "load", first).want(t, exitFailed, "calendar 1 is in force: give the new one a higher number")
	closed := write(t, filepath.Join(b.Config.Data, "closed.toml"), "number = 2\n"+always+"[[term]]\nfirst = 2001-09-01\nlast = 2002-01-20\n")
	b.call("", "calendar", "show", closed).want(t, 0, "calendar 2 of 2020-08-20: today no-school")
	b.call("", "calendar", "load", closed).want(t, 0, "today no-school", "0 of 42 are expected")
	b.call("", "calendar", "show").want(t, 0, "calendar 2 of 2020-08-20: today no-school", "0 of 42 are expected")
}

func TestACalendarIsCheckedWithoutAGate(t *testing.T) {
	dir := t.TempDir()
	const good = "number = 3\nissued = 2026-08-20\n[[holiday]]\nname = \"国庆节\"\nfirst = 2026-10-01\nlast = 2026-10-07\n"
	for rule, tt := range map[string]struct {
		text string
		code int
		want string
	}{
		"a good one is listed":             {good, 0, "calendar 3 of 2026-08-20: no fault\n  holiday 2026-10-01 to 2026-10-07 国庆节\n"},
		"a fault has its line and remedy":  {good + "[[make_up]]\nfirst = 2026-10-02\n", exitConfig, "calendar.toml:7: make_up.first: 2026-10-02 is in a holiday too · take it out of the holiday, or out of make_up\n"},
		"what is no calendar is no number": {"[[term]]\n", exitConfig, "calendar.toml:1: number: missing"},
	} {
		t.Run(rule, func(t *testing.T) {
			name := dir + "/calendar.toml"
			if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{"calendar", "check", name}, strings.NewReader(""), &out, &errs)
			if text := out.String() + errs.String(); code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("got %d %s", code, text)
			}
		})
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"calendar", "check"}, strings.NewReader(""), &out, &out); code != exitUsage || !strings.Contains(out.String(), "calendar load FILE") {
		t.Errorf("called wrongly: %d %s", code, out.String())
	}
}
