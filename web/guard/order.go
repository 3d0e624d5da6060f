package guard

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/menshen/menshen/web"
)

// Orders takes policy orders that a lane has scanned.
type Orders interface {
	// TakeOrder takes the order that waits, once its entry is durable. It returns
	// ErrStale where none of that number waits, ErrNotAllowed of somebody who is
	// neither guard nor leader, one of web's PIN errors, or why it failed.
	TakeOrder(ctx context.Context, c Confirmation) error
}

// Confirmation is the press by which somebody lets a policy order be taken.
type Confirmation struct {
	Number uint32
	PIN    string
	By     web.Person
}

// order returns the question about the order that waits.
func (s sheet) order() (Question, bool) {
	i := slices.IndexFunc(s.View.Questions, func(q Question) bool { return q.Kind == AskOrder })
	if i < 0 {
		return Question{}, false
	}
	return s.View.Questions[i], true
}

// Order is the question about the order that waits, or one without a number.
func (s sheet) Order() Question {
	q, _ := s.order()
	return q
}

// Begin says from when an order is.
func (s sheet) Begin(q Question) string { return screen{Page: s.Page, View: s.View}.Begin(q) }

// showOrder asks for the PIN of whoever is signed on.
func (p *page) showOrder(w http.ResponseWriter, r *http.Request) {
	p.askOrder(w, r, http.StatusOK, "")
}

func (p *page) askOrder(w http.ResponseWriter, r *http.Request, status int, said string) {
	s := sheet{Page: p.site.Page(r, pageTitle), View: p.gate.View(), Said: said}
	if _, waits := s.order(); !waits {
		p.back(w, r, ErrStale)
		return
	}
	p.site.Show(w, status, p.sheets()["order"], s)
}

// takeOrder takes the PIN.
func (p *page) takeOrder(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.asked(w, r)
	if !ok {
		return
	}
	number, err := strconv.ParseUint(form.Get("number"), 10, 32)
	if err != nil || p.orders == nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	c := Confirmation{Number: uint32(number), PIN: form.Get("pin"), By: who}
	if c.PIN == "" || len(c.PIN) > maxPIN {
		err = slip("pin-missing")
	} else {
		err = p.orders.TakeOrder(r.Context(), c)
	}
	if !typedAgain(err) {
		p.back(w, r, err)
		return
	}
	p.askOrder(w, r, http.StatusUnprocessableEntity, "said."+p.answer(err))
}
