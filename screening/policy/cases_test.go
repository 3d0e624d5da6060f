package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

const someCases = `policy = "full"
[[case]]
name = "all that a case can say"
rules = [33]
source = { document = "002", line = 1320, rules = [37] }
[case.arrival]
role = "staff"
grade = "初三"
boarding = "boarder"
direction = "out"
place = "bus"
lane = 2
at = 2022-04-20T07:20:00+08:00
clock = "untrusted"
readings = [ { value = "36.5" }, { value = "37.4", instrument = "ear", site = "ear", quality = "scattered" }, { value = "34.9" } ]
colour = { is = "pop-up", how = "printed", age = "2h" }
proofs = [ { of = "tests", age = "20h", bad = true }, { of = "document", name = "letter", age = "unknown" }, { of = "mask" } ]
shown = [ { row = "tests", in_order = true } ]
held = true
case = "owed"
again = "elsewhere"
no_school = true
[case.expect]
outcome = "recheck"
failed = ["a:b"]
warned = []
[[case]]
name = "nobody known"
[case.arrival]
unknown = true
[case.expect]
outcome = "refer"
failed = ["identity:no-identity", "temperature:no-temperature"]
`

func parseCases(t testing.TB, body string, d policy.Document) []policy.Case {
	t.Helper()
	list, err := policy.ParseCases("full.toml", []byte(body), d)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestACaseSaysEverythingOfAnArrival(t *testing.T) {
	list := parseCases(t, someCases, parse(t, full))
	c, a := list[0], list[0].Arrival
	at := time.Date(2022, 4, 20, 7, 20, 0, 0, time.FixedZone("", 8*3600))
	if c.Line != 2 || len(c.Source.Rules) != 2 || c.Source.Line != 1320 || c.Want.Outcome != screening.Recheck {
		t.Errorf("got %+v", c)
	}
	if a.Subject != (screening.Subject{ID: a.Subject.ID, Role: screening.Staff, Grade: "初三", Boarding: screening.Boarder}) || a.Subject.ID == 0 {
		t.Errorf("subject %+v", a.Subject)
	}
	if a.Direction != screening.Out || a.Place != screening.Bus || a.Lane != 2 || !a.Now.Equal(at) || a.ClockTrusted ||
		!a.Held || a.Case != screening.ReturnOwed || a.Again != screening.AgainElsewhere || !a.NoSchool {
		t.Errorf("arrival %+v", a)
	}
	if r := a.Readings; len(r) != 3 || r[0].Quality != screening.Valid || r[0].Instrument != "lens" || r[1].Site != screening.Ear ||
		r[1].Quality != screening.Scattered || r[1].Peak != 37_400 || r[2].Quality != screening.Cold {
		t.Errorf("readings %+v", a.Readings)
	}
	if a.Code.Colour != screening.PopUp || a.Code.How != screening.SeenPrinted || !a.Code.AsOf.Equal(at.Add(-2*time.Hour)) {
		t.Errorf("code %+v", a.Code)
	}
	if p := a.Proofs; len(p) != 3 || !p[0].Bad || !p[0].At.Equal(at.Add(-20*time.Hour)) || !p[1].At.IsZero() || p[1].Name != "letter" || !p[2].At.Equal(at) {
		t.Errorf("proofs %+v", a.Proofs)
	}
	if len(a.Shown) != 1 || a.Shown[0] != (screening.Shown{Row: "tests", InOrder: true}) {
		t.Errorf("shown %+v", a.Shown)
	}
	if first := list[1].Arrival; !first.ClockTrusted || first.Now.Format("2006-01-02 15:04 -0700") != "2020-04-13 07:20 +0800" {
		t.Errorf("without a time it is the policy's date at 07:20: %v", first.Now)
	}
}

func TestACaseThatFailsSaysWhatIsDifferent(t *testing.T) {
	d := parse(t, full)
	list := parseCases(t, someCases, d)
	failed := policy.RunCases(d, list)
	if len(failed) != 1 {
		t.Fatalf("%d cases failed: %v", len(failed), failed)
	}
	text := failed[0].String()
	for _, want := range []string{
		"full.toml:2: all that a case can say", "want recheck, got", "- a:b   was wanted", "+ bound/hold:on-hold   was not",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestEveryFaultOfACaseIsReported(t *testing.T) {
	d := parse(t, full)
	for name, c := range map[string]struct{ old, new, fault string }{
		"another policy":         {`"full"`, `"other"`, "full.toml:1: policy"},
		"no name":                {`name = "nobody known"`, "", "case.name: missing"},
		"no outcome":             {`outcome = "refer"`, "", "case.expect.outcome: missing"},
		"nobody's role":          {"unknown = true", "", "case.arrival.role: missing"},
		"a role of none":         {`"staff"`, `"bird"`, `full.toml:7: case.arrival.role: "bird"`},
		"a value that is none":   {`"36.5"`, `"warm"`, "case.arrival.readings.value"},
		"a site of no body":      {`site = "ear"`, `site = "tail"`, "case.arrival.readings.site"},
		"a colour of none":       {`"pop-up"`, `"blue"`, "case.arrival.colour.is"},
		"a proof of nothing":     {`of = "mask"`, `of = "hat"`, "case.arrival.proofs.of"},
		"a key that nobody read": {"held = true", "hold = true", "case.arrival.hold: unknown key"},
		"a rule of no source":    {"rules = [33]", "rules = [0]", "case.rules"},
	} {
		body := strings.Replace(someCases, c.old, c.new, 1)
		if _, err := policy.ParseCases("full.toml", []byte(body), d); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCoverageNamesWhatNoCaseCites(t *testing.T) {
	elsewhere, err := policy.ParseElsewhere("e.toml", []byte("[[rule]]\nnumber = 58\nzh = \"门外\"\nen = \"Outside.\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := policy.Coverage{Elsewhere: elsewhere}
	c.Cite("full", parseCases(t, someCases, parse(t, full)))
	c.Cite("full", parseCases(t, someCases, parse(t, full)))
	if missing := c.Missing(); len(missing) != policy.Rules-3 || missing[0] != 1 {
		t.Errorf("missing %v", missing)
	}
	var out strings.Builder
	c.Print(&out)
	for _, want := range []string{"  33  full\n", "  37  full\n", "  58  – 门外 / Outside.\n", "   1  ! no case"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	for fault, body := range map[string]string{
		"stands twice": "[[rule]]\nnumber = 1\nzh = \"一\"\nen = \"a\"\n[[rule]]\nnumber = 1\nzh = \"一\"\nen = \"a\"\n",
		"no reason":    "[[rule]]\nnumber = 1\n",
		"out of range": "[[rule]]\nnumber = 104\nzh = \"一\"\nen = \"a\"\n",
	} {
		if _, err := policy.ParseElsewhere("e.toml", []byte(body)); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}
