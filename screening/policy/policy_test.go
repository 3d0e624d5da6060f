package policy_test

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/screening/watch"
	"github.com/menshen/menshen/tomlfile"
)

// least is the shortest policy there is.
const least = `format = 1
name = "least"
kind = "entry"
date = 2020-04-13
[temperature]
threshold = "37.3"
boundary = "reaches"
low = "35.0"
[[row]]
id = "identity"
ask = "identity"
fail = "refer"
[[row]]
id = "temperature"
ask = "temperature"
fail = "recheck"
`

// full says everything that a policy can say.
const full = `format = 1
number = 12
checks_a_day = 4
name = "full"
title = { zh = "全部", en = "Everything \"at once\"" }
kind = "entry"
date = 2020-04-13
valid_from = 2020-04-14T00:00:00+08:00
valid_until = 2022-12-07T12:30:15.5Z
[scope]
schools = ["east-gate", "west-gate"]
[temperature]
threshold = "37.299"
boundary = "exceeds"
low = "35"
wrist_threshold = "36.7"
wrist_low = "35.05"
[code]
max_age = "14d"
[flow]
spacing_cm = 150
staff_per_entrance = 2
[[row]]
id = "identity"
ask = "identity"
fail = "refer"
[[row]]
id = "temperature"
ask = { evidence = "temperature" }
fail = "isolate"
[[row]]
id = "tests"
zh = "请出示两次核酸证明"
en = "Show two tests."
roles = ["staff", "visitor"]
grades = ["初三"]
boarding = "boarder"
direction = "both"
place = "dormitory"
school_days = true
from = 2022-03-01
until = 2022-12-07
hours = "06:30-24:00"
ask = { evidence = "tests", count = 2, within = "48h", apart = "90m" }
or = [ { evidence = "document", name = "letter", within = "30m" }, { evidence = "not-barred", colours = ["red", "pop-up"] }, { evidence = "green", paper = true }, { evidence = "history", days = 14 } ]
fail = "refuse"
mode = "warn"
source = { document = "002", line = 1320, quote = "健康码、行程卡非绿码", rules = [33, 38] }
[[window]]
roles = ["student"]
grades = ["五年级", "六年级"]
boarding = "day"
direction = "out"
from = "07:50"
to = "08:00"
lanes = [1, 2]
[cases]
rounds = 3
isolation = "inside"
[[cases.duty]]
id = "nurse"
name = { zh = "校医", en = "Nurse" }
within = "5m"
[[cases.duty]]
id = "leader"
name = { zh = "值日领导", en = "Leader on duty" }
phone = "0530-1234567"
on = "suspected"
within = "10m"
after = "nurse"
source = "002 L732"
[[cases.return]]
diagnosis = "influenza"
name = { zh = "流感", en = "Influenza" }
wait = "2d"
from = "symptoms-end"
proof = "certificate"
reported = "no"
source = "local CDC"
[[cluster]]
syndrome = "any"
scope = "class"
cases = 3
days = 1
source = "002 L1026"
[[deadline]]
report = "zero"
at = "11:30"
source = { document = "002", line = 667, rules = [75] }
[[check]]
name = "evening"
hours = "18:00-24:00"
[[check]]
name = "bus"
hours = "06:00-07:50"
source = { document = "002", line = 17, rules = [24] }
`

func parse(t testing.TB, body string) policy.Document {
	t.Helper()
	d, err := policy.Parse("p.toml", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, time.FixedZone("", 8*3600)).UTC()
}

func TestAPolicyFileSaysEverything(t *testing.T) {
	got := parse(t, full)
	want := policy.Document{
		Spec: screening.Spec{
			Number: 12, Name: "full", Threshold: 37_299, Boundary: screening.Exceeds, Low: 35_000, WristThreshold: 36_700, WristLow: 35_050,
			CodeAge: 14 * 24 * time.Hour,
			Requirements: []screening.Requirement{
				{ID: "identity", Ask: screening.Ask{Evidence: screening.Identity}, Fail: screening.Refer},
				{ID: "temperature", Ask: screening.Ask{Evidence: screening.Temperature}, Fail: screening.Isolate},
				{
					ID: "tests", Say: screening.Text{Zh: "请出示两次核酸证明", En: "Show two tests."},
					Who: screening.Who{Roles: screening.RolesOf(screening.Staff, screening.Visitor), Grades: []string{"初三"}, Boarding: screening.Boarder},
					When: screening.When{
						Direction: screening.Both, Place: screening.Dormitory, SchoolDays: true, From: day(2022, 3, 1), Until: day(2022, 12, 7), After: 390, Before: 1440,
					},
					Ask: screening.Ask{Evidence: screening.Tests, Count: 2, Within: 48 * time.Hour, Apart: 90 * time.Minute},
					Or: []screening.Ask{
						{Evidence: screening.Document, Name: "letter", Within: 30 * time.Minute},
						{Evidence: screening.NotBarred, Colours: screening.ColoursOf(screening.Red, screening.PopUp)},
						{Evidence: screening.PositiveGreen, Paper: true},
						{Evidence: screening.History, Days: 14},
					},
					Fail: screening.Refuse, Warn: true,
					Source: screening.Source{Document: "002", Line: 1320, Quote: "健康码、行程卡非绿码", Rules: []uint8{33, 38}},
				},
			},
			Windows: []screening.ArrivalWindow{{
				Who:       screening.Who{Roles: screening.RolesOf(screening.Student), Grades: []string{"五年级", "六年级"}, Boarding: screening.DayPupil},
				Direction: screening.Out, From: 470, To: 480, Lanes: []uint8{1, 2},
			}},
		},
		Title:      screening.Text{Zh: "全部", En: `Everything "at once"`},
		Date:       day(2020, 4, 13),
		Schools:    []string{"east-gate", "west-gate"},
		ValidFrom:  day(2020, 4, 14),
		ValidUntil: time.Date(2022, 12, 7, 12, 30, 15, 5e8, time.UTC),
		Cases: casefile.Rules{
			Rounds: 3,
			Duties: []casefile.Duty{
				{ID: "nurse", Name: screening.Text{Zh: "校医", En: "Nurse"}, Within: 5 * time.Minute},
				{
					ID: "leader", Name: screening.Text{Zh: "值日领导", En: "Leader on duty"}, Phone: "0530-1234567", On: casefile.SuspectedOrConfirmed,
					Within: 10 * time.Minute, After: "nurse", Source: "002 L732",
				},
			},
			Returns: []casefile.Return{{
				Diagnosis: "influenza", Name: screening.Text{Zh: "流感", En: "Influenza"}, Wait: 48 * time.Hour, From: casefile.AfterSymptoms,
				Proof: casefile.Certificate, Unreported: true, Source: "local CDC",
			}},
		},
		IsolationInside: true,
		Clusters:        []watch.Rule{{Syndrome: "any", Scope: watch.Class, Cases: 3, Days: 1, Source: "002 L1026"}},
		Deadlines:       []policy.Deadline{{Report: "zero", At: 690, Source: screening.Source{Document: "002", Line: 667, Rules: []uint8{75}}}},
		Checks: []policy.Check{
			{Name: "bus", From: 360, By: 470, Source: screening.Source{Document: "002", Line: 17, Rules: []uint8{24}}},
			{Name: "evening", From: 1080, By: 1440},
		},
		ChecksADay: 4,
		Flow:       policy.Flow{SpacingCM: 150, StaffPerEntrance: 2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAPlaceOfWhichRowsSpeakIsCheckedAtBuiltInHours(t *testing.T) {
	row := func(place string) string {
		return "[[row]]\nid = \"" + place + "-identity\"\nplace = \"" + place + "\"\nask = \"identity\"\nfail = \"refer\"\n"
	}
	morning, noon := policy.Check{Name: "morning", From: 390, By: 510}, policy.Check{Name: "noon", From: 690, By: 870}
	for rule, tt := range map[string]struct {
		more string
		want []policy.Check
	}{
		"at the gate alone nothing is":     {"", nil},
		"at meals nobody is":               {row("canteen"), nil},
		"a class twice":                    {row("classroom"), []policy.Check{morning, noon}},
		"a bus and a dormitory once":       {row("dormitory") + row("bus"), []policy.Check{{Name: "bus", From: 360, By: 510}, {Name: "dormitory", From: 1200, By: 1350}}},
		"but as the policy says, if it so": {row("classroom") + "[[check]]\nname = \"noon\"\nhours = \"12:00-13:00\"\n", []policy.Check{{Name: "noon", From: 720, By: 780}}},
		"and not at all, if it so says":    {"check = []\n" + row("classroom"), nil},
	} {
		t.Run(rule, func(t *testing.T) {
			body := least + tt.more
			if rest, none := strings.CutPrefix(tt.more, "check = []\n"); none {
				body = "check = []\n" + least + rest
			}
			got := parse(t, body)
			if again := parse(t, string(got.Format())); !slices.Equal(checkNames(got), checkNames(again)) {
				t.Errorf("written as %v", again.Checks)
			}
			if !reflect.DeepEqual(got.Checks, tt.want) {
				t.Errorf("got %+v", got.Checks)
			}
		})
	}
}

func checkNames(d policy.Document) (names []string) {
	for _, c := range d.Checks {
		names = append(names, c.Name+" of a "+c.Scope())
	}
	return names
}

func TestWhatAPolicyLeavesOutIsTheSaferDefault(t *testing.T) {
	got := parse(t, least)
	if got.IsolationInside || got.Schools != nil || got.Spec.CodeAge != 24*time.Hour || got.Spec.WristThreshold != 0 {
		t.Errorf("got %+v", got)
	}
	if !reflect.DeepEqual(got.Cases, casefile.DefaultRules()) || !reflect.DeepEqual(got.Clusters, watch.DefaultRules()) {
		t.Errorf("cases %+v, clusters %+v", got.Cases, got.Clusters)
	}
	attendance := strings.Replace(strings.Replace(least[:strings.Index(least, "[[row]]\nid = \"temperature")], `"entry"`, `"attendance"`, 1), "[temperature]\nthreshold = \"37.3\"\nboundary = \"reaches\"\nlow = \"35.0\"\n", "cluster = []\n", 1)
	if got := parse(t, attendance); got.Spec.Kind != screening.Attendance || len(got.Clusters) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestTheDocumentedExampleIsAPolicy(t *testing.T) {
	b, err := os.ReadFile("../../docs/policy-file.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(b), "```toml\n")
	example, _, _ = strings.Cut(example, "```")
	if d := parse(t, example); d.Spec.Name != "example" {
		t.Errorf("got %+v", d)
	}
	for e := screening.Identity; e <= screening.RiskArea; e++ {
		if !strings.Contains(string(b), "`"+e.String()+"`") {
			t.Errorf("%v is not explained", e)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, body := range []string{least, full} {
		d := parse(t, body)
		again := parse(t, string(d.Format()))
		if !reflect.DeepEqual(again, d) {
			t.Errorf("got  %+v\nwant %+v\n%s", again, d, d.Format())
		}
	}
}

func TestEveryFaultIsReportedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ old, new, fault string }{
		"not a policy of this version":     {"format = 1", "format = 2", "p.toml:1: format: 2 is not known"},
		"unknown key":                      {"date =", "colour = 1\ndate =", "p.toml:4: colour: unknown key"},
		"unknown key of a row":             {`ask = "temperature"`, "ask = \"temperature\"\nif = 1", "p.toml:16: row.if: unknown key"},
		"no date":                          {"date = 2020-04-13\n", "", "p.toml:1: date: missing"},
		"a date that is text":              {"2020-04-13", `"2020-04-13"`, `p.toml:4: date: "2020-04-13" is not a day`},
		"a name with blanks":               {`"least"`, `"le ast"`, "p.toml:2: name:"},
		"a threshold of 45":                {`"37.3"`, `"45"`, `p.toml:6: temperature.threshold: "45" is not`},
		"a threshold that is a float":      {`"37.3"`, "37.3", "p.toml:6: temperature.threshold: 37.3 is not"},
		"a threshold in micro-degrees":     {`"37.3"`, `"37.3001"`, "p.toml:6: temperature.threshold"},
		"a boundary that is none":          {`"reaches"`, `">="`, "p.toml:7: temperature.boundary"},
		"one limit of the wrist":           {"[[row]]\nid = \"identity\"", "wrist_low = \"35.0\"\n[[row]]\nid = \"identity\"", "temperature.wrist_threshold"},
		"the wrist above the forehead":     {"low = \"35.0\"", "low = \"35.0\"\nwrist_low = \"35.0\"\nwrist_threshold = \"37.4\"", "temperature: threshold of the wrist"},
		"no identity":                      {"[[row]]\nid = \"identity\"\nask = \"identity\"\nfail = \"refer\"\n", "", "row: no enforced row asks everybody who comes in for identity"},
		"evidence that nobody knows":       {`ask = "identity"`, `ask = "aura"`, `p.toml:11: row.ask: "aura" is no evidence`},
		"evidence with too little said":    {`ask = "identity"`, `ask = "tests"`, "p.toml:10: row.id: tests: 1 to 4"},
		"a row that admits":                {`fail = "refer"`, `fail = "admit"`, `p.toml:12: row.fail: "admit" is not known`},
		"a row without an outcome":         {`fail = "refer"`, "", "row.fail: missing"},
		"two rows of one name":             {`id = "temperature"`, `id = "identity"`, `p.toml:14: row.id: "identity" stands twice`},
		"a sentence in one language":       {`ask = "identity"`, "ask = \"identity\"\nzh = \"请出示\"", "there is no English"},
		"a sentence nobody can read out":   {`ask = "identity"`, "ask = \"identity\"\nen = \"x\"\nzh = \"" + strings.Repeat("字", 41) + `"`, "40 Chinese characters"},
		"hours that run backwards":         {`ask = "identity"`, "ask = \"identity\"\nhours = \"08:00-06:30\"", "p.toml:12: row.hours"},
		"a rule that no source states":     {`ask = "identity"`, "ask = \"identity\"\nsource = { rules = [104] }", "104 may not stand here"},
		"a policy that ends at its begin":  {"date =", "valid_until = 2020-01-01T00:00:00Z\nvalid_from = 2020-01-01T00:00:00Z\ndate =", "p.toml:4: valid_until: the policy ends before"},
		"a time without an offset":         {"date =", "valid_from = 2020-01-01T00:00:00\ndate =", "p.toml:4: valid_from"},
		"a duty after one that is not":     {"[temperature]", "[[cases.duty]]\nid = \"a\"\nafter = \"b\"\nname = { zh = \"一\", en = \"a\" }\n[temperature]", `after "b"`},
		"a cluster of nobody":              {"[temperature]", "[[cluster]]\nsyndrome = \"any\"\nscope = \"class\"\ncases = 0\ndays = 1\n[temperature]", "cluster.cases: 0 is out of range"},
		"a report that nobody owes":        {"[temperature]", "[[deadline]]\nreport = \"hourly\"\nat = \"11:30\"\n[temperature]", "deadline.report"},
		"a window that ends as it begins":  {"[temperature]", "[[window]]\nfrom = \"08:00\"\nto = \"08:00\"\n[temperature]", "window.from: it ends before it begins"},
		"a gate with a name of no gate":    {"[temperature]", "[scope]\nschools = [\"East Gate\"]\n[temperature]", "scope.schools"},
		"a number too high to be followed": {"date =", "number = 2147483648\ndate =", "p.toml:4: number"},
		"a check that nobody knows":        {"[temperature]", "[[check]]\nname = \"dawn\"\nhours = \"05:00-06:00\"\n[temperature]", "check.name"},
		"a check without a time":           {"[temperature]", "[[check]]\nname = \"noon\"\n[temperature]", "check.hours: missing"},
		"a check that ends as it begins":   {"[temperature]", "[[check]]\nname = \"noon\"\nhours = \"12:00-12:00\"\n[temperature]", "check.hours"},
		"a check that stands there twice":  {"[temperature]", "[[check]]\nname = \"noon\"\nhours = \"11:00-12:00\"\n[[check]]\nname = \"noon\"\nhours = \"12:00-13:00\"\n[temperature]", "stands there twice"},
		"more checks than a day holds":     {"date =", "checks_a_day = 9\ndate =", "p.toml:4: checks_a_day"},
		"no TOML":                          {"format = 1", "format 1", "p.toml:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(least, c.old, c.new, 1)
			if body == least {
				t.Fatalf("%q does not stand in the policy", c.old)
			}
			_, err := policy.Parse("p.toml", []byte(body))
			var faults tomlfile.Faults
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.fault) {
				t.Fatalf("%v does not say %q", err, c.fault)
			}
			for _, f := range faults {
				if f.Line == 0 || f.Problem == "" || f.Remedy == "" {
					t.Errorf("a fault without line, problem or remedy: %+v", f)
				}
			}
		})
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	body := strings.NewReplacer(`"37.3"`, `"99"`, `"identity"`, `"i d"`, `"recheck"`, `"wait"`).Replace(least)
	_, err := policy.Parse("p.toml", []byte(body))
	var faults tomlfile.Faults
	if errors.As(err, &faults); len(faults) != 4 {
		t.Errorf("%d faults: %v", len(faults), err)
	}
}

func TestAThousandthDecidesUnderBothBoundaries(t *testing.T) {
	for boundary, admitted := range map[string]map[screening.MilliC]bool{
		"reaches": {37_299: true, 37_300: false, 37_301: false},
		"exceeds": {37_299: true, 37_300: true, 37_301: false},
	} {
		d := parse(t, strings.Replace(least, "reaches", boundary, 1))
		p, err := screening.Compile(d.Spec)
		if err != nil {
			t.Fatal(err)
		}
		for value, want := range admitted {
			a := screening.Arrival{
				Subject:  screening.Subject{ID: 1, Role: screening.Student},
				Readings: []screening.Reading{{Value: value, Peak: value, Instrument: "lens", Quality: screening.Valid}},
			}
			if got := p.Decide(a); (got.Outcome == screening.Admit) != want {
				t.Errorf("%s 37.3, measured %d: %+v", boundary, value, got)
			}
		}
	}
}

func TestInForceBetweenItsTimesByAClockThatIsTrusted(t *testing.T) {
	d := parse(t, full)
	for name, c := range map[string]struct {
		at      time.Time
		trusted bool
		want    bool
	}{
		"before it begins":      {d.ValidFrom.Add(-1), true, false},
		"as it begins":          {d.ValidFrom, true, true},
		"before it ends":        {d.ValidUntil.Add(-1), true, true},
		"as it ends":            {d.ValidUntil, true, false},
		"a clock that may lie":  {d.ValidUntil, false, true},
		"a clock at its outset": {time.Time{}, false, true},
	} {
		if got := d.InForce(c.at, c.trusted); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if always := parse(t, least); !always.InForce(time.Time{}, true) || !always.InForce(time.Unix(1e11, 0), true) {
		t.Error("a policy without limits is always in force")
	}
}

func TestAPolicyIsForTheGatesOfItsScope(t *testing.T) {
	for gate, want := range map[string]bool{"east-gate": true, "north-gate": false} {
		if got := parse(t, full).For(gate); got != want {
			t.Errorf("%s: %v", gate, got)
		}
		if !parse(t, least).For(gate) || !parse(t, strings.Replace(least, "[temperature]", "[scope]\nschools = [\"*\"]\n[temperature]", 1)).For(gate) {
			t.Errorf("%s: a policy for all is not for it", gate)
		}
	}
}

func TestAPresetIsReadByItsName(t *testing.T) {
	files := fstest.MapFS{"least.toml": {Data: []byte(least)}, "full.toml": {Data: []byte(full)}}
	if d, err := policy.Preset(files, "least"); err != nil || d.Spec.Name != "least" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, name := range []string{"", "most", "../least", "least.toml"} {
		if _, err := policy.Preset(files, name); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "there are full, least") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// FuzzParse: no Document is refused by Compile, and what Format writes is the
// same document.
func FuzzParse(f *testing.F) {
	f.Add([]byte(least))
	f.Add([]byte(full))
	f.Add([]byte(strings.Replace(full, "[cases]", "[cases]\nduty = []", 1)))
	for _, name := range policy.Presets(presets) {
		body, err := fs.ReadFile(presets, name+".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := policy.Parse("p.toml", body)
		if err != nil {
			var faults tomlfile.Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("refused without a fault: %v", err)
			}
			return
		}
		if _, err := screening.Compile(d.Spec); err != nil {
			t.Fatalf("Compile refuses what Parse takes: %v", err)
		}
		again, err := policy.Parse("p.toml", d.Format())
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Fatalf("%v\ngot  %+v\nwant %+v\n%s", err, again, d, d.Format())
		}
	})
}
