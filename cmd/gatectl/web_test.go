package main

import "testing"

func TestDutiesAreGivenByTheSchoolsNumber(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(1)).want(t, 0)
	for _, c := range []struct {
		rule string
		args []string
		code int
		says string
	}{
		{"one", []string{"G1", "guard"}, 0, ""},
		{"several", []string{"G1", "guard,nurse"}, 0, ""},
		{"none", []string{"G1", "none"}, 0, ""},
		{"an unknown one names the others", []string{"G1", "boss"}, exitFailed, `"boss" is not a duty: write guard, desk, nurse, leader`},
		{"pupils have none", []string{"P001", "guard"}, exitFailed, "no such person"},
		{"nobody has none", []string{"X", "guard"}, exitFailed, "no such person"},
		{"it must be said which", []string{"G1"}, exitUsage, "roster duty NUMBER DUTIES"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			args := append([]string{"-config", b.config, "roster", "duty"}, c.args...)
			gatectl(t, "", args...).want(t, c.code, c.says)
		})
	}
}

func TestPairedBrowsersAreListedAndEndedByNumber(t *testing.T) {
	b := start(t)
	if c := b.call("", "web", "paired"); c.code != 0 || c.out != "" {
		t.Errorf("none is paired: %+v", c)
	}
	b.call("", "web", "unpair", "3").want(t, exitFailed, "no paired browser has this number")
	for _, args := range [][]string{{"web"}, {"web", "unpair"}, {"web", "unpair", "x"}, {"web", "paired", "3"}, {"web", "pair"}} {
		b.call("", args...).want(t, exitUsage, "web unpair N")
	}
}
