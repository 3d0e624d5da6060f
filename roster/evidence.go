package roster

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Evidence is what a school knows of somebody beside a health code, with no
// claim that anybody verified it. Of every field but Grade the zero value states
// nothing: a list that holds it keeps what is known. All values are texts in one
// canonical form, so that people can be compared with ==.
type Evidence struct {
	// Grade is as the list has it, or empty: see [Person.InGrade].
	Grade    string
	Boarding Boarding
	// Household speaks of those at home, Star of a star on the trip card, History
	// of the days before: whether that is in order.
	Household, Star, History Word
	// Tests are nucleic-acid tests.
	Tests Tests
	// Documents are papers that the school has seen.
	Documents Documents
	// Dormitory is where a boarder sleeps, such as "2-305", and Bus is the school bus
	// that somebody takes. [Group.Name] reads them.
	Dormitory, Bus Group
}

// none states that nothing is known, in place of what was.
const none = "none"

// The bounds of one cell: what does not fit is no longer of use.
const (
	mostItems    = 8  // tests, and papers, of one person
	mostDocument = 40 // bytes of a paper's name
	mostGroup    = 40 // bytes of a dormitory's or bus's name
)

// Boarding says where a pupil sleeps.
type Boarding string

// The ways to go to school, as they stand in the file and in English lists.
const (
	NoBoarding Boarding = none
	DayPupil   Boarding = "day"
	Boarder    Boarding = "boarder"
)

// Word says that something is in order ("ok") or not ("bad"), and since which day
// or moment where that is known: "bad@2022-03-14".
type Word string

// Read returns what a word says. A day begins at midnight in loc; since is zero
// where the word does not tell. Known is false of a word that says nothing.
func (w Word) Read(loc *time.Location) (bad bool, since time.Time, known bool) {
	what, at, dated := strings.Cut(string(w), "@")
	if dated {
		since, _ = moment(at, loc)
	}
	return what == "bad", since, what == "ok" || what == "bad"
}

// Tests are the moments at which tests were taken, a + before a positive one,
// with ; between them, in the order of time.
type Tests string

// Test is one of them.
type Test struct {
	At       time.Time
	Positive bool
}

// All returns the tests.
func (t Tests) All() (all []Test) {
	for _, s := range items(string(t)) {
		s, positive := strings.CutPrefix(s, "+")
		if at, ok := moment(s, time.UTC); ok {
			all = append(all, Test{at, positive})
		}
	}
	return all
}

// Documents are papers by name and the day or moment of each, where that is
// known, as "name@2022-03-14", with ; between them.
type Documents string

// Paper is one of them; At is zero where it is not known.
type Paper struct {
	Name string
	At   time.Time
}

// All returns the papers. A day begins at midnight in loc.
func (d Documents) All(loc *time.Location) (all []Paper) {
	for _, s := range items(string(d)) {
		name, at, _ := strings.Cut(s, "@")
		t, _ := moment(at, loc)
		all = append(all, Paper{name, t})
	}
	return all
}

// Group is what several people have in common, by its name.
type Group string

// Name returns the name, empty of nobody's.
func (g Group) Name() string {
	if g == none {
		return ""
	}
	return string(g)
}

// items are the parts of a cell; none of one that says nothing.
func items(cell string) []string {
	if cell == "" || cell == none {
		return nil
	}
	return strings.Split(cell, ";")
}

// moment reads a day, or a time in RFC 3339 that has no fraction of a second.
func moment(s string, loc *time.Location) (time.Time, bool) {
	t, err := time.ParseInLocation(time.DateOnly, s, loc)
	if err != nil {
		t, err = time.Parse(time.RFC3339, s)
	}
	return t, err == nil && t.Nanosecond() == 0 && t.Year() >= 1990 && t.Year() < 2100
}

// canonical is one spelling of what moment reads: a day stays a day.
func canonical(s string) (string, bool) {
	t, ok := moment(s, time.UTC)
	if !ok || len(s) == len(time.DateOnly) {
		return s, ok
	}
	return t.UTC().Format(time.RFC3339), true
}

// word reads a cell of household, star or history.
func word(cell string) (Word, bool) {
	what, at, dated := strings.Cut(cell, "@")
	switch strings.ToLower(what) {
	case "", none, "无":
		return none, !dated
	case "ok", "正常":
		what = "ok"
	case "bad", "异常", "有星":
		what = "bad"
	default:
		return "", false
	}
	if !dated {
		return Word(what), true
	}
	at, ok := canonical(at)
	return Word(what + "@" + at), ok
}

// boarding passes on what it does not know, for the checker to refuse.
func boarding(cell string) Boarding {
	switch cell {
	case "", "无":
		return NoBoarding
	case "走读":
		return DayPupil
	case "住校", "寄宿":
		return Boarder
	}
	return Boarding(strings.ToLower(cell))
}

// tests reads a cell of them. A test has a time: one of a day would be too old or
// too fresh by a night.
func tests(cell string) (Tests, bool) {
	if cell == "" || cell == none || cell == "无" {
		return none, true
	}
	var all []string
	for _, s := range items(cell) {
		s, positive := strings.CutPrefix(strings.TrimSpace(s), "+")
		at, ok := canonical(s)
		if !ok || len(s) == len(time.DateOnly) {
			return "", false
		}
		if positive {
			at = "+" + at
		}
		all = append(all, at)
	}
	slices.SortStableFunc(all, func(a, b string) int {
		return strings.Compare(strings.TrimPrefix(a, "+"), strings.TrimPrefix(b, "+"))
	})
	return Tests(strings.Join(all, ";")), len(all) <= mostItems
}

// documents reads a cell of papers.
func documents(cell string) (Documents, bool) {
	if cell == "" || cell == none || cell == "无" {
		return none, true
	}
	var all []string
	for _, s := range items(cell) {
		name, at, dated := strings.Cut(strings.TrimSpace(s), "@")
		if name == "" || len(name) > mostDocument || strings.ContainsFunc(name, unprintable) || !utf8.ValidString(name) {
			return "", false
		}
		if dated {
			var ok bool
			if at, ok = canonical(at); !ok {
				return "", false
			}
			name += "@" + at
		}
		all = append(all, name)
	}
	return Documents(strings.Join(all, ";")), len(all) <= mostItems
}

// group reads a cell of a dormitory or bus.
func group(cell string) (Group, bool) {
	if cell == "" || cell == none || cell == "无" {
		return none, true
	}
	return Group(cell), len(cell) <= mostGroup && utf8.ValidString(cell) && !strings.ContainsFunc(cell, unprintable)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// over returns what is known after a list says e of somebody of whom old was.
func (e Evidence) over(old Evidence) Evidence {
	keep(&e.Boarding, old.Boarding)
	keep(&e.Household, old.Household)
	keep(&e.Star, old.Star)
	keep(&e.History, old.History)
	keep(&e.Tests, old.Tests)
	keep(&e.Documents, old.Documents)
	keep(&e.Dormitory, old.Dormitory)
	keep(&e.Bus, old.Bus)
	return e
}

func keep[T ~string](now *T, old T) {
	if *now == "" {
		*now = old
	}
	if *now == "" {
		*now = none
	}
}

// set puts a cell into its field; false where it cannot be read.
func (e *Evidence) set(column, cell string) (ok bool) {
	switch column {
	case "grade":
		e.Grade = cell
	case "boarding":
		e.Boarding = boarding(cell)
	case "household":
		e.Household, ok = word(cell)
		return ok
	case "star":
		e.Star, ok = word(cell)
		return ok
	case "history":
		e.History, ok = word(cell)
		return ok
	case "tests":
		e.Tests, ok = tests(cell)
		return ok
	case "documents":
		e.Documents, ok = documents(cell)
		return ok
	case "dormitory":
		e.Dormitory, ok = group(cell)
		return ok
	case "bus":
		e.Bus, ok = group(cell)
		return ok
	}
	return true
}

// evidenceColumns are the English names of the columns, in the order of cells.
func evidenceColumns() []string {
	return []string{"grade", "boarding", "household", "tests", "star", "history", "documents", "dormitory", "bus"}
}

// cells are the fields as a list has them: nothing known is an empty cell.
func (e Evidence) cells() []string {
	all := []string{e.Grade, string(e.Boarding), string(e.Household), string(e.Tests), string(e.Star), string(e.History), string(e.Documents),
		string(e.Dormitory), string(e.Bus)}
	for i := range all {
		if all[i] == none {
			all[i] = ""
		}
	}
	return all
}

// unreadableEvidence says what is wrong with a cell that set does not read; an
// empty problem of a column that is not evidence.
func unreadableEvidence(column string) (problem, remedy string) {
	switch column {
	case "household", "star", "history":
		return "is neither ok nor bad", "type ok 正常 or bad 异常, with the day behind it as in bad@2022-03-14, or leave the cell empty"
	case "tests":
		return "is not a list of at most 8 times", "type them as 2022-03-14T07:30:00+08:00 with ; in between, and a + before a positive one"
	case "documents":
		return "is not a list of at most 8 papers", "type them as name@2022-03-14 with ; in between"
	case "dormitory", "bus":
		return "is longer than 40 bytes", "type its short name, such as 2-305"
	}
	return "", ""
}

// check holds the evidence of one row to its form.
func (e Evidence) check(add func(column, problem, remedy string)) {
	if problem, remedy := textProblem("grade", e.Grade); problem != "" {
		add("grade", problem, remedy)
	}
	switch e.Boarding {
	case "", NoBoarding, DayPupil, Boarder:
	default:
		add("boarding", "is not a word for it", "type day 走读 or boarder 住校, or leave the cell empty")
	}
	columns, cells := evidenceColumns(), e.cells()
	for i, column := range columns[2:] {
		cell, again := cells[i+2], Evidence{}
		if !again.set(column, cell) || again.cells()[i+2] != cell || len(cell) > maxCell {
			problem, remedy := unreadableEvidence(column)
			add(column, problem, remedy)
		}
	}
}

// InGrade returns the grade: that of the list or else, of a pupil, what the class
// says. A class such as "五年级2班" or "初三(1)班" begins with its grade, up to
// 年级 or else to the first digit or bracket. It is empty where neither tells.
func (p Person) InGrade() string {
	if p.Evidence.Grade != "" || p.Role != Student {
		return p.Evidence.Grade
	}
	const year = "年级"
	if i := strings.Index(p.Class, year); i > 0 {
		return p.Class[:i+len(year)]
	}
	if i := strings.IndexAny(p.Class, "0123456789([（"); i > 0 {
		return strings.TrimSpace(p.Class[:i])
	}
	return ""
}
