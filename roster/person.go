package roster

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Role is what a person is at the school. The zero value is no role and is
// refused.
type Role string

// The roles, as they stand in the file and in English lists.
const (
	Student Role = "student"
	Staff   Role = "staff"
	Service Role = "service"
)

// Colour is the health-code colour that the school knows of a person, with no
// claim that anybody verified it. The zero value states nothing: a list that
// holds it keeps the colour that is known.
type Colour string

// The colours, as they stand in the file and in English lists.
const (
	NoColour Colour = "none"
	Green    Colour = "green"
	Yellow   Colour = "yellow"
	Red      Colour = "red"
)

// Guardian is an adult to be called for a pupil; both fields may be empty.
type Guardian struct {
	Name  string
	Phone string
}

// Format prints no personal data, whatever the verb.
func (Guardian) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "guardian") }

// Person is one row of the roster. Texts are at most 200 bytes. Printed or
// logged, a person shows the roster number and nothing else.
type Person struct {
	// ID is the roster number that entries name: from 1, assigned once, never
	// given to anybody else, at most 9·10^15. It is 0 in a list that
	// leaves the numbering to the roster it is imported into.
	ID uint64
	// Number is the school's own number, and what a list is matched by.
	Number string
	Name   string
	Class  string // empty only for those who are not students
	Role   Role
	// Badge is the 16 digits on the person's badge. Empty in a list, it means
	// the badge the person has, or a new one.
	Badge                string
	Guardian1, Guardian2 Guardian
	Colour               Colour
	// ColourTime is when the colour was so, in UTC to the millisecond; zero
	// exactly when there is no colour.
	ColourTime time.Time
	Evidence   Evidence
	// Left says that the latest list no longer held this person, or said so.
	Left bool
}

// String names the person by roster number only.
func (p Person) String() string { return fmt.Sprintf("person %d", p.ID) }

// Format prints what String returns, whatever the verb.
func (p Person) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue keeps personal data out of the log.
func (p Person) LogValue() slog.Value { return slog.GroupValue(slog.Uint64("id", p.ID)) }

// appendCanonical appends every field with its length in front, so that no two
// people share an encoding.
func (p Person) appendCanonical(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, p.ID)
	for _, s := range []string{p.Number, p.Name, p.Class, string(p.Role), p.Badge, p.Guardian1.Name, p.Guardian1.Phone,
		p.Guardian2.Name, p.Guardian2.Phone, string(p.Colour)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, s := range p.Evidence.cells() {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	if p.ColourTime.IsZero() {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint64(append(b, 1), uint64(p.ColourTime.UnixMilli()))
}

// checker holds a list to the rules, person by person.
type checker struct {
	faults   Faults
	numbers  map[string]int // number to the row that holds it
	badges   map[string]int
	ids      map[string]int
	numbered bool // the first person has a roster number
	begun    bool
}

func newChecker() *checker {
	return &checker{numbers: make(map[string]int), badges: make(map[string]int), ids: make(map[string]int)}
}

func (c *checker) person(row int, p Person) {
	add := func(column, problem, remedy string) { c.faults.add(Fault{row, column, problem, remedy}) }
	for _, t := range []struct{ column, text string }{
		{"number", p.Number}, {"name", p.Name}, {"class", p.Class}, {"badge", p.Badge},
		{"guardian1", p.Guardian1.Name}, {"phone1", p.Guardian1.Phone},
		{"guardian2", p.Guardian2.Name}, {"phone2", p.Guardian2.Phone},
	} {
		if problem, remedy := textProblem(t.column, t.text); problem != "" {
			add(t.column, problem, remedy)
		}
	}
	if p.Number == "" {
		add("number", "is empty", "give everybody the school's number")
	}
	if p.Name == "" {
		add("name", "is empty", "type the name")
	}
	switch {
	case p.Role != Student && p.Role != Staff && p.Role != Service:
		add("role", "is not a role", "type student 学生, staff 教职工 or service 服务")
	case p.Role == Student && p.Class == "":
		add("class", "is empty for a student", "type the class")
	}
	if p.Badge != "" && !isBadge(p.Badge) && !inScientific(p.Badge) {
		add("badge", "is not 16 digits", "type the 16 digits as text, or leave the cell empty")
	}
	c.colour(row, p)
	p.Evidence.check(add)
	c.unique(row, "number", p.Number, c.numbers)
	c.unique(row, "badge", p.Badge, c.badges)
	c.rosterNumber(row, p.ID)
	if p.Left && p.ID == 0 {
		add("left", "stands in a list without roster numbers", "remove the row of who left")
	}
}

func (c *checker) rosterNumber(row int, id uint64) {
	if !c.begun {
		c.begun, c.numbered = true, id != 0
	}
	switch {
	case (id != 0) != c.numbered:
		c.faults.add(Fault{row, "roster_number", "is given to some and not to others", "give everybody the number that was exported, or remove the column"})
	case id > maxID:
		c.faults.add(Fault{row, "roster_number", "is too large", "take it over as it was exported"})
	case id != 0:
		c.unique(row, "roster_number", strconv.FormatUint(id, 10), c.ids)
	}
}

func (c *checker) colour(row int, p Person) {
	switch p.Colour {
	case Green, Yellow, Red:
		if p.ColourTime.IsZero() {
			c.faults.add(Fault{row, "colour_time", "is missing beside a colour", "type when the colour was seen, such as 2022-03-14T07:30:00+08:00"})
		}
	case NoColour, "":
		if !p.ColourTime.IsZero() {
			c.faults.add(Fault{row, "colour", "is missing beside its time", "type the colour, or remove the time"})
		}
	default:
		c.faults.add(Fault{row, "colour", "is not a colour", "type none 无, green 绿, yellow 黄 or red 红"})
	}
}

func (c *checker) unique(row int, column, value string, seen map[string]int) {
	if value == "" {
		return
	}
	if first, ok := seen[value]; ok {
		c.faults.add(Fault{row, column, fmt.Sprintf("is the same as in row %d", first), "correct one of the two rows"})
		return
	}
	seen[value] = row
}

func textProblem(column, s string) (problem, remedy string) {
	switch {
	case len(s) > maxCell:
		return fmt.Sprintf("is longer than %d bytes", maxCell), "shorten it"
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		return "holds characters that cannot be printed", "type the cell again"
	case (column == "number" || column == "badge" || strings.HasPrefix(column, "phone")) && inScientific(s):
		return "was shortened by the spreadsheet, its digits are lost", "format the column as text and type the number again"
	}
	return "", ""
}

// inScientific finds what a spreadsheet makes of a long number: 4.4E+17.
func inScientific(s string) bool {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(s), "E+")
	return ok && isDigits(strings.Replace(mantissa, ".", "", 1)) && isDigits(exponent)
}

func isBadge(s string) bool { return len(s) == badgeDigits && isDigits(s) }

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
