package casefile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
)

var (
	leaderTold = casefile.Event{Step: casefile.Told, Reason: "leader"}
	suspected  = casefile.Event{Step: casefile.Suspected, Reason: "covid"}
)

// owed returns the IDs of the duties that nobody has done, a minute after the last
// step.
func owed(c casefile.Case, r casefile.Rules) (open []string) {
	elapsed := make([]time.Duration, c.Version())
	for i := range elapsed {
		elapsed[i] = time.Duration(c.Version()-i) * time.Minute
	}
	for _, d := range c.Owed(r, elapsed) {
		if !d.Told {
			open = append(open, d.ID)
		}
	}
	return open
}

func TestWhoIsOwedWord(t *testing.T) {
	rules := casefile.DefaultRules()
	rules.Duties = append(rules.Duties, casefile.Duty{ID: "command", On: casefile.StoodFever, Within: time.Hour})
	for rule, tt := range map[string]struct {
		steps []casefile.Event
		want  []string
	}{
		"of every case, guardian and leader":       {nil, []string{"guardian", "leader"}},
		"who was told is owed no more":             {[]casefile.Event{leaderTold}, []string{"guardian"}},
		"unless it was not so":                     {[]casefile.Event{leaderTold, correct(2)}, []string{"guardian", "leader"}},
		"a call that was answered tells":           {[]casefile.Event{reached}, []string{"leader"}},
		"one that was not tells nobody":            {[]casefile.Event{noAnswer}, []string{"guardian", "leader"}},
		"a hand-over tells, and the fever stands":  {[]casefile.Event{home}, []string{"leader", "command"}},
		"a fever in the room stands":               {[]casefile.Event{arrived, fever}, []string{"guardian", "leader", "command"}},
		"of what is suspected, CDC and bureau too": {[]casefile.Event{suspected}, []string{"guardian", "leader", "cdc", "bureau"}},
		"of what was ruled out, they are not":      {[]casefile.Event{suspected, cold}, []string{"guardian", "leader"}},
		"of what is confirmed, they are":           {[]casefile.Event{{Step: casefile.Diagnosed, Reason: "influenza"}}, []string{"guardian", "leader", "cdc", "bureau"}},
		"of what nobody knows, they are":           {[]casefile.Event{{Step: casefile.Diagnosed, Reason: "mumps"}}, []string{"guardian", "leader", "cdc", "bureau"}},
		"at home word is still owed":               {[]casefile.Event{suspected, home}, []string{"leader", "cdc", "bureau", "command"}},
		"a normal recheck owes nobody a word":      {[]casefile.Event{arrived, normal, back}, nil},
		"nor does the wrong person":                {[]casefile.Event{suspected, notThis}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			c, err := stepped(t, begin(t), tt.steps...)
			if got := owed(c, rules); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("owed %q, %v", got, err)
			}
		})
	}
}

func TestTheClockOfADutyRunsFromItsTrigger(t *testing.T) {
	rules := casefile.Rules{Duties: []casefile.Duty{{ID: "cdc", On: casefile.SuspectedOrConfirmed, Within: 2 * time.Hour}}}
	c, err := stepped(t, begin(t), arrived, suspected, casefile.Event{Step: casefile.Diagnosed, Reason: "covid"})
	if err != nil {
		t.Fatal(err)
	}
	for since, want := range map[time.Duration][2]bool{
		0: {}, 90*time.Minute - 1: {}, 90 * time.Minute: {true, false}, 2*time.Hour - 1: {true, false}, 2 * time.Hour: {false, true}, 9 * time.Hour: {false, true},
	} {
		got := c.Owed(rules, []time.Duration{since + time.Hour, since + 30*time.Minute, since, 0})
		if len(got) != 1 || got[0].Since != since || got[0].Left != 2*time.Hour-since || got[0].Soon() != want[0] || got[0].Over() != want[1] {
			t.Errorf("after %v: %+v", since, got)
		}
	}
	told := casefile.Event{Step: casefile.Told, Reason: "cdc"}
	c, err = stepped(t, c, told)
	if got := c.Owed(rules, make([]time.Duration, 5)); err != nil || len(got) != 1 || !got[0].Told || got[0].Over() || got[0].Soon() || !slices.Equal(got[0].By, nurse) || got[0].At.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if got := c.Owed(rules, nil); got != nil {
		t.Errorf("without times: %+v", got)
	}
}

func TestTheDefaultRulesAreSound(t *testing.T) {
	r := casefile.DefaultRules()
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	for _, d := range r.Duties {
		if d.On == casefile.SuspectedOrConfirmed && d.Within != 2*time.Hour {
			t.Errorf("%s within %v: rule 69 says 2 h", d.ID, d.Within)
		}
	}
}

func TestEveryFaultOfTheRulesIsNamed(t *testing.T) {
	name := screening.Text{Zh: "校长", En: "Principal"}
	duty := casefile.Duty{ID: "leader", Name: name, Within: time.Hour}
	ret := casefile.Return{Diagnosis: "cold", Name: name, Proof: casefile.GuardiansWord}
	for want, change := range map[string]func(*casefile.Rules){
		"rounds: 4":                func(r *casefile.Rules) { r.Rounds = 4 },
		"17 are more than 16":      func(r *casefile.Rules) { r.Duties = make([]casefile.Duty, 17) },
		"33 are more than 32":      func(r *casefile.Rules) { r.Returns = make([]casefile.Return, 33) },
		`id "校长"`:                  func(r *casefile.Rules) { r.Duties[0].ID = "校长" },
		`id "leader" stands twice`: func(r *casefile.Rules) { r.Duties = append(r.Duties, duty) },
		`after "later"`:            func(r *casefile.Rules) { r.Duties[0].After = "later" },
		`after "leader"`:           func(r *casefile.Rules) { r.Duties[0].After = "leader" },
		"no trigger 3":             func(r *casefile.Rules) { r.Duties[0].On = 3 },
		"within 59s":               func(r *casefile.Rules) { r.Duties[0].Within = 59 * time.Second },
		"within 24h0m1s":           func(r *casefile.Rules) { r.Duties[0].Within = 24*time.Hour + time.Second },
		"phone is longer":          func(r *casefile.Rules) { r.Duties[0].Phone = strings.Repeat("1", 25) },
		"duty 1: name in zh":       func(r *casefile.Rules) { r.Duties[0].Name.Zh = "" },
		"duty 1: name in en":       func(r *casefile.Rules) { r.Duties[0].Name.En = strings.Repeat("a", 61) },
		"duty 1: source is longer": func(r *casefile.Rules) { r.Duties[0].Source = strings.Repeat("a", 301) },
		`diagnosis "Cold"`:         func(r *casefile.Rules) { r.Returns[0].Diagnosis = "Cold" },
		`"cold" stands twice`:      func(r *casefile.Rules) { r.Returns = append(r.Returns, ret) },
		"wait 1440h0m1s": func(r *casefile.Rules) {
			r.Returns[0].Wait, r.Returns[0].From = 60*day+time.Second, casefile.AfterOnset
		},
		"wait -1ns":            func(r *casefile.Rules) { r.Returns[0].Wait = -1 },
		"counts from nothing":  func(r *casefile.Rules) { r.Returns[0].Wait = day },
		"no start 4":           func(r *casefile.Rules) { r.Returns[0].From = 4 },
		"no proof 0":           func(r *casefile.Rules) { r.Returns[0].Proof = 0 },
		"no proof 5":           func(r *casefile.Rules) { r.Returns[0].Proof = 5 },
		"return 1: name in zh": func(r *casefile.Rules) { r.Returns[0].Name.Zh = "" },
		"duty 2: id":           func(r *casefile.Rules) { r.Duties = append(r.Duties, casefile.Duty{Name: name, Within: time.Hour}) },
	} {
		r := casefile.Rules{Rounds: 1, Duties: []casefile.Duty{duty}, Returns: []casefile.Return{ret}}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	r := casefile.Rules{Rounds: 9, Duties: []casefile.Duty{{}}, Returns: []casefile.Return{{}}}
	if n := strings.Count(r.Check().Error(), "\n"); n < 7 {
		t.Errorf("only %d faults at once: %v", n+1, r.Check())
	}
}
