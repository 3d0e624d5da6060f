package web

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryKeyHasBothLanguagesWithTheSamePlaceholders(t *testing.T) {
	for _, fault := range wordFaults(words) {
		t.Error(fault)
	}
}

func TestWordCheckerFindsWhatIsMissing(t *testing.T) {
	planted := map[string]phrase{
		"no-english":   {"有", ""},
		"no-chinese":   {" ", "there"},
		"other-number": {"{1} 号", "No. {2}"},
		"good":         {"{1} 共 {2}", "{1} of {2}"},
	}
	if faults := wordFaults(planted); len(faults) != 3 {
		t.Errorf("got %q, want three faults", faults)
	}
}

func wordFaults(all map[string]phrase) []string {
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	numbers := func(text string) []string {
		found := placeholder.FindAllString(text, -1)
		slices.Sort(found)
		return found
	}
	var faults []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		p := all[key]
		if strings.TrimSpace(p.zh) == "" || strings.TrimSpace(p.en) == "" {
			faults = append(faults, key+": a language is missing")
		}
		if zh, en := numbers(p.zh), numbers(p.en); !slices.Equal(zh, en) {
			faults = append(faults, fmt.Sprintf("%s: placeholders differ: %q, %q", key, zh, en))
		}
	}
	return faults
}

func TestEveryKeyAGateSendsHasWords(t *testing.T) {
	sent := map[string]string{
		"word.": "go-in already-in step-aside temperature badge too-cold wrist step-back scan-again incomplete wait-recording cannot-record lane-closed",
		"reason.": "no-policy on-hold hard-fever red-code yellow-code no-identity no-temperature too-cold high-once high-twice " +
			"no-green green-too-old clock-untrusted lane-attended already-in ambient wait-ticket",
		"problem.": "not-recorded last-good-configuration no-roster clock-untrusted nobody-on-duty insecure-web " +
			"collector-diverged collector-refused collector-silent no-collector insecure-collector offline sound-lost calendar-fault calibration-missing calibration-due",
		"fault.": "journal-failed barrier-open barrier-lost scanner-lost thermometer-lost background-warm",
		"phase.": "idle gathering recording releasing held attended",
	}
	for prefix, keys := range sent {
		for key := range strings.FieldsSeq(keys) {
			if !Known(prefix + key) {
				t.Errorf("no words for %s%s", prefix, key)
			}
		}
	}
}

func TestMomentCanBeHeldAgainstACalendar(t *testing.T) {
	sunday := time.Date(2020, 12, 6, 6, 5, 59, 0, time.UTC)
	tests := map[string]struct {
		at     time.Time
		zh, en string
	}{
		"the first day of the week": {sunday, "12月6日 周日 06:05", "Sun 6 Dec 06:05"},
		"the second":                {sunday.AddDate(0, 0, 1), "12月7日 周一 06:05", "Mon 7 Dec 06:05"},
		"the last":                  {sunday.AddDate(0, 0, 6), "12月12日 周六 06:05", "Sat 12 Dec 06:05"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			if zh, en := Chinese.Moment(tt.at), English.Moment(tt.at); zh != tt.zh || en != tt.en {
				t.Errorf("got %q, %q, want %q, %q", zh, en, tt.zh, tt.en)
			}
		})
	}
}

func TestText(t *testing.T) {
	tests := map[string]struct {
		language Language
		key      string
		args     []any
		want     string
	}{
		"the zero language speaks Chinese":         {"", "word.go-in", nil, "请进"},
		"English":                                  {English, "word.go-in", nil, "Go in"},
		"arguments stand where their number is":    {English, "strip.arrived", []any{861, 1093}, "In 861/1093"},
		"an argument is not a placeholder":         {Chinese, "strip.arrived", []any{"{2}", "x"}, "已到 {2}/x"},
		"a missing argument stays visible":         {Chinese, "strip.arrived", []any{1}, "已到 1/{2}"},
		"a key without words is shown, never lost": {Chinese, "word.not-there", nil, "word.not-there"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			if got := tt.language.Text(tt.key, tt.args...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
