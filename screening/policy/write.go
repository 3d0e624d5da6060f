package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/watch"
)

// Format writes the document as a policy file that Parse reads back as the same
// document. What was left out of a file and has a default is written out.
func (d Document) Format() []byte {
	var w writer
	s := d.Spec
	w.key("format", fmt.Sprint(format))
	w.key("number", fmt.Sprint(s.Number))
	w.text("name", s.Name)
	w.name("title", d.Title)
	w.text("kind", s.Kind.String())
	w.day("date", d.Date)
	w.time("valid_from", d.ValidFrom)
	w.time("valid_until", d.ValidUntil)
	w.number("calibration_days", d.CalibrationDays)
	if len(d.Clusters) == 0 {
		w.key("cluster", "[]")
	}
	if len(d.Checks) == 0 && len(builtInChecks(s.Requirements)) > 0 {
		w.key("check", "[]")
	}
	w.number("checks_a_day", d.ChecksADay)
	if len(d.Schools) > 0 {
		w.head("[scope]")
		w.words("schools", d.Schools)
	}
	w.head("[temperature]")
	w.text("threshold", s.Threshold.Exact())
	w.text("boundary", boundaryWord(s.Boundary))
	w.text("low", s.Low.Exact())
	if s.WristThreshold != 0 {
		w.text("wrist_threshold", s.WristThreshold.Exact())
		w.text("wrist_low", s.WristLow.Exact())
	}
	w.head("[code]")
	w.text("max_age", durationText(s.CodeAge))
	if d.Flow != (Flow{}) {
		w.head("[flow]")
		w.number("spacing_cm", d.Flow.SpacingCM)
		w.number("staff_per_entrance", d.Flow.StaffPerEntrance)
	}
	for _, r := range s.Requirements {
		w.row(r)
	}
	for _, window := range s.Windows {
		w.window(window)
	}
	w.cases(d.Cases, d.IsolationInside)
	for _, r := range d.Clusters {
		w.cluster(r)
	}
	w.checks(d.Checks)
	for _, x := range d.Deadlines {
		w.head("[[deadline]]")
		w.text("report", x.Report)
		w.text("at", minutesText(x.At))
		w.source(x.Source)
	}
	return []byte(w.String())
}

// writer writes the lines of a policy file. What is zero is left out.
type writer struct{ strings.Builder }

func (w *writer) head(s string) { w.WriteString("\n" + s + "\n") }

func (w *writer) key(key, value string) { w.WriteString(key + " = " + value + "\n") }

func (w *writer) text(key, s string) {
	if s != "" {
		w.key(key, quoted(s))
	}
}

func (w *writer) number(key string, n int) {
	if n != 0 {
		w.key(key, fmt.Sprint(n))
	}
}

func (w *writer) flag(key string, on bool) {
	if on {
		w.key(key, "true")
	}
}

func (w *writer) words(key string, list []string) {
	if len(list) > 0 {
		w.key(key, listed(list))
	}
}

func (w *writer) name(key string, t screening.Text) {
	if t != (screening.Text{}) {
		w.key(key, fmt.Sprintf("{ zh = %s, en = %s }", quoted(t.Zh), quoted(t.En)))
	}
}

func (w *writer) day(key string, at time.Time) {
	if !at.IsZero() {
		w.key(key, at.In(beijing()).Format(time.DateOnly))
	}
}

func (w *writer) time(key string, at time.Time) {
	if !at.IsZero() {
		w.key(key, at.In(beijing()).Format(time.RFC3339Nano))
	}
}

func (w *writer) who(x screening.Who) {
	w.words("roles", members(uint8(x.Roles), roleWords()))
	w.words("grades", x.Grades)
	w.text("boarding", boardingWords()[x.Boarding])
}

func (w *writer) row(r screening.Requirement) {
	w.head("[[row]]")
	w.text("id", r.ID)
	w.text("zh", r.Say.Zh)
	w.text("en", r.Say.En)
	w.who(r.Who)
	if r.Direction != screening.In {
		w.text("direction", directionWords()[r.Direction])
	}
	if r.Place != screening.Gate {
		w.text("place", r.Place.String())
	}
	w.flag("school_days", r.SchoolDays)
	w.day("from", r.From)
	w.day("until", r.Until)
	if r.Before != 0 {
		w.text("hours", minutesText(r.After)+"-"+minutesText(r.Before))
	}
	w.key("ask", askText(r.Ask))
	if len(r.Or) > 0 {
		var or []string
		for _, a := range r.Or {
			or = append(or, askTable(a))
		}
		w.key("or", "["+strings.Join(or, ", ")+"]")
	}
	w.text("fail", r.Fail.String())
	if r.Warn {
		w.text("mode", "warn")
	}
	w.source(r.Source)
}

func (w *writer) source(s screening.Source) {
	var parts []string
	if s.Document != "" {
		parts = append(parts, "document = "+quoted(s.Document))
	}
	if s.Line != 0 {
		parts = append(parts, fmt.Sprintf("line = %d", s.Line))
	}
	if s.Quote != "" {
		parts = append(parts, "quote = "+quoted(s.Quote))
	}
	if len(s.Rules) > 0 {
		parts = append(parts, "rules = "+numbers(s.Rules))
	}
	if len(parts) > 0 {
		w.key("source", "{ "+strings.Join(parts, ", ")+" }")
	}
}

func (w *writer) window(x screening.ArrivalWindow) {
	w.head("[[window]]")
	w.who(x.Who)
	if x.Direction != screening.In {
		w.text("direction", directionWords()[x.Direction])
	}
	w.text("from", minutesText(x.From))
	w.text("to", minutesText(x.To))
	if len(x.Lanes) > 0 {
		w.key("lanes", numbers(x.Lanes))
	}
}

func (w *writer) cases(r casefile.Rules, inside bool) {
	w.head("[cases]")
	w.number("rounds", int(r.Rounds))
	if inside {
		w.text("isolation", "inside")
	}
	if len(r.Duties) == 0 {
		w.key("duty", "[]")
	}
	if len(r.Returns) == 0 {
		w.key("return", "[]")
	}
	for _, d := range r.Duties {
		w.head("[[cases.duty]]")
		w.text("id", d.ID)
		w.name("name", d.Name)
		w.text("phone", d.Phone)
		w.text("on", triggerWords()[d.On])
		w.text("within", durationText(d.Within))
		w.text("after", d.After)
		w.text("source", d.Source)
	}
	for _, x := range r.Returns {
		w.head("[[cases.return]]")
		w.text("diagnosis", x.Diagnosis)
		w.name("name", x.Name)
		w.text("wait", durationText(x.Wait))
		w.text("from", startWords()[x.From])
		w.text("proof", proofWords()[x.Proof])
		if x.Unreported {
			w.text("reported", "no")
		}
		w.text("source", x.Source)
	}
}

func (w *writer) cluster(r watch.Rule) {
	w.head("[[cluster]]")
	w.text("syndrome", r.Syndrome)
	w.text("scope", scopeWords()[r.Scope])
	w.number("cases", r.Cases)
	w.number("days", r.Days)
	w.text("source", r.Source)
}

// askText is the word of an evidence of which nothing else is asked, or a table.
func askText(a screening.Ask) string {
	if a == (screening.Ask{Evidence: a.Evidence}) {
		return quoted(a.Evidence.String())
	}
	return askTable(a)
}

func askTable(a screening.Ask) string {
	parts := []string{"evidence = " + quoted(a.Evidence.String())}
	if a.Name != "" {
		parts = append(parts, "name = "+quoted(a.Name))
	}
	if a.Count != 0 {
		parts = append(parts, fmt.Sprintf("count = %d", a.Count))
	}
	if a.Days != 0 {
		parts = append(parts, fmt.Sprintf("days = %d", a.Days))
	}
	if a.Within != 0 {
		parts = append(parts, "within = "+quoted(durationText(a.Within)))
	}
	if a.Apart != 0 {
		parts = append(parts, "apart = "+quoted(durationText(a.Apart)))
	}
	if a.Colours != 0 {
		parts = append(parts, "colours = "+listed(members(uint8(a.Colours), colourWords())))
	}
	if a.Paper {
		parts = append(parts, "paper = true")
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// members are the words of the bits that are set.
func members(set uint8, words []string) (list []string) {
	for i, s := range words {
		if s != "" && set&(1<<i) != 0 {
			list = append(list, s)
		}
	}
	return list
}

func listed(list []string) string {
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = quoted(s)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func numbers(list []uint8) string {
	var out []string
	for _, n := range list {
		out = append(out, fmt.Sprint(n))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// quoted writes a basic string of TOML.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// durationText writes a duration without the zeros behind it, "48h".
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func minutesText(m screening.Minutes) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
