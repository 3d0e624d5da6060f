// Package web knows what every screen of a gate has in common: the layout and
// its palette, the words in both languages, who is signed on and how, which
// browsers of other machines were paired, and the table of who may use which
// route, with the protections that stand in front of them all.
//
// It does not know what a screen shows: each page package declares the view
// and the acts it needs. It knows no journal, no device and no policy, and it
// does not know how a PIN or a session is kept; that is behind Staff and Roll.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// What a Staff may say of a badge and PIN, besides that it could not look.
var (
	// ErrPIN says that badge and PIN do not belong together. It does not say
	// which of them is wrong.
	ErrPIN = errors.New("badge and PIN do not match")
	// ErrLocked says that too many wrong PINs were tried; the right one is
	// refused too until the lock ends.
	ErrLocked = errors.New("too many wrong PINs")
	// ErrNoDuty says that badge and PIN are right and their owner has nothing
	// to do at a gate.
	ErrNoDuty = errors.New("person has no duty")
)

// Staff checks who signs on.
type Staff interface {
	// CheckPIN returns the person whose badge and PIN these are, or ErrPIN,
	// ErrLocked, ErrNoDuty, or why it could not look. It counts the wrong ones.
	CheckPIN(ctx context.Context, badge, pin string) (Person, error)
}

// Person is one member of staff. It writes itself to logs as a number only.
type Person struct {
	// ID is the roster number.
	ID uint64
	// Name is the full name.
	Name string
	// Role is a closed word of whoever implements Staff.
	Role string
	// Duties are what the person may do, as of when it was asked for.
	Duties Duty
}

// String returns the roster number, never the name.
func (p Person) String() string { return fmt.Sprintf("person %d", p.ID) }

// LogValue returns the roster number, never the name.
func (p Person) LogValue() slog.Value { return slog.Uint64Value(p.ID) }

// Mask hides a name on a screen that others can see: the first and the last
// character stay, 李一涵 becomes 李*涵. Always one star, so that the length of
// the name is hidden too; of two characters the first stays, of one none.
func Mask(name string) string {
	runes := []rune(strings.TrimSpace(name))
	switch len(runes) {
	case 0:
		return ""
	case 1:
		return "*"
	case 2:
		return string(runes[0]) + "*"
	default:
		return string(runes[0]) + "*" + string(runes[len(runes)-1])
	}
}
