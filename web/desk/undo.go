package desk

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/menshen/menshen/web"
)

// undosMost is how many acts the page offers to take back.
const undosMost = 3

// Undos are the acts of people that may still be taken back.
type Undos interface {
	// Undos returns those of one person, the newest first.
	Undos(by web.Person) []Undo
	// Undo takes one back. It returns when that is durable, and whether the person
	// it is about is inside meanwhile and to be found; or guard.ErrStale for what
	// is too old, another person's or overtaken, or why it failed.
	Undo(ctx context.Context, id uint64, by web.Person) (inside bool, err error)
}

// Undo is one act that may be taken back.
type Undo struct {
	ID          uint64
	Name, Class string
	// What is a key of web's words that names the act; Value is the temperature
	// that was typed, "36.9", in its place.
	What, Value string
	// Left is how long it may still be taken back.
	Left time.Duration
}

// Seconds rounds up to tens: a page that changed every second would replace the
// button under the finger that presses it.
func (u Undo) Seconds() int { return int((u.Left + 10*time.Second - 1) / (10 * time.Second) * 10) }

// undoable returns what the pages offer somebody to take back.
func (p *page) undoable(by web.Person) []Undo {
	list := p.undos.Undos(by)
	return list[:min(undosMost, len(list))]
}

// undo takes an act back.
func (p *page) undo(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	id, err := strconv.ParseUint(form.Get("undo"), 10, 64)
	if err != nil || !web.Once(form) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	by, _ := p.site.Sessions.Who(r)
	inside, err := p.undos.Undo(r.Context(), id, by)
	switch {
	case err != nil:
		p.back(w, r, p.answer(err))
	case inside:
		p.back(w, r, "undone-inside")
	default:
		p.back(w, r, "undone")
	}
}
