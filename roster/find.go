package roster

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
)

// lettersText has a line for each small Latin letter: the letter, and behind it
// all characters of which a reading begins with it, after the dictionary of
// go-pinyin. That dictionary itself is a map of megabytes, which would lie in
// the memory of every gate from its start.
//
//go:embed letters.txt
var lettersText string

// Found is a person present, with what a name may be found by.
type Found struct {
	Person
	// Initials holds, for each character of the name that can be typed, the
	// letters that may stand for it: of a Chinese character the first letters of
	// all its readings, because a surname is often not read as the word is; of a
	// Latin letter or a digit itself. It is empty for a character whose reading
	// nobody has written down, and every letter stands for that one.
	Initials []string
}

// Begins reports whether the name may begin with these letters, in lower case.
func (f Found) Begins(letters string) bool {
	if len(letters) > len(f.Initials) {
		return false
	}
	for i := range len(letters) {
		if of := f.Initials[i]; of != "" && strings.IndexByte(of, letters[i]) < 0 {
			return false
		}
	}
	return true
}

// finder is a snapshot in the order in which people look for somebody.
type finder struct {
	classes []string
	byClass map[string][]Found
}

// newFinder reads every name once: 1,600 of them take some milliseconds, which
// no press of a button is to pay for again.
func (s *Snapshot) newFinder() *finder {
	f := &finder{byClass: map[string][]Found{}}
	of := readings{}
	for p := range s.All() {
		of.want(p.Name)
	}
	of.look()
	for p := range s.All() {
		if _, ok := f.byClass[p.Class]; !ok {
			f.classes = append(f.classes, p.Class)
		}
		f.byClass[p.Class] = append(f.byClass[p.Class], Found{Person: p, Initials: of.initials(p.Name)})
	}
	return f
}

// Classes returns the classes of the people present, in the order of the list.
// One of them is empty where somebody has none.
func (s *Snapshot) Classes() []string { return slices.Clone(s.finder().classes) }

// Class returns the people present of one class, in the order of the list.
func (s *Snapshot) Class(class string) []Found { return slices.Clone(s.finder().byClass[class]) }

// readings holds, of the characters that were wanted, the first letters of all
// readings, each once. All of them are looked up in one go through the text.
type readings map[rune]string

// want notes the characters of a name.
func (of readings) want(name string) {
	for _, r := range strings.ToLower(name) {
		if r > unicode.MaxASCII {
			of[r] = ""
		}
	}
}

// look finds the letters of all that is wanted.
func (of readings) look() {
	for line := range strings.Lines(lettersText) {
		for _, r := range line[1:] {
			if letters, wanted := of[r]; wanted {
				of[r] = letters + line[:1]
			}
		}
	}
}

// initials returns what Found.Initials holds of a name. Dots and blanks within
// it are not typed.
func (of readings) initials(name string) (list []string) {
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			list = append(list, string(r))
		case unicode.IsLetter(r):
			list = append(list, of[r])
		}
	}
	return list
}
