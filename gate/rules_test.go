package gate

import (
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
)

// bureau signs policies; stranger does as well, and nobody trusts it.
func bureau() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }
func stranger() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize)))
}

// planned is a policy file with a number, a threshold and whatever else is put
// before its tables.
func planned(number int, threshold, more string) string {
	return fmt.Sprintf(`format = 1
number = %d
name = "plan"
title = { zh = "方案", en = "plan" }
kind = "entry"
date = 2022-03-01
%s
[temperature]
threshold = "%s"
boundary = "reaches"
low = "35.0"
[[row]]
id = "identity"
ask = "identity"
fail = "refer"
mode = "enforce"
[[row]]
id = "temperature"
ask = "temperature"
fail = "recheck"
mode = "enforce"
`, number, more, threshold)
}

func policyDocument(number uint64, file []byte) document {
	return document{"district", wire.Down{Kind: wire.KindPolicy, Number: number, Scope: wire.ScopeAll, Body: file}}
}

// governed is a gate that trusts the bureau's policies and does not run.
func governed(t *testing.T, dir string, now func() entry.Stamp) *Gate {
	t.Helper()
	g, _ := build(t, dir, now)
	g.rules.o = Rules{Signers: []ed25519.PublicKey{bureau().Public().(ed25519.PublicKey)}, Presets: fstest.MapFS{
		"plan.toml": {Data: []byte(planned(0, "37.3", ""))},
	}}
	open(t, g)
	if err := g.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.collectors.inbox.open(filepath.Join(dir, documentsFile)); err != nil {
		t.Fatal(err)
	}
	g.rules.choose()
	return g
}

// policies lists the numbers of the policies in the journal.
func policies(t *testing.T, g *Gate) (all []uint32) {
	t.Helper()
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var p entry.Policy
		if row.Entry.Kind == entry.KindPolicy && row.Entry.Decode(&p) == nil {
			all = append(all, p.Number)
		}
	}
	return all
}

func TestASignedPolicyIsInForceWithItsEntryAndAfterARestart(t *testing.T) {
	dir := t.TempDir()
	g := governed(t, dir, stillClock)
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", "")), bureau())))
	g.rules.choose()
	if got := g.policy().Number(); got != 7 {
		t.Fatalf("policy %d is in force", got)
	}
	for _, l := range g.lanes {
		if ev, ok := (<-l.events).(lane.PolicyChanged); !ok || ev.Policy.Number() != 7 {
			t.Errorf("lane %d was told %v", l.cfg.Number, ev)
		}
	}
	shut(t, g)
	g = governed(t, dir, stillClock)
	defer shut(t, g)
	if limit, _ := g.policy().Threshold(); limit != 37_000 {
		t.Errorf("after the restart the threshold is %v", limit)
	}
	if got := policies(t, g); !slices.Equal(got, []uint32{7}) {
		t.Errorf("the journal has %v", got)
	}
}

func TestAPolicyIsRefusedByAnEntryThatSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"nobody signed it":                       {[]byte(planned(7, "37.0", "")), "no signature"},
		"a stranger signed it":                   {policy.Sign([]byte(planned(7, "37.0", "")), stranger()), "no key that is trusted"},
		"changed after it was signed":            {[]byte(strings.Replace(string(policy.Sign([]byte(planned(7, "37.0", "")), bureau())), "37.0", "37.2", 1)), "not of this file"},
		"validly signed, with a threshold of 45": {policy.Sign([]byte(planned(7, "45", "")), bureau()), "threshold"},
		"evidence that nobody knows":             {policy.Sign([]byte(strings.Replace(planned(7, "37.0", ""), `ask = "temperature"`, `ask = "mood"`, 1)), bureau()), "mood"},
		"without a number":                       {policy.Sign([]byte(planned(0, "37.0", "")), bureau()), "numbers must rise"},
		"the number of the one before":           {policy.Sign([]byte(planned(6, "37.0", "")), bureau()), "numbers must rise"},
		"for another school":                     {policy.Sign([]byte(planned(7, "37.0", "[scope]\nschools = [\"elsewhere\"]")), bureau()), "not meant for this gate"},
	} {
		t.Run(name, func(t *testing.T) {
			g := governed(t, t.TempDir(), stillClock)
			defer shut(t, g)
			take(t, g, policyDocument(1, policy.Sign([]byte(planned(6, "37.1", "")), bureau())))
			take(t, g, policyDocument(2, c.file))
			g.rules.choose()
			if got := g.policy().Number(); got != 6 {
				t.Errorf("policy %d is in force", got)
			}
			if all := refusals(t, g); len(all) != 1 || !strings.Contains(all[0], c.says) {
				t.Errorf("refused with %q, which does not say %q", all, c.says)
			}
		})
	}
}

func TestAPolicyWaitsForItsDayAndEndsWithIt(t *testing.T) {
	began := time.Date(2022, 3, 1, 22, 0, 0, 0, time.UTC)
	c := newClockAt(began)
	g := governed(t, t.TempDir(), c.now)
	defer shut(t, g)
	midnight, evening := began.Add(2*time.Hour), began.Add(20*time.Hour)
	more := fmt.Sprintf("valid_from = %s\nvalid_until = %s", midnight.Format(time.RFC3339), evening.Format(time.RFC3339))
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", more)), bureau())))
	for _, step := range []struct {
		at   time.Time
		want uint32
	}{{began, 0}, {midnight.Add(-time.Second), 0}, {midnight, 7}, {evening.Add(-time.Second), 7}, {evening, 0}} {
		c.wall.Store(step.at.Unix())
		if waits := g.rules.choose(); waits != step.at.Before(evening) {
			t.Errorf("at %v it says %v of a day to come", step.at, waits)
		}
		if got := g.policy().Number(); got != step.want {
			t.Errorf("at %v policy %d is in force, want %d", step.at, got, step.want)
		}
	}
}

func TestAClockThatNobodyVouchesForBeginsNoPolicyAndEndsNone(t *testing.T) {
	began := time.Date(2022, 3, 1, 22, 0, 0, 0, time.UTC)
	clock := entry.ClockSynced
	wall := began
	g := governed(t, t.TempDir(), func() entry.Stamp { return entry.Stamp{Wall: wall, Clock: clock} })
	defer shut(t, g)
	first := fmt.Sprintf("valid_until = %s", began.Add(time.Hour).Format(time.RFC3339))
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", first)), bureau())))
	next := fmt.Sprintf("valid_from = %s", began.Add(time.Hour).Format(time.RFC3339))
	take(t, g, policyDocument(2, policy.Sign([]byte(planned(8, "37.1", next)), bureau())))
	clock, wall = entry.ClockUnset, began.Add(48*time.Hour)
	g.rules.choose()
	if got := g.policy().Number(); got != 7 {
		t.Errorf("by a clock of its own making policy %d is in force", got)
	}
	clock = entry.ClockConfirmed
	g.recorder.clock.confirm()
	g.rules.choose()
	if got := g.policy().Number(); got != 8 {
		t.Errorf("after somebody confirmed the time policy %d is in force", got)
	}
}

func TestAPolicyOrderBecomesThePolicyThatItMakesOfItsPreset(t *testing.T) {
	dir := t.TempDir()
	g := governed(t, dir, stillClock)
	preset, err := policy.Preset(g.rules.o.Presets, "plan")
	if err != nil {
		t.Fatal(err)
	}
	order := policy.Order{Preset: "plan", Edition: preset.Edition(), Number: 9, Threshold: 37_000}
	text, err := order.Encode(bureau())
	if err != nil {
		t.Fatal(err)
	}
	x, err := g.rules.order(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.rules.enact(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	shut(t, g)
	g = governed(t, dir, stillClock)
	defer shut(t, g)
	if limit, _ := g.policy().Threshold(); g.policy().Number() != 9 || limit != 37_000 {
		t.Errorf("policy %d with %v is in force", g.policy().Number(), limit)
	}
	if !strings.Contains(string(g.rules.newest().file), orderMark+text) {
		t.Error("the journal does not keep the order")
	}
	if _, err := g.rules.order(text); err != errPolicyOld {
		t.Errorf("the same order again: %v", err)
	}
	forged, err := order.Encode(stranger())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.rules.order(forged); err == nil {
		t.Error("an order that a stranger signed is read")
	}
}

func TestWhatThePolicySaysOfCasesHoldsFromThenOn(t *testing.T) {
	g := governed(t, t.TempDir(), stillClock)
	defer shut(t, g)
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", "")+"[cases]\nrounds = 3\n"), bureau())))
	g.rules.choose()
	if got := g.document().Cases.Rounds; got != 3 {
		t.Errorf("%d rounds", got)
	}
	if _, boundary := g.policy().Threshold(); boundary != screening.Reaches {
		t.Errorf("boundary %v", boundary)
	}
}

// The rows of other rules may ask for other things under the same names.
func TestWhatWasSeenUnderOtherRulesServesNoLonger(t *testing.T) {
	g := governed(t, t.TempDir(), stillClock)
	defer shut(t, g)
	g.register.carrySeen(pupilID, screening.Arrival{Shown: []screening.Shown{{Row: "paper", InOrder: true}}}, stillClock().Mono)
	g.rules.choose()
	if _, ok := g.register.seenLately(pupilID, stillClock().Mono); !ok {
		t.Fatal("forgotten although the rules are the same")
	}
	take(t, g, policyDocument(1, policy.Sign([]byte(planned(7, "37.0", "")), bureau())))
	g.rules.choose()
	if s, ok := g.register.seenLately(pupilID, stillClock().Mono); ok {
		t.Errorf("under other rules %+v still serves", s)
	}
}
