package district

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
	page "github.com/menshen/menshen/web/district"
)

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

// publish publishes a policy and returns the file as it goes out.
func (r *running) publish(file string) string {
	r.t.Helper()
	o := r.office()
	p, err := o.PlanPolicy(r.t.Context(), "plan.toml", []byte(file))
	must(r.t, err)
	must(r.t, o.PublishPolicy(r.t.Context(), p))
	return string(p.file)
}

// second signs beside the collector.
func second() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

// withSecond is a collector that trusts the second signer too.
func withSecond(t *testing.T) *running {
	t.Helper()
	return startWith(t, &config.District{Name: "yucai", Data: t.TempDir(), Language: config.LanguageEnglish,
		PolicySigners: []string{wire.FormatPublicKey(second().Public().(ed25519.PublicKey))},
		Broker:        config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}}})
}

// warm is an arrival of a pupil who was admitted with a temperature.
func warm(subject uint64, value screening.MilliC) entry.Arrival {
	return entry.Arrival{Counter: uint32(subject), End: entry.EndDecided, Outcome: uint8(screening.Admit), Subject: subject, Role: uint8(screening.Student),
		Reading: &entry.Reading{Value: int32(value), Peak: int32(value), Site: uint8(screening.Forehead), Instrument: "lens", Quality: uint8(screening.Valid), Samples: 3}}
}

// TestAPolicyThatStopsMoreThanOneInTwentyWantsASecondSignature: of 20 people one
// is warm, and of 19 too.
func TestAPolicyThatStopsMoreThanOneInTwentyWantsASecondSignature(t *testing.T) {
	r, g := withSecond(t), newGate(t, "east")
	r.admit(g)
	r.importList(21) // of whom the trial knows grade and papers
	for i := range 19 {
		g.record(warm(uint64(i+1), 36_500))
	}
	g.record(warm(20, 37_100))
	g.stream(r.BrokerAddr(), publicKey(t, r))
	r.awaitTrue("the journal", func() bool { return r.isStored(g) })
	try := func(file string) Plan {
		t.Helper()
		p, err := r.office().PlanPolicy(t.Context(), "plan.toml", []byte(file))
		must(t, err)
		return p
	}
	for rule, tt := range map[string]struct {
		file    string
		stopped int
		err     error
	}{
		"nobody is stopped":                   {planned(7, "37.3", ""), 0, nil},
		"one in twenty":                       {planned(7, "37.0", ""), 1, nil},
		"all of them":                         {planned(7, "36.0", ""), 20, ErrSecond},
		"all of them, signed by somebody too": {string(policy.Sign([]byte(planned(8, "36.0", "")), second())), 20, nil},
	} {
		p := try(tt.file)
		if got := p.Tried; len(got) != 1 || got[0].School != school || got[0].People != 20 || got[0].Stopped != tt.stopped || got[0].Arrivals != 20 {
			t.Errorf("%s: tried %+v", rule, got)
		}
		if p.NeedsSecond() != (tt.err != nil) {
			t.Errorf("%s: wants another signature: %v", rule, p.NeedsSecond())
		}
		if tt.err != nil { // what may go out does in other tests
			if err := r.office().PublishPolicy(t.Context(), p); !errors.Is(err, tt.err) {
				t.Errorf("%s: published with %v", rule, err)
			}
		}
	}
	if all, _, err := r.office().Policies(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("published %v, %v", all, err)
	}
	g.record(warm(21, 37_100)) // two in twenty-one
	r.awaitTrue("the journal", func() bool { return r.isStored(g) })
	if p := try(planned(7, "37.0", "")); !p.NeedsSecond() {
		t.Errorf("%.3f of the people, and one signature is enough", p.Stopped())
	}
}

func TestAPolicyIsPublishedOnlyIfEveryGateCouldTakeIt(t *testing.T) {
	r, g := withSecond(t), newGate(t, "east")
	r.admit(g)
	r.publish(planned(6, "37.3", ""))
	g.record(entry.Policy{Number: 9, Name: "plan", Text: []byte(planned(9, "37.3", ""))}) // brought by hand
	g.stream(r.BrokerAddr(), publicKey(t, r))
	r.awaitTrue("the journal", func() bool { return r.isStored(g) })
	forged := strings.Replace(string(policy.Sign([]byte(planned(10, "37.0", "")), second())), "37.0", "37.2", 1)
	for rule, tt := range map[string]struct{ file, says string }{
		"a threshold of 45":                   {planned(10, "45", ""), "temperature.threshold"},
		"evidence that nobody knows":          {strings.Replace(planned(10, "37.3", ""), `"temperature"`+"\nfail", `"mood"`+"\nfail", 1), "mood"},
		"a gate that is not let in":           {planned(10, "37.3", "[scope]\nschools = [\"wset\"]"), "wset"},
		"a number that was published already": {planned(6, "37.0", ""), "was published already"},
		"a number that a gate is above":       {planned(8, "37.0", ""), "gate east has"},
		"no number":                           {planned(0, "37.0", ""), "number 0"},
		"a trusted signature of another file": {forged, policy.ErrForged.Error()},
	} {
		if _, err := r.office().PlanPolicy(t.Context(), "plan.toml", []byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestTheDistrictSeesWhoHasWhichPolicy(t *testing.T) {
	r, east, west, north := withSecond(t), newGate(t, "east"), newGate(t, "west"), newGate(t, "north")
	for _, g := range []*fakeGate{east, west, north} {
		r.admit(g)
	}
	r.publish(planned(6, "37.3", "[scope]\nschools = [\"north\"]"))
	tomorrow := time.Now().AddDate(0, 0, 1).Truncate(time.Second)
	old, next := planned(5, "37.3", ""), planned(7, "37.3", fmt.Sprintf("valid_from = %s\n[scope]\nschools = [\"east\", \"west\"]", tomorrow.Format(time.RFC3339)))
	out := r.publish(next)
	if again := r.publish(next); again != out {
		t.Error("the same file is not the same again")
	}
	all, _, err := r.office().Policies(t.Context())
	if err != nil || len(all) != 2 || all[0].Number != 7 || !slices.Equal(all[0].Missing, []string{"east", "west"}) || all[1].Number != 6 || !slices.Equal(all[1].Missing, []string{"north"}) {
		t.Fatalf("before any gate has said a word: %+v, %v", all, err)
	}
	post, err := r.admin.Posted(t.Context(), wire.KindPolicy.String(), "west")
	must(t, err)
	east.record(entry.Policy{Number: 5, Name: "plan", Text: []byte(old)})
	east.record(entry.Policy{Number: 7, Name: "plan", Text: []byte(out)})
	west.record(entry.Device{Role: "document", Event: entry.DeviceFault, Detail: fmt.Sprintf("yucai/policy/west %d refused: it is not meant for this gate", post.Number)})
	for _, g := range []*fakeGate{east, west} {
		g.stream(r.BrokerAddr(), publicKey(t, r))
	}
	r.await("the page", func(v page.View) bool {
		i := slices.IndexFunc(v.Gates, func(g page.Gate) bool { return g.Name == "east" })
		if len(v.Policies) != 2 || i < 0 {
			return false
		}
		p, d := v.Policies[0], v.Gates[i].Documents
		return p.Number == 7 && p.Of == 2 && p.Have == 1 && len(p.Missing) == 0 && slices.Equal(p.Refused, []string{"west"}) && p.From.Equal(tomorrow) &&
			v.Policies[1].Of == 1 && d.Policy == 5 && !d.Since.IsZero() && d.Next == 7 && d.From.Equal(tomorrow)
	})
	all, at, err := r.office().Policies(t.Context())
	if err != nil || len(all) != 2 || all[0].Refused["west"] != "it is not meant for this gate" || at["north"] != (PolicyAt{}) || at["east"].Next != 7 {
		t.Errorf("the tool says %+v, %+v, %v", all, at, err)
	}
}

func TestWhatIsInForceAtAGateFollowsFromItsEntries(t *testing.T) {
	day := time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)
	taken := func(number uint32, at, from, until int) takenPolicy {
		when := func(d int) time.Time {
			if d == 0 {
				return time.Time{}
			}
			return day.AddDate(0, 0, d)
		}
		return takenPolicy{cover{number: number, from: when(from), until: when(until)}, when(at)}
	}
	for rule, tt := range map[string]struct {
		all  []takenPolicy
		want PolicyAt
	}{
		"none was taken":                {nil, PolicyAt{}},
		"one at once":                   {[]takenPolicy{taken(7, 1, 0, 0)}, PolicyAt{InForce: 7, Since: day.AddDate(0, 0, 1)}},
		"one whose day came":            {[]takenPolicy{taken(7, 1, 3, 0)}, PolicyAt{InForce: 7, Since: day.AddDate(0, 0, 3)}},
		"the day of the newer is ahead": {[]takenPolicy{taken(7, 1, 0, 0), taken(8, 2, 9, 0)}, PolicyAt{InForce: 7, Since: day.AddDate(0, 0, 1), Next: 8, From: day.AddDate(0, 0, 9)}},
		"the newer is over":             {[]takenPolicy{taken(7, 1, 0, 0), taken(8, 2, 0, 4)}, PolicyAt{InForce: 7, Since: day.AddDate(0, 0, 1)}},
		"the only one is over":          {[]takenPolicy{taken(8, 2, 0, 4)}, PolicyAt{Since: day.AddDate(0, 0, 4)}},
	} {
		if got := (stands{taken: map[string][]takenPolicy{"east": tt.all}}).at("east", day.AddDate(0, 0, 5)); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", rule, got, tt.want)
		}
	}
}
