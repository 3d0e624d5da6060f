package policy_test

import (
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// The presets and what their texts demand of them.
var (
	presets = os.DirFS("../../firmware-config/policy")
	cases   = os.DirFS("../../testdata/policy")
)

// forEachPreset runs f over every preset with its cases.
func forEachPreset(t *testing.T, f func(t *testing.T, d policy.Document, list []policy.Case)) {
	for _, name := range policy.Presets(presets) {
		t.Run(name, func(t *testing.T) {
			d, err := policy.Preset(presets, name)
			if err != nil {
				t.Fatal(err)
			}
			body, err := fs.ReadFile(cases, name+".toml")
			if err != nil {
				t.Fatal(err)
			}
			list, err := policy.ParseCases(name+".toml", body, d)
			if err != nil {
				t.Fatal(err)
			}
			f(t, d, list)
		})
	}
}

func TestEveryPresetDecidesAsItsTextDemands(t *testing.T) {
	forEachPreset(t, func(t *testing.T, d policy.Document, list []policy.Case) {
		for _, f := range policy.RunCases(d, list) {
			t.Errorf("%v", f)
		}
	})
}

func TestEveryPresetIsWrittenAndReadBack(t *testing.T) {
	forEachPreset(t, func(t *testing.T, d policy.Document, _ []policy.Case) {
		again, err := policy.Parse("again.toml", d.Format())
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, again, d)
		}
	})
}

func TestEveryRowOfAPresetIsNeededByACase(t *testing.T) {
	forEachPreset(t, func(t *testing.T, d policy.Document, list []policy.Case) {
		for i, row := range d.Spec.Requirements {
			without := d.Spec
			without.Requirements = slices.Delete(slices.Clone(d.Spec.Requirements), i, i+1)
			// A policy that is none without its identity admits nobody: the zero one.
			p, _ := screening.Compile(without)
			if !slices.ContainsFunc(list, func(c policy.Case) bool { return c.Run(p) != "" }) {
				t.Errorf("no case fails without the row %q", row.ID)
			}
		}
	})
}

// The table says which policies have a case for a rule, or why no gate can act on
// it.
func TestEveryRuleHasACaseOrAReason(t *testing.T) {
	var c policy.Coverage
	forEachPreset(t, func(t *testing.T, d policy.Document, list []policy.Case) { c.Cite(d.Spec.Name, list) })
	body, err := fs.ReadFile(cases, "not-at-a-gate.toml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Elsewhere, err = policy.ParseElsewhere("not-at-a-gate.toml", body); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	c.Print(&table)
	t.Log("\n" + table.String())
	if missing := c.Missing(); len(missing) > 0 {
		t.Errorf("without a case or a reason: %v", missing)
	}
}

// TestThePresetsAskForTheChecksOfTheirTexts: rules 18 to 24.
func TestThePresetsAskForTheChecksOfTheirTexts(t *testing.T) {
	want := map[string]struct {
		aDay   int
		checks string
	}{
		"xifeng": {4, "morning noon evening"}, "xincai": {3, "morning noon evening"}, "guizhou": {3, "morning noon evening"},
		"taha-kindergarten": {3, "morning noon evening"}, "dehui-19": {2, "noon dormitory"}, "datong": {0, "bus morning noon"},
		"xiaogan": {0, "bus morning noon"}, "university-reporting": {0, "bus dormitory"}, "zaozhuang": {0, ""}, "default": {0, ""},
	}
	forEachPreset(t, func(t *testing.T, d policy.Document, _ []policy.Case) {
		var names []string
		for _, c := range d.Checks {
			names = append(names, c.Name)
		}
		if w, said := want[d.Spec.Name]; said && (d.ChecksADay != w.aDay || strings.Join(names, " ") != w.checks) {
			t.Errorf("%d a day, %q", d.ChecksADay, names)
		}
	})
}
