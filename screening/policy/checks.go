package policy

import (
	"fmt"
	"slices"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/tomlfile"
)

// Check is one check of a day beside the gate, which every class, dormitory or bus
// owes (rules 18 to 26).
type Check struct {
	// Name is one of CheckNames.
	Name string
	// From and By are minutes of the day: it is held from From on, and is late when
	// By has come.
	From, By screening.Minutes
	Source   screening.Source
}

// CheckNames are the checks that there can be, in the order of a day.
func CheckNames() []string { return []string{"bus", "morning", "noon", "evening", "dormitory"} }

// Scope returns whom the check is of: "class", "dormitory" or "bus".
func (c Check) Scope() string {
	if c.Name == "dormitory" || c.Name == "bus" {
		return c.Name
	}
	return "class"
}

// mostChecks is the most checks that a policy asks for on one day, the gate's
// included.
const mostChecks = 8

// builtInChecks are those of a policy that has rows for a place and says nothing of
// when they are looked at: in class in the morning and at noon, as class teachers
// report (WS/T 772), in a dormitory in the evening, at a bus before the first lesson.
func builtInChecks(rows []screening.Requirement) (list []Check) {
	at := func(p screening.Place) bool {
		return slices.ContainsFunc(rows, func(r screening.Requirement) bool { return r.Place == p })
	}
	if at(screening.Bus) {
		list = append(list, Check{Name: "bus", From: 6 * 60, By: 8*60 + 30})
	}
	if at(screening.Classroom) {
		list = append(list, Check{Name: "morning", From: 6*60 + 30, By: 8*60 + 30}, Check{Name: "noon", From: 11*60 + 30, By: 14*60 + 30})
	}
	if at(screening.Dormitory) {
		list = append(list, Check{Name: "dormitory", From: 20 * 60, By: 22*60 + 30})
	}
	return list
}

// readChecks reads [[check]] and checks_a_day. The rows are there already.
func readChecks(t *tomlfile.Table, d *Document) {
	d.ChecksADay = t.Number("checks_a_day", 0, 1, mostChecks)
	d.Checks = builtInChecks(d.Spec.Requirements)
	if t.Has("check") {
		d.Checks = nil
	}
	for _, check := range t.Tables("check") {
		c := readCheck(check)
		if slices.ContainsFunc(d.Checks, func(o Check) bool { return o.Name == c.Name }) {
			check.Fault("name", tomlfile.Quote(c.Name)+" stands there twice", "write each check once")
		}
		d.Checks = append(d.Checks, c)
	}
	slices.SortStableFunc(d.Checks, func(a, b Check) int {
		return slices.Index(CheckNames(), a.Name) - slices.Index(CheckNames(), b.Name)
	})
}

func readCheck(t *tomlfile.Table) Check {
	defer t.End()
	c := Check{Name: t.Choice("name", "", CheckNames()...), Source: readSource(t)}
	t.Require("hours", `write when it is held, such as "11:30-14:10"`)
	c.From, c.By = readHours(t)
	return c
}

// checks writes what readChecks reads. None is written out only where some are
// built in.
func (w *writer) checks(list []Check) {
	for _, c := range list {
		w.head("[[check]]")
		w.text("name", c.Name)
		w.text("hours", minutesText(c.From)+"-"+minutesText(c.By))
		w.source(c.Source)
	}
}

func checkEntry(c Check) listing {
	hours := minutesText(c.From) + "-" + minutesText(c.By)
	zh := map[string]string{"bus": "校车", "morning": "晨检", "noon": "午检", "evening": "晚检", "dormitory": "宿舍"}[c.Name]
	return listing{c.Name, screening.Text{Zh: zh + " " + hours, En: fmt.Sprintf("%s %s", c.Name, hours)}, hours}
}
