package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/calendar"
)

// year is one autumn term with all that a calendar can say.
const year = `number = 3
issued = 2026-08-20
windows = ["06:50-08:20", "13:30-14:20"]

[[term]]
name = "2026 秋季"
first = 2026-09-01
last = 2027-01-22

[[holiday]]
name = "国庆节"
first = 2026-10-01
last = 2026-10-07

[[make_up]]
name = "国庆调休"
first = 2026-10-10

[[half_day]]
name = "期中考试"
first = "2026-11-05"

[[half_day]]
name = "家长会"
first = 2026-11-06
grades = ["三年级"]

[[away]]
name = "学农"
first = 2026-11-09
last = 2026-11-13
grades = ["八年级"]

[[only]]
name = "毕业年级先返校"
first = 2026-09-01
last = 2026-09-06
grades = ["九年级"]
`

// autumn is that calendar without a term's end, so that other years count too.
func autumn(t *testing.T) calendar.Calendar {
	t.Helper()
	c := parse(t, year)
	c.Terms, c.Only = nil, nil
	return c
}

func parse(t *testing.T, text string) calendar.Calendar {
	t.Helper()
	c, err := calendar.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, text, time.FixedZone("", 8*60*60))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWhatADayIsForWhom(t *testing.T) {
	c := parse(t, year)
	for rule, tt := range map[string]struct {
		day, class string
		kind       calendar.Kind
		name       string
	}{
		"before the term":                          {"2026-08-31", "九年级1班", calendar.NoSchool, ""},
		"a grade that alone is back":               {"2026-09-01", "九年级1班", calendar.SchoolDay, ""},
		"another grade on the same day":            {"2026-09-01", "八年级1班", calendar.NoSchool, "毕业年级先返校"},
		"staff on the same day":                    {"2026-09-01", "", calendar.SchoolDay, ""},
		"everybody is back":                        {"2026-09-07", "八年级1班", calendar.SchoolDay, ""},
		"a weekend":                                {"2026-09-12", "八年级1班", calendar.NoSchool, ""},
		"a holiday has its name":                   {"2026-10-01", "八年级1班", calendar.NoSchool, "国庆节"},
		"nor is staff expected on it":              {"2026-10-07", "", calendar.NoSchool, "国庆节"},
		"a Saturday that is made up":               {"2026-10-10", "八年级1班", calendar.SchoolDay, "国庆调休"},
		"a half day for everybody":                 {"2026-11-05", "八年级1班", calendar.HalfDay, "期中考试"},
		"a half day for some":                      {"2026-11-06", "三年级2班", calendar.HalfDay, "家长会"},
		"the same day for the others":              {"2026-11-06", "四年级2班", calendar.SchoolDay, ""},
		"a grade that is away":                     {"2026-11-09", "八年级1班", calendar.NoSchool, "学农"},
		"the others stay, and so does staff":       {"2026-11-09", "", calendar.SchoolDay, ""},
		"a grade is the beginning of a class only": {"2026-11-09", "九年级八年级", calendar.SchoolDay, ""},
		"after the term":                           {"2027-01-25", "八年级1班", calendar.NoSchool, ""},
	} {
		t.Run(rule, func(t *testing.T) {
			now := at(t, tt.day+" 07:12:00")
			if got := c.Day(now, tt.class); got != (calendar.Day{Kind: tt.kind, Name: tt.name}) {
				t.Errorf("got %v", got)
			}
			if got := c.Expected(now, tt.class); got != (tt.kind != calendar.NoSchool) {
				t.Errorf("expected: %v", got)
			}
		})
	}
}

func TestNobodyIsExpectedInTheAfternoonOfAHalfDay(t *testing.T) {
	c := parse(t, year)
	if _, in := c.Window(at(t, "2026-11-05 14:00:00")); in {
		t.Error("the afternoon has a window")
	}
	if _, in := c.Window(at(t, "2026-11-05 07:00:00")); !in {
		t.Error("the morning has none")
	}
	c.HalfWindows = []calendar.Window{{From: 8 * 60, To: 9 * 60}}
	if began, in := c.Window(at(t, "2026-11-05 08:30:00")); !in || began.Hour() != 8 {
		t.Errorf("with hours of its own: %v, %v", began, in)
	}
}

func TestWhoComesAfterTheFirstWindowIsLate(t *testing.T) {
	c := parse(t, year)
	if ends, known := c.FirstEnds(at(t, "2026-09-30 06:00:00")); !known || !ends.Equal(at(t, "2026-09-30 08:20:00")) {
		t.Errorf("got %v, %v", ends, known)
	}
	if ends, known := c.FirstEnds(at(t, "2026-10-01 06:00:00")); known {
		t.Errorf("on a holiday: %v", ends)
	}
}

func TestSchoolDaysAreCountedBack(t *testing.T) {
	c := parse(t, year)
	for rule, tt := range map[string]struct {
		day  string
		days int
		want string
	}{
		"one is today":                            {"2026-09-30", 1, "2026-09-30"},
		"three within a week":                     {"2026-09-30", 3, "2026-09-28"},
		"a weekend lies between":                  {"2026-09-28", 2, "2026-09-25"},
		"the holidays lie between":                {"2026-10-08", 2, "2026-09-30"},
		"on a holiday the last school day is one": {"2026-10-04", 1, "2026-09-30"},
		"no more than a hundred days are there":   {"2028-09-30", 3, "2028-06-22"},
		"no day at all is today":                  {"2026-09-30", 0, "2026-09-30"},
		"seven over a weekend and a day made up":  {"2026-10-12", 4, "2026-10-08"},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := c.Since(at(t, tt.day+" 07:12:00"), tt.days); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestEveryFaultNamesLineKeyAndRemedy(t *testing.T) {
	const head = "number = 1\nissued = 2026-08-20\n"
	for rule, tt := range map[string]struct{ src, want string }{
		"no TOML":                       {head + "x", `calendar.toml:3: `},
		"no number":                     {"issued = 2026-08-20", `calendar.toml:1: number: missing · write one more`},
		"number 0":                      {"number = 0\nissued = 2026-08-20", `calendar.toml:1: number: 0 is out of range · set 1 to `},
		"no day of issue":               {"number = 1", `calendar.toml:1: issued: missing · write it as 2026-10-01`},
		"an unknown key":                {head + "holidays = \"x\"", `calendar.toml:3: holidays: unknown key · remove it; known here are away, half_day, half_windows, holiday, issued, make_up, number, only, school_days, term, windows`},
		"an unknown section":            {head + "[[vacation]]\nfirst = 2026-10-01", `calendar.toml:1: vacation: unknown key · remove it; known here are away, `},
		"a weekday in another language": {head + `school_days = ["周二"]`, `calendar.toml:3: school_days: "周二" is not a weekday · `},
		"a day that is none":            {head + "[[holiday]]\nfirst = \"2026-02-30\"", `calendar.toml:4: holiday.first: "2026-02-30" is not a day · write it as 2026-10-01`},
		"no first day":                  {head + "[[holiday]]\nname = \"x\"", `calendar.toml:3: holiday.first: missing · `},
		"days backwards":                {head + "[[holiday]]\nfirst = 2026-10-07\nlast = 2026-10-01", `calendar.toml:3: holiday.last: lies before the first day · `},
		"a slip in the year":            {head + "[[holiday]]\nfirst = 2026-10-01\nlast = 2027-10-07", `calendar.toml:3: holiday.last: more than 200 days · look at the years`},
		"a holiday that is made up":     {head + "[[holiday]]\nfirst = 2026-10-01\n\n[[make_up]]\nfirst = 2026-10-01", `calendar.toml:6: make_up.first: 2026-10-01 is in a holiday too · `},
		"terms at the same time":        {head + "[[term]]\nfirst = 2026-09-01\nlast = 2026-12-01\n[[term]]\nfirst = 2026-12-01\nlast = 2026-12-24", `calendar.toml:6: term.first: begins before another has ended · `},
		"nobody is away":                {head + "[[away]]\nfirst = 2026-10-01", `calendar.toml:3: away.grades: missing · `},
		"a holiday of some grades":      {head + "[[holiday]]\nfirst = 2026-10-01\ngrades = [\"一年级\"]", `calendar.toml:3: holiday.grades: not of some grades · `},
		"no grade":                      {head + "[[away]]\nfirst = 2026-10-01\ngrades = []", `calendar.toml:5: away.grades: a list of 0 · write 1 to 40 texts`},
		"a list of days":                {head + "[[away]]\nfirst = [\"2026-10-01\"]\ngrades = [\"一年级\"]", `calendar.toml:4: away.first: "[2026-10-01]" is not a day · `},
		"no window":                     {head + `windows = ["morning"]`, `calendar.toml:3: windows: "morning" is not a part of a day · `},
		"too short to be missed":        {head + `windows = ["07:00-07:10"]`, `calendar.toml:3: windows: not longer than 10 minutes · `},
		"windows that overlap":          {head + `half_windows = ["07:00-08:00", "07:59-09:00"]`, `calendar.toml:3: half_windows: begins before the one before it ends · `},
		"a value of another kind":       {head + "windows = 1.5", `calendar.toml:3: windows: 1.5 is not a list of texts · `},
		"too long":                      {strings.Repeat("#", 70_000), `calendar.toml:1: 70000 bytes are too long · keep it under 65536 bytes`},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := calendar.Parse([]byte(tt.src))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	_, err := calendar.Parse([]byte("number = 0\nissued = \"x\"\nwindows = [\"x\"]\n[[x]]\n[[away]]\nfirst = \"x\"\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("got %v, want five faults", err)
	}
}

func TestACalendarPutTogetherByHandIsCheckedToo(t *testing.T) {
	if err := (calendar.Calendar{}).Check(); err != nil {
		t.Errorf("none at all: %v", err)
	}
	bad := calendar.Calendar{
		Holidays: []calendar.Days{{Span: calendar.Span{First: "2026-10-07", Last: "2026-10-01"}, Name: strings.Repeat("x", 61)}},
		Away:     make([]calendar.Days, 65), Windows: slices.Repeat([]calendar.Window{{From: 60, To: 90}}, 9),
	}
	err := bad.Check()
	for _, want := range []string{"holiday.last", "holiday.name", "away: 65 are too many", "away.first", "away.grades", "windows: 9 are too many", "windows: begins before"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(year))
	f.Add([]byte("number = 1\nissued = 2026-08-20\nschool_days = [\"sat\"]\nhalf_windows = [\"00:00-24:00\"]"))
	f.Add([]byte("[[term]]\n[only]\na.b = {c = 1}\n"))
	now := time.Date(2026, 10, 1, 7, 12, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := calendar.Parse(body)
		if err != nil {
			if err.Error() == "" || strings.Count(err.Error(), "\n") > 4+len(body) {
				t.Errorf("%d bytes: %q", len(body), err)
			}
			return
		}
		if c.Number == 0 || c.Issued == "" {
			t.Errorf("taken without number or day: %+v", c)
		}
		if err := c.Check(); err != nil {
			t.Errorf("taken with faults: %v", err)
		}
		if began, in := c.Window(now); in && (began.After(now) || !c.SchoolDay(now)) {
			t.Errorf("%v is within a window that began %v", now, began)
		}
		if c.Since(now, 3) > now.Format(time.DateOnly) {
			t.Error("the first of the last days lies in the future")
		}
	})
}

func TestSchoolDay(t *testing.T) {
	c := autumn(t)
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
	c := autumn(t)
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
	c := autumn(t)
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
	if (calendar.Calendar{}).Missed(at(t, "2026-09-01 00:00:00"), at(t, "2026-09-30 00:00:00")) {
		t.Error("without windows a silence counts")
	}
	c.Holidays = []calendar.Days{{Span: calendar.Span{First: "2026-07-01", Last: "2026-08-31"}}}
	if c.Missed(at(t, "2026-06-30 07:12:00"), at(t, "2026-08-31 12:00:00")) {
		t.Error("what was missed before the long holidays still counts at their end")
	}
}
