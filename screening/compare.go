package screening

import (
	"slices"
	"strconv"
	"time"
)

// ChangeKind says what a Change is about. Its words name the sentence in which a
// page tells it.
type ChangeKind string

// The kinds of change.
const (
	KindChanged      ChangeKind = "kind"      // To is the new kind, "entry" or "attendance"
	LimitChanged     ChangeKind = "limit"     // From and To are limits as shown, "≥ 37.3"
	LowChanged       ChangeKind = "low"       // From and To are the lowest skin temperature
	WristChanged     ChangeKind = "wrist"     // From and To are limits of the wrist, "–" where none is asked for
	WristLowChanged  ChangeKind = "wrist-low" // From and To are the lowest temperature of a wrist, or "–"
	CodeAgeChanged   ChangeKind = "code-age"  // From and To are hours
	RowAdded         ChangeKind = "added"     // Row is asked now
	RowRemoved       ChangeKind = "removed"   // Row is asked no more
	RowEnforced      ChangeKind = "enforced"  // Row, which only warned, stops now
	RowWarns         ChangeKind = "warns"     // Row, which stopped, only warns now
	RowAsksDifferent ChangeKind = "different" // Row has other people, evidence, times or outcome
	WindowsChanged   ChangeKind = "windows"   // somebody may come or go at other times
)

// Change is one difference between two policies.
type Change struct {
	Kind ChangeKind
	// Row is the ID of a requirement.
	Row      string
	From, To string
}

// Compare says what was changed from one policy to another: what holds for all
// first, then the rows in the order of the new policy, then those that are gone.
// Names, numbers and sources are no change.
func Compare(before, after Spec) []Change {
	out := compareLimits(before, after)
	old := map[string]Requirement{}
	for _, r := range before.Requirements {
		old[r.ID] = r
	}
	for _, r := range after.Requirements {
		was, stood := old[r.ID]
		delete(old, r.ID)
		if kind, changed := compareRow(was, r, stood); changed {
			out = append(out, Change{Kind: kind, Row: r.ID})
		}
	}
	for _, r := range before.Requirements {
		if _, gone := old[r.ID]; gone {
			out = append(out, Change{Kind: RowRemoved, Row: r.ID})
		}
	}
	return out
}

func compareLimits(before, after Spec) (out []Change) {
	add := func(kind ChangeKind, from, to string) {
		if from != to {
			out = append(out, Change{Kind: kind, From: from, To: to})
		}
	}
	add(KindChanged, before.Kind.String(), after.Kind.String())
	if after.Kind != Attendance {
		add(LimitChanged, before.limit(), after.limit())
		add(LowChanged, before.Low.Exact(), after.Low.Exact())
		add(WristChanged, before.ofWrist(before.WristThreshold.Exact()), after.ofWrist(after.WristThreshold.Exact()))
		add(WristLowChanged, before.ofWrist(before.WristLow.Exact()), after.ofWrist(after.WristLow.Exact()))
	}
	add(CodeAgeChanged, hours(before.CodeAge), hours(after.CodeAge))
	if !slices.EqualFunc(before.Windows, after.Windows, sameWindow) {
		out = append(out, Change{Kind: WindowsChanged})
	}
	return out
}

func compareRow(was, is Requirement, stood bool) (kind ChangeKind, changed bool) {
	switch {
	case !stood:
		return RowAdded, true
	case !sameWho(was.Who, is.Who) || was.When != is.When || was.Ask != is.Ask || !slices.Equal(was.Or, is.Or) || was.Fail != is.Fail:
		return RowAsksDifferent, true
	case was.Warn && !is.Warn:
		return RowEnforced, true
	case !was.Warn && is.Warn:
		return RowWarns, true
	}
	return "", false
}

func sameWho(a, b Who) bool {
	return a.Roles == b.Roles && a.Boarding == b.Boarding && slices.Equal(a.Grades, b.Grades)
}

func sameWindow(a, b ArrivalWindow) bool {
	return sameWho(a.Who, b.Who) && a.Direction == b.Direction && a.From == b.From && a.To == b.To && slices.Equal(a.Lanes, b.Lanes)
}

// limit is the threshold with its boundary, "≥ 37.3".
func (s Spec) limit() string { return s.Boundary.Sign() + " " + s.Threshold.Exact() }

// ofWrist returns a figure of the wrist as shown, a dash where no wrist is asked
// for.
func (s Spec) ofWrist(figure string) string {
	if !s.wrist() {
		return "–"
	}
	return figure
}

func hours(d time.Duration) string { return strconv.Itoa(int(d / time.Hour)) }

// String returns the kind's word.
func (k Kind) String() string {
	if k == Attendance {
		return "attendance"
	}
	return "entry"
}
