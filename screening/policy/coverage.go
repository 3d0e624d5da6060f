package policy

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/tomlfile"
)

// Rules is how many numbered rules the source documents hold.
const Rules = 103

// Elsewhere is a rule on which no gate can act, and why.
type Elsewhere struct {
	Rule uint8
	Why  screening.Text
}

// ParseElsewhere reads the table of rules on which no gate can act. The error is
// tomlfile.Faults.
func ParseElsewhere(name string, body []byte) ([]Elsewhere, error) {
	file, err := tomlfile.Parse(name, body, MaxSize)
	if err != nil {
		return nil, err
	}
	root := file.Root()
	var list []Elsewhere
	for _, t := range root.Tables("rule") {
		t.Require("number", "set the number of the rule")
		e := Elsewhere{Rule: uint8(t.Number("number", 0, 1, Rules)), Why: readSay(t)}
		if e.Why.Zh == "" {
			t.Fault("zh", "there is no reason", "say in both languages why no gate can act on it")
		}
		if e.Rule > 0 && slices.ContainsFunc(list, func(x Elsewhere) bool { return x.Rule == e.Rule }) {
			t.Fault("number", fmt.Sprintf("rule %d stands twice", e.Rule), "keep one of them")
		}
		t.End()
		list = append(list, e)
	}
	root.End()
	return list, file.Err()
}

// Coverage says of every rule which cases cite it, and of the others why none
// does.
type Coverage struct {
	// Cited are the policies whose cases cite rule i+1, in order.
	Cited     [Rules][]string
	Elsewhere []Elsewhere
}

// Cite counts the cases of a policy.
func (c *Coverage) Cite(name string, cases []Case) {
	for _, one := range cases {
		for _, rule := range one.Source.Rules {
			if by := &c.Cited[rule-1]; !slices.Contains(*by, name) {
				*by = append(*by, name)
			}
		}
	}
}

// Missing returns the rules that no case cites and of which no reason is given.
func (c *Coverage) Missing() (missing []int) {
	for i, by := range c.Cited {
		if len(by) == 0 && c.why(i+1).Zh == "" {
			missing = append(missing, i+1)
		}
	}
	return missing
}

func (c *Coverage) why(rule int) screening.Text {
	for _, e := range c.Elsewhere {
		if int(e.Rule) == rule {
			return e.Why
		}
	}
	return screening.Text{}
}

// Print writes the table, one rule a line.
func (c *Coverage) Print(w io.Writer) {
	for i, by := range c.Cited {
		switch why := c.why(i + 1); {
		case len(by) > 0:
			fmt.Fprintf(w, "%4d  %s\n", i+1, strings.Join(by, ", "))
		case why.Zh != "":
			fmt.Fprintf(w, "%4d  – %s / %s\n", i+1, why.Zh, why.En)
		default:
			fmt.Fprintf(w, "%4d  ! no case cites it, and no reason is given\n", i+1)
		}
	}
}
