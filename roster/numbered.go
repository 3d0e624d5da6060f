package roster

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
)

// maxID is the highest roster number of a person: the cards of visitors are above
// it, and below 2^53, up to which every program reads a number exactly,
// spreadsheets and browsers included.
const maxID = cardBase

// ErrNumbering refuses a numbered list that knows a person by another roster
// number than this roster does, or gives a number to somebody else: entries
// would name the wrong person. Who left counts too. The error around it names
// the first such row and the remedy.
var ErrNumbering = errors.New("roster numbers differ from those here")

// listTime is RFC 3339 to the millisecond.
const listTime = "2006-01-02T15:04:05.999Z07:00"

// WriteList writes the people present as a numbered list: CSV in UTF-8 with
// English column names and every field, so that [Parse] reads the same people,
// and a roster that imports it knows them by the same numbers and badges. PINs
// are not in it. Whoever has the list has everybody's badge.
func (s *Snapshot) WriteList(w io.Writer) error { return writeList(w, s.All()) }

// WriteEverybody writes the list as WriteList does, with those who left, but
// for their badges: a roster that begins with it gives no number a second time.
func (s *Snapshot) WriteEverybody(w io.Writer) error { return writeList(w, slices.Values(s.people)) }

func writeList(w io.Writer, people iter.Seq[Person]) error {
	out := csv.NewWriter(w) // keeps its first error for Error
	cells := append([]string{"roster_number", "number", "name", "class", "role", "badge",
		"guardian1", "phone1", "guardian2", "phone2", "colour", "colour_time", "left"}, evidenceColumns()...)
	_ = out.Write(cells)
	for p := range people {
		at, left := "", ""
		if !p.ColourTime.IsZero() {
			at = p.ColourTime.Format(listTime)
		}
		if p.Left {
			p.Badge, left = "", "left"
		}
		cells = append(cells[:0], strconv.FormatUint(p.ID, 10), p.Number, p.Name, p.Class, string(p.Role), p.Badge,
			p.Guardian1.Name, p.Guardian1.Phone, p.Guardian2.Name, p.Guardian2.Phone, string(p.Colour), at, left)
		cells = append(cells, p.Evidence.cells()...)
		_ = out.Write(cells)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write roster list: %w", err)
	}
	return nil
}

// Key tells whether two rosters mean the same person by one roster number,
// whatever badge, class or colour they know: it is SHA-256 over the line
// "menshen subject 1", the roster number in 8 bytes, the length of the school's
// number in 4, all big endian, and that number.
func (p Person) Key() [sha256.Size]byte {
	b := binary.BigEndian.AppendUint64([]byte("menshen subject 1\n"), p.ID)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.Number)))
	return sha256.Sum256(append(b, p.Number...))
}

// isNumbered goes by the first person; that all are like it is the checker's
// business.
func isNumbered(list []Person) bool { return len(list) > 0 && list[0].ID != 0 }

// withoutDead is the list without the badges that were withdrawn here, and
// those of people who left.
func withoutDead(now, list []Person, used map[string]bool) []Person {
	held := make(map[string]bool, len(now))
	for _, p := range now {
		held[p.Badge] = true
	}
	list = slices.Clone(list)
	for i, p := range list {
		if p.Left || used[p.Badge] && !held[p.Badge] {
			list[i].Badge = ""
		}
	}
	return list
}

// checkNumbering holds the roster numbers of a list against those given here.
func checkNumbering(now, list []Person) error {
	ids := make(map[string]uint64, len(now))
	owners := make(map[uint64]string, len(now))
	for _, p := range now {
		ids[p.Number], owners[p.ID] = p.ID, p.Number
	}
	for i, p := range list {
		id, known := ids[p.Number]
		owner, taken := owners[p.ID]
		if p.ID != 0 && (known && id != p.ID || taken && owner != p.Number) {
			return fmt.Errorf("%w, first in row %d: begin one of the two rosters anew with the other's export, or leave the column out", ErrNumbering, i+2)
		}
	}
	return nil
}
