package guard

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/menshen/menshen/web"
)

// Badges takes badge numbers that are typed where a lane's scanner is gone.
type Badges interface {
	// TypeBadge returns once the lane serves whoever has the badge, as if it had
	// been scanned: ErrNoBadge where nobody has it, ErrStale where the lane takes no
	// typed badge now, ErrBusy where it serves somebody, or why it failed.
	TypeBadge(ctx context.Context, t TypedBadge) error
}

// TypedBadge is one badge number that somebody read off a badge.
type TypedBadge struct {
	Lane   int
	Number string
	By     web.Person
}

// badgeDigits are those of every badge.
const badgeDigits = 16

// showBadge asks for the number.
func (p *page) showBadge(w http.ResponseWriter, r *http.Request) {
	lane, err := strconv.Atoi(r.URL.Query().Get("lane"))
	if err != nil {
		p.back(w, r, ErrStale)
		return
	}
	p.askBadge(w, r, http.StatusOK, sheet{Lane: lane})
}

func (p *page) askBadge(w http.ResponseWriter, r *http.Request, status int, s sheet) {
	s.Page, s.View = p.site.Page(r, pageTitle), p.gate.View()
	if !slices.ContainsFunc(s.View.Lanes, func(l Lane) bool { return l.Number == s.Lane && l.CanBadge }) {
		p.back(w, r, ErrStale)
		return
	}
	p.site.Show(w, status, p.sheets()["badge"], s)
}

// typeBadge takes it.
func (p *page) typeBadge(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.asked(w, r)
	if !ok {
		return
	}
	lane, err := strconv.Atoi(form.Get("lane"))
	if err != nil || p.badges == nil || !web.Once(form) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	t := TypedBadge{Lane: lane, Number: form.Get("badge"), By: who}
	if len(t.Number) != badgeDigits {
		err = slip("badge-format")
	} else {
		err = p.badges.TypeBadge(r.Context(), t)
	}
	if !typedAgain(err) {
		p.back(w, r, err)
		return
	}
	p.askBadge(w, r, http.StatusUnprocessableEntity, sheet{Lane: lane, Said: "said." + p.answer(err)})
}
