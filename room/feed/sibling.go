package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// Word is what one gate tells another of its school: who passed it today and
// who was found ill, as far as that differs from what the same stream said
// before. It names nobody.
type Word struct {
	// Format is 1.
	Format int `json:"format"`
	// Gate is the name of the gate that tells.
	Gate string `json:"gate"`
	// Begins stands in a stream's first word alone: what an earlier one said
	// counts no more once all of this one is there.
	Begins bool `json:"begins,omitempty"`
	// More says that the rest of what stands now follows at once.
	More bool `json:"more,omitempty"`
	// Here are those who stand at a lane at this moment, all of them.
	Here []PersonKey `json:"here,omitempty"`
	// Passed are the last passages of people today.
	Passed []Passage `json:"passed,omitempty"`
	// Ill are those of whom an illness was found.
	Ill []Illness `json:"ill,omitempty"`
}

// PersonKey is the same for one person at every gate of a school, whatever
// number the gate's roster has given: see KeyOf. Printed, it says nothing.
type PersonKey string

// String hides whose key it is: whoever has the school's list can look it up.
func (PersonKey) String() string { return "person" }

// KeyOf returns the key of whoever has a number of the school's own: the first
// 16 bytes of a SHA-256, in hexadecimal.
func KeyOf(number string) PersonKey {
	sum := sha256.Sum256([]byte("menshen person 1\n" + number))
	return PersonKey(hex.EncodeToString(sum[:16]))
}

// Passage is how somebody passed a lane last.
type Passage struct {
	Who PersonKey `json:"who"`
	// Out says that it was by the way out.
	Out bool `json:"out,omitempty"`
	// At is when, by the gate's clock, in Unix milliseconds; 0 says that there
	// was none after all.
	At int64 `json:"at,omitempty"`
}

// Illness is what was found of somebody.
type Illness struct {
	Who PersonKey `json:"who"`
	// At is when it became known, by the gate's clock, in Unix milliseconds. One
	// person has at most one at a moment.
	At int64 `json:"at"`
	// Signs are words of package screening/watch or diagnoses; none says that it
	// was no illness after all.
	Signs []string `json:"signs,omitempty"`
}

const (
	// Told streams words to another gate of the school.
	Told = "/gate/told"
	// MostSigns bounds the signs of one illness.
	MostSigns = 16
)

// Line returns the word as it travels, with the end of its line.
func (w Word) Line() ([]byte, error) {
	w.Format = format
	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encode word: %w", err)
	}
	return append(b, '\n'), nil
}

// NextWord returns the next word, or an error as Next does.
func (r *Reader) NextWord() (Word, error) {
	b, err := r.line()
	if err != nil {
		return Word{}, err
	}
	w, err := ParseWord(b)
	if err != nil {
		return Word{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return w, nil
}

// ParseWord reads one word without the end of its line, and nothing that Line
// would not write of what a gate tells.
func ParseWord(b []byte) (w Word, err error) {
	if len(b) >= maxMessage {
		return Word{}, fmt.Errorf("longer than %d bytes", maxMessage)
	}
	if err := Decode(bytes.NewReader(b), &w); err != nil {
		return Word{}, err
	}
	if err := w.check(); err != nil {
		return Word{}, err
	}
	return w, nil
}

var (
	personKey = regexp.MustCompile(`^[0-9a-f]{32}$`)
	sign      = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// IsSign reports whether a word may stand among the signs of an illness.
func IsSign(word string) bool { return sign.MatchString(word) }

func (w Word) check() error {
	switch {
	case w.Format != format:
		return fmt.Errorf("format %d, want %d", w.Format, format)
	case !gateName.MatchString(w.Gate):
		return errors.New("no name of a gate")
	case len(w.Here) > Most || len(w.Passed) > Most || len(w.Ill) > Most:
		return fmt.Errorf("more than %d facts", Most)
	}
	who := w.Here[:len(w.Here):len(w.Here)]
	for _, p := range w.Passed {
		who = append(who, p.Who)
	}
	for _, x := range w.Ill {
		who = append(who, x.Who)
		if len(x.Signs) > MostSigns {
			return fmt.Errorf("more than %d signs", MostSigns)
		}
		for _, s := range x.Signs {
			if !IsSign(s) {
				return errors.New("no sign of an illness")
			}
		}
	}
	for _, k := range who {
		if !personKey.MatchString(string(k)) {
			return errors.New("no key of a person")
		}
	}
	return nil
}
