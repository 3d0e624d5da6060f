package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// policyExplain says why an arrival was decided as it was: its entry, and the rows
// of the policy then in force with the texts that demand them.
func (t *tool) policyExplain(ctx context.Context, args []string) error {
	var file string
	rest, err := t.flagsOf("explain", args, 1, func(f *flag.FlagSet) { f.StringVar(&file, "journal", "", "") })
	if err != nil {
		return err
	}
	id, err := entry.ParseArrivalID(rest[0])
	if err != nil {
		return err
	}
	r, err := t.openJournal(file)
	if err != nil {
		return err
	}
	defer r.Close()
	found, err := findArrival(ctx, r, id)
	if err != nil {
		return err
	}
	t.explain(found)
	return nil
}

// explained is an arrival with the policy under which it was decided.
type explained struct {
	seq   uint64
	entry entry.Entry
	body  entry.Arrival
	// policy is the body of the newest entry of that number, nil for the built-in
	// one.
	policy *entry.Policy
}

// findArrival looks for an arrival from the beginning of a journal on: the policy
// stands before it.
func findArrival(ctx context.Context, r *journal.Reader, id entry.ArrivalID) (explained, error) {
	policies := map[uint32]*entry.Policy{}
	for row, err := range r.Rows(ctx, 0) {
		if err != nil {
			return explained{}, err
		}
		e := row.Entry
		switch e.Kind {
		case entry.KindPolicy:
			body := new(entry.Policy)
			if err := e.Decode(body); err != nil {
				return explained{}, fmt.Errorf("read policy of entry %d: %w", row.Seq, err)
			}
			policies[body.Number] = body
		case entry.KindArrival:
			found := explained{seq: row.Seq, entry: e}
			if e.Boot != id.Boot {
				continue
			}
			if err := e.Decode(&found.body); err != nil {
				return explained{}, fmt.Errorf("read arrival of entry %d: %w", row.Seq, err)
			}
			if found.body.Counter == id.Counter {
				found.policy = policies[found.body.Policy]
				return found, nil
			}
		}
	}
	return explained{}, fmt.Errorf("the journal holds no arrival %v", id)
}

// document is the policy of the arrival, as far as this program can read it.
func (x explained) document() (policy.Document, error) {
	switch {
	case x.policy != nil:
		return policy.Parse(x.policy.Name+".toml", x.policy.Text)
	case x.body.Policy == screening.Default().Number:
		return policy.Document{Spec: screening.Default()}, nil
	}
	return policy.Document{}, errors.New("no entry before it holds that policy")
}

func (t *tool) explain(x explained) {
	p := func(format string, args ...any) { fmt.Fprintf(t.stdout, format+"\n", args...) }
	a := x.body
	outcome := screening.Outcome(a.Outcome)
	p("entry %d, lane %d, %s (%s clock)", x.seq, x.entry.Lane, time.UnixMilli(x.entry.Wall).Format("2006-01-02 15:04:05"), x.entry.Clock)
	p("person %d, %s", a.Subject, map[bool]string{true: "out", false: "in"}[screening.Direction(a.Direction) == screening.Out])
	if a.End == entry.EndIncomplete {
		p("nothing was decided: the person left before the evidence was complete")
		return
	}
	if r := a.Reading; r != nil {
		p("measured %v by %s, %s", screening.MilliC(r.Peak), r.Instrument,
			nameOf(r.Quality, "too few samples", "valid", "too cold", "scattered", "stale", "outside its ambient window", "too hot"))
	}
	if c := a.Code; c != nil && c.Colour != 0 {
		p("colour %s, %s", nameOf(c.Colour, "unknown", "green", "yellow", "red", "pop-up"), nameOf(c.How, "of unknown origin", "from the list", "seen", "seen printed"))
	}
	p("decided: %v", outcome)
	d, err := x.document()
	if err != nil {
		p("policy %d cannot be shown: %v", a.Policy, err)
		return
	}
	p("under %s", titleOf(d))
	t.explainRows(screening.ReadDecision(outcome, a.Rows), d.Spec.Requirements)
}

// nameOf is the name of a number that stands in an entry.
func nameOf(n uint8, names ...string) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("of a newer program (%d)", n)
}

// explainRows prints what failed first, and then what was asked beside it.
func (t *tool) explainRows(d screening.Decision, rows []screening.Requirement) {
	failed := map[string]bool{}
	for _, f := range d.Failures {
		failed[f.Row] = true
		mark := "✗"
		if f.Warn {
			mark = "!"
		}
		fmt.Fprintf(t.stdout, "  %s %s: %s\n", mark, f.Row, f.Reason)
		for _, r := range rows {
			if r.ID == f.Row {
				t.explainRow(r)
			}
		}
	}
	for _, r := range rows {
		if !failed[r.ID] {
			fmt.Fprintf(t.stdout, "  · %s\n", r.ID)
			t.explainRow(r)
		}
	}
}

// explainRow prints the sentence of a row and the text that demands it.
func (t *tool) explainRow(r screening.Requirement) {
	if r.Say.Zh != "" {
		fmt.Fprintf(t.stdout, "      %s / %s\n", r.Say.Zh, r.Say.En)
	}
	fmt.Fprintf(t.stdout, "      asks %v, if it fails: %v\n", r.Ask.Evidence, r.Fail)
	if s := r.Source; s.Document != "" {
		text := fmt.Sprintf("%s L%d", s.Document, s.Line)
		if s.Quote != "" {
			text += " 「" + s.Quote + "」"
		}
		if len(s.Rules) > 0 {
			text += " rules " + strings.Trim(fmt.Sprint(s.Rules), "[]")
		}
		fmt.Fprintf(t.stdout, "      %s\n", text)
	}
}
