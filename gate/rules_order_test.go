package gate

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// bureaus are the rules of a gate that trusts the bureau and has one preset.
func bureaus() Rules {
	return Rules{Signers: []ed25519.PublicKey{bureau().Public().(ed25519.PublicKey)}, Presets: fstest.MapFS{"plan.toml": {Data: []byte(planned(0, "37.3", ""))}}}
}

// ordered returns the text of an order with a threshold of 37.0.
func ordered(t *testing.T, number uint32, key ed25519.PrivateKey) string {
	t.Helper()
	preset, err := policy.Preset(bureaus().Presets, "plan")
	if err != nil {
		t.Fatal(err)
	}
	text, err := policy.Order{Preset: "plan", Edition: preset.Edition(), Number: number, Threshold: 37_000}.Encode(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAPolicyOrderAtALaneWaitsForAPIN(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _, _ := withExit(t, dir, since(6, 20))
		g.rules.o = bureaus()
		stop := run(t, g)
		scan(t, g, 0, ordered(t, 12, bureau()))
		later(10 * time.Second)
		q, asked := question(g, guard.AskOrder)
		if !asked || q.Number != 12 || !slices.Contains(q.Changes, guard.Change{Kind: "limit", From: "≥ 37.3", To: "≥ 37.0"}) {
			t.Errorf("asks %+v, %v", q, asked)
		}
		if all := arrivals(t, g); len(all) != 0 || g.policy().Number() != 0 {
			t.Errorf("without a PIN: arrivals %+v, policy %d", all, g.policy().Number())
		}
		press := guard.Confirmation{Number: 12, PIN: teacherPIN, By: web.Person{ID: teacherID}}
		for rule, tt := range map[string]struct {
			change func(*guard.Confirmation)
			want   error
		}{
			"a wrong PIN":       {func(c *guard.Confirmation) { c.PIN = "1" }, web.ErrPIN},
			"no duty":           {func(c *guard.Confirmation) { c.By.ID = pupilID }, guard.ErrNotAllowed},
			"the room's duty":   {func(c *guard.Confirmation) { c.By.ID = nurseID }, guard.ErrNotAllowed},
			"another one waits": {func(c *guard.Confirmation) { c.Number = 11 }, guard.ErrStale},
		} {
			c := press
			if tt.change(&c); !errors.Is(g.TakeOrder(t.Context(), c), tt.want) || g.policy().Number() != 0 {
				t.Errorf("%s: policy %d", rule, g.policy().Number())
			}
		}
		if err := g.TakeOrder(t.Context(), press); err != nil {
			t.Fatal(err)
		}
		later(time.Second)
		if limit, _ := g.policy().Threshold(); g.policy().Number() != 12 || limit != 37_000 || g.View().Rules.Number != 12 || len(g.View().Questions) != 0 {
			t.Errorf("policy %d with %v, %+v", g.policy().Number(), limit, g.View().Questions)
		}
		seen := acts(t, g, entry.ActRulesSeen)
		if len(seen) != 2 || seen[0].Reason != "order:12" || !slices.Equal(seen[0].By, []uint64{teacherID}) || seen[1].Reason != "policy:12" {
			t.Errorf("by name: %+v", seen)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnOrderThatIsRefusedIsOneLineAndAnEntry(t *testing.T) {
	for rule, tt := range map[string]struct {
		text       func(t *testing.T) string
		word, says string
	}{
		"the number before":  {func(t *testing.T) string { return ordered(t, 12, bureau()) }, "old", "numbers must rise"},
		"signed by another":  {func(t *testing.T) string { return ordered(t, 13, stranger()) }, "untrusted", "no key that is trusted"},
		"torn paper":         {func(t *testing.T) string { return ordered(t, 13, bureau())[:80] }, "unreadable", "no policy order"},
		"of another edition": {nil, "edition", "another edition"},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			led(t, dir)
			c := newClockAt(sevenNineteen)
			g := governed(t, dir, c.now)
			defer shut(t, g)
			take(t, g, policyDocument(1, policy.Sign([]byte(planned(12, "37.1", "")), bureau())))
			g.rules.choose()
			var text string
			if tt.text != nil {
				text = tt.text(t)
			} else {
				text = ordered(t, 13, bureau())
				g.rules.o.Presets = fstest.MapFS{"plan.toml": {Data: []byte(planned(0, "37.2", ""))}}
			}
			if !g.rules.scanned([]byte(text)) {
				t.Fatal("it is taken for an arrival")
			}
			g.rules.hear(<-g.rules.heard)
			g.rules.hear(text) // the paper is held there
			q, asked := question(g, guard.AskOrderWrong)
			if !asked || q.About != tt.word {
				t.Errorf("says %+v, %v", q, asked)
			}
			known(t, "order."+q.About)
			if err := g.recorder.wait(t.Context(), entry.Heartbeat{}); err != nil { // what was noted before is stored
				t.Fatal(err)
			}
			if all := refusals(t, g); len(all) != 1 || !strings.Contains(all[0], tt.says) || g.policy().Number() != 12 {
				t.Errorf("entries %q, policy %d", all, g.policy().Number())
			}
			c.wall.Add(int64(orderSaid / time.Second))
			if _, asked := question(g, guard.AskOrderWrong); asked {
				t.Error("said for ever")
			}
		})
	}
}

func TestAnOrderIsLeftOrForgottenAndNothingChanges(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	c := newClockAt(sevenNineteen)
	g := governed(t, dir, c.now)
	defer shut(t, g)
	waits := func() bool {
		_, asked := question(g, guard.AskOrder)
		return asked
	}
	g.rules.hear(ordered(t, 12, bureau()))
	if !waits() {
		t.Fatal("it does not wait")
	}
	if err := g.Accept(t.Context(), guard.Acceptance{Kind: guard.AskOrder, About: "12", By: web.Person{ID: teacherID}}); err != nil || waits() {
		t.Errorf("left: %v, waits %v", err, waits())
	}
	g.rules.hear(ordered(t, 12, bureau()))
	c.wall.Add(int64(orderStands / time.Second))
	if waits() || g.rules.newest() != nil {
		t.Error("it waits for ever, or was taken")
	}
}

// TestAPolicyComesIntoForceOnItsDayAndBetweenTwoArrivals: nobody touches the gate
// at midnight; somebody stands in the lane.
func TestAPolicyComesIntoForceOnItsDayAndBetweenTwoArrivals(t *testing.T) {
	dir := t.TempDir()
	classmates(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, _ := withExit(t, dir, since(7, 30))
		g.rules.o = bureaus()
		stop := run(t, g)
		at := time.Date(2020, 12, 7, 7, 40, 0, 0, time.UTC)
		if err := g.rules.take(t.Context(), policy.Sign([]byte(planned(7, "37.0", "valid_from = "+at.Format(time.RFC3339))), bureau())); err != nil {
			t.Fatal(err)
		}
		later(time.Second)
		if r := g.View().Rules; g.policy().Number() != 0 || r.Number != 0 || r.Next != 7 || !r.From.Equal(at) {
			t.Errorf("before its time: policy %d, %+v", g.policy().Number(), r)
		}
		lens.See(20, 22)
		later(10*time.Minute - 6*time.Second)
		scan(t, g, 0, pupilBadge)
		g.rules.wake()
		later(6 * time.Second) // the time has come
		g.rules.wake()
		synctest.Wait()
		if g.policy().Number() != 7 || g.lanes[0].machine.Policy().Number() != 0 || g.lanes[0].shown.Load().view.Phase != lane.Gathering {
			t.Errorf("policy %d, the lane is %v under %d", g.policy().Number(), g.lanes[0].shown.Load().view.Phase, g.lanes[0].machine.Policy().Number())
		}
		skin(lens)
		later(2 * time.Second)
		away(lens)
		scan(t, g, 0, classmateBadge)
		skin(lens)
		later(2 * time.Second)
		var under []uint32
		for _, a := range arrivals(t, g) {
			under = append(under, a.Policy)
		}
		if !slices.Equal(under, []uint32{0, 7}) {
			t.Errorf("decided under %v", under)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAPolicyThatWasPublishedWhileTheGateWasOffIsTakenWhenItIsBack(t *testing.T) {
	dir, p := t.TempDir(), newPeer(t, "district")
	begin := func(retained ...wire.Down) (g *Gate, stop func() error) {
		g = joined(t, dir, p)
		g.rules.o.Signers = []ed25519.PublicKey{p.collector().Key}
		p.set(func(p *peer) { p.messages = nil })
		stop = run(t, g)
		await(t, "a session", func() (there bool) {
			p.set(func(p *peer) { there = p.messages != nil })
			return there
		})
		for _, d := range retained { // the broker's first word
			p.send(d)
		}
		return g, stop
	}
	g, stop := begin()
	stops(t, stop)
	if got := g.policy().Number(); got != 0 {
		t.Errorf("policy %d is in force", got)
	}
	published := wire.Down{Kind: wire.KindPolicy, Number: 3, Scope: "test", Body: policy.Sign([]byte(planned(7, "37.0", "")), p.key)}
	for range 2 { // and the broker retains it
		g, stop = begin(published)
		await(t, "the policy", func() bool { return g.policy().Number() == 7 })
		stops(t, stop)
	}
	g = reopened(t, dir)
	defer shut(t, g)
	if got := policies(t, g); !slices.Equal(got, []uint32{7}) {
		t.Errorf("the journal has %v", got)
	}
}

func TestNewerPoliciesSupersedeAndWhatEndedIsSaid(t *testing.T) {
	c := newClockAt(sevenNineteen)
	g := governed(t, t.TempDir(), c.now)
	defer shut(t, g)
	evening := sevenNineteen.Add(12 * time.Hour)
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", "valid_until = "+evening.Format(time.RFC3339))), bureau())))
	take(t, g, policyDocument(2, policy.Sign([]byte(planned(8, "37.1", "valid_until = "+evening.Format(time.RFC3339))), bureau())))
	g.rules.choose()
	if r := g.View().Rules; g.policy().Number() != 8 || r != (guard.Rules{Number: 8}) {
		t.Errorf("policy %d, %+v", g.policy().Number(), r)
	}
	if got := policies(t, g); !slices.Equal(got, []uint32{7, 8}) {
		t.Errorf("the journal has %v", got)
	}
	c.wall.Store(evening.Unix())
	g.rules.choose()
	if r := g.View().Rules; g.policy().Number() != 0 || !r.Ended || !slices.Contains(keys(g), "rules-ended") {
		t.Errorf("policy %d, %+v, %v", g.policy().Number(), r, keys(g))
	}
	known(t, "problem.rules-ended")
}

func TestEveryPolicyStandsInTheNextJournal(t *testing.T) {
	dir := t.TempDir()
	g := governed(t, dir, stillClock)
	tomorrow := stillClock().Wall.AddDate(0, 0, 1)
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", "")), bureau())))
	take(t, g, policyDocument(2, policy.Sign([]byte(planned(8, "37.1", "valid_from = "+tomorrow.Format(time.RFC3339))), bureau())))
	shut(t, g)
	if _, err := rebased(t, dir); err != nil {
		t.Fatal(err)
	}
	g = governed(t, dir, stillClock)
	defer shut(t, g)
	if got := policies(t, g); g.policy().Number() != 7 || !slices.Equal(got, []uint32{7, 8}) {
		t.Errorf("policy %d, the journal has %v", g.policy().Number(), got)
	}
}

func TestWhoIsInTheRoomCountsAsInSchoolWhereThePolicySaysSo(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer func() { shut(t, r.Gate) }()
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.rules.builtIn.doc.IsolationInside = true
	if n := r.inSchool(c.now().Wall); n != 0 {
		t.Errorf("on the way there: %d", n)
	}
	r.must(t, received)
	for _, inside := range []bool{false, true} {
		r.rules.builtIn.doc.IsolationInside = inside
		if n := r.inSchool(c.now().Wall); n != map[bool]int{true: 1}[inside] {
			t.Errorf("inside %v: %d", inside, n)
		}
	}
}

func TestTheRulesOwnSentenceNamesARowThatIsNew(t *testing.T) {
	before, err := policy.Parse("plan.toml", []byte(planned(7, "37.3", "")))
	if err != nil {
		t.Fatal(err)
	}
	after, err := policy.Parse("plan.toml", []byte(planned(8, "37.3", "")+`[[row]]
id = "promise"
zh = "请出示承诺书"
en = "Show your promise."
ask = { evidence = "document", name = "promise" }
fail = "refer"
mode = "enforce"
[[window]]
from = "07:00"
to = "08:00"
[cases]
isolation = "inside"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []guard.Change{{Kind: "windows"}, {Kind: "added", Row: "promise", Say: guard.Sentence{Zh: "请出示承诺书", En: "Show your promise."}},
		{Say: guard.Sentence{Zh: "隔离室的人算在校内", En: "whoever is in the isolation room counts as in school"}}}
	if got := changesOf(before, after); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	known(t, "rules.windows")
}
