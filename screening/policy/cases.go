package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/tomlfile"
)

// Case is one arrival with what the policy must decide of it, and the text that
// demands it.
type Case struct {
	Name   string
	Source screening.Source
	// File and Line are where the case stands.
	File string
	Line int

	Arrival screening.Arrival
	Want    Want
}

// Want is what a case expects. Failures are written "row:reason".
type Want struct {
	Outcome screening.Outcome
	// Failed are exactly the failures that decide, in any order.
	Failed []string
	// Warned are exactly those that only warn.
	Warned []string
}

// maxCases bounds a file of cases, in bytes.
const maxCases = 256 << 10

// ParseCases reads the cases of a policy. The error is tomlfile.Faults.
func ParseCases(name string, body []byte, d Document) ([]Case, error) {
	file, err := tomlfile.Parse(name, body, maxCases)
	if err != nil {
		return nil, err
	}
	root := file.Root()
	if of := readID(root, "policy"); of != "" && of != d.Spec.Name {
		root.Fault("policy", tomlfile.Quote(of)+" is not the policy beside it", "write "+tomlfile.Quote(d.Spec.Name))
	}
	var cases []Case
	for _, t := range root.Tables("case") {
		cases = append(cases, readCase(name, t, d))
	}
	root.End()
	if err := file.Err(); err != nil {
		return nil, err
	}
	return cases, nil
}

func readCase(file string, t *tomlfile.Table, d Document) Case {
	defer t.End()
	c := Case{Name: t.Required("name", "say in a sentence what the policy demands"), File: file, Line: t.Line()}
	rules := readRules(t)
	c.Source = readSource(t)
	c.Source.Rules = append(c.Source.Rules, rules...)
	t.Require("arrival", "write [case.arrival]")
	if arrival := t.Table("arrival"); arrival != nil {
		c.Arrival = readArrival(arrival, d)
	}
	t.Require("expect", "write [case.expect] with the outcome")
	if expect := t.Table("expect"); expect != nil {
		c.Want = readWant(expect)
	}
	return c
}

func readWant(t *tomlfile.Table) Want {
	defer t.End()
	return Want{
		Outcome: readOutcome(t, "outcome", append(failWords(), screening.Admit.String())),
		Failed:  t.List("failed", 64), Warned: t.List("warned", 64),
	}
}

// knownSubject is the roster number of who is known.
const knownSubject = 7

func readArrival(t *tomlfile.Table, d Document) screening.Arrival {
	defer t.End()
	a := screening.Arrival{
		Direction: screening.Direction(word(t, "direction", 0, directionWords()[:2])),
		Subject: screening.Subject{
			ID: knownSubject, Role: screening.Role(word(t, "role", 0, roleWords())),
			Grade: t.Text("grade", ""), Boarding: screening.Boarding(word(t, "boarding", 0, boardingWords())),
		},
		Lane: uint8(t.Number("lane", 0, 1, 16)), Held: t.Flag("held"), NoSchool: t.Flag("no_school"),
		Case:         screening.CaseState(word(t, "case", 0, []string{"none", "open", "owed"})),
		Again:        screening.Again(word(t, "again", 0, []string{"none", "inside", "elsewhere"})),
		Now:          d.Date.In(beijing()).Add(7*time.Hour + 20*time.Minute),
		ClockTrusted: t.Choice("clock", "trusted", "trusted", "untrusted") == "trusted",
	}
	if t.Flag("unknown") {
		a.Subject.ID = 0
	} else {
		t.Require("role", "set the role, or unknown = true")
	}
	if s := t.Text("place", ""); s != "" {
		place, ok := screening.ParsePlace(s)
		if !ok {
			t.Fault("place", tomlfile.Quote(s)+" is not known", "set gate, dormitory, canteen, bus or classroom")
		}
		a.Place = place
	}
	if at, ok := tomlfile.Read[time.Time](t, "at", "a time with its offset"); ok {
		a.Now = at
	}
	readEvidence(t, d, &a)
	return a
}

func readEvidence(t *tomlfile.Table, d Document, a *screening.Arrival) {
	p, err := screening.Compile(d.Spec)
	if err != nil {
		return // no Document is refused
	}
	for _, r := range t.Tables("readings") {
		a.Readings = append(a.Readings, readReading(r, p))
	}
	if colour := t.Table("colour"); colour != nil {
		a.Code = readColour(colour, a.Now)
	}
	for _, q := range t.Tables("proofs") {
		a.Proofs = append(a.Proofs, readProof(q, a.Now))
	}
	for _, s := range t.Tables("shown") {
		a.Shown = append(a.Shown, screening.Shown{Row: readID(s, "row"), InOrder: s.Flag("in_order")})
		s.End()
	}
}

func siteWords() []string { return []string{"forehead", "wrist", "ear", "axilla"} }

func qualityWords() []string {
	return []string{"missing", "valid", "cold", "scattered", "stale", "ambient", "hot"}
}

func readReading(t *tomlfile.Table, p screening.Policy) screening.Reading {
	defer t.End()
	t.Require("value", `set it, such as "36.5"`)
	v := readMilliC(t, "value", 0, 99_999)
	r := screening.Reading{
		Value: v, Peak: v, Site: screening.Site(word(t, "site", 0, siteWords())),
		Instrument: t.Text("instrument", "lens"), Formula: screening.FormulaSkin1, Samples: screening.SamplesPerReading,
	}
	r.Quality = screening.Valid
	if v < p.LowAt(r.Site) {
		r.Quality = screening.Cold
	}
	r.Quality = screening.Quality(word(t, "quality", int(r.Quality), qualityWords()))
	return r
}

func readColour(t *tomlfile.Table, now time.Time) screening.Code {
	defer t.End()
	t.Require("is", "set green, yellow, red or pop-up")
	return screening.Code{
		Colour: screening.Colour(word(t, "is", 0, colourWords())),
		How:    screening.How(word(t, "how", int(screening.FromRoster), []string{"", "roster", "seen", "printed"})),
		AsOf:   readAge(t, now),
	}
}

func readProof(t *tomlfile.Table, now time.Time) screening.Proof {
	defer t.End()
	return screening.Proof{
		Of: parseEvidence(t, "of", t.Required("of", "name the evidence")), Name: t.Text("name", ""),
		Bad: t.Flag("bad"), At: readAge(t, now),
	}
}

// readAge reads how long ago something was true. Left out it is true now; of
// "unknown" nobody knows when it was.
func readAge(t *tomlfile.Table, now time.Time) time.Time {
	if t.Peek("age") == "unknown" {
		t.Text("age", "")
		return time.Time{}
	}
	return now.Add(-t.Duration("age", 0, -24*time.Hour, 400*24*time.Hour))
}

// Run decides the case under a policy. It returns "" where the policy decides as
// the case wants, and otherwise what is different, one line each.
func (c Case) Run(p screening.Policy) string {
	got := p.Decide(c.Arrival)
	var b strings.Builder
	if got.Outcome != c.Want.Outcome {
		fmt.Fprintf(&b, "  outcome   want %v, got %v\n", c.Want.Outcome, got.Outcome)
	}
	var failed, warned []string
	for _, row := range got.Rows() {
		if warn, only := strings.CutSuffix(row, "!"); only {
			warned = append(warned, warn)
		} else {
			failed = append(failed, row)
		}
	}
	differ(&b, "failed", c.Want.Failed, failed)
	differ(&b, "warned", c.Want.Warned, warned)
	return b.String()
}

// differ writes what is missing and what is too much of a list in any order.
func differ(b *strings.Builder, what string, want, got []string) {
	rest := slices.Clone(got)
	for _, w := range want {
		if i := slices.Index(rest, w); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			fmt.Fprintf(b, "  %-9s - %s   was wanted\n", what, w)
		}
	}
	for _, g := range rest {
		fmt.Fprintf(b, "  %-9s + %s   was not\n", what, g)
	}
}

// Failure is a case that a policy decides otherwise.
type Failure struct {
	Case Case
	// Diff says what is different, one line each.
	Diff string
}

// String is the case's place and name with the differences below.
func (f Failure) String() string {
	return fmt.Sprintf("%s:%d: %s\n%s", f.Case.File, f.Case.Line, f.Case.Name, f.Diff)
}

// RunCases returns the cases that the policy decides otherwise.
func RunCases(d Document, cases []Case) (failed []Failure) {
	p, err := screening.Compile(d.Spec)
	if err != nil {
		return []Failure{{Diff: err.Error()}} // no Document is refused
	}
	for _, c := range cases {
		if diff := c.Run(p); diff != "" {
			failed = append(failed, Failure{c, diff})
		}
	}
	return failed
}
