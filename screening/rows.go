package screening

import "strings"

// Rows writes what failed as entries keep it: "row:reason", with an exclamation
// mark behind one that only warns.
func (d Decision) Rows() []string {
	var out []string
	for _, f := range d.Failures {
		s := f.Row + ":" + f.Reason.String()
		if f.Warn {
			s += "!"
		}
		out = append(out, s)
	}
	return out
}

// ReadDecision reads what Rows wrote, without the outcome that each row asked
// for. A row that it cannot read stays a failure.
func ReadDecision(outcome Outcome, rows []string) Decision {
	d := Decision{Outcome: outcome}
	for _, s := range rows {
		s, warn := strings.CutSuffix(s, "!")
		row, reason, _ := strings.Cut(s, ":")
		d.Failures = append(d.Failures, Failure{Row: row, Reason: ParseReason(reason), Warn: warn})
	}
	return d
}
