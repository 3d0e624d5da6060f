package policy

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/menshen/menshen/screening"
)

// Recorded is one arrival that was decided, as a journal keeps it.
type Recorded struct {
	// Arrival is the evidence as far as it is kept.
	Arrival screening.Arrival
	// Decision is what was decided then, and Under by which policy; the zero policy
	// where that is not known.
	Decision screening.Decision
	Under    screening.Policy
}

// Replayed is what another policy would have decided.
type Replayed struct {
	Arrivals int
	// Before and After count arrivals by screening.Outcome.
	Before, After [5]int
	// Rows are those that fail now where they did not, the most frequent first.
	Rows []RowCount
	// People are all who arrived and are known, Stopped those of them whom the
	// other policy stops at least once where they were admitted.
	People, Stopped int
}

// RowCount is how many arrivals fail a row.
type RowCount struct {
	Row      string
	Arrivals int
}

// Share is the part of the people who are newly stopped, 0 to 1.
func (r Replayed) Share() float64 {
	if r.People == 0 {
		return 0
	}
	return float64(r.Stopped) / float64(r.People)
}

// Replay decides recorded arrivals under another policy. A journal keeps which
// rows failed and not the papers that somebody looked at: what a row asked for
// that held is taken for shown where the other policy asks for the same, and for
// missing where it asks for something else.
func Replay(p screening.Policy, arrivals iter.Seq2[Recorded, error]) (Replayed, error) {
	var out Replayed
	lookable := slices.DeleteFunc(p.Spec().Requirements, func(r screening.Requirement) bool { return !r.Lookable() })
	rows, people := map[string]int{}, map[uint64]bool{} // roster number to newly stopped
	for r, err := range arrivals {
		if err != nil {
			return Replayed{}, err
		}
		now := r.decide(p, lookable)
		out.Arrivals++
		out.Before[min(int(r.Decision.Outcome), 4)]++
		out.After[min(int(now.Outcome), 4)]++
		for _, f := range now.Failures {
			if !f.Warn && !r.stoppedBy(f.Row) {
				rows[f.Row]++
			}
		}
		if id := r.Arrival.Subject.ID; id != 0 {
			people[id] = people[id] || r.Decision.Outcome == screening.Admit && now.Outcome != screening.Admit
		}
	}
	out.People = len(people)
	for _, stopped := range people {
		if stopped {
			out.Stopped++
		}
	}
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		out.Rows = append(out.Rows, RowCount{row, rows[row]})
	}
	slices.SortStableFunc(out.Rows, func(a, b RowCount) int { return cmp.Compare(b.Arrivals, a.Arrivals) })
	return out, nil
}

// decide decides the arrival anew. What stopped it outside every policy stops it
// again.
func (r Recorded) decide(p screening.Policy, lookable []screening.Requirement) screening.Decision {
	a := r.Arrival
	for _, held := range r.held() {
		for _, row := range lookable {
			if row.Ask == held.Ask && slices.Equal(row.Or, held.Or) {
				a.Shown = append(slices.Clip(a.Shown), screening.Shown{Row: row.ID, InOrder: true})
			}
		}
	}
	d := p.Decide(a)
	for _, f := range r.Decision.Failures {
		if f.Reason == screening.LaneAttended {
			d = d.Stop(f.Row, f.Reason, screening.Refer)
		}
	}
	return d
}

// held are the rows of the old policy that a person can answer by looking, that
// were asked, and that did not fail: what they ask for was there.
func (r Recorded) held() (rows []screening.Requirement) {
	for _, f := range r.Under.Decide(r.Arrival).Failures {
		if row, ok := r.Under.Row(f.Row); ok && row.Lookable() && !r.failed(f.Row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// failed reports whether a row failed then, if only as a warning.
func (r Recorded) failed(row string) bool {
	return slices.ContainsFunc(r.Decision.Failures, func(f screening.Failure) bool { return f.Row == row })
}

// stoppedBy reports whether a row failed then and did more than warn.
func (r Recorded) stoppedBy(row string) bool {
	return slices.ContainsFunc(r.Decision.Failures, func(f screening.Failure) bool { return f.Row == row && !f.Warn })
}
