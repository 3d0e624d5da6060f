package roster

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The bounds of a list: a school has at most some 10,000 people.
const (
	maxBytes  = 10 << 20
	maxRows   = 200_000
	maxCell   = 200
	maxLine   = 8 << 10 // a row of twenty full cells with every character quoted is shorter
	maxHeader = 40
	maxFaults = 50
)

// Fault is one thing wrong with a list. It names row and column, never what
// the cell holds, because that is somebody's name or number.
type Fault struct {
	// Row counts as spreadsheets do: the header row is 1. It is 0 for a fault
	// of the whole file.
	Row int
	// Column is the English name of the column, or empty.
	Column string
	// Problem follows the column in a sentence: "is empty".
	Problem string
	// Remedy says what to do.
	Remedy string
}

// String is the fault in one line.
func (f Fault) String() string {
	var b strings.Builder
	if f.Row > 0 {
		fmt.Fprintf(&b, "row %d: ", f.Row)
	}
	if f.Column != "" {
		b.WriteString(f.Column + " ")
	}
	return b.String() + f.Problem + ": " + f.Remedy
}

// Faults is all that is wrong with a list.
type Faults struct {
	// List holds the first 50 in the order they were found.
	List []Fault
	// Total counts them all.
	Total int
}

// Error is one line for each fault listed.
func (f *Faults) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "roster list has %d faults", f.Total)
	for _, fault := range f.List {
		b.WriteString("\n" + fault.String())
	}
	if more := f.Total - len(f.List); more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}

func (f *Faults) add(fault Fault) {
	f.Total++
	if len(f.List) < maxFaults {
		f.List = append(f.List, fault)
	}
}

// err is f as an error, nil where there are no faults.
func (f *Faults) err() error {
	if f.Total == 0 {
		return nil
	}
	return f
}

// Parse reads a school's list: CSV in UTF-8 or GB18030, a header row with
// Chinese or English names in any order, then one person a row.
//
//	学号 number · 姓名 name · 班级 class · 角色 role                  required
//	卡号 badge · 监护人1 guardian1 · 电话1 phone1 · 监护人2 guardian2
//	电话2 phone2 · 码色 colour · 码色时间 colour_time (RFC 3339)
//	年级 grade · 住宿 boarding (day 走读, boarder 住校)
//	家庭 household · 星号 star · 行程 history (ok 正常, bad 异常, or with a day: bad@2022-03-14)
//	核酸 tests (times in RFC 3339 with ; in between, + before a positive one)
//	材料 documents (name@2022-03-14 with ; in between)
//	宿舍 dormitory · 校车 bus (names, at most 40 bytes)
//	名册号 roster_number · 离校 left (left 离校, or empty)            may be absent
//
// A column of evidence that is absent leaves what is known, an empty cell takes
// it away. Only the grade is that of the list, or else of the class: see
// [Person.InGrade].
//
// A roster number is decimal, from 1 to 2^53-1, and given to everybody or to
// nobody; only a numbered list tells who left. [Roster.Import] says what it is.
//
// Full-width digits and letters become plain ones, ideographic spaces plain
// spaces. Input beyond 10 MiB, 200,000 rows or 200 bytes a cell is refused. A
// list with anything wrong yields a [*Faults] with every faulty row.
func Parse(r io.Reader) ([]Person, error) {
	text, err := readText(r)
	if err != nil {
		return nil, err
	}
	p := parser{checker: newChecker(), cells: bufio.NewReader(nil)}
	for line := range bytes.Lines(text) {
		p.row++
		if p.row > maxRows+1 {
			p.faults.add(Fault{p.row, "", fmt.Sprintf("is beyond %d people", maxRows), "split the list by school"})
			break
		}
		if p.row == 1 {
			if p.header(line); p.faults.Total > 0 {
				break
			}
			continue
		}
		p.person(line)
	}
	if len(p.people) == 0 && p.faults.Total == 0 {
		p.faults.add(Fault{0, "", "the list holds no people", "give one row to each person under the header row"})
	}
	if err := p.faults.err(); err != nil {
		return nil, err
	}
	return p.people, nil
}

func readText(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read roster list: %w", err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("roster list is larger than %d MiB: split it by school", maxBytes>>20)
	}
	for _, magic := range []string{"PK\x03\x04", "\xD0\xCF\x11\xE0", "\xFF\xFE", "\xFE\xFF"} { // xlsx, xls, UTF-16
		if bytes.HasPrefix(data, []byte(magic)) {
			return nil, errors.New("roster list is not a CSV file: in WPS or Excel, save it as CSV UTF-8")
		}
	}
	if text, ok := bytes.CutPrefix(data, []byte("\uFEFF")); ok || utf8.Valid(data) {
		return text, nil
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil {
		return nil, fmt.Errorf("decode roster list as GB18030: %w", err)
	}
	return text, nil
}

// parser goes through a list line by line, which bounds memory to one line: no
// cell may hold a line break.
type parser struct {
	*checker
	cells   *bufio.Reader // lent to one csv.Reader after the other
	row     int
	blank   int      // the first of the empty rows just passed, or 0
	columns []string // English names; "" is a column without a heading
	people  []Person
}

// split returns nil for a line without a value.
func (p *parser) split(line []byte) ([]string, bool) {
	if len(line) > maxLine {
		p.faults.add(Fault{p.row, "", fmt.Sprintf("is longer than %d bytes", maxLine), "remove what does not belong in it"})
		return nil, false
	}
	p.cells.Reset(bytes.NewReader(line))
	cells, err := csv.NewReader(p.cells).Read()
	if err != nil && !errors.Is(err, io.EOF) {
		p.faults.add(Fault{p.row, "", "has a stray quote or a line break in a cell", "remove it"})
		return nil, false
	}
	empty := true
	for i, c := range cells {
		cells[i] = normal(c)
		empty = empty && cells[i] == ""
	}
	if empty {
		return nil, true
	}
	return cells, true
}

func (p *parser) header(line []byte) {
	cells, ok := p.split(line)
	if !ok {
		return
	}
	have := make(map[string]bool) // English names seen
	var unknown []string
	for _, c := range cells {
		name := column(c)
		switch {
		case name == "" && c != "":
			unknown = append(unknown, c)
		case name != "" && have[name]:
			p.faults.add(Fault{1, name, "stands there twice", "remove one of the two columns"})
		}
		if name != "" {
			have[name] = true
		}
		p.columns = append(p.columns, name)
	}
	// Where no name is known the row is a person's, who must not be quoted.
	if len(have) == 0 {
		p.faults.add(Fault{1, "", "is not a header row", "begin with a row such as 学号,姓名,班级,角色"})
		return
	}
	for _, c := range unknown {
		p.faults.add(Fault{1, fmt.Sprintf("%.*q", maxHeader, c), "is not a known column", "remove the column or correct its name"})
	}
	for _, name := range []string{"number", "name", "class", "role"} {
		if !have[name] {
			p.faults.add(Fault{1, name, "is missing", "add the column"})
		}
	}
	if have["colour"] != have["colour_time"] {
		p.faults.add(Fault{1, "colour", "and colour_time must stand together", "add the other column"})
	}
}

func (p *parser) person(line []byte) {
	cells, ok := p.split(line)
	if !ok {
		return
	}
	if cells == nil {
		if p.blank == 0 {
			p.blank = p.row
		}
		return
	}
	// Empty rows at the end are what spreadsheets write; in between they would
	// make the rows of later faults wrong.
	if p.blank != 0 {
		p.faults.add(Fault{p.blank, "", "is empty", "remove the row"})
		p.blank = 0
	}
	if len(cells) != len(p.columns) {
		p.faults.add(Fault{p.row, "", fmt.Sprintf("has %d cells and the header row %d", len(cells), len(p.columns)), "look for a comma too many or too few"})
		return
	}
	var who Person
	for i, c := range cells {
		if !who.set(p.columns[i], c) {
			p.unreadable(i)
			return
		}
	}
	p.checker.person(p.row, who)
	p.people = append(p.people, who)
}

func (p *parser) unreadable(i int) {
	switch name := p.columns[i]; name {
	case "":
		p.faults.add(Fault{p.row, "", fmt.Sprintf("has a value in column %d, which has no heading", i+1), "remove it or name the column"})
	case "roster_number":
		p.faults.add(Fault{p.row, name, "is not a whole number from 1", "take it over as it was exported"})
	case "left":
		p.faults.add(Fault{p.row, name, "is not a word for it", "type left 离校, or leave the cell empty"})
	case "colour_time":
		p.faults.add(Fault{p.row, name, "is not a time", "type it as 2022-03-14T07:30:00+08:00"})
	default:
		problem, remedy := unreadableEvidence(name)
		p.faults.add(Fault{p.row, name, problem, remedy})
	}
}

// set puts a cell into its field and reports false where the cell cannot be
// read at all.
func (p *Person) set(column, cell string) bool {
	switch column {
	case "number":
		p.Number = cell
	case "roster_number":
		if cell == "" {
			return true
		}
		// In one way only, so that no spreadsheet's rounding goes unnoticed.
		n, err := strconv.ParseUint(cell, 10, 64)
		p.ID = n
		return err == nil && n > 0 && n <= maxID && strconv.FormatUint(n, 10) == cell
	case "left":
		p.Left = cell != ""
		return cell == "" || cell == "离校" || strings.EqualFold(cell, "left")
	case "name":
		p.Name = cell
	case "class":
		p.Class = cell
	case "role":
		p.Role = role(cell)
	case "badge":
		p.Badge = cell
	case "guardian1":
		p.Guardian1.Name = cell
	case "phone1":
		p.Guardian1.Phone = cell
	case "guardian2":
		p.Guardian2.Name = cell
	case "phone2":
		p.Guardian2.Phone = cell
	case "colour":
		p.Colour = colour(cell)
	case "colour_time":
		if cell == "" {
			return true
		}
		t, err := time.Parse(time.RFC3339, cell)
		p.ColourTime = millis(t)
		return err == nil && p.ColourTime.Year() >= 2000 // no health code is older
	case "":
		return cell == ""
	default:
		return p.Evidence.set(column, cell)
	}
	return true
}

// column is the English name of a heading, "" where it is unknown.
func column(heading string) string {
	switch heading = strings.ToLower(heading); heading {
	case "roster_number", "number", "name", "class", "role", "badge", "guardian1", "phone1", "guardian2", "phone2", "colour", "colour_time", "left",
		"grade", "boarding", "household", "tests", "star", "history", "documents", "dormitory", "bus":
		return heading
	case "年级":
		return "grade"
	case "住宿":
		return "boarding"
	case "家庭":
		return "household"
	case "核酸":
		return "tests"
	case "星号":
		return "star"
	case "行程":
		return "history"
	case "材料":
		return "documents"
	case "宿舍":
		return "dormitory"
	case "校车":
		return "bus"
	case "名册号":
		return "roster_number"
	case "学号":
		return "number"
	case "姓名":
		return "name"
	case "班级":
		return "class"
	case "角色":
		return "role"
	case "卡号":
		return "badge"
	case "监护人1":
		return "guardian1"
	case "电话1":
		return "phone1"
	case "监护人2":
		return "guardian2"
	case "电话2":
		return "phone2"
	case "码色":
		return "colour"
	case "码色时间":
		return "colour_time"
	case "离校":
		return "left"
	}
	return ""
}

// role and colour pass on what they do not know, for the checker to refuse.
func role(cell string) Role {
	switch cell {
	case "学生":
		return Student
	case "教职工", "教师":
		return Staff
	case "服务", "服务人员":
		return Service
	}
	return Role(strings.ToLower(cell))
}

func colour(cell string) Colour {
	switch cell {
	case "", "无":
		return NoColour
	case "绿", "绿码":
		return Green
	case "黄", "黄码":
		return Yellow
	case "红", "红码":
		return Red
	}
	return Colour(strings.ToLower(cell))
}

// millis is t as the file keeps it, so that people can be compared with ==.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// normal makes one text of the ways to type it: full-width forms (U+FF01 to
// U+FF5E) become ASCII, runs of any space one space, and the marks of width
// zero that spreadsheets carry along go.
func normal(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '\u200B' || r == '\uFEFF':
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
