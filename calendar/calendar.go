// Package calendar knows a school's year: terms, holidays and the days that are
// worked in their place (调休), half days, grades that are away or that alone are
// back, and when people arrive on each kind of day. From it follows whom a gate
// expects today, and which silence counts.
//
// It does not know who is on the roster, who has come, what time it is, or
// whether the document was signed: it is asked about a moment and a class, and
// judges by the wall clock of that moment.
package calendar

import (
	"slices"
	"strings"
	"time"
)

// Patience is how long nothing may come within an arrival window before it
// counts as silence.
const Patience = 10 * time.Minute

// How far back is looked.
const (
	// silentDays is how many days back a missed window is looked for.
	silentDays = 31
	// farthest is how many days back Since looks: longer than a summer.
	farthest = 100
)

// noon, in minutes after midnight, ends a half day of which nothing else is said.
const noon = 12 * 60

// Kind is what kind of day it is. The zero value is a school day: where nothing
// is known, people are expected.
type Kind uint8

// The kinds of day.
const (
	SchoolDay Kind = iota
	HalfDay        // lessons end at noon, or as the calendar says
	NoSchool
)

// String returns the kind's word.
func (k Kind) String() string {
	names := [...]string{"school-day", "half-day", "no-school"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Day is one day as it is for somebody.
type Day struct {
	Kind Kind
	// Name is what the calendar calls it, such as 国庆节; empty of an ordinary day
	// and of a weekend.
	Name string
}

// Span is days from First to Last, both included, as 2006-01-02.
type Span struct{ First, Last string }

// Has reports whether a day, as 2006-01-02, is one of the span.
func (s Span) Has(day string) bool { return s.First <= day && day <= s.Last }

// meets reports whether the spans have a day in common.
func (s Span) meets(o Span) bool { return s.First <= o.Last && o.First <= s.Last }

// Days is a span with what it is called.
type Days struct {
	Span
	Name string
	// Grades are how the names of the classes begin that are meant: 九年级 means
	// 九年级1班. None means everybody.
	Grades []string

	line int // in the document, 0 where there is none
}

// of reports whether a class is one of those that the grades name. The empty
// class, which is that of staff, never is: somebody else is at school.
func (d Days) of(class string) bool {
	return class != "" && slices.ContainsFunc(d.Grades, func(grade string) bool { return strings.HasPrefix(class, grade) })
}

// Window is a part of a day, in minutes after midnight: from From, included,
// to To, which may be 1440.
type Window struct{ From, To int }

// on returns the window of the day of t.
func (w Window) on(t time.Time) (began, ends time.Time) {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, w.From, 0, 0, t.Location()), time.Date(year, month, day, 0, w.To, 0, 0, t.Location())
}

// Calendar is one school's year. The zero value has school on every day, and no
// windows: then everybody is expected and no silence counts.
type Calendar struct {
	// Number rises with every calendar that replaces another; 0 is none that
	// anybody has issued. Issued is the day of it.
	Number uint32
	Issued string
	// Free are the weekdays without school, by time.Weekday.
	Free [7]bool
	// Terms are when there is school at all; without any there always is.
	Terms []Days
	// Holidays are days without school, and MakeUp days with it whatever the
	// weekday. No day is both.
	Holidays, MakeUp []Days
	// HalfDays are those for the grades named, or for everybody.
	HalfDays []Days
	// Away are days on which the grades named have no school, and Only days on
	// which no other grade has.
	Away, Only []Days
	// Windows are when people arrive on a school day, in their order, none
	// overlapping the next; HalfWindows on a half day. Without HalfWindows those
	// of Windows that begin before noon are.
	Windows, HalfWindows []Window
}

// find returns the first of a list that has the day.
func find(list []Days, day string) (Days, bool) {
	i := slices.IndexFunc(list, func(d Days) bool { return d.Has(day) })
	if i < 0 {
		return Days{}, false
	}
	return list[i], true
}

// Day returns what the day of t is for a class; for the empty one, which is that
// of staff, what it is for the school: there is school as long as one grade has.
func (c Calendar) Day(t time.Time, class string) Day {
	day := t.Format(time.DateOnly)
	for _, d := range c.Away {
		if d.Has(day) && d.of(class) {
			return Day{NoSchool, d.Name}
		}
	}
	if d, some := find(c.Only, day); some && class != "" && !slices.ContainsFunc(c.Only, func(d Days) bool { return d.Has(day) && d.of(class) }) {
		return Day{NoSchool, d.Name}
	}
	made, worked := find(c.MakeUp, day)
	if !worked {
		if d, free := find(c.Holidays, day); free {
			return Day{NoSchool, d.Name}
		}
		if _, term := find(c.Terms, day); !term && len(c.Terms) > 0 || c.Free[t.Weekday()] {
			return Day{Kind: NoSchool}
		}
	}
	for _, d := range c.HalfDays {
		if d.Has(day) && (len(d.Grades) == 0 || d.of(class)) {
			return Day{HalfDay, d.Name}
		}
	}
	return Day{SchoolDay, made.Name}
}

// Expected reports whether a class, or staff for the empty one, is expected on
// the day of t.
func (c Calendar) Expected(t time.Time, class string) bool { return c.Day(t, class).Kind != NoSchool }

// SchoolDay reports whether anybody is expected on the day of t.
func (c Calendar) SchoolDay(t time.Time) bool { return c.Expected(t, "") }

// WindowsOn returns when people arrive on the day of t; none where nobody is
// expected.
func (c Calendar) WindowsOn(t time.Time) []Window {
	switch c.Day(t, "").Kind {
	case SchoolDay:
		return c.Windows
	case HalfDay:
		if len(c.HalfWindows) > 0 {
			return c.HalfWindows
		}
		n := slices.IndexFunc(c.Windows, func(w Window) bool { return w.From >= noon })
		if n < 0 {
			n = len(c.Windows)
		}
		return c.Windows[:n]
	}
	return nil
}

// Window reports whether t is within an arrival window, and when that began.
func (c Calendar) Window(t time.Time) (began time.Time, in bool) {
	for _, w := range c.WindowsOn(t) {
		if began, ends := w.on(t); !t.Before(began) && t.Before(ends) {
			return began, true
		}
	}
	return time.Time{}, false
}

// FirstEnds returns when the first arrival window of the day of t ends: who
// comes later is late, and who has not come by then is missing. False where
// nobody is expected, or nothing is said of when.
func (c Calendar) FirstEnds(t time.Time) (ends time.Time, known bool) {
	list := c.WindowsOn(t)
	if len(list) == 0 {
		return time.Time{}, false
	}
	_, ends = list[0].on(t)
	return ends, true
}

// Missed reports whether more than Patience of one arrival window lies between
// two moments. It looks back a month: a gate that was silent all through the
// holidays has missed nothing.
func (c Calendar) Missed(from, to time.Time) bool {
	for back := range silentDays {
		day := to.AddDate(0, 0, -back)
		for _, w := range c.WindowsOn(day) {
			began, ends := w.on(day)
			if began.Before(from) {
				began = from
			}
			if ends.After(to) {
				ends = to
			}
			if ends.Sub(began) > Patience {
				return true
			}
		}
	}
	return false
}

// Since returns the first of the last so many school days up to the day of t, as
// 2006-01-02: where that is none itself, what happens on it counts with the last
// one before. It looks back a hundred days.
func (c Calendar) Since(t time.Time, days int) string {
	day := t
	for range farthest {
		if c.SchoolDay(day) {
			if days--; days <= 0 {
				break
			}
		}
		day = day.AddDate(0, 0, -1)
	}
	return day.Format(time.DateOnly)
}
