// Package watch knows what a school should be told of many records at once:
// clusters of like illness, against a table that a policy carries, and the signs
// that a gate waves people through instead of screening them.
//
// It knows no journal, no clock, no calendar and nobody's name. It accuses
// nobody: what it returns is a reason for somebody to go and look.
package watch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope is whom a rule counts together. The numbers stand in policies.
type Scope uint8

// The scopes.
const (
	Class     Scope = 0
	Dormitory Scope = 1
	School    Scope = 2
)

// String returns the scope's word.
func (s Scope) String() string {
	names := [...]string{"class", "dormitory", "school"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Any is the syndrome of a rule that holds for every sign of [Signs], each
// counted by itself: three who cough and two who vomit are no five.
const Any = "any"

// ILI is influenza-like illness: fever with cough or sore throat.
const ILI = "ili"

// Signs are what is seen of somebody that several may have in common, in the
// words of the pages.
func Signs() []string {
	return []string{"fever", "cough", "sore-throat", "vomiting", "diarrhoea", "rash"}
}

// Rule is one line of the policy's table of clusters.
type Rule struct {
	// Syndrome is Any, ILI, one of Signs, or a diagnosis such as norovirus.
	Syndrome string
	Scope    Scope
	// Cases is from how many different people on there is a cluster, 1 to 1,000.
	Cases int
	// Days are the school days, 1 to 14, the present one included, within which
	// they fall ill.
	Days int
	// Source is the text that demands the rule.
	Source string
}

// The bounds of a table of rules.
const (
	maxRules  = 64
	maxCases  = 1_000
	maxDays   = 14
	maxWord   = 32
	maxSource = 200
)

// DefaultRules are like symptoms in one class or dormitory, and what Huzhou's schools were
// told in 2023 to report of one disease in the whole school.
func DefaultRules() []Rule {
	const common, huzhou = "002 L1026", "Huzhou 2023-09-11"
	return []Rule{
		{Any, Class, 3, 1, common},
		{Any, Class, 5, 3, common},
		{Any, Dormitory, 3, 1, common},
		{Any, Dormitory, 5, 3, common},
		{ILI, School, 10, 7, huzhou},
		{"norovirus", School, 10, 7, huzhou},
		{"hand-foot-mouth", School, 5, 7, huzhou},
		{"hand-foot-mouth", Class, 2, 7, huzhou},
		{"varicella", School, 5, 7, huzhou},
		{"mumps", School, 5, 7, huzhou},
		{"measles", School, 2, 10, huzhou},
	}
}

// Check returns every fault of a table.
func Check(rules []Rule) error {
	var faults []error
	if len(rules) > maxRules {
		faults = append(faults, fmt.Errorf("%d rules are more than %d", len(rules), maxRules))
	}
	for i, r := range rules {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("rule %d: "+format, append([]any{i + 1}, args...)...))
		}
		if r.Syndrome == "" || len(r.Syndrome) > maxWord || strings.Trim(r.Syndrome, "abcdefghijklmnopqrstuvwxyz-") != "" {
			fault("its syndrome is not a word of a-z and -, at most %d", maxWord)
		}
		if r.Scope > School {
			fault("scope %d is unknown", r.Scope)
		}
		if r.Cases < 1 || r.Cases > maxCases {
			fault("%d cases lie outside 1 to %d", r.Cases, maxCases)
		}
		if r.Days < 1 || r.Days > maxDays {
			fault("%d days lie outside 1 to %d", r.Days, maxDays)
		}
		if len(r.Source) > maxSource {
			fault("its source is longer than %d bytes", maxSource)
		}
	}
	return errors.Join(faults...)
}

// Event is one person of whom something was found: by a case, a class check or
// a reported absence.
type Event struct {
	// Subject is a roster number. Somebody whom nobody knows, 0, is nobody's
	// class-mate and may be counted already: such an event counts for nothing.
	Subject          uint64
	Class, Dormitory string
	// Day is 2006-01-02 of the gate's own time, At when it became known.
	Day string
	At  time.Time
	// Syndromes are what Syndromes returns, and diagnoses.
	Syndromes []string
}

// Syndromes returns what was found, as rules call it. Of the words of stops and
// pages it knows those that speak of an illness; a fever is also what the room
// has measured.
func Syndromes(found []string, fever bool) []string {
	var out []string
	for _, s := range Signs() {
		if slices.Contains(found, s) || s == "fever" && fever {
			out = append(out, s)
		}
	}
	if slices.Contains(out, "fever") && (slices.Contains(out, "cough") || slices.Contains(out, "sore-throat")) {
		out = append(out, ILI)
	}
	return out
}

// Cluster is one group that a rule speaks of.
type Cluster struct {
	Key
	// Rule is the line of the table that the group is furthest beyond.
	Rule Rule
	// People are the roster numbers, in the order in which they were found.
	People []uint64
	// Step is how often the rule's number of cases is reached.
	Step int
	// At is when that became known.
	At time.Time
}

// Key is what a cluster stays while it grows.
type Key struct {
	// Syndrome is never Any.
	Syndrome string
	Scope    Scope
	// Place is the name of the class or dormitory, empty of the school.
	Place string
}

// place returns where an event counts for a rule, and whether it does.
func (e Event) place(s Scope) (place string, ok bool) {
	switch s {
	case Class:
		place = e.Class
	case Dormitory:
		place = e.Dormitory
	case School:
		return "", e.Subject != 0
	}
	return place, place != "" && e.Subject != 0
}

// Clusters returns what the rules speak of, the newest first. Since returns the
// first of the last so many school days, as 2006-01-02. The order of the events
// does not matter.
func Clusters(events []Event, rules []Rule, since func(days int) string) []Cluster {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Subject, b.Subject))
	})
	best := map[Key]Cluster{}
	for _, r := range rules {
		for key, group := range gather(events, r, since(r.Days)) {
			n := len(group) / max(r.Cases, 1)
			if n == 0 {
				continue
			}
			if was, known := best[key]; known && (was.Step > n || was.Step == n && len(was.People) >= len(group)) {
				continue
			}
			c := Cluster{Key: key, Rule: r, Step: n, At: group[n*r.Cases-1].At}
			for _, e := range group {
				c.People = append(c.People, e.Subject)
			}
			best[key] = c
		}
	}
	var all []Cluster
	for _, c := range best {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Cluster) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Syndrome, b.Syndrome), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Place, b.Place))
	})
	return all
}

// gather returns, of each group that a rule counts together, the first event of
// every person since a day.
func gather(events []Event, r Rule, first string) map[Key][]Event {
	groups, seen := map[Key][]Event{}, map[Key]map[uint64]bool{}
	for _, e := range events {
		place, counts := e.place(r.Scope)
		if !counts || e.Day < first {
			continue
		}
		for _, s := range e.Syndromes {
			if s != r.Syndrome && (r.Syndrome != Any || !slices.Contains(Signs(), s)) {
				continue
			}
			key := Key{s, r.Scope, place}
			if seen[key] == nil {
				seen[key] = map[uint64]bool{}
			}
			if !seen[key][e.Subject] {
				seen[key][e.Subject] = true
				groups[key] = append(groups[key], e)
			}
		}
	}
	return groups
}

// Told is how far each cluster has been told of. A cluster that is gone is
// forgotten, so that the next one of its kind is told again.
type Told map[Key]int

// News returns the clusters that are to be told now, which are those that are
// new or have reached another step, and takes them for told.
func (t Told) News(now []Cluster) (news []Cluster) {
	there := map[Key]bool{}
	for _, c := range now {
		there[c.Key] = true
		if c.Step > t[c.Key] {
			t[c.Key] = c.Step
			news = append(news, c)
		}
	}
	for key := range t {
		if !there[key] {
			delete(t, key)
		}
	}
	return news
}
