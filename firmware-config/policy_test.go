package firmwareconfig_test

import (
	"cmp"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/policy"
)

// preset reads a built-in policy.
func preset(t *testing.T, name string) policy.Document {
	t.Helper()
	d, err := policy.Preset(firmwareconfig.Policies(), name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// eachPreset runs f with every built-in policy.
func eachPreset(t *testing.T, f func(*testing.T, policy.Document)) {
	t.Helper()
	names := policy.Presets(firmwareconfig.Policies())
	for _, name := range []string{"default", "after-2023", "attendance"} {
		if !slices.Contains(names, name) {
			t.Errorf("there is no preset %q among %v", name, names)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { f(t, preset(t, name)) })
	}
}

func TestDefaultPresetIsTheBuiltInPolicy(t *testing.T) {
	if got, want := preset(t, "default").Spec, screening.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAPresetIsNamedAsItsFileAndHasNoNumber(t *testing.T) {
	for _, name := range policy.Presets(firmwareconfig.Policies()) {
		d := preset(t, name)
		if d.Spec.Name != name || d.Spec.Number != 0 {
			t.Errorf("file %s.toml holds policy %d %q", name, d.Spec.Number, d.Spec.Name)
		}
		if d.Title.Zh == "" || d.Title.En == "" {
			t.Errorf("%s has no title in both languages", name)
		}
	}
}

func TestEveryRowOfAPlanHasItsSentenceAndItsText(t *testing.T) {
	eachPreset(t, func(t *testing.T, d policy.Document) {
		for _, r := range d.Spec.Requirements {
			if r.Source.Document == "" || r.Source.Line == 0 {
				t.Errorf("row %q: no text demands it", r.ID)
			}
			if d.Spec.Name == "default" {
				continue // it speaks with the reasons' own sentences
			}
			if n := utf8.RuneCountInString(r.Source.Quote); n < 1 || n > 30 {
				t.Errorf("row %q: its quote has %d characters", r.ID, n)
			}
			if r.Say.Zh == "" || r.Say.En == "" {
				t.Errorf("row %q: nothing to read out", r.ID)
			}
		}
	})
}

// A child who hears the word in front of the others remembers it.
func TestNoSentenceSaysAColourOrRaisesItsVoice(t *testing.T) {
	loud := regexp.MustCompile(`[红黄绿!！]|(?i)\b(red|yellow|green)\b`)
	eachPreset(t, func(t *testing.T, d policy.Document) {
		for _, r := range d.Spec.Requirements {
			if loud.MatchString(r.Say.Zh + r.Say.En) {
				t.Errorf("row %q: %s / %s", r.ID, r.Say.Zh, r.Say.En)
			}
		}
	})
}

// No arrival decides whom a plan tells and by when, so that no case file holds it.
func TestThePlansTellWhomTheyName(t *testing.T) {
	for _, c := range []struct {
		name, preset string
		duty         casefile.Duty
	}{
		{"rule 7: licensing body, of every case", "jiangsu-training", casefile.Duty{ID: "licensing", Within: 30 * time.Minute}},
		{"rule 69: CDC within 2 h of suspected or confirmed", "jinan", casefile.Duty{ID: "cdc", On: casefile.SuspectedOrConfirmed, Within: 2 * time.Hour, After: "leader"}},
		{"rule 70: the principal after the reporter", "dehui-19", casefile.Duty{ID: "leader", Within: 10 * time.Minute, After: "reporter"}},
		{"rule 71: CDC at once", "dehui-19", casefile.Duty{ID: "cdc", On: casefile.StoodFever, Within: 30 * time.Minute, After: "leader"}},
		{"rule 72: the parents at the same time", "taha-kindergarten", casefile.Duty{ID: "guardian", Within: 10 * time.Minute}},
		{"rule 72: the bureau after the head", "taha-kindergarten", casefile.Duty{ID: "bureau", Within: 30 * time.Minute, After: "leader"}},
		{"rule 66: the ambulance", "refuse-at-gate", casefile.Duty{ID: "emergency", Phone: "120", On: casefile.StoodFever, Within: 10 * time.Minute}},
		{"rule 6: the doctor after the nurse", "drill", casefile.Duty{ID: "doctor", Within: 15 * time.Minute, After: "nurse"}},
		{"rule 71: the bureau by itself", "dehui-19", casefile.Duty{ID: "bureau", On: casefile.StoodFever, Within: 30 * time.Minute, After: "leader"}},
		{"rule 78: county command", "xincai", casefile.Duty{ID: "command", Within: 30 * time.Minute}},
		{"rule 78: health office", "xincai", casefile.Duty{ID: "health", Within: 30 * time.Minute}},
		{"002 L70: bureau and community", "xiaogan", casefile.Duty{ID: "community", On: casefile.StoodFever, Within: 30 * time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			duties := preset(t, c.preset).Cases.Duties
			i := slices.IndexFunc(duties, func(d casefile.Duty) bool { return d.ID == c.duty.ID })
			if i < 0 {
				t.Fatalf("%s tells nobody called %q", c.preset, c.duty.ID)
			}
			got := duties[i]
			got.Name, got.Source = screening.Text{}, ""
			if got != c.duty {
				t.Errorf("got %+v, want %+v", got, c.duty)
			}
		})
	}
}

func TestThePlansOweTheReportsTheyName(t *testing.T) {
	for name, want := range map[string][]string{
		"xincai":               {"absence", "daily", "zero"},   // rules 73, 76, 83
		"dehui-19":             {"daily", "zero"},              // rules 74, 79
		"xifeng":               {"daily", "monthly", "weekly"}, // rule 77
		"datong":               {"absence", "zero"},            // rule 74
		"hunan-normal-primary": {"daily 11:30", "zero 11:30"},  // rule 75
		"after-2023":           {"absence"},                    // rule 84
		"four-checkpoints":     {"absence", "daily", "zero"},   // rules 73, 84
		"qingxian-hebei":       {"absence", "daily", "zero"},   // rules 73, 83
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range preset(t, name).Deadlines {
				s := r.Report
				if name == "hunan-normal-primary" && r.At == 11*60+30 {
					s += " 11:30" // the one plan that names an hour
				}
				got = append(got, s)
			}
			slices.SortFunc(got, cmp.Compare[string])
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
