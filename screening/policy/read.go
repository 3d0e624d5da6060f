package policy

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/tomlfile"
)

// format is the version of the policy file.
const format = 1

// Parse reads a policy file, with or without signatures: it looks at none. The
// error is tomlfile.Faults. What it returns screening.Compile takes.
func Parse(name string, body []byte) (Document, error) {
	file, err := tomlfile.Parse(name, body, MaxSize+maxSignatures*maxSignature)
	if err != nil {
		return Document{}, err
	}
	root := file.Root()
	d := readDocument(root)
	root.End()
	if len(file.Faults) == 0 {
		for _, fault := range compile(d.Spec) {
			root.Fault(fault.key, fault.problem, "no signature widens this bound: correct the value")
		}
	}
	if err := file.Err(); err != nil {
		return Document{}, err
	}
	return d, nil
}

// bound is a compiled-in bound that a policy breaks.
type bound struct{ key, problem string }

// compile returns what Compile refuses of a spec each of whose parts was read
// without a fault: what lies between the parts.
func compile(s screening.Spec) (broken []bound) {
	_, err := screening.Compile(s)
	if err == nil {
		return nil
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		line = strings.TrimPrefix(line, fmt.Sprintf("policy %d: ", s.Number))
		key := "row"
		if strings.Contains(line, "wrist") || strings.Contains(line, "skin") {
			key = "temperature"
		}
		broken = append(broken, bound{key, line})
	}
	return broken
}

func readDocument(t *tomlfile.Table) Document {
	if v := t.Number("format", 0, 0, 1<<30); v != format {
		t.Fault("format", fmt.Sprintf("%d is not known", v), fmt.Sprintf("set %d, or install a newer version of this program", format))
	}
	d := Document{Date: readDay(t, "date"), ValidFrom: readTime(t, "valid_from"), ValidUntil: readTime(t, "valid_until")}
	t.Require("date", "set the day on which the plan was written, such as 2020-04-13")
	if !d.ValidUntil.IsZero() && !d.ValidUntil.After(d.ValidFrom) {
		t.Fault("valid_until", "the policy ends before it begins", "set it behind valid_from")
	}
	s := &d.Spec
	s.Number = uint32(t.Number("number", 0, 0, math.MaxInt32))
	s.Name = readID(t, "name")
	d.Title = readText(t.Table("title"))
	if t.Choice("kind", "", screening.EntryScreening.String(), screening.Attendance.String()) == screening.Attendance.String() {
		s.Kind = screening.Attendance
	}
	d.Schools = readScope(t.Table("scope"))
	readTemperature(t, s)
	s.CodeAge = readCodeAge(t.Table("code"))
	d.Flow = readFlow(t.Table("flow"))
	s.Requirements = readRows(t.Tables("row"))
	for _, window := range t.Tables("window") {
		s.Windows = append(s.Windows, readWindow(window))
	}
	if t.Has("calibration_days") {
		d.CalibrationDays = t.Number("calibration_days", CalibrationDefault, CalibrationMin, CalibrationMax)
	}
	readChain(t, &d)
	readChecks(t, &d)
	return d
}

// ids are what a policy, a row and a gate are called.
var ids = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func readID(t *tomlfile.Table, key string) string {
	const remedy = "use 1 to 40 of a-z, 0-9 and -"
	s := t.Required(key, remedy)
	if s != "" && !ids.MatchString(s) {
		t.Fault(key, tomlfile.Quote(s)+" is not a name", remedy)
	}
	return s
}

// readText reads a text in both languages; t is nil where it is left out.
func readText(t *tomlfile.Table) screening.Text {
	if t == nil {
		return screening.Text{}
	}
	defer t.End()
	return readSay(t)
}

// readSay reads the keys zh and en: both, or none.
func readSay(t *tomlfile.Table) screening.Text {
	s := screening.Text{Zh: t.Text("zh", ""), En: t.Text("en", "")}
	switch {
	case s.Zh == "" && s.En != "":
		t.Fault("zh", "there is no Chinese beside the English", "write the sentence in both languages")
	case s.Zh != "" && s.En == "":
		t.Fault("en", "there is no English beside the Chinese", "write the sentence in both languages")
	}
	return s
}

func readScope(t *tomlfile.Table) []string {
	if t == nil {
		return nil
	}
	defer t.End()
	schools := t.Words("schools", 256)
	if slices.Equal(schools, []string{"*"}) {
		return nil
	}
	for _, s := range schools {
		if !ids.MatchString(s) {
			t.Fault("schools", tomlfile.Quote(s)+" is no gate's name", `write names of gates, or ["*"]`)
		}
	}
	return schools
}

// readTemperature reads the limits. An attendance policy that has no thermometer
// keeps the built-in ones, which then nobody asks for.
func readTemperature(root *tomlfile.Table, s *screening.Spec) {
	def := screening.Default()
	s.Threshold, s.Boundary, s.Low = def.Threshold, def.Boundary, def.Low
	t := root.Table("temperature")
	if t == nil {
		if s.Kind == screening.EntryScreening {
			root.Require("temperature", `write [temperature] with threshold, boundary and low`)
		}
		return
	}
	defer t.End()
	s.Threshold = readMilliC(t, "threshold", screening.ThresholdLeast, screening.ThresholdMost)
	s.Low = readMilliC(t, "low", screening.LowLeast, screening.LowMost)
	t.Require("threshold", `set it, such as "37.3"`)
	t.Require("low", `set it, such as "35.0"`)
	if t.Choice("boundary", "", boundaryWord(screening.Reaches), boundaryWord(screening.Exceeds)) == boundaryWord(screening.Exceeds) {
		s.Boundary = screening.Exceeds
	}
	s.WristThreshold = readMilliC(t, "wrist_threshold", screening.ThresholdLeast, screening.ThresholdMost)
	s.WristLow = readMilliC(t, "wrist_low", screening.LowLeast, screening.LowMost)
	if (s.WristThreshold == 0) != (s.WristLow == 0) {
		t.Fault("wrist_threshold", "one limit of the wrist without the other", "write wrist_threshold and wrist_low, or neither")
	}
}

func boundaryWord(b screening.Boundary) string {
	if b == screening.Exceeds {
		return "exceeds"
	}
	return "reaches"
}

// celsius is a temperature as a policy writes it.
var celsius = regexp.MustCompile(`^([0-9]{2})(?:\.([0-9]{1,3}))?$`)

// readMilliC reads a temperature in quotes: a number of TOML would be a float.
func readMilliC(t *tomlfile.Table, key string, lo, hi screening.MilliC) screening.MilliC {
	s, ok := tomlfile.Read[string](t, key, `a temperature in quotes, such as "37.3"`)
	if !ok {
		return 0
	}
	v, ok := ParseMilliC(s)
	if !ok || v < lo || v > hi {
		t.Fault(key, tomlfile.Quote(s)+" is not a temperature that may stand here", fmt.Sprintf("set %q to %q, with at most three decimals", lo, hi))
		return lo
	}
	return v
}

// ParseMilliC reads a temperature of two digits and at most three decimals, "37.3".
func ParseMilliC(s string) (screening.MilliC, bool) {
	m := celsius.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	v, err := strconv.Atoi(m[1] + (m[2] + "000")[:3])
	return screening.MilliC(v), err == nil
}

func readCodeAge(t *tomlfile.Table) time.Duration {
	if t == nil {
		return screening.Default().CodeAge
	}
	defer t.End()
	return t.Duration("max_age", screening.Default().CodeAge, 0, screening.CodeAgeMost)
}

func readFlow(t *tomlfile.Table) (f Flow) {
	if t == nil {
		return f
	}
	defer t.End()
	return Flow{SpacingCM: t.Number("spacing_cm", 0, 0, 1000), StaffPerEntrance: t.Number("staff_per_entrance", 0, 0, 20)}
}

// readDay reads a day as its first moment; zero where it is left out.
func readDay(t *tomlfile.Table, key string) time.Time {
	day, ok := tomlfile.Read[toml.LocalDate](t, key, "a day, such as 2020-04-13")
	if !ok {
		return time.Time{}
	}
	if day.Year < 2000 || day.Year > 2199 {
		t.Fault(key, fmt.Sprintf("%v is not a year of this program", day), "write a day of 2000 to 2199")
		return time.Time{}
	}
	return day.AsTime(beijing()).UTC()
}

// readTime reads a moment with its offset; zero where it is left out.
func readTime(t *tomlfile.Table, key string) time.Time {
	at, ok := tomlfile.Read[time.Time](t, key, "a time with its offset, such as 2020-04-13T00:00:00+08:00")
	if ok && (at.Year() < 2000 || at.Year() > 2199) {
		t.Fault(key, at.String()+" is not in a year of this program", "write a time of 2000 to 2199")
	}
	return at.UTC()
}
