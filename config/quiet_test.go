package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestQuietHoursGoOverMidnightAndEndBeforeTheirLastMinute(t *testing.T) {
	noon, night := Quiet{From: 12*time.Hour + 30*time.Minute, To: 14 * time.Hour}, Quiet{From: 21*time.Hour + 30*time.Minute, To: 6 * time.Hour}
	cfg, err := parseWith(t, map[string][]byte{"gated.toml": withQuiet(t, `hours = ["12:30-14:00", "21:30-06:00"]`)})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(cfg.Quiet, []Quiet{noon, night}) {
		t.Errorf("got %v", cfg.Quiet)
	}
	for at, want := range map[string]bool{"12:29": false, "12:30": true, "13:59": true, "14:00": false, "21:29": false, "21:30": true, "23:59": true, "00:00": true, "05:59": true, "06:00": false} {
		since, _ := timeOfDay(at)
		if got := noon.Has(since) || night.Has(since); got != want {
			t.Errorf("%s: quiet %v", at, got)
		}
	}
}

// withQuiet is the good gated.toml with a table [quiet].
func withQuiet(t *testing.T, keys string) []byte {
	t.Helper()
	return []byte(strings.Replace(string(readTestdata(t, "good-gated.toml")), "[ports]", "[quiet]\n"+keys+"\n\n[ports]", 1))
}

func TestWhatIsNoPartOfADayIsAFault(t *testing.T) {
	for rule, c := range map[string]struct{ keys, fault string }{
		"an hour that is none":    {`hours = ["24:00-06:00"]`, `quiet.hours: "24:00-06:00" is no part of a day`},
		"one time":                {`hours = ["12:30"]`, `quiet.hours: "12:30" is no part of a day`},
		"no length":               {`hours = ["06:00-06:00"]`, `quiet.hours: "06:00-06:00" is no part of a day`},
		"a time without its zero": {`hours = ["7:00-08:00"]`, `quiet.hours: "7:00-08:00" is no part of a day`},
		"nothing":                 {``, `quiet.hours: missing`},
		"another key":             {"hours = [\"12:30-14:00\"]\nloud = true", `quiet.loud: unknown key`},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := parseWith(t, map[string][]byte{"gated.toml": withQuiet(t, c.keys)})
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v, want %s", err, c.fault)
			}
		})
	}
}

// withInputs is the good profile with the inputs of lane 1 that it lacks, and
// the pins that they name.
func withInputs(t *testing.T, lane string) []byte {
	t.Helper()
	text := strings.Replace(string(readTestdata(t, "good-profile.toml")), "[lane.button]\npin = \"ack-1\"\n", lane, 1)
	for i, pin := range []string{"next-1", "open-1", "counter-1", "fire"} {
		text += "\n[pin." + pin + "]\nchip = \"pinctrl-bcm2711\"\nline = " + string(rune('5'+i)) + "\nbias = \"up\"\n"
	}
	return []byte(text + "\n[fire]\npin = \"fire\"\n")
}

func TestButtonsCounterAndFireContactArriveInTheirFields(t *testing.T) {
	cfg, err := parseWith(t, map[string][]byte{"profile.toml": withInputs(t,
		"[lane.button]\npin = \"ack-1\"\n\n[lane.next]\npin = \"next-1\"\n\n[lane.open]\npin = \"open-1\"\n\n[lane.counter]\npin = \"counter-1\"\n")})
	if err != nil {
		t.Fatal(err)
	}
	l := cfg.Board.Lanes[0]
	if *l.Next != (Input{"next-1"}) || *l.Open != (Input{"open-1"}) || *l.Counter != (Input{"counter-1"}) || *cfg.Board.Fire != (Input{"fire"}) || len(cfg.Warnings) > 0 {
		t.Errorf("got %+v, %+v, warnings %v", l, cfg.Board.Fire, cfg.Warnings)
	}
}

func TestAPinHasOneUse(t *testing.T) {
	_, err := parseWith(t, map[string][]byte{"profile.toml": withInputs(t, "[lane.button]\npin = \"ack-1\"\n\n[lane.counter]\npin = \"fire\"\n")})
	if err == nil || !strings.Contains(err.Error(), `pin "fire" is in use already`) {
		t.Errorf("got %v", err)
	}
}

func TestAButtonThatOpensWantsABarrier(t *testing.T) {
	text := strings.Replace(string(withInputs(t, "[lane.open]\npin = \"open-1\"\n")), "[lane.barrier]\nrelay = \"board\"\nchannel = 1\npulse = \"500ms\"\n", "", 1)
	_, err := parseWith(t, map[string][]byte{"profile.toml": []byte(text)})
	if err == nil || !strings.Contains(err.Error(), "lane.open: a button opens a barrier, and the lane has none") {
		t.Errorf("got %v", err)
	}
}
