package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// Why a gate did not do what was pressed, beside what package guard names.
var (
	// ErrHeld says that people have placed a hold already, which is to be lifted
	// before another is placed.
	ErrHeld = errors.New("a hold by name stands already")
	// ErrClock says that a hold cannot end by itself at a gate whose clock nobody
	// vouches for.
	ErrClock = errors.New("clock is not confirmed")
	// ErrSelf says that somebody wanted to lift a hold against themselves.
	ErrSelf = errors.New("nobody lifts a hold against themselves")
	// ErrBadgeUsed says that somebody has, or had, that badge.
	ErrBadgeUsed = errors.New("badge was used before")
)

// Gate is what the page needs of a gate: what package guard asks for, as far as
// people who were set aside are concerned. All methods are called from many
// goroutines.
type Gate interface {
	View() guard.View
	Watch(ctx context.Context) <-chan struct{}
	Do(ctx context.Context, a guard.Act) error
}

// Holds are the holds that stand at the gate.
type Holds interface {
	// Holds returns those that the page lists, in the order of Hold.Compare.
	Holds() []Hold
	// Hold places one at every lane, and returns when its entry is durable, or
	// ErrHeld, ErrClock, guard.ErrStale, or why it failed: then it may stand, and
	// may be placed again.
	Hold(ctx context.Context, p Placing) error
	// Lift ends all that stand against somebody, its entry first. It returns
	// ErrSelf, guard.ErrStale or one of web's PIN errors, or why it failed.
	Lift(ctx context.Context, l Lifting) error
}

// People are those on the roster.
type People interface {
	// Classes returns the classes in the order of the school's list; that of
	// staff is empty.
	Classes() []string
	// Class returns who is present of one, in the same order: those whose name may
	// begin with the letters, which are small; everybody without letters.
	Class(class, letters string) []Person
	// Person finds somebody present.
	Person(id uint64) (Person, bool)
	// BindBadge gives a blank badge in place of a lost one. It returns when the
	// entry is durable, or ErrBadgeUsed, guard.ErrStale, guard.ErrNotAllowed, or
	// why it failed.
	BindBadge(ctx context.Context, b Binding) error
}

// Person is somebody who can be found at the desk.
type Person struct {
	// ID is the roster number.
	ID          uint64
	Name, Class string // Class is empty of staff
}

// Hold is one hold that stands.
type Hold struct {
	Subject     uint64
	Name, Class string
	// Reason stands in web's words behind "hold.".
	Reason string
	// By is the name of who placed it and Since when; empty and zero where the
	// hold came from an arrival or from elsewhere.
	By    string
	Since time.Time
	// Until is when it ends by itself; zero of one that only a lift ends.
	Until time.Time
	// Return is the number of the case whose return is owed, 0 for none.
	Return int
	// Stored says that its entry is durable; it holds either way.
	Stored bool
}

// Version tells a hold from another one against the same person.
func (h Hold) Version() int64 {
	if h.Since.IsZero() {
		return 0
	}
	return h.Since.UnixMilli()
}

// Compare puts the newest first.
func (h Hold) Compare(o Hold) int {
	return cmp.Or(o.Since.Compare(h.Since), cmp.Compare(h.Subject, o.Subject))
}

// Until is how long a hold stands.
type Until string

// The ends of a hold.
const (
	Today    Until = "today"    // the midnight that comes
	Tomorrow Until = "tomorrow" // the one after it
	Lifted   Until = "lifted"   // none but a lift by name
)

// Days returns how many midnights end it, 0 where none does.
func (u Until) Days() int { return slices.Index([]Until{Lifted, Today, Tomorrow}, u) }

// Placing is a hold that somebody places.
type Placing struct {
	Subject uint64
	// Reason is one of the page's closed list.
	Reason string
	Until  Until
	By     web.Person
}

// Lifting ends the holds against somebody, of which the page showed one.
type Lifting struct {
	Subject uint64
	Version int64
	// PIN of By, which the gate checks.
	PIN string
	By  web.Person
}

// Binding gives somebody another badge.
type Binding struct {
	Subject uint64
	// Badge is 16 digits.
	Badge string
	By    web.Person
}
