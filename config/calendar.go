package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/tomlfile"
)

// longestSpan, in days, keeps a slip in a year from closing schools for it.
const longestSpan = 200

// readCalendar reads [calendar]: the path of a calendar's file, which is read
// later, or the few keys that a district needs.
func readCalendar(t *tomlfile.Table) (c calendar.Calendar, file string) {
	defer t.End()
	if t.Has("file") {
		return c, readPath(t, "file", "")
	}
	c = calendar.Calendar{Free: readWeek(t, "school_days"), Holidays: readSpans(t, "closed"), MakeUp: readSpans(t, "make_up"), Windows: readWindows(t, "windows")}
	for _, made := range c.MakeUp {
		for _, closed := range c.Holidays {
			if made.First <= closed.Last && closed.First <= made.Last {
				t.Fault("make_up", tomlfile.Quote(made.First)+" is closed too", "take it out of closed, or out of make_up")
			}
		}
	}
	return c, ""
}

// LoadCalendar reads the file of a calendar. The error is Faults if it can be
// read and its content is wrong.
func LoadCalendar(name string) (calendar.Calendar, error) {
	body, err := os.ReadFile(name)
	if err != nil {
		return calendar.Calendar{}, fmt.Errorf("read calendar: %w", err)
	}
	c, err := calendar.Parse(body)
	var faults Faults
	if errors.As(err, &faults) {
		for i := range faults {
			faults[i].File = filepath.Base(name)
		}
	}
	return c, err
}

// readWeek reads the days with school, and returns those without.
func readWeek(t *tomlfile.Table, key string) (free [7]bool) {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts
	school := t.Words(key, len(names))
	if !t.Has(key) {
		school = names[time.Monday : time.Friday+1]
	}
	for _, day := range school {
		if !slices.Contains(names, day) {
			t.Fault(key, tomlfile.Quote(day)+" is not a weekday", "write some of "+strings.Join(names, ", "))
		}
	}
	for i, name := range names {
		free[i] = !slices.Contains(school, name)
	}
	return free
}

func readSpans(t *tomlfile.Table, key string) (all []calendar.Days) {
	for _, text := range t.Words(key, 64) {
		if s, wrong := parseSpan(text); wrong != "" {
			t.Fault(key, tomlfile.Quote(text)+" "+wrong, `write "2026-10-01", or "2026-10-01..2026-10-07"`)
		} else {
			all = append(all, calendar.Days{Span: s})
		}
	}
	return all
}

func parseSpan(text string) (s calendar.Span, wrong string) {
	first, last, several := strings.Cut(text, "..")
	if !several {
		last = first
	}
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return calendar.Span{}, "is not a day"
	}
	to, err := time.Parse(time.DateOnly, last)
	switch {
	case err != nil:
		return calendar.Span{}, "does not end with a day"
	case to.Before(from):
		return calendar.Span{}, "ends before it begins"
	case to.Sub(from) >= longestSpan*24*time.Hour:
		return calendar.Span{}, fmt.Sprintf("is longer than %d days", longestSpan)
	}
	return calendar.Span{First: first, Last: last}, ""
}

func readWindows(t *tomlfile.Table, key string) (all []calendar.Window) {
	texts := t.Words(key, 8)
	if !t.Has(key) {
		texts = defaultWindows()
	}
	for _, text := range texts {
		w, wrong := parseWindow(text)
		if n := len(all); wrong == "" && n > 0 && w.From < all[n-1].To {
			wrong = "begins before the one before it ends"
		}
		if wrong != "" {
			t.Fault(key, tomlfile.Quote(text)+" "+wrong, `write it as "06:50-08:20", in the order of the day`)
		} else {
			all = append(all, w)
		}
	}
	return all
}

func parseWindow(text string) (w calendar.Window, wrong string) {
	w, ok := calendar.ParseWindow(text)
	switch {
	case !ok:
		return calendar.Window{}, "is not a part of a day"
	case time.Duration(w.To-w.From)*time.Minute <= calendar.Patience:
		return calendar.Window{}, fmt.Sprintf("is not longer than %.0f minutes", calendar.Patience.Minutes())
	}
	return w, ""
}
