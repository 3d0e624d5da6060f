package config

import (
	"strings"
	"testing"
	"time"
)

// calendar is a common one with the holidays of October 2026.
func calendar(t *testing.T) Calendar {
	t.Helper()
	d, err := parseDistrict("name = \"a\"\n[calendar]\nclosed = [\"2026-10-01..2026-10-07\"]\nmake_up = [\"2026-10-10\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	return d.Calendar
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, text, time.FixedZone("", 8*60*60))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSchoolDay(t *testing.T) {
	c := calendar(t)
	for rule, tt := range map[string]struct {
		day  string
		want bool
	}{
		"a weekday":                        {"2026-09-30", true},
		"a Saturday":                       {"2026-09-26", false},
		"a Sunday":                         {"2026-09-27", false},
		"the first day of the holidays":    {"2026-10-01", false},
		"the last day of the holidays":     {"2026-10-07", false},
		"the day after the holidays":       {"2026-10-08", true},
		"a Saturday that is made up":       {"2026-10-10", true},
		"the Sunday after it":              {"2026-10-11", false},
		"the same date of another year":    {"2025-10-01", true},
		"the make-up date of another year": {"2027-10-10", false},
	} {
		t.Run(rule, func(t *testing.T) {
			for _, hour := range []string{" 00:00:00", " 07:12:00", " 23:59:59"} {
				if got := c.SchoolDay(at(t, tt.day+hour)); got != tt.want {
					t.Errorf("%s%s: got %v", tt.day, hour, got)
				}
			}
		})
	}
}

func TestWindow(t *testing.T) {
	c := calendar(t)
	for rule, tt := range map[string]struct{ now, want string }{
		"before the first":           {"2026-09-30 06:49:59", ""},
		"its first moment":           {"2026-09-30 06:50:00", "2026-09-30 06:50:00"},
		"its last moment":            {"2026-09-30 08:19:59", "2026-09-30 06:50:00"},
		"its end":                    {"2026-09-30 08:20:00", ""},
		"the second":                 {"2026-09-30 14:00:00", "2026-09-30 13:30:00"},
		"no school day":              {"2026-10-01 07:12:00", ""},
		"a Saturday that is made up": {"2026-10-10 07:12:00", "2026-10-10 06:50:00"},
	} {
		t.Run(rule, func(t *testing.T) {
			began, in := c.Window(at(t, tt.now))
			if in != (tt.want != "") || in && !began.Equal(at(t, tt.want)) {
				t.Errorf("got %v, %v, want %q", began, in, tt.want)
			}
		})
	}
}

func TestSilenceCountsAfterTenMinutesOfOneWindow(t *testing.T) {
	c := calendar(t)
	for rule, tt := range map[string]struct {
		from, to string
		want     bool
	}{
		"ten minutes of a window":                {"2026-09-30 06:00:00", "2026-09-30 07:00:00", false},
		"a second more":                          {"2026-09-30 06:00:00", "2026-09-30 07:00:01", true},
		"since the evening before":               {"2026-09-29 17:00:00", "2026-09-30 07:00:01", true},
		"within a window":                        {"2026-09-30 07:12:00", "2026-09-30 07:22:01", true},
		"the end of a window and no more":        {"2026-09-30 08:15:00", "2026-09-30 12:00:00", false},
		"a window that is over":                  {"2026-09-30 07:12:00", "2026-09-30 12:00:00", true},
		"a little of each of two":                {"2026-09-30 08:11:00", "2026-09-30 13:39:00", false},
		"a night":                                {"2026-09-29 17:00:00", "2026-09-30 06:40:00", false},
		"the holidays":                           {"2026-09-30 17:00:00", "2026-10-08 06:40:00", false},
		"the day before the holidays, and them":  {"2026-09-30 12:00:00", "2026-10-06 12:00:00", true},
		"a day that is made up":                  {"2026-10-09 17:00:00", "2026-10-10 12:00:00", true},
		"nothing":                                {"2026-09-30 07:12:00", "2026-09-30 07:12:00", false},
		"a moment that is still to come":         {"2026-09-30 08:00:00", "2026-09-30 07:00:00", false},
		"a window of more than a month ago only": {"2026-06-30 07:00:00", "2026-07-01 06:00:00", true},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := c.Missed(at(t, tt.from), at(t, tt.to)); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if (Calendar{}).Missed(at(t, "2026-09-01 00:00:00"), at(t, "2026-09-30 00:00:00")) {
		t.Error("without windows a silence counts")
	}
	c.Closed = []Span{{"2026-07-01", "2026-08-31"}}
	if c.Missed(at(t, "2026-06-30 07:12:00"), at(t, "2026-08-31 12:00:00")) {
		t.Error("what was missed before the long holidays still counts at their end")
	}
}

func TestEveryFaultOfACalendarNamesTheTextAndTheRemedy(t *testing.T) {
	day, window := `write "2026-10-01", or "2026-10-01..2026-10-07"`, `write it as "06:50-08:20", in the order of the day`
	for rule, c := range map[string]struct{ src, want string }{
		"a weekday in another language": {`school_days = ["mon", "周二"]`, `school_days: "周二" is not a weekday · write some of sun, mon, tue, wed, thu, fri, sat`},
		"no weekday":                    {`school_days = []`, `school_days: a list of 0 · write 1 to 7 texts`},
		"no day":                        {`closed = ["2026-02-30"]`, `closed: "2026-02-30" is not a day · ` + day},
		"a day as people write it":      {`make_up = ["10-10"]`, `make_up: "10-10" is not a day · ` + day},
		"no last day":                   {`closed = ["2026-10-01.."]`, `closed: "2026-10-01.." does not end with a day · ` + day},
		"days backwards":                {`closed = ["2026-10-07..2026-10-01"]`, `closed: "2026-10-07..2026-10-01" ends before it begins · ` + day},
		"a slip in the year":            {`closed = ["2026-10-01..2027-10-07"]`, `closed: "2026-10-01..2027-10-07" is longer than 200 days · ` + day},
		"closed and made up": {"closed = [\"2026-10-01..2026-10-10\"]\nmake_up = [\"2026-10-10\"]",
			`make_up: "2026-10-10" is closed too · take it out of closed, or out of make_up`},
		"no window":              {`windows = ["morning"]`, `windows: "morning" is not a part of a day · ` + window},
		"an hour that is none":   {`windows = ["06:50-24:01"]`, `windows: "06:50-24:01" is not a part of a day · ` + window},
		"a window backwards":     {`windows = ["08:20-06:50"]`, `windows: "08:20-06:50" is not longer than 10 minutes · ` + window},
		"too short to be missed": {`windows = ["07:00-07:10"]`, `windows: "07:00-07:10" is not longer than 10 minutes · ` + window},
		"windows that overlap":   {`windows = ["07:00-08:00", "07:59-09:00"]`, `windows: "07:59-09:00" begins before the one before it ends · ` + window},
		"an unknown key":         {`holidays = ["2026-10-01"]`, `holidays: unknown key · remove it; known here are closed, make_up, school_days, windows`},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := parseDistrict("name = \"a\"\n[calendar]\n" + c.src)
			if err == nil || !strings.HasSuffix(err.Error(), ": calendar."+c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	_, err := parseDistrict("name = \"a\"\n[calendar]\nschool_days = [\"x\"]\nclosed = [\"x\", \"y\"]\nmake_up = [\"x\"]\nwindows = [\"x\"]")
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("got %v, want five faults", err)
	}
}
