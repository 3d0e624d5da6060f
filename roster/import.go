package roster

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
)

// badgeDigits is what a QR code of version 1 holds with room to spare: short
// enough to be read from a worn badge at arm's length.
const badgeDigits = 16

// ErrTooManyLeft refuses a list that would let more than 5 % of the people
// present, or a whole class, leave. Such a list is nearly always a part taken
// for the whole. The error around it names the counts and the remedy.
var ErrTooManyLeft = errors.New("too many people would leave")

// Change is what one version does to the one before. Its lists hold school
// numbers in ascending order; printed or logged it shows counts only.
type Change struct {
	// Version is the version in force after the change: the old one where
	// nothing changed, the one to be made in a preview.
	Version uint32
	// Present is how many people there were before.
	Present int
	// Added holds new people and those who came back.
	Added   []string
	Changed []string
	Left    []string
	// LeftClasses are the classes of which everybody present leaves.
	LeftClasses []string
}

// TooManyLeft reports whether an import of this needs ImportOpts.AllowLeft.
func (c Change) TooManyLeft() bool { return len(c.Left)*20 > c.Present || len(c.LeftClasses) > 0 }

// String tells version and counts.
func (c Change) String() string {
	return fmt.Sprintf("version %d: %d added, %d changed, %d left", c.Version, len(c.Added), len(c.Changed), len(c.Left))
}

// LogValue tells version and counts.
func (c Change) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("version", uint64(c.Version)), slog.Int("added", len(c.Added)),
		slog.Int("changed", len(c.Changed)), slog.Int("left", len(c.Left)))
}

// ImportOpts are what a person decides about an import.
type ImportOpts struct {
	// AllowLeft is how many people may leave where that is refused otherwise.
	AllowLeft int
	// By is who imports, as kept with the version.
	By string
}

// Preview tells what Import of the same list would do, and changes nothing. It
// does not refuse that many leave: see [Change.TooManyLeft]. A list with
// anything wrong yields a [*Faults], one with other roster numbers [ErrNumbering].
func (r *Roster) Preview(ctx context.Context, list []Person) (Change, error) {
	r.writing.Lock() // the badges used must belong to the snapshot
	defer r.writing.Unlock()
	used, err := readUsed(ctx, r.db)
	if err != nil {
		return Change{}, fmt.Errorf("preview roster: %w", err)
	}
	old := r.Snapshot()
	after, err := merge(old.people, list, used)
	if err != nil {
		return Change{}, fmt.Errorf("preview roster: %w", err)
	}
	c := compare(old.people, after)
	c.Version = old.Version
	if len(differing(old.people, after)) > 0 {
		c.Version++
	}
	return c, nil
}

// Import replaces the roster by a whole list in one transaction. People are
// matched by Number. Those whom the list does not hold are marked left; those
// who come back have their roster number again. An empty Badge keeps the
// person's badge, or draws a new one that nobody ever had; a badge withdrawn
// earlier stays withdrawn. An empty Colour keeps the colour that is known, as do
// the empty fields of Evidence.
//
// Where the people of the list have roster numbers it is the numbered list of
// another roster, and counts by them: who is new here gets the very number, and
// who is known must have it already, or it fails with [ErrNumbering]. Who left
// may stand in it, so that the number is not given again, and leaves here too.
// A badge withdrawn here is no fault of such a list, which may not know of it
// yet and comes again: the person keeps the badge that replaced it, or gets a
// new one where there is none.
//
// It fails with [ErrTooManyLeft], or with a [*Faults] whose rows count as
// [Parse] counts them: the first of the list is row 2.
func (r *Roster) Import(ctx context.Context, list []Person, o ImportOpts) (Change, error) {
	c, err := r.change(ctx, byImport, o.By, func(tx *sql.Tx, now []Person) ([]Person, error) {
		used, err := readUsed(ctx, tx)
		if err != nil {
			return nil, err
		}
		after, err := merge(now, list, used)
		if err != nil {
			return nil, err
		}
		if c := compare(now, after); c.TooManyLeft() && len(c.Left) > o.AllowLeft {
			return nil, fmt.Errorf("%w: %s", ErrTooManyLeft, leaving(c))
		}
		return after, nil
	})
	if err != nil {
		return Change{}, fmt.Errorf("import roster: %w", err)
	}
	return c, nil
}

func leaving(c Change) string {
	const listed = 10
	whole := ""
	if n := len(c.LeftClasses); n > 0 {
		whole = ", all of " + strings.Join(c.LeftClasses[:min(n, listed)], ", ")
		if n > listed {
			whole += fmt.Sprintf(" and %d more classes", n-listed)
		}
	}
	return fmt.Sprintf("%d of %d%s: give the whole list, or allow it with --allow-left %d", len(c.Left), c.Present, whole, len(c.Left))
}

// Undo brings back the people as they were before the latest version, as a new
// version. People whom that version had added are marked left, and the badges
// it gave out count as never used, so that a corrected list may hold them. One
// step is kept: undoing again restores what was undone. Without a version
// before, it fails with [ErrNothingToUndo]. PINs are not undone.
func (r *Roster) Undo(ctx context.Context) (Change, error) {
	c, err := r.change(ctx, byUndo, "", func(tx *sql.Tx, now []Person) ([]Person, error) {
		if len(now) == 0 {
			return nil, ErrNothingToUndo
		}
		previous, err := readPeople(ctx, tx, "previous")
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx,
			`DELETE FROM badge_used WHERE version = (SELECT max(number) FROM version)`); err != nil {
			return nil, fmt.Errorf("free badges: %w", err)
		}
		return restored(now, previous), nil
	})
	if err != nil {
		return Change{}, fmt.Errorf("undo roster: %w", err)
	}
	return c, nil
}

// restored is the people now as they were before; who was not yet there leaves.
func restored(now, previous []Person) []Person {
	before := make(map[uint64]Person, len(previous))
	for _, p := range previous {
		before[p.ID] = p
	}
	after := slices.Clone(now)
	for i := range after {
		if p, ok := before[after[i].ID]; ok {
			after[i] = p
		} else {
			after[i].Left, after[i].Badge = true, ""
		}
	}
	return after
}

// BindBadge gives a present person, named by roster number, a badge that was
// lying blank, in place of a lost one, which finds nobody from then on. A badge
// that anybody ever had is refused with [ErrBadgeUsed], so that a lost badge
// does not come back to life; without the person it fails with [ErrNoPerson].
func (r *Roster) BindBadge(ctx context.Context, id uint64, badge, by string) (Change, error) {
	c, err := r.change(ctx, byBadge, by, func(tx *sql.Tx, now []Person) ([]Person, error) {
		if !isBadge(badge) {
			return nil, fmt.Errorf("badge is not %d digits", badgeDigits)
		}
		used, err := readUsed(ctx, tx)
		if err != nil {
			return nil, err
		}
		if used[badge] {
			return nil, ErrBadgeUsed
		}
		i := slices.IndexFunc(now, func(p Person) bool { return p.ID == id && !p.Left })
		if i < 0 {
			return nil, ErrNoPerson
		}
		after := slices.Clone(now)
		after[i].Badge = badge
		return after, nil
	})
	if err != nil {
		return Change{}, fmt.Errorf("bind badge: %w", err)
	}
	return c, nil
}

// merge is what the whole list makes of the people now. Those known keep their
// place, new ones follow, with ID 0 unless the list is numbered. It adds the
// badges it draws to used.
func merge(now, list []Person, used map[string]bool) ([]Person, error) {
	check := newChecker()
	if isNumbered(list) {
		list = withoutDead(now, list, used)
	}
	place := make(map[string]int, len(now))
	after := slices.Clone(now)
	for i, p := range now {
		place[p.Number] = i
		after[i].Left = true
	}
	for i, p := range list {
		check.person(i+2, p)
		p.ColourTime = millis(p.ColourTime)
		at, known := place[p.Number]
		if known && p.Left {
			continue
		}
		if known {
			old := after[at]
			p.ID = old.ID
			if p.Badge == "" {
				p.Badge = old.Badge
			}
			if p.Colour == "" {
				p.Colour, p.ColourTime = old.Colour, old.ColourTime
			}
			p.Evidence = p.Evidence.over(old.Evidence)
			after[at] = p
			continue
		}
		if p.Colour == "" {
			p.Colour = NoColour
		}
		p.Evidence = p.Evidence.over(Evidence{})
		after = append(after, p)
	}
	settleBadges(&check.faults, now, list, after, used)
	if err := check.faults.err(); err != nil {
		return nil, err
	}
	if err := checkNumbering(now, list); err != nil {
		return nil, err
	}
	return after, drawBadges(after, used)
}

// settleBadges lets the badges that a list spells out take effect: from people
// who left they go over to whom the list names, from people present they do
// not, and a badge that was withdrawn stays so.
func settleBadges(faults *Faults, now, list, after []Person, used map[string]bool) {
	held := make(map[string]bool, len(now))
	for _, p := range now {
		held[p.Badge] = true
	}
	claims := make(map[string]int) // badge to its place in list
	for i, p := range list {
		if p.Badge == "" {
			continue
		}
		claims[p.Badge] = i
		if used[p.Badge] && !held[p.Badge] {
			faults.add(Fault{i + 2, "badge", "was withdrawn earlier", "leave the cell empty to keep the badge in use"})
		}
	}
	for i, p := range after {
		at, claimed := claims[p.Badge]
		switch {
		case !claimed || list[at].Number == p.Number:
		case p.Left:
			after[i].Badge = ""
		default:
			faults.add(Fault{at + 2, "badge", "belongs to somebody who keeps it", "correct it, or give that person another badge"})
		}
	}
	for badge := range claims {
		used[badge] = true
	}
}

func drawBadges(people []Person, used map[string]bool) (err error) {
	for i := range people {
		if p := &people[i]; !p.Left && p.Badge == "" {
			if p.Badge, err = drawBadge(used); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawBadge returns digits that nobody ever had and adds them to those used.
func drawBadge(used map[string]bool) (string, error) {
	span := new(big.Int).Exp(big.NewInt(10), big.NewInt(badgeDigits), nil)
	for {
		n, err := rand.Int(rand.Reader, span)
		if err != nil {
			return "", fmt.Errorf("draw badge: %w", err)
		}
		if badge := fmt.Sprintf("%0*d", badgeDigits, n); !used[badge] {
			used[badge] = true
			return badge, nil
		}
	}
}

// compare tells two states of the roster apart; after holds everybody of
// before at the same place.
func compare(before, after []Person) Change {
	c := Change{}
	staying := make(map[string]bool) // classes of which somebody stays at the school
	leaving := make(map[string]bool)
	for i, p := range after {
		was := Person{Left: true}
		if i < len(before) {
			was = before[i]
		}
		if !was.Left {
			c.Present++
			if p.Left {
				leaving[was.Class] = true
			} else {
				staying[was.Class] = true
			}
		}
		switch {
		case was.Left && p.Left:
		case was.Left:
			c.Added = append(c.Added, p.Number)
		case p.Left:
			c.Left = append(c.Left, p.Number)
		case p != was:
			c.Changed = append(c.Changed, p.Number)
		}
	}
	for class := range leaving {
		if class != "" && !staying[class] {
			c.LeftClasses = append(c.LeftClasses, class)
		}
	}
	for _, list := range [][]string{c.Added, c.Changed, c.Left, c.LeftClasses} {
		slices.Sort(list)
	}
	return c
}

// differing are the rows of after to be written.
func differing(before, after []Person) []Person {
	var rows []Person
	for i, p := range after {
		if i >= len(before) || p != before[i] {
			rows = append(rows, p)
		}
	}
	return rows
}
