package entry

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of a check: with all of them reached it still fits an entry.
const (
	// MaxExceptions is the most people of a check of whom anything is said.
	MaxExceptions = 200
	// MaxGroup is the most bytes that the name of a class, dormitory or bus has.
	MaxGroup = 200
	// mostExpected is the most people of a group.
	mostExpected = 10_000
	// mostFound and mostWord bound the symptoms of one person, and a word in bytes.
	mostFound, mostWord = 10, 20
	// leastChecked and mostChecked are the range of a temperature that somebody reads
	// off a thermometer, in thousandths of a degree Celsius.
	leastChecked, mostChecked = 30_000, 43_000
)

// wordAbsent stands first of somebody who is not there.
const wordAbsent = "absent"

// Checked is one check of a group beside the gate: of its people all were there
// and well but the exceptions. It is kept as an [Answer] with [ActChecked], whose
// reason is "noon:class:42:三年级1班" and whose rows are the exceptions.
type Checked struct {
	// Check is which of the day it was, and Scope what the group is: words.
	Check, Scope string
	// Group is the name of the class, dormitory or bus.
	Group string
	// Expected is how many people of the roster belonged to it, those that the
	// calendar sends home not counted.
	Expected uint16
	// Exceptions are in the order of the roster numbers, each person once.
	Exceptions []Exception
}

// Exception is somebody of whom a check found something: "1042:absent",
// "1042:cough,fever" or "1042:fever,ear@37500" in a row of the entry.
type Exception struct {
	// Subject is a roster number.
	Subject uint64
	// Absent says that the person was not there.
	Absent bool
	// Found are symptoms as words, in the order of the alphabet.
	Found []string
	// Value was read off Instrument, in thousandths of a degree Celsius; 0 where
	// nobody measured, and Instrument is empty then.
	Value      int32
	Instrument string
}

// Answer returns the body of the check's entry, in nobody's name yet. It refuses
// what ReadChecked would.
func (c Checked) Answer() (Answer, error) {
	if err := c.check(); err != nil {
		return Answer{}, fmt.Errorf("write check: %w", err)
	}
	a := Answer{Act: ActChecked, Reason: fmt.Sprintf("%s:%s:%d:%s", c.Check, c.Scope, c.Expected, c.Group)}
	for _, x := range c.Exceptions {
		a.Rows = append(a.Rows, x.row())
	}
	return a, nil
}

// ReadChecked reads the body of an entry that Answer wrote, with ActChecked or
// [ActUnchecked], and refuses every other spelling.
func ReadChecked(a Answer) (Checked, error) {
	check, rest, _ := strings.Cut(a.Reason, ":")
	scope, rest, _ := strings.Cut(rest, ":")
	number, group, _ := strings.Cut(rest, ":")
	expected, err := strconv.ParseUint(number, 10, 16)
	if err != nil || len(a.Rows) > MaxExceptions {
		return Checked{}, errors.New("read check: not of the form check:scope:expected:group, or with too many rows")
	}
	c := Checked{Check: check, Scope: scope, Group: group, Expected: uint16(expected)}
	for _, row := range a.Rows {
		x, err := readException(row)
		if err != nil {
			return Checked{}, fmt.Errorf("read check: %w", err)
		}
		c.Exceptions = append(c.Exceptions, x)
	}
	again, err := c.Answer()
	if err != nil {
		return Checked{}, fmt.Errorf("read check: %w", err)
	}
	if again.Reason != a.Reason || !slices.Equal(again.Rows, a.Rows) {
		return Checked{}, errors.New("read check: not in canonical form")
	}
	return c, nil
}

func (c Checked) check() error {
	switch {
	case !isWord(c.Check) || !isWord(c.Scope):
		return errors.New("check or scope is no word")
	case c.Group == "" || len(c.Group) > MaxGroup || !utf8.ValidString(c.Group):
		return fmt.Errorf("the group's name is no text of 1 to %d bytes", MaxGroup)
	case c.Expected > mostExpected || len(c.Exceptions) > MaxExceptions:
		return fmt.Errorf("more than %d people or %d exceptions", mostExpected, MaxExceptions)
	}
	var last uint64
	for _, x := range c.Exceptions {
		if x.Subject <= last {
			return errors.New("the exceptions are not in the order of the roster numbers")
		}
		if err := x.check(); err != nil {
			return err
		}
		last = x.Subject
	}
	return nil
}

func (x Exception) check() error {
	measured := x.Value != 0 || x.Instrument != ""
	ascending := slices.IsSorted(x.Found) && len(slices.Compact(slices.Clone(x.Found))) == len(x.Found)
	switch {
	case !x.Absent && len(x.Found) == 0 && !measured:
		return errors.New("an exception of which nothing is said")
	case len(x.Found) > mostFound || !ascending || slices.Contains(x.Found, wordAbsent):
		return fmt.Errorf("symptoms that are not up to %d words in their order", mostFound)
	case slices.ContainsFunc(x.Found, func(s string) bool { return !isWord(s) }):
		return errors.New("a symptom that is no word")
	case measured && (x.Value < leastChecked || x.Value > mostChecked || !isWord(x.Instrument)):
		return errors.New("a temperature that no thermometer shows, or one without a thermometer")
	}
	return nil
}

func (x Exception) row() string {
	var words []string
	if x.Absent {
		words = append(words, wordAbsent)
	}
	words = append(words, x.Found...)
	if x.Value != 0 {
		words = append(words, fmt.Sprintf("%s@%d", x.Instrument, x.Value))
	}
	return fmt.Sprintf("%d:%s", x.Subject, strings.Join(words, ","))
}

func readException(row string) (x Exception, err error) {
	number, rest, _ := strings.Cut(row, ":")
	if x.Subject, err = strconv.ParseUint(number, 10, 64); err != nil {
		return Exception{}, errors.New("an exception without a roster number")
	}
	words := strings.SplitN(rest, ",", mostFound+3)
	if words[0] == wordAbsent {
		x.Absent, words = true, words[1:]
	}
	for _, word := range words {
		instrument, value, measured := strings.Cut(word, "@")
		if !measured {
			x.Found = append(x.Found, word)
			continue
		}
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return Exception{}, errors.New("an exception with a temperature that is no number")
		}
		x.Instrument, x.Value = instrument, int32(n)
	}
	return x, nil
}

// isWord reports whether s is a word of a closed list: letters a to z, and -.
func isWord(s string) bool {
	return s != "" && len(s) <= mostWord && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}
