package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/tomlfile"
)

const (
	// fileName is what faults call a calendar.
	fileName = "calendar.toml"
	// maxDocument bounds a calendar's document, in bytes.
	maxDocument = 64 << 10
)

// Parse reads and checks a calendar's document. The error is tomlfile.Faults.
//
//	number = 3
//	issued = 2026-08-20
//	school_days = ["mon", "tue", "wed", "thu", "fri"]
//	windows = ["06:50-08:20", "13:30-14:20"]
//	half_windows = ["06:50-08:20"]
//
//	[[term]]     # also holiday, make_up, half_day, away and only
//	name = "2026 秋季"
//	first = 2026-09-01
//	last = 2027-01-22
//
//	[[only]]
//	name = "毕业年级先返校"
//	first = 2026-09-01
//	last = 2026-09-06
//	grades = ["九年级"]
func Parse(body []byte) (Calendar, error) {
	doc, err := tomlfile.Parse(fileName, body, maxDocument)
	if err != nil {
		return Calendar{}, err
	}
	t := doc.Root()
	t.Require("number", "write one more than the number of the calendar before")
	c := Calendar{
		Number: uint32(t.Number("number", 0, 1, 1<<31-1)), Issued: readDay(t, "issued"), Free: readWeek(t), Windows: readWindows(t, "windows"), HalfWindows: readWindows(t, "half_windows"),
		Terms: readDays(t, "term"), Holidays: readDays(t, "holiday"), MakeUp: readDays(t, "make_up"), HalfDays: readDays(t, "half_day"), Away: readDays(t, "away"), Only: readDays(t, "only"),
	}
	t.End()
	if len(doc.Faults) == 0 {
		doc.Faults = c.checkDays()
	}
	return c, doc.Err()
}

// readDay reads a day, which must be there. It may be written as a text.
func readDay(t *tomlfile.Table, key string) string {
	const remedy = "write it as 2026-10-01"
	t.Require(key, remedy)
	v, there := tomlfile.Read[any](t, key, "a day")
	if !there {
		return ""
	}
	text := fmt.Sprint(v)
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		t.Fault(key, tomlfile.Quote(text)+" is not a day", remedy)
	}
	return text
}

// readWeek reads the days with school, Monday to Friday where none are named, and
// returns those without.
func readWeek(t *tomlfile.Table) (free [7]bool) {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts
	school := t.Words("school_days", len(names))
	if len(school) == 0 {
		school = names[time.Monday : time.Friday+1]
	}
	for _, day := range school {
		if !slices.Contains(names, day) {
			t.Fault("school_days", tomlfile.Quote(day)+" is not a weekday", "write some of "+strings.Join(names, ", "))
		}
	}
	for i, name := range names {
		free[i] = !slices.Contains(school, name)
	}
	return free
}

func readWindows(t *tomlfile.Table, key string) (all []Window) {
	for _, text := range t.Words(key, maxWindows) {
		w, ok := ParseWindow(text)
		if !ok {
			t.Fault(key, tomlfile.Quote(text)+" is not a part of a day", `write it as "06:50-08:20"`)
			return nil
		}
		all = append(all, w)
	}
	checkWindows(all, func(problem, remedy string) { t.Fault(key, problem, remedy) })
	return all
}

// ParseWindow reads 06:50-08:20; the end may be 24:00.
func ParseWindow(text string) (w Window, ok bool) {
	from, to, _ := strings.Cut(text, "-")
	minute := func(text string) (int, bool) {
		if text == "24:00" {
			return midnight, true
		}
		t, err := time.Parse("15:04", text)
		return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
	}
	var begins, ends bool
	w.From, begins = minute(from)
	w.To, ends = minute(to)
	return w, begins && ends
}

// readDays reads the tables of one kind of days.
func readDays(t *tomlfile.Table, key string) (all []Days) {
	for _, one := range t.Tables(key) {
		d := Days{Name: one.Text("name", ""), Grades: one.Words("grades", maxGrades), line: one.Line()}
		d.First = readDay(one, "first")
		if d.Last = d.First; one.Has("last") {
			d.Last = readDay(one, "last")
		}
		one.End()
		all = append(all, d)
	}
	return all
}
