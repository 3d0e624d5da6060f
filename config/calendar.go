package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Patience is how long nothing may come within an arrival window before it
// counts as silence.
const Patience = 10 * time.Minute

const (
	// longestSpan, in days, keeps a slip in a year from closing schools for it.
	longestSpan = 200
	// silentDays is how far back a missed window is looked for.
	silentDays = 31
	// latestMinute is midnight at the end of a day.
	latestMinute = 24 * 60
)

// Calendar says when people are expected at the gates, by the wall clock of
// the times that it is asked about. The zero value has school on every day,
// and no windows: then no silence counts.
type Calendar struct {
	// Free are the weekdays without school, by time.Weekday.
	Free [7]bool
	// Closed are days without school, and MakeUp days with it whatever the
	// weekday (调休). No day is both.
	Closed, MakeUp []Span
	// Windows are when people arrive, in their order; none overlaps the next.
	Windows []Window
}

// Span is days from First to Last, both included, as 2006-01-02.
type Span struct{ First, Last string }

func (s Span) has(day string) bool { return s.First <= day && day <= s.Last }

// Window is a part of a day, in minutes after midnight: from From, included,
// to To, which may be 1440.
type Window struct{ From, To int }

// on returns the window of the day of t.
func (w Window) on(t time.Time) (began, ends time.Time) {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, w.From, 0, 0, t.Location()), time.Date(year, month, day, 0, w.To, 0, 0, t.Location())
}

// SchoolDay reports whether there is school on the day of t.
func (c Calendar) SchoolDay(t time.Time) bool {
	has := func(s Span) bool { return s.has(t.Format(time.DateOnly)) }
	return slices.ContainsFunc(c.MakeUp, has) || !c.Free[t.Weekday()] && !slices.ContainsFunc(c.Closed, has)
}

// Window reports whether t is within an arrival window of a school day, and
// when that began.
func (c Calendar) Window(t time.Time) (began time.Time, in bool) {
	if !c.SchoolDay(t) {
		return time.Time{}, false
	}
	for _, w := range c.Windows {
		if began, ends := w.on(t); !t.Before(began) && t.Before(ends) {
			return began, true
		}
	}
	return time.Time{}, false
}

// Missed reports whether more than Patience of one arrival window lies between
// two moments. It looks back a month: a gate that was silent all through the
// holidays has missed nothing.
func (c Calendar) Missed(from, to time.Time) bool {
	for back := range silentDays {
		day := to.AddDate(0, 0, -back)
		if !c.SchoolDay(day) {
			continue
		}
		for _, w := range c.Windows {
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

func readCalendar(t *table) Calendar {
	defer t.end()
	c := Calendar{Free: readWeek(t, "school_days"), Closed: readSpans(t, "closed"), MakeUp: readSpans(t, "make_up"), Windows: readWindows(t, "windows")}
	for _, made := range c.MakeUp {
		for _, closed := range c.Closed {
			if made.First <= closed.Last && closed.First <= made.Last {
				t.fault("make_up", quote(made.First)+" is closed too", "take it out of closed, or out of make_up")
			}
		}
	}
	return c
}

// readWeek reads the days with school, and returns those without.
func readWeek(t *table, key string) (free [7]bool) {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts
	school := t.words(key, len(names))
	if !t.has(key) {
		school = names[time.Monday : time.Friday+1]
	}
	for _, day := range school {
		if !slices.Contains(names, day) {
			t.fault(key, quote(day)+" is not a weekday", "write some of "+strings.Join(names, ", "))
		}
	}
	for i, name := range names {
		free[i] = !slices.Contains(school, name)
	}
	return free
}

func readSpans(t *table, key string) (all []Span) {
	for _, text := range t.words(key, 64) {
		if s, wrong := parseSpan(text); wrong != "" {
			t.fault(key, quote(text)+" "+wrong, `write "2026-10-01", or "2026-10-01..2026-10-07"`)
		} else {
			all = append(all, s)
		}
	}
	return all
}

func parseSpan(text string) (s Span, wrong string) {
	first, last, several := strings.Cut(text, "..")
	if !several {
		last = first
	}
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return Span{}, "is not a day"
	}
	to, err := time.Parse(time.DateOnly, last)
	switch {
	case err != nil:
		return Span{}, "does not end with a day"
	case to.Before(from):
		return Span{}, "ends before it begins"
	case to.Sub(from) >= longestSpan*24*time.Hour:
		return Span{}, fmt.Sprintf("is longer than %d days", longestSpan)
	}
	return Span{first, last}, ""
}

func readWindows(t *table, key string) (all []Window) {
	texts := t.words(key, 8)
	if !t.has(key) {
		texts = defaultWindows()
	}
	for _, text := range texts {
		w, wrong := parseWindow(text)
		if n := len(all); wrong == "" && n > 0 && w.From < all[n-1].To {
			wrong = "begins before the one before it ends"
		}
		if wrong != "" {
			t.fault(key, quote(text)+" "+wrong, `write it as "06:50-08:20", in the order of the day`)
		} else {
			all = append(all, w)
		}
	}
	return all
}

func parseWindow(text string) (w Window, wrong string) {
	from, to, _ := strings.Cut(text, "-")
	var good [2]bool
	w.From, good[0] = parseMinute(from)
	w.To, good[1] = parseMinute(to)
	switch {
	case good != [2]bool{true, true}:
		return Window{}, "is not a part of a day"
	case time.Duration(w.To-w.From)*time.Minute <= Patience:
		return Window{}, fmt.Sprintf("is not longer than %.0f minutes", Patience.Minutes())
	}
	return w, ""
}

// parseMinute reads 15:04, and 24:00, as minutes after midnight.
func parseMinute(text string) (minute int, ok bool) {
	if text == "24:00" {
		return latestMinute, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}
