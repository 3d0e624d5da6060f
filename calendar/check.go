package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/menshen/menshen/tomlfile"
)

// The bounds of a calendar.
const (
	maxDays    = 64 // of one kind
	maxWindows = 8
	maxGrades  = 40
	maxName    = 60 // bytes
	// longest is how many days a holiday, and longestTerm a term, may last: a slip
	// in a year must not close a school.
	longest, longestTerm = 200, 300
	// midnight ends a day, in minutes.
	midnight = 24 * 60
)

// Check returns every fault of a calendar that was put together by hand, as
// tomlfile.Faults without lines; Parse has checked its own.
func (c Calendar) Check() error {
	faults := c.checkDays()
	checkWindows(c.Windows, func(problem, remedy string) { add(&faults, 0, "windows", problem, remedy) })
	checkWindows(c.HalfWindows, func(problem, remedy string) { add(&faults, 0, "half_windows", problem, remedy) })
	if len(faults) == 0 {
		return nil
	}
	return faults
}

func add(faults *tomlfile.Faults, line int, key, problem, remedy string) {
	*faults = append(*faults, tomlfile.Fault{File: fileName, Line: line, Key: key, Problem: problem, Remedy: remedy})
}

func (c Calendar) checkDays() (faults tomlfile.Faults) {
	for _, k := range []struct {
		key    string
		list   []Days
		longer int
		grades bool // must be named; otherwise they may only be of half days
	}{
		{"term", c.Terms, longestTerm, false}, {"holiday", c.Holidays, longest, false}, {"make_up", c.MakeUp, longest, false},
		{"half_day", c.HalfDays, longest, false}, {"away", c.Away, longest, true}, {"only", c.Only, longest, true},
	} {
		if len(k.list) > maxDays {
			add(&faults, k.list[maxDays].line, k.key, fmt.Sprintf("%d are too many", len(k.list)), fmt.Sprintf("keep at most %d", maxDays))
		}
		for _, d := range k.list {
			d.check(&faults, k.key, k.longer)
			if k.grades && len(d.Grades) == 0 {
				add(&faults, d.line, k.key+".grades", "missing", `name them as their classes begin, such as ["九年级"]`)
			}
			if !k.grades && len(d.Grades) > 0 && k.key != "half_day" {
				add(&faults, d.line, k.key+".grades", "not of some grades", "leave grades out, or write it under [[away]] or [[only]]")
			}
		}
	}
	c.checkTogether(&faults)
	return faults
}

// checkTogether looks for days that contradict each other.
func (c Calendar) checkTogether(faults *tomlfile.Faults) {
	for _, made := range c.MakeUp {
		for _, free := range c.Holidays {
			if made.meets(free.Span) {
				add(faults, made.line, "make_up.first", made.First+" is in a holiday too", "take it out of the holiday, or out of make_up")
			}
		}
	}
	for i, term := range c.Terms {
		for _, other := range c.Terms[:i] {
			if term.meets(other.Span) {
				add(faults, term.line, "term.first", "begins before another has ended", "let terms follow each other")
			}
		}
	}
}

func (d Days) check(faults *tomlfile.Faults, key string, longer int) {
	first, err := time.Parse(time.DateOnly, d.First)
	last, err2 := time.Parse(time.DateOnly, d.Last)
	switch {
	case err != nil || err2 != nil:
		add(faults, d.line, key+".first", "not a day", "write it as 2026-10-01")
	case last.Before(first):
		add(faults, d.line, key+".last", "lies before the first day", "let it be the first day or later")
	case last.Sub(first) >= time.Duration(longer)*24*time.Hour:
		add(faults, d.line, key+".last", fmt.Sprintf("more than %d days", longer), "look at the years")
	}
	bad := func(s string) bool { return len(s) > maxName || strings.ContainsFunc(s, unicode.IsControl) }
	if bad(d.Name) {
		add(faults, d.line, key+".name", "too long, or not one line", fmt.Sprintf("write at most %d bytes", maxName))
	}
	if len(d.Grades) > maxGrades || slices.ContainsFunc(d.Grades, func(g string) bool { return g == "" || bad(g) }) {
		add(faults, d.line, key+".grades", "too many, empty or too long", fmt.Sprintf("write 1 to %d, each of at most %d bytes", maxGrades, maxName))
	}
}

func checkWindows(list []Window, fault func(problem, remedy string)) {
	if len(list) > maxWindows {
		fault(fmt.Sprintf("%d are too many", len(list)), fmt.Sprintf("keep at most %d", maxWindows))
	}
	for i, w := range list {
		switch {
		case w.From < 0 || w.To > midnight || time.Duration(w.To-w.From)*time.Minute <= Patience:
			fault("not longer than 10 minutes", "let windows be longer than the patience with a silent gate")
		case i > 0 && w.From < list[i-1].To:
			fault("begins before the one before it ends", "write them in the order of the day")
		}
	}
}
