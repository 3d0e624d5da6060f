package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADistrictMayHaveACalendarsOwnFile(t *testing.T) {
	dir := t.TempDir()
	year, name := filepath.Join(dir, "calendar.toml"), filepath.Join(dir, "districtd.toml")
	for rule, tt := range map[string]struct{ config, year, want string }{
		"a good one":             {"file = \"" + year + "\"", "number = 3\nissued = 2026-08-20\n", ""},
		"one with a fault":       {"file = \"" + year + "\"", "number = 0\nissued = 2026-08-20\n", "calendar.toml:1: number: 0 is out of range · "},
		"one that is not there":  {"file = \"" + year + "x\"", "", "read calendar: "},
		"beside keys of its own": {"file = \"" + year + "\"\nclosed = [\"2026-10-01\"]", "", "districtd.toml:4: calendar.closed: unknown key · "},
		"a relative path":        {"file = \"calendar.toml\"", "", "districtd.toml:3: calendar.file: \"calendar.toml\" is not an absolute path · "},
	} {
		t.Run(rule, func(t *testing.T) {
			for file, text := range map[string]string{year: tt.year, name: "name = \"a\"\n[calendar]\n" + tt.config} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d, err := LoadDistrict(name)
			if tt.want == "" && (err != nil || d.Calendar.Number != 3) || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("got %+v, %v", d, err)
			}
		})
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
		"an unknown key":         {`holidays = ["2026-10-01"]`, `holidays: unknown key · remove it; known here are closed, file, make_up, school_days, windows`},
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
