package main

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
)

// aPolicy is short, and stricter than the built-in one.
const aPolicy = `format = 1
number = 12
name = "strict"
title = { zh = "从严", en = "Strict" }
kind = "entry"
date = 2026-12-01
[temperature]
threshold = "36.4"
boundary = "reaches"
low = "35.0"
[[row]]
id = "identity"
zh = "请出示校牌"
en = "Show your badge."
ask = "identity"
fail = "refer"
source = { document = "002", line = 1332, quote = "任何人进入校门", rules = [13] }
[[row]]
id = "temperature"
ask = "temperature"
fail = "recheck"
`

// policyFile writes a policy and returns its name.
func policyFile(t *testing.T, body string) string {
	return write(t, filepath.Join(t.TempDir(), "strict.toml"), body)
}

func contents(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPolicyCheckPrintsEveryFault(t *testing.T) {
	good, bad := policyFile(t, aPolicy), policyFile(t, strings.NewReplacer("36.4", "45.0", "refer", "admit").Replace(aPolicy))
	gatectl(t, "", "policy", "check", good, "default").want(t, 0, "policy 12 strict, entry, 2 rows, ≥ 36.4 · 从严 / Strict", "policy 0 default")
	gatectl(t, "", "policy", "check", good, bad).want(t, exitConfig, `strict.toml:8: temperature.threshold: "45.0"`, `strict.toml:16: row.fail: "admit" is not known`)
	gatectl(t, "", "policy", "check", "no-such-policy").want(t, exitFailed, "no preset is called")
}

func TestPolicyTestRunsEveryPreset(t *testing.T) {
	root := filepath.Join("..", "..")
	began := time.Now()
	c := gatectl(t, "", "policy", "test", filepath.Join(root, "firmware-config", "policy"), "-cases", filepath.Join(root, "testdata", "policy"))
	took := time.Since(began)
	c.want(t, 0, " 0 failed;", "   1  ")
	gatectl(t, "", "policy", "test", "-cases", filepath.Join(root, "testdata", "policy")).want(t, 0, " 0 failed;")
	t.Logf("all presets and cases took %v", took)
}

func TestPolicyTestShowsWhatIsDifferent(t *testing.T) {
	dir, cases := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "strict.toml"), aPolicy)
	write(t, filepath.Join(cases, "strict.toml"), "policy = \"strict\"\n[[case]]\nname = \"a visitor comes in\"\nrules = [13]\n"+
		"[case.arrival]\nrole = \"visitor\"\nreadings = [ { value = \"36.5\" } ]\n[case.expect]\noutcome = \"admit\"\n")
	gatectl(t, "", "policy", "test", "-cases", cases, dir).want(t, exitFailed,
		"strict.toml:2: a visitor comes in\n  outcome   want admit, got recheck\n  failed    + temperature:high-once   was not\n", "13  strict", "1 of 1 cases failed")
	gatectl(t, "", "policy", "test", "-cases", dir, t.TempDir()).want(t, exitFailed, "there is no policy")
	gatectl(t, "", "policy", "test", "-cases", t.TempDir(), dir).want(t, exitFailed, "cases of strict", "-cases DIR")
}

func TestPolicyDiffSaysWhatChanges(t *testing.T) {
	gatectl(t, "", "policy", "diff", "default", policyFile(t, aPolicy)).want(t, 0,
		"体温:≥ 37.3 改为 ≥ 36.4 / limit: ≥ 36.4, was ≥ 37.3", "不再要求:")
	gatectl(t, "", "policy", "diff", "default", "default").want(t, 0, "没有变化 / nothing changes")
}

func TestPolicySignMakesAKeyOnceAndSignsWithIt(t *testing.T) {
	name, key := policyFile(t, aPolicy), filepath.Join(t.TempDir(), "signer.key")
	first := gatectl(t, "", "policy", "sign", "-key", key, name)
	first.want(t, 0, "signed by ed25519:", "policy_signers")
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	signed := contents(t, name)
	_, text, _ := strings.Cut(first.out, "signed by ")
	public, err := wire.ParsePublicKey(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := policy.Verify([]byte(signed), []ed25519.PublicKey{public})
	if err != nil || string(s.Body) != aPolicy {
		t.Errorf("%q, %v", s.Body, err)
	}
	gatectl(t, "", "policy", "sign", "-key", key, name).want(t, 0, strings.TrimSpace(text))
	if again := contents(t, name); again != signed {
		t.Error("signing again has changed the file")
	}
	gatectl(t, "", "policy", "sign", "-key", filepath.Join(t.TempDir(), "second.key"), name).want(t, 0)
	if lines := strings.Count(contents(t, name), "menshen-signature"); lines != 2 {
		t.Errorf("%d signatures", lines)
	}
}

func TestPolicySignRefusesWhatNoGateTakes(t *testing.T) {
	key := filepath.Join(t.TempDir(), "signer.key")
	for body, fault := range map[string]string{
		strings.Replace(aPolicy, "36.4", "45.0", 1):              "temperature.threshold",
		strings.Replace(aPolicy, "number = 12", "number = 0", 1): "number 0",
	} {
		name := policyFile(t, body)
		if c := gatectl(t, "", "policy", "sign", "-key", key, name); c.code == 0 || !strings.Contains(c.errors, fault) {
			t.Errorf("%+v", c)
		}
		if contents(t, name) != body {
			t.Error("a refused policy was changed")
		}
	}
	broken := write(t, filepath.Join(t.TempDir(), "broken.key"), "not a key")
	gatectl(t, "", "policy", "sign", "-key", broken, policyFile(t, aPolicy)).want(t, exitFailed, "no PEM")
}

func TestPolicyOrderIsOneQRCode(t *testing.T) {
	dir := t.TempDir()
	key, qr := filepath.Join(dir, "signer.key"), filepath.Join(dir, "order.png")
	c := gatectl(t, "", "policy", "order", "-key", key, "-qr", qr, "-number", "14", "-from", "2026-12-01", "-threshold", "37.0", "-warn", "green", "default")
	c.want(t, 0, "体温:≥ 37.3 改为 ≥ 37.0", "拦下改为提醒:", "policy 14 default")
	if png := contents(t, qr); !strings.HasPrefix(png, "\x89PNG") {
		t.Errorf("%d bytes are no picture", len(png))
	}
	text, _, _ := strings.Cut(c.out, "\n")
	k, err := new(tool).signingKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o, err := policy.ParseOrder(text, []ed25519.PublicKey{k.Public().(ed25519.PublicKey)})
	if err != nil || o.Number != 14 || o.Preset != "default" || o.Threshold != 37_000 || len(o.Rows) != 1 || !o.Rows[0].Warn {
		t.Errorf("%+v, %v", o, err)
	}
	for fault, args := range map[string][]string{
		"no number":           {"default"},
		"no preset is called": {"-number", "14", "nothing"},
		"has no row":          {"-number", "14", "-warn", "dance", "default"},
		"is no time":          {"-number", "14", "-from", "soon", "default"},
		"is no temperature":   {"-number", "14", "-threshold", "warm", "default"},
		"neither reaches nor": {"-number", "14", "-boundary", ">", "default"},
	} {
		c := gatectl(t, "", append([]string{"policy", "order", "-key", key, "-qr", qr}, args...)...)
		if c.code != exitFailed || !strings.Contains(c.errors, fault) {
			t.Errorf("%s: %+v", fault, c)
		}
	}
}

// lately is a journal of the last hour: policy 12 is in force, and one of two
// people was measured at 36.5 °C.
func lately(t *testing.T) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "journal.db")
	now := func() entry.Stamp { return entry.Stamp{Wall: time.Now(), Clock: entry.ClockSynced} }
	j, err := journal.Open(t.Context(), journal.Options{Path: name, Boot: entry.Boot{Version: "test"}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	arrival := func(counter, under uint32, o screening.Outcome, peak int32, rows ...string) entry.Arrival {
		return entry.Arrival{
			Counter: counter, End: entry.EndDecided, Outcome: uint8(o), Subject: uint64(counter), Role: uint8(screening.Student), Rows: rows, Policy: under,
			Reading: &entry.Reading{Value: peak, Peak: peak, Instrument: "lens", Quality: uint8(screening.Valid), Samples: 3},
		}
	}
	for _, body := range []any{
		arrival(1, 0, screening.Admit, 36_500), arrival(2, 0, screening.Admit, 36_200),
		entry.Policy{Number: 12, Name: "strict", Text: []byte(aPolicy)},
		arrival(3, 12, screening.Recheck, 36_500, "temperature:high-once"),
	} {
		kind, _ := entry.KindOf(body)
		if _, err := j.Append(t.Context(), journal.Draft{Kind: kind, Stamp: now(), Lane: 1, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPolicyReplaySaysWhatTheLastDaysWouldHaveBeen(t *testing.T) {
	name := lately(t)
	gatectl(t, "", "policy", "replay", "-journal", name, "-policy", policyFile(t, aPolicy)).want(t, 0,
		"3 arrivals of the last 7 days", "     admit        2        1\n", "   recheck        1        2\n",
		"row temperature fails newly 1 times", "1 of 3 people newly stopped (33.3 %)")
	gatectl(t, "", "policy", "replay", "-journal", name, "-policy", "default").want(t, 0, "     admit        2        3\n", "0 of 3 people")
	list := write(t, filepath.Join(t.TempDir(), "list.csv"), "学号,姓名,班级,角色,名册号\n1,甲,初三1班,学生,1\n")
	gatectl(t, "", "policy", "replay", "-journal", name, "-policy", "default", "-roster", list).want(t, 0, "0 of 3 people")
}

func TestPolicyExplainSaysWhyAnArrivalWasStopped(t *testing.T) {
	name := lately(t)
	gatectl(t, "", "policy", "explain", "-journal", name, "0-3").want(t, 0,
		"lane 1", "decided: recheck", "under policy 12 strict", "✗ temperature: high-once", "asks temperature, if it fails: recheck",
		"· identity", "请出示校牌 / Show your badge.", "002 L1332 「任何人进入校门」 rules 13")
	gatectl(t, "", "policy", "explain", "-journal", name, "0-1").want(t, 0, "decided: admit", "under policy 0 default", "002 L1247")
	gatectl(t, "", "policy", "explain", "-journal", name, "0-9").want(t, exitFailed, "holds no arrival 0-9")
	gatectl(t, "", "policy", "explain", "-journal", name, "three").want(t, exitFailed, "not of the form")
}

func TestPolicyIsCalledWithWhatItNeeds(t *testing.T) {
	for _, args := range []string{"", "frobnicate", "check", "check -x", "test a b", "sign a", "sign -key k", "order default", "diff a", "replay", "replay -policy a b", "explain"} {
		gatectl(t, "", append([]string{"policy"}, strings.Fields(args)...)...).want(t, exitUsage)
	}
}
