package rig_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/rig"
)

// leaf makes an entry of the first boot.
func leaf(t *testing.T, body any) entry.Entry {
	t.Helper()
	kind, ok := entry.KindOf(body)
	if !ok {
		t.Fatalf("%T is no body", body)
	}
	raw, err := entry.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	return entry.Entry{Kind: kind, Lane: 1, Body: raw}
}

// TestAuditCatchesWhatIsWrong plants each fault that the audit is there for.
func TestAuditCatchesWhatIsWrong(t *testing.T) {
	const admit, recheck = 1, 2
	id := entry.ArrivalID{Counter: 16}
	admitted := entry.Arrival{Counter: 16, End: entry.EndDecided, Outcome: admit, Subject: 1}
	stopped := entry.Arrival{Counter: 16, End: entry.EndDecided, Outcome: recheck, Subject: 1}
	for name, c := range map[string]struct {
		ons   []rig.On
		rows  []any
		wrong string
	}{
		"a sound run":                         {ons: []rig.On{{Lane: 1, Admits: 1}}, rows: []any{admitted}},
		"a stop that was answered":            {rows: []any{stopped, entry.Answer{Arrival: id, Act: entry.ActAside, Outcome: recheck, Ticket: 1}, entry.Answer{Arrival: id, Act: entry.ActTurnedAway, Outcome: 4, Ticket: 1}}},
		"an admission that was withheld":      {rows: []any{admitted, entry.Answer{Arrival: id, Act: entry.ActReleaseWithheld}, entry.Answer{Arrival: id, Act: entry.ActAside}}},
		"an answer that was undone":           {rows: []any{stopped, entry.Answer{Arrival: id, Act: entry.ActAside, Outcome: recheck, Ticket: 1}, entry.Answer{Arrival: id, Act: entry.ActTemperatureTyped, Outcome: admit, Ticket: 1}, entry.Answer{Arrival: id, Act: entry.ActUndo, Outcome: recheck, Ticket: 1}, entry.Answer{Arrival: id, Act: entry.ActTurnedAway, Ticket: 1}}},
		"an answer after an admission undone": {rows: []any{admitted, entry.Answer{Arrival: id, Act: entry.ActUndo}, entry.Answer{Arrival: id, Act: entry.ActAside}}, wrong: "after its end"},
		"a barrier that opens for nobody":     {ons: []rig.On{{Lane: 1}}, wrong: "1th time with 0 admissions"},
		"one admission that opens twice":      {ons: []rig.On{{Lane: 1, Admits: 1}, {Lane: 1, Admits: 1}}, rows: []any{admitted}, wrong: "2th time with 1 admissions"},
		"an admission of the other lane":      {ons: []rig.On{{Lane: 1, Admits: 1}, {Lane: 2}}, rows: []any{admitted}, wrong: "lane 2"},
		"an arrival with two entries":         {rows: []any{stopped, admitted}, wrong: "two entries"},
		"a look that lets in":                 {ons: []rig.On{{Lane: 1, Admits: 1}}, rows: []any{stopped, entry.Answer{Arrival: id, Act: entry.ActNoted, Outcome: recheck}, entry.Answer{Arrival: id, Act: entry.ActLooked, Outcome: admit}}},
		"a look at nothing":                   {rows: []any{entry.Answer{Arrival: id, Act: entry.ActLooked, Outcome: admit}}, wrong: "no entry of its own"},
		"a look after the end":                {rows: []any{admitted, entry.Answer{Arrival: id, Act: entry.ActLooked}}, wrong: "after its end"},
		"an answer to nothing":                {rows: []any{entry.Answer{Arrival: id, Act: entry.ActAside}}, wrong: "no entry of its own"},
		"an answer after the end":             {rows: []any{admitted, entry.Answer{Arrival: id, Act: entry.ActAside}}, wrong: "after its end"},
		"an answer after being turned away":   {rows: []any{stopped, entry.Answer{Arrival: id, Act: entry.ActTurnedAway}, entry.Answer{Arrival: id, Act: entry.ActOverride, Outcome: admit}}, wrong: "after its end"},
	} {
		t.Run(name, func(t *testing.T) {
			var rows []entry.Entry
			for _, b := range c.rows {
				rows = append(rows, leaf(t, b))
			}
			err := rig.Audit(c.ons, rows)
			if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
				t.Errorf("got %v, want something about %q", err, c.wrong)
			}
		})
	}
}

// TestAScenarioFailsWhenItsExpectationDoes: a runner that never fails proves
// nothing.
func TestAScenarioFailsWhenItsExpectationDoes(t *testing.T) {
	const admitted = "scan 1 A\nsee 1 36.5\nwait 1s\n"
	for name, c := range map[string]struct{ script, wrong string }{
		"another outcome":         {admitted + "expect entry arrival 1 A refer", "it says: arrival 1 A admit"},
		"an entry too many":       {admitted, "nobody expected: arrival 1 A admit"},
		"an entry too few":        {"expect entry arrival 1 A", "no such entry"},
		"an edge too many":        {admitted + "expect no-on 1", "went on 1 times, not 0"},
		"an edge too few":         {"expect on 1", "went on 0 times, not 1"},
		"another lamp":            {"expect red 1 on", "it is off"},
		"a press not refused":     {"refused wait 1s", "was not refused"},
		"a press on nothing":      {"press 1 aside", "nothing is there"},
		"a step of no meaning":    {"dance 1", "means nothing"},
		"a lane that is not":      {"scan 9 A", "means nothing"},
		"a person who is not":     {"scan 1 Z", "means nothing"},
		"a refused step unheard":  {"refused dance 1", "means nothing"},
		"a plug that is not":      {"unplug moon", "means nothing"},
		"a barrier that is shut":  {"until on 1", "did not go on"},
		"a form nobody may send":  {"post /desk/visit seen=0", "401"},
		"a form that is none":     {"post /desk/visit seen", "means nothing"},
		"a look nobody may take":  {"scan 1 X\nwait 1s\nexpect entry arrival 1 nobody\npress 1 look green yes", "not allowed"},
		"rows that are none":      {"wait 1s\n-- rows --\n[[row]]\n", "id: missing"},
		"a preset that is none":   {"wait 1s\n-- preset --\nmoon", "moon"},
		"what nobody can know":    {"wait 1s\n-- roster --\nA household=maybe", "what the roster knows of A"},
		"a note that is not told": {"expect note clock", "no such entry"},
		"a note that is told":     {"expect no-note boot", "there is such an entry"},
		"a page without a word":   {"expect page /guard/ 卯", "the page says"},
		"a page with a word":      {"expect no-page /guard/ 通道", "the page says"},
		"a page for others":       {"expect no-page /desk/ 卯", "nobody is shown"},
		"a page nowhere":          {"sign-on\nexpect page /moon/ 卯", "404"},
		"an act done once":        {"sign-on\npost /desk/sick subject={A} report=1\nexpect entry answer 0 A sick\npost /desk/sick subject={A} report=1", "sick-already"},
		"a form asked for again":  {"sign-on\npost /desk/drill reason=planned minutes=60 pin=1", "密码不对"},
		"a file that is refused":  {"load policy a.toml\n-- a.toml --\nnumber = 8", "the policy is refused"},
		"a file that is not":      {"load policy a.toml", "means nothing"},
		"a file of no kind":       {"load roster a.toml\n-- a.toml --", "means nothing"},
		"an order of no preset":   {"order 1 moon 8", "means nothing"},
		"an order with no bounds": {"order 1 default 8 threshold=45.0", "outside 36.0 to 38.5"},
		"a day that is not":       {"clock at 2000-02-30 07:00", "means nothing"},
		"no board, expected":      {"expect board off", "means nothing"},
		"no board, unplugged":     {"unplug board", "means nothing"},
		"a board like no other":   {"wait 1s\n-- board --\nmoon", "moon"},
		"a board that is dark":    {"wait 1s\nexpect board on\n-- board --\nisolation-room", "it is off"},
		"a board that blinks":     {"unplug board\nwait 30s\nexpect board off\n-- board --\nisolation-room", "it is blinks"},
		"a board without alarms":  {"expect board rings 1\n-- board --\nisolation-room", "there are 0"},
		"a board with no answer":  {"silence board\n-- board --\nisolation-room", "nothing is there"},
		"a board's odd beacon":    {"expect board red\n-- board --\nisolation-room", "means nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, "planted", []byte("Planted.\n-- script --\n"+c.script+"\n"), c.wrong)
		})
	}
}

// TestAScenarioMustSayWhatHolds: prose and script are both needed, and nothing
// else is taken in silence.
func TestAScenarioMustSayWhatHolds(t *testing.T) {
	for name, text := range map[string]string{
		"no prose":          "-- script --\nwait 1s\n",
		"no script":         "Holds.\n",
		"an empty script":   "Holds.\n-- script --\n# nothing\n",
		"a section unknown": "Holds.\n-- script --\nwait 1s\n-- other --\n",
		"a file not loaded": "Holds.\n-- script --\nwait 1s\n-- other.toml --\n",
	} {
		if _, err := rig.ParseScenario("planted", []byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
