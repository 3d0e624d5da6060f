package gate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

func at(day, hour, minute int) time.Time {
	return time.Date(2020, 12, day, hour, minute, 0, 0, time.UTC)
}

func TestAListIsOldBeforeSixOfTheEveningBefore(t *testing.T) {
	monday := at(7, 6, 50)
	for rule, tt := range map[string]struct {
		list time.Time
		want bool
	}{
		"friday's":                        {at(4, 17, 20), true},
		"of the evening before, too soon": {at(6, 17, 59), true},
		"of the evening before":           {at(6, 18, 0), false},
		"of today":                        {at(7, 6, 0), false},
		"none":                            {time.Time{}, true},
	} {
		if got := stale(tt.list, monday); got != tt.want {
			t.Errorf("%s: old %v", rule, got)
		}
	}
}

func TestWhenTheListIsAskedAbout(t *testing.T) {
	rules := policy.Document{Spec: screening.Default()}
	noColours := rules
	noColours.Spec.Requirements = noColours.Spec.Requirements[:2]
	sure := entry.Stamp{Wall: at(7, 6, 50), Clock: entry.ClockConfirmed}
	for rule, tt := range map[string]struct {
		listed, accepted time.Time
		now              entry.Stamp
		heard            time.Time
		rules            policy.Document
		want             bool
	}{
		"the list is friday's":                     {listed: at(4, 17, 20), now: sure, rules: rules, want: true},
		"there is none":                            {now: sure, rules: rules, want: true},
		"it was imported last night":               {listed: at(6, 21, 0), now: sure, rules: rules},
		"a collector is heard":                     {listed: at(4, 17, 20), now: sure, heard: at(7, 6, 45), rules: rules},
		"a collector was heard on friday":          {listed: at(3, 17, 20), now: sure, heard: at(4, 16, 0), rules: rules, want: true},
		"somebody has accepted it today":           {accepted: at(7, 6, 41), now: sure, rules: rules},
		"somebody accepted it yesterday":           {accepted: at(6, 6, 41), now: sure, rules: rules, want: true},
		"nobody vouches for the clock":             {now: entry.Stamp{Wall: at(7, 6, 50), Clock: entry.ClockFloor}, rules: rules},
		"the rules look at nothing that is listed": {now: sure, rules: noColours},
	} {
		t.Run(rule, func(t *testing.T) {
			q := questions{listed: tt.listed, accepted: tt.accepted, seen: tt.rules}
			got := q.asks(tt.now, tt.heard, tt.rules)
			if len(got) > 1 || (len(got) == 1) != tt.want || tt.want && (got[0].Kind != guard.AskList || got[0].About != "2020-12-07") {
				t.Errorf("asks %+v", got)
			}
		})
	}
}

// question returns what is asked of a kind.
func question(g *Gate, kind string) (guard.Question, bool) {
	all := g.View().Questions
	i := slices.IndexFunc(all, func(q guard.Question) bool { return q.Kind == kind })
	if i < 0 {
		return guard.Question{}, false
	}
	return all[i], true
}

func TestAnOldListIsAcceptedByNameOnceADay(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(at(4, 17, 20))
	d := atDesk(t, dir, c)
	d.rosterEntry(roster.Change{}, nil)
	c.wall.Store(at(7, 6, 50).Unix())
	q, asked := question(d.Gate, guard.AskList)
	if !asked || !q.Date.Equal(at(4, 17, 20)) {
		t.Fatalf("monday: %+v, %v", q, asked)
	}
	answer := guard.Acceptance{Kind: q.Kind, About: q.About, By: web.Person{ID: teacherID}}
	if err := d.Accept(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	if err := d.Accept(t.Context(), answer); !errors.Is(err, guard.ErrStale) {
		t.Errorf("answered twice: %v", err)
	}
	for restart := range 2 {
		if _, asked := question(d.Gate, guard.AskList); asked {
			t.Errorf("asked again after the answer, restart %d", restart)
		}
		shut(t, d.Gate)
		d = atDesk(t, dir, c)
	}
	defer func() { shut(t, d.Gate) }()
	if all := acts(t, d.Gate, entry.ActListAccepted); len(all) != 1 || !slices.Equal(all[0].By, []uint64{teacherID}) || all[0].Until != at(4, 17, 20).UnixMilli() {
		t.Errorf("entries %+v", all)
	}
	c.wall.Store(at(8, 6, 50).Unix())
	if q, asked := question(d.Gate, guard.AskList); !asked || !q.Date.Equal(at(4, 17, 20)) {
		t.Errorf("tuesday: %+v, %v", q, asked)
	}
}

// ruled puts other rules into force.
func ruled(t *testing.T, g *Gate) {
	t.Helper()
	spec := screening.Default()
	spec.Number, spec.Threshold = 12, 37_000
	p, err := screening.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	doc := g.document()
	doc.Spec = spec
	g.questions.know(doc)
	g.rules.now.Store(&ruling{doc: doc, compiled: p})
}

func TestNewRulesAreSeenByNameAndOnlyOnce(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(at(7, 6, 45))
	d := atDesk(t, dir, c)
	if q, asked := question(d.Gate, guard.AskRules); asked {
		t.Errorf("nothing changed, and it asks %+v", q)
	}
	ruled(t, d.Gate)
	q, asked := question(d.Gate, guard.AskRules)
	if !asked || q.Number != 12 || !slices.Equal(q.Changes, []guard.Change{{Kind: "limit", From: "≥ 37.3", To: "≥ 37.0"}}) {
		t.Fatalf("got %+v, %v", q, asked)
	}
	if err := d.Accept(t.Context(), guard.Acceptance{Kind: q.Kind, About: q.About, By: web.Person{ID: teacherID}}); err != nil {
		t.Fatal(err)
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer func() { shut(t, d.Gate) }()
	if q, asked := question(d.Gate, guard.AskRules); !asked || q.Number != 0 || q.Changes != nil {
		t.Errorf("back under the old rules: %+v, %v", q, asked)
	}
	ruled(t, d.Gate)
	if q, asked := question(d.Gate, guard.AskRules); asked {
		t.Errorf("seen before the restart, and it asks %+v", q)
	}
	if all := acts(t, d.Gate, entry.ActRulesSeen); len(all) != 1 || all[0].Reason != "policy:12" || !slices.Equal(all[0].By, []uint64{teacherID}) {
		t.Errorf("entries %+v", all)
	}
}
